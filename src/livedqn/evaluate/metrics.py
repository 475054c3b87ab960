"""What is measured, one function a metric; each is a mean over the episodes of one world.

With R_e, W_e, n_e the sums of reward, of watched seconds and of requests in episode e, E episodes and V visits (an
episode is one, unless viewers come back):

=============== =======================================================================================
return          sum_e R_e / E, undiscounted, in the reward's own unit
click_through   clicks / rooms shown (NaN where none was shown)
watch_minutes   sum_e W_e / 60 V
session_length  sum_e n_e / V, in requests; a game has ``length``, sum_e n_e / E
share_nothing   requests answered with *nothing* / requests
next_day_return visits of viewers who leave and are back within 36 hours / visits of viewers who leave; only
                where they come back
exposure_gini   sum_i (2 i - n - 1) x_i / n sum_i x_i, where the i-th of n streamers was shown x_i times and
                x_1 <= ... <= x_n: 0 if all are shown alike, near 1 if few have it all. Streamers are those
                on offer at the world's first requests and all that were shown (NaN where none was)
=============== =======================================================================================
"""

from __future__ import annotations

import numpy as np

from livedqn.evaluate.play import Episodes
from livedqn.types import BoolArray, FloatArray, IntArray

#: Seconds from the request at which a viewer leaves to the next visit: the next day, at about the same hour.
NEXT_DAY_S = 36 * 3600.0


def mean_return(played: Episodes) -> float:
    """Undiscounted return of an episode."""
    return float(played.steps["reward"].sum(dtype=np.float64) / played.count)


def click_through(played: Episodes, where: BoolArray | None = None) -> float:
    """Clicks per room shown; ``where`` (N,) keeps only those steps."""
    shown = played.action > 0 if where is None else (played.action > 0) & where
    return float(played.steps["clicked"][shown].mean(dtype=np.float64)) if shown.any() else float("nan")


def watch_minutes(played: Episodes) -> float:
    """Minutes watched in a visit."""
    return float(played.steps["watch_s"].sum(dtype=np.float64) / 60 / played.visit_over.sum())


def session_length(played: Episodes) -> float:
    """Requests of a visit."""
    return len(played.episode) / int(played.visit_over.sum())


def next_day_return(played: Episodes) -> float:
    """Share of those who leave who begin another visit the next day."""
    last = np.zeros(played.count, np.int64)
    last[played.episode] = np.arange(len(played.episode))  # steps of an episode stand in order: the last one stays
    gone = np.zeros(len(played.episode), np.bool_)
    gone[last] = ~played.truncated
    left = played.steps["left"] > 0
    return float(((played.steps["elapsed_s"] < NEXT_DAY_S) & ~gone)[left].mean()) if left.any() else float("nan")


def length(played: Episodes) -> float:
    """Steps of an episode."""
    return len(played.episode) / played.count


def share_nothing(played: Episodes) -> float:
    """Share of requests at which no room was shown."""
    return float((played.action == 0).mean())


def gini(amounts: FloatArray | IntArray) -> float:
    """The Gini coefficient of ``amounts`` (n,), none below 0 and some above."""
    rising = np.sort(amounts)
    n = len(rising)
    return float((2 * np.arange(1, n + 1) - n - 1) @ rising / (n * rising.sum()))


def exposure_gini(played: Episodes) -> float:
    """How unequally the rooms shown are spread over streamers."""
    shown = played.shown["streamer"][played.action > 0]
    if not len(shown):
        return float("nan")
    streamers = np.union1d(played.offered["streamer"], shown)
    return gini(np.bincount(np.searchsorted(streamers, shown), minlength=len(streamers)))


def metrics(played: Episodes) -> dict[str, float]:
    """Every metric that the environment's signals allow, by name, in the order of the table."""
    found = {"return": mean_return(played)}
    if "shown" not in played.steps:
        return {**found, "length": length(played)}
    if "clicked" in played.steps:
        found["click_through"] = click_through(played)
    if "watch_s" in played.steps:
        found["watch_minutes"] = watch_minutes(played)
    found |= {"session_length": session_length(played), "share_nothing": share_nothing(played)}
    if played.comes_back:
        found["next_day_return"] = next_day_return(played)
    if "streamer" in played.shown:
        found["exposure_gini"] = exposure_gini(played)
    return found
