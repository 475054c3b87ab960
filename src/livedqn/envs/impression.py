"""One request: what is shown, what the viewer does, and what that leaves behind in the session."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from livedqn.envs import behaviour, keyed
from livedqn.envs.absence import bring_into, churn_chance, come_back
from livedqn.envs.acquaintances import STRANGER, meet
from livedqn.envs.columns import AGO, GIFT, HIGH, HISTORY_WIDTH
from livedqn.envs.keyed import Purpose
from livedqn.envs.listing import Listing, bin_from
from livedqn.envs.moments import is_moment, window_bits
from livedqn.envs.retrieval import Served
from livedqn.envs.sessions import TASTE, Sessions
from livedqn.envs.tags import know_better
from livedqn.kernel import formula, kernel
from livedqn.types import BoolArray, FloatArray, IntArray

#: Signals of an impression, whenever they arrive: ``gift_delay_s`` says when the gift does, from the impression on.
SIGNALS = ("clicked", "watch_s", "liked", "commented", "gift_value", "gift_delay_s", "followed", "left")
CLICKED, WATCH_S, LIKED, COMMENTED, GIFT_VALUE, GIFT_DELAY_S, FOLLOWED, LEFT = range(len(SIGNALS))

_RESPONSE = np.uint64(Purpose.RESPONSE)
#: What each 64 random bits of a request decide: two normal numbers, or by a half each two events.
_FEED, _CLICK_LEAVE, _WATCH_GIFT, _LIKE_COMMENT, _FOLLOW_GIVE, _GIFT_DELAY, _RETURN, _RETURN_HOUR = range(8)
_TAGS = 8  # and from here on a normal number for each topic


class Outcome(NamedTuple):
    """What a request of each viewer brought."""

    signals: FloatArray  # (8, B) float32, in the order of SIGNALS
    elapsed_s: FloatArray  # (B,) float32, seconds to the next request
    reward: FloatArray  # (B,) float32, engagement: click +1, watching more than 300 s +2, like +3
    terminated: BoolArray  # (B,), the viewer is gone: has left, or will never come back
    truncated: BoolArray  # (B,), the world or the allowed number of requests is over

    @classmethod
    def empty(cls, num_envs: int) -> Outcome:
        """Of any content."""
        numbers = np.empty((len(SIGNALS) + 2, num_envs), np.float32)
        return cls(numbers[2:], numbers[0], numbers[1], *np.empty((2, num_envs), np.bool_))


@kernel
def respond(
    chosen: IntArray, comes_back: bool, max_requests: int, session: Sessions, served: Served, listing: Listing,
    quality: FloatArray, viewers: npt.NDArray[Any], out: Outcome,
) -> None:  # fmt: skip
    """Let each viewer act on the candidate ``chosen`` (B,), 0 = *nothing*, and bring ``session`` to the next request.

    Where viewers may have another visit (``comes_back``), the request after leaving is its first. ``quality`` is that
    of every streamer, (M + 1,), and ``viewers`` holds the one record of their settings.
    """
    v, signals, of = viewers[0], out.signals, session.acquaintances
    for row in range(len(chosen)):
        s = session.visit[row]
        key = keyed.request_key(s.key, _RESPONSE, np.uint64(s.past_requests))
        to_click, to_leave = keyed.shares_of(keyed.bits_at(key, _CLICK_LEAVE))
        signals[:, row] = 0
        shown = chosen[row] > 0
        watch_s = 0.0
        if shown:
            place = served.place[row, chosen[row]]
            room = listing.rooms_live[s.bin, place]
            at = served.known_at[row, chosen[row]]
            known = of.known[row, meet(row, room.streamer, of) if at == STRANGER else at]
            watch_s = _met(row, place, known, key, to_click, session, listing, quality, v, signals)
            known.affinity_min += _minutes(signals[WATCH_S, row])
            known.shown_at = s.past_requests
            _remember(row, room, session, signals)

        good = watch_s >= v.good_s
        irrelevant = shown and watch_s < v.irrelevant_s
        boredom = behaviour.bored(s.boredom, irrelevant, good, v)
        feed_s = behaviour.feed_s(keyed.normal_of(keyed.bits_at(key, _FEED)), v)
        in_feed_s = s.time_s + feed_s - s.start_s - 60 * s.watched_min
        left = to_leave < behaviour.leave_chance(boredom, in_feed_s, s.patience, v)
        signals[LEFT, row] = left

        began_s = s.time_s
        s.boredom = boredom
        s.ignored = 0 if good else s.ignored + irrelevant
        s.time_s += feed_s + watch_s
        s.requests += 1
        s.past_requests += 1
        s.shown += shown
        s.clicked += signals[CLICKED, row]
        s.watched_min += _minutes(signals[WATCH_S, row])
        s.since_shown = 0 if shown else s.since_shown + 1

        gone = left
        if left and comes_back:
            to_churn, to_wait = keyed.shares_of(keyed.bits_at(key, _RETURN))
            gone = to_churn < churn_chance(boredom, v)
            if not gone:
                know_better(row, key, _TAGS, session, v)
                come_back(row, to_wait, keyed.normal_of(keyed.bits_at(key, _RETURN_HOUR)), session, v)
        out.elapsed_s[row] = s.time_s - began_s
        is_over = s.time_s >= listing.end_s
        if is_over and left and not gone:
            bring_into(row, listing.starts_s[0], listing.end_s, session)
            s.bin = 0
        s.bin = bin_from(s.bin, s.time_s, listing)

        out.reward[row] = signals[CLICKED, row] + 2 * (signals[WATCH_S, row] > 300) + 3 * signals[LIKED, row]
        out.terminated[row] = session.left[row] = gone
        out.truncated[row] = not gone and (s.requests >= max_requests or is_over)
        session.ended[row] = out.terminated[row] or out.truncated[row]


@formula
def _met(
    row: int, place: int, known: Any, key: Any, to_click: Any, session: Sessions, listing: Listing,
    quality: FloatArray, v: Any, signals: FloatArray,
) -> float:  # fmt: skip
    """The signals of a viewer who meets the room at ``place``; returns the seconds watched."""
    s = session.visit[row]
    room, last = listing.rooms_live[s.bin, place], listing.live[s.bin] - 1
    entry = listing.rooms[room.room]
    moment = is_moment(window_bits(entry, s.time_s, v), v)
    crowd = (last - place) / max(last, 1)  # rank of its heat among the live rooms: 0 coldest, 1 hottest
    fit = behaviour.fit(session.tastes[row, TASTE, room.topic], quality[room.streamer], known.affinity_min, v)
    weary = behaviour.weariness(s.past_requests - known.shown_at, v)
    if to_click >= behaviour.click_chance(fit, crowd, moment, weary, s.openness, s.boredom, v):
        return 0.0
    to_watch, to_give_more = keyed.normals_of(keyed.bits_at(key, _WATCH_GIFT))
    to_like, to_comment = keyed.shares_of(keyed.bits_at(key, _LIKE_COMMENT))
    to_follow, to_give = keyed.shares_of(keyed.bits_at(key, _FOLLOW_GIVE))
    watch_s = behaviour.watch_s(fit, moment, to_watch, entry.ends_s - s.time_s, v)
    signals[CLICKED, row] = 1
    signals[WATCH_S, row] = watch_s
    signals[LIKED, row] = to_like < behaviour.rising_with_fit(v.like_share, fit)
    signals[COMMENTED, row] = to_comment < behaviour.rising_with_fit(v.comment_share, fit)
    gift = behaviour.gift_value(watch_s, s.generosity, to_give, to_give_more, v)
    if gift > 0:
        to_delay, later = keyed.shares_of(keyed.bits_at(key, _GIFT_DELAY))
        signals[GIFT_VALUE, row] = gift
        signals[GIFT_DELAY_S, row] = behaviour.gift_delay_s(to_delay, later, v)
    signals[FOLLOWED, row] = to_follow < behaviour.rising_with_fit(v.follow_share, fit)
    return float(watch_s)


@formula
def _remember(row: int, room: Any, session: Sessions, signals: FloatArray) -> None:
    """Put the impression at the end of the history."""
    s, history = session.visit[row], session.history
    for past in range(history.shape[1] - 1):
        for column in range(HISTORY_WIDTH):
            history[row, past, column] = history[row, past + 1, column]
        session.arrives_s[row, past] = session.arrives_s[row, past + 1]
    history[row, -1, 0] = 1
    history[row, -1, 1] = room.streamer
    history[row, -1, 2] = room.topic
    history[row, -1, 3] = room.heat
    history[row, -1, 4] = signals[CLICKED, row]
    history[row, -1, 5] = _minutes(signals[WATCH_S, row])
    history[row, -1, 6] = signals[LIKED, row]
    history[row, -1, GIFT] = min(signals[GIFT_VALUE, row], HIGH)
    session.arrives_s[row, -1] = s.time_s + signals[GIFT_DELAY_S, row]
    history[row, -1, AGO] = s.past_requests


@formula
def _minutes(seconds: Any) -> Any:
    return seconds / np.float32(60)
