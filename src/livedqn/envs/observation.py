"""What a policy sees of a session, and what its columns mean."""

from __future__ import annotations

import numpy as np

from livedqn.envs.clock import hour_of_day
from livedqn.envs.retrieval import Served
from livedqn.envs.sessions import AGE_GROUPS, GENDERS, Sessions, pick
from livedqn.envs.timetable import Timetable
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


def observe(session: Sessions, served: Served, timetable: Timetable) -> Observation:
    """The observation of each session, in arrays of its own."""
    return {
        "context": _context(session),
        "history": _history(session),
        "candidates": _candidates(session, served, timetable),
        "mask": served.mask.copy(),
    }


def _context(session: Sessions) -> FloatArray:
    hour = hour_of_day(session.time_s)
    known = [
        session.activity, hour, np.sin(hour * (np.pi / 12)), np.cos(hour * (np.pi / 12)),
        session.age_group, session.gender, session.past_clicks, (session.time_s - session.start_s) / 60,
        session.requests, session.shown, session.clicked, session.watched_min, session.since_shown, session.ignored,
    ]  # fmt: skip
    context = np.empty((len(hour), len(known) + session.tags.shape[1] - 1), np.float32)
    for column, values in enumerate(known):
        context[:, column] = values
    context[:, len(known) :] = session.tags[:, 1:]
    return context


def _history(session: Sessions) -> FloatArray:
    """The session's own history, with the request of each impression turned into how many requests ago it was."""
    history = session.history.copy()
    history[..., AGO] = (session.requests[:, None] - history[..., AGO]) * history[..., 0]
    return history


def _candidates(session: Sessions, served: Served, timetable: Timetable) -> FloatArray:
    streamer, topic = timetable.streamer.take(served.entry), timetable.topic.take(served.entry)
    age_s = session.time_s[:, None] - timetable.started_s.take(served.entry)
    candidates = np.empty((*served.entry.shape, 8), np.float32)
    candidates[..., 0] = streamer
    candidates[..., 1] = topic
    candidates[..., 2] = np.minimum(timetable.heat.take(served.entry), HIGH)
    candidates[..., 3] = age_s / 60
    candidates[..., 4] = np.minimum(pick(session.affinity_min, streamer), HIGH)
    candidates[..., 5] = timetable.broadcasts.take(served.entry)
    candidates[..., 6] = pick(session.tags, topic)
    candidates[..., 7] = 1 / (session.requests[:, None] - pick(session.shown_at, streamer))
    candidates[~served.mask] = 0
    candidates[:, 0] = 0
    return candidates
