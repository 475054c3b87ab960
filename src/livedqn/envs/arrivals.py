"""Who visits, and when: the sessions that rows begin. Everything is keyed by the seed, the row and its episode."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from livedqn.envs import keyed
from livedqn.envs.acquaintances import meet
from livedqn.envs.behaviour import sigmoid
from livedqn.envs.clock import demand
from livedqn.envs.columns import HIGH
from livedqn.envs.elementary import exp, log
from livedqn.envs.keyed import Purpose
from livedqn.envs.listing import Listing, bin_from
from livedqn.envs.sessions import AGE_GROUPS, GENDERS, TASTE, Sessions
from livedqn.envs.tags import give_tags
from livedqn.envs.timetable import Timetable
from livedqn.envs.viewers import Viewers
from livedqn.kernel import formula, kernel
from livedqn.types import FloatArray, IntArray

#: Sessions begin at least so long before the timetable ends, so that hardly one is cut off.
LAST_CALL_S = 4 * 3600
#: ``acquaintance`` is a share of all streamers, or of so many where there are more: nobody knows thousands.
FAMILIAR_STREAMERS = 400
_CERTAIN = 1 - 1e-9  # of which a logarithm can be taken
_TEMPER = 4  # normal numbers of a viewer beside those of each topic: of temper, and the noise of past clicks


class Shares(NamedTuple):
    """How often each of n things happens, to draw one by a uniform number without a search."""

    until: FloatArray  # (n,) float64, cumulative; the last is 1
    guide: IntArray  # (n,) int64, where to begin to look for i / n (Chen and Asau, 1974)

    @classmethod
    def of(cls, weights: FloatArray) -> Shares:
        """In proportion to ``weights`` (n,), of which some are above 0."""
        until = np.cumsum(weights) / weights.sum()
        until[np.flatnonzero(weights)[-1] :] = 1
        return cls(until, np.searchsorted(until, np.arange(len(until)) / len(until)))


class Arrivals(NamedTuple):
    """The visits to one world of bins and N viewers."""

    keys: keyed.Keys  # (3,), of sessions, viewers and acquaintances
    lengths_s: FloatArray  # (bins,) float64
    by_demand: Shares  # of sessions that begin in each bin
    streamers: int
    past_sessions: FloatArray  # (N,) float32, of every viewer
    by_visits: Shares  # of visits that each viewer makes
    # where the draws of one viewer's traits are made
    states: keyed.Keys  # (n,)
    normal: FloatArray  # (2 n,) float32

    @classmethod
    def to(cls, seed: int, timetable: Timetable, viewers: Viewers, topics: int, streamers: int) -> Arrivals:
        """The visits of ``viewers`` to the world of ``seed``."""
        purposes = np.array([Purpose.SESSION, Purpose.VIEWER, Purpose.ACQUAINTANCE])
        lengths_s = np.diff(timetable.starts_s, append=timetable.end_s)
        pairs = (2 * topics + _TEMPER + 1) // 2
        return cls(
            keyed.key(seed, purposes), lengths_s, _by_demand(timetable, lengths_s), streamers,
            *_population(seed, viewers),
            np.zeros(pairs, np.uint64), np.zeros(2 * pairs, np.float32),
        )  # fmt: skip


@kernel
def begin(
    rows: IntArray, distinct: int, session: Sessions, listing: Listing, arrivals: Arrivals, viewers: npt.NDArray[Any]
) -> None:  # fmt: skip
    """Let ``rows`` (n,) of ``session`` begin their next episode: another viewer at another time.

    Rows ``distinct`` apart get the same one, with the same luck.
    """
    v = viewers[0]
    sessions, traits, acquaintances = arrivals.keys
    for row in rows:
        s = session.visit[row]
        s.episode += 1
        session.ended[row] = session.left[row] = False
        s.key = keyed.hashed(keyed.hashed(sessions, np.uint64(row % distinct)), np.uint64(s.episode))
        s.viewer = _drawn(arrivals.by_visits, keyed.share_of(keyed.bits_at(s.key, 0)))
        now = _drawn(arrivals.by_demand, keyed.share_of(keyed.bits_at(s.key, 1)))
        s.time_s = listing.starts_s[now] + arrivals.lengths_s[now] * keyed.share_of(keyed.bits_at(s.key, 2))
        s.bin = bin_from(now, s.time_s, listing)
        s.start_s = s.home_s = s.time_s
        s.activity = arrivals.past_sessions[s.viewer]
        s.boredom = s.past_requests = s.requests = s.shown = s.clicked = s.watched_min = s.since_shown = s.ignored = 0
        session.history[row] = 0
        session.arrives_s[row] = 0
        viewer = np.uint64(s.viewer)
        _give_traits(row, keyed.hashed(traits, viewer), session, arrivals, v)
        _give_acquaintances(row, keyed.hashed(acquaintances, viewer), session, arrivals, v)


@formula
def _drawn(shares: Shares, u: float) -> Any:
    """The first thing whose cumulative share is not below ``u``, uniform in (0, 1)."""
    i = shares.guide[int(u * len(shares.guide))]
    while shares.until[i] < u:
        i += 1
    return i


@formula
def _give_traits(row: int, key: Any, session: Sessions, arrivals: Arrivals, v: Any) -> None:
    """Tastes and tags, temper and demographics: the same whenever this viewer comes."""
    s, topics = session.visit[row], session.tastes.shape[2] - 1
    states, z = arrivals.states, arrivals.normal
    pairs = len(states)
    keyed.begin_stream(states, 0, pairs, key)
    keyed.finalise(states, pairs)
    for i in range(pairs):
        z[i], z[pairs + i] = keyed.normals_of(states[i])
    for topic in range(topics):
        session.tastes[row, TASTE, 1 + topic] = z[topic]
    give_tags(row, z[topics : 2 * topics], session, v)
    openness, patience, generosity, noise = z[2 * topics : 2 * topics + _TEMPER]
    s.openness = v.click_openness_sd * openness
    s.patience = v.leave_patience_sd * patience
    s.generosity = v.gift_viewer_sd * generosity
    # the share of past clicks is known the better the more sessions there were; one session weighs like the prior
    s.past_clicks = sigmoid(v.click_bias + s.openness + noise / np.sqrt(1 + s.activity))
    age, gender = keyed.shares_of(keyed.bits_at(key, pairs))
    s.age_group = 1 + np.int64(age * AGE_GROUPS)
    s.gender = 1 + np.int64(gender * GENDERS)


@formula
def _give_acquaintances(row: int, key: Any, session: Sessions, arrivals: Arrivals, v: Any) -> None:
    """Streamers whom the viewer has watched before, and for how long.

    Each of M streamers is known with the same chance, so the gaps between the numbers of two who are known are
    geometric: draws for those alone, not for all. Where not all M can be remembered, the chance is at most what makes
    half of that on average, so that the last numbers are not left out.
    """
    of, streamers = session.acquaintances, arrivals.streamers
    most = of.known.shape[1] - 1
    of.met[row] = 0
    share = v.acquaintance * log(1 + session.visit[row].activity) * min(FAMILIAR_STREAMERS / streamers, 1.0)
    chance = min(share, _CERTAIN if streamers <= most else most / (2 * streamers))
    if chance <= 0:
        return
    strangers = np.log1p(-chance)
    number, drawn = 0, 0
    while of.met[row] < most:
        gap, _ = keyed.shares_of(keyed.bits_at(key, 2 * drawn))
        number += 1 + int(min(log(gap) / strangers, streamers))
        if number > streamers:
            return
        minutes = exp(v.affinity_log_sd * keyed.normal_of(keyed.bits_at(key, 2 * drawn + 1)))
        of.known[row, meet(row, number, of)].affinity_min = v.affinity_median_min * minutes
        drawn += 1


@lru_cache(maxsize=32)
def _population(seed: int, viewers: Viewers) -> tuple[FloatArray, Shares]:
    """Past sessions of every viewer, (N,) float32, and the shares of visits that they make."""
    z = keyed.normal(keyed.key(seed, Purpose.ACTIVITY, np.arange(viewers.population)), 1)[:, 0]
    sessions = np.floor(viewers.sessions_median * np.exp(viewers.sessions_log_sd * z))
    sessions = np.minimum(sessions, HIGH)
    return sessions.astype(np.float32), Shares.of(1 + sessions)


def _by_demand(timetable: Timetable, lengths_s: FloatArray) -> Shares:
    """The shares of sessions that begin in each bin; none while no room is live or after the last call."""
    weights = demand(timetable.starts_s) * lengths_s
    for wanted in (timetable.count > 0, timetable.starts_s < timetable.end_s - LAST_CALL_S):
        if (weights * wanted).any():  # a small or short timetable may have no such bin
            weights = weights * wanted
    return Shares.of(weights)
