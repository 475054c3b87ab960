"""What a policy sees of a session, and what its columns mean."""

from __future__ import annotations

import numpy as np

from livedqn.envs.clock import hour_of_day
from livedqn.envs.retrieval import Served
from livedqn.envs.sessions import AGE_GROUPS, GENDERS, Sessions, pick
from livedqn.envs.timetable import Timetable, at
from livedqn.types import Column, FloatArray, Observation

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


def observe(session: Sessions, served: Served, timetable: Timetable, out: Observation) -> None:
    """Write the observation of each session over the arrays of ``out``, so that no large array is made twice."""
    _context(session, out["context"])
    _history(session, out["history"])
    _candidates(session, served, timetable, out["candidates"])
    out["mask"][...] = served.mask


def _context(session: Sessions, out: FloatArray) -> None:
    hour = hour_of_day(session.time_s)
    known = (
        session.activity, hour, np.sin(hour * (np.pi / 12)), np.cos(hour * (np.pi / 12)),
        session.age_group, session.gender, session.past_clicks, (session.time_s - session.start_s) / 60,
        session.requests, session.shown, session.clicked, session.watched_min, session.since_shown, session.ignored,
    )  # fmt: skip
    for column, values in enumerate(known):
        out[:, column] = values
    out[:, len(known) :] = session.tags[:, 1:]


def _history(session: Sessions, out: FloatArray) -> None:
    """The session's own history, with the request of each impression turned into how many requests ago it was."""
    out[...] = session.history
    out[..., AGO] = (session.requests[:, None] - out[..., AGO]) * out[..., 0]


def _candidates(session: Sessions, served: Served, timetable: Timetable, out: FloatArray) -> None:
    # column by column: memory that is freed at once is used again, which saves half the time for many viewers
    streamer, topic = at(timetable.streamer, served.entry), at(timetable.topic, served.entry)
    out[..., 0] = streamer
    out[..., 1] = topic
    out[..., 2] = np.minimum(at(timetable.heat, served.entry), HIGH)
    out[..., 3] = (session.time_s[:, None] - at(timetable.started_s, served.entry)) / 60
    out[..., 4] = np.minimum(pick(session.affinity_min, streamer), HIGH)
    out[..., 5] = at(timetable.broadcasts, served.entry)
    out[..., 6] = pick(session.tags, topic)
    out[..., 7] = 1 / (session.requests[:, None] - pick(session.shown_at, streamer))
    out[~served.mask] = 0
    out[:, 0] = 0
