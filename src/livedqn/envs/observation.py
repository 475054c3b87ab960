"""What a policy sees of a session."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from livedqn.envs.clock import hour_of_day
from livedqn.envs.columns import AFFINITY, AGE, AGO, CANDIDATE_WIDTH, HEAT, HIGH, HISTORY_WIDTH, RECENCY, TAG
from livedqn.envs.elementary import cos_turn, sin_turn
from livedqn.envs.listing import Listing
from livedqn.envs.retrieval import Served
from livedqn.envs.sessions import VISIBLE, Sessions
from livedqn.kernel import formula
from livedqn.memcpy import copy
from livedqn.types import BoolArray, FloatArray, IntArray

CANDIDATE_BYTES = CANDIDATE_WIDTH * np.dtype(np.float32).itemsize
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
def observe(rows: IntArray, session: Sessions, served: Served, listing: Listing, out: Seen) -> None:
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
        _candidates(row, session, served, listing, out)


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
    out[row, 7] = min((s.time_s - s.start_s) / 60, HIGH)
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
    """The session's own history, with the request of each impression turned into how many requests ago it was."""
    requests = session.visit[row].requests
    for past in range(out.shape[1]):
        for column in range(HISTORY_WIDTH):
            out[row, past, column] = session.history[row, past, column]
        out[row, past, AGO] = (requests - session.history[row, past, AGO]) * session.history[row, past, 0]


@formula
def _candidates(row: int, session: Sessions, served: Served, listing: Listing, out: Seen) -> None:
    s, rooms = session.visit[row], served.rooms[row]
    # once: what is written below might be the session, for all that is known here
    time_s, requests = s.time_s, s.requests
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
        candidates[k, HEAT] = now.heat
        candidates[k, AGE] = (time_s - room.started_s) * _MINUTES_PER_S
        candidates[k, AFFINITY] = min(streamer.affinity_min, HIGH)
        candidates[k, TAG] = tags[now.topic]
        candidates[k, RECENCY] = _ONE / (requests - streamer.shown_at)
        ids[k], streamers[k] = room.room, room.streamer_id
    candidates[0] = candidates[rooms + 1 :] = 0
    ids[0] = streamers[0] = ids[rooms + 1 :] = streamers[rooms + 1 :] = 0
    mask = out.mask[row]
    mask[: rooms + 1] = True  # *nothing* can always be chosen
    mask[rooms + 1 :] = False
