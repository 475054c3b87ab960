"""C's memcpy for kernels, which Numba offers to nobody but itself: all that livedqn takes from its inside."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, overload

Array = npt.NDArray[np.generic]


def copy(target: Array, target_byte: int, source: Array, source_byte: int, count: int) -> None:
    """In a kernel: ``count`` bytes from one C-contiguous array to another, as C's memcpy.

    A loop over elements takes two to four times as long. Nothing is checked; the two ranges must not overlap.
    """
    flat = target.reshape(-1).view("u1")
    flat[target_byte : target_byte + count] = source.reshape(-1).view("u1")[source_byte : source_byte + count]


def _memcpy(context: Any, target: Any, target_byte: Any, source: Any, source_byte: Any, count: Any) -> Any:
    def build(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        def pointer(argument: int) -> Any:
            data = context.make_array(signature.args[argument])(context, builder, values[argument]).data
            return builder.gep(builder.bitcast(data, cgutils.voidptr_t), [values[argument + 1]])

        memcpy(builder, pointer(0), pointer(2), values[4], 1)
        return context.get_dummy_value()

    integer = types.int64
    return types.void(target, integer, source, integer, integer), build


memcpy: Any = cgutils.raw_memcpy
compiled_copy: Any = intrinsic(_memcpy)


def _copy(target: Any, target_byte: Any, source: Any, source_byte: Any, count: Any) -> Any:
    return lambda target, target_byte, source, source_byte, count: compiled_copy(
        target, target_byte, source, source_byte, count
    )


overload(copy, strict=False)(_copy)  # what takes the place of copy in a compiled kernel
