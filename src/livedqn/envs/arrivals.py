"""Who visits, and when: the sessions that rows begin. Everything is keyed by the seed, the row and its episode."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from livedqn.envs import keyed
from livedqn.envs.clock import demand
from livedqn.envs.keyed import Purpose
from livedqn.envs.sessions import AGE_GROUPS, GENDERS, NEVER, Sessions
from livedqn.envs.timetable import Timetable
from livedqn.envs.viewers import Viewers
from livedqn.types import FloatArray, IntArray

#: Sessions begin at least so long before the timetable ends, so that hardly one is cut off.
LAST_CALL_S = 4 * 3600


class Arrivals:
    """The visits to one world.

    Args:
        seed: of the world.
        timetable: of the world.
        viewers: who they are.
    """

    def __init__(self, seed: int, timetable: Timetable, viewers: Viewers) -> None:
        self._seed, self._viewers = seed, viewers
        self._starts_s, self._lengths_s = timetable.starts_s, _lengths(timetable)
        self._by_demand = _by_demand(timetable)
        self._past_sessions, self._by_visits = _population(seed, viewers)

    def begin(self, rows: IntArray, episode: IntArray, sizes: Sessions) -> Sessions:
        """The sessions that ``rows`` (n,) begin as their ``episode``-th, (n,); arrays shaped as those of ``sizes``."""
        topics, streamers = sizes.taste.shape[1] - 1, sizes.affinity_min.shape[1] - 1
        session = Sessions.empty(len(rows), topics, streamers, sizes.history.shape[1:])
        session.episode, session.key = episode, keyed.key(self._seed, Purpose.SESSION, rows, episode)
        which, when, within = keyed.uniform(session.key, 3).T

        session.viewer = np.searchsorted(self._by_visits, which)
        session.activity = self._past_sessions[session.viewer]
        bin_of = np.searchsorted(self._by_demand, when)
        session.time_s = self._starts_s[bin_of] + self._lengths_s[bin_of] * within
        session.start_s = session.time_s.copy()

        _give_traits(session, keyed.key(self._seed, Purpose.VIEWER, session.viewer), self._viewers)
        _give_acquaintances(session, keyed.key(self._seed, Purpose.ACQUAINTANCE, session.viewer), self._viewers)
        session.shown_at[:] = NEVER
        return session


@lru_cache(maxsize=32)
def _population(seed: int, viewers: Viewers) -> tuple[FloatArray, FloatArray]:
    """Past sessions of every viewer, (N,) float32, and the cumulative shares of visits that they make."""
    z = keyed.normal(keyed.key(seed, Purpose.ACTIVITY, np.arange(viewers.population)), 1)[:, 0]
    sessions = np.floor(viewers.sessions_median * np.exp(viewers.sessions_log_sd * z))
    visits = np.cumsum(1 + sessions)
    return sessions.astype(np.float32), visits[:-1] / visits[-1]


def _by_demand(timetable: Timetable) -> FloatArray:
    """The cumulative shares of sessions that begin in each bin; none while no room is live or after the last call."""
    weights = demand(timetable.starts_s) * _lengths(timetable)
    for wanted in (timetable.count > 0, timetable.starts_s < timetable.end_s - LAST_CALL_S):
        if (weights * wanted).any():  # a small or short timetable may have no such bin
            weights = weights * wanted
    shares: FloatArray = np.cumsum(weights)[:-1] / weights.sum()
    return shares


def _lengths(timetable: Timetable) -> FloatArray:
    """Seconds of each bin."""
    return np.diff(timetable.starts_s, append=timetable.end_s)


def _give_traits(session: Sessions, keys: keyed.Keys, viewers: Viewers) -> None:
    """Tastes and tags, temper and demographics: the same whenever this viewer comes."""
    topics = session.taste.shape[1] - 1
    z = keyed.normal(keys, 2 * topics + 3)
    blur = np.sqrt(1 - viewers.tag_accuracy**2)
    session.taste[:, 1:] = z[:, :topics]
    session.tags[:, 1:] = viewers.tag_accuracy * z[:, :topics] + blur * z[:, topics : 2 * topics]
    session.openness[:] = viewers.click_openness_sd * z[:, -3]
    session.patience[:] = viewers.leave_patience_sd * z[:, -2]
    # the share of past clicks is known the better the more sessions there were; one session weighs like the prior
    noise = z[:, -1] / np.sqrt(1 + session.activity)
    session.past_clicks[:] = 1 / (1 + np.exp(-(viewers.click_bias + session.openness + noise)))
    ages, genders = keyed.uniform(keys, 4 * topics + 8)[:, -2:].T
    session.age_group = 1 + (ages * AGE_GROUPS).astype(np.int64)
    session.gender = 1 + (genders * GENDERS).astype(np.int64)


def _give_acquaintances(session: Sessions, keys: keyed.Keys, viewers: Viewers) -> None:
    """Streamers whom the viewer has watched before, and for how long."""
    streamers = session.affinity_min.shape[1] - 1
    chance = viewers.acquaintance * np.log1p(session.activity)
    row, number = np.nonzero(keyed.uniform(keys, streamers) < chance[:, None])
    z = keyed.normal(keyed.key(keys[row], number), 1)[:, 0]
    minutes = viewers.affinity_median_min * np.exp(viewers.affinity_log_sd * z)
    session.affinity_min[row, number + 1] = minutes
