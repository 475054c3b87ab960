"""What an update is shown of a candidate set."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from livedqn.agent import DQN
from livedqn.encoders import MLP
from livedqn.narrowing import narrowed, only
from livedqn.testing import example_observation, example_spec
from livedqn.transitions import LaterTensors, Transitions
from livedqn.types import TensorObservation

SPEC = example_spec()


class Mixing(MLP):
    """As MLP, and says that rooms matter to one another."""

    mixes_rooms = True


def test_nothing_and_the_rooms_asked_for_remain() -> None:
    seen = {
        "context": torch.tensor([[1.0], [2.0]]), "mask": torch.tensor([[True, False, True]] * 2),
        "candidates": torch.tensor([[[0.0], [1], [2]], [[0], [3], [4]]]),
        "candidates_codes": torch.zeros(2, 3, 1).long(),
    }  # fmt: skip
    cut, at = narrowed(seen, torch.tensor([[2, 0], [0, 2]]))  # two estimates ask
    assert cut["candidates"][..., 0].tolist() == [[0, 2, 0], [0, 0, 4]]
    assert cut["mask"].all() and cut["candidates_codes"].shape == (2, 3, 1)
    assert cut["context"] is seen["context"]
    assert at.tolist() == [[1, 0], [0, 2]]


def losses(encoder: Any, batch: Transitions, **switches: Any) -> tuple[Tensor, Tensor, Tensor]:
    torch.manual_seed(0)
    agent = DQN(SPEC, encoder, hidden=8, n_step=2, **switches)
    agent.configure_optimizers()
    learner = agent.learner
    return tuple(learner.gradient(learner.networks, learner.weights.parameters, learner.with_noise(batch)))


def transitions(seed: int, rows: int = 6) -> Transitions:
    generator = torch.Generator().manual_seed(seed)
    seen, inner, following = (example_observation(SPEC, rows, seed + i) for i in range(3))
    action, second = (torch.multinomial(o["mask"].float(), 1, generator=generator)[:, 0] for o in (seen, inner))
    reward, discount, weight = torch.randn(rows, 2, generator=generator), torch.rand(rows, 2), torch.rand(rows)
    later = LaterTensors(inner, second[None], torch.rand(1, rows, generator=generator))
    return Transitions(seen, action, reward, discount, following, weight, later)


def with_masked_rows(observation: TensorObservation, extra: int) -> TensorObservation:
    rows, _, columns = observation["candidates"].shape
    return {
        **observation,
        "candidates": torch.cat([observation["candidates"], torch.full((rows, extra, columns), 7.0)], dim=1),
        "mask": torch.cat([observation["mask"], torch.zeros(rows, extra, dtype=torch.bool)], dim=1),
    }


SWITCHES = st.fixed_dictionaries(
    {
        "double": st.booleans(),
        "dueling": st.booleans(),
        "layer_norm": st.booleans(),
        "ensemble": st.sampled_from([1, 3]),
        "distribution": st.sampled_from(["none", "quantile", "c51"]),
        "munchausen": st.booleans(),
        "atoms": st.sampled_from([2, 5]),
        "cql_alpha": st.sampled_from([0.0, 1.0]),
        "bcq_threshold": st.sampled_from([0.0, 0.9]),
        "noisy": st.booleans(),
        "retrace": st.sampled_from([0.0, 0.7]),
    }
)


@given(SWITCHES, st.integers(0, 2**31))
@settings(max_examples=15, deadline=None)
def test_what_is_learned_does_not_depend_on_whether_an_update_sees_all_rooms(switches, seed) -> None:
    batch = transitions(seed)
    for ours, theirs in zip(*(losses(encoder, batch, **switches) for encoder in (MLP, Mixing)), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)


@given(SWITCHES, st.integers(1, 5), st.integers(0, 2**31))
@settings(max_examples=15, deadline=None)
def test_masked_rows_change_nothing_that_is_learned(switches, extra: int, seed: int) -> None:
    batch = transitions(seed)
    wide = batch._replace(
        observation=with_masked_rows(batch.observation, extra),
        next_observation=with_masked_rows(batch.next_observation, extra),
        later=batch.later._replace(observation=with_masked_rows(batch.later.observation, extra)),
    )
    for encoder in (MLP, Mixing):
        for ours, theirs in zip(*(losses(encoder, one, **switches) for one in (batch, wide)), strict=True):
            torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)


def test_of_lists_that_differ_in_length_the_shorter_are_filled_up_with_what_is_closed() -> None:
    candidates = np.arange(8, dtype=np.float32).reshape(2, 4, 1)
    seen = {"candidates": candidates, "mask": np.ones((2, 4), np.bool_), "context": np.zeros((2, 1), np.float32)}
    asked = np.array([[True, False, True, True], [False, True, False, False]])
    few, rows = only(seen, asked)
    assert rows.tolist() == [[0, 2, 3], [0, 1, 2]]
    assert few["candidates"][..., 0].tolist() == [[0, 2, 3], [4, 5, 6]]
    assert few["mask"].tolist() == [[True, True, True], [False, True, False]]
    assert few["context"] is seen["context"]
    nobody, rows = only(seen, np.array([[True, False, False, False]] * 2))
    assert rows.tolist() == [[0], [0]] and nobody["mask"].tolist() == [[True], [True]]
