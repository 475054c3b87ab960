"""What a policy sees of a session."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from livedqn.envs import columns
from livedqn.envs.clock import hour_of_day
from livedqn.envs.elementary import cos_turn, sin_turn
from livedqn.envs.listing import Listing
from livedqn.envs.moments import surge, window_bits
from livedqn.envs.retrieval import Served
from livedqn.envs.sessions import VISIBLE, Sessions
from livedqn.kernel import formula
from livedqn.memcpy import copy
from livedqn.types import BoolArray, FloatArray, IntArray

CANDIDATE_BYTES = columns.CANDIDATE_WIDTH * np.dtype(np.float32).itemsize
_ONE = np.float32(1)
_MINUTES_PER_S = 1 / 60  # a product is done sooner than a division


class Seen(NamedTuple):
    """The observation of each row, and who and what it is of."""

    context: FloatArray  # (B, C) float32
    history: FloatArray  # (B, T, H) float32
    candidates: FloatArray  # (B, K, F) float32
    mask: BoolArray  # (B, K)
    viewer: IntArray  # (B,) int64
    time_s: IntArray  # (B,) int64
    rooms: IntArray  # (B, K) int64, 0 for none
    streamers: IntArray  # (B, K) int64, the platform's own ids, 0 for none


#: What of it is no part of the observation.
IDS = ("viewer", "time_s", "rooms", "streamers")


@formula
def observe(
    rows: IntArray, session: Sessions, served: Served, listing: Listing, viewers: npt.NDArray[Any], out: Seen
) -> None:
    """Write the observation of ``rows`` (n,) into ``out``.

    Loop by loop, each short enough that a processor which waits for one number from afar already asks for the next.
    """
    for row in rows:
        out.viewer[row] = session.visit[row].viewer
        out.time_s[row] = np.int64(session.visit[row].time_s)
        _context(row, session, out.context)
    for row in rows:
        _history(row, session, out.history)
    for row in rows:
        _candidates(row, session, served, listing, viewers[0], out)


@formula
def _context(row: int, session: Sessions, out: FloatArray) -> None:
    s = session.visit[row]
    hour = hour_of_day(s.time_s)
    out[row, 0] = s.activity
    out[row, 1] = hour
    out[row, 2] = sin_turn(hour / 24)
    out[row, 3] = cos_turn(hour / 24)
    out[row, 4] = s.age_group
    out[row, 5] = s.gender
    out[row, 6] = s.past_clicks
    out[row, 7] = min((s.time_s - s.start_s) / 60, columns.HIGH)
    out[row, 8] = s.requests
    out[row, 9] = s.shown
    out[row, 10] = s.clicked
    out[row, 11] = s.watched_min
    out[row, 12] = s.since_shown
    out[row, 13] = s.ignored
    tags = session.tastes[row, VISIBLE]
    for topic in range(1, len(tags)):
        out[row, 13 + topic] = tags[topic]


@formula
def _history(row: int, session: Sessions, out: FloatArray) -> None:
    """The row's own history: how many requests ago each impression was, and no gift before it has arrived."""
    s, history, arrives_s = session.visit[row], session.history[row], session.arrives_s[row]
    past_requests, time_s = s.past_requests, s.time_s
    for past in range(out.shape[1]):
        for column in range(columns.HISTORY_WIDTH):
            out[row, past, column] = history[past, column]
        out[row, past, columns.AGO] = (past_requests - history[past, columns.AGO]) * history[past, 0]
        out[row, past, columns.GIFT] *= arrives_s[past] <= time_s


@formula
def _candidates(row: int, session: Sessions, served: Served, listing: Listing, v: Any, out: Seen) -> None:
    s, rooms = session.visit[row], served.rooms[row]
    # once: what is written below might be the session, for all that is known here
    time_s, past_requests = s.time_s, s.past_requests
    live, place = listing.rooms_live[s.bin], served.place[row]
    known, known_at = session.acquaintances.known[row], served.known_at[row]
    tags, candidates = session.tastes[row, VISIBLE], out.candidates[row]
    ids, streamers = out.rooms[row], out.streamers[row]
    first = row * len(candidates)
    for k in range(1, rooms + 1):
        now = live[place[k]]
        room = listing.rooms[now.room]
        copy(out.candidates, (first + k) * CANDIDATE_BYTES, listing.seen, now.room * CANDIDATE_BYTES, CANDIDATE_BYTES)
        streamer = known[known_at[k]]
        candidates[k, columns.HEAT] = now.heat
        candidates[k, columns.AGE] = (time_s - room.started_s) * _MINUTES_PER_S
        candidates[k, columns.AFFINITY] = min(streamer.affinity_min, columns.HIGH)
        candidates[k, columns.TAG] = tags[now.topic]
        candidates[k, columns.RECENCY] = _ONE / (past_requests - streamer.shown_at)
        candidates[k, columns.SURGE] = min(max(surge(window_bits(room, time_s, v), v), columns.LOW), columns.HIGH)
        ids[k], streamers[k] = room.room, room.streamer_id
    candidates[0] = candidates[rooms + 1 :] = 0
    ids[0] = streamers[0] = ids[rooms + 1 :] = streamers[rooms + 1 :] = 0
    mask = out.mask[row]
    mask[: rooms + 1] = True  # *nothing* can always be chosen
    mask[rooms + 1 :] = False
