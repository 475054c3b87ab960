"""Which rooms were live, and how many of the viewers in the data watched them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from livedqn.kernel import kernel
from livedqn.types import IntArray
from livedqn_kuailive.files import Events, Rooms

#: Rooms that were live in the same half hour are listed together.
BIN_MS = 1_800_000
#: Draws for each room that is wanted, before all of the list is looked through.
TRIES = 20


class Live:
    """Samples of the rooms that were live at a moment.

    Args:
        rooms: all.
        first: the first moment that is asked for, ms.
        last: the last one, ms.
        seed: of the samples.
    """

    def __init__(self, rooms: Rooms, first: int, last: int, seed: int) -> None:
        self._rooms, self._seed = rooms, seed
        self._first = first // BIN_MS
        bins = last // BIN_MS - self._first + 1
        counts = np.zeros(bins + 1, np.int64)
        _count(rooms.start, rooms.end, self._first, counts)
        self._offsets = np.cumsum(counts)  # of bin b: from [b] to [b + 1]
        self._listed = np.zeros(int(self._offsets[-1]), np.int32)
        _list(rooms.start, rooms.end, self._first, self._offsets[:-1].copy(), self._listed)

    def others(self, time: IntArray, shown: IntArray, user: IntArray, count: int) -> IntArray:
        """(n, count) rows of rooms live at ``time`` (n,) other than ``shown``, uniformly; -1 where there are no more.

        A sample depends on nothing but the request and the seed.
        """
        out = np.full((len(time), count), -1, np.int64)
        bins = np.clip(time // BIN_MS - self._first, 0, len(self._offsets) - 2)
        state = _mixed(_mixed(_mixed(np.uint64(self._seed) + user.astype(np.uint64)) + time.astype(np.uint64))
                       + shown.astype(np.uint64))  # fmt: skip
        _sample(time, shown, self._rooms.start, self._rooms.end, self._offsets[bins], self._offsets[bins + 1],
                self._listed, state, out)  # fmt: skip
        return out


def _mixed(x: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """SplitMix64 (Steele, Lea & Flood 2014), a step and its output."""
    with np.errstate(over="ignore"):
        x = x + np.uint64(0x9E3779B97F4A7C15)
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return x ^ (x >> np.uint64(31))


@kernel
def _count(start: IntArray, end: IntArray, first: int, counts: IntArray) -> None:
    """How many rooms each bin has, behind one place for the cumulative sum's 0."""
    for room in range(len(start)):
        low, high = max(start[room] // BIN_MS - first, 0), min((end[room] - 1) // BIN_MS - first, len(counts) - 2)
        for one in range(low, high + 1):
            counts[one + 1] += 1


@kernel
def _list(start: IntArray, end: IntArray, first: int, place: IntArray, listed: IntArray) -> None:
    """The rooms of each bin, from its ``place`` on."""
    for room in range(len(start)):
        low, high = max(start[room] // BIN_MS - first, 0), min((end[room] - 1) // BIN_MS - first, len(place) - 1)
        for one in range(low, high + 1):
            listed[place[one]] = room
            place[one] += 1


@kernel
def _sample(
    time: IntArray, shown: IntArray, start: IntArray, end: IntArray, low: IntArray, high: IntArray, listed: IntArray,
    state: npt.NDArray[np.uint64], out: IntArray,
) -> None:  # fmt: skip
    """Draws with rejection; where few are live, the rest by a reservoir (Vitter 1985, algorithm R)."""
    for i in range(len(time)):
        x, found, wanted = state[i], 0, out.shape[1]
        size = high[i] - low[i]
        tries = TRIES * wanted if size > 0 else 0
        while found < wanted and tries > 0:
            tries -= 1
            x ^= x << np.uint64(13)  # Marsaglia's xorshift64
            x ^= x >> np.uint64(7)
            x ^= x << np.uint64(17)
            room = listed[low[i] + np.int64(x % np.uint64(size))]
            if start[room] <= time[i] < end[room] and room != shown[i]:
                known = False
                for j in range(found):
                    known |= out[i, j] == room
                if not known:
                    out[i, found] = room
                    found += 1
        drawn, seen = found, 0
        if found == wanted:
            continue
        for place in range(low[i], high[i]):
            room = listed[place]
            if start[room] <= time[i] < end[room] and room != shown[i]:
                known = False
                for j in range(drawn):
                    known |= out[i, j] == room
                if known:
                    continue
                seen += 1
                if found < wanted:
                    out[i, found] = room
                    found += 1
                else:
                    x ^= x << np.uint64(13)
                    x ^= x >> np.uint64(7)
                    x ^= x << np.uint64(17)
                    other = np.int64(x % np.uint64(seen))
                    if other < wanted - drawn:
                        out[i, drawn + other] = room


class Heat:
    """How many of the data's viewers were in a room: had clicked before, and had not stopped to watch."""

    def __init__(self, clicks: Events) -> None:
        sound = clicks.why == 0
        room, time = clicks.room[sound].astype(np.int64), clicks.time[sound]
        stop = time + (np.nan_to_num(clicks.amount[sound]).astype(np.int64)).clip(0)
        self._first = int(time.min(initial=np.iinfo(np.int64).max)) if len(time) else 0
        self._span = int(stop.max(initial=self._first)) - self._first + 3
        self._starts = np.sort(room * self._span + (time - self._first + 1))
        self._stops = np.sort(room * self._span + (stop - self._first + 1))

    def at(self, room: IntArray, time: IntArray) -> IntArray:
        """In ``room`` right before ``time`` (ms), whatever came later."""
        key = room * self._span + np.clip(time - self._first + 1, 0, self._span - 1)
        return np.searchsorted(self._starts, key) - np.searchsorted(self._stops, key)
