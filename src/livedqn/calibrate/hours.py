"""Hours of the day at which broadcasts start, and how regular a streamer is."""

from __future__ import annotations

import math

import numpy as np

from livedqn.types import FloatArray, IntArray

_DAY_MIN = 24 * 60
#: The lower quartile of |u - v| for u and v uniform in (-1, 1).
_QUARTILE_GAP = 2 - math.sqrt(3)


def jitter(started_s: FloatArray, streamer: IntArray) -> tuple[float, int]:
    """How many hours starts are off the streamer's own hour at most, if uniformly; and of how many gaps.

    Two starts of a streamer are off whole days by the difference of two jitters, whatever the hour of their own. The
    lower quartile of these counts: those of streamers with several hours, or none, are the long ones.

    Args:
        started_s: (R,), of every room.
        streamer: (R,), whose it is.
    """
    order = np.lexsort((started_s, streamer))
    gaps_h = np.diff(started_s[order])[np.diff(streamer[order]) == 0] / 3600
    off = np.abs((gaps_h + 12) % 24 - 12)
    return (float(np.quantile(off, 0.25)) / _QUARTILE_GAP if len(off) else math.nan), len(off)


def own_hours(starts: FloatArray, jitter_h: float, rounds: int = 10) -> FloatArray:
    """How often each hour is a streamer's own, (24,), mean 1, where ``starts`` (24,) are off by ``jitter_h`` at most.

    Undoes the blur (Richardson, Bayesian-based iterative method of image restoration, 1972): shares stay above 0, and
    few rounds leave noise alone.
    """
    minute = np.arange(_DAY_MIN)
    off = (minute - minute[:60, None]) % _DAY_MIN  # every minute's from each of hour 0
    near = np.minimum(off, _DAY_MIN - off) <= round(60 * jitter_h)
    share = near.reshape(60, 24, 60).sum(axis=(0, 2)) / near.sum()  # of starts by hour, where the own hour is 0
    blur = np.stack([np.roll(share, hour) for hour in range(24)], axis=1)
    starts = starts / starts.mean()
    own = np.ones(24)
    for _ in range(rounds):
        own = own * (blur.T @ (starts / (blur @ own)))
    return own
