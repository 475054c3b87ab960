"""Every way in which a request can be wrong is one sentence that says what is expected."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from livedqn.request import conform, observe, parse, room_names
from livedqn.testing import game_spec
from livedqn.types import LivedqnError

from .conftest import GAME, SPEC


def test_an_observation_is_a_batch_of_one(request_with_rooms):
    observation = observe(SPEC, request_with_rooms)
    assert {name: (array.shape, str(array.dtype)) for name, array in observation.items()} == {
        "context": ((1, 2), "float32"),
        "history": ((1, 2, 2), "float32"),
        "candidates": ((1, 4, 2), "float32"),
        "mask": ((1, 4), "bool"),
    }
    np.testing.assert_array_equal(observation["candidates"][0, 2], [1000, 8])
    np.testing.assert_array_equal(observation["mask"][0], [True, True, False, True])


def test_without_a_mask_everything_is_open_whatever_the_number_of_rooms(request_with_rooms):
    del request_with_rooms["mask"]
    request_with_rooms["candidates"] = [[0, 0], *[[5, 6]] * 50]
    assert observe(SPEC, request_with_rooms)["mask"].tolist() == [[True] * 51]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"masks": [1]}, "no such key as masks; an observation has context, history, candidates, mask, rooms"),
        ({"context": [1]}, r"context has shape \(1,\); the policy reads \(2,\)$"),
        ({"context": 3}, r"context has shape \(\)"),
        ({"context": ["a", "b"]}, "context holds something else than numbers"),
        ({"context": [None, 1]}, "context holds something else"),
        ({"context": [10**400, 1]}, "context holds something else"),
        ({"context": [1e300, 1]}, "column age of context is of kind number: it has to be a finite number"),
        ({"context": [0, 3]}, "column country of context is of kind category: it has to be a whole number from 0 to 2"),
        ({"context": [0, 0.5]}, "column country"),
        ({"context": [0, -1]}, "column country"),
        ({"history": [[1, 2]] * 3}, r"history has shape \(3, 2\); the policy reads \(2, 2\)"),
        ({"history": 3}, r"history has shape \(\); the policy reads \(2, 2\)"),
        ({"history": [[1, 2], [1]]}, "history is no array"),
        (
            {"history": [[1, -2], [0, 0]]},
            "column watched of history is of kind count: it has to be a finite number from 0",
        ),
        ({"candidates": []}, r"candidates has shape \(0,\); the policy reads \(K, 2\)"),
        ({"candidates": [[1, 2], [3, 4], [0, 0], [0, 0]]}, "row 0 of candidates"),
        ({"candidates": [[0, 0]] * 3 + [[0, 2**24]]}, "column streamer of candidates is of kind id"),
        ({"mask": [1, 0, 0]}, r"mask has shape \(3,\); the policy reads \(4,\)"),
        ({"mask": [1, 2, 0, 0]}, "mask holds something else than true and false"),
        ({"mask": [False] * 4}, "mask allows no action"),
    ],
)
def test_what_is_wrong_is_said(request_with_rooms, change, sentence):
    with pytest.raises(LivedqnError, match=sentence):
        observe(SPEC, request_with_rooms | change)


def test_where_a_room_always_has_to_be_shown_nothing_is_closed(request_with_rooms):
    must_show = replace(SPEC, has_nothing=False)
    del request_with_rooms["mask"]
    assert observe(must_show, request_with_rooms)["mask"].tolist() == [[False, True, True, True]]
    some = observe(must_show, {**request_with_rooms, "mask": [0, 1, 0, 1]})["mask"]
    assert some.tolist() == [[False, True, False, True]]
    with pytest.raises(LivedqnError, match=r"mask\[0\] is true, but a room always has to be shown"):
        observe(must_show, {**request_with_rooms, "mask": [1, 1, 0, 1]})
    with pytest.raises(LivedqnError, match="mask allows no action; a room always has to be shown, so one at least"):
        observe(must_show, {**request_with_rooms, "mask": [0, 0, 0, 0]})
    with pytest.raises(LivedqnError, match="mask allows no action; a room always has to be shown"):
        observe(must_show, {**request_with_rooms, "candidates": [[0, 0]]})


def test_what_is_missing_is_said():
    with pytest.raises(LivedqnError, match="lacks history, candidates; the policy reads context, history, candidates"):
        observe(SPEC, {"context": [0, 0]})


def test_a_game_has_no_rooms():
    assert observe(GAME, {"context": [1, 2]})["mask"].tolist() == [[True] * 3]
    with pytest.raises(LivedqnError, match="no such key as rooms"):
        observe(GAME, {"context": [1, 2], "rooms": [1, 2, 3]})


def test_whole_numbers_of_an_image_are_bytes():
    spec = replace(game_spec(num_actions=2, context_shape=(2, 3, 3)), context_dtype="uint8")
    image = np.zeros((2, 3, 3), int)
    assert observe(spec, {"context": image.tolist()})["context"].dtype == np.uint8
    assert observe(spec, {"context": (image / 2).tolist()})["context"].dtype == np.float32
    with pytest.raises(LivedqnError, match="from 0 to 255"):
        observe(spec, {"context": (image + 256).tolist()})


@pytest.mark.parametrize("dtype", ["bool", "float32"])
def test_whole_numbers_of_other_images_are_numbers(dtype):
    spec = replace(game_spec(num_actions=2, context_shape=(2, 3, 3)), context_dtype=dtype)
    seen = observe(spec, {"context": np.ones((2, 3, 3), int).tolist()})["context"]
    assert seen.dtype == np.float32
    assert seen.min() == 1


@pytest.mark.parametrize("line", ["", "{", "nonsense", b"\xff\xfe\x00", "[" * 100_000, '{"context": [NaN]}'])
def test_no_json_is_one_sentence(line):
    with pytest.raises(LivedqnError, match="this is no JSON") as caught:
        parse(line)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("line", ["3", "[]", '"context"', "null"])
def test_no_object_is_one_sentence(line):
    with pytest.raises(LivedqnError, match="write one object a line"):
        parse(line)


@pytest.mark.parametrize("rooms", [[1, 2], "abcd", 5, None, [0, 1, 2, [3]], [0, 1, 2, 0.5]])
def test_rooms_are_names(rooms):
    with pytest.raises(LivedqnError, match=r"^rooms "):
        room_names(json.loads(json.dumps({"rooms": rooms})), 4)


def batch(**changed):
    """Two viewers, three candidates."""
    return {
        "context": np.ones((2, 2), np.float32), "history": np.zeros((2, 2, 2), np.float32),
        "candidates": np.zeros((2, 3, 2), np.float32), "mask": np.ones((2, 3), np.bool_), **changed,
    }  # fmt: skip


def test_what_is_as_the_policy_reads_it_is_passed_on_itself():
    given = batch()
    seen = conform(SPEC, given | {"rooms": [1, 2, 3]})
    assert seen.keys() == given.keys()
    assert all(seen[name] is given[name] for name in given)


@pytest.mark.parametrize(
    "changed",
    [
        {"context": np.ones((2, 2))},
        {"context": np.ones((2, 2), int)},
        {"context": [[1, 1], [1, 1]]},
        {"context": torch.ones(2, 2)},
        {"context": np.ones((2, 2), np.float32)[::-1]},
        {"context": np.broadcast_to(np.float32(1), (2, 2))},
        {"mask": np.ones((2, 3), int)},
        {"mask": [[True] * 3] * 2},
    ],
    ids=["float64", "whole", "list", "tensor", "backwards", "read-only", "mask of 1", "mask as a list"],
)
def test_arrays_of_other_types_become_what_the_policy_reads(changed):
    seen = conform(SPEC, batch(**changed))
    for name, array in batch().items():
        assert seen[name].dtype == array.dtype
        assert seen[name].flags.carray
        assert np.array_equal(seen[name], array)


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"context": np.ones(2)}, r"context has shape \(2,\); the policy reads \(B, 2\), a batch, of one viewer too"),
        ({"context": np.ones((2, 5))}, r"context has shape \(2, 5\); the policy reads \(2, 2\)"),
        ({"history": np.ones((2, 2))}, r"history has shape \(2, 2\); the policy reads \(2, 2, 2\)"),
        ({"history": np.ones((1, 2, 2))}, r"history has shape \(1, 2, 2\); the policy reads \(2, 2, 2\)"),
        ({"candidates": np.ones((3, 2))}, r"candidates has shape \(3, 2\); the policy reads \(2, K, 2\)"),
        ({"candidates": np.ones((2, 3, 4))}, r"candidates has shape \(2, 3, 4\); the policy reads \(2, 3, 2\)"),
        ({"mask": np.ones((2, 4))}, r"mask has shape \(2, 4\); the policy reads \(2, 3\)"),
        ({"mask": np.ones(2)}, r"mask has shape \(2,\); the policy reads \(2, 3\)"),
        ({"mask": np.full((2, 3), 0.5)}, "mask holds something else than true and false"),
        ({"context": [["a", "b"]] * 2}, "context holds something else than numbers"),
        ({"context": [[1, 2], [1]]}, "context is no array: its rows differ in length"),
    ],
)
def test_what_is_wrong_with_a_batch_is_said(changed, sentence):
    with pytest.raises(LivedqnError, match=sentence):
        conform(SPEC, batch(**changed))


def test_what_a_batch_lacks_is_said():
    with pytest.raises(LivedqnError, match="lacks history, mask; the policy reads context, history, candidates, mask"):
        conform(SPEC, {"context": np.ones((2, 2)), "candidates": np.zeros((2, 3, 2))})
    with pytest.raises(LivedqnError, match="lacks history, candidates, mask"):
        conform(SPEC, np.ones((2, 2)))


def test_of_a_game_the_bare_array_will_do():
    for given in (np.ones((4, 2)), {"context": np.ones((4, 2))}, {"context": np.ones((4, 2)), "mask": np.ones((4, 3))}):
        seen = conform(GAME, given)
        assert seen["context"].dtype == np.float32
        assert seen["mask"].tolist() == [[True] * 3] * 4
    with pytest.raises(LivedqnError, match=r"context has shape \(2,\); the policy reads \(B, 2\)"):
        conform(GAME, np.ones(2))
    with pytest.raises(LivedqnError, match="mask closes an action of a game"):
        conform(GAME, {"context": np.ones((4, 2)), "mask": np.eye(4, 3)})


def test_whole_numbers_of_an_image_are_its_bytes():
    spec = replace(game_spec(num_actions=2, context_shape=(2, 3, 3)), context_dtype="uint8")
    assert conform(spec, np.full((1, 2, 3, 3), 255))["context"].dtype == np.uint8
    assert conform(spec, np.full((1, 2, 3, 3), 0.5))["context"].dtype == np.float32
    with pytest.raises(LivedqnError, match="from 0 to 255"):
        conform(spec, np.full((1, 2, 3, 3), 256))


def changed(array, place, value):
    """A batch in which viewer 0 has a past impression, the last, and may be shown all rooms, viewer 1 only the first;
    with one value more."""
    whole = batch()
    whole["history"][0, 1, 0] = 1
    whole["mask"][1, 2] = False
    whole[array][place] = value
    return whole


@pytest.mark.parametrize(
    ("array", "place", "value", "sentence"),
    [
        (
            "context",
            (1, 1),
            3,
            "column country of context is of kind category: it has to be a whole number from 0 to 2",
        ),
        ("context", (1, 1), np.nan, "column country"),
        ("context", (0, 0), np.inf, "column age of context is of kind number: it has to be a finite number"),
        ("history", (0, 1, 1), -1, "column watched of history is of kind count: it has to be a finite number from 0"),
        ("candidates", (0, 2, 1), 0.5, "column streamer of candidates is of kind id: it has to be a whole number from"),
        ("candidates", (1, 1, 1), -1, "column streamer of candidates"),
        ("candidates", (1, 0, 0), 1, r"row 0 of candidates stands for \*nothing\* and owes zeros"),
    ],
)
def test_what_a_column_cannot_hold_is_said(array, place, value, sentence):
    with pytest.raises(LivedqnError, match=sentence):
        conform(SPEC, changed(array, place, value))


@pytest.mark.parametrize(("array", "place"), [("history", (0, 0, 1)), ("history", (1, 1)), ("candidates", (1, 2))])
@pytest.mark.parametrize("value", [-1, 0.5, 2**24, np.nan])
def test_what_no_network_sees_may_hold_anything(array, place, value):
    if array == "history" and value in (0.5, 2**24):
        value = -value  # column 0 says that a row is unused
    given = changed(array, place, value)
    assert conform(SPEC, given)[array] is given[array]


def test_without_nothing_there_are_no_candidates():
    empty = {"candidates": np.zeros((2, 0, 2), np.float32), "mask": np.zeros((2, 0), np.bool_)}
    with pytest.raises(LivedqnError, match="row 0 of candidates"):
        conform(SPEC, batch(**empty))


def test_a_request_may_pad_what_is_masked(request_with_rooms):
    request_with_rooms["candidates"][2] = [-1, -1]
    assert observe(SPEC, request_with_rooms)["candidates"][0, 2].tolist() == [-1, -1]


def test_past_impressions_may_be_fewer_than_a_policy_reads(request_with_rooms):
    def history(rows):
        return observe(SPEC, {**request_with_rooms, "history": rows})["history"][0].tolist()

    assert history([]) == [[0, 0], [0, 0]]
    assert history([[1, 30]]) == [[0, 0], [1, 30]]


def test_a_history_that_tells_only_its_length_may_be_left_out(request_with_rooms):
    del request_with_rooms["history"]
    with pytest.raises(LivedqnError, match="lacks history"):
        observe(SPEC, request_with_rooms)
    spec = replace(SPEC, history=SPEC.history[:1])
    assert observe(spec, request_with_rooms)["history"].tolist() == [[[0], [0]]]
