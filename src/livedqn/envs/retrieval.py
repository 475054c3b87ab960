"""The retrieval stage: which of the live rooms are candidates at a request.

As on a platform, it goes by heat, by the viewer's visible tags and by whom they know: K - 1 rooms are drawn without
replacement with these weights, by an exponential race (Efraimidis and Spirakis, Weighted random sampling with a
reservoir, 2006): the smallest of exponential number / weight win.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from livedqn.envs import keyed
from livedqn.envs.keyed import Purpose
from livedqn.envs.sessions import Sessions, pick
from livedqn.envs.timetable import Timetable
from livedqn.envs.viewers import Viewers
from livedqn.types import BoolArray, IntArray


class Served(NamedTuple):
    """The candidates of each row; column 0 is *nothing*."""

    mask: BoolArray  # (B, K)
    entry: IntArray  # (B, K) int64: bin * W + place in the timetable; anything where not a room


class Retrieval:
    """The retrieval stage of one world.

    Args:
        timetable: of the world.
        viewers: whose settings say what draws a room in.
        num_actions: K, *nothing* included.
    """

    def __init__(self, timetable: Timetable, viewers: Viewers, num_actions: int) -> None:
        self._timetable, self._viewers, self._num_actions = timetable, viewers, num_actions
        places = np.arange(timetable.room.shape[1])
        # what everybody's weight has in common, (bins, W) float32; a place without a room never wins
        self._weight = np.where(
            places < timetable.count[:, None], (1 + timetable.heat) ** viewers.retrieval_heat, 0
        ).astype(np.float32)

    def __call__(self, session: Sessions) -> Served:
        """Candidates for the current request of each session, fewer where fewer are live."""
        timetable, viewers = self._timetable, self._viewers
        bin_of = timetable.bin_at(session.time_s)
        weight = self._weight[bin_of]  # (B, W)
        rows, width = weight.shape
        weight *= pick(np.exp(viewers.retrieval_tag * session.tags), timetable.topic[bin_of])
        known = pick(session.affinity_min, timetable.streamer[bin_of]) > 0
        weight[known] *= np.exp(viewers.retrieval_known)
        finish = keyed.exponential(keyed.key(session.key, Purpose.RETRIEVAL, session.requests.astype(np.int64)), width)
        with np.errstate(divide="ignore"):  # by the weight of a place without a room: it finishes at infinity
            finish /= weight

        served = Served(np.zeros((rows, self._num_actions), np.bool_), np.zeros((rows, self._num_actions), np.int64))
        drawn = min(width, self._num_actions - 1)
        places = np.broadcast_to(np.arange(width), (rows, width))
        if drawn < width:
            places = finish.argpartition(drawn - 1, axis=1)[:, :drawn]
        served.mask[:, 0] = True
        served.mask[:, 1 : drawn + 1] = places < timetable.count[bin_of][:, None]
        served.entry[:, 1 : drawn + 1] = bin_of[:, None] * width + places
        return served
