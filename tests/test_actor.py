"""How one acts by values: what the policy chooses from, and by how much a room has to be better than *nothing*."""

from __future__ import annotations

import numpy as np
import pytest
from doubles import Fixed

INF = np.inf
#: Of three rooms the first has the greatest value, the second brings most at once.
Q, IMMEDIATE = [0.0, 4.0, 1.0, 3.0], [0.0, 1.0, 2.0, -1.0]


def fixed(q: list[float], immediate: list[float] | None, shortlist: int | None) -> Fixed:
    """Of two estimates, which are the same."""
    return Fixed([q, q], immediate, shortlist=shortlist)


@pytest.mark.parametrize(
    ("shortlist", "left", "action"),
    [(1, [0, -INF, 1, -INF], 2), (2, [0, 4, 1, -INF], 1), (3, Q, 1), (9, Q, 1), (None, Q, 1)],
)
def test_the_policy_chooses_from_what_promises_most_at_once(shortlist, left, action) -> None:
    actor = fixed(Q, IMMEDIATE, shortlist)
    assert actor.policy_values({}).tolist() == [[left], [left]]
    assert actor.q_values({})[0, 0].tolist() == Q  # values stay what they are
    assert actor.act({}).tolist() == [action]


def test_a_margin_below_0_shows_a_room_that_is_worth_less_than_nothing() -> None:
    actor = fixed([2.0, 4.0, 1.0, 3.0], IMMEDIATE, 1)
    assert actor.shown() == "a room that is worth at least 0 more than nothing"
    actor.margin.fill_(-1.5)
    assert actor.act({}).tolist() == [2]
    assert actor.shown() == "a room that is worth at most 1.5 less than nothing"


def test_whether_to_show_the_room_is_for_the_values_to_say() -> None:
    actor = fixed(Q, IMMEDIATE, 1)
    actor.margin.fill_(1.5)  # of 1 minute more than nothing
    assert actor.act({}).tolist() == [0]
    assert fixed([2.0, 4.0, 1.0, 3.0], IMMEDIATE, 1).act({}).tolist() == [0]


def test_what_cannot_be_chosen_takes_no_place_on_the_shortlist() -> None:
    assert fixed([0, 4, -INF, 3], IMMEDIATE, 1).act({}).tolist() == [1]
    assert fixed([0, -INF, -INF, -INF], IMMEDIATE, 1).act({}).tolist() == [0]
    assert fixed([-INF, 4, -INF, 3], IMMEDIATE, 2).policy_values({})[0, 0].tolist() == [-INF, 4, -INF, 3]


def test_where_no_room_is_live_nothing_is_shown() -> None:
    assert fixed([0], [0], 1).act({}).tolist() == [0]


def test_without_expectations_of_what_comes_at_once_all_are_chosen_from() -> None:
    assert fixed(Q, None, 1).act({}).tolist() == [1]
