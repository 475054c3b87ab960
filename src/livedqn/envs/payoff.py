"""What any reward is worth on average, by the simulator's own equations: draws of what viewers do, and their reward."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch

from livedqn.envs import behaviour
from livedqn.envs.impression import SIGNALS
from livedqn.envs.viewers import Viewers
from livedqn.kernel import formula
from livedqn.protocols import Reward
from livedqn.rewards import Engagement
from livedqn.types import FloatArray, Signals

#: The grid of fits, in units of taste; beyond its ends the nearer end counts.
FIT_LOW, FIT_STEP, FITS = -5.0, 0.125, 105
#: Points of the grid of square roots of seconds until a room ends, from 0 to the longest that anybody watches.
LEFTS = 13
#: Draws of a click at each point, the same for all points: quantiles in a random order, so that heavy tails are met.
DRAWS = 4096


class Payoff(NamedTuple):
    """Expected rewards of a request. Whether the viewer leaves at it, and for how long, is no part of them.

    They are means of draws, so a reward that is mostly rare and large, the plain value of gifts, is expected too low.
    """

    clicked: FloatArray  # (2, FITS, LEFTS) float64, of a room that is clicked, without and with a moment
    root_left_step: float  # between the points of LEFTS
    ignored: float  # of one that is shown and not clicked
    nothing: float
    leaving: float  # what is added where a viewer leaves whom nothing is shown

    @classmethod
    def of(cls, reward: Reward, viewers: Viewers) -> Payoff:
        """Of ``reward``, as ``viewers`` behave."""
        rng = np.random.default_rng(0)
        grid: FloatArray = (np.arange(DRAWS) + 0.5) / DRAWS
        draws = [rng.permutation(grid).astype(np.float32) for _ in range(10)]
        feed, watch, give, like, comment, follow, gives, generous, at_once, late = draws
        feed_s = behaviour.feed_s(_normal(feed), viewers)
        watch_z, give_z, generosity = _normal(watch), _normal(give), viewers.gift_viewer_sd * _normal(generous)

        def mean(shown: bool, left: bool = False, **signals: Any) -> float:
            return float(reward(_signals(feed_s, shown, left, signals)).mean(dtype=np.float64))

        def click(moment: Any, fit: Any, left_s: Any) -> float:
            watch_s = behaviour.watch_s(fit, moment, watch_z, left_s, viewers)
            gift = behaviour.gift_value(watch_s, generosity, gives, give_z, viewers)
            return mean(
                True, clicked=1, watch_s=watch_s,
                liked=like < behaviour.rising_with_fit(viewers.like_share, fit),
                commented=comment < behaviour.rising_with_fit(viewers.comment_share, fit),
                gift_value=gift, gift_delay_s=(gift > 0) * behaviour.gift_delay_s(at_once, late, viewers),
                followed=follow < behaviour.rising_with_fit(viewers.follow_share, fit),
            )  # fmt: skip

        fits = (FIT_LOW + FIT_STEP * np.arange(FITS)).astype(np.float32)
        step = viewers.watch_longest_s**0.5 / (LEFTS - 1)
        lefts = ((step * np.arange(LEFTS)) ** 2).astype(np.float32)
        nothing = mean(False)
        return cls(
            np.array([[[click(moment, fit, left_s) for left_s in lefts] for fit in fits] for moment in (0, 1)]),
            step, mean(True), nothing, mean(False, left=True) - nothing,
        )  # fmt: skip


@formula
def of_click(moment: Any, fit: Any, left_s: Any, payoff: Payoff) -> Any:
    """The expected reward of a click, between the points of the grid (bilinear)."""
    x = min(max((fit - FIT_LOW) * (1 / FIT_STEP), 0.0), FITS - 1.001)
    y = min(np.sqrt(max(left_s, 0.0)) * (1 / payoff.root_left_step), LEFTS - 1.001)
    i, j = int(x), int(y)
    clicked = payoff.clicked[np.int64(moment)]
    low = clicked[i, j] + (y - j) * (clicked[i, j + 1] - clicked[i, j])
    high = clicked[i + 1, j] + (y - j) * (clicked[i + 1, j + 1] - clicked[i + 1, j])
    return low + (x - i) * (high - low)


def _signals(feed_s: FloatArray, shown: bool, left: bool, given: dict[str, Any]) -> Signals:
    """All that a reward may read, (DRAWS,) float32 each: the environment's signals and what the platform adds."""
    known = {"left": left, **given, "shown": shown, "elapsed_s": feed_s + given.get("watch_s", 0)}
    full = np.zeros((len(SIGNALS) + 2, len(feed_s)), np.float32)
    signals = dict(zip((*SIGNALS, "shown", "elapsed_s"), full, strict=True))
    for name, value in known.items():
        signals[name][:] = value
    signals["native"] = Engagement()(signals)
    return signals


def _normal(shares: FloatArray) -> FloatArray:
    """The standard normal quantiles of ``shares``, float32."""
    quantiles: FloatArray = torch.special.ndtri(torch.from_numpy(shares).double()).float().numpy()
    return quantiles
