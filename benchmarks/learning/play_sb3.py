"""Stable-Baselines3's DQN on a game: with published settings where there are some, else with those of our preset."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import gymnasium
import numpy as np
import torch
from stable_baselines3 import DQN
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor
from stable_baselines3.common.utils import LinearSchedule

from benchmarks.learning import episodes
from benchmarks.learning.games import GAMES, Game
from benchmarks.learning.outcome import Outcome
from livedqn.encoders import Conv
from livedqn.types import BoolArray, IntArray, Observation, Spec


class Network(BaseFeaturesExtractor):
    """Our encoder; its policy adds a linear layer to the actions, as ours does."""

    def __init__(self, observation_space: Any, **settings: Any) -> None:
        shape = observation_space.shape
        encoder = Conv(Spec(context=(), context_shape=shape, num_actions=1, context_dtype="bool"), **settings)
        super().__init__(observation_space, encoder.width)
        self.encoder = encoder

    def forward(self, seen: torch.Tensor) -> torch.Tensor:
        """(B, width) of what was seen, which it is given as numbers."""
        return self.encoder({"context": seen})  # type: ignore[no-any-return]


def of_preset(game: Game, steps: int) -> dict[str, Any]:
    """Our preset's numbers under the peer's names; it counts syncs in environment steps, exploration in shares."""
    preset = game.settings
    agent, exploration = preset.agent, preset.exploration
    encoder = {name: tuple(values) for name, values in preset.encoder.items()}
    return {
        "learning_rate": LinearSchedule(agent.learning_rate, agent.learning_rate_end, end_fraction=1.0),
        "batch_size": agent.batch_size, "gamma": agent.discount,
        "n_steps": agent.n_step, "buffer_size": preset.replay.capacity, "learning_starts": agent.warmup_steps,
        "train_freq": agent.steps_per_update, "target_update_interval": agent.sync_every * agent.steps_per_update,
        "exploration_fraction": exploration.steps / preset.steps, "exploration_final_eps": exploration.end,
        "policy_kwargs": {
            "net_arch": [], "features_extractor_class": Network, "features_extractor_kwargs": encoder,
        },
    }  # fmt: skip


class Policy:
    """The model's best actions."""

    def __init__(self, model: DQN) -> None:
        self._model = model

    def reset(self, rows: BoolArray) -> None:
        """Remembers nothing."""

    def __call__(self, observation: Observation) -> IntArray:
        """One action a row, (B,)."""
        return np.asarray(self._model.predict(observation["context"], deterministic=True)[0], np.int64)


def train(name: str, steps: int, seed: int, more: Sequence[str]) -> Outcome:
    """Train on a game."""
    if more:
        raise ValueError(f"{more}: overrides are livedqn's")
    torch.set_num_threads(1)
    game = GAMES[name]
    env = gymnasium.make(episodes.logged(game), **game.kwargs)
    model = DQN("MlpPolicy", env, seed=seed, device="cpu", **(game.published or of_preset(game, steps)))
    cpu, wall = time.process_time(), time.perf_counter()
    model.learn(steps, log_interval=steps)
    taken = time.process_time() - cpu, time.perf_counter() - wall
    return Outcome(Policy(model), model._n_updates, *taken)
