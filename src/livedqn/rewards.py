"""The rewards that come with livedqn: what a request was worth, as a function of what the viewer then did.

Signals arrive as (B,) float32 by name, with the unit in the name (``watch_s`` is seconds); a reward is (B,) float32.
None of them forgets: an impression is judged by its own signals alone, and what it does to the rest of the session is
for Q-learning to find out.
"""

from __future__ import annotations

from math import isfinite

import numpy as np

from livedqn.types import FloatArray, LivedqnError, Signals

SECONDS_PER_MINUTE = 60


class Native:
    """The environment's own reward, unchanged."""

    signals: tuple[str, ...] = ("native",)

    def __call__(self, signals: Signals) -> FloatArray:
        """``native``."""
        return np.asarray(signals["native"], np.float32)


class Engagement:
    """Points for a click, for a long watch and for a like.

    Args:
        click: points for a click.
        watch: points for watching longer than ``watch_threshold_s``.
        watch_threshold_s: seconds; a watch of exactly this length earns nothing.
        like: points for a like.
    """

    signals: tuple[str, ...] = ("clicked", "watch_s", "liked")

    def __init__(
        self, *, click: float = 1.0, watch: float = 2.0, watch_threshold_s: float = 300.0, like: float = 3.0
    ) -> None:
        self.click = click
        self.watch = watch
        self.watch_threshold_s = watch_threshold_s
        self.like = like

    def __call__(self, signals: Signals) -> FloatArray:
        """click x clicked + watch x [watch_s > threshold] + like x liked."""
        watched_long = signals["watch_s"] > self.watch_threshold_s
        reward: FloatArray = self.click * signals["clicked"] + self.watch * watched_long + self.like * signals["liked"]
        return reward.astype(np.float32)


class WatchTime:
    """Minutes watched, so that a return is the minutes of a session."""

    signals: tuple[str, ...] = ("watch_s",)

    def __call__(self, signals: Signals) -> FloatArray:
        """watch_s / 60."""
        return (signals["watch_s"] / SECONDS_PER_MINUTE).astype(np.float32)


class Weighted:
    """The sum of signals times weights; a negative weight is a price (``shown: -0.1``: of every injection).

    Args:
        weights: signal name -> points per unit of it. The environment's signals, and ``shown`` (1 if a room was
            recommended), ``elapsed_s`` and ``native`` (the environment's own reward).

    Raises:
        LivedqnError: no weight is given, or one is not finite.
    """

    def __init__(self, weights: dict[str, float]) -> None:
        if not weights:
            raise LivedqnError("reward weighted has no weights; name signals, such as reward.weights.clicked=1")
        for name, weight in weights.items():
            if not isfinite(weight):
                raise LivedqnError(f"reward weighted has weights.{name}={weight}; choose a finite number")
        self.weights = dict(weights)
        self.signals: tuple[str, ...] = tuple(weights)

    def __call__(self, signals: Signals) -> FloatArray:
        """The sum of weight x signal."""
        reward: FloatArray = np.sum(
            [weight * signals[name] for name, weight in self.weights.items()], axis=0, dtype=np.float32
        )
        return reward
