"""The state of every row: who is visiting, what they have done so far, and how they feel.

A row is a session on the platform: one visit, or where viewers come back visit after visit of one viewer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from livedqn.envs.acquaintances import Acquaintances
from livedqn.types import BoolArray, FloatArray, IntArray

AGE_GROUPS, GENDERS = 6, 3

#: What a session holds one number of.
VISIT = np.dtype(
    [
        ("episode", np.int64),  # how many episodes the row began before this one
        ("key", np.uint64),  # of all draws of this episode
        ("viewer", np.int64),
        ("time_s", np.float64),  # of the current request
        ("bin", np.int64),  # of the timetable, then
        ("start_s", np.float64),  # of the visit
        ("home_s", np.float64),  # start of the first visit, whose hour is the viewer's own
        ("age_group", np.int64),  # 1 to AGE_GROUPS
        ("gender", np.int64),  # 1 to GENDERS
        ("activity", np.float32),  # past sessions
        # answered in all visits, and what absences count for: what fades goes by it
        ("past_requests", np.float32),
        ("past_clicks", np.float32),  # visible: share of past impressions with a click
        ("openness", np.float32),  # hidden
        ("patience", np.float32),  # hidden
        ("generosity", np.float32),  # hidden: ln of how much more than others the viewer gives
        ("boredom", np.float32),  # hidden; below 0 = pleased
        ("requests", np.float32),  # answered in this visit; so are the next five
        ("shown", np.float32),
        ("clicked", np.float32),
        ("watched_min", np.float32),
        ("since_shown", np.float32),  # requests since a room was shown, or since the beginning
        ("ignored", np.float32),  # irrelevant rooms shown since the last good one
    ],
    align=True,
)
#: Of each topic: how much the viewer likes it (hidden), what their visible tag says of that, and how much more of it
#: is retrieved for them, exp(retrieval_tag tag).
TASTE, VISIBLE, PULL = range(3)


class Sessions(NamedTuple):
    """One viewer a row: records, and arrays of (B, ...). T past impressions of H features."""

    ended: BoolArray  # (B,)
    left: BoolArray  # (B,), ended because the viewer is gone: nothing is retrieved for whoever is not there
    visit: npt.NDArray[Any]  # (B,) records of VISIT
    tastes: FloatArray  # (B, 3, topics + 1) float32: TASTE, VISIBLE, PULL; column 0 is no topic
    history: FloatArray  # (B, T, H) float32
    arrives_s: FloatArray  # (B, T) float64, when the gift of each impression of the history arrives
    acquaintances: Acquaintances

    @classmethod
    def empty(cls, num_envs: int, topics: int, streamers: int, history: tuple[int, int]) -> Sessions:
        """Sessions that nobody has begun."""
        return cls(
            ended=np.zeros(num_envs, np.bool_),
            left=np.zeros(num_envs, np.bool_),
            visit=np.zeros(num_envs, np.dtype((np.record, VISIT))),
            tastes=np.zeros((num_envs, 3, topics + 1), np.float32),
            history=np.zeros((num_envs, *history), np.float32),
            arrives_s=np.zeros((num_envs, history[0])),
            acquaintances=Acquaintances.empty(num_envs, streamers),
        )

    def copy(self, other: Sessions, rows: IntArray) -> None:
        """Become ``rows`` (B,) of ``other``, whose history may be the longer: its newest impressions count."""
        newest = slice(-self.history.shape[1], None)
        theirs = other._replace(history=other.history[:, newest], arrives_s=other.arrives_s[:, newest])
        for mine, original in zip(self._arrays(), theirs._arrays(), strict=True):
            np.take(original, rows, axis=0, out=mine, mode="clip")

    @property
    def nbytes(self) -> int:
        """Memory of all rows."""
        return sum(array.nbytes for array in self._named().values())

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

    def _arrays(self) -> list[npt.NDArray[Any]]:
        *own, acquaintances = self
        return [*own, *acquaintances]

    def _named(self) -> dict[str, npt.NDArray[Any]]:
        """Every array, views: the fields of the records, and the others."""
        arrays: dict[str, Any] = {**self._asdict(), **self.acquaintances._asdict()}
        del arrays["acquaintances"]
        records = arrays.pop("visit"), arrays.pop("known")
        return {name: record[name] for record in records for name in record.dtype.names} | arrays
