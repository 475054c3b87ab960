"""What the columns of an observation mean."""

from __future__ import annotations

from livedqn.envs.sessions import AGE_GROUPS, GENDERS
from livedqn.types import IDS, Column

#: No value of an observation lies outside: counts are cut where ids end.
LOW, HIGH = -100.0, float(IDS - 1)


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
            Column("gift_value", "count"),
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
            Column("surge", "number"),
        ),
    }


HISTORY_WIDTH, CANDIDATE_WIDTH = (len(columns(1)[array]) for array in ("history", "candidates"))
GIFT, AGO = HISTORY_WIDTH - 2, HISTORY_WIDTH - 1
STREAMER, TOPIC, HEAT, AGE, AFFINITY, BROADCASTS, TAG, RECENCY, SURGE = range(CANDIDATE_WIDTH)  # of a candidate
