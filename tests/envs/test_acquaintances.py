"""Whom a viewer remembers, against a dict."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from livedqn.envs.acquaintances import NEVER, REMEMBERED, SLOTS, STRANGER, Acquaintances, forget, meet, place_of


def place(of: Acquaintances, row: int, streamer: int) -> int:
    return int(place_of(streamer, of.places[row], of.known[row]))


STREAMERS = st.one_of(st.integers(1, 5), st.integers(1, 100).map(lambda i: i * SLOTS - 1), st.integers(1, 10**6))


@settings(deadline=None, derandomize=True, database=None)
@given(met=st.lists(STREAMERS, max_size=3 * REMEMBERED))
def test_the_last_ones_met_are_remembered(met: list[int]) -> None:
    of = Acquaintances.empty(2, streamers=10**6)
    order: list[int] = []  # of those in the list, who was met first comes first
    for minutes, streamer in enumerate(met):
        known = of.known[1][meet(1, streamer, of)]
        if streamer in order:
            assert known["affinity_min"] > 0  # it is who was met before
        else:
            assert (known["affinity_min"], known["shown_at"]) == (0, NEVER)
            order.append(streamer)
            order = order[-REMEMBERED:]
        known["affinity_min"] = 1 + minutes
    for streamer in {*met, 7, 10**6 + 1}:
        found = place(of, 1, streamer)
        assert (found != STRANGER) == (streamer in order)
        if found != STRANGER:
            last = len(met) - 1 - met[::-1].index(streamer)
            assert of.known[1][found]["affinity_min"] == 1 + last
    assert not of.met[0] and all(place(of, 0, streamer) == STRANGER for streamer in met)  # rows are their own
    forget(1, of)
    assert all(place(of, 1, streamer) == STRANGER for streamer in met)


def test_a_stranger_is_nobody() -> None:
    of = Acquaintances.empty(1, streamers=3)
    assert of.known.shape == (1, 4)  # no more than there are
    nobody = of.known[0][place(of, 0, 2)]
    assert (nobody["affinity_min"], nobody["shown_at"]) == (0, NEVER)
    assert np.array_equal(of.known[:, 1:]["streamer"], [[0, 0, 0]])
