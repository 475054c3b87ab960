"""Who visits, and when: the sessions that rows begin. Everything is keyed by the seed, the row and its episode."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from livedqn.envs import keyed
from livedqn.envs.behaviour import sigmoid
from livedqn.envs.clock import demand
from livedqn.envs.keyed import Purpose
from livedqn.envs.listing import Listing, bin_from
from livedqn.envs.sessions import AGE_GROUPS, GENDERS, NEVER, Sessions
from livedqn.envs.timetable import Timetable
from livedqn.envs.viewers import Viewers
from livedqn.kernel import formula, kernel
from livedqn.types import FloatArray, IntArray

#: Sessions begin at least so long before the timetable ends, so that hardly one is cut off.
LAST_CALL_S = 4 * 3600


class Arrivals(NamedTuple):
    """The visits to one world of bins and N viewers."""

    keys: keyed.Keys  # (3,), of sessions, viewers and acquaintances
    lengths_s: FloatArray  # (bins,) float64
    by_demand: FloatArray  # (bins - 1,), cumulative shares of sessions that begin in each bin
    past_sessions: FloatArray  # (N,) float32, of every viewer
    by_visits: FloatArray  # (N - 1,), cumulative shares of visits that each viewer makes

    @classmethod
    def to(cls, seed: int, timetable: Timetable, viewers: Viewers) -> Arrivals:
        """The visits of ``viewers`` to the world of ``seed``."""
        purposes = np.array([Purpose.SESSION, Purpose.VIEWER, Purpose.ACQUAINTANCE])
        lengths_s = np.diff(timetable.starts_s, append=timetable.end_s)
        by_demand = _by_demand(timetable, lengths_s)
        return cls(keyed.key(seed, purposes), lengths_s, by_demand, *_population(seed, viewers))


@kernel
def begin(rows: IntArray, session: Sessions, listing: Listing, arrivals: Arrivals, viewers: npt.NDArray[Any]) -> None:
    """Let ``rows`` (n,) of ``session`` begin their next one: another viewer, at another time, who has seen nothing."""
    v = viewers[0]
    sessions, traits, acquaintances = arrivals.keys
    for row in rows:
        s = session.visit[row]
        s.episode += 1
        session.ended[row] = False
        s.key = keyed.hashed(keyed.hashed(sessions, np.uint64(row)), np.uint64(s.episode))
        s.viewer = np.searchsorted(arrivals.by_visits, keyed.uniform_at(s.key, 0))
        now = np.searchsorted(arrivals.by_demand, keyed.uniform_at(s.key, 1))
        s.time_s = listing.starts_s[now] + arrivals.lengths_s[now] * keyed.uniform_at(s.key, 2)
        s.bin = bin_from(now, s.time_s, listing)
        s.start_s = s.time_s
        s.activity = arrivals.past_sessions[s.viewer]
        s.boredom = s.requests = s.shown = s.clicked = s.watched_min = s.since_shown = s.ignored = 0
        session.history[row] = 0
        viewer = np.uint64(s.viewer)
        _give_traits(row, keyed.hashed(traits, viewer), session, v)
        _give_acquaintances(row, keyed.hashed(acquaintances, viewer), session, v)


@formula
def _give_traits(row: int, key: Any, session: Sessions, v: Any) -> None:
    """Tastes and tags, temper and demographics: the same whenever this viewer comes."""
    s, topics = session.visit[row], session.taste.shape[1] - 1
    drawn = 2 * topics + 3
    blur = np.sqrt(1 - v.tag_accuracy**2)
    for topic in range(topics):
        taste = keyed.normal_at(key, topic, drawn)
        session.taste[row, 1 + topic] = taste
        session.tags[row, 1 + topic] = v.tag_accuracy * taste + blur * keyed.normal_at(key, topics + topic, drawn)
        session.pull[row, 1 + topic] = np.exp(np.float32(v.retrieval_tag) * session.tags[row, 1 + topic])
    s.openness = v.click_openness_sd * keyed.normal_at(key, drawn - 3, drawn)
    s.patience = v.leave_patience_sd * keyed.normal_at(key, drawn - 2, drawn)
    # the share of past clicks is known the better the more sessions there were; one session weighs like the prior
    noise = keyed.normal_at(key, drawn - 1, drawn) / np.sqrt(1 + s.activity)
    s.past_clicks = sigmoid(v.click_bias + s.openness + noise)
    s.age_group = 1 + np.int64(keyed.uniform_at(key, 2 * drawn) * AGE_GROUPS)
    s.gender = 1 + np.int64(keyed.uniform_at(key, 2 * drawn + 1) * GENDERS)


@formula
def _give_acquaintances(row: int, key: Any, session: Sessions, v: Any) -> None:
    """Streamers whom the viewer has watched before, and for how long."""
    limit = keyed.limit(v.acquaintance * np.log1p(session.visit[row].activity))
    met = session.met[row, 1:]
    for number in range(len(met)):
        met[number] = keyed.is_below(key, number, limit)
    for number in range(len(met)):
        if met[number]:
            own = keyed.hashed(keyed.hashed(np.uint64(0), key), np.uint64(number))
            known = session.known[row, 1 + number]
            known.affinity_min = v.affinity_median_min * np.exp(v.affinity_log_sd * keyed.normal_at(own, 0, 1))
            known.shown_at = NEVER


@lru_cache(maxsize=32)
def _population(seed: int, viewers: Viewers) -> tuple[FloatArray, FloatArray]:
    """Past sessions of every viewer, (N,) float32, and the cumulative shares of visits that they make."""
    z = keyed.normal(keyed.key(seed, Purpose.ACTIVITY, np.arange(viewers.population)), 1)[:, 0]
    sessions = np.floor(viewers.sessions_median * np.exp(viewers.sessions_log_sd * z))
    visits = np.cumsum(1 + sessions)
    return sessions.astype(np.float32), visits[:-1] / visits[-1]


def _by_demand(timetable: Timetable, lengths_s: FloatArray) -> FloatArray:
    """The cumulative shares of sessions that begin in each bin; none while no room is live or after the last call."""
    weights = demand(timetable.starts_s) * lengths_s
    for wanted in (timetable.count > 0, timetable.starts_s < timetable.end_s - LAST_CALL_S):
        if (weights * wanted).any():  # a small or short timetable may have no such bin
            weights = weights * wanted
    shares: FloatArray = np.cumsum(weights)[:-1] / weights.sum()
    return shares
