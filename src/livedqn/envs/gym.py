"""The plugin ``env=gym``: any single Gymnasium environment with discrete actions, many of them side by side."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from gymnasium.wrappers import FlattenObservation, TransformAction

from livedqn.envs import keyed
from livedqn.types import LivedqnError

Environment = gymnasium.Env[Any, Any]


def gym(num_envs: int, *, id: str = "CartPole-v1", kwargs: dict[str, Any] = {}) -> Rows:  # noqa: B006 (never changed)
    """Any Gymnasium environment with discrete actions.

    Observations that are not a Box of rank 1 or 3 are flattened by Gymnasium's own wrapper.

    Args:
        num_envs: how many side by side.
        id: the id with which it is registered; "module:id" imports the module first.
        kwargs: what its constructor takes.

    Raises:
        LivedqnError: no such id, the environment cannot be built so, or its actions are not discrete.
    """
    return Rows([lambda: _single(id, kwargs)] * num_envs)


class Rows(SyncVectorEnv):
    """Environments one after another, never reset unasked.

    Seeds of rows are hashed from the seed: Gymnasium's own, seed + row, would let worlds share episodes.
    """

    def __init__(self, env_fns: list[Any]) -> None:
        super().__init__(env_fns, autoreset_mode=AutoresetMode.DISABLED)

    def reset(self, *, seed: Any = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Start every row, or those of ``options["reset_mask"]``, which may be none."""
        if isinstance(seed, int):
            rows = keyed.key(seed, keyed.Purpose.SESSION, np.arange(self.num_envs))
            seed = [int(row) for row in rows >> np.uint64(33)]
        if options is not None and not np.any(options.get("reset_mask", True)):
            return np.copy(self._observations), {}  # which Gymnasium refuses
        return super().reset(seed=seed, options=None if options is None else dict(options))


def _single(id: str, kwargs: dict[str, Any]) -> Environment:
    try:
        env: Environment = gymnasium.make(id, **kwargs)
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
