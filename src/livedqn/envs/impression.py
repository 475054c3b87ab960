"""One request: what is shown, what the viewer does, and what that leaves behind in the session."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from livedqn.envs import behaviour
from livedqn.envs.sessions import Sessions
from livedqn.envs.timetable import Timetable, at
from livedqn.envs.viewers import Viewers
from livedqn.types import BoolArray, FloatArray, IntArray

SIGNALS = ("clicked", "watch_s", "liked", "commented", "gift_value", "followed", "left")


class Impression(NamedTuple):
    """The room shown to each viewer: arrays of (B,), anything where none was."""

    shown: BoolArray
    streamer: IntArray
    topic: IntArray
    heat: FloatArray
    crowd: FloatArray  # rank of its heat among the live rooms: 0 coldest, 1 hottest
    ends_s: FloatArray

    @classmethod
    def of(cls, shown: BoolArray, entry: IntArray, timetable: Timetable) -> Impression:
        """Look the rooms up; ``entry`` (B,) is bin * W + place."""
        bin_of, place = np.divmod(entry, timetable.room.shape[1])
        colder = timetable.count[bin_of] - 1 - place
        return cls(
            shown=shown,
            streamer=at(timetable.streamer, entry),
            topic=at(timetable.topic, entry),
            heat=at(timetable.heat, entry),
            crowd=np.clip(colder, 0, None) / np.maximum(timetable.count[bin_of] - 1, 1),
            ends_s=at(timetable.ends_s, entry),
        )


def respond(
    session: Sessions, impression: Impression, quality: FloatArray, viewers: Viewers
) -> tuple[dict[str, FloatArray], FloatArray]:
    """Let each viewer act, bring ``session`` to the next request, and return the signals and ``elapsed_s`` (B,)."""
    rows = np.arange(len(session.key))
    shown, streamer = impression.shown, impression.streamer
    u, z = behaviour.draws(session.key, session.requests.astype(np.int64))

    fit = behaviour.fit(
        session.taste[rows, impression.topic], quality[streamer], session.affinity_min[rows, streamer], viewers
    )
    tired = behaviour.weariness(session.requests - session.shown_at[rows, streamer], viewers)
    chance = behaviour.click_chance(fit, impression.crowd, tired, session.openness, session.boredom, viewers)
    clicked = shown & (u[0] < chance)
    watch_s = np.where(clicked, behaviour.watch_s(fit, z[0], impression.ends_s - session.time_s, viewers), 0.0)
    good = watch_s >= viewers.good_s
    irrelevant = shown & (watch_s < viewers.irrelevant_s)
    boredom = behaviour.bored(session.boredom, irrelevant, good, viewers)
    elapsed_s = behaviour.feed_s(z[2], viewers) + watch_s
    feed_s = session.time_s + elapsed_s - session.start_s - 60 * session.watched_min - watch_s
    signals = {
        "clicked": clicked,
        "watch_s": watch_s,
        "liked": clicked & (u[1] < behaviour.rising_with_fit(viewers.like_share, fit)),
        "commented": clicked & (u[2] < behaviour.rising_with_fit(viewers.comment_share, fit)),
        "gift_value": behaviour.gift_value(watch_s, u[4], z[1], viewers),
        "followed": clicked & (u[3] < behaviour.rising_with_fit(viewers.follow_share, fit)),
        "left": u[5] < behaviour.leave_chance(boredom, feed_s, session.patience, viewers),
    }
    answered = {name: signals[name].astype(np.float32) for name in SIGNALS}

    _remember(session, impression, answered, rows)
    session.boredom[:] = boredom
    session.ignored[:] = np.where(good, 0, session.ignored + irrelevant)
    session.time_s += elapsed_s
    return answered, elapsed_s.astype(np.float32)


def _remember(session: Sessions, impression: Impression, signals: dict[str, FloatArray], rows: IntArray) -> None:
    """Count what happened, and put the impression at the end of the history."""
    shown, streamer = impression.shown, impression.streamer
    minutes = signals["watch_s"] / 60
    seen, whom = rows[shown], streamer[shown]
    session.affinity_min[seen, whom] += minutes[shown]
    session.shown_at[seen, whom] = session.requests[shown]

    history = session.history[shown]
    history[:, :-1] = history[:, 1:]
    latest: tuple[Any, ...] = (1.0, whom, impression.topic[shown], impression.heat[shown], signals["clicked"][shown],
              minutes[shown], signals["liked"][shown], session.requests[shown])  # fmt: skip
    for column, values in enumerate(latest):
        history[:, -1, column] = values
    session.history[shown] = history

    session.requests += 1
    session.shown += shown
    session.clicked += signals["clicked"]
    session.watched_min += minutes
    session.since_shown[:] = np.where(shown, 0, session.since_shown + 1)
