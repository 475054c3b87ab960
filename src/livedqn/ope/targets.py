"""Policies as probabilities of actions."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from livedqn.ope.evidence import Target
from livedqn.types import FloatArray, IntArray, Observation


def certain(act: Callable[[Observation], IntArray]) -> Target:
    """Of a policy that chooses one action a row (B,): probability 1 of that."""

    def probabilities(observation: Observation) -> FloatArray:
        p = np.zeros(observation["mask"].shape)
        p[np.arange(len(p)), act(observation)] = 1
        return p

    return probabilities


def greedy(score: Callable[[Observation], FloatArray]) -> Target:
    """Of the allowed room with the greatest score (B, K), and *nothing* where no room is allowed."""

    def act(observation: Observation) -> IntArray:
        allowed = np.where(observation["mask"][:, 1:], score(observation)[:, 1:], -np.inf)
        return np.where(observation["mask"][:, 1:].any(axis=1), 1 + allowed.argmax(axis=1), 0)

    return certain(act)


def mixed(target: Target, epsilon: float) -> Target:
    """(1 - epsilon) x ``target`` + epsilon x uniform over the mask."""
    if epsilon == 0:
        return target

    def probabilities(observation: Observation) -> FloatArray:
        p: FloatArray = (1 - epsilon) * target(observation) + epsilon * uniform(observation)
        return p

    return probabilities


def uniform(observation: Observation) -> FloatArray:
    """Every allowed action alike."""
    mask = observation["mask"]
    return np.asarray(mask / mask.sum(axis=1, keepdims=True), np.float64)
