"""What a training is judged by, the same for every contestant: its own episodes, and those of its final policy."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import gymnasium
import numpy as np
from gymnasium.envs.registration import WrapperSpec

from benchmarks.learning.games import Game
from livedqn.config import CapConfig
from livedqn.envs.gym import gym
from livedqn.evaluate.metrics import mean_return
from livedqn.evaluate.play import play
from livedqn.protocols import Policy
from livedqn.rewards import Native
from livedqn.stage import Stage, world_seed

#: Equal parts of a training, for its curve.
POINTS = 20
#: Parts of it at its end that make its training return: the last tenth.
LAST = POINTS // 10
#: The world of the final policy's episodes; no training meets it.
WORLD = 9_990_000
#: Games side by side there.
ROWS = 50


class EpisodeLog(gymnasium.Wrapper[Any, Any, Any, Any]):
    """Notes after how many steps of all environments together an episode ended, and its return.

    An episode that is given up, as livedqn's are where it saves, does not count.
    """

    steps = 0
    ended: list[tuple[int, float]] = []  # noqa: RUF012 (of all instances: that is its purpose)

    def __init__(self, env: gymnasium.Env[Any, Any]) -> None:
        super().__init__(env)
        self._return = 0.0

    @classmethod
    def clear(cls) -> None:
        """A training begins."""
        cls.steps = 0
        cls.ended.clear()

    def reset(self, **kwargs: Any) -> tuple[Any, dict[str, Any]]:
        """Start an episode."""
        self._return = 0.0
        return self.env.reset(**kwargs)

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Pass on."""
        taken = self.env.step(action)
        EpisodeLog.steps += 1
        self._return += float(taken[1])
        if taken[2] or taken[3]:
            EpisodeLog.ended.append((EpisodeLog.steps, self._return))
        return taken


def logged(game: Game) -> str:
    """The id of the same game with an :class:`EpisodeLog` around it."""
    plain = gymnasium.spec(gym(1, id=game.id).envs[0].spec.id)  # type: ignore[union-attr]  # registers it
    name = f"Logged/{plain.name}-v{plain.version}"
    wrapper = WrapperSpec("EpisodeLog", f"{__name__}:EpisodeLog", kwargs={})
    gymnasium.registry[name] = replace(
        plain, id=name, disable_env_checker=True, additional_wrappers=(wrapper,)
    )  # fmt: skip
    return name


def curve(steps: int) -> list[float]:
    """Mean return of the episodes that ended in each part of a training of ``steps``; NaN where none did."""
    parts: list[list[float]] = [[] for _ in range(POINTS)]
    for at, value in EpisodeLog.ended:
        if at <= steps:  # what follows is evaluation
            parts[(at - 1) * POINTS // steps].append(value)
    return [float(np.mean(part)) if part else math.nan for part in parts]


def last_return(steps: int) -> float:
    """Mean return of the episodes that ended in the last tenth."""
    values = [value for at, value in EpisodeLog.ended if steps * (POINTS - LAST) / POINTS < at <= steps]
    return float(np.mean(values)) if values else math.nan


def greedy_return(game: Game, policy: Policy, episodes: int) -> float:
    """Mean return of ``policy`` over episodes that begin alike for everyone."""
    env = gym(min(ROWS, episodes), id=game.id, kwargs=game.kwargs)
    stage = Stage(env, Native(), CapConfig())
    try:
        return mean_return(play(policy, stage, seed=world_seed("test", WORLD), split="test", episodes=episodes))
    finally:
        stage.close()
