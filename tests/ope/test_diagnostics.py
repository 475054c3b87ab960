"""What weights leave, and when that is too little."""

import numpy as np
import pytest

from livedqn.ope.diagnostics import effective, overlap, share_of_largest
from livedqn.ope.verdict import why_not


def test_effective_sample_size():
    assert effective(np.ones(10)) == pytest.approx(10)
    assert effective(np.array([0.0, 0, 5])) == pytest.approx(1)
    assert effective(np.array([1.0, 3])) == pytest.approx(16 / 10)
    assert effective(np.zeros(3)) == 0
    assert effective(np.array([1e300, 1e300])) == pytest.approx(2)


def test_share_of_the_largest():
    assert share_of_largest(np.r_[np.ones(99), 99.0]) == pytest.approx(0.5)
    assert share_of_largest(np.array([1.0, 3.0])) == pytest.approx(0.75)  # one at least


@pytest.mark.parametrize(
    ("rho", "weight", "sessions", "viewers", "why"),
    [
        (np.ones(999), np.ones(400), 400, 200, ""),
        (np.ones(999), np.ones(100), 100, 100, "100 sessions of 100 viewers are too few"),
        (np.full(999, 0.1), np.ones(400), 400, 200, "hardly ever shown: ratios have a mean of 0.1"),
        (np.ones(999), np.r_[np.zeros(398), 1.0, 1.0], 400, 200, "2 of 400 sessions count (0.50%, 1% at least)"),
    ],
)
def test_verdict(rho, weight, sessions, viewers, why):
    found = why_not(overlap(rho, weight), sessions, viewers)
    assert why in found
    assert bool(why) == bool(found)
