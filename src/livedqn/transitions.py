"""A batch as tensors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor

from livedqn.protocols import Batch
from livedqn.types import TensorObservation


class Transitions(NamedTuple):
    """A batch as tensors: all that an update reads but weights. For shapes see :class:`~livedqn.protocols.Batch`."""

    observation: TensorObservation
    action: Tensor
    reward: Tensor
    discount: Tensor
    next_observation: TensorObservation
    weight: Tensor
    noise: Tensor | None = None  # (3, M), drawn for this update, see :meth:`~livedqn.objective.Networks.perturbed`

    @classmethod
    def of(cls, batch: Batch, device: torch.device) -> Transitions:
        """``batch`` on ``device``; on a CPU the two share memory."""
        rest = {name: getattr(batch, name) for name in ("action", "reward", "discount", "weight")}
        return cls(
            observation=tensors(batch.observation, device), next_observation=tensors(batch.next_observation, device),
            **tensors(rest, device),
        )  # fmt: skip


class Shared:
    """Batches as tensors, made anew only where they share no memory: a replay fills the same arrays again and again."""

    def __init__(self) -> None:
        self._last: tuple[Batch | None, Transitions | None] = None, None

    def of(self, batch: Batch, device: torch.device) -> Transitions:
        """``batch`` on ``device``."""
        batch_seen, transitions = self._last
        if transitions is None or batch is not batch_seen:
            transitions = Transitions.of(batch, device)
            if device.type == "cpu":
                self._last = batch, transitions
        return transitions


def tensor(array: Any, device: torch.device) -> Tensor:
    """A NumPy array on ``device``; on a CPU the two share memory."""
    here = torch.from_numpy(array)
    return here if device.type == "cpu" else here.to(device)


def tensors(arrays: Mapping[str, Any], device: torch.device) -> dict[str, Tensor]:
    """NumPy arrays on ``device``, by name."""
    return {name: tensor(array, device) for name, array in arrays.items()}
