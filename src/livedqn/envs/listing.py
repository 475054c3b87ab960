"""The timetable of a world as kernels read it: all that is known of a room in one place.

A viewer's request reads every live room of one bin. With an array for each column it would touch a page of memory in
each, and waiting for the addresses of pages takes longer than the work.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from livedqn.envs.timetable import Timetable
from livedqn.envs.viewers import Viewers
from livedqn.kernel import formula
from livedqn.types import FloatArray, IntArray

#: A room in one bin. The names are those of :class:`Timetable`, but for ``appeal``: what all viewers' weights of a room
#: have in common when candidates are retrieved.
LISTED = np.dtype(
    [
        ("streamer", np.uint32),
        ("topic", np.uint32),
        ("heat", np.float32),
        ("appeal", np.float32),
        ("broadcasts", np.float32),
        ("started_s", np.float64),
        ("ends_s", np.float64),
        ("room", np.int64),
        ("streamer_id", np.int64),
    ],
    align=True,
)


class Listing(NamedTuple):
    """The live rooms of every time bin, hottest first; W is the largest number of them."""

    starts_s: FloatArray  # (bins,) float64, when each bin begins
    end_s: float  # when the last bin is over
    live: IntArray  # (bins,) int64, how many
    rooms: npt.NDArray[Any]  # (bins, W) records of LISTED

    @classmethod
    def of(cls, timetable: Timetable, viewers: Viewers) -> Listing:
        """The rooms of ``timetable``, as they appeal to ``viewers``."""
        rooms = np.zeros(timetable.room.shape, np.dtype((np.record, LISTED)))
        for name in LISTED.fields or ():
            rooms[name] = (
                (1 + timetable.heat) ** viewers.retrieval_heat if name == "appeal" else getattr(timetable, name)
            )
        return cls(
            np.asarray(timetable.starts_s, np.float64),
            float(timetable.end_s),
            np.asarray(timetable.count, np.int64),
            rooms,
        )


@formula
def bin_from(bin: int, time_s: float, listing: Listing) -> int:
    """The bin of a time, looked for from an earlier one on; the last one for a time after the end."""
    while bin + 1 < len(listing.starts_s) and listing.starts_s[bin + 1] <= time_s:
        bin += 1
    return bin
