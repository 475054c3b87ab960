"""Noisy networks: linear layers that learn how uncertain their weights are, and explore by it (Fortunato et al. 2018,
https://arxiv.org/abs/1706.10295).

A layer keeps no noise. What was drawn is an argument of a forward pass, so an update stays a pure function, eager or
compiled, and whoever gives none (evaluation, serving) computes with the means alone. A propensity that is noted while
a noisy network explores is that of an action given what was drawn.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from livedqn.types import FloatArray


class NoisyLinear(nn.Linear):
    """A linear layer of weights mu + sigma x noise, of which mu and sigma are learned; by itself it computes with mu.

    At first mu lies evenly within 1 / sqrt(inputs) of 0, as in any linear layer of torch, and every sigma is
    ``sigma`` / sqrt(inputs) (section 3.2).

    Args:
        inputs: p.
        outputs: q.
        bias: whether a bias is added, noisy as well.
        sigma: sigma_0.
    """

    def __init__(self, inputs: int, outputs: int, bias: bool = True, *, sigma: float) -> None:
        super().__init__(inputs, outputs, bias)
        first = sigma / math.sqrt(inputs)
        self.weight_sigma = nn.Parameter(torch.full_like(self.weight, first))
        self.bias_sigma = nn.Parameter(torch.full_like(self.bias, first)) if bias else None

    def perturbed(self, noise: Tensor) -> dict[str, Tensor]:
        """Its weight mu + sigma (f(e_q) f(e_p)^T) and bias mu + sigma f(e_q), factorised Gaussian noise (section 3).

        Args:
            noise: f of the independent numbers, (p + q,): factorised, so that it takes so few.
        """
        inner, outer = torch.split(noise, [self.in_features, self.out_features])
        found = {"weight": self.weight + self.weight_sigma * torch.outer(outer, inner)}
        if self.bias_sigma is not None:
            found["bias"] = self.bias + self.bias_sigma * outer
        return found


def noise_size(module: nn.Module) -> int:
    """M, how many numbers :func:`perturbed` takes."""
    return sum(layer.in_features + layer.out_features for _, layer in _layers(module))


def perturbed(module: nn.Module, noise: Tensor) -> dict[str, Tensor]:
    """The parameters of ``module`` that ``noise`` (M,) changes, by name, for ``torch.func.functional_call``."""
    layers = _layers(module)
    parts = torch.split(noise, [layer.in_features + layer.out_features for _, layer in layers])
    return {
        f"{path}.{name}": parameter
        for (path, layer), own in zip(layers, parts, strict=True)
        for name, parameter in layer.perturbed(own).items()
    }


def _layers(module: nn.Module) -> list[tuple[str, NoisyLinear]]:
    return [(path, layer) for path, layer in module.named_modules() if isinstance(layer, NoisyLinear)]


class Noise:
    """Draws noise for a network, from a generator of its own.

    Args:
        size: M, see :func:`noise_size`.
        seed: of the generator.
    """

    def __init__(self, size: int, seed: int) -> None:
        self.size = size
        self._rng = np.random.Generator(np.random.PCG64(seed))

    @classmethod
    def of(cls, module: nn.Module) -> Noise:
        """For ``module``, seeded as its weights are, from torch's generator."""
        return cls(noise_size(module), int(torch.randint(2**62, ())))

    def draw(self, draws: int) -> Tensor:
        """Independent draws, (draws, M), of f(e) = sign(e) sqrt(\\|e\\|), e being standard normal."""
        e: FloatArray = self._rng.standard_normal((draws, self.size), np.float32)
        return torch.from_numpy(np.copysign(np.sqrt(np.abs(e)), e))

    def state_dict(self) -> dict[str, Any]:
        """Plain Python: where the generator stands."""
        return dict(self._rng.bit_generator.state)

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """The inverse of :meth:`state_dict`."""
        self._rng.bit_generator.state = state
