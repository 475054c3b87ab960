"""Which of the policies that a run evaluates is kept: the newest that is not clearly worse than the best.

Evaluations say little where returns are heavy-tailed, and the best of several is the luckiest as often as the best; and
they are of the policy before its margin over *nothing* is tuned. So what was learned longest goes before, unless it is
seen to be worse.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from livedqn.evaluate.intervals import paired
from livedqn.types import FloatArray


@dataclass
class Choice:
    """The policy that is kept so far."""

    weights: dict[str, Any] = field(default_factory=dict)
    steps: int = 0  # environment steps after which these were the agent's
    of: int = 0  # evaluations so far
    highest: FloatArray = field(default_factory=lambda: np.zeros(0))  # (W,) returns of the best one, a world each

    def prefers(self, returns: FloatArray) -> bool:
        """Count an evaluation with ``returns`` (W,), a validation world each; whether that policy is to be kept.

        Clearly worse is behind the best by a paired 95 % interval. A single world has none: then the best is kept.
        """
        self.of += 1
        # a run may go on with another number of validation worlds: then it begins anew
        if len(returns) != len(self.highest) or returns.mean() > self.highest.mean():
            self.highest = returns
            return True
        behind = paired(self.highest, returns)
        return behind.n > 1 and behind.low <= 0

    def state_dict(self) -> dict[str, Any]:
        """Tensors and plain Python."""
        return {**vars(self), "highest": torch.from_numpy(self.highest)}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Choice:
        """The inverse of :meth:`state_dict`."""
        return cls(dict(state["weights"]), int(state["steps"]), int(state["of"]), state["highest"].numpy())
