"""Replicates: of viewers, the same for everybody, and as wide as they should be."""

import numpy as np
import pytest

from livedqn.ope.bootstrap import _counts, estimate, replicates
from livedqn.ope.terms import Terms


def test_the_interval_of_a_mean():
    rng = np.random.default_rng(0)
    values = rng.normal(3, 2, 5_000)
    drawn = replicates(Terms.mean(values), np.arange(5_000), seed=1).sum(axis=1)
    found = estimate(float(values.mean()), drawn)
    assert found.low < values.mean() < found.high
    assert (found.high - found.low) / 2 == pytest.approx(1.96 * 2 / 5_000**0.5, rel=0.1)


def test_who_comes_ten_times_is_one_viewer():
    values = np.repeat(np.random.default_rng(0).normal(0, 1, 300), 10)
    viewer = np.repeat(np.arange(300), 10)
    as_one, alone = (replicates(Terms.mean(values), who, seed=1).std() for who in (viewer, np.arange(3_000)))
    assert as_one / alone == pytest.approx(10**0.5, rel=0.15)
    shuffled = np.random.default_rng(1).permutation(3_000)  # in whatever order they stand
    again = replicates(Terms.mean(values[shuffled]), viewer[shuffled], seed=1)
    np.testing.assert_allclose(again.std(), as_one, rtol=1e-9)


def test_differences_are_paired():
    values = np.random.default_rng(0).normal(0, 1, 2_000)
    one, other = (replicates(Terms.mean(v), np.arange(2_000), seed=5) for v in (values, values + 0.1))
    np.testing.assert_allclose(other - one, 0.1, atol=1e-9)


def test_counts_of_many_viewers_are_drawn_once():
    values = np.random.default_rng(0).normal(0, 1, 20_000)  # in twenty blocks
    _counts.cache_clear()
    one, other = (replicates(Terms.mean(v), np.arange(20_000), seed=5, count=10) for v in (values, values + 0.1))
    np.testing.assert_allclose(other - one, 0.1, atol=1e-9)
    assert _counts.cache_info().misses == 20


def test_ratios_are_of_sums():
    terms = Terms.ratio(np.array([2.0, 6.0]), np.array([1.0, 2.0]))
    drawn = replicates(terms, np.array([0, 1]), seed=0, count=200)
    # (2 a + 6 b) / (a + 2 b) lies between 2 and 3, and is 0 where nobody was drawn
    assert ((drawn == 0) | ((drawn >= 2) & (drawn <= 3))).all()
