"""What every module speaks in."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from gymnasium import spaces

from livedqn.types import Column, LivedqnError, Spec, first_line, within

SPEC = Spec(
    context=(Column("lang", "category", cardinality=3),), context_shape=(1,), num_actions=4,
    history=(Column("real"), Column("streamer", "id")), history_length=2,
    candidates=(Column("streamer", "id", role="streamer"), Column("heat", "count", role="heat")),
)  # fmt: skip


@pytest.mark.parametrize(
    ("error", "line"),
    [(ValueError("\n one\ntwo"), "one"), (OSError(), "OSError"), (OSError("a" * 300), "a" * 200)],
)
def test_an_errors_first_line_is_a_line_whatever_it_holds(error, line) -> None:
    assert first_line(error) == line


@pytest.mark.parametrize(
    ("column", "says"),
    [
        (Column("lang", "category", cardinality=4), "'lang' is a category of 3 in context and a category of 4 in cand"),
        (Column("lang", "id"), "'lang' is a category of 3 in context and an id in candidates"),
        (Column("heat", "count", role="haet"), "candidates column 'heat' has role 'haet'; choose heat, streamer, age"),
        (Column("hour", role="hour"), "candidates column 'hour' has role 'hour'"),
    ],
)
def test_columns_that_do_not_go_together_are_refused(column: Column, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        replace(SPEC, candidates=(column,))


def test_numbers_of_one_name_are_no_embedding_and_ids_have_no_cardinality() -> None:
    replace(SPEC, candidates=(Column("real", "count"), Column("lang"), Column("streamer", "id", cardinality=9)))


@pytest.mark.parametrize(
    ("column", "good", "bad", "owed"),
    [
        (Column("x"), [-3e38, 0.5], [np.nan, np.inf, -np.inf], "a finite number"),
        (Column("x", "count"), [0, 0.5, 3e38], [-1e-3, np.nan, np.inf], "a finite number from 0"),
        (Column("x", "category", cardinality=3), [0, 1, 2], [3, -1, 0.5, np.nan], "a whole number from 0 to 2"),
        (Column("x", "id"), [0, 2**24 - 1], [2**24, -1, 1.5, np.inf], "a whole number from 0 to 16777215"),
    ],
)
def test_what_a_column_of_each_kind_holds(column: Column, good: list[float], bad: list[float], owed: str) -> None:
    assert within(np.array(good, np.float32), column.limits).all()
    assert not within(np.array(bad, np.float32), column.limits).any()
    assert column.owed == owed


def test_limits_of_columns_beside_one_another() -> None:
    rows = np.array([[2**24, 2**24], [0.5, 0.5], [3, -1]], np.float32)
    assert within(rows, SPEC.limits["candidates"]).tolist() == [[False, True], [False, True], [True, False]]


def test_the_shapes_of_an_observation() -> None:
    assert SPEC.shapes(7) == {"context": (1,), "history": (2, 2), "candidates": (7, 2), "mask": (7,)}
    game = Spec(context=(), context_shape=(4, 4, 1), num_actions=3)
    assert game.shapes("K") == {"context": (4, 4, 1), "mask": (3,)}


def test_a_file_with_a_role_that_nobody_knows_is_read_as_having_none() -> None:
    state = SPEC.to_dict()
    assert Spec.from_dict(state) == SPEC
    state["candidates"][1]["role"] = "price"
    assert Spec.from_dict(state).candidates[1] == replace(SPEC.candidates[1], role="")
    del state["candidates"][1]["role"]
    assert Spec.from_dict(state).candidates[1] == replace(SPEC.candidates[1], role="")


def env(actions: spaces.Space[Any], **columns: Any) -> SimpleNamespace:
    """What a specification is made of."""
    box, names = spaces.Box, {"context": ["hour"], "history": ["real"], "candidates": ["heat"]}
    named = {array: [{"name": name} for name in of] for array, of in names.items()} | columns
    return SimpleNamespace(
        metadata={"columns": named}, single_action_space=actions,
        single_observation_space=spaces.Dict(
            context=box(0, 9, (1,)), history=box(0, 9, (2, 1)), candidates=box(0, 9, (3, 1)),
            mask=box(0, 1, (3,), np.bool_),
        ),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        ({"candidates": [{"name": "heat", "role": "haet"}]}, r"metadata\['columns'\] cannot be: .* has role 'haet'"),
        ({"candidates": [{"name": "heat", "kind": "cuont"}]}, "has kind 'cuont'; choose one of number, count"),
        ({"candidates": [{"name": "heat", "units": "viewers"}]}, "unexpected keyword argument 'units'"),
        ({"candidates": []}, "names 0 columns of 'candidates', whose space has 1"),
    ],
)
def test_what_an_environment_says_of_its_columns_is_looked_at(columns: dict[str, Any], says: str) -> None:
    assert Spec.of(env(spaces.Discrete(3))).has_rooms
    with pytest.raises(LivedqnError, match=says):
        Spec.of(env(spaces.Discrete(3), **columns))


@pytest.mark.parametrize(
    ("actions", "says"),
    [
        (spaces.Discrete(3, start=1), r"are Discrete\(3, start=1\); it owes Discrete\(3\), from 0"),
        (spaces.MultiBinary(3), r"are MultiBinary\(3\); deep Q-learning chooses among Discrete"),
    ],
)
def test_actions_are_numbered_from_0(actions: spaces.Space[Any], says: str) -> None:
    with pytest.raises(LivedqnError, match=says):
        Spec.of(env(actions))
