"""Whom a viewer knows: a short list for each row, however many streamers there are.

At a request each of the list is looked up among the rooms that are live (:class:`~livedqn.envs.listing.Listing`), not
each room in the list.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from livedqn.kernel import formula
from livedqn.types import IntArray

#: A viewer remembers so many streamers at most; then a new one takes the place of whoever was met first.
REMEMBERED = 64
PLACE = np.min_scalar_type(REMEMBERED)  # a place in the list, from 1 on

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
    known: npt.NDArray[Any]  # (B, N + 1) records of ACQUAINTANCE, from place 1 on; place 0 stands for strangers

    @classmethod
    def empty(cls, num_envs: int, streamers: int) -> Acquaintances:
        """Nobody knows anybody."""
        # np.record gives a record's fields names in plain Python too, as they have in a kernel
        known = np.zeros((num_envs, min(streamers, REMEMBERED) + 1), np.dtype((np.record, ACQUAINTANCE)))
        known["shown_at"] = NEVER
        return cls(np.zeros(num_envs, np.int64), known)


@formula
def remembered(row: int, of: Acquaintances) -> Any:
    """How many of the places of ``row``, from 1 on, hold somebody."""
    return min(of.met[row], of.known.shape[1] - 1)


@formula
def meet(row: int, streamer: Any, of: Acquaintances) -> Any:
    """The place in the ``known`` of ``row`` that a stranger gets."""
    place = 1 + of.met[row] % (of.known.shape[1] - 1)
    of.met[row] += 1
    known = of.known[row, place]
    known.streamer = streamer
    known.affinity_min = 0
    known.shown_at = NEVER
    return place
