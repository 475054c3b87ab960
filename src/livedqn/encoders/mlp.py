"""A multilayer perceptron over the context and the mean of the history: quick, and hard to beat."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from livedqn.encoders.layers import dense, refuse_images
from livedqn.types import Spec, TensorObservation


class MLP(nn.Module):
    """Dense layers on the context joined to the mean of the real rows of the history, where there is one.

    Args:
        hidden: units of each layer; the last is the width of the state.
    """

    def __init__(self, spec: Spec, *, hidden: tuple[int, ...] = (128, 128)) -> None:
        super().__init__()
        refuse_images("mlp", spec)
        self.reads_history = bool(spec.history)
        self.layers = dense(len(spec.context) + len(spec.history), hidden)
        self.width = hidden[-1]

    def forward(self, observation: TensorObservation) -> Tensor:
        """(B, D) state."""
        inputs = observation["context"]
        if self.reads_history:
            inputs = torch.cat([inputs, _mean_of_real(observation["history"])], dim=-1)
        state: Tensor = self.layers(inputs)
        return state


def _mean_of_real(history: Tensor) -> Tensor:
    """(B, T, H) -> (B, H): the mean over real rows; zeros where there is none. Padding adds nothing, being zeros."""
    count = history[..., 0].sum(dim=1, keepdim=True)
    return history.sum(dim=1) / count.clamp(min=1)
