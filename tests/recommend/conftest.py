"""A policy with every kind of column, saved and read back as a run does."""

import pytest
import torch

from livedqn import checkpoint
from livedqn.types import Column, Spec

SPEC = Spec(
    context=(Column("age"), Column("country", "category", cardinality=3)),
    context_shape=(2,),
    num_actions=4,
    history=(Column("real"), Column("watched", "count")),
    history_length=2,
    candidates=(Column("heat", "count", role="heat"), Column("streamer", "id", role="streamer")),
)
GAME = Spec(context=(Column("x"), Column("y")), context_shape=(2,), num_actions=3)


@pytest.fixture(scope="session")
def save_policy(tmp_path_factory):
    def save(spec, encoder="mlp"):
        torch.manual_seed(0)
        config = {"agent": {"plugin": "dqn"}, "encoder": {"plugin": encoder}}
        agent = checkpoint.build_agent(config, spec)
        path = tmp_path_factory.mktemp("policy") / "policy.ckpt"
        checkpoint.save(path, agent, config, steps=1, baselines={}, weights=agent.state_dict())
        return path

    return save


@pytest.fixture(scope="session")
def rooms_policy(save_policy):
    return save_policy(SPEC)


@pytest.fixture
def request_with_rooms():
    return {
        "context": [0.5, 2],
        "history": [[1, 30.0], [0, 0]],
        "candidates": [[0, 0], [10, 7], [1000, 8], [3, 9]],
        "mask": [True, True, False, True],
        "rooms": [0, 70, "eighty", 90],
    }
