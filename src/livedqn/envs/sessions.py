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
        ("bin", np.int64),  # of the timetable, then
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
    ],
    align=True,
)
#: What a viewer remembers of a streamer.
ACQUAINTANCE = np.dtype(
    [
        ("affinity_min", np.float32),  # minutes watched, this session included
        ("shown_at", np.float32),  # the request at which the streamer was last shown
    ]
)


class Sessions(NamedTuple):
    """One session a row: records, and arrays of (B, ...). M streamers, T past impressions of H features.

    A viewer has met few streamers, so ``met`` is looked up first, and who was not met counts as number 0, nobody: a
    request reads some hundred bytes of a row instead of kilobytes, and without a branch.
    """

    ended: BoolArray  # (B,)
    visit: npt.NDArray[Any]  # (B,) records of VISIT
    tags: FloatArray  # (B, topics + 1) float32, visible; column 0 is no topic
    taste: FloatArray  # (B, topics + 1) float32, hidden
    pull: FloatArray  # (B, topics + 1) float32, exp(retrieval_tag tag): how much more of a topic is retrieved
    met: BoolArray  # (B, M + 1), by number of streamer: watched before, or shown in this session
    known: npt.NDArray[Any]  # (B, M + 1) records of ACQUAINTANCE, by number; anything for who was not met
    history: FloatArray  # (B, T, H) float32

    @classmethod
    def empty(cls, num_envs: int, topics: int, streamers: int, history: tuple[int, int]) -> Sessions:
        """Sessions that nobody has begun."""
        # np.record gives a record's fields names in plain Python too, as they have in a kernel
        known = np.zeros((num_envs, streamers + 1), np.dtype((np.record, ACQUAINTANCE)))
        known["shown_at"] = NEVER
        return cls(
            ended=np.zeros(num_envs, np.bool_),
            visit=np.zeros(num_envs, np.dtype((np.record, VISIT))),
            tags=np.zeros((num_envs, topics + 1), np.float32),
            taste=np.zeros((num_envs, topics + 1), np.float32),
            pull=np.ones((num_envs, topics + 1), np.float32),
            met=np.zeros((num_envs, streamers + 1), np.bool_),
            known=known,
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
        records = arrays.pop("visit"), arrays.pop("known")
        return {name: record[name] for record in records for name in record.dtype.names} | arrays


@formula
def known_as(met: BoolArray, streamer: int) -> Any:
    """The number of a streamer in a row's ``known``, given its ``met``; 0 for one whom the viewer has not met."""
    return streamer * np.uint32(met[streamer])  # of a condition the compiler would make a branch
