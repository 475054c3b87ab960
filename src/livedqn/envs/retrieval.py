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


def retrieve(session: Sessions, timetable: Timetable, viewers: Viewers, num_actions: int) -> Served:
    """Candidates for the current request of each session, fewer where fewer are live."""
    rows, width = len(session.key), timetable.room.shape[1]
    bin_of = timetable.bin_at(session.time_s)
    count = timetable.count[bin_of]
    log_weight = viewers.retrieval_heat * np.log1p(timetable.heat[bin_of])  # (B, W)
    log_weight += viewers.retrieval_tag * pick(session.tags, timetable.topic[bin_of])
    log_weight += viewers.retrieval_known * (pick(session.affinity_min, timetable.streamer[bin_of]) > 0)
    finish = keyed.exponential(keyed.key(session.key, Purpose.RETRIEVAL, session.requests.astype(np.int64)), width)
    finish *= np.exp(-log_weight)
    finish[np.arange(width) >= count[:, None]] = np.inf

    served = Served(np.zeros((rows, num_actions), np.bool_), np.zeros((rows, num_actions), np.int64))
    drawn = min(width, num_actions - 1)
    places = np.broadcast_to(np.arange(width), (rows, width))
    if drawn < width:
        places = np.argpartition(finish, drawn - 1, axis=1)[:, :drawn]
    served.mask[:, 0] = True
    served.mask[:, 1 : drawn + 1] = places < count[:, None]
    served.entry[:, 1 : drawn + 1] = bin_of[:, None] * width + places
    return served
