"""Which rooms are live when, and what everybody can see of them: the rooms of one world as padded arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from livedqn.types import FloatArray, IntArray, LivedqnError

SECONDS_PER_DAY = 86_400


@dataclass(frozen=True)
class Timetable:
    """The live rooms of every time bin, hottest first; W is the largest number of them.

    A place without a room is all zeros. Nothing changes within a bin: what is shown is the newest that is known.
    """

    starts_s: FloatArray  # (bins,) float64, when each bin begins: rising, seconds since a midnight
    end_s: float  # when the last bin is over
    count: IntArray  # (bins,) int64, live rooms
    room: IntArray  # (bins, W) int64, id of the broadcast
    streamer_id: IntArray  # (bins, W) int64, the platform's own id of the streamer
    streamer: IntArray  # (bins, W) int32, the streamer's number from 1: a small id that may be embedded
    topic: IntArray  # (bins, W) int32, from 1
    heat: FloatArray  # (bins, W) float32, viewers now
    started_s: FloatArray  # (bins, W) float64
    ends_s: FloatArray  # (bins, W) float64, not within a bin; nobody is told before
    broadcasts: FloatArray  # (bins, W) float32, the streamer's earlier broadcasts

    @classmethod
    def of(cls, starts_s: FloatArray, end_s: float, entries: Mapping[str, npt.NDArray[Any]]) -> Timetable:
        """Arrange entries, one for each room and each bin in which it is live, in any order.

        Args:
            starts_s: (bins,), when each bin begins.
            end_s: when the last bin is over.
            entries: ``bin`` (N,) int64, and each array of a timetable but ``count``, flat: (N,).
        """
        order = np.lexsort((entries["room"], -entries["heat"], entries["bin"]))
        bin_of = entries["bin"][order]
        count = np.bincount(bin_of, minlength=len(starts_s))
        place = np.arange(len(bin_of)) - (np.cumsum(count) - count)[bin_of]
        arrays = {}
        for name, values in entries.items():
            if name != "bin":
                arrays[name] = np.zeros((len(starts_s), max(1, int(count.max()))), values.dtype)
                arrays[name][bin_of, place] = values[order]
        return cls(starts_s=starts_s, end_s=end_s, count=count, **arrays)

    @property
    def nbytes(self) -> int:
        """Of all arrays."""
        return sum(getattr(self, field.name).nbytes for field in fields(self) if field.name != "end_s")

    def require(self, streamers: int, topics: int) -> None:
        """Look at what is read without a check later on.

        Raises:
            LivedqnError: a streamer's or topic's number is not among so many, or bins do not follow one another.
        """
        live = np.arange(self.room.shape[1]) < self.count[:, None]
        for name, most in (("streamer", streamers), ("topic", topics)):
            numbers = getattr(self, name)[live]
            wrong = (numbers < 1) | (numbers > most)
            if wrong.any():
                raise LivedqnError(
                    f"the timetable has {name} {numbers[wrong][0]}, but the rooms say that there are {most}, numbered "
                    f"from 1; number them so, and give ids of the platform as streamer_id"
                )
        if not (np.diff(self.starts_s) > 0).all() or not self.end_s > self.starts_s[-1]:
            raise LivedqnError("the timetable's bins do not follow one another; starts_s must rise up to below end_s")

    def bin_at(self, time_s: FloatArray) -> IntArray:
        """The bin of each time, (B,) int64; the last one for a time after the end."""
        return np.searchsorted(self.starts_s, time_s, side="right") - 1


class Rooms(Protocol):
    """Where the rooms of a world come from: simulated, or replayed from what really happened."""

    @property
    def topics(self) -> int:
        """How many topics there are, numbered from 1."""
        ...

    @property
    def streamers(self) -> int:
        """How many streamers there are, numbered from 1; the same ones in every world."""
        ...

    @property
    def splits(self) -> tuple[str, ...]:
        """("train", "validation", "test") where these have rooms of their own, else ()."""
        ...

    def timetable(self, seed: int, split: str) -> Timetable:
        """The rooms of the world of ``seed``, and of all ``splits`` where ``split`` is "".

        Called at every start of a world: cache what is slow.
        """
        ...
