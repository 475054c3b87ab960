"""What may follow: copies of an environment's present rows live on by its own equations, with other luck.

No copy learns what will really happen to its original. All draws of a session hang on its key, and every copy is given
another one; only the timetable of the rooms, moments included, is shared. A copy lives to the end of its visit.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from livedqn.envs import behaviour
from livedqn.envs.hidden import Hidden, expected
from livedqn.envs.impression import Outcome, respond
from livedqn.envs.keyed import Keys
from livedqn.envs.listing import Listing
from livedqn.envs.payoff import Payoff
from livedqn.envs.retrieval import AT_ONCE, Race, Served, retrieve
from livedqn.envs.sessions import Sessions
from livedqn.kernel import kernel
from livedqn.types import FloatArray, IntArray


class Limits(NamedTuple):
    """When copies are shown their best room: if its score reaches the threshold, and within both caps of a session."""

    threshold: float
    max_shown: float  # inf = no cap
    max_share: float  # of requests at which a room was shown


class Futures:
    """Copies of ``present`` that are treated greedily, by ``payoff`` within ``limits``, after their first action."""

    def __init__(self, present: Hidden, payoff: Payoff, limits: Limits, size: int) -> None:
        known = present.sessions.acquaintances.known.shape[1] - 1
        topics, width = present.sessions.tastes.shape[2] - 1, present.sessions.history.shape[2]
        self._payoff, self._limits = payoff, limits
        self._sessions = Sessions.empty(size, topics, known, (1, width))  # nobody reads the history
        self._served = Served.empty(size, present.served.place.shape[1] - 1)
        self._outcome = Outcome.empty(size)
        self._every_row = np.arange(size)

    def returns(self, present: Hidden, rows: IntArray, first: IntArray, keys: Keys, horizon: int) -> FloatArray:
        """What ``size`` copies expect over ``horizon`` requests, less a first *nothing*: (size,) float64, undiscounted.

        What varies without need is not drawn: a return adds up expected rewards, and nobody leaves, but each request
        counts as much as its viewer is likely to be still there.

        Args:
            present: the environment now; it stays as it is.
            rows: (size,), the row that each is a copy of.
            first: (size,) int64, each one's action at the present request.
            keys: (size,), the luck of each; equal keys are equal luck.
            horizon: requests, the present one included.
        """
        sessions, served, payoff = self._sessions, self._served, self._payoff
        sessions.copy(present.sessions, rows)
        sessions.visit["key"] = keys
        for mine, theirs in zip(served, present.served, strict=True):
            np.take(theirs, rows, axis=0, out=mine, mode="clip")
        chosen, total = first.copy(), np.zeros(len(rows))
        presence, race = np.ones(len(rows)), Race.of(present.listing.rooms_live.shape[1])
        listing, quality, viewers = present.listing, present.quality, present.viewers
        _score(first, sessions, served, listing, quality, viewers, payoff, total)
        for _ in range(horizon - 1):
            respond(chosen, False, present.max_requests, sessions, served, listing, quality, viewers, self._outcome)
            _stay(sessions, listing, viewers, present.max_requests, payoff, presence, total)
            _go_on(
                self._every_row, sessions, served, listing, quality, viewers, race, payoff, self._limits, chosen,
                presence, total,
            )  # fmt: skip
        return total


@kernel
def _score(
    first: IntArray, session: Sessions, served: Served, listing: Listing, quality: FloatArray,
    viewers: npt.NDArray[Any], payoff: Payoff, total: FloatArray,
) -> None:  # fmt: skip
    """Add the score of each row's first action; that of *nothing* is 0."""
    for row in range(len(first)):
        if first[row] > 0:
            total[row] += expected(row, first[row], session, served, listing, quality, viewers[0], payoff)[1]


@kernel
def _stay(
    session: Sessions, listing: Listing, viewers: npt.NDArray[Any], max_requests: int, payoff: Payoff,
    presence: FloatArray, total: FloatArray,
) -> None:  # fmt: skip
    """Let nobody leave, but lower ``presence`` (B,) by the chance that they do; after the last request it is 0."""
    v = viewers[0]
    for row in range(len(presence)):
        s = session.visit[row]
        in_feed_s = s.time_s - s.start_s - 60 * s.watched_min
        leaves = behaviour.leave_chance(s.boredom, in_feed_s, s.patience, v)
        total[row] += presence[row] * leaves * payoff.leaving
        presence[row] *= 0.0 if s.requests >= max_requests or s.time_s >= listing.end_s else 1 - leaves
        session.left[row] = False


@kernel
def _go_on(
    rows: IntArray, session: Sessions, served: Served, listing: Listing, quality: FloatArray,
    viewers: npt.NDArray[Any], race: Race, payoff: Payoff, limits: Limits, chosen: IntArray, presence: FloatArray,
    total: FloatArray,
) -> None:  # fmt: skip
    """Retrieve the candidates of ``rows``, choose among them, and add what is expected of the choice."""
    for begin in range(0, len(rows), AT_ONCE):
        some = rows[begin : begin + AT_ONCE]
        retrieve(some, session, listing, viewers, race, served)
        for row in some:
            s, best, most = session.visit[row], 0, -float("inf")
            if s.shown < limits.max_shown and s.shown + 1 <= limits.max_share * (s.requests + 1) + 1e-9:
                for k in range(1, served.rooms[row] + 1):
                    score = expected(row, k, session, served, listing, quality, viewers[0], payoff)[1]
                    if score > most:
                        best, most = k, score
            if most < limits.threshold:
                best, most = 0, 0.0
            chosen[row] = best
            total[row] += presence[row] * (payoff.nothing + (most if best > 0 else 0.0))
