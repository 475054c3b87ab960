"""The timetable of a world as kernels read it: what is read together lies together.

At a request retrieval weighs every live room of one bin, and a few are looked at further. With an array for each column
that would fetch a line of memory for each, and waiting for memory takes longer than the work.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from livedqn.envs.timetable import Timetable
from livedqn.envs.viewers import Viewers
from livedqn.kernel import formula
from livedqn.types import FloatArray, IntArray

#: What retrieval goes by. ``appeal`` is what all viewers' weights of a room have in common.
ODDS = np.dtype([("streamer", np.uint32), ("topic", np.uint32), ("appeal", np.float32)])
#: What else is known of a room in one bin, by the names of :class:`Timetable`.
ROOM = np.dtype(
    [
        ("started_s", np.float64),
        ("ends_s", np.float64),
        ("room", np.int64),
        ("streamer_id", np.int64),
        ("streamer", np.uint32),
        ("topic", np.uint32),
        ("heat", np.float32),
        ("broadcasts", np.float32),
    ]
)


class Listing(NamedTuple):
    """The live rooms of every time bin, hottest first; W is the largest number of them."""

    starts_s: FloatArray  # (bins,) float64, when each bin begins
    end_s: float  # when the last bin is over
    live: IntArray  # (bins,) int64, how many
    odds: npt.NDArray[Any]  # (bins, W) records of ODDS
    rooms: npt.NDArray[Any]  # (bins, W) records of ROOM

    @classmethod
    def of(cls, timetable: Timetable, viewers: Viewers) -> Listing:
        """The rooms of ``timetable``, as they appeal to ``viewers``."""
        odds, rooms = (np.zeros(timetable.room.shape, np.dtype((np.record, form))) for form in (ODDS, ROOM))
        for name in ROOM.fields or ():
            rooms[name] = getattr(timetable, name)
        odds["streamer"], odds["topic"] = timetable.streamer, timetable.topic
        odds["appeal"] = (1 + timetable.heat) ** viewers.retrieval_heat
        starts_s, live = np.asarray(timetable.starts_s, np.float64), np.asarray(timetable.count, np.int64)
        return cls(starts_s, float(timetable.end_s), live, odds, rooms)


@formula
def bin_from(bin: int, time_s: float, listing: Listing) -> int:
    """The bin of a time, looked for from an earlier one on; the last one for a time after the end."""
    while bin + 1 < len(listing.starts_s) and listing.starts_s[bin + 1] <= time_s:
        bin += 1
    return bin
