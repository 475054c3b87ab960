"""Oracles: policies that know the simulator's equations and its hidden state. What they earn, a policy might.

``oracle`` looks one request ahead, and ``lookahead`` improves on it by rollouts (Tesauro and Galperin, On-line policy
improvement using Monte-Carlo search, 1996): it tries each promising action in copies of the present state, which then
go on as ``oracle`` would, and takes the one whose copies fare best. It knows how viewers behave, not what they will do.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np

from livedqn.envs import LiveStream
from livedqn.envs.futures import Futures, Limits
from livedqn.envs.hidden import expect
from livedqn.envs.payoff import Payoff
from livedqn.evaluate.policies import Rule, Score
from livedqn.stage import Stage
from livedqn.types import BoolArray, FloatArray, IntArray, Observation


def is_known(stage: Stage) -> bool:
    """Whether there can be an oracle: the environment is our simulator, whatever its rooms."""
    return isinstance(stage.env, LiveStream)


def oracle(stage: Stage) -> Score:
    """How much more immediate reward a room is expected to bring than nothing.

    What a reward pays for leaving is left out. The score is of the stage's present requests, whatever the observation.
    """
    env = _simulator(stage)
    payoff = Payoff.of(stage.reward, env.viewers)
    shape = stage.num_envs, stage.spec.num_actions

    def score(observation: Observation) -> FloatArray:
        chance, found = np.empty((2, *shape), np.float32)
        expect(*env.hidden[:5], payoff, chance, found)
        return found

    return score


class Lookahead:
    """The action with the best mean return among *nothing* and the rooms that ``oracle`` likes best, within the mask.

    Args:
        stage: where it plays.
        rule: of the tuned ``oracle``, by which the copies go on.
        seed: of the copies' luck, which has nothing to do with that of ``stage``.
        rooms: how many are tried.
        copies: for each action; the same luck for all actions.
        horizon: requests that a copy lives, the present one included.
    """

    def __init__(
        self, stage: Stage, rule: Rule, seed: int, *, rooms: int = 3, copies: int = 48, horizon: int = 20
    ) -> None:  # fmt: skip
        self._score, self._env = oracle(stage), _simulator(stage)
        self._rng = np.random.default_rng(seed)
        self._shape = stage.num_envs, min(rooms, stage.spec.num_actions - 1), copies
        self._horizon = horizon
        caps = [cap for cap in (rule.max_shown_per_session, stage.cap.max_shown_per_session) if cap is not None]
        self._limits = Limits(rule.threshold, min(caps, default=np.inf), stage.cap.max_share_shown)
        self._payoff = Payoff.of(stage.reward, self._env.viewers)

    @cached_property
    def _futures(self) -> Futures:
        """Made when a world has begun."""
        num_envs, rooms, copies = self._shape
        return Futures(self._env.hidden, self._payoff, self._limits, num_envs * (1 + rooms) * copies)

    def reset(self, rows: BoolArray) -> None:
        """Remembers nothing."""

    def __call__(self, observation: Observation) -> IntArray:
        """One action a row, (B,)."""
        num_envs, rooms, copies = self._shape
        scores = np.where(observation["mask"], self._score(observation), -np.inf)
        best = 1 + np.argsort(-scores[:, 1:], axis=1, kind="stable")[:, :rooms]
        allowed = np.take_along_axis(observation["mask"], best, axis=1)
        actions = np.concatenate([np.zeros((num_envs, 1), np.int64), np.where(allowed, best, 0)], axis=1)
        luck = self._rng.integers(2**64, size=(num_envs, 1, copies), dtype=np.uint64)
        form = num_envs, 1 + rooms, copies
        returns = self._futures.returns(
            self._env.hidden,
            np.repeat(np.arange(num_envs), (1 + rooms) * copies),
            np.repeat(actions.ravel(), copies),
            np.broadcast_to(luck, form).ravel(),
            self._horizon,
        ).reshape(form)
        means = np.where(np.take_along_axis(observation["mask"], actions, axis=1), returns.mean(axis=2), -np.inf)
        chosen = means.argmax(axis=1)  # the first of equals: nothing before rooms
        return np.asarray(actions[np.arange(num_envs), chosen])


def _simulator(stage: Stage) -> LiveStream:
    assert isinstance(stage.env, LiveStream)
    return stage.env
