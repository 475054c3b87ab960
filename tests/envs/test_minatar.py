"""MinAtar's games, where the package is installed (it is under the GPL, so no extra of ours brings it unasked)."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from livedqn import checkpoint, cli
from livedqn.envs.gym import gym
from livedqn.testing import check_env
from livedqn.types import Spec

pytestmark = [
    pytest.mark.skipif(find_spec("minatar") is None, reason="needs minatar"),
    pytest.mark.filterwarnings("ignore"),  # what it imports to draw is none of our concern
]


@pytest.mark.parametrize(("game", "channels"), [("Breakout", 4), ("Freeway", 7), ("Seaquest", 10)])
def test_contract(game: str, channels: int) -> None:
    # an action that sticks may be the last one of the episode before, so a seed alone does not say what happens
    check_env(gym(3, id=f"MinAtar/{game}-v1", kwargs={"sticky_action_prob": 0.0}))
    env = gym(3, id=f"MinAtar/{game}-v1")
    assert Spec.of(env).context_shape == (10, 10, channels)
    assert Spec.of(env).context_dtype == "bool"


@pytest.mark.usefixtures("no_pictures")
def test_the_preset_trains(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = [
        "+env=gym", "env.id=MinAtar/Freeway-v1", "+experiment=minatar", "steps=400", "agent.warmup_steps=200",
        "env.kwargs.max_episode_steps=50", "evaluation.points=1", "evaluation.worlds=2", "evaluation.episodes=2",
        "evaluation.validation_episodes=2", f"hydra.run.dir={tmp_path}/run",
    ]  # fmt: skip
    monkeypatch.setattr(sys, "argv", ["livedqn", *words])
    cli.main()
    agent = checkpoint.load(tmp_path / "run" / "policy.ckpt")
    assert agent.online.encoder.channels_last
    seen = {"context": np.zeros((2, 10, 10, 7), np.bool_), "mask": np.ones((2, 3), np.bool_)}
    assert agent.q_values(seen).shape == (1, 2, 3)
