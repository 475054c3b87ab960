"""Replicates: of viewers, the same for everybody, and as wide as they should be."""

import math

import numpy as np
import pytest

from livedqn.ope.bootstrap import Drawn, _counts, freedom, replicates, resampled, tail
from livedqn.ope.terms import Terms


def drawn(values, viewer, seed, count=1_000):
    return replicates(Terms.mean(values).by(viewer), seed, count)


def test_the_interval_of_a_mean():
    rng = np.random.default_rng(0)
    values = rng.normal(3, 2, 5_000)
    found = resampled(Terms.mean(values), np.arange(5_000), seed=1).interval
    assert found.low < values.mean() < found.high
    assert (found.high - found.low) / 2 == pytest.approx(1.96 * 2 / 5_000**0.5, rel=0.1)


def test_who_comes_ten_times_is_one_viewer():
    values = np.repeat(np.random.default_rng(0).normal(0, 1, 300), 10)
    viewer = np.repeat(np.arange(300), 10)
    as_one, alone = (drawn(values, who, seed=1).std() for who in (viewer, np.arange(3_000)))
    assert as_one / alone == pytest.approx(10**0.5, rel=0.15)
    shuffled = np.random.default_rng(1).permutation(3_000)  # in whatever order they stand
    again = drawn(values[shuffled], viewer[shuffled], seed=1)
    np.testing.assert_allclose(again.std(), as_one, rtol=1e-9)


def test_differences_are_paired():
    values = np.random.default_rng(0).normal(0, 1, 2_000)
    one, other = (drawn(v, np.arange(2_000), seed=5) for v in (values, values + 0.1))
    np.testing.assert_allclose(other - one, 0.1, atol=1e-9)


def test_counts_of_many_viewers_are_drawn_once():
    values = np.random.default_rng(0).normal(0, 1, 20_000)  # in twenty blocks
    _counts.cache_clear()
    one, other = (drawn(v, np.arange(20_000), seed=5, count=10) for v in (values, values + 0.1))
    np.testing.assert_allclose(other - one, 0.1, atol=1e-9)
    assert _counts.cache_info().misses == 20


def test_ratios_are_of_sums():
    terms = Terms.ratio(np.array([2.0, 6.0]), np.array([1.0, 2.0]))
    found = replicates(terms, seed=0, count=200)
    # (2 a + 6 b) / (a + 2 b) lies between 2 and 3, and is 0 where nobody was drawn
    assert ((found == 0) | ((found >= 2) & (found <= 3))).all()


def test_what_is_left_out_is_what_student_would():
    assert tail(math.inf) == pytest.approx(0.025)
    # t of 10 and of 30 degrees of freedom, 2.228 and 2.042, is that far out of a normal distribution
    assert tail(10) == pytest.approx(0.01294, rel=0.01)
    assert tail(30) == pytest.approx(0.02057, rel=0.01)
    assert tail(5) > tail(2) > 0


def test_a_variance_is_known_from_as_many_viewers_as_decide():
    # s^2 is 1, 1 and 4: 2 x 6^2 / (18 - 6^2 / 3)
    few = np.array([3.0, *[-1.0] * 3])  # 2 (9 + 3)^2 / (81 + 3 - 12^2 / 4) = 6, of four viewers at most 3
    assert freedom(few) == 3
    many = np.r_[few, np.zeros(4)]  # 2 (9 + 3)^2 / (81 + 3 - 12^2 / 8)
    assert freedom(many) == freedom(1e200 * many) == pytest.approx(288 / 66)
    assert freedom(np.tile([1.0, -1.0], 50)) == 99  # all alike
    assert freedom(np.array([1.0, -1.0])) == freedom(np.ones(1)) == 1
    assert freedom(np.zeros(3)) == math.inf
    assert freedom(np.r_[1.0, np.zeros(999)]) == pytest.approx(2, rel=0.01)  # one alone
    assert freedom(np.random.default_rng(0).normal(size=20_000)) == pytest.approx(20_000, rel=0.05)


def test_the_interval_is_of_the_degrees_of_freedom():
    line = np.linspace(0, 1, 10_001)
    few = Drawn(0.5, line, np.array([3.0, *[-1.0] * 3, *[0.0] * 4]))
    assert (few.interval.low, few.interval.high) == pytest.approx((tail(288 / 66), 1 - tail(288 / 66)), abs=1e-4)
    # of a difference those decide who move one more than the other: here all eight alike
    other = Drawn(0.0, 0 * line, few.moved - np.tile([1.0, -1.0], 4))
    assert few.minus(other).low == pytest.approx(tail(7), abs=1e-4)


def test_a_few_heavy_viewers_widen_an_interval():
    """Where everybody comes once it is that of the plain bootstrap; where few make most visits it is wider."""
    taste = np.random.default_rng(0).normal(0, 1, 400)
    for visits, least, most in ((np.ones(400, int), 1, 1.02), (np.r_[[400] * 4, [1] * 396], 1.15, 2)):
        viewer = np.repeat(np.arange(400), visits)
        found = resampled(Terms.mean(taste[viewer]), viewer, seed=0)
        low, high = np.quantile(found.drawn, [0.025, 0.975])
        assert least <= (found.interval.high - found.interval.low) / (high - low) <= most
