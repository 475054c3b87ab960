"""Prioritised replay (Schaul et al. 2016, https://arxiv.org/abs/1511.05952), its proportional variant."""

from __future__ import annotations

from math import inf
from typing import Any

import numpy as np
import torch

from livedqn.kernel import viewing_kernel
from livedqn.protocols import Batch, Later
from livedqn.replay.ring import Ring
from livedqn.replay.storage import require_memory
from livedqn.replay.sum_tree import SumTree
from livedqn.types import BoolArray, FloatArray, IntArray, LivedqnError, Observation, Spec


class Prioritised:
    """Transitions with a large error are drawn more often; supplied: ``spec, num_envs, n_step``.

    A transition enters with the greatest priority met so far, when its window is complete.

    Args:
        spec: what an observation looks like.
        num_envs: B.
        n_step: transitions in a window.
        capacity: transitions to hold, over all rows (an episode's last observation takes the place of one).
        folder: where they lie, in a file of full size that the run takes away with it; null: in memory, where the
            priorities always are. A resume point still holds a copy of what has been filled.
        alpha: how much priorities count; 0 = uniform.
        beta: how far importance weights correct for it; 1 = fully.
        epsilon: added to every error, so that no transition is lost.
    """

    is_prioritised = True

    def __init__(
        self, spec: Spec, num_envs: int, n_step: int, *, capacity: int = 500_000, folder: str | None = None,
        alpha: float = 0.6, beta: float = 0.6, epsilon: float = 1e-3,
    ) -> None:  # fmt: skip
        if not 0 <= alpha <= 1 or not 0 <= beta <= 1 or not 0 < epsilon < inf:
            raise LivedqnError("replay.alpha and replay.beta lie in [0, 1], and replay.epsilon above 0, and is finite")
        self._ring = Ring(spec, num_envs, n_step, capacity, folder)
        self._tree = SumTree(self._ring.slots)
        tree_bytes = -(-self._tree.nodes.nbytes // self._ring.slots)
        self.bytes_per_transition = self._ring.bytes_per_slot + tree_bytes
        in_memory = self.bytes_per_transition if folder is None else tree_bytes
        require_memory(self._ring.slots * in_memory, f"replay.capacity={capacity}", "lower it")
        self.capacity = self._ring.slots
        self._alpha, self._beta, self._epsilon = float(alpha), float(beta), float(epsilon)  # one type, one compilation
        self._greatest = 1.0

    def __len__(self) -> int:
        return self._ring.num_ready

    def begin(self, observation: Observation, rows: BoolArray) -> None:
        """Write the first observation of an episode of ``rows``."""
        self._tree.set(self._ring.begin(observation, rows), 0.0)

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
        self._tree.set(overwritten, 0.0)
        self._tree.set(completed, self._greatest)

    def end(self, rows: BoolArray) -> None:
        """The newest observation of ``rows`` is their episode's last."""
        self._tree.set(self._ring.end(rows), self._greatest)

    def sample(self, batch_size: int, rng: np.random.Generator) -> Batch:
        """``batch_size`` windows, one from each of as many equal parts of the priorities' sum, valid until the next
        sample.

        Raises:
            ValueError: there is no transition yet.
        """
        arrays = self._ring.batch_arrays(batch_size)
        mass = (np.arange(batch_size) + rng.random(batch_size)) * (self._tree.total / batch_size)
        self._tree.find(mass, arrays.slots)
        importance_weights(self._tree.leaves, arrays.slots, self._beta, arrays.weight)
        return self._ring.gather(arrays)

    def later(self, slots: IntArray) -> Later:
        """What the windows that begin at ``slots`` hold behind their first transition."""
        return self._ring.later(slots)

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


@viewing_kernel
def importance_weights(priority: FloatArray, slots: IntArray, beta: float, weight: FloatArray) -> None:
    """Of ``slots`` (N,), into ``weight`` (N,): (count * probability) ** -beta, divided by the greatest of the batch
    (section 3.4). Count and sum cancel out, and the greatest weight is that of the least priority.
    """
    least = priority[slots].min()
    for i, slot in enumerate(slots):
        weight[i] = (priority[slot] / least) ** -beta
