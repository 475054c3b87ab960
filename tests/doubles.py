"""What stands in for a part of livedqn in several tests; ``pythonpath`` of pyproject.toml has it found."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
from torch import Tensor, nn

from livedqn.actor import Actor
from livedqn.types import FloatArray, Observation, Spec, TensorObservation


class Identity(nn.Module):
    """An encoder without weights: the context is the state, so that values are worked with a pencil."""

    def __init__(self, spec: Spec) -> None:
        super().__init__()
        self.width = spec.context_shape[0]

    def forward(self, observation: TensorObservation) -> Tensor:
        return observation["context"]


class Fixed(Actor):
    """Values of one request that it was told: of E estimates (E, K), and of what comes at once (K,)."""

    def __init__(
        self, q: list[list[float]], immediate: list[float] | None = None, *, shortlist: int | None = 1,
        discount: float = 1.0,
    ) -> None:  # fmt: skip
        super().__init__(SimpleNamespace())  # type: ignore[arg-type]
        self.q, self.immediate, self.discount = q, immediate, discount
        self.shortlist, self.ensemble = shortlist, len(q)

    def q_values(self, observation: Observation) -> FloatArray:
        return np.array(self.q, np.float32)[:, None]

    def myopic_values(self, observation: Observation) -> FloatArray | None:
        return None if self.immediate is None else np.array([self.immediate], np.float32)

    def discount_of(self, elapsed_s: FloatArray) -> FloatArray:
        return np.full(elapsed_s.shape, self.discount, np.float32)
