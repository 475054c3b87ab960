"""Whom a viewer remembers, against a list."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from livedqn.envs.acquaintances import NEVER, REMEMBERED, STRANGER, Acquaintances, meet, remembered


@settings(deadline=None, derandomize=True, database=None)
@given(met=st.lists(st.integers(1, 10**6), max_size=3 * REMEMBERED, unique=True))
def test_the_last_ones_met_are_remembered(met: list[int]) -> None:
    of = Acquaintances.empty(2, streamers=10**6)
    for minutes, streamer in enumerate(met):
        place = meet(1, streamer, of)
        known = of.known[1][place]
        assert place != STRANGER and known["streamer"] == streamer
        assert (known["affinity_min"], known["shown_at"]) == (0, NEVER)  # whoever was there before
        known["affinity_min"] = 1 + minutes
    found = of.known[1][1 : 1 + remembered(1, of)]
    last = met[-REMEMBERED:]
    assert sorted(found["streamer"]) == sorted(last)
    expected = {streamer: 1 + met.index(streamer) for streamer in last}
    assert dict(zip(found["streamer"].tolist(), found["affinity_min"].tolist(), strict=True)) == expected
    assert remembered(0, of) == 0  # rows are their own


def test_a_stranger_is_nobody() -> None:
    of = Acquaintances.empty(1, streamers=3)
    assert of.known.shape == (1, 4)  # no more than there are
    nobody = of.known[0][STRANGER]
    assert (nobody["affinity_min"], nobody["shown_at"]) == (0, NEVER)
    assert np.array_equal(of.known[:, 1:]["streamer"], [[0, 0, 0]])
