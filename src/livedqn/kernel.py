"""Loops over arrays, compiled by Numba: where a line of NumPy for each step of the way costs more than the work.

``NUMBA_DISABLE_JIT=1`` runs every kernel as the plain Python that it is, for a debugger or for coverage.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
import numpy as np
import numpy.typing as npt
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, overload

Array = npt.NDArray[np.generic]
Function = TypeVar("Function", bound=Callable[..., Any])


def kernel(function: Function) -> Function:
    """``function`` compiled for the types that it is called with, and kept on disk, so that a machine compiles it once.

    Division by zero gives inf or NaN, as in NumPy. Numbers are those of strict IEEE arithmetic.
    """
    try:
        compiled = numba.njit(cache=True, error_model="numpy")(function)
    except RuntimeError:  # no folder can be written to, neither the package's own nor the user's
        compiled = numba.njit(error_model="numpy")(function)
    return cast(Function, compiled)


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
