"""What is measured, one function a metric; each is a mean over the episodes of one world.

With R_e, W_e, n_e the sums of reward, of watched seconds and of requests in episode e, and E episodes:

=============== =======================================================================================
return          sum_e R_e / E, undiscounted, in the reward's own unit
click_through   clicks / rooms shown (NaN where none was shown)
watch_minutes   sum_e W_e / 60 E
session_length  sum_e n_e / E, in requests; a game calls it ``length``
share_nothing   requests answered with *nothing* / requests
=============== =======================================================================================
"""

from __future__ import annotations

import numpy as np

from livedqn.evaluate.play import Episodes
from livedqn.types import BoolArray


def mean_return(played: Episodes) -> float:
    """Undiscounted return of an episode."""
    return float(played.steps["reward"].sum(dtype=np.float64) / played.count)


def click_through(played: Episodes, where: BoolArray | None = None) -> float:
    """Clicks per room shown; ``where`` (N,) keeps only those steps."""
    shown = played.action > 0 if where is None else (played.action > 0) & where
    return float(played.steps["clicked"][shown].mean(dtype=np.float64)) if shown.any() else float("nan")


def watch_minutes(played: Episodes) -> float:
    """Minutes watched in an episode."""
    return float(played.steps["watch_s"].sum(dtype=np.float64) / 60 / played.count)


def length(played: Episodes) -> float:
    """Steps of an episode."""
    return len(played.episode) / played.count


def share_nothing(played: Episodes) -> float:
    """Share of requests at which no room was shown."""
    return float((played.action == 0).mean())


def metrics(played: Episodes) -> dict[str, float]:
    """Every metric that the environment's signals allow, by name, in the order of the table."""
    found = {"return": mean_return(played)}
    if "shown" not in played.steps:
        return {**found, "length": length(played)}
    if "clicked" in played.steps:
        found["click_through"] = click_through(played)
    if "watch_s" in played.steps:
        found["watch_minutes"] = watch_minutes(played)
    return {**found, "session_length": length(played), "share_nothing": share_nothing(played)}
