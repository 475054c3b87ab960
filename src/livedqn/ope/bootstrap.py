"""Intervals by resampling viewers: requests of one viewer are alike, so a viewer is drawn with all of theirs.

Each viewer counts a Poisson(1) number of times in a replicate (Chamandy et al. 2012, "Estimating uncertainty for
massive data streams"), which is the usual bootstrap but for the replicate's size, and estimates are ratios of sums. The
counts hang on the seed and the number of viewers alone: all policies and all estimators see the same replicates, so
that differences are paired.

Where some visit much more than others, or weights are heavy, a few viewers decide an estimate, and how wide an
interval has to be is itself known from these few alone. So its ends are not the quantiles 2.5 % and 97.5 % of the
replicates, but those that Student's t takes the place of a normal distribution for (Hesterberg 2015, "What teachers
should know about the bootstrap", https://arxiv.org/abs/1411.5279): Phi(-t) and Phi(t), with t the quantile
97.5 % of as many degrees of freedom as the variance sum_i s_i^2 is known with (Satterthwaite 1946),

    df = 2 (sum s^2)^2 / (sum s^4 - (sum s^2)^2 / n)

where s_i is how much viewer i of n moves the estimate; more than n - 1 it cannot be. It is about n where s is normal,
and the interval the usual one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist
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
_NORMAL = NormalDist()


class Estimate(NamedTuple):
    """A number with its 95 % interval."""

    value: float
    low: float
    high: float

    def to_dict(self) -> dict[str, float | None]:
        """As JSON has it: null where there is no number."""
        return {name: x if math.isfinite(x) else None for name, x in self._asdict().items()}


@dataclass(frozen=True)
class Drawn:
    """An estimate, its replicates (R,), and how much each viewer moves it, (viewers,)."""

    value: float
    drawn: FloatArray
    moved: FloatArray

    @property
    def interval(self) -> Estimate:
        """With its 95 % interval."""
        outside = tail(freedom(self.moved))
        low, high = np.quantile(self.drawn, [outside, 1 - outside])
        return Estimate(self.value, float(low), float(high))

    def minus(self, other: Drawn) -> Estimate:
        """How much more this is than ``other``, from the same replicates."""
        return Drawn(self.value - other.value, self.drawn - other.drawn, self.moved - other.moved).interval


def resampled(terms: Terms, viewer: IntArray, seed: int, count: int = REPLICATES) -> Drawn:
    """The estimate of ``terms`` of n units with ``count`` replicates; ``viewer`` (n,) says whose they are."""
    of = terms.by(viewer)
    return Drawn(terms.value, replicates(of, seed, count).sum(axis=1), of.moved.sum(axis=1))


def replicates(terms: Terms, seed: int, count: int = REPLICATES) -> FloatArray:
    """The columns of ``terms`` in each of ``count`` replicates, (count, T) float64.

    Args:
        terms: of viewers, or whatever else is independent of one another.
        seed: of the replicates.
        count: how many.
    """
    width = terms.numerator.shape[1]
    both = np.concatenate([terms.numerator, terms.denominator], axis=1)
    total = np.zeros((count, 2 * width))
    for block, first in enumerate(range(0, len(both), _TOGETHER)):
        chosen = both[first : first + _TOGETHER]
        total += _counts(seed, block, count)[:, : len(chosen)].astype(np.float64) @ chosen
    return divided(total[:, :width], total[:, width:])


def freedom(moved: FloatArray) -> float:
    """The degrees of freedom of sum s^2, where ``moved`` (n,) is s: 2 if one of many decides, n - 1 if all are alike,
    since they sum up to 0; 1 at least, and infinity if none moves anything."""
    most = float(np.abs(moved).max(initial=0))
    if not most > 0:
        return math.inf
    squares = (moved / most) ** 2  # of huge weights they would overflow
    spread = float(squares @ squares - squares.sum() ** 2 / len(squares))
    found = float(2 * squares.sum() ** 2 / spread) if spread > 0 else math.inf
    return max(min(found, len(squares) - 1.0), 1.0)


def tail(df: float) -> float:
    """The share of replicates that an interval leaves out at each end: 2.5 %, and less with few degrees of freedom.

    Student's t is had from the normal quantile z by the first terms of Fisher and Cornish (1960): t = z + (z^3 + z) /
    (4 df) + (5 z^5 + 16 z^3 + 3 z) / (96 df^2). With 5 it is 2.55 instead of 2.57; with 2 it is 3.8 instead of 4.3, but
    hardly one of 1,000 replicates lies outside either.
    """
    z = _NORMAL.inv_cdf((1 + LEVEL) / 2)
    t = z + (z**3 + z) / (4 * df) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * df**2)
    return _NORMAL.cdf(-t)


@lru_cache(maxsize=_KEPT)
def _counts(seed: int, block: int, count: int) -> NDArray[np.uint8]:
    """How often each viewer of a block comes in each replicate, (count, viewers)."""
    rng = np.random.default_rng((seed, block))
    return rng.poisson(1.0, (_TOGETHER, count)).T.astype(np.uint8)
