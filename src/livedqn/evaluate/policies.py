"""The policies that are compared: ours, and baselines worth beating."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import numpy as np

from livedqn.actor import best
from livedqn.types import BoolArray, FloatArray, IntArray, Observation, Spec

#: Scores every action of an observation, (B, K); column 0, *nothing*, is not looked at.
Score = Callable[[Observation], FloatArray]
#: A threshold that every score reaches.
ALWAYS = float("-inf")


class Agent(Protocol):
    """What evaluation needs of an agent."""

    def policy_values(self, observation: Observation) -> FloatArray:
        """Values in the reward's own unit, (E, B, K), -inf for what its policy does not choose from."""
        ...

    def preferences(self, q: FloatArray) -> FloatArray:
        """What its policy goes by, (B, K), where these are the values."""
        ...

    def myopic_values(self, observation: Observation) -> FloatArray | None:
        """Expected immediate rewards, (B, K), or None where no myopic network was trained."""
        ...

    def discount_of(self, elapsed_s: FloatArray) -> FloatArray:
        """The discount of each step, (B,)."""
        ...


class Greedy:
    """The action that the agent prefers; ``value`` is what it expects of that action.

    Raises:
        LivedqnError: its values are not finite; a policy that has lost its numbers is no policy that shows nothing.
    """

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self.value: FloatArray = np.zeros(0, np.float32)

    def reset(self, rows: BoolArray) -> None:
        """Remembers nothing."""

    def __call__(self, observation: Observation) -> IntArray:
        """One action a row, (B,)."""
        q = self._agent.policy_values(observation)
        actions = best(self._agent.preferences(q))
        self.value = q.mean(axis=0)[np.arange(len(actions)), actions]
        return actions


class Random:
    """Any allowed action, all alike."""

    def __init__(self, seed: int) -> None:
        self._rng = np.random.default_rng(seed)

    def reset(self, rows: BoolArray) -> None:
        """Remembers nothing."""

    def __call__(self, observation: Observation) -> IntArray:
        """One action a row, (B,)."""
        # drawn at full width, so that no row's luck depends on another's mask
        luck = np.where(observation["mask"], self._rng.random(observation["mask"].shape), -1.0)
        return np.asarray(luck.argmax(axis=1), np.int64)


@dataclass(frozen=True)
class Rule:
    """When a baseline shows its best room: if its score reaches ``threshold``, up to a cap a session (None: no cap)."""

    threshold: float = ALWAYS
    max_shown_per_session: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain Python, as checkpoints store it."""
        return asdict(self)

    @classmethod
    def from_dict(cls, state: Mapping[str, Any]) -> Rule:
        """The inverse of :meth:`to_dict`."""
        return cls(float(state["threshold"]), state["max_shown_per_session"])


class ShowIf:
    """The allowed room with the highest score, if its row's rule lets it.

    Args:
        score: of the rooms.
        rules: one a row, B.
    """

    def __init__(self, score: Score, rules: Sequence[Rule]) -> None:
        self._score = score
        self._threshold = np.array([rule.threshold for rule in rules])
        caps = [rule.max_shown_per_session for rule in rules]
        self._most = np.array([np.inf if cap is None else cap for cap in caps])
        self._shown = np.zeros(len(rules), np.int64)

    def reset(self, rows: BoolArray) -> None:
        """A new session of these rows, with a fresh cap."""
        self._shown[rows] = 0

    def __call__(self, observation: Observation) -> IntArray:
        """One action a row, (B,), 0 where it shows nothing."""
        room, score = best_room(self._score(observation), observation["mask"])
        show = np.isfinite(score) & (score >= self._threshold) & (self._shown < self._most)
        self._shown += show
        return np.where(show, room, 0)


def best_room(scores: FloatArray, mask: BoolArray) -> tuple[IntArray, FloatArray]:
    """The allowed room with the highest score (B,), and that score; -inf where no room is allowed."""
    allowed = np.where(mask[:, 1:], scores[:, 1:], -np.inf)
    room = allowed.argmax(axis=1)
    return room + 1, allowed[np.arange(len(room)), room]


def hottest(spec: Spec) -> Score | None:
    """Heat: viewers now. None where no column has that role."""
    heat = spec.column("candidates", "heat")
    return None if heat is None else lambda observation: observation["candidates"][:, :, heat]


def favourite(spec: Spec) -> Score | None:
    """Affinity: this viewer's past minutes with the streamer; among equals the hotter room goes before.

    None where no column has that role.
    """
    affinity, heat = spec.column("candidates", "affinity"), spec.column("candidates", "heat")
    if affinity is None:
        return None

    def score(observation: Observation) -> FloatArray:
        minutes = observation["candidates"][:, :, affinity].astype(np.float64)
        if heat is None:
            return minutes
        viewers = observation["candidates"][:, :, heat].astype(np.float64)
        # below one second, so that heat decides between equal minutes only
        return minutes + 0.01 * viewers / (1 + viewers)

    return score


def myopic(agent: Agent, observation: Observation) -> Score | None:
    """How much more immediate reward a room brings than nothing. None where the agent has no myopic network.

    Args:
        agent: that may have learned with discount 0 beside its own values.
        observation: any, to ask whether it has.
    """
    if agent.myopic_values(observation) is None:
        return None

    def score(observation: Observation) -> FloatArray:
        values = agent.myopic_values(observation)
        assert values is not None  # it had a myopic network a moment ago
        return _beyond_nothing(values)

    return score


def better_than_nothing(agent: Agent) -> Score:
    """How much more the agent expects of a room than of nothing."""

    def score(observation: Observation) -> FloatArray:
        return _beyond_nothing(agent.policy_values(observation).mean(axis=0))

    return score


def _beyond_nothing(values: FloatArray) -> FloatArray:
    """``values`` (B, K) less that of *nothing*, where it has one."""
    nothing = values[:, :1]
    return np.asarray(values - np.where(np.isneginf(nothing), 0, nothing))


def always(agent: Agent) -> Score:
    """The agent's own values: with the rule of a baseline, its policy without *nothing*."""
    return lambda observation: agent.policy_values(observation).mean(axis=0)
