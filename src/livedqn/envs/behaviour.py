"""What a viewer does with a recommendation: one phenomenon a function, of numbers in a kernel or of arrays of (B,)."""

from __future__ import annotations

import numpy as np

from livedqn.envs import keyed
from livedqn.envs.elementary import exp, log
from livedqn.envs.keyed import PLATFORM, Purpose
from livedqn.envs.viewers import Viewers
from livedqn.kernel import formula
from livedqn.types import BoolArray, FloatArray

CLICKED_FIT = 1.5  # about the fit of rooms clicked under a random policy, weighted by what they bring
_LN2, _ONE = np.log(2), np.float32(1)
GIFT_AFTER_S = 600.0  # gifts and purchases usually need more than ten minutes of watching


def quality(streamers: int, viewers: Viewers) -> FloatArray:
    """How good each streamer is, (M + 1,) float32, hidden and the same in every world; number 0 is nobody."""
    z = keyed.normal(keyed.key(PLATFORM, Purpose.QUALITY, np.arange(streamers + 1)), 1)[:, 0]
    spread: FloatArray = (viewers.quality_sd * z).astype(np.float32)
    return spread


@formula
def fit(taste: FloatArray, quality: FloatArray, affinity_min: FloatArray, viewers: Viewers) -> FloatArray:
    """How well a room suits a viewer."""
    suits: FloatArray = taste + quality + viewers.familiarity * log(1 + affinity_min / 10)
    return suits


@formula
def weariness(requests_ago: FloatArray, viewers: Viewers) -> FloatArray:
    """1 for a streamer shown at the request before, halving with time, 0 for one never shown."""
    weary: FloatArray = exp(_LN2 * (1 - requests_ago) / viewers.weariness_requests)
    return weary


@formula
def click_chance(
    fit: FloatArray, crowd: FloatArray, moment: BoolArray, weariness: FloatArray, openness: FloatArray,
    boredom: FloatArray, viewers: Viewers,
) -> FloatArray:  # fmt: skip
    """Probability of a click.

    ``crowd`` is the room's heat rank among the live ones, 0 coldest to 1 hottest; ``moment`` says whether it has a
    moment.
    """
    return sigmoid(
        viewers.click_bias
        + viewers.click_fit * fit
        + viewers.click_crowd * (crowd - 0.5)
        + viewers.click_moment * moment
        + openness
        - viewers.click_boredom * boredom
        - viewers.click_weariness * weariness
    )


@formula
def watch_s(fit: FloatArray, moment: BoolArray, z: FloatArray, left_s: FloatArray, viewers: Viewers) -> FloatArray:
    """Seconds watched after a click: lognormal, until the room ends (in ``left_s``) or the viewer has enough."""
    log_s = log(viewers.watch_median_s) + viewers.watch_fit * fit + viewers.watch_moment * moment
    log_s += viewers.watch_log_sd * z
    longest_s = np.minimum(np.maximum(left_s, 1.0), viewers.watch_longest_s)
    seconds: FloatArray = np.minimum(exp(log_s), longest_s)
    return seconds


@formula
def rising_with_fit(share: float, fit: FloatArray) -> FloatArray:
    """The chance of a like, a comment or a follow after a click: ``share`` at the fit of a clicked room."""
    odds = share / max(1 - share, 1e-9) * exp(fit - CLICKED_FIT)
    chance: FloatArray = odds / (1 + odds)
    return chance


@formula
def gift_value(
    watched_s: FloatArray, generosity: FloatArray, u: FloatArray, z: FloatArray, viewers: Viewers
) -> FloatArray:
    """What is given: rare, heavy-tailed, most of it by a few viewers, and only by those who stay."""
    gives = (watched_s >= GIFT_AFTER_S) & (u < viewers.gift_share)
    value: FloatArray = gives * viewers.gift_median * exp(generosity + viewers.gift_log_sd * z)
    return value


@formula
def gift_delay_s(u: FloatArray, w: FloatArray, viewers: Viewers) -> FloatArray:
    """Seconds from an impression (as was measured) to its gift: none for some, Weibull for the others.

    ``u`` and ``w`` are uniform in (0, 1).
    """
    later: FloatArray = viewers.gift_delay_scale_s * exp(log(-log(w)) / viewers.gift_delay_shape)
    return (u >= viewers.gift_at_once) * later


@formula
def bored(boredom: FloatArray, irrelevant: BoolArray, good: BoolArray, viewers: Viewers) -> FloatArray:
    """Boredom after a request: an irrelevant room adds to it, a good one takes away, and the feed lets it fade."""
    after = viewers.boredom_kept * boredom + viewers.bored_by_irrelevant * irrelevant - viewers.pleased_by_good * good
    bounded: FloatArray = np.maximum(after, -1.0)  # nobody is pleased without bound
    return bounded


@formula
def leave_chance(boredom: FloatArray, feed_s: FloatArray, patience: FloatArray, viewers: Viewers) -> FloatArray:
    """Probability of closing the app after a request, with ``feed_s`` seconds of this session spent in the feed.

    Watching does not count: a good room never raises the hazard.
    """
    hours = feed_s / 3600
    return sigmoid(viewers.leave_bias + viewers.leave_boredom * boredom + viewers.leave_hour * hours - patience)


@formula
def feed_s(z: FloatArray, viewers: Viewers) -> FloatArray:
    """Seconds in the feed until the next request."""
    seconds: FloatArray = viewers.feed_median_s * exp(viewers.feed_log_sd * z)
    return seconds


@formula
def sigmoid(x: FloatArray) -> FloatArray:
    """1 / (1 + exp(-x)), of any size of x."""
    share: FloatArray = _ONE / (_ONE + exp(-x))
    return share
