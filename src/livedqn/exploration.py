"""Exploration: from estimated values to the probabilities with which actions are chosen.

Every class maps q (E, B, K), E estimates of each value, -inf outside the mask (B, K) and for what a policy rules out
within it, to probabilities (B, K) float64 and has no state, so whatever is done can be logged with its propensity. The
platform then mixes in its floor and draws (:func:`draw`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from livedqn.kernel import kernel
from livedqn.protocols import Exploration
from livedqn.request import refuse_no_choice
from livedqn.types import BoolArray, FloatArray, IntArray, LivedqnError

SHAPES = ("linear", "exponential")


@dataclass(frozen=True)
class Schedule:
    """A number that moves from ``start`` to ``end`` within ``steps`` environment steps and then stays.

    ``linear`` moves by equal differences, ``exponential`` by equal ratios (both ends must be positive).
    """

    start: float
    end: float
    steps: float
    shape: str = "linear"

    def __post_init__(self) -> None:
        if self.shape not in SHAPES:
            raise LivedqnError(f"no such schedule as {self.shape!r}; choose one of {', '.join(SHAPES)}")
        if self.steps < 0:
            raise LivedqnError(f"a schedule cannot take steps={self.steps}; choose 0 or more")
        if self.shape == "exponential" and min(self.start, self.end) <= 0:
            raise LivedqnError(
                f"an exponential schedule goes between positive numbers, not from {self.start} to {self.end}"
            )

    def __call__(self, step: int) -> float:
        """The number at environment step ``step``."""
        if step >= self.steps:
            return self.end
        done = step / self.steps
        if self.shape == "exponential":
            return float(self.start * (self.end / self.start) ** done)
        return self.start + (self.end - self.start) * done


class EpsilonGreedy:
    """The best action, but with probability epsilon any allowed one.

    Args:
        start: epsilon at step 0.
        end: epsilon from step ``steps`` on.
        steps: environment steps that epsilon takes from ``start`` to ``end``.
        schedule: linear or exponential.
    """

    def __init__(
        self, *, start: float = 1.0, end: float = 0.05, steps: int = 100_000, schedule: str = "linear"
    ) -> None:
        for name, value in (("start", start), ("end", end)):
            if not 0 <= value <= 1:
                raise LivedqnError(f"exploration epsilon_greedy has {name}={value}; a probability is from 0 to 1")
        self.epsilon = Schedule(start, end, steps, schedule)

    def __call__(self, q: FloatArray, mask: BoolArray, step: int) -> FloatArray:
        """(1 - epsilon) x greedy + epsilon x uniform over the mask; equally good actions share."""
        probabilities = np.empty(mask.shape)
        _epsilon_greedy(q, mask, self.epsilon(step), probabilities)
        return probabilities


class Boltzmann:
    """Actions in proportion to exp(Q / temperature).

    Args:
        start: temperature at step 0, in the units of Q.
        end: temperature from step ``steps`` on.
        steps: environment steps that the temperature takes from ``start`` to ``end``.
        schedule: linear or exponential.
    """

    def __init__(
        self, *, start: float = 1.0, end: float = 0.1, steps: int = 100_000, schedule: str = "exponential"
    ) -> None:
        if not all(0 < temperature < math.inf for temperature in (start, end)):
            raise LivedqnError(
                f"exploration boltzmann has start={start}, end={end}; a temperature is above 0, and finite"
            )
        self.temperature = Schedule(start, end, steps, schedule)

    def __call__(self, q: FloatArray, mask: BoolArray, step: int) -> FloatArray:
        """Softmax over the mask of the mean estimate / temperature."""
        value = _mean(q, mask)
        # relative to the best, so that exp neither overflows nor leaves a row of zeros
        weight = np.exp((value - value.max(axis=-1, keepdims=True)) / self.temperature(step))
        return _normalised(weight)


class UCB:
    """The action with the greatest mean + bonus x standard deviation of an ensemble's estimates.

    Chen et al. 2017, UCB exploration via Q-ensembles, https://arxiv.org/abs/1706.01502, eq. 6.

    Args:
        bonus: standard deviations that are added to the mean.
    """

    min_estimates = 2

    def __init__(self, *, bonus: float = 1.0) -> None:
        if not 0 <= bonus < math.inf:
            raise LivedqnError(
                f"exploration ucb has bonus={bonus}; a negative one shuns what is unknown: choose 0 or more, and finite"
            )
        self.bonus = bonus

    def __call__(self, q: FloatArray, mask: BoolArray, step: int) -> FloatArray:
        """All on the greatest mean + bonus x deviation; equals share."""
        # what is ruled out has no deviation
        spread = np.where(np.isneginf(q), 0, q).std(axis=0, dtype=np.float64)
        return _greedy(_mean(q, mask) + self.bonus * spread)


class Thompson:
    """The best action of one estimate, drawn anew at every request: an action is as probable as it is best.

    Osband et al. 2016, deep exploration via bootstrapped DQN, https://arxiv.org/abs/1602.04621. There a member is
    drawn for a whole episode; here for a request, because a plugin of this kind keeps no state and its probabilities
    are recorded as propensities.
    """

    min_estimates = 2

    def __call__(self, q: FloatArray, mask: BoolArray, step: int) -> FloatArray:
        """The share of estimates in which an action is best; equals share."""
        members: FloatArray = _greedy(np.where(mask, q, -np.inf)).mean(axis=0)
        return members


def require_estimates(exploration: Exploration, estimates: int, remedy: str) -> None:
    """Refuse a policy with too few ``estimates`` of each value; ``remedy`` says where more come from.

    Raises:
        LivedqnError: the exploration needs more.
    """
    if estimates < getattr(exploration, "min_estimates", 1):
        raise LivedqnError(f"exploration {type(exploration).__name__} needs several estimates of a value; {remedy}")


def draw(
    probabilities: FloatArray, mask: BoolArray, floor: float, rng: np.random.Generator
) -> tuple[IntArray, FloatArray]:
    """Draw one action a row, from (1 - floor) x ``probabilities`` + floor x uniform over ``mask``, both (B, K).

    One uniform number a row is used, whatever the probabilities, and an action of probability 0 is never drawn.

    Returns:
        Actions (B,) int64 and their propensities (B,) float64.

    Raises:
        LivedqnError: the probabilities are none: negative, outside the mask, or in rows that do not sum to 1; or a row
            of the mask allows nothing.
    """
    probabilities, rows = np.asarray(probabilities, np.float64), len(mask)
    actions, propensities = np.empty(rows, np.int64), np.empty(rows)
    if probabilities.shape != mask.shape or not _draw(
        probabilities, mask, floor, rng.random(rows), actions, propensities
    ):
        refuse_no_choice(mask, "the environment")
        raise LivedqnError(
            f"the exploration plugin owes probabilities of shape {mask.shape}, zero outside the mask, in rows that sum "
            "to 1; livedqn.testing.check_exploration says which promise it breaks"
        )
    return actions, propensities


@kernel
def _draw(
    probabilities: FloatArray, mask: BoolArray, floor: float, u: FloatArray, actions: IntArray, propensities: FloatArray
) -> bool:
    """False if a row of ``probabilities`` is none; else draws its action with ``u`` (B,) in [0, 1)."""
    for row in range(len(u)):
        total, allowed = 0.0, 0
        for action in range(mask.shape[1]):
            p = probabilities[row, action]
            if not p >= 0 or (p > 0 and not mask[row, action]):  # "not >=" is true of what is no number
                return False
            total += p
            allowed += mask[row, action]
        if not abs(total - 1) <= 1e-4:
            return False
        uniform, total = floor / allowed, 0.0
        for action in range(mask.shape[1]):
            total += (1 - floor) * probabilities[row, action] + uniform * mask[row, action]
        # the same sum, and a strict comparison: an action that adds nothing to the sum is passed over
        below, cumulative, p = u[row] * total, 0.0, 0.0
        for action in range(mask.shape[1]):
            p = (1 - floor) * probabilities[row, action] + uniform * mask[row, action]
            cumulative += p
            if cumulative > below:
                break
        actions[row], propensities[row] = action, p / total
    return True


@kernel
def _epsilon_greedy(q: FloatArray, mask: BoolArray, epsilon: float, probabilities: FloatArray) -> None:
    """(1 - epsilon) x the greatest mean over estimates + epsilon x uniform, both over ``mask``; equals share."""
    estimates, rows, actions = q.shape
    for row in range(rows):
        value = probabilities[row]  # first the values, then what becomes of them
        allowed, best, ties = 0, -np.inf, 0
        for action in range(actions):
            value[action] = 0.0
            if mask[row, action]:
                for estimate in range(estimates):
                    value[action] += q[estimate, row, action] / estimates
                allowed += 1
                if value[action] > best:
                    best, ties = value[action], 0
                ties += value[action] == best
        for action in range(actions):
            is_best = mask[row, action] and value[action] == best
            value[action] = epsilon / allowed if mask[row, action] else 0.0
            if is_best:
                value[action] += (1 - epsilon) / ties


def _mean(q: FloatArray, mask: BoolArray) -> FloatArray:
    mean: FloatArray = np.where(mask, q, -np.inf).mean(axis=0, dtype=np.float64)
    return mean


def _greedy(value: FloatArray) -> FloatArray:
    """All probability on the greatest value of each row; equals share it, so that the order of rooms plays no part."""
    return _normalised(value == value.max(axis=-1, keepdims=True))


def _normalised(weight: FloatArray | BoolArray) -> FloatArray:
    probabilities: FloatArray = weight / weight.sum(axis=-1, keepdims=True, dtype=np.float64)
    return probabilities
