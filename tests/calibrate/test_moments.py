"""Every closed form by hand, and what it finds of what was drawn."""

import math

import numpy as np
import pytest

from livedqn.calibrate import hours, moments


def test_log_odds_by_hand() -> None:
    """From odds of 1/4 to odds of 1: four times; those of 1/9 become 4/9, a share of 4/13."""
    assert moments.logit(0.2) == pytest.approx(-math.log(4))
    assert moments.shifted(0.1, found=0.2, wanted=0.5) == pytest.approx(4 / 13)
    assert moments.shifted(0.1, found=0.3, wanted=0.3) == pytest.approx(0.1)


def test_spread_by_hand() -> None:
    """Quartiles 1 and 3 are 2 apart, and those of a standard normal distribution 1.349."""
    assert moments.spread(np.array([0.0, 1, 2, 3, 100])) == pytest.approx(2 / 1.3489795)


def test_lognormal_by_hand() -> None:
    """Median e, and one sd above it (84.13 %) e^3: the sd of the logarithm is 2."""
    median, log_sd = moments.lognormal([0.5, 0.8413447460685429], [math.e, math.e**3])
    assert (median, log_sd) == (pytest.approx(math.e), pytest.approx(2))


def test_weibull_by_hand() -> None:
    """Shape 2 and scale 10: quantiles 10 sqrt(-ln(1 - q)), at the quartiles of five numbers."""
    values = np.array([0, *(10 * math.sqrt(-math.log(1 - q)) for q in (0.25, 0.5, 0.75)), 99])
    assert moments.weibull(values) == (pytest.approx(2), pytest.approx(10))


def test_between_and_within_by_hand() -> None:
    """Groups (0, 2) and (10, 12): variance within 2; between the means 50, less 2 / 2."""
    between, within = moments.between_within(np.array([0.0, 2, 10, 12]), np.array([7, 7, 9, 9]))
    assert (between, within) == (pytest.approx(7), pytest.approx(math.sqrt(2)))
    assert moments.between_within(np.array([0.0, 2, 0, 2]), np.array([1, 1, 2, 2]))[0] == 0  # never below


def test_groups_of_any_size() -> None:
    rng = np.random.default_rng(0)
    group = np.repeat(np.arange(2_000), 1 + rng.poisson(1, 2_000))
    values = 2.0 * rng.normal(size=2_000)[group] + 3.0 * rng.normal(size=len(group))
    assert moments.between_within(values, group) == (pytest.approx(2, abs=0.15), pytest.approx(3, abs=0.15))


def test_autoregression_by_hand() -> None:
    """Values of sd 5 and c = 0.8: steps of sd 3, and changes of variance 2 (1 - 0.8) 25 = 10."""
    assert moments.ar1(math.sqrt(10), 5) == (pytest.approx(0.8), pytest.approx(3))
    assert moments.ar1(math.sqrt(50), 5) == (pytest.approx(0), pytest.approx(5))  # white noise: 2 sd^2
    assert moments.ar1(9, 5)[0] == 0
    rng = np.random.default_rng(0)
    assert moments.laplace_sd(rng.laplace(scale=math.sqrt(2), size=100_000)) == pytest.approx(2, rel=0.02)


def test_zero_inflated_by_hand() -> None:
    """Half of eight change, at each of two opportunities with chance 1/2: one of them never, two once, one twice."""
    happened = np.array([0, 0, 0, 0, 0, 1, 1, 2])
    assert moments.zero_inflated(happened, np.full(8, 2)) == (pytest.approx(0.5), pytest.approx(0.5))
    # to all of them, once of two: more are touched than any chance would explain
    assert moments.zero_inflated(np.ones(4, np.int64), np.full(4, 2)) == (pytest.approx(1), pytest.approx(0.5))


def test_normal_scores_by_hand() -> None:
    """Ranks in the middle of their quarter; two equal values share the middle of a half."""
    scores = moments.normal_scores(np.array([5.0, 1, 3, 3]))
    assert scores.tolist() == pytest.approx([1.1503494, -1.1503494, 0, 0])


def test_jitter_by_hand() -> None:
    """Starts at 20, 21, 19 and 20 h of four days: gaps off whole days by 1, 2 and 1 h, lower quartile 1."""
    started_s = 3600 * np.array([20.0, 24 + 21, 48 + 19, 72 + 20, 5])
    found, gaps = hours.jitter(started_s, np.array([1, 1, 1, 1, 2]))
    assert (found, gaps) == (pytest.approx(1 / (2 - math.sqrt(3))), 3)
    # u - v is triangular on (-2, 2): half of its lower quartile comes from each side
    u, v = np.random.default_rng(0).uniform(-1, 1, (2, 100_000))
    assert np.quantile(np.abs(u - v), 0.25) == pytest.approx(2 - math.sqrt(3), rel=0.02)


def test_own_hours_are_sharper_than_starts() -> None:
    """Off by an hour either way, half of what belongs to 20 h stays there, and a quarter goes to each side."""
    starts = np.full(24, 0.5)
    starts[[19, 20, 21]] = 3.5, 6.5, 3.5
    own = hours.own_hours(starts, 1.0, rounds=200)
    assert own.sum() == pytest.approx(24)
    assert own[20] > 0.95 * 12.5
    assert max(own[19], own[21]) < 0.5 * 3.5
    assert hours.own_hours(starts, 0.0, rounds=1) == pytest.approx(starts / starts.mean())
