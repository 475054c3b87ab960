"""Means with intervals. The unit is the world: sessions of one world share its rooms, so they are not independent."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from livedqn.types import FloatArray

LEVEL = 0.95


@dataclass(frozen=True)
class Interval:
    """A mean over ``n`` worlds and its 95 % interval; NaN where too few worlds say anything."""

    mean: float
    low: float
    high: float
    n: int

    @property
    def half(self) -> float:
        """Half its width."""
        return (self.high - self.low) / 2

    def to_dict(self) -> dict[str, float | int | None]:
        """``{mean, low, high, n}`` as JSON has it: null where there is no number."""
        numbers = {"mean": self.mean, "low": self.low, "high": self.high}
        return {**{name: x if math.isfinite(x) else None for name, x in numbers.items()}, "n": self.n}


def t_quantile(df: int, level: float = LEVEL) -> float:
    """The t with P(abs(T) <= t) = ``level`` for Student's distribution with ``df`` degrees of freedom.

    Exact for 1 and 2, else the expansion of Abramowitz & Stegun 26.7.5 (within 0.2 % at 3, better beyond).
    """
    if df == 1:
        return math.tan(math.pi * level / 2)
    if df == 2:
        return float(level * math.sqrt(2 / (1 - level**2)))
    z = NormalDist().inv_cdf((1 + level) / 2)
    terms = (
        z,
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return float(sum(term / df**i for i, term in enumerate(terms)))


def interval(values: FloatArray) -> Interval:
    """Of the mean of ``values`` (W,), one a world: mean +- t s / sqrt(W). Worlds without a value (NaN) do not count."""
    known = np.asarray(values, np.float64)
    known = known[~np.isnan(known)]
    n = len(known)
    if n == 0:
        return Interval(math.nan, math.nan, math.nan, 0)
    mean = float(known.mean())
    if n == 1:
        return Interval(mean, math.nan, math.nan, 1)
    half = t_quantile(n - 1) * float(known.std(ddof=1)) / math.sqrt(n)
    return Interval(mean, mean - half, mean + half, n)


def paired(ours: FloatArray, theirs: FloatArray) -> Interval:
    """Of the mean of ours - theirs, world by world, (W,) each: what the worlds have in common cancels."""
    return interval(np.asarray(ours, np.float64) - np.asarray(theirs, np.float64))


def ratio(top: FloatArray, bottom: FloatArray) -> Interval:
    """Of mean(top) / mean(bottom), (W,) each: to first order it varies as the worlds' top - ratio bottom do.

    NaN where the mean of ``bottom`` is not above 0: there is nothing that it could be a share of.
    """
    if not float(np.mean(bottom)) > 0:
        return Interval(math.nan, math.nan, math.nan, 0)
    whole = float(np.mean(top)) / float(np.mean(bottom))
    return interval(whole + (np.asarray(top, np.float64) - whole * bottom) / float(np.mean(bottom)))
