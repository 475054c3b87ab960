"""Closed forms from moments and quantiles to settings, each of plain arrays."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist

import numpy as np
import numpy.typing as npt
import torch

from livedqn.types import FloatArray, IntArray

#: Between the quartiles of a standard normal distribution.
IQR = 2 * NormalDist().inv_cdf(0.75)


def logit(share: float) -> float:
    """Log-odds."""
    return math.log(share / (1 - share))


def shifted(share: float, found: float, wanted: float) -> float:
    """The share whose log-odds are moved as far as it is from ``found`` to ``wanted``, all inside (0, 1)."""
    return 1 / (1 + math.exp(-(logit(share) + logit(wanted) - logit(found))))


def spread(values: FloatArray) -> float:
    """Standard deviation of a normal distribution with the quartiles of ``values`` (N,): no outlier counts."""
    low, high = np.quantile(values, [0.25, 0.75])
    return float(high - low) / IQR


def lognormal(shares: Sequence[float], quantiles: Sequence[float]) -> tuple[float, float]:
    """Median and sd of the logarithm of a lognormal distribution: the line of ln quantiles over normal ones."""
    slope, intercept = np.polyfit([NormalDist().inv_cdf(share) for share in shares], np.log(quantiles), 1)
    return math.exp(intercept), max(0.0, float(slope))


def weibull(values: FloatArray) -> tuple[float, float]:
    """Shape and scale of a Weibull distribution by the quartiles and the median of ``values`` (N,).

    ln(-ln(1 - q)) = shape (ln x_q - ln scale) at every quantile x_q.
    """
    low, median, high = np.quantile(values, [0.25, 0.5, 0.75])
    shape = math.log(math.log(4) / math.log(4 / 3)) / math.log(high / low)
    return shape, float(median) / math.log(2) ** (1 / shape)


def between_within(values: FloatArray, group: IntArray) -> tuple[float, float]:
    """Standard deviations between groups and within one, of ``values`` (N,) of ``group`` (N,) each.

    Analysis of variance of one random effect, groups of any size (Searle, Casella, McCulloch: Variance components,
    1992, section 3.6). Some group has two values.
    """
    _, of, sizes = np.unique(group, return_inverse=True, return_counts=True)
    count, groups = len(values), len(sizes)
    means = np.bincount(of, values) / sizes
    within = float(((values - means[of]) ** 2).sum()) / (count - groups)
    among = float((sizes * (means - values.mean()) ** 2).sum()) / max(groups - 1, 1)
    typical = (count - (sizes**2).sum() / count) / max(groups - 1, 1)
    return math.sqrt(max(0.0, (among - within) / typical)), math.sqrt(within)


def laplace_sd(values: FloatArray) -> float:
    """Standard deviation of a Laplace distribution around 0 by the 5 and 95 % quantiles: no outlier counts.

    They lie ln 10 scales from 0, and the standard deviation is sqrt(2) of these.
    """
    low, high = np.quantile(values, [0.05, 0.95])
    return float(high - low) / 2 * math.sqrt(2) / math.log(10)


def ar1(change_sd: float, sd: float) -> tuple[float, float]:
    """Coefficient c and the spread of the steps of an AR(1) process whose values and their changes have these spreads.

    x' = c x + step, so sd^2 = step_sd^2 / (1 - c^2), and change_sd^2 = 2 (1 - c) sd^2, as x' - x is no step alone.
    """
    coefficient = max(0.0, 1 - (change_sd / sd) ** 2 / 2)
    return coefficient, change_sd * math.sqrt((1 + coefficient) / 2)


def zero_inflated(happened: IntArray, chances: IntArray) -> tuple[float, float]:
    """(share, chance) of what happens at ``chance`` per opportunity, but to a ``share`` of all alone.

    With as many events in all, sum x = share chance sum n, and as many to which it happens at all,
    sum [x > 0] = share sum (1 - (1 - chance)^n), which falls as chance rises along the first: found by bisection.

    Args:
        happened: x, (N,), not all 0.
        chances: n, (N,), opportunities of each.
    """
    rate, touched = happened.sum() / chances.sum(), (happened > 0).sum()
    low, high = float(rate), 1.0
    for _ in range(50):
        chance = (low + high) / 2
        too_many = rate / chance * (1 - (1 - chance) ** chances).sum() > touched
        low, high = (chance, high) if too_many else (low, chance)
    return float(rate) / high, high


def normal_scores(values: npt.NDArray[np.generic]) -> FloatArray:
    """The normal quantiles of the ranks of ``values`` (N,), those of equal ones the same."""
    _, of, counts = np.unique(values, return_inverse=True, return_counts=True)
    middle = np.cumsum(counts) - counts / 2
    scores: FloatArray = torch.special.ndtri(torch.from_numpy(middle / len(values))).numpy()[of]
    return scores
