"""Memory for answers that come at every step: what nobody holds any more is written again.

The operating system hands out fresh memory page by page, which for answers of some megabytes takes longer than to
fill them. Nothing is overwritten while anybody holds an array of it, or a part of one.
"""

from __future__ import annotations

import weakref
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

#: What is kept for the next answers: while one is made the user still holds the one before it.
SPARE = 2
_ALIGNMENT = 64


class Recycled:
    """Arrays of these shapes and types, of which copies are handed out."""

    def __init__(self, forms: Mapping[str, tuple[tuple[int, ...], npt.DTypeLike]]) -> None:
        self._places: dict[str, tuple[slice, np.dtype[Any], tuple[int, ...]]] = {}
        end = 0
        for name, (shape, form) in forms.items():
            dtype = np.dtype(form)
            start = -(-end // _ALIGNMENT) * _ALIGNMENT
            end = start + int(np.prod(shape)) * dtype.itemsize
            self._places[name] = slice(start, end), dtype, shape
        self._memory = np.zeros(end, np.uint8)
        self._spare: list[npt.NDArray[np.uint8]] = []
        self.nbytes = end
        self.arrays = self._arrays(self._memory)

    def copies(self) -> dict[str, npt.NDArray[Any]]:
        """Copies of the arrays, which nobody overwrites."""
        memory = self._spare.pop() if self._spare else np.empty_like(self._memory)
        memory[:] = self._memory
        # what is made of this array keeps it alive, and its end gives the memory back; a plain view of ``memory`` would
        # not do, for NumPy makes the owner of memory the base of a view of a view
        lent = np.frombuffer(memory.data, np.uint8)
        weakref.finalize(lent, self._take_back, memory).atexit = False
        return self._arrays(lent)

    def _arrays(self, memory: npt.NDArray[np.uint8]) -> dict[str, npt.NDArray[Any]]:
        return {name: memory[where].view(dtype).reshape(shape) for name, (where, dtype, shape) in self._places.items()}

    def _take_back(self, memory: npt.NDArray[np.uint8]) -> None:
        if len(self._spare) < SPARE:
            self._spare.append(memory)
