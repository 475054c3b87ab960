"""A batch as tensors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor

from livedqn.protocols import Batch, Later
from livedqn.types import TensorObservation


class LaterTensors(NamedTuple):
    """What windows hold behind their first transition, as tensors; see :class:`~livedqn.protocols.Later`."""

    observation: TensorObservation
    action: Tensor
    propensity: Tensor

    @classmethod
    def of(cls, later: Later, device: torch.device) -> LaterTensors:
        """``later`` on ``device``; on a CPU the two share memory."""
        return cls(
            tensors(later.observation, device), tensor(later.action, device), tensor(later.propensity, device)
        )  # fmt: skip


class Transitions(NamedTuple):
    """A batch as tensors: all that an update reads but weights. For shapes see :class:`~livedqn.protocols.Batch`."""

    observation: TensorObservation
    action: Tensor
    reward: Tensor
    discount: Tensor
    next_observation: TensorObservation
    weight: Tensor
    later: LaterTensors | None = None  # where windows are corrected
    noise: Tensor | None = None  # (3, M), drawn for this update, see :meth:`~livedqn.objective.Networks.perturbed`

    @classmethod
    def of(cls, batch: Batch, device: torch.device) -> Transitions:
        """``batch`` on ``device``; on a CPU the two share memory."""
        action, reward, discount, weight = (
            tensor(array, device) for array in (batch.action, batch.reward, batch.discount, batch.weight)
        )
        seen, following = (tensors(of, device) for of in (batch.observation, batch.next_observation))
        return cls(seen, action, reward, discount, following, weight)


class Shared:
    """Batches as tensors, made anew only where they share no memory: a replay fills the same arrays again and again."""

    def __init__(self) -> None:
        self._last: tuple[Batch | None, Transitions | None] = None, None

    def of(self, batch: Batch, later: Later | None, device: torch.device) -> Transitions:
        """``batch`` on ``device``, with what is ``later`` in its windows."""
        batch_seen, transitions = self._last
        if transitions is None or batch is not batch_seen:
            transitions = Transitions.of(batch, device)
            if device.type == "cpu":
                self._last = batch, transitions
        return transitions if later is None else transitions._replace(later=LaterTensors.of(later, device))


def tensor(array: Any, device: torch.device) -> Tensor:
    """A NumPy array on ``device``; on a CPU the two share memory."""
    here = torch.from_numpy(array)
    return here if device.type == "cpu" else here.to(device)


def tensors(arrays: Mapping[str, Any], device: torch.device) -> dict[str, Tensor]:
    """NumPy arrays on ``device``, by name."""
    return {name: tensor(array, device) for name, array in arrays.items()}
