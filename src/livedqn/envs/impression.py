"""One request: what is shown, what the viewer does, and what that leaves behind in the session."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from livedqn.envs import behaviour, keyed
from livedqn.envs.columns import HISTORY_WIDTH
from livedqn.envs.keyed import Purpose
from livedqn.envs.listing import Listing, bin_from
from livedqn.envs.retrieval import Served
from livedqn.envs.sessions import Sessions, known_as
from livedqn.kernel import formula, kernel
from livedqn.types import BoolArray, FloatArray, IntArray

SIGNALS = ("clicked", "watch_s", "liked", "commented", "gift_value", "followed", "left")
CLICKED, WATCH_S, LIKED, COMMENTED, GIFT_VALUE, FOLLOWED, LEFT = range(len(SIGNALS))

_RESPONSE = np.uint64(Purpose.RESPONSE)
# which of a request's uniform numbers decides what; a normal number is made of this one and the third after it
_U_CLICK, _U_LIKE, _U_COMMENT, _U_FOLLOW, _U_GIFT, _U_LEAVE, _Z_WATCH, _Z_GIFT, _Z_FEED = range(9)


class Outcome(NamedTuple):
    """What a request of each viewer brought."""

    signals: FloatArray  # (7, B) float32, in the order of SIGNALS
    elapsed_s: FloatArray  # (B,) float32, seconds to the next request
    reward: FloatArray  # (B,) float32, engagement: click +1, watching more than 300 s +2, like +3
    terminated: BoolArray  # (B,), the viewer has left
    truncated: BoolArray  # (B,), the world or the allowed number of requests is over

    @classmethod
    def empty(cls, num_envs: int) -> Outcome:
        """Of any content."""
        numbers = np.empty((len(SIGNALS) + 2, num_envs), np.float32)
        return cls(numbers[2:], numbers[0], numbers[1], *np.empty((2, num_envs), np.bool_))


@kernel
def respond(
    chosen: IntArray, max_requests: int, session: Sessions, served: Served, listing: Listing, quality: FloatArray,
    viewers: npt.NDArray[Any], out: Outcome,
) -> None:  # fmt: skip
    """Let each viewer act on the candidate ``chosen`` (B,), 0 = *nothing*, and bring ``session`` to the next request.

    ``quality`` is that of every streamer, (M + 1,), and ``viewers`` holds the one record of their settings.
    """
    v, signals = viewers[0], out.signals
    for row in range(len(chosen)):
        s = session.visit[row]
        key = keyed.request_key(s.key, _RESPONSE, np.uint64(s.requests))
        signals[:, row] = 0
        shown = chosen[row] > 0
        watch_s = 0.0
        if shown:
            place = served.place[row, chosen[row]]
            watch_s = _met(row, place, key, session, listing, quality, v, signals)
            _remember(row, place, session, listing, signals)

        good = watch_s >= v.good_s
        irrelevant = shown and watch_s < v.irrelevant_s
        boredom = behaviour.bored(s.boredom, irrelevant, good, v)
        feed_s = behaviour.feed_s(_normal(key, _Z_FEED), v)
        in_feed_s = s.time_s + feed_s - s.start_s - 60 * s.watched_min
        left = keyed.uniform_at(key, _U_LEAVE) < behaviour.leave_chance(boredom, in_feed_s, s.patience, v)
        signals[LEFT, row] = left

        s.boredom = boredom
        s.ignored = 0 if good else s.ignored + irrelevant
        s.time_s += feed_s + watch_s
        s.bin = bin_from(s.bin, s.time_s, listing)
        s.requests += 1
        s.shown += shown
        s.clicked += signals[CLICKED, row]
        s.watched_min += _minutes(signals[WATCH_S, row])
        s.since_shown = 0 if shown else s.since_shown + 1

        out.elapsed_s[row] = feed_s + watch_s
        out.reward[row] = signals[CLICKED, row] + 2 * (signals[WATCH_S, row] > 300) + 3 * signals[LIKED, row]
        out.terminated[row] = left
        out.truncated[row] = not left and (s.requests >= max_requests or s.time_s >= listing.end_s)
        session.ended[row] = out.terminated[row] or out.truncated[row]


@formula
def _met(
    row: int,
    place: int,
    key: Any,
    session: Sessions,
    listing: Listing,
    quality: FloatArray,
    v: Any,
    signals: FloatArray,
) -> float:
    """The signals of a viewer who meets the room at ``place``; returns the seconds watched."""
    s = session.visit[row]
    room, last = listing.rooms_live[s.bin, place], listing.live[s.bin] - 1
    crowd = (last - place) / max(last, 1)  # rank of its heat among the live rooms: 0 coldest, 1 hottest
    known = session.known[row, known_as(session.met[row], room.streamer)]
    fit = behaviour.fit(session.taste[row, room.topic], quality[room.streamer], known.affinity_min, v)
    weary = behaviour.weariness(s.requests - known.shown_at, v)
    if keyed.uniform_at(key, _U_CLICK) >= behaviour.click_chance(fit, crowd, weary, s.openness, s.boredom, v):
        return 0.0
    watch_s = behaviour.watch_s(fit, _normal(key, _Z_WATCH), listing.rooms[room.room].ends_s - s.time_s, v)
    like, comment = behaviour.rising_with_fit(v.like_share, fit), behaviour.rising_with_fit(v.comment_share, fit)
    gift = behaviour.gift_value(watch_s, keyed.uniform_at(key, _U_GIFT), _normal(key, _Z_GIFT), v)
    signals[CLICKED, row] = 1
    signals[WATCH_S, row] = watch_s
    signals[LIKED, row] = keyed.uniform_at(key, _U_LIKE) < like
    signals[COMMENTED, row] = keyed.uniform_at(key, _U_COMMENT) < comment
    signals[GIFT_VALUE, row] = gift
    signals[FOLLOWED, row] = keyed.uniform_at(key, _U_FOLLOW) < behaviour.rising_with_fit(v.follow_share, fit)
    return float(watch_s)


@formula
def _remember(row: int, place: int, session: Sessions, listing: Listing, signals: FloatArray) -> None:
    """Count the minutes for the streamer, and put the impression at the end of the history."""
    now, request = session.visit[row].bin, session.visit[row].requests
    room = listing.rooms_live[now, place]
    minutes = _minutes(signals[WATCH_S, row])
    known = session.known[row, room.streamer]
    known.affinity_min = session.known[row, known_as(session.met[row], room.streamer)].affinity_min + minutes
    known.shown_at = request
    session.met[row, room.streamer] = True

    history = session.history
    for past in range(history.shape[1] - 1):
        for column in range(HISTORY_WIDTH):
            history[row, past, column] = history[row, past + 1, column]
    history[row, -1, 0] = 1
    history[row, -1, 1] = room.streamer
    history[row, -1, 2] = room.topic
    history[row, -1, 3] = room.heat
    history[row, -1, 4] = signals[CLICKED, row]
    history[row, -1, 5] = minutes
    history[row, -1, 6] = signals[LIKED, row]
    history[row, -1, 7] = request


@formula
def _minutes(seconds: Any) -> Any:
    return seconds / np.float32(60)


@formula
def _normal(key: Any, index: int) -> Any:
    return keyed.box_muller(keyed.uniform_at(key, index), keyed.uniform_at(key, index + 3))
