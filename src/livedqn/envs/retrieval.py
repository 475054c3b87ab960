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
from livedqn.envs.keyed import Purpose
from livedqn.envs.listing import Listing
from livedqn.envs.sessions import Sessions, known_as
from livedqn.kernel import formula
from livedqn.types import FloatArray, IntArray

AT_ONCE = 32  # viewers whose races are run side by side

_RETRIEVAL = np.uint64(Purpose.RETRIEVAL)
_INT_MAX = np.int32(2**31 - 1)
_ONE = np.float32(1)


class Served(NamedTuple):
    """The candidates of each row: 1 to ``rooms``, hottest first. Candidate 0 is *nothing*."""

    rooms: IntArray  # (B,) int64, from 0 to K - 1; fewer where fewer are live
    place: IntArray  # (B, K + 1) int32, of each candidate in its bin; anything where not a room

    @classmethod
    def empty(cls, num_envs: int, num_actions: int) -> Served:
        """Nobody is served yet."""
        return cls(np.zeros(num_envs, np.int64), np.zeros((num_envs, num_actions + 1), np.int32))


class Race(NamedTuple):
    """Where the races of a few viewers at once are run: n rows of W rooms."""

    weight: FloatArray  # (n, W) float32
    finish: FloatArray  # (n, W + 1) float32, the time until each room finishes
    bits: IntArray  # the same memory as int32: positive floats are ordered as the integers that their bits make

    @classmethod
    def of(cls, width: int) -> Race:
        """For ``width`` rooms at most."""
        finish = np.empty((AT_ONCE, width + 1), np.float32)
        return cls(np.empty((AT_ONCE, width), np.float32), finish, finish.view(np.int32))


@formula
def retrieve(
    rows: IntArray, session: Sessions, listing: Listing, viewers: npt.NDArray[Any], race: Race, served: Served
) -> None:
    """Write the candidates for the current request of ``rows``, AT_ONCE at most, into ``served``."""
    _weigh(rows, session, listing, viewers[0], race)
    _run(rows, session, listing, race)
    _choose(rows, session, listing, race, served)


@formula
def _weigh(rows: IntArray, session: Sessions, listing: Listing, v: Any, race: Race) -> None:
    """weight = (1 + viewers)^heat exp(tag of the topic) exp(known)."""
    known = np.float32(np.exp(v.retrieval_known))
    for i, row in enumerate(rows):
        now = session.visit[row].bin
        for place in range(listing.live[now]):
            room = listing.rooms_live[now, place]
            is_known = session.known[row, known_as(session.met[row], room.streamer)].affinity_min > 0
            race.weight[i, place] = room.appeal * session.pull[row, room.topic] * (known if is_known else _ONE)


@formula
def _run(rows: IntArray, session: Sessions, listing: Listing, race: Race) -> None:
    """finish ~ Exponential(weight)."""
    for i, row in enumerate(rows):
        s = session.visit[row]
        live = listing.live[s.bin]
        keyed.exponential_into(race.finish[i], keyed.request_key(s.key, _RETRIEVAL, np.uint64(s.requests)), live)
        for place in range(live):
            race.finish[i, place] /= race.weight[i, place]


@formula
def _choose(rows: IntArray, session: Sessions, listing: Listing, race: Race, served: Served) -> None:
    """The first to finish, as many as fit, in the order of their places."""
    for i, row in enumerate(rows):
        live = listing.live[session.visit[row].bin]
        wanted = min(live, served.place.shape[1] - 2)
        line = _INT_MAX if wanted == live else _line(race.bits[i], live, wanted)
        served.rooms[row] = wanted
        written = 0
        for place in range(live):
            served.place[row, 1 + written] = place  # to be overwritten if it has not crossed the line
            written += (race.bits[i, place] <= line) & (written < wanted)


@formula
def _line(finish: IntArray, rooms: int, wanted: int) -> Any:
    """A line that ``wanted`` of the first ``rooms`` of ``finish`` have crossed, or more where several are equal.

    Bisects: linear in rooms, and without a branch that depends on a single one.
    """
    low = line = finish[0]
    for place in range(rooms):
        low, line = min(low, finish[place]), max(line, finish[place])
    while low < line:
        middle = low + (line - low) // 2
        crossed = 0
        for place in range(rooms):
            crossed += finish[place] <= middle
        if crossed == wanted:
            return middle
        if crossed < wanted:
            low = middle + 1
        else:
            line = middle
    return line
