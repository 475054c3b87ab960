import json

import numpy as np
import pytest

from livedqn.join import plain
from livedqn.types import LivedqnError

from .conftest import SPEC, did, shown

IMPRESSION = {
    "kind": "impression", "request": 5, "viewer": "anna", "time_s": 100.5, "context": [20.5, 1],
    "history": [[0, 0, 0], [1, 3, 1]], "candidates": [[0, 0], [2, 700]], "rooms": [None, "r70"], "action": 1,
}  # fmt: skip
CLICK = {"kind": "click", "id": 17, "viewer": "anna", "time_s": 101, "room": "r70"}


def test_an_event_in_json_names_things_as_tables_do():
    read = plain.Reader(SPEC)
    impression, click = read.event(IMPRESSION), read.event(CLICK)
    assert impression.viewer == click.viewer > 2**31
    assert impression.room == click.room != 0
    assert impression.observation["mask"].tolist() == [True, True]
    assert impression.streamers.tolist() == [0, 0]
    assert np.isnan(impression.propensity)
    assert (click.id, click.request, click.amount) == ("17", None, 1.0)


def test_numbers_may_have_a_point_and_text_half_an_emoji():
    read = plain.Reader(SPEC)
    whole = read.event(IMPRESSION | {"viewer": 17, "policy": "p?"})
    other = read.event(IMPRESSION | {"request": 5.0, "viewer": 17.0, "action": 1.0, "policy": json.loads(r'"p\ud83d"')})
    assert plain.event(other) == plain.event(whole)
    assert read.event(CLICK | {"viewer": "17.0"}).viewer == 17
    assert read.event(CLICK | {"viewer": json.loads(r'"a\ud83d"')}).viewer > 2**31


@pytest.mark.parametrize(
    "event",
    [
        shown(3, 2.25),
        shown(4, 1.0, propensity=float("nan"), session=9, native=1.5),
        did("a", "gift", 3.0, 70, amount=0.1),
    ],
)
def test_there_and_back(event):
    written = plain.event(event)
    assert plain.event(plain.Reader(SPEC).event(json.loads(json.dumps(written)))) == written


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        ({}, "the event lacks kind"),
        (CLICK | {"kind": "clik"}, "there is no kind 'clik' of events"),
        ({"kind": ["click"]}, "there is no kind"),
        (CLICK | {"kind": "watch"}, "the watch lacks amount"),
        (CLICK | {"kind": "gift", "amount": -1}, "the amount of a gift is -1.0"),
        (CLICK | {"rom": 3}, "the click has rom; it may have"),
        (CLICK | {"room": None}, "a click names neither request nor room"),
        (CLICK | {"room": 0}, r"names neither request nor room \(0 is none\); name what it belongs to"),
        (IMPRESSION | {"rooms": [None, 0]}, "the room that was shown is 0, the name of nothing; name rooms by other"),
        (CLICK | {"viewer": 1.5}, "viewer holds 1.5; it is a whole number of 64 bits, or text"),
        (CLICK | {"time_s": 1.7e12}, "milliseconds?"),
        (CLICK | {"time_s": "now"}, "time_s is 'now'; it is a number"),
        (CLICK | {"id": ""}, "the click lacks id"),
        (CLICK | {"kind": "gift", "amount": ""}, "amount is ''; it is a number"),
        (CLICK | {"viewer": " "}, "the click lacks viewer"),
        (IMPRESSION | {"request": ""}, "the impression lacks request"),
        (CLICK | {"request": "", "room": ""}, "a click names neither request nor room"),
        ({"kind": "impression"}, "the impression lacks request, viewer, time_s, rooms, action"),
        (IMPRESSION | {"context": [1]}, r"context has shape \(1,\)"),
        (IMPRESSION | {"rooms": [0]}, "rooms are 1, candidates 2"),
        (IMPRESSION | {"action": 2}, "the action 2 is none of the 2 candidates"),
        (IMPRESSION | {"request": -1}, "request -1 is below 0"),
    ],
)
def test_what_is_wrong_is_said(found, sentence):
    with pytest.raises(LivedqnError, match=sentence):
        plain.Reader(SPEC).event(found)
