"""The store behind every replay: one ring of slots per viewer.

A slot holds an observation and what was done at it; the successor of a transition is simply the next slot, so an
observation is stored once. A finished episode has *two* observations that no action joins, its true last and the next
one's first: the last stands in a slot without an action. Rows therefore advance at different speeds, and each has its
own write position.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from livedqn.protocols import Batch
from livedqn.replay.memory import require_memory
from livedqn.types import BoolArray, FloatArray, IntArray, LivedqnError, Observation, Spec

NO_ACTION = -1


class Ring:
    """B rings of slots.

    A slot can be sampled ("ready") only if it has an action and its window, up to min(n, the episode's end), is
    complete and not overwritten.

    Args:
        spec: what an observation looks like.
        num_envs: B.
        n_step: n, the length of a window.
        capacity: slots of all rows together; an episode's last observation takes one.

    Raises:
        LivedqnError: it does not fit into this machine's memory, or holds less than a window a row.
    """

    def __init__(self, spec: Spec, num_envs: int, n_step: int, capacity: int) -> None:
        self.n_step = n_step
        self.length = -(-capacity // num_envs)
        if self.length < n_step + 2:
            raise LivedqnError(
                f"replay.capacity={capacity} leaves {self.length} slots to each of {num_envs} rows; a window of "
                f"{n_step} transitions needs {n_step + 2}: raise replay.capacity or lower num_envs"
            )
        shapes: dict[str, tuple[tuple[int, ...], Any]] = {
            "context": (spec.context_shape, spec.context_dtype),
            "mask": ((spec.num_actions,), np.bool_),
        }
        if spec.has_rooms:
            shapes["history"] = ((spec.history_length, len(spec.history)), np.float32)
            shapes["candidates"] = ((spec.num_actions, len(spec.candidates)), np.float32)
        columns = {"action": np.int32, "propensity": np.float32, "reward": np.float32, "discount": np.float32}
        self.bytes_per_slot = sum(int(np.prod(shape)) * np.dtype(dtype).itemsize for shape, dtype in shapes.values())
        self.bytes_per_slot += sum(np.dtype(dtype).itemsize for dtype in columns.values()) + 1
        self.slots = num_envs * self.length
        what = f"replay.capacity={capacity} at {self.bytes_per_slot:,} bytes each"
        require_memory(self.slots * self.bytes_per_slot, what)

        self._observation = {name: np.zeros((self.slots, *shape), dtype) for name, (shape, dtype) in shapes.items()}
        self._action = np.full(self.slots, NO_ACTION, np.int32)
        self._propensity, self._reward, self._discount = (np.zeros(self.slots, np.float32) for _ in range(3))
        self.ready = np.zeros(self.slots, np.bool_)
        self.num_ready = 0
        self._start = np.arange(num_envs) * self.length  # first slot of each row
        self._head = np.full(num_envs, self.length - 1)  # position of the newest observation
        self._filled = np.zeros(num_envs, np.int64)  # slots written in each row
        self._age = np.zeros(num_envs, np.int64)  # transitions of the episode under way

    def begin(self, observation: Observation, rows: BoolArray) -> IntArray:
        """Write the first observation of an episode of ``rows``; returns the slots that were overwritten."""
        self._age[rows] = 0
        return self._advance(observation, np.flatnonzero(rows))

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
        at = self._start + self._head
        if not self._observation["mask"][at, action].all():
            row = int(np.flatnonzero(~self._observation["mask"][at, action])[0])
            raise ValueError(f"action {action[row]} of row {row} is outside its mask")
        self._action[at] = action
        self._propensity[at] = propensity
        self._reward[at] = reward
        self._discount[at] = discount
        overwritten = self._advance(observation, np.arange(len(self._head)))
        self._age += 1
        return overwritten, self._complete(self._age >= self.n_step, self.n_step)

    def end(self, rows: BoolArray) -> IntArray:
        """The newest observation of ``rows`` is their episode's last; returns the slots that this makes ready."""
        parts = [self._complete(rows & (self._age >= back), back) for back in range(1, self.n_step)]
        return np.concatenate(parts) if parts else np.zeros(0, np.int64)

    def sample(self, slots: IntArray, weight: FloatArray) -> Batch:
        """The windows that begin at the ready ``slots`` (N,)."""
        position = slots % self.length
        row_start = slots - position
        slot = slots
        reward = np.zeros((len(slots), self.n_step), np.float32)
        discount = np.ones((len(slots), self.n_step), np.float32)
        for k in range(self.n_step):
            going = self._action[slot] != NO_ACTION  # the window ends at an observation without an action
            reward[:, k] = np.where(going, self._reward[slot], 0)
            discount[:, k] = np.where(going, self._discount[slot], 1)
            position = (position + going) % self.length
            slot = row_start + position
        return Batch(
            {name: array[slots] for name, array in self._observation.items()},
            self._action[slots].astype(np.int64),
            self._propensity[slots],
            reward,
            discount,
            {name: array[slot] for name, array in self._observation.items()},
            weight,
            slots,
        )

    @property
    def used_length(self) -> int:
        """How many positions of a row have been written at most; the others need not be drawn from."""
        return int(self._filled.max())

    def state_dict(self) -> dict[str, Any]:
        """Tensors only; the part of the rings that was never written is left out."""
        used = self.used_length
        state: dict[str, Any] = {"used": used}
        for name, array in self._slot_arrays().items():
            rows = array.reshape(len(self._head), self.length, *array.shape[1:])[:, :used]
            state[name] = torch.from_numpy(np.ascontiguousarray(rows))
        for name in ("_head", "_filled", "_age"):
            state[name] = torch.from_numpy(getattr(self, name).copy())
        return state

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """The inverse of :meth:`state_dict`, into a ring of the same shape."""
        used = int(state["used"])
        for name, array in self._slot_arrays().items():
            rows = array.reshape(len(self._head), self.length, *array.shape[1:])
            rows[:, :used] = state[name].numpy()
        for name in ("_head", "_filled", "_age"):
            getattr(self, name)[:] = state[name].numpy()
        if ((self._head < 0) | (self._head >= self.length)).any():
            raise ValueError("a write position lies outside its ring")
        self.num_ready = int(self.ready.sum())

    def _slot_arrays(self) -> dict[str, Any]:
        own = {name: getattr(self, name) for name in ("_action", "_propensity", "_reward", "_discount", "ready")}
        return own | {f"observation.{name}": array for name, array in self._observation.items()}

    def _advance(self, observation: Observation, rows: IntArray) -> IntArray:
        self._head[rows] = (self._head[rows] + 1) % self.length
        self._filled[rows] = np.minimum(self._filled[rows] + 1, self.length)
        slots: IntArray = (self._start + self._head)[rows]
        for name, array in self._observation.items():
            array[slots] = observation[name][rows]
        self._action[slots] = NO_ACTION
        self.num_ready -= int(self.ready[slots].sum())
        self.ready[slots] = False
        return slots

    def _complete(self, rows: BoolArray, back: int) -> IntArray:
        position = (self._head[rows] - back) % self.length
        slots: IntArray = self._start[rows] + position
        self.num_ready += len(slots)
        self.ready[slots] = True
        return slots
