"""The timetable of a world as kernels read it: what is read together lies together, and once.

At a request retrieval weighs every live room of one bin, and a few are looked at further. Waiting for memory takes
longer than the work, so what does not change from bin to bin stands apart, small enough to stay near the processor.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from livedqn.envs import keyed
from livedqn.envs.columns import BROADCASTS, CANDIDATE_WIDTH, HIGH, STREAMER, TOPIC
from livedqn.envs.keyed import Purpose
from livedqn.envs.timetable import Timetable
from livedqn.envs.viewers import Viewers
from livedqn.kernel import formula, kernel
from livedqn.types import FloatArray, IntArray, LivedqnError

#: A live room in one bin. ``appeal`` is what all viewers' weights of it have in common.
LIVE = np.dtype(
    [
        ("streamer", np.uint32),
        ("topic", np.uint32),
        ("appeal", np.float32),
        ("heat", np.float32),
        ("room", np.uint32),  # its place in ``rooms``
    ]
)
MOST_ROOMS = 2**16 - 1  # in a bin
#: What else is known of a room, by the names of :class:`Timetable`.
TOLD = np.dtype([("started_s", np.float64), ("ends_s", np.float64), ("room", np.int64), ("streamer_id", np.int64)])
#: ... and the key of its moments.
ROOM = np.dtype([*TOLD.descr, ("moments", np.uint64)])


class Listing(NamedTuple):
    """The live rooms of every time bin, hottest first; W is the largest number of them."""

    starts_s: FloatArray  # (bins,) float64, when each bin begins
    end_s: float  # when the last bin is over
    live: IntArray  # (bins,) int64, how many
    rooms_live: npt.NDArray[Any]  # (bins, W) records of LIVE
    slots: IntArray  # (bins, S) uint16, a hash table by ``slot_of`` a streamer: 1 + a room's place, 0 for none
    rooms: npt.NDArray[Any]  # (R,) records of ROOM
    seen: FloatArray  # (R, F) float32, a candidate's columns, of which those that are the room's are filled

    @classmethod
    def of(cls, timetable: Timetable, viewers: Viewers, seed: int) -> Listing:
        """The rooms of ``timetable``, as they appeal to ``viewers``, with the moments of the world of ``seed``."""
        entries, index = _rooms(timetable)
        rooms_live = np.zeros(timetable.room.shape, np.dtype((np.record, LIVE)))
        for name in ("streamer", "topic"):
            rooms_live[name] = getattr(timetable, name)
        rooms_live["heat"] = np.minimum(timetable.heat, HIGH)
        rooms_live["appeal"] = (1 + timetable.heat) ** viewers.retrieval_heat
        rooms_live["room"] = index
        rooms = np.zeros(len(entries), np.dtype((np.record, ROOM)))
        for name in TOLD.names or ():
            rooms[name] = getattr(timetable, name).ravel()[entries]
        rooms["moments"] = keyed.key(seed, Purpose.MOMENT, rooms["room"])
        seen = np.zeros((len(entries), CANDIDATE_WIDTH), np.float32)
        for name, column in (("streamer", STREAMER), ("topic", TOPIC), ("broadcasts", BROADCASTS)):
            seen[:, column] = getattr(timetable, name).ravel()[entries]
        starts_s, live = np.asarray(timetable.starts_s, np.float64), np.asarray(timetable.count, np.int64)
        slots = _free_slots(*timetable.room.shape)
        _enter(rooms_live, live, slots)
        return cls(starts_s, float(timetable.end_s), live, rooms_live, slots, rooms, seen)


def _rooms(timetable: Timetable) -> tuple[IntArray, IntArray]:
    """One flat place (R,) in the timetable of every room, and for every place which of them it is, (bins, W).

    A room of which something changes from one bin to the next, as its topic may, is two.
    """
    order = np.argsort(timetable.room, axis=None, kind="stable")
    differs = np.ones(len(order), np.bool_)
    differs[1:] = False
    for name in (*(TOLD.names or ()), "streamer", "topic", "broadcasts"):
        values = getattr(timetable, name).ravel()[order]
        differs[1:] |= values[1:] != values[:-1]
    index = np.empty(len(order), np.int64)
    index[order] = np.cumsum(differs) - 1
    return order[differs], index.reshape(timetable.room.shape)


@formula
def bin_from(bin: int, time_s: float, listing: Listing) -> int:
    """The bin of a time, looked for from an earlier one on; the last one for a time after the end."""
    while bin + 1 < len(listing.starts_s) and listing.starts_s[bin + 1] <= time_s:
        bin += 1
    return bin


@formula
def slot_of(streamer: Any, slots: int) -> Any:
    """Where the search for a streamer's number begins; numbers in a row are spread (Knuth's multiplicative hash)."""
    return (np.int64(streamer) * 40_503) & (slots - 1)


def _free_slots(bins: int, rooms: int) -> npt.NDArray[Any]:
    """Twice as many as rooms or more, so that searches are short, and a power of two, so that a remainder is a mask."""
    if rooms > MOST_ROOMS:
        raise LivedqnError(f"{rooms:,} rooms are live at once; at most {MOST_ROOMS:,} can be. Leave the smallest out")
    return np.zeros((bins, 1 << (2 * rooms - 1).bit_length()), np.uint16)


@kernel
def _enter(rooms_live: npt.NDArray[Any], live: IntArray, slots: IntArray) -> None:
    """Enter the rooms of every bin by their streamers' numbers, with linear probing."""
    size = slots.shape[1]
    for now in range(len(live)):
        for place in range(live[now]):
            slot = slot_of(rooms_live[now, place].streamer, size)
            while slots[now, slot] > 0:
                slot = (slot + 1) & (size - 1)
            slots[now, slot] = 1 + place
