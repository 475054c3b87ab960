"""The state of every row: who is visiting, what they have done so far, and how they feel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from livedqn.types import BoolArray, FloatArray, IntArray

NEVER = -1e6  # a request so long ago that nothing remembers it

AGE_GROUPS, GENDERS = 6, 3


@dataclass
class Sessions:
    """One session a row; arrays of (B, ...). M streamers, T past impressions of H features.

    Columns of ``affinity_min`` and ``shown_at`` are numbers of streamers; number 0 is nobody.
    """

    episode: IntArray  # int64, how many sessions the row began before this one
    key: npt.NDArray[np.uint64]  # of all draws of this session
    ended: BoolArray

    viewer: IntArray  # int64
    activity: FloatArray  # float32, past sessions
    age_group: IntArray  # int64, 1 to AGE_GROUPS
    gender: IntArray  # int64, 1 to GENDERS
    tags: FloatArray  # (B, topics + 1) float32, visible; column 0 is no topic
    past_clicks: FloatArray  # float32, visible: share of past impressions with a click
    taste: FloatArray  # (B, topics + 1) float32, hidden
    openness: FloatArray  # float32, hidden
    patience: FloatArray  # float32, hidden

    time_s: FloatArray  # float64, of the current request
    start_s: FloatArray  # float64
    affinity_min: FloatArray  # (B, M + 1) float32, minutes watched of each streamer, this session included
    shown_at: FloatArray  # (B, M + 1) float32, the request at which each streamer was last shown
    boredom: FloatArray  # float32, hidden; below 0 = pleased
    requests: FloatArray  # float32, answered so far; so are the next five
    shown: FloatArray
    clicked: FloatArray
    watched_min: FloatArray
    since_shown: FloatArray  # requests since a room was shown, or since the beginning
    ignored: FloatArray  # irrelevant rooms shown since the last good one
    history: FloatArray  # (B, T, H) float32

    @classmethod
    def empty(cls, num_envs: int, topics: int, streamers: int, history: tuple[int, ...]) -> Sessions:
        """Sessions that nobody has begun."""
        widths: dict[str, tuple[int, ...]] = {
            "tags": (topics + 1,), "taste": (topics + 1,), "history": history,
            "affinity_min": (streamers + 1,), "shown_at": (streamers + 1,),
        }  # fmt: skip
        types: dict[str, Any] = {"key": np.uint64, "ended": np.bool_, "time_s": np.float64, "start_s": np.float64}
        types |= dict.fromkeys(("episode", "viewer", "age_group", "gender"), np.int64)
        names = [field.name for field in fields(cls)]
        return cls(**{n: np.zeros((num_envs, *widths.get(n, ())), types.get(n, np.float32)) for n in names})

    def replace(self, rows: IntArray, fresh: Sessions) -> None:
        """Put the sessions of ``fresh``, (n,), into ``rows``, (n,)."""
        for name, array in vars(self).items():
            array[rows] = getattr(fresh, name)

    def state_dict(self) -> dict[str, torch.Tensor]:
        """Tensors, by name; keys as int64, which every serialiser knows."""
        return {n: torch.from_numpy((a.view(np.int64) if n == "key" else a).copy()) for n, a in vars(self).items()}

    def load_state_dict(self, state: Mapping[str, torch.Tensor]) -> None:
        """Go on where :meth:`state_dict` was taken, with as many rows."""
        for name, array in vars(self).items():
            saved = state[name].numpy()
            if saved.shape != array.shape:
                raise ValueError(f"the saved {name} has shape {saved.shape}, not {array.shape}")
            array[...] = saved.view(np.uint64) if name == "key" else saved


def pick(table: FloatArray, columns: IntArray) -> FloatArray:
    """``table`` (B, n) at ``columns`` (B, m) of each row: (B, m). Faster than ``take_along_axis``."""
    picked: FloatArray = table.reshape(-1)[columns + (table.shape[1] * np.arange(len(table)))[:, None]]
    return picked
