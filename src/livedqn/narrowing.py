"""Candidate sets cut down to the rooms whose values are asked for: a gradient takes one of twenty, a list a few."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from livedqn.features import CODES
from livedqn.types import BoolArray, IntArray, Observation, TensorObservation

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


def only(observation: Observation, asked: BoolArray) -> tuple[Observation, IntArray]:
    """``observation`` with *nothing* and the rooms ``asked`` (B, K) alone, as many rows as the longest list takes.

    Returns:
        The observation, whose mask closes what shorter lists leave over, and which action each of its rows is, (B, k).
    """
    longest = int(asked[:, 1:].sum(axis=1).max(initial=0))
    rows = np.pad(np.argsort(~asked[:, 1:], axis=1, kind="stable")[:, :longest] + 1, ((0, 0), (1, 0)))
    cut = {
        name: np.take_along_axis(array, rows if array.ndim == 2 else rows[..., None], axis=1)
        for name, array in {**observation, "mask": asked}.items()
        if name in ROWS
    }
    return {**observation, **cut}, rows
