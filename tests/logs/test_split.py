"""Viewers held out by a hash."""

import numpy as np
import pytest

from livedqn.logs.split import day_s, held_out, uniform
from livedqn.types import LivedqnError


def test_splitmix_as_published():
    # the first output of SplitMix64 from state 0, as its authors' code gives it, is 0xE220A8397B1DCDAF
    state = np.array([0], np.int64)
    key = 0xE220A8397B1DCDAF
    # viewer 0 of seed 0 is the finaliser of (0 + that output)
    z = key
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) % 2**64
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) % 2**64
    z ^= z >> 31
    assert uniform(state)[0] == (z >> 11) / 2**53


@pytest.mark.parametrize("viewer", [np.arange(200_000), np.arange(200_000) << 40, -np.arange(200_000)])
def test_shares_are_kept_whatever_the_names(viewer):
    out = held_out(viewer, 0.2, seed=3)
    assert abs(out.mean() - 0.2) < 0.005
    assert abs(held_out(viewer, 0.2, seed=4)[out].mean() - 0.2) < 0.01  # another seed, other viewers
    assert not (out & ~held_out(viewer, 0.4, seed=3)).any()


def test_a_viewer_is_the_same_everywhere():
    many = held_out(np.array([5, 7, 5, 9, 7]), 0.5)
    assert many[0] == many[2]
    assert many[1] == many[4]
    assert not held_out(np.arange(9), 0.0).any()
    assert held_out(np.arange(9), 1.0).all()


def test_a_day_begins_at_midnight_utc():
    assert day_s("1970-01-03", "before") == 2 * 24 * 3600
    for wrong in ("soon", "2026-02-30", "1970-01-03T00"):
        with pytest.raises(LivedqnError, match=rf"ope\.since={wrong} is no day; write YYYY-MM-DD"):
            day_s(wrong, "ope.since")
