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
        (np.full(999, 0.1), np.ones(400), 400, 200, 0, "hardly ever shown: ratios have a mean of 0.1"),
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
