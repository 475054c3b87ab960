"""Prioritised replay (Schaul et al. 2016, https://arxiv.org/abs/1511.05952), its proportional variant."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from livedqn.protocols import Batch
from livedqn.replay.memory import require_memory
from livedqn.replay.ring import Ring
from livedqn.replay.sum_tree import SumTree
from livedqn.types import BoolArray, FloatArray, IntArray, LivedqnError, Observation, Spec


def importance_weights(probability: FloatArray, count: int, beta: float) -> FloatArray:
    """(count * probability) ** -beta, divided by the greatest of the batch (section 3.4): (N,) in (0, 1]."""
    weight = (count * probability) ** -beta
    return np.asarray(weight / weight.max(), np.float32)


class Prioritised:
    """Transitions with a large error are drawn more often; supplied: ``spec, num_envs, n_step``.

    A transition enters with the greatest priority met so far, when its window is complete.

    Args:
        spec: what an observation looks like.
        num_envs: B.
        n_step: transitions in a window.
        capacity: transitions to hold, over all rows (an episode's last observation takes the place of one).
        alpha: how much priorities count; 0 = uniform.
        beta: how far importance weights correct for it; 1 = fully.
        epsilon: added to every error, so that no transition is lost.
    """

    is_prioritised = True

    def __init__(
        self, spec: Spec, num_envs: int, n_step: int, *, capacity: int = 300_000, alpha: float = 0.6, beta: float = 0.6,
        epsilon: float = 1e-3,
    ) -> None:  # fmt: skip
        if not 0 <= alpha <= 1 or not 0 <= beta <= 1 or epsilon <= 0:
            raise LivedqnError("replay.alpha and replay.beta lie in [0, 1], and replay.epsilon above 0")
        self._ring = Ring(spec, num_envs, n_step, capacity)
        self._tree = SumTree(self._ring.slots)
        tree_bytes = -(-self._tree.nbytes // self._ring.slots)
        require_memory(self._ring.slots * (self._ring.bytes_per_slot + tree_bytes), f"replay.capacity={capacity}")
        self.bytes_per_transition = self._ring.bytes_per_slot + tree_bytes
        self.capacity = self._ring.slots
        self._alpha, self._beta, self._epsilon = alpha, beta, epsilon
        self._greatest = 1.0

    def __len__(self) -> int:
        return self._ring.num_ready

    def begin(self, observation: Observation, rows: BoolArray) -> None:
        """Write the first observation of an episode of ``rows``."""
        self._tree.set(self._ring.begin(observation, rows), 0)

    def add(
        self,
        action: IntArray,
        propensity: FloatArray,
        reward: FloatArray,
        discount: FloatArray,
        observation: Observation,
    ) -> None:
        """One transition of every row."""
        overwritten, completed = self._ring.add(action, propensity, reward, discount, observation)
        self._tree.set(overwritten, 0)
        self._tree.set(completed, self._greatest)

    def end(self, rows: BoolArray) -> None:
        """The newest observation of ``rows`` is their episode's last."""
        self._tree.set(self._ring.end(rows), self._greatest)

    def sample(self, batch_size: int, rng: np.random.Generator) -> Batch:
        """``batch_size`` windows, one from each of as many equal parts of the priorities' sum.

        Raises:
            ValueError: there is no transition yet.
        """
        if not self._ring.num_ready:
            raise ValueError("the replay holds no complete transition yet")
        part = self._tree.total / batch_size
        slots = self._tree.find((np.arange(batch_size) + rng.random(batch_size)) * part)
        probability = self._tree.leaves[slots] / self._tree.total
        return self._ring.sample(slots, importance_weights(probability, self._ring.num_ready, self._beta))

    def update_priorities(self, slots: IntArray, td_error: FloatArray) -> None:
        """Priority (|error| + epsilon) ** alpha for ``slots`` (N,), errors (N,)."""
        priority = (np.abs(td_error).astype(np.float64) + self._epsilon) ** self._alpha
        self._greatest = max(self._greatest, float(priority.max()))
        self._tree.set(slots, priority)

    def state_dict(self) -> dict[str, Any]:
        """Tensors and plain Python; of the tree the leaves alone."""
        leaves = torch.from_numpy(self._tree.leaves.copy())
        return {"ring": self._ring.state_dict(), "leaves": leaves, "greatest": self._greatest}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """The inverse of :meth:`state_dict`."""
        self._ring.load_state_dict(state["ring"])
        self._tree.load(state["leaves"].numpy())
        self._greatest = float(state["greatest"])
