"""Rows of an environment: which of them a reset is of, and the seed of each."""

from __future__ import annotations

from typing import Any

import numpy as np

from livedqn.envs import keyed
from livedqn.types import IntArray


def rows_of(mask: Any, num_envs: int) -> IntArray:
    """The rows that ``options["reset_mask"]`` names, all where there is none.

    Raises:
        ValueError: it is no (num_envs,) bool.
    """
    if mask is None:
        return np.arange(num_envs)
    mask = np.asarray(mask)
    if mask.dtype != np.bool_ or mask.shape != (num_envs,):
        raise ValueError(f"reset_mask is {mask.dtype} {mask.shape}; it must be bool ({num_envs},), True to restart")
    return np.flatnonzero(mask)


def seeds_of(seed: int, num_envs: int) -> list[int]:
    """A seed for each row of the world of ``seed``, hashed: seed + row would let worlds share episodes."""
    keys = keyed.key(seed, keyed.Purpose.SESSION, np.arange(num_envs))
    return [int(row) for row in keys >> np.uint64(33)]
