"""A sum tree in one array: leaf i is drawn with probability proportional to its value."""

from __future__ import annotations

import numpy as np

from livedqn.kernel import viewing_kernel
from livedqn.types import FloatArray, IntArray

BITS = 3
#: Children of a node: as many float64 as a line of the processor's cache holds, for what takes time is fetching lines.
WIDTH = 1 << BITS
LINE = WIDTH * 8  # bytes


class SumTree:
    """``size`` leaves, all zero at first.

    Parents are always the sum of their children, never adjusted by a difference: a tree rebuilt from its leaves is
    the same bit for bit, and rounding errors do not pile up.
    """

    def __init__(self, size: int) -> None:
        levels = [-(-size // WIDTH)]  # families of siblings on each level, from the leaves up to the root's children
        while levels[0] > 1:
            levels.insert(0, -(-levels[0] // WIDTH))
        #: Where each level begins in ``nodes``; the root is node 0, and a line of its own.
        self.starts = WIDTH * np.cumsum([0, 1, *levels[:-1]])
        size_of_all = self.starts[-1] + WIDTH * levels[-1]
        memory = np.zeros(size_of_all + WIDTH, np.float64)
        skipped = -memory.ctypes.data % LINE // memory.itemsize  # so that a family of siblings is one line, not two
        self.nodes = memory[skipped : skipped + size_of_all]
        self._size = size

    @property
    def total(self) -> float:
        """The sum of all leaves."""
        return float(self.nodes[0])

    @property
    def leaves(self) -> FloatArray:
        """The values of all leaves, (size,), a view."""
        return self.nodes[self.starts[-1] :][: self._size]

    def set(self, index: IntArray, value: FloatArray | float) -> None:
        """Give the leaves ``index`` (N,) their values, (N,) or one for all, not negative."""
        self.leaves[index] = value
        update_ancestors(self.nodes, self.starts, index)

    def find(self, mass: FloatArray, found: IntArray) -> None:
        """The leaf in which each ``mass`` (N,), in [0, total), falls, into ``found`` (N,); never one of value 0.

        ``mass`` is used up: what is left of it is measured from where the leaf begins.
        """
        find(self.nodes, self.starts, mass, found)

    def load(self, leaves: FloatArray) -> None:
        """Give every leaf its value and rebuild."""
        self.leaves[:] = leaves
        rebuild(self.nodes, self.starts)


@viewing_kernel
def add_up(nodes: FloatArray, first: int) -> float:
    """The sum of a family of siblings, in their order."""
    total = 0.0
    for child in range(first, first + WIDTH):
        total += nodes[child]
    return total


@viewing_kernel
def update_ancestors(nodes: FloatArray, starts: IntArray, leaves: IntArray) -> None:
    """Give the ancestors of ``leaves`` (N,) their sums, level by level, so that the next line is fetched meanwhile."""
    for level in range(starts.size - 1, 0, -1):
        up = BITS * (starts.size - level)
        last = -1
        for leaf in leaves:
            parent = leaf >> up
            if parent != last:  # leaves that were drawn are in order: many have a parent in common
                nodes[starts[level - 1] + parent] = add_up(nodes, starts[level] + parent * WIDTH)
                last = parent


@viewing_kernel
def rebuild(nodes: FloatArray, starts: IntArray) -> None:
    """Give all parents their sums."""
    for level in range(starts.size - 1, 0, -1):
        end = starts[level + 1] if level + 1 < starts.size else nodes.size
        for parent in range((end - starts[level]) // WIDTH):
            nodes[starts[level - 1] + parent] = add_up(nodes, starts[level] + parent * WIDTH)


@viewing_kernel
def find(nodes: FloatArray, starts: IntArray, mass: FloatArray, found: IntArray) -> None:
    """The leaf in which each ``mass`` (N,) falls, into ``found`` (N,): all of them one level down at a time."""
    found[:] = 0
    for start in starts[1:]:
        for i in range(mass.size):
            first = start + found[i] * WIDTH
            left, chosen = mass[i], 0
            for child in range(WIDTH):
                value = nodes[first + child]
                if value > 0:  # rounding can push the mass past the last child of positive value: then that one has it
                    chosen = child
                    if left < value:
                        break
                    left -= value
            found[i] = found[i] * WIDTH + chosen
            mass[i] = left
