"""Candidate sets cut down to the rooms whose values are asked for: a gradient needs one of twenty."""

from __future__ import annotations

import torch
from torch import Tensor

from livedqn.features import CODES
from livedqn.types import TensorObservation

#: Arrays with a row for every room, as they are seen and as they are transformed.
ROWS = ("candidates", "candidates" + CODES, "mask")


def narrowed(observation: TensorObservation, actions: Tensor) -> tuple[TensorObservation, Tensor]:
    """``observation`` with *nothing* and the rooms ``actions`` (M, N) alone, 1 + M rows.

    Values of these rows are those that they have in the whole set, unless an encoder mixes rooms.

    Returns:
        The observation, and where in it each action stands, (M, N).
    """
    rows = torch.cat([torch.zeros_like(actions[:1]), actions]).T  # (N, 1 + M)
    cut = {
        name: torch.take_along_dim(array, rows if array.dim() == 2 else rows.unsqueeze(-1), dim=1)
        for name, array in observation.items()
        if name in ROWS
    }
    own_row = torch.arange(1, 1 + len(actions), device=actions.device).unsqueeze(-1)
    return {**observation, **cut}, own_row * (actions > 0)  # *nothing* is valued in row 0 alone
