"""A policy's mean return on CartPole: the same episodes for everybody. Needs Gymnasium alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gymnasium

EPISODES = 100
#: Of the first episode; no training is seeded like that.
FIRST = 50_000


def mean_return(act: Callable[[Any], int]) -> float:
    """Over 100 episodes; ``act`` takes the observation, (4,) float32."""
    env = gymnasium.make("CartPole-v1")
    total = 0.0
    for episode in range(EPISODES):
        seen, _ = env.reset(seed=FIRST + episode)
        over = False
        while not over:
            seen, reward, terminated, truncated, _ = env.step(act(seen))
            total += float(reward)
            over = terminated or truncated
    return total / EPISODES
