"""Whom a viewer knows: a short list for each row, found through a small hash table.

However many streamers there are, a row takes a kilobyte; and of nine in ten streamers at a request a single byte tells
that the viewer does not know them.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from livedqn.kernel import formula
from livedqn.types import IntArray

#: A viewer remembers so many streamers at most; then a new one takes the place of whoever was met first.
REMEMBERED = 64
SLOTS = 128  # of the table: at most half of them are taken, so that a search is short

NEVER = np.float32(-1e6)  # a request so long ago that nothing remembers it
STRANGER = 0  # the place of whoever is not in the list

#: What a viewer remembers of a streamer.
ACQUAINTANCE = np.dtype(
    [
        ("streamer", np.int32),  # by number
        ("affinity_min", np.float32),  # minutes watched, this session included
        ("shown_at", np.float32),  # the request at which the streamer was last shown
    ]
)


class Acquaintances(NamedTuple):
    """The list of every row, (B, ...); N streamers may be remembered."""

    met: IntArray  # (B,) int64, how many: of more than N the last N are in the list
    places: IntArray  # (B, SLOTS) uint8, by linear probing from the slot of a streamer's number: where in the list
    known: npt.NDArray[Any]  # (B, N + 1) records of ACQUAINTANCE; place 0 stands for strangers

    @classmethod
    def empty(cls, num_envs: int, streamers: int) -> Acquaintances:
        """Nobody knows anybody."""
        # np.record gives a record's fields names in plain Python too, as they have in a kernel
        known = np.zeros((num_envs, min(streamers, REMEMBERED) + 1), np.dtype((np.record, ACQUAINTANCE)))
        known["shown_at"] = NEVER
        return cls(np.zeros(num_envs, np.int64), np.zeros((num_envs, SLOTS), np.uint8), known)


@formula
def forget(row: int, of: Acquaintances) -> None:
    """Let the viewer of ``row`` know nobody."""
    of.met[row] = 0
    of.places[row] = STRANGER


@formula
def place_of(streamer: Any, places: IntArray, known: npt.NDArray[Any]) -> Any:
    """The place of a streamer in a row's ``known``, given its ``places``; STRANGER where the viewer never met them."""
    slot = streamer % SLOTS
    while places[slot] != STRANGER and known[places[slot]].streamer != streamer:
        slot = (slot + 1) % SLOTS
    return places[slot]


@formula
def meet(row: int, streamer: Any, of: Acquaintances) -> Any:
    """The place of a streamer in the ``known`` of ``row``, which they get where they were a stranger."""
    places, known = of.places[row], of.known[row]
    place = place_of(streamer, places, known)
    if place == STRANGER:
        remembered = len(known) - 1
        met = of.met[row]
        place = np.uint8(1 + met % remembered)
        known[place].streamer = streamer
        known[place].affinity_min = 0
        known[place].shown_at = NEVER
        of.met[row] = met + 1
        if met < remembered:
            _enter(place, places, known)
        else:  # somebody is forgotten, and a table with linear probing cannot do without a single entry
            places[:] = STRANGER
            for other in range(1, remembered + 1):
                _enter(np.uint8(other), places, known)
    return place


@formula
def _enter(place: Any, places: IntArray, known: npt.NDArray[Any]) -> None:
    slot = known[place].streamer % SLOTS
    while places[slot] != STRANGER:
        slot = (slot + 1) % SLOTS
    places[slot] = place
