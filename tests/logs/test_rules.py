from dataclasses import replace

import numpy as np
import pytest

from livedqn.logs import faults
from livedqn.logs.rules import refuse_faults
from livedqn.testing import LOGS_SPEC, example_impressions
from livedqn.types import LivedqnError

MUST_SHOW = replace(LOGS_SPEC, has_nothing=False)


def found(impressions, spec=LOGS_SPEC):
    return {fault.what: fault.rows.nonzero()[0].tolist() for fault in faults(impressions, spec)}


@pytest.mark.parametrize("terminated", [True, False])
def test_what_is_right_has_no_faults(terminated):
    assert found(example_impressions([3, 1, 4], terminated=terminated)) == {}
    assert found(example_impressions([1]).take(slice(0, 0))) == {}


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"propensity": (1, 0.0)}, "the propensity is 0 or less, or above 1"),
        ({"propensity": (1, 1.5)}, "the propensity is 0 or less, or above 1"),
        ({"action": (1, 4)}, "the action was masked, or is none of the candidates"),
        ({"action": (1, -2)}, "the action was masked, or is none of the candidates"),
        ({"observation__context": ((1, 0), np.nan)}, "context.hour is not finite"),
        ({"observation__context": ((1, 1), 4)}, "context.country is none of kind category"),
        ({"observation__context": ((1, 1), 0.5)}, "context.country is none of kind category"),
        ({"observation__candidates": ((1, 0, 1), 3)}, "row 0 of the candidates is not zeros"),
        ({"observation__candidates": ((1, 2, 1), -1)}, "candidates.heat is none of kind count"),
        ({"observation__candidates": ((1, 2, 0), 2**24)}, "candidates.streamer is none of kind id"),
        ({"observation__history": ((1, 1, 2), np.inf)}, "history.clicked is not finite"),
        ({"signals__watch_s": (1, -1)}, "signals.watch_s is impossible"),
        ({"signals__watch_s": (1, np.nan)}, "signals.watch_s is impossible"),
        ({"signals__clicked": (1, 2)}, "signals.clicked is impossible"),
        ({"native": (1, np.nan)}, "native is not finite"),
        ({"time_s": (slice(None), 10**13)}, "time_s is none of 1970 to 2100"),
        ({"elapsed_s": (1, 0)}, "elapsed_s is not above 0"),
        ({"viewer": (1, 7)}, "a session has several viewers"),
        ({"time_s": (slice(1, None), [-60, 0, 60])}, "a session goes back in time"),
        ({"terminated": (0, True)}, "a session goes on behind its end"),
        ({"truncated": (0, True)}, "a session goes on behind its end"),
        ({"time_s": (1, 90)}, "elapsed_s does not lead to the session's next row"),
    ],
)
def test_each_fault_is_found_in_its_row(spoilt, change, what):
    rows = found(spoilt(example_impressions([3]), **change))
    assert 1 in rows[what]


def test_a_masked_action_and_a_single_one(spoilt):
    right = example_impressions([3])
    mask = right.observation["mask"].copy()
    mask[0] = [True, False, False, False]
    wrong = spoilt(right, observation__mask=(0, mask[0]), action=(0, 1), propensity=(0, 0.5))
    assert found(wrong) == {
        "the action was masked, or is none of the candidates": [0],
        "the propensity is below 1 although the mask allows one action alone": [0],
    }
    closed = spoilt(right, observation__mask=((2, 0), False), action=(2, 0))
    assert found(closed)["the mask closes row 0 (nothing)"] == [2]


def test_where_a_room_always_had_to_be_shown_no_mask_allows_nothing(spoilt):
    right = example_impressions([3], has_nothing=False)
    assert found(right, MUST_SHOW) == {}
    assert found(right)["the mask closes row 0 (nothing)"] == [0, 1, 2, 3]
    open_ = spoilt(right, observation__mask=((1, 0), True), propensity=(1, np.nan))
    assert found(open_, MUST_SHOW) == {"the mask allows row 0 (nothing), though the logs say has_nothing=False": [1]}
    silent = spoilt(right, action=(2, 0))
    assert found(silent, MUST_SHOW) == {
        "row 0 (nothing) was chosen, though the logs say has_nothing=False": [2],
        "the action was masked, or is none of the candidates": [2],
    }
    empty = spoilt(right, observation__mask=(3, False))  # the last observation, without action
    assert found(empty, MUST_SHOW) == {"the mask allows no action": [3]}


def test_a_missing_propensity_is_no_fault_but_known(spoilt):
    assert found(spoilt(example_impressions([3]), propensity=(1, np.nan))) == {}


def test_a_session_of_a_last_observation_alone():
    rows = found(example_impressions([2]).take(slice(2, None)))
    assert rows == {"a session begins without an action": [0]}


def test_the_error_says_how_many_where_and_what_to_do(spoilt):
    wrong = spoilt(example_impressions([3], first=5), elapsed_s=(slice(1, 3), 0))
    with pytest.raises(LivedqnError, match=r"not above 0 \(2 rows, the first request 501, row 1\); it is the time"):
        refuse_faults(wrong, LOGS_SPEC)
