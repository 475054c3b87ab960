"""A sum tree in one array: leaf i is drawn with probability proportional to its value."""

from __future__ import annotations

import numpy as np

from livedqn.types import FloatArray, IntArray


class SumTree:
    """``size`` leaves, all zero at first. Node i has the children 2i and 2i + 1; the root is node 1.

    Parents are always the sum of their children, never adjusted by a difference: a tree rebuilt from its leaves is
    the same bit for bit, and rounding errors do not pile up.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self._depth = max(1, (size - 1).bit_length())
        self._first = 1 << self._depth  # node of leaf 0
        self._nodes = np.zeros(2 * self._first, np.float64)

    @property
    def nbytes(self) -> int:
        """What it takes: leaves, rounded up to a power of two, and parents."""
        return self._nodes.nbytes

    @property
    def total(self) -> float:
        """The sum of all leaves."""
        return float(self._nodes[1])

    @property
    def leaves(self) -> FloatArray:
        """The values of all leaves, (size,), a view."""
        return self._nodes[self._first : self._first + self.size]

    def set(self, index: IntArray, value: FloatArray | float) -> None:
        """Give the leaves ``index`` (N,) their values, (N,) or one for all, not negative."""
        node = index + self._first
        self._nodes[node] = value
        for _ in range(self._depth):
            node = node >> 1
            self._nodes[node] = self._nodes[2 * node] + self._nodes[2 * node + 1]

    def load(self, leaves: FloatArray) -> None:
        """Give every leaf its value and rebuild."""
        self._nodes[self._first : self._first + self.size] = leaves
        for level in range(self._depth - 1, -1, -1):
            low, high = 1 << level, 2 << level
            self._nodes[low:high] = self._nodes[2 * low : 2 * high : 2] + self._nodes[2 * low + 1 : 2 * high : 2]

    def find(self, mass: FloatArray) -> IntArray:
        """The leaf in which each ``mass`` (N,), in [0, total), falls; never one of value 0."""
        node = np.ones(len(mass), np.int64)
        mass = mass.copy()
        for _ in range(self._depth):
            left = 2 * node
            # rounding can push the mass past the last leaf of positive value: then stay left of the empty ones
            right = (mass >= self._nodes[left]) & (self._nodes[left + 1] > 0)
            mass -= np.where(right, self._nodes[left], 0)
            node = left + right
        leaf: IntArray = node - self._first
        return leaf
