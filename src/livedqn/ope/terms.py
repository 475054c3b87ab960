"""What every estimator is made of: sums over units, and ratios of them.

A unit (a request, a session) has a numerator and a denominator for each of T columns, and an estimate is

    sum_t  (sum_i numerator[i, t]) / (sum_i denominator[i, t])

A mean has denominators of 1, a self-normalised estimate has weights there, and one that is normalised step by step has
a column a step. So one bootstrap serves all.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from livedqn.types import FloatArray, IntArray


class Terms(NamedTuple):
    """Of n units; both (n, T) float64."""

    numerator: FloatArray
    denominator: FloatArray

    @classmethod
    def mean(cls, values: FloatArray) -> Terms:
        """Of ``values`` (n,)."""
        return cls(values[:, None], np.ones((len(values), 1)))

    @classmethod
    def ratio(cls, numerator: FloatArray, denominator: FloatArray) -> Terms:
        """Of the sums of both, (n,)."""
        return cls(numerator[:, None], denominator[:, None])

    @property
    def columns(self) -> FloatArray:
        """The ratios, (T,)."""
        return divided(self.numerator.sum(axis=0), self.denominator.sum(axis=0))

    @property
    def value(self) -> float:
        """The estimate."""
        return float(self.columns.sum())

    @property
    def moved(self) -> FloatArray:
        """How much each unit moves each column, (n, T); they sum up to 0.

        That is its influence, the derivative by how often it counts: (numerator_i - ratio denominator_i) / sum of
        denominators.
        """
        return divided(self.numerator - self.columns * self.denominator, self.denominator.sum(axis=0))

    def by(self, whose: IntArray) -> Terms:
        """The same estimate, its units the sums over those of each: ``whose`` (n,) numbers them without gaps."""
        order = np.argsort(whose, kind="stable")
        starts = np.flatnonzero(np.diff(whose[order], prepend=-1))
        return Terms(*(np.add.reduceat(x[order], starts, axis=0) if len(starts) else x for x in self))


def divided(numerator: FloatArray, denominator: FloatArray) -> FloatArray:
    """Their ratio, and 0 where there is no weight at all: nothing is known there."""
    out = np.zeros(np.broadcast_shapes(numerator.shape, denominator.shape))
    return np.divide(numerator, denominator, out=out, where=denominator != 0)
