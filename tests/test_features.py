"""Feature transforms: what they do to each kind of column, and what they leave alone."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from livedqn.features import (
    EMBEDDING_SD,
    EMBEDDING_WIDTH,
    Embeddings,
    Transform,
    dense_spec,
)  # fmt: skip
from livedqn.types import Column, Spec, TensorObservation

SPEC = Spec(
    context=(Column("age"), Column("visits", "count")),
    context_shape=(2,),
    num_actions=3,
    history=(Column("real"), Column("streamer", "id")),
    history_length=2,
    candidates=(
        Column("heat", "count", role="heat"),
        Column("streamer", "id"),
        Column("tag", "category", cardinality=3),
    ),
)


def observation() -> TensorObservation:
    return {
        "context": torch.tensor([[10.0, 0.0], [30.0, math.e - 1]]),
        "history": torch.tensor([[[0.0, 0.0], [1.0, 7.0]], [[0.0, 0.0], [0.0, 0.0]]]),
        "candidates": torch.tensor(
            [[[0, 0, 0], [math.e - 1, 7, 1], [0, 8, 2]], [[0, 0, 0], [math.e**3 - 1, 7, 1], [9e9, 9, 1]]],
        ).float(),
        "mask": torch.tensor([[True, True, True], [True, True, False]]),
    }


def dense_observation() -> TensorObservation:
    transform = Transform(SPEC)
    transform.fit(observation())
    return Embeddings(SPEC)(transform(observation()))


def test_numbers_are_standardised_and_counts_logged_over_valid_rows_only() -> None:
    dense = dense_observation()
    # age: mean 20, deviation 10; visits: log 0 and 1, mean 0.5, deviation 0.5
    assert dense["context"].tolist() == [[-1, -1], [1, 1]]
    # heat: logs 1, 0 and 3 (the masked 9e9 is not counted): mean 4/3, variance (1/9 + 16/9 + 25/9) / 3
    deviation = math.sqrt((1 + 16 + 25) / 27)
    assert dense["candidates"][0, 1, 0].item() == pytest.approx((1 - 4 / 3) / deviation, abs=1e-5)
    assert dense["candidates"][1, 1, 0].item() == pytest.approx((3 - 4 / 3) / deviation, abs=1e-5)


def test_nothing_masked_rows_and_unused_history_stay_exact_zeros() -> None:
    dense = dense_observation()
    assert not dense["candidates"][:, 0].any()
    assert not dense["candidates"][1, 2].any()
    assert not dense["history"][0, 0].any()
    assert not dense["history"][1].any()
    assert dense["history"][0, 1, 0] == 1  # the column that says "a real impression" passes unchanged


def test_columns_of_one_name_share_their_embedding() -> None:
    dense = dense_observation()
    streamer_in_history = dense["history"][0, 1, 1:]
    streamer_of_room = dense["candidates"][0, 1, 1 : 1 + EMBEDDING_WIDTH]
    assert streamer_of_room.any()
    assert torch.equal(streamer_in_history, streamer_of_room)


@pytest.mark.parametrize("name", ["type", "values", "keys", "float", "training", "room.topic", "", "0"])
def test_a_column_may_bear_any_name(name: str) -> None:
    """Also one that is a method of torch's modules, or that torch takes for the path of one."""
    spec = replace(SPEC, candidates=(Column("topic", "category", cardinality=3), Column(name, "id")))
    embeddings = Embeddings(spec)
    seen = observation() | {"candidates": observation()["candidates"][..., 1:].flip(-1)}
    again = Embeddings(spec)
    again.load_state_dict(embeddings.state_dict())
    dense = [one(Transform(spec)(seen))["candidates"] for one in (embeddings, again)]
    assert dense[0].any()
    assert torch.equal(*dense)


def test_the_dense_spec_tells_the_widths() -> None:
    dense, spec = dense_observation(), dense_spec(SPEC)
    for name in ("context", "history", "candidates"):
        assert len(getattr(spec, name)) == dense[name].shape[-1]
    assert spec.column("candidates", "heat") == 0
    assert all(column.kind == "number" for column in spec.candidates)


def test_a_context_of_categories_alone_has_no_number_to_fit() -> None:
    spec = replace(SPEC, context=(Column("position", "category", cardinality=4),), context_shape=(1,))
    transform, seen = Transform(spec), observation() | {"context": torch.tensor([[3.0], [1.0]])}
    transform.fit(seen)
    assert transform(seen)["context"].shape == (2, 0)
    assert Embeddings(spec)(transform(seen))["context"].shape == (2, len(dense_spec(spec).context))


@pytest.mark.parametrize(
    ("constant", "seen_as"), [(0.0, 0), (1.0, 1), (-0.5, -0.5), (3.0, 1), (20_000.1, 1), (-400.0, -1)]
)
def test_a_column_that_never_varies_passes_unchanged_or_as_one(constant: float, seen_as: float) -> None:
    transform = Transform(Spec(context=(Column("one"),), context_shape=(1,), num_actions=2))
    # so many that rounding alone makes a deviation of 0.004 of 20,000.1
    seen = {"context": torch.full((4_096, 1), constant), "mask": torch.ones(4_096, 2, dtype=torch.bool)}
    transform.fit(seen)
    assert transform(seen)["context"].flatten().tolist() == pytest.approx([seen_as] * 4_096, rel=1e-6)
    later = seen | {"context": seen["context"] + 1}  # a day later
    assert float(transform(later)["context"][0, 0]) == pytest.approx(seen_as + 1 / max(abs(constant), 1))


def test_a_streamer_says_little_before_anything_was_learned() -> None:
    ids = next(weight.detach() for weight in Embeddings(SPEC).parameters() if len(weight) > 1_000)
    assert float(ids[1:].std()) == pytest.approx(EMBEDDING_SD, rel=0.05)
    assert not ids[0].any()  # nobody


def test_truth_values_of_an_image_become_0_and_1() -> None:
    spec = Spec(context=(), context_shape=(1, 2, 2), num_actions=2, context_dtype="bool")
    image = torch.tensor([[[[True, False], [False, True]]]])
    seen = Transform(spec)({"context": image, "mask": torch.ones(1, 2, dtype=torch.bool)})
    assert seen["context"].tolist() == [[[[1.0, 0.0], [0.0, 1.0]]]]
