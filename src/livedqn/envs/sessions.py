"""The state of every row: who is visiting, what they have done so far, and how they feel."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from livedqn.kernel import formula
from livedqn.types import BoolArray, FloatArray

NEVER = np.float32(-1e6)  # a request so long ago that nothing remembers it

AGE_GROUPS, GENDERS = 6, 3

#: What a session holds one number of.
VISIT = np.dtype(
    [
        ("episode", np.int64),  # how many sessions the row began before this one
        ("key", np.uint64),  # of all draws of this session
        ("viewer", np.int64),
        ("time_s", np.float64),  # of the current request
        ("start_s", np.float64),
        ("age_group", np.int64),  # 1 to AGE_GROUPS
        ("gender", np.int64),  # 1 to GENDERS
        ("activity", np.float32),  # past sessions
        ("past_clicks", np.float32),  # visible: share of past impressions with a click
        ("openness", np.float32),  # hidden
        ("patience", np.float32),  # hidden
        ("boredom", np.float32),  # hidden; below 0 = pleased
        ("requests", np.float32),  # answered so far; so are the next five
        ("shown", np.float32),
        ("clicked", np.float32),
        ("watched_min", np.float32),
        ("since_shown", np.float32),  # requests since a room was shown, or since the beginning
        ("ignored", np.float32),  # irrelevant rooms shown since the last good one
        ("ended", np.bool_),
    ],
    align=True,
)


class Sessions(NamedTuple):
    """One session a row: records, and arrays of (B, ...). M streamers, T past impressions of H features.

    Columns of ``met``, ``affinity_min`` and ``shown_at`` are numbers of streamers; number 0 is nobody. Viewers have met
    few, and the latter two hold anything where they have not: so a request reads a few bytes of them, not kilobytes.
    """

    visit: npt.NDArray[Any]  # (B,) records of VISIT
    tags: FloatArray  # (B, topics + 1), visible; column 0 is no topic
    taste: FloatArray  # (B, topics + 1), hidden
    met: BoolArray  # (B, M + 1), streamers watched before or shown in this session
    affinity_min: FloatArray  # (B, M + 1), minutes watched of each streamer, this session included
    shown_at: FloatArray  # (B, M + 1), the request at which each streamer was last shown
    history: FloatArray  # (B, T, H)

    @classmethod
    def empty(cls, num_envs: int, topics: int, streamers: int, history: tuple[int, int]) -> Sessions:
        """Sessions that nobody has begun."""
        # np.record gives a record's fields names in plain Python too, as they have in a kernel
        return cls(
            visit=np.zeros(num_envs, np.dtype((np.record, VISIT))),
            tags=np.zeros((num_envs, topics + 1), np.float32),
            taste=np.zeros((num_envs, topics + 1), np.float32),
            met=np.zeros((num_envs, streamers + 1), np.bool_),
            affinity_min=np.zeros((num_envs, streamers + 1), np.float32),
            shown_at=np.zeros((num_envs, streamers + 1), np.float32),
            history=np.zeros((num_envs, *history), np.float32),
        )

    def state_dict(self) -> dict[str, torch.Tensor]:
        """Tensors, by name; keys as int64, which every serialiser knows."""
        return {n: torch.from_numpy((a.view(np.int64) if n == "key" else a).copy()) for n, a in self._named().items()}

    def load_state_dict(self, state: Mapping[str, torch.Tensor]) -> None:
        """Go on where :meth:`state_dict` was taken, with as many rows."""
        for name, array in self._named().items():
            saved = state[name].numpy()
            if saved.shape != array.shape:
                raise ValueError(f"the saved {name} has shape {saved.shape}, not {array.shape}")
            array[...] = saved.view(np.uint64) if name == "key" else saved

    def _named(self) -> dict[str, npt.NDArray[Any]]:
        """Every array, views: the fields of the records, and the others."""
        arrays = self._asdict()
        visit = arrays.pop("visit")
        return {name: visit[name] for name in VISIT.fields or ()} | arrays


@formula
def minutes_watched(session: Sessions, row: int, streamer: int) -> Any:
    """Minutes that the viewer has watched of a streamer."""
    return session.affinity_min[row, streamer] if session.met[row, streamer] else np.float32(0)


@formula
def last_shown(session: Sessions, row: int, streamer: int) -> Any:
    """The request at which a streamer was last shown."""
    return session.shown_at[row, streamer] if session.met[row, streamer] else NEVER
