"""An environment played with random allowed actions: the working part of ``check_env``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from livedqn.testing.answers import Answers, Record
from livedqn.testing.errors import calling, described, expect
from livedqn.testing.kept import Kept
from livedqn.types import BoolArray, IntArray, Spec


def differing(first: Sequence[Record], second: Iterable[Record]) -> str:
    """The names of the arrays in which two runs first differ, or an empty string; it asks for no more of them."""
    for a, b in zip(first, second, strict=False):
        if a.keys() != b.keys():
            return "when rows end"
        names = sorted(name for name in a if not np.array_equal(a[name], b[name]))
        if names:
            return ", ".join(names)
    return ""


class RandomPlayer:
    """Plays ``env`` with random allowed actions and checks the form of all that it answers."""

    def __init__(self, env: Any, spec: Spec) -> None:
        self.rng = np.random.default_rng(0)
        self._env, self._num_actions = env, spec.num_actions
        self._answers = Answers(env.num_envs, env.single_observation_space, spec)
        self._name = type(env).__name__
        self._kept = Kept(env.metadata.get("overwrites") is False)
        self._after = ""  # what was called before, for messages
        self._observation: Record = {}
        self._ids: Record = {}
        self._ended: BoolArray = np.zeros(env.num_envs, np.bool_)
        self._restarts, self._changes = 0, 0
        self._distinct = env.num_envs  # rows so many apart are the same viewer

    def reset(self, *, seed: int, options: dict[str, Any] | None = None) -> Record:
        """Start all rows."""
        call = f"reset(seed={seed}, options={options})"
        self._distinct = (options or {}).get("distinct", self._env.num_envs)
        with calling(self._name, f"{call} was called"):
            answer = self._env.reset(seed=seed, options=options)
        self._kept.add(answer, call)
        self._observation, self._ids = self._begun(answer)
        self._ended = np.zeros(self._env.num_envs, np.bool_)
        self._after = call
        return self._observation | self._ids

    def restart(self, rows: BoolArray) -> Record:
        """Start ``rows`` (B,) and check that the others are left alone."""
        mask = rows.copy()
        call = f"reset(options={{'reset_mask': ...}}) of rows {np.flatnonzero(rows).tolist()}"
        with calling(self._name, f"{call} was called"):
            # a fresh dict, as the platform gives: SyncVectorEnv pops reset_mask out of it
            answer = self._env.reset(options={"reset_mask": mask})
        self._kept.add(answer, call)
        expect(np.array_equal(mask, rows), "reset changed the array that it was given as reset_mask")
        observation, ids = self._begun(answer)
        self._count(observation, rows)
        self._observation = observation
        # infos of rows that the mask does not name say nothing: SyncVectorEnv fills them with zeros
        self._ids = {name: np.where(_like(rows, new), new, self._ids.get(name, new)) for name, new in ids.items()}
        self._ended = self._ended & ~rows
        self._after = call
        return self._observation | self._ids

    def step(self) -> Record:
        """Take one random allowed action a row, in rows that are the same viewer the same one."""
        mask = self._observation.get("mask", np.ones((self._env.num_envs, self._num_actions), np.bool_))
        luck = self.rng.random(mask.shape)[np.arange(len(mask)) % self._distinct]
        actions: IntArray = np.where(mask, luck, -1).argmax(axis=1)
        given = actions.copy()
        with calling(self._name, f"stepped with actions that its masks allow, after {self._after}"):
            answer = self._env.step(given)
        self._kept.add(answer, "step")
        expect(np.array_equal(given, actions), "step changed the array of actions that it was given")
        expect(isinstance(answer, tuple) and len(answer) == 5, "step owes 5 values, as Gymnasium's do")
        observation, reward, terminated, truncated, infos = answer
        self._observation = self._answers.observation(observation)
        outcome = self._answers.outcome(reward, terminated, truncated) | self._answers.signals(infos)
        self._ids = self._answers.ids(infos, "step")
        self._ended = outcome["terminated"] | outcome["truncated"]
        return self._observation | outcome | self._ids

    def play(self, steps: int) -> Iterator[Record]:
        """Take ``steps``, one at each asking, and restart what has ended."""
        for _ in range(steps):
            yield self.step()
            if self._ended.any():
                yield self.restart(self._ended.copy())

    def place(self) -> tuple[Record, Record, BoolArray]:
        """Where play is, for :meth:`go_to`."""
        return self._observation, self._ids, self._ended

    def go_to(self, place: tuple[Record, Record, BoolArray], after: str) -> None:
        """Go on at ``place``, to which ``after`` has brought the environment."""
        self._observation, self._ids, self._ended = place
        self._after = after

    def expect_restarts(self) -> None:
        """The rows restarted since this was asked last, if any, have begun anew: one at least looks different."""
        expect(
            self._changes or not self._restarts,
            f"reset(options={{'reset_mask': ...}}) left the observation of the rows that it names as it was, "
            f"{self._restarts} times of {self._restarts}; it owes them the first observation of a new episode",
        )
        self._restarts, self._changes = 0, 0

    def _begun(self, answer: Any) -> tuple[Record, Record]:
        good = isinstance(answer, tuple) and len(answer) == 2
        expect(good, f"reset answered {described(answer)}; it owes (observation, infos)")
        return self._answers.observation(answer[0]), self._answers.ids(answer[1], "reset")

    def _count(self, observation: Record, rows: BoolArray) -> None:
        changed = {name: array != self._observation[name] for name, array in observation.items()}
        for name, where in changed.items():
            expect(
                not where[~rows].any(),
                f"reset(options={{'reset_mask': ...}}) changed {name} of rows that the mask does not name",
            )
        self._restarts += 1
        self._changes += any(where[rows].any() for where in changed.values())


def _like(rows: BoolArray, values: Any) -> BoolArray:
    """``rows`` (B,) with as many axes as ``values`` (B, ...)."""
    return rows.reshape(-1, *[1] * (values.ndim - 1))
