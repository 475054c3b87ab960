"""Between two visits of a viewer: whether they come back at all, when, and what they still feel and remember then.

Used with ``episode=viewer`` alone; with ``episode=session`` nothing follows a visit.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from livedqn.config.logs import SESSION_GAP_S
from livedqn.envs.behaviour import sigmoid
from livedqn.envs.columns import HIGH
from livedqn.envs.elementary import log
from livedqn.envs.sessions import Sessions
from livedqn.envs.timetable import SECONDS_PER_DAY
from livedqn.kernel import formula

#: For what fades with requests (weariness of a streamer) an absence counts like so many.
REQUESTS_AWAY = 20
#: Who comes back sooner has not been away.
LEAST_AWAY_S = SESSION_GAP_S
_DAYS_MOST = 365


@formula
def churn_chance(boredom: Any, v: Any) -> Any:
    """Probability that a viewer who leaves never comes back."""
    return sigmoid(v.churn_bias + v.churn_boredom * boredom)


@formula
def return_chance(activity: Any, boredom: Any, v: Any) -> Any:
    """Probability of a visit on any of the days that follow, for ``activity`` past sessions."""
    return sigmoid(v.return_bias + v.return_activity * log(1 + activity) - v.return_boredom * boredom)


@formula
def days_away(u: Any, chance: Any) -> Any:
    """Days until the next visit, by a uniform number: more than k with probability (1 - chance)^k, from 1 on."""
    if chance >= 1:
        return 1.0
    return 1.0 + np.floor(min(log(u) / np.log1p(-chance), _DAYS_MOST))


@formula
def come_back(row: int, to_wait: Any, to_begin: Any, session: Sessions, v: Any) -> None:
    """Bring ``row``, whose viewer has left, to the first request of the next visit.

    Args:
        row: of ``session``.
        to_wait: a uniform number, for the days until then.
        to_begin: a standard normal number, for the time of day.
        session: what it changes.
        v: the record of the viewers' settings.
    """
    s = session.visit[row]
    day = np.rint((s.start_s - s.home_s) / SECONDS_PER_DAY)
    day += days_away(to_wait, return_chance(s.activity, s.boredom, v))
    begins_s = s.home_s + SECONDS_PER_DAY * day + 3600 * v.return_jitter_h * to_begin
    s.time_s = s.start_s = max(begins_s, s.time_s + LEAST_AWAY_S)
    s.activity = min(s.activity + 1, HIGH)
    s.past_requests += REQUESTS_AWAY
    s.boredom *= v.boredom_overnight
    s.requests = s.shown = s.clicked = s.watched_min = s.since_shown = s.ignored = 0


@formula
def bring_into(row: int, begin_s: float, end_s: float, session: Sessions) -> None:
    """Take the next visit of ``row`` back by whole days into a world that is over before it, to its begin at most.

    What follows a truncation has a value, and that is asked of what the viewer would have met: rooms that are live. A
    gift that had arrived before the visit still has.
    """
    s = session.visit[row]
    late_s = SECONDS_PER_DAY * np.ceil((s.time_s - end_s + 1) / SECONDS_PER_DAY)
    late_s = min(late_s, s.time_s - begin_s)
    s.time_s -= late_s
    s.start_s = s.time_s
    for past in range(session.arrives_s.shape[1]):
        session.arrives_s[row, past] -= late_s
