"""The simulator with one viewer, as a plain Gymnasium environment for other libraries."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np

from livedqn.envs.sim import sim
from livedqn.types import Observation


class SingleViewer(gymnasium.Env[Observation, np.int64]):
    """One viewer of ``env=sim``; takes the same settings."""

    def __init__(self, **settings: Any) -> None:
        self._viewers = sim(1, **settings)
        of_many = ("autoreset_mode", "distinct")
        self.metadata = {name: value for name, value in self._viewers.metadata.items() if name not in of_many}
        self.observation_space = self._viewers.single_observation_space
        self.action_space = self._viewers.single_action_space

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Start a session; ``seed`` starts a world, from its beginning."""
        super().reset(seed=seed)
        observation, infos = self._viewers.reset(seed=seed, options=options)
        return _only(observation), _only(infos)

    def step(self, action: np.int64) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """Answer one request."""
        observation, reward, terminated, truncated, infos = self._viewers.step(np.array([action], np.int64))
        return _only(observation), float(reward[0]), bool(terminated[0]), bool(truncated[0]), _only(infos)


def _only(tree: dict[str, Any]) -> dict[str, Any]:
    """The first row of every array."""
    return {name: _only(leaf) if isinstance(leaf, dict) else leaf[0] for name, leaf in tree.items()}
