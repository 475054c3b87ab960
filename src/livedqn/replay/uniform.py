"""Uniform replay (Lin 1992; Mnih et al. 2015)."""

from __future__ import annotations

from typing import Any

import numpy as np

from livedqn.protocols import Batch, Later
from livedqn.replay.ring import Ring
from livedqn.types import BoolArray, FloatArray, IntArray, Observation, Spec


class Uniform:
    """Every stored transition is equally likely; supplied: ``spec, num_envs, n_step``.

    Args:
        spec: what an observation looks like.
        num_envs: B.
        n_step: transitions in a window.
        capacity: transitions to hold, over all rows (an episode's last observation takes the place of one).
        folder: where they lie, in a file of full size that the run takes away with it; null: in memory. A resume point
            still holds a copy of what has been filled.
    """

    is_prioritised = False

    def __init__(
        self, spec: Spec, num_envs: int, n_step: int, *, capacity: int = 500_000, folder: str | None = None
    ) -> None:
        self._ring = Ring(spec, num_envs, n_step, capacity, folder)
        self.bytes_per_transition = self._ring.bytes_per_slot
        self.capacity = self._ring.slots

    def __len__(self) -> int:
        return self._ring.num_ready

    def begin(self, observation: Observation, rows: BoolArray) -> None:
        """Write the first observation of an episode of ``rows``."""
        self._ring.begin(observation, rows)

    def add(
        self,
        action: IntArray,
        propensity: FloatArray,
        reward: FloatArray,
        discount: FloatArray,
        observation: Observation,
    ) -> None:
        """One transition of every row."""
        self._ring.add(action, propensity, reward, discount, observation)

    def end(self, rows: BoolArray) -> None:
        """The newest observation of ``rows`` is their episode's last."""
        self._ring.end(rows)

    def sample(self, batch_size: int, rng: np.random.Generator) -> Batch:
        """``batch_size`` windows, drawn with replacement, valid until the next sample; every weight is 1.

        Raises:
            ValueError: there is no transition yet.
        """
        arrays = self._ring.batch_arrays(batch_size)
        self._ring.draw(arrays.slots, rng)
        return self._ring.gather(arrays)

    def later(self, slots: IntArray) -> Later:
        """What the windows that begin at ``slots`` hold behind their first transition."""
        return self._ring.later(slots)

    def update_priorities(self, slots: IntArray, td_error: FloatArray) -> None:
        """Nothing: all transitions are alike."""

    def state_dict(self) -> dict[str, Any]:
        """Tensors and plain Python; see :meth:`Ring.state_dict`."""
        return self._ring.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """The inverse of :meth:`state_dict`."""
        self._ring.load_state_dict(state)
