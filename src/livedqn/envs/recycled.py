"""Memory for answers that come at every step: what nobody holds any more is written again.

The operating system hands out fresh memory page by page, which for answers of some megabytes takes longer than to
fill them. Nothing is overwritten while anybody holds an array of it, or a part of one.
"""

from __future__ import annotations

import weakref
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

#: What is kept for the next answers: while one is made the user still holds the one before it.
SPARE = 2
_ALIGNMENT = 64


class Lent(NamedTuple):
    """Arrays that nobody else holds."""

    memory: npt.NDArray[np.uint8]  # of all of them, one after another
    arrays: dict[str, npt.NDArray[Any]]


class Recycled:
    """Arrays of these shapes and types, again and again."""

    def __init__(self, forms: Mapping[str, tuple[tuple[int, ...], npt.DTypeLike]]) -> None:
        self._places: dict[str, tuple[tuple[int, ...], np.dtype[Any], int]] = {}
        end = 0
        for name, (shape, form) in forms.items():
            dtype = np.dtype(form)
            start = -(-end // _ALIGNMENT) * _ALIGNMENT
            end = start + int(np.prod(shape)) * dtype.itemsize
            self._places[name] = shape, dtype, start
        self.nbytes = end
        self._spare: list[npt.NDArray[np.uint8]] = []

    def lend(self) -> Lent:
        """Arrays of any content."""
        memory = self._spare.pop() if self._spare else np.empty(self.nbytes, np.uint8)
        # what is made of this array keeps it alive, and its end gives the memory back; a plain view of ``memory`` would
        # not do, for NumPy makes the owner of memory the base of a view of a view
        lent = np.frombuffer(memory.data, np.uint8)
        weakref.finalize(lent, self._take_back, memory).atexit = False
        places = self._places.items()
        return Lent(lent, {name: np.ndarray(shape, dtype, lent, at) for name, (shape, dtype, at) in places})

    def copy(self, original: Lent) -> Lent:
        """The same again."""
        copied = self.lend()
        copied.memory[:] = original.memory
        return copied

    def _take_back(self, memory: npt.NDArray[np.uint8]) -> None:
        if len(self._spare) < SPARE:
            self._spare.append(memory)
