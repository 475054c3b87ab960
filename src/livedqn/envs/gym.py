"""The plugin ``env=gym``: any single Gymnasium environment with discrete actions, many of them side by side."""

from __future__ import annotations

from importlib.metadata import entry_points
from numbers import Integral
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space, create_empty_array
from gymnasium.wrappers import FlattenObservation, TransformAction

from livedqn.envs.rows import rows_of, seeds_of
from livedqn.types import IntArray, LivedqnError

Environment = gymnasium.Env[Any, Any]


def gym(num_envs: int, *, id: str = "CartPole-v1", kwargs: dict[str, Any] = {}) -> SingleEnvs:  # noqa: B006 (never changed)
    """Any Gymnasium environment with discrete actions.

    Observations that are not a Box of rank 1 or 3 are flattened by Gymnasium's own wrapper.

    Args:
        num_envs: how many side by side.
        id: the id with which it is registered; "module:id" imports the module first. Of "MinAtar/Breakout-v1" the
            package is asked to register its environments that declares MinAtar as an entry point of gymnasium.envs.
        kwargs: what its constructor takes, and ``max_episode_steps``.

    Raises:
        LivedqnError: no such id, the environment cannot be built so, or its actions are not discrete.
    """
    return SingleEnvs([_single(id, kwargs) for _ in range(num_envs)])


class SingleEnvs(VectorEnv[Any, IntArray, Any]):
    """Single environments, one after another, never reset unasked.

    As Gymnasium's ``SyncVectorEnv`` with autoreset disabled, but for a quarter of its time a step, with the reset of no
    row allowed, and with seeds of rows that are hashed from the seed. Arrays are overwritten by the next call.

    Args:
        envs: with one observation space, a Box, and one action space, Discrete.
    """

    def __init__(self, envs: list[Environment]) -> None:
        self.envs, self.num_envs = envs, len(envs)
        self.metadata = {**envs[0].metadata, "autoreset_mode": AutoresetMode.DISABLED, "overwrites": True}
        self.single_observation_space, self.single_action_space = envs[0].observation_space, envs[0].action_space
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)
        self.action_space = batch_space(self.single_action_space, self.num_envs)
        self._observation: Any = create_empty_array(self.single_observation_space, self.num_envs)
        self._reward = np.zeros(self.num_envs)
        self._terminated, self._truncated = np.zeros(self.num_envs, np.bool_), np.zeros(self.num_envs, np.bool_)

    def reset(self, *, seed: Any = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Start every row, or those of ``options["reset_mask"]`` (B,) bool; with one seed, or one a row."""
        options = dict(options or {})
        mask = options.pop("reset_mask", None)
        rows = rows_of(mask, self.num_envs).tolist()
        seeds = self._seeds(seed)
        infos: dict[str, Any] = {}
        for row in rows:
            self._observation[row], info = self.envs[row].reset(seed=seeds[row], options=options or None)
            self._terminated[row] = self._truncated[row] = False
            infos = self._add_info(infos, info, row) if info else infos
        return self._observation, infos

    def _seeds(self, seed: Any) -> list[Any]:
        """One a row."""
        if seed is None:
            return [None] * self.num_envs
        if isinstance(seed, Integral):
            return seeds_of(int(seed), self.num_envs)
        if len(seed) != self.num_envs:
            raise ValueError(f"{len(seed)} seeds for {self.num_envs} rows; give one a row, or one for all")
        return [None if row is None else int(row) for row in seed]

    def step(self, actions: IntArray) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        """Take one action a row, none of which may have ended."""
        infos: dict[str, Any] = {}
        observation, reward, terminated, truncated = self._observation, self._reward, self._terminated, self._truncated
        for row, (env, action) in enumerate(zip(self.envs, actions.tolist(), strict=True)):
            if terminated[row] or truncated[row]:
                raise RuntimeError(f"row {row} has ended; reset it before the next step")
            observation[row], reward[row], terminated[row], truncated[row], info = env.step(action)
            if info:
                infos = self._add_info(infos, info, row)
        return observation, reward, terminated, truncated, infos

    def close_extras(self, **kwargs: Any) -> None:
        """Close every environment."""
        for env in self.envs:
            env.close()


def _single(id: str, kwargs: dict[str, Any]) -> Environment:
    try:
        _register(id)
        env: Environment = gymnasium.make(id, **kwargs)
    except gymnasium.error.NamespaceNotFound as error:
        cure = "pip install the package that brings it (minatar brings MinAtar)"
        raise LivedqnError(f"env gym cannot make id={id!r}: {error} If not, {cure}") from error
    except (gymnasium.error.Error, ImportError, TypeError, ValueError) as error:
        raise LivedqnError(f"env gym cannot make id={id!r}: {' '.join(str(error).split())}") from error
    actions = env.action_space
    if not isinstance(actions, spaces.Discrete):
        raise LivedqnError(f"env gym: {id} has actions {actions}; deep Q-learning chooses among Discrete ones")
    if actions.start != 0:
        first = int(actions.start)
        env = TransformAction(env, lambda action: action + first, spaces.Discrete(int(actions.n)))
    observed = env.observation_space
    is_plain = isinstance(observed, spaces.Box) and len(observed.shape) in (1, 3)
    return env if is_plain else FlattenObservation(env)


def _register(id: str) -> None:
    """Have the environments of the namespace of ``id`` registered, unless they are.

    Gymnasium did so up to 0.29, for every package at once as it was imported; packages still rely on it.
    """
    namespace = id.rpartition("/")[0]
    if not namespace or ":" in namespace or any(spec.namespace == namespace for spec in gymnasium.registry.values()):
        return
    for declared in entry_points(group="gymnasium.envs", name=namespace):
        declared.load()()
