"""What stands in for a part of livedqn in several tests; ``pythonpath`` of pyproject.toml has it found."""

from __future__ import annotations

from torch import Tensor, nn

from livedqn.types import Spec, TensorObservation


class Identity(nn.Module):
    """An encoder without weights: the context is the state, so that values are worked with a pencil."""

    def __init__(self, spec: Spec) -> None:
        super().__init__()
        self.width = spec.context_shape[0]

    def forward(self, observation: TensorObservation) -> Tensor:
        return observation["context"]
