"""Who makes the logs: a policy, and how much it explores; how it collects, and how it plays beside what learned."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from livedqn import checkpoint
from livedqn.evaluate.policies import Agent, hottest
from livedqn.types import BoolArray, FloatArray, Observation, Spec


@dataclass(frozen=True)
class Behaviour:
    """``epsilon`` of its actions are uniform over the mask.

    Args:
        policy: random or hottest; or a policy.ckpt.
    """

    policy: str
    epsilon: float

    def words(self, env: Sequence[str], impressions: int, seed: int, out: Path) -> list[str]:
        """The command that collects so many of its impressions."""
        is_learned = self.policy.endswith(".ckpt")
        who = [f"checkpoint={self.policy}"] if is_learned else [*env, f"policy={self.policy}"]
        explored = [f"exploration.start={self.epsilon}", f"exploration.end={self.epsilon}", "exploration_floor=0"]
        how_many = [f"steps={impressions}", f"seed={seed}", f"out={out}"]
        return [sys.executable, "-m", "livedqn", "collect", *who, *explored, *how_many]

    def agent(self, spec: Spec) -> Agent:
        """To be played in a comparison."""
        return Explored(checkpoint.load(self.policy) if self.policy.endswith(".ckpt") else Hottest(spec), self.epsilon)


class Hottest:
    """Values rooms by their viewers, and *nothing* 0: what ``collect policy=hottest`` goes by."""

    def __init__(self, spec: Spec) -> None:
        score = hottest(spec)
        assert score is not None
        self._score = score

    def policy_values(self, observation: Observation) -> FloatArray:
        """(1, B, K)."""
        found = np.array(self._score(observation), np.float32)
        found[:, 0] = 0
        return np.where(observation["mask"], found, -np.inf)[None]

    def preferences(self, q: FloatArray) -> FloatArray:
        """The values."""
        preferred: FloatArray = q.mean(axis=0)
        return preferred

    def myopic_values(self, observation: Observation) -> FloatArray | None:
        """None: it has no twin."""
        return None

    def discount_of(self, elapsed_s: FloatArray) -> FloatArray:
        """It looks nowhere, and values are none of returns."""
        return np.zeros_like(elapsed_s)


@dataclass
class Explored:
    """``of``, but with probability ``epsilon`` any allowed action."""

    of: Agent
    epsilon: float
    _rng: np.random.Generator = field(default_factory=lambda: np.random.default_rng(0))
    _mask: BoolArray = field(default_factory=lambda: np.zeros((0, 0), np.bool_))  # of the newest observation

    def policy_values(self, observation: Observation) -> FloatArray:
        """Those of ``of``."""
        self._mask = observation["mask"]
        return self.of.policy_values(observation)

    def preferences(self, q: FloatArray) -> FloatArray:
        """Those of ``of``; in some rows random numbers, where the action is allowed."""
        luck = np.where(self._mask, self._rng.random(q.shape[1:]), -np.inf)
        explores = self._rng.random(len(luck)) < self.epsilon
        return np.where(explores[:, None], luck, self.of.preferences(q))

    def myopic_values(self, observation: Observation) -> FloatArray | None:
        """None: it is no contestant of its own."""
        return None

    def discount_of(self, elapsed_s: FloatArray) -> FloatArray:
        """That of ``of``."""
        return self.of.discount_of(elapsed_s)
