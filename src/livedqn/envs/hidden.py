"""What an oracle is told of the present request, which no policy can see.

Tastes, quality, openness, boredom and moments; not how generous a viewer is.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from livedqn.envs import behaviour
from livedqn.envs.acquaintances import STRANGER
from livedqn.envs.listing import Listing
from livedqn.envs.moments import is_moment, window_bits
from livedqn.envs.payoff import Payoff, of_click
from livedqn.envs.retrieval import Served
from livedqn.envs.sessions import TASTE, Sessions
from livedqn.kernel import formula, kernel
from livedqn.types import FloatArray

#: What a stranger has been watched, in minutes, and how weary of them one is.
_NONE: Any = np.float32(0)


class Hidden(NamedTuple):
    """The state of B rows as the simulator itself keeps it: read it, and do not write."""

    sessions: Sessions
    served: Served
    listing: Listing
    quality: FloatArray  # (M + 1,) float32, of every streamer
    viewers: npt.NDArray[Any]  # the one record of the settings
    max_requests: int


@kernel
def expect(
    session: Sessions, served: Served, listing: Listing, quality: FloatArray, viewers: npt.NDArray[Any],
    payoff: Payoff, chance: FloatArray, score: FloatArray,
) -> None:  # fmt: skip
    """Write the chance of a click on every candidate, and how much more reward it brings than *nothing*, (B, K) each.

    *Nothing* itself has 0 of both; what is no room has no chance and a score of -inf.
    """
    for row in range(len(score)):
        chance[row] = score[row, 0] = 0
        score[row, 1:] = -float("inf")
        for k in range(1, served.rooms[row] + 1):
            chance[row, k], score[row, k] = expected(row, k, session, served, listing, quality, viewers[0], payoff)


@formula
def expected(
    row: int, k: int, session: Sessions, served: Served, listing: Listing, quality: FloatArray, v: Any, payoff: Payoff
) -> Any:  # fmt: skip
    """The chance of a click on candidate ``k`` of ``row``, and the reward of showing it less that of *nothing*."""
    s, place, at = session.visit[row], served.place[row, k], served.known_at[row, k]
    room, last = listing.rooms_live[s.bin, place], listing.live[s.bin] - 1
    crowd = (last - place) / max(last, 1)
    taste, good = session.tastes[row, TASTE, room.topic], quality[room.streamer]
    if at == STRANGER:  # as most are; then two of the equations are known beforehand
        fit, weary = behaviour.fit(taste, good, _NONE, v), _NONE
    else:
        known = session.acquaintances.known[row, at]
        fit = behaviour.fit(taste, good, known.affinity_min, v)
        weary = behaviour.weariness(s.past_requests - known.shown_at, v)
    entry = listing.rooms[room.room]
    moment = is_moment(window_bits(entry, s.time_s, v), v)
    chance = behaviour.click_chance(fit, crowd, moment, weary, s.openness, s.boredom, v)
    clicked = of_click(moment, fit, entry.ends_s - s.time_s, payoff)
    return chance, chance * clicked + (1 - chance) * payoff.ignored - payoff.nothing
