"""Intervals by resampling viewers: requests of one viewer are alike, so a viewer is drawn with all of theirs.

Each viewer counts a Poisson(1) number of times in a replicate (Chamandy et al. 2012, "Estimating uncertainty for
massive data streams"), which is the usual bootstrap but for the replicate's size, and estimates are ratios of sums. The
counts hang on the seed and the number of viewers alone: all policies and all estimators see the same replicates, so
that differences are paired.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from livedqn.ope.terms import Terms, divided
from livedqn.types import FloatArray, IntArray

REPLICATES = 1_000
LEVEL = 0.95
#: Viewers whose counts are drawn together, and how many such blocks are kept for the next estimate, which sees the same
#: draws: a megabyte a block, of 130,000 viewers in all. Of more they are drawn anew each time, which costs time alone.
_TOGETHER, _KEPT = 1_024, 128


class Estimate(NamedTuple):
    """A number with its 95 % interval."""

    value: float
    low: float
    high: float

    def to_dict(self) -> dict[str, float | None]:
        """As JSON has it: null where there is no number."""
        return {name: x if math.isfinite(x) else None for name, x in self._asdict().items()}


def replicates(terms: Terms, viewer: IntArray, seed: int, count: int = REPLICATES) -> FloatArray:
    """The columns of ``terms`` in each of ``count`` replicates, (count, T) float64.

    Args:
        terms: of n units.
        viewer: (n,) int64, whose they are, numbered from 0 without gaps.
        seed: of the replicates.
        count: how many.
    """
    width = terms.numerator.shape[1]
    order = np.argsort(viewer, kind="stable")
    starts = np.flatnonzero(np.diff(viewer[order], prepend=-1))
    both = np.concatenate([terms.numerator, terms.denominator], axis=1)[order]
    sums = np.add.reduceat(both, starts, axis=0) if len(starts) else np.zeros((0, 2 * width))
    total = np.zeros((count, 2 * width))
    for block, first in enumerate(range(0, len(sums), _TOGETHER)):
        chosen = sums[first : first + _TOGETHER]
        total += _counts(seed, block, count)[:, : len(chosen)].astype(np.float64) @ chosen
    return divided(total[:, :width], total[:, width:])


@lru_cache(maxsize=_KEPT)
def _counts(seed: int, block: int, count: int) -> NDArray[np.uint8]:
    """How often each viewer of a block comes in each replicate, (count, viewers)."""
    rng = np.random.default_rng((seed, block))
    return rng.poisson(1.0, (_TOGETHER, count)).T.astype(np.uint8)


def estimate(value: float, drawn: FloatArray) -> Estimate:
    """``value`` with the interval that its replicates (R,) leave: from their 2.5 % to their 97.5 % quantile."""
    low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Estimate(value, float(low), float(high))
