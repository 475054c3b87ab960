"""A batch as tensors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor

from livedqn.protocols import Batch
from livedqn.types import TensorObservation


class Transitions(NamedTuple):
    """A batch as tensors; see :class:`~livedqn.protocols.Batch` for the shapes."""

    observation: TensorObservation
    action: Tensor
    reward: Tensor
    discount: Tensor
    next_observation: TensorObservation
    weight: Tensor

    @classmethod
    def of(cls, batch: Batch, device: torch.device) -> Transitions:
        """``batch`` on ``device``; on a CPU the two share memory."""
        rest = {name: getattr(batch, name) for name in ("action", "reward", "discount", "weight")}
        return cls(
            observation=tensors(batch.observation, device), next_observation=tensors(batch.next_observation, device),
            **tensors(rest, device),
        )  # fmt: skip


def tensor(array: Any, device: torch.device) -> Tensor:
    """A NumPy array on ``device``; on a CPU the two share memory."""
    here = torch.from_numpy(array)
    return here if device.type == "cpu" else here.to(device)


def tensors(arrays: Mapping[str, Any], device: torch.device) -> dict[str, Tensor]:
    """NumPy arrays on ``device``, by name."""
    return {name: tensor(array, device) for name, array in arrays.items()}
