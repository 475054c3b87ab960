"""The retrieval stage: which of the live rooms are candidates at a request.

As on a platform, it goes by heat, by the viewer's visible tags and by whom they know: K - 1 rooms are drawn without
replacement with these weights, by an exponential race (Efraimidis and Spirakis, Weighted random sampling with a
reservoir, 2006): the smallest of exponential number / weight win.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from livedqn.envs import keyed
from livedqn.envs.acquaintances import PLACE, STRANGER, Acquaintances, remembered
from livedqn.envs.elementary import exp
from livedqn.envs.keyed import Purpose
from livedqn.envs.listing import Listing, slot_of
from livedqn.envs.sessions import PULL, Sessions
from livedqn.kernel import formula
from livedqn.types import FloatArray, IntArray

AT_ONCE = 128  # viewers whose races are run side by side
LANES = 32  # numbers that a loop takes at a time where it pays

_RETRIEVAL = np.uint64(Purpose.RETRIEVAL)
_INT_MAX = np.int32(2**31 - 1)


class Served(NamedTuple):
    """The candidates of each row: 1 to ``rooms``, hottest first. Candidate 0 is *nothing*."""

    rooms: IntArray  # (B,) int64, from 0 to K - 1; fewer where fewer are live
    place: IntArray  # (B, K + 1) uint32, of each candidate in its bin; anything where not a room
    known_at: IntArray  # (B, K + 1), the place of its streamer among the viewer's acquaintances

    @classmethod
    def empty(cls, num_envs: int, num_actions: int) -> Served:
        """Nobody is served yet."""
        form = num_envs, num_actions + 1
        return cls(np.zeros(num_envs, np.int64), np.zeros(form, np.uint32), np.zeros(form, PLACE))


class Race(NamedTuple):
    """Where the races of a few viewers at once are run, one after another: of W rooms each at most.

    Without a gap between one viewer's rooms and the next's, the costly loops are long, which is what a processor that
    takes eight numbers at once needs.
    """

    first: IntArray  # (n + 1,) int64, the place at which each viewer's rooms begin: even, for draws come in pairs
    states: keyed.Keys  # (n W / 2,) uint64, a hash for every two rooms
    halves: npt.NDArray[np.uint32]  # (n W,), the same memory
    known_at: IntArray  # (n W,), the place of each room's streamer among the viewer's acquaintances
    weight: FloatArray  # (n W,) float32
    finish: FloatArray  # (n W + LANES,) float32, the time until each room finishes
    bits: IntArray  # the same memory as int32: positive floats are ordered as the integers that their bits make

    @classmethod
    def of(cls, width: int) -> Race:
        """For ``width`` rooms at most."""
        places = AT_ONCE * (width + width % 2)
        states, finish = np.zeros(places // 2, np.uint64), np.zeros(places + LANES, np.float32)
        first, weight = np.zeros(AT_ONCE + 1, np.int64), np.ones(places, np.float32)
        known_at = np.zeros(places, PLACE)
        return cls(first, states, states.view(np.uint32), known_at, weight, finish, finish.view(np.int32))

    def __reduce__(self) -> tuple[Any, ...]:
        # nothing is kept from one race to the next, and what is one memory here would be two in a copy
        return Race.of, (len(self.weight) // AT_ONCE,)


@formula
def retrieve(
    rows: IntArray, session: Sessions, listing: Listing, viewers: npt.NDArray[Any], race: Race, served: Served
) -> None:
    """Write the candidates for the current request of ``rows``, AT_ONCE at most, into ``served``."""
    _weigh(rows, session, listing, viewers[0], race)
    _run(rows, session, race)
    _choose(rows, session, listing, race, served)


@formula
def _weigh(rows: IntArray, session: Sessions, listing: Listing, v: Any, race: Race) -> None:
    """weight = (1 + viewers)^heat exp(tag of the topic) exp(known)."""
    familiar, end = exp(v.retrieval_known), 0
    for i, row in enumerate(rows):
        first, now = end, session.visit[row].bin
        live = _rooms_for(row, session, listing)
        rooms, pull = listing.rooms_live[now], session.tastes[row, PULL]
        weight, known_at = race.weight[first:], race.known_at[first:]
        race.first[i] = first
        for place in range(live):
            room = rooms[place]
            weight[place] = room.appeal * pull[room.topic]
            known_at[place] = STRANGER
        if live:
            _favour(row, rooms, listing.slots[now], session.acquaintances, familiar, weight, known_at)
        end += live + live % 2
    race.first[len(rows)] = end


@formula
def _favour(
    row: int, rooms: npt.NDArray[Any], slots: IntArray, of: Acquaintances, familiar: Any, weight: FloatArray,
    known_at: IntArray,
) -> None:  # fmt: skip
    """Note in ``known_at`` whose rooms are an acquaintance's, and weigh those who were watched."""
    for at in range(1, 1 + remembered(row, of)):
        acquaintance = of.known[row, at]
        slot = slot_of(acquaintance.streamer, len(slots))
        while slots[slot] > 0:  # on to the first free one: somebody might be live in two rooms
            place = np.int64(slots[slot]) - 1
            if rooms[place].streamer == acquaintance.streamer:
                known_at[place] = at
                if acquaintance.affinity_min > 0:
                    weight[place] *= familiar
            slot = (slot + 1) & (len(slots) - 1)


@formula
def _run(rows: IntArray, session: Sessions, race: Race) -> None:
    """finish ~ Exponential(weight)."""
    for i, row in enumerate(rows):
        s = session.visit[row]
        key = keyed.request_key(s.key, _RETRIEVAL, np.uint64(s.past_requests))
        keyed.begin_stream(race.states, race.first[i] // 2, race.first[i + 1] // 2, key)
    places = race.first[len(rows)]
    keyed.finalise(race.states, places // 2)
    for place in range(places):
        race.finish[place] = keyed.exponential_of(race.halves[place]) / race.weight[place]


@formula
def _choose(rows: IntArray, session: Sessions, listing: Listing, race: Race, served: Served) -> None:
    """The first to finish, as many as fit, in the order of their places."""
    for i, row in enumerate(rows):
        live = _rooms_for(row, session, listing)
        finish = race.bits[race.first[i] : race.first[i] + live + LANES]
        wanted = min(live, served.place.shape[1] - 2)
        line = _INT_MAX if wanted == live else _line(finish, live, wanted)
        served.rooms[row] = wanted
        places, out_known_at, known_at = served.place[row], served.known_at[row], race.known_at[race.first[i] :]
        written = 0
        for place in range(live):  # what has not crossed the line is overwritten
            places[1 + written] = place
            out_known_at[1 + written] = known_at[place]
            written += (finish[place] <= line) & (written < wanted)


@formula
def _line(finish: IntArray, rooms: int, wanted: int) -> Any:
    """A line that ``wanted`` of the first ``rooms`` of ``finish`` have crossed, or more where several are equal.

    Bisects: linear in rooms, and without a branch that depends on a single one. Of what follows the rooms in ``finish``
    up to LANES are read too, and do not count: so no loop ends with steps of one room each.
    """
    low = line = finish[0]
    for place in range(rooms):
        low, line = min(low, finish[place]), max(line, finish[place])
    number, read = np.int32(rooms), (rooms + LANES - 1) // LANES * LANES
    while low < line:
        middle = np.int32((np.int64(low) + line) >> 1)
        crossed = np.int32(0)
        for place in range(read):
            crossed = np.int32(crossed + ((finish[place] <= middle) & (np.int32(place) < number)))
        if crossed == wanted:
            return middle
        behind = crossed < wanted
        low, line = np.int32(middle + 1) if behind else low, line if behind else middle
    return line


@formula
def _rooms_for(row: int, session: Sessions, listing: Listing) -> int:
    """How many rooms are live for a row, in the listing's order: none for a viewer who has left."""
    return 0 if session.left[row] else listing.live[session.visit[row].bin]
