"""The parameters of several networks as one vector: a step of Adam, a norm or a sync is then a single operation."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from livedqn.types import LivedqnError


class Flat:
    """The parameters of ``networks``, laid side by side: ``vector`` (P,), of which every parameter becomes a view.

    Whoever moves a module to another device gives its parameters memory of their own again: build this afterwards.

    Args:
        networks: whose parameters to lay together; on one device.

    Raises:
        LivedqnError: a parameter is not of float32.
    """

    def __init__(self, networks: Sequence[nn.Module]) -> None:
        self.parameters = [p for network in networks for p in network.parameters()]
        self._names = [[name for name, _ in network.named_parameters()] for network in networks]
        self._sizes = [p.numel() for p in self.parameters]
        #: how much of the vector belongs to each network
        self.lengths = [sum(p.numel() for p in network.parameters()) for network in networks]
        if any(p.dtype != torch.float32 for p in self.parameters):
            types = sorted({str(p.dtype).removeprefix("torch.") for p in self.parameters})
            raise LivedqnError(f"the network has parameters of {', '.join(types)}; DQN learns in float32 alone")
        self.vector = self.joined([p.detach() for p in self.parameters])
        for parameter, part in zip(self.parameters, self.views(self.vector), strict=True):
            parameter.data = part

    def joined(self, parts: Sequence[Tensor]) -> Tensor:
        """Tensors shaped as the parameters -> (P,)."""
        return torch.cat([part.reshape(-1) for part in parts])

    def views(self, vector: Tensor) -> list[Tensor]:
        """The parts of ``vector`` (P,), shaped as the parameters."""
        return [part.view_as(p) for part, p in zip(torch.split(vector, self._sizes), self.parameters, strict=True)]

    def named(self, parts: Sequence[Tensor]) -> list[dict[str, Tensor]]:
        """Tensors, one for each parameter, under its name: a dictionary for each network."""
        rest = iter(parts)
        return [{name: next(rest) for name in names} for names in self._names]
