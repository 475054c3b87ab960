"""The store behind every replay: one ring of slots per viewer.

A slot holds an observation and what was done at it; the successor of a transition is simply the next slot, so an
observation is stored once. A finished episode has *two* observations that no action joins, its true last and the next
one's first: the last stands in a slot where no window begins. Rows therefore advance at different speeds, and each has
its own write position.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from livedqn.protocols import Batch, Later
from livedqn.replay import ring_kernels
from livedqn.replay.batch import BatchArrays
from livedqn.replay.record import LONGEST_WINDOW, WINDOW, observation_fields, record_type
from livedqn.replay.storage import zeros
from livedqn.types import BoolArray, FloatArray, IntArray, LivedqnError, Observation, Spec


class Ring:
    """B rings of slots.

    A slot can be sampled ("ready") only if it has an action and its window, up to min(n, the episode's end), is
    complete and not overwritten.

    Args:
        spec: what an observation looks like.
        num_envs: B.
        n_step: n, the length of a window.
        capacity: slots of all rows together; an episode's last observation takes one.
        folder: of the file in which they lie; None: in memory.

    Raises:
        LivedqnError: it does not fit into this machine's memory or disk, or holds less than a window a row.
    """

    def __init__(self, spec: Spec, num_envs: int, n_step: int, capacity: int, folder: str | None) -> None:
        self.length = -(-capacity // num_envs)
        if self.length < n_step + 2:
            raise LivedqnError(
                f"replay.capacity={capacity} leaves {self.length} slots to each of {num_envs} rows; a window of "
                f"{n_step} transitions needs {n_step + 2}: raise replay.capacity or lower num_envs"
            )
        if n_step > LONGEST_WINDOW:
            raise LivedqnError(f"agent.n_step={n_step}, but the replay holds windows of {LONGEST_WINDOW} at most")
        self._n_step, self._num_actions = n_step, spec.num_actions
        self._record = record_type(spec)
        self.bytes_per_slot = self._record.itemsize
        self.slots = num_envs * self.length
        what = f"replay.capacity={capacity} at {self.bytes_per_slot:,} bytes each"
        self._records = zeros(self.slots, self._record, folder, what).view(np.uint8).reshape(self.slots, -1)
        self.num_ready = 0
        self._rows = np.zeros((num_envs, 3), np.int64)
        self._rows[:, ring_kernels.HEAD] = self.length - 1

        staged = np.zeros(num_envs, self._record)
        self._staged = staged.view(np.uint8).reshape(num_envs, -1)
        self._staged_step = [staged[name] for name in ("action", "propensity", "reward", "discount")]
        self._staged_observation = {name: staged[name] for name in observation_fields(self._record)}
        self._overwritten = np.zeros(num_envs, np.int64)
        self._completed = np.zeros(num_envs * n_step, np.int64)
        self._arrays: BatchArrays | None = None
        self._later: BatchArrays | None = None

    def begin(self, observation: Observation, rows: BoolArray) -> IntArray:
        """Write the first observation of an episode of ``rows``; returns the slots that were overwritten."""
        beginning = np.flatnonzero(rows)
        for name, field in self._staged_observation.items():
            field[beginning] = observation[name][beginning]
        self.num_ready -= ring_kernels.begin(
            self._records, self._staged, self._rows, self.length, beginning, self._overwritten
        )
        return self._overwritten[: len(beginning)]

    def add(
        self,
        action: IntArray,
        propensity: FloatArray,
        reward: FloatArray,
        discount: FloatArray,
        observation: Observation,
    ) -> tuple[IntArray, IntArray]:
        """One transition of every row; returns the slots overwritten and the slots made ready.

        Raises:
            ValueError: an action lies outside the mask of its observation.
        """
        staged_action, staged_propensity, staged_reward, staged_discount = self._staged_step
        staged_action[...], staged_propensity[...] = action, propensity
        staged_reward[...], staged_discount[...] = reward, discount
        for name, field in self._staged_observation.items():
            field[...] = observation[name]
        wrong, lost, completed = ring_kernels.add(
            self._records, self._staged, self._rows, self.length, self._n_step, self._num_actions,
            self._overwritten, self._completed,
        )  # fmt: skip
        if wrong >= 0:
            raise ValueError(f"action {action[wrong]} of row {wrong} is outside its mask")
        self.num_ready += completed - lost
        return self._overwritten, self._completed[:completed]

    def end(self, rows: BoolArray) -> IntArray:
        """The newest observation of ``rows`` is their episode's last; returns the slots that this makes ready."""
        completed = ring_kernels.end(self._records, self._rows, self.length, self._n_step, rows, self._completed)
        self.num_ready += completed
        return self._completed[:completed]

    def batch_arrays(self, size: int) -> BatchArrays:
        """The arrays of a batch, those of the last one if it was as large.

        Raises:
            ValueError: there is nothing to fill them with.
        """
        if not self.num_ready:
            raise ValueError("the replay holds no complete transition yet")
        if self._arrays is None or len(self._arrays.slots) != size:
            self._arrays = BatchArrays(self._record, size, self._n_step)
        return self._arrays

    def draw(self, slots: IntArray, rng: np.random.Generator) -> None:
        """Fill ``slots`` (N,) with ready ones, drawn with replacement, all equally likely."""
        drawn = 0
        while drawn < len(slots):  # nearly every slot is ready, so drawing again is rare
            chance = rng.random(len(slots) - drawn)
            drawn = ring_kernels.draw(self._records, self._rows, self.length, chance, slots, drawn)

    def gather(self, arrays: BatchArrays) -> Batch:
        """The windows that begin at the ready ``arrays.slots``."""
        ring_kernels.gather(self._records, self.length, *arrays.arrays)
        return arrays.batch

    def later(self, slots: IntArray) -> Later:
        """What the windows that begin at the ready ``slots`` (N,) hold behind their first transition."""
        step, window = np.arange(1, self._n_step)[:, None], self._records[slots, WINDOW]
        place = slots % self.length
        at = slots - place + (place + np.minimum(step, window)) % self.length  # (n - 1, N)
        if self._later is None or len(self._later.slots) != at.size:
            self._later = BatchArrays(self._record, at.size, 1)
        self._later.slots[:] = at.reshape(-1)
        found, is_behind = self.gather(self._later), step >= window
        action = np.where(is_behind, 0, found.action.reshape(at.shape))
        propensity = np.where(is_behind, np.float32(np.inf), found.propensity.reshape(at.shape))
        return Later(found.observation, action, propensity)

    def state_dict(self) -> dict[str, Any]:
        """Tensors only: of each row the slots that were ever written. They share memory with the ring."""
        filled = self._rows[:, ring_kernels.FILLED]
        records = self._records.reshape(len(filled), self.length, -1)
        return {
            "rows": torch.from_numpy(self._rows.copy()),
            "records": [torch.from_numpy(row[:count]) for row, count in zip(records, filled, strict=True)],
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """The inverse of :meth:`state_dict`, into a ring of the same shape."""
        self._rows[:] = state["rows"].numpy()
        head, filled, _ = self._rows.T
        if ((head < 0) | (head >= self.length)).any():
            raise ValueError("a write position lies outside its ring")
        records = self._records.reshape(len(filled), self.length, -1)
        for row, count, saved in zip(records, filled, state["records"], strict=True):
            row[:count] = saved.numpy()
            behind = row[count:, WINDOW]  # of whatever this ring held before; untouched pages of a file stay so
            behind[behind > 0] = 0
        self.num_ready = int(np.count_nonzero(self._records[:, WINDOW]))
