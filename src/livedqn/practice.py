"""How an agent plays and learns from what it did, by one clock: environment steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
from torch import Tensor

from livedqn.experience import Experience
from livedqn.graphs import resolve
from livedqn.learner import Learner
from livedqn.protocols import Batch, Later
from livedqn.transitions import Transitions
from livedqn.types import FloatArray, Observation
from livedqn.watchdog import Watchdog, diverged


class Student(Protocol):
    """What practice needs of an agent; :class:`~livedqn.agent.DQN` says what each of these is."""

    batch_size: int
    warmup_steps: int
    steps_per_update: int
    retrace: float
    reward_scale: Tensor
    learner: Learner
    watchdog: Watchdog
    is_compiled: bool | None

    def discount_of(self, elapsed_s: FloatArray) -> FloatArray:
        """The discount of each step, (B,)."""
        ...

    def acting_values(self, observation: Observation) -> FloatArray:
        """The values to explore by, (E, B, K)."""
        ...

    def fit_transforms(self, experience: Experience) -> None:
        """Fix what the warm-up fixes."""
        ...

    def transitions(self, batch: Batch, later: Later | None = None) -> Transitions:
        """As tensors, on the agent's device."""
        ...

    def update(self, batch: Batch, later: Later | None = None) -> Tensor:
        """Learn from ``batch``; returns sizes of errors, (N,)."""
        ...


class Practice:
    """Where an agent's transitions come from, and how its updates are computed.

    Args:
        experience: plays and remembers.
        compile: "true", "false", or "auto": compile updates and values to act on where that is possible and saves
            time. Decided at the first update, and kept in the learner's state.
        steps: environment steps that are planned; "auto" compiles nothing for a short run.
        tell: takes a line on what was decided.
    """

    def __init__(self, experience: Experience, *, compile: str, steps: int, tell: Callable[[str], None]) -> None:
        self._experience, self._compile, self._planned_steps, self._tell = experience, compile, steps, tell
        self._decided_for: Learner | None = None

    def until(self, agent: Student, steps: int) -> None:
        """Play up to so many environment steps, with the updates that they owe."""
        experience, learner = self._experience, agent.learner
        while experience.steps < steps:
            if experience.steps < agent.warmup_steps or not len(experience.replay):
                experience.collect(None, agent.discount_of)
                if experience.steps >= agent.warmup_steps and len(experience.replay):
                    agent.fit_transforms(experience)
                continue
            if self._decided_for is not learner:
                self._decide(agent)
            experience.collect(agent.acting_values, agent.discount_of)
            while learner.updates < (experience.steps - agent.warmup_steps) // agent.steps_per_update:
                self._learn_once(agent)
        if learner.updates:
            agent.watchdog.expect(experience.progress.return_quantile() * float(agent.reward_scale))
            agent.watchdog.check(learner.updates)

    def _learn_once(self, agent: Student) -> None:
        batch = self._experience.sample(agent.batch_size)
        errors = agent.update(batch, self._later(agent, batch))
        if self._experience.replay.is_prioritised:
            sizes = errors.cpu().numpy()
            if not np.isfinite(sizes).all():  # before they become priorities
                raise diverged(agent.learner.updates, "the loss is not finite")
            self._experience.replay.update_priorities(batch.slots, sizes)

    def _later(self, agent: Student, batch: Batch) -> Later | None:
        return self._experience.replay.later(batch.slots) if agent.retrace else None

    def _decide(self, agent: Student) -> None:
        """Whether to compile: as a resumed run had decided, as the user says, or by what saves time."""
        experience, learner = self._experience, agent.learner
        self._decided_for = learner
        if self._compile == "false" or (self._compile == "auto" and agent.is_compiled is False):
            agent.is_compiled = False
            return
        batch = experience.replay.sample(agent.batch_size, np.random.default_rng(0))
        learner.graphs = resolve(
            learner, agent.transitions(batch, self._later(agent, batch)), experience.observation,
            wish=self._compile, was_compiled=bool(agent.is_compiled), tell=self._tell,
            updates=(self._planned_steps - experience.steps) // agent.steps_per_update,
        )  # fmt: skip
        agent.is_compiled = learner.graphs is not None
