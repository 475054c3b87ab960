"""What a policy sees of a session, and what its columns mean."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from livedqn.envs.clock import hour_of_day
from livedqn.envs.listing import Listing
from livedqn.envs.retrieval import Served
from livedqn.envs.sessions import AGE_GROUPS, GENDERS, Sessions, known_as
from livedqn.kernel import formula
from livedqn.types import BoolArray, Column, FloatArray, IntArray

#: No value of an observation lies outside: ids stay below 2**24, and counts are cut there.
LOW, HIGH = -100.0, float(2**24 - 1)


def columns(topics: int) -> dict[str, tuple[Column, ...]]:
    """The columns of each array."""
    topic = Column("topic", "category", cardinality=topics + 1)
    return {
        "context": (
            Column("activity", "count", "sessions", role="activity"),
            Column("hour", "number", "h", role="hour"),
            Column("hour_sin"),
            Column("hour_cos"),
            Column("age_group", "category", cardinality=AGE_GROUPS + 1),
            Column("gender", "category", cardinality=GENDERS + 1),
            Column("past_clicks", "number", "share"),
            Column("session_min", "count", "min"),
            Column("requests", "count"),
            Column("shown", "count", "rooms"),
            Column("clicked", "count", "rooms"),
            Column("watched_min", "count", "min"),
            Column("since_shown", "count", "requests"),
            Column("ignored", "count", "rooms"),
            *(Column(f"tag_{i}") for i in range(1, topics + 1)),
        ),
        "history": (
            Column("real"),
            Column("streamer", "id", role="streamer"),
            topic,
            Column("heat", "count", "viewers"),
            Column("clicked"),
            Column("watched_min", "count", "min"),
            Column("liked"),
            Column("ago", "count", "requests"),
        ),
        "candidates": (
            Column("streamer", "id", role="streamer"),
            topic,
            Column("heat", "count", "viewers", role="heat"),
            Column("age", "count", "min", role="age"),
            Column("affinity", "count", "min", role="affinity"),
            Column("broadcasts", "count", role="novelty"),
            Column("tag", "number"),
            Column("recency", "number", "1/requests"),
        ),
    }


HISTORY_WIDTH = len(columns(1)["history"])
AGO = HISTORY_WIDTH - 1


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
        _acquaintances(row, session, served, listing, out.candidates)
    for row in rows:
        _candidates(row, session, served, listing, out)


@formula
def _context(row: int, session: Sessions, out: FloatArray) -> None:
    s = session.visit[row]
    hour = hour_of_day(s.time_s)
    out[row, 0] = s.activity
    out[row, 1] = hour
    out[row, 2] = np.sin(hour * (np.pi / 12))
    out[row, 3] = np.cos(hour * (np.pi / 12))
    out[row, 4] = s.age_group
    out[row, 5] = s.gender
    out[row, 6] = s.past_clicks
    out[row, 7] = (s.time_s - s.start_s) / 60
    out[row, 8] = s.requests
    out[row, 9] = s.shown
    out[row, 10] = s.clicked
    out[row, 11] = s.watched_min
    out[row, 12] = s.since_shown
    out[row, 13] = s.ignored
    for topic in range(1, session.tags.shape[1]):
        out[row, 13 + topic] = session.tags[row, topic]


@formula
def _history(row: int, session: Sessions, out: FloatArray) -> None:
    """The session's own history, with the request of each impression turned into how many requests ago it was."""
    requests = session.visit[row].requests
    for past in range(out.shape[1]):
        for column in range(HISTORY_WIDTH):
            out[row, past, column] = session.history[row, past, column]
        out[row, past, AGO] = (requests - session.history[row, past, AGO]) * session.history[row, past, 0]


@formula
def _acquaintances(row: int, session: Sessions, served: Served, listing: Listing, out: FloatArray) -> None:
    """What of the candidates' columns says how the viewer knows the streamers."""
    s = session.visit[row]
    for k in range(1, served.rooms[row] + 1):
        streamer = listing.rooms[s.bin, served.place[row, k]].streamer
        known = session.known[row, known_as(session, row, streamer)]
        out[row, k, 4] = min(known.affinity_min, HIGH)
        out[row, k, 7] = 1 / (s.requests - known.shown_at)


@formula
def _candidates(row: int, session: Sessions, served: Served, listing: Listing, out: Seen) -> None:
    s, rooms = session.visit[row], served.rooms[row]
    candidates = out.candidates
    for k in range(1, rooms + 1):
        room = listing.rooms[s.bin, served.place[row, k]]
        candidates[row, k, 0] = room.streamer
        candidates[row, k, 1] = room.topic
        candidates[row, k, 2] = min(room.heat, HIGH)
        candidates[row, k, 3] = (s.time_s - room.started_s) / 60
        candidates[row, k, 5] = room.broadcasts
        candidates[row, k, 6] = session.tags[row, room.topic]
        out.rooms[row, k] = room.room
        out.streamers[row, k] = room.streamer_id
    for k in range(out.mask.shape[1]):
        out.mask[row, k] = k <= rooms  # *nothing* can always be chosen
        if k == 0 or k > rooms:
            candidates[row, k] = 0
            out.rooms[row, k] = out.streamers[row, k] = 0
