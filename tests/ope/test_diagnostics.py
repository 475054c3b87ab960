"""What weights leave, and when that is too little."""

import numpy as np
import pytest

from livedqn.ope.bootstrap import Estimate
from livedqn.ope.diagnostics import effective, overlap, share_of_largest
from livedqn.ope.verdict import impossible, why_not


def test_effective_sample_size():
    assert effective(np.ones(10)) == pytest.approx(10)
    assert effective(np.array([0.0, 0, 5])) == pytest.approx(1)
    assert effective(np.array([1.0, 3])) == pytest.approx(16 / 10)
    assert effective(np.zeros(3)) == 0
    assert effective(np.array([1e300, 1e300])) == pytest.approx(2)


def test_share_of_the_largest():
    assert share_of_largest(np.r_[np.ones(99), 99.0]) == pytest.approx(0.5)
    assert share_of_largest(np.array([1.0, 3.0])) == pytest.approx(0.75)  # one at least
    assert share_of_largest(np.full(2, 1e308)) == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("rho", "weight", "sessions", "viewers", "cut", "why"),
    [
        (np.ones(999), np.ones(400), 400, 200, 80, ""),
        (np.ones(999), np.ones(100), 100, 100, 0, "100 sessions of 100 viewers are too few"),
        (np.full(999, 0.1), np.ones(400), 400, 200, 0, "had no chance in these logs: ratios have a mean of 0.1"),
        (np.r_[np.zeros(400), np.ones(600)], np.ones(400), 400, 200, 0, "ratios have a mean of 0.6"),
        (np.r_[np.zeros(993), np.full(7, 100.0)], np.ones(400), 400, 200, 0, ""),  # a mean of 0.7 +- 0.26
        (np.r_[np.zeros(300), np.full(700, 2.0)], np.ones(400), 400, 200, 0, "propensities are too small: ratios"),
        (np.ones(999), np.r_[np.zeros(398), 1.0, 1.0], 400, 200, 0, "2 of 400 sessions count (0.50%; 30 and 1%"),
        (np.ones(999), np.r_[np.zeros(380), np.ones(20)], 400, 200, 0, "20 of 400 sessions count"),
        (np.ones(999), np.ones(400), 400, 200, 81, "81 of 400 sessions were cut"),
        (np.full(999, 2.0), np.ones(400), 400, 200, 0, "propensities are too small"),
        (np.full(999, np.nan), np.ones(400), 400, 200, 0, "ratios have a mean of nan"),
    ],
)
def test_verdict(rho, weight, sessions, viewers, cut, why):
    found = why_not(overlap(rho, weight), sessions, viewers, cut)
    assert why in found
    assert bool(why) == bool(found)


@pytest.mark.parametrize(
    ("rho", "is_partial", "is_impossible"),
    [
        (np.r_[np.zeros(100), np.ones(900)], True, False),  # 0.9, with a standard error of sqrt(0.09 / 1000) = 0.0095
        (np.r_[np.zeros(100), np.full(900, 1.04)], True, False),
        (np.full(1_000, 0.96), False, False),  # an eighth, noted as 0.13
        (np.full(1_000, 1.04), False, False),
        (np.full(1_000, 1.06), False, True),
        (np.zeros(10), True, False),
        (np.tile([0.0, 2.0], 500), False, False),
        (np.tile([0.0, 1.8], 50), False, False),  # 0.9, with one of 0.09
    ],
)
def test_a_mean_of_ratios_is_one_but_for_rounding_and_luck(rho, is_partial, is_impossible):
    found = overlap(rho, np.ones(10))
    assert (found.is_partial, found.is_impossible) == (is_partial, is_impossible)


@pytest.mark.parametrize(
    ("estimate", "rewards", "why"),
    [
        (Estimate(-2.36, -3.9, -0.87), [0, 5, 1], "is -2.36 [-3.9, -0.87], though no reward in the logs is below 0"),
        (Estimate(0.2, 0.1, 0.3), [0, -1], "is 0.2 [0.1, 0.3], though no reward in the logs is above 0"),
        (Estimate(-0.1, -0.3, 0.1), [0, 5, 1], ""),  # a little above 0 may well be the truth
        (Estimate(-2.36, -3.9, -0.87), [0, 5, -1], ""),
        (Estimate(2, 1, 3), [0, 5, -1], ""),
        (Estimate(0, 0, 0), [], ""),
    ],
)
def test_an_estimate_that_cannot_be_is_no_answer(estimate, rewards, why):
    found = impossible(estimate, np.array(rewards, np.float32))
    assert why in found and bool(why) == bool(found)
