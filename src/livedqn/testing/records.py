"""What an environment answered, checked and copied: the working part of ``check_env``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from livedqn.testing.errors import expect
from livedqn.types import BoolArray, IntArray, Spec

#: The arrays of one answer by name, copied.
Record = dict[str, npt.NDArray[Any]]


def differing(first: Sequence[Record], second: Sequence[Record]) -> str:
    """The names of the arrays in which two runs differ, or an empty string."""
    if [record.keys() for record in first] != [record.keys() for record in second]:
        return "when rows end"
    pairs = zip(first, second, strict=True)
    return ", ".join(sorted({name for a, b in pairs for name in a if not np.array_equal(a[name], b[name])}))


class Recorder:
    """Plays ``env`` with random allowed actions and checks the form of all that it answers."""

    def __init__(self, env: Any, spec: Spec) -> None:
        self.env, self.spec = env, spec
        self.rng = np.random.default_rng(0)
        self.ended: BoolArray = np.zeros(env.num_envs, np.bool_)
        self.observation: Record = {}

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Record:
        """Start all rows, or those of ``reset_mask``."""
        started = (options or {}).get("reset_mask", np.ones(self.env.num_envs, np.bool_)).copy()
        answer = self.env.reset(seed=seed, options=options)
        expect(isinstance(answer, tuple) and len(answer) == 2, "reset owes (observation, infos)")
        self.ended = self.ended & ~started
        self.observation = self._observed(answer[0])
        return self.observation | self._ids(answer[1])

    def restart_ended(self) -> Record:
        """Start the rows that have ended."""
        return self.reset(options={"reset_mask": self.ended.copy()})

    def step(self, *, seed: int | None = None) -> Record:
        """Take one random allowed action a row; with ``seed``, one that depends on nothing else."""
        rng = self.rng if seed is None else np.random.default_rng(seed)
        mask = self.observation.get("mask", np.ones((self.env.num_envs, self.spec.num_actions), np.bool_))
        actions: IntArray = np.where(mask, rng.random(mask.shape), -1).argmax(axis=1)
        given = actions.copy()
        answer = self.env.step(given)
        expect(np.array_equal(given, actions), "step changed the array of actions that it was given")
        expect(isinstance(answer, tuple) and len(answer) == 5, "step owes 5 values, as Gymnasium's do")
        observation, reward, terminated, truncated, infos = answer
        self._flags("terminated", terminated)
        self._flags("truncated", truncated)
        self._numbers("the reward", reward)
        self.ended = terminated | truncated
        self.observation = self._observed(observation)
        record = {"reward": np.array(reward), "terminated": np.array(terminated), "truncated": np.array(truncated)}
        return self.observation | record | self._signals(infos) | self._elapsed(infos) | self._ids(infos)

    def _observed(self, observation: Any) -> Record:
        for name, space in _leaves(self.env.single_observation_space):
            array = observation[name] if name else observation
            shape = (self.env.num_envs, *space.shape)
            expect(
                isinstance(array, np.ndarray) and array.shape == shape and array.dtype == space.dtype,
                f"the observation {name} is {_described(array)}; its space says {space.dtype} of shape {shape}",
            )
            expect(np.isfinite(array).all(), f"the observation {name} has values that are not finite")
        if not self.spec.has_rooms:
            return {"context": np.array(observation)}
        record = {name: np.array(array) for name, array in observation.items()}
        self._rooms(record)
        return record

    def _rooms(self, record: Record) -> None:
        mask, candidates, history = record["mask"], record["candidates"], record["history"]
        expect(mask.dtype == np.bool_, f"mask is {mask.dtype}; it owes bool")
        expect(mask[:, 0].all(), "mask[:, 0] is False somewhere; nothing is always allowed")
        expect(not candidates[:, 0].any(), "row 0 of the candidates is not all zeros; it is nothing")
        expect(np.isin(history[..., 0], (0, 1)).all(), "column 0 of the history is neither 0 nor 1 somewhere")
        expect(not history[history[..., 0] == 0].any(), "an unused row of the history is not all zeros")
        for array in ("context", "history", "candidates"):
            for index, column in enumerate(getattr(self.spec, array)):
                values = record[array][..., index]
                if column.kind != "number":
                    expect((values >= 0).all(), f"{array} column {column.name!r} ({column.kind}) is below 0")
                if column.kind == "category":
                    known = np.isin(values, np.arange(column.cardinality)).all()
                    expect(known, f"{array} column {column.name!r} is no integer below its cardinality")
                if column.kind == "id":
                    fits = ((values == np.floor(values)) & (values < 2**24)).all()
                    expect(fits, f"{array} column {column.name!r} holds no integers below 2**24")

    def _signals(self, infos: Mapping[str, Any]) -> Record:
        delivered = infos.get("signals", {})
        expect(
            set(delivered) == set(self.spec.signals),
            f"metadata['signals'] promises {sorted(self.spec.signals)}, step delivered {sorted(delivered)}",
        )
        for name, values in delivered.items():
            self._numbers(f"signal {name!r}", values)
        return {f"signal {name}": np.array(values) for name, values in delivered.items()}

    def _elapsed(self, infos: Mapping[str, Any]) -> Record:
        if "elapsed_s" not in infos:
            return {}
        self._numbers("elapsed_s", infos["elapsed_s"])
        expect((np.asarray(infos["elapsed_s"]) > 0).all(), "elapsed_s is not above 0 everywhere")
        return {"elapsed_s": np.array(infos["elapsed_s"])}

    def _ids(self, infos: Mapping[str, Any]) -> Record:
        ids = infos.get("ids", {}) if self.spec.has_rooms else {}
        rows = (self.env.num_envs,)
        for name, values in ids.items():
            shape = (*rows, self.spec.num_actions) if name in ("rooms", "streamers") else rows
            expect(
                isinstance(values, np.ndarray) and values.shape == shape and values.dtype == np.int64,
                f"infos['ids'][{name!r}] is {_described(values)}; it owes int64 of shape {shape}",
            )
        return {f"id {name}": np.array(values) for name, values in ids.items()}

    def _flags(self, name: str, values: Any) -> None:
        good = isinstance(values, np.ndarray) and values.dtype == np.bool_ and values.shape == (self.env.num_envs,)
        expect(good, f"{name} is {_described(values)}; it owes bool of shape ({self.env.num_envs},)")

    def _numbers(self, name: str, values: Any) -> None:
        good = isinstance(values, np.ndarray) and values.dtype.kind == "f" and values.shape == (self.env.num_envs,)
        expect(good, f"{name} is {_described(values)}; it owes floats of shape ({self.env.num_envs},)")
        expect(np.isfinite(values).all(), f"{name} has values that are not finite")


def _leaves(space: Any) -> list[tuple[str, Any]]:
    spaces = getattr(space, "spaces", None)
    return [("", space)] if spaces is None else list(spaces.items())


def _described(value: Any) -> str:
    return f"{value.dtype} of shape {value.shape}" if isinstance(value, np.ndarray) else f"a {type(value).__name__}"
