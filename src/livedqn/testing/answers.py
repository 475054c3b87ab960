"""The form of what an environment answers: each part is checked and copied, for the next call may overwrite it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from livedqn.testing.errors import described, expect
from livedqn.types import Spec, within

#: The arrays of one answer by name, copied.
Record = dict[str, npt.NDArray[Any]]

_IDS = {"viewer": False, "time_s": False, "rooms": True, "streamers": True}  # whether it has one for every action


class Answers:
    """Checks the answers of an environment with ``num_envs`` rows that observes ``space``."""

    def __init__(self, num_envs: int, space: Any, spec: Spec) -> None:
        self._rows, self._space, self._spec = num_envs, space, spec

    def observation(self, given: Any) -> Record:
        """A copy of the observation, by the platform's names."""
        spaces = getattr(self._space, "spaces", None)
        if spaces is None:
            return {"context": self._array("the observation", given, self._space)}
        expect(
            isinstance(given, Mapping), f"the observation is {described(given)}; its space is a Dict: it owes a dict"
        )
        missing, unknown = sorted(set(spaces) - set(given)), sorted(map(str, set(given) - set(spaces)))
        expect(not missing, f"the observation lacks {', '.join(missing)}, which its space names")
        expect(not unknown, f"the observation holds {', '.join(unknown)}, which its space does not name")
        record = {name: self._array(f"the observation {name}", given[name], spaces[name]) for name in spaces}
        _check_rooms(record, self._spec)
        for array in ("context", "history", "candidates"):
            for index, column in enumerate(getattr(self._spec, array)):
                fits = within(record[array][..., index], column.limits).all()
                expect(fits, f"{array} column {column.name!r} is not {column.owed} everywhere ({column.kind})")
        return record

    def outcome(self, reward: Any, terminated: Any, truncated: Any) -> Record:
        """Copies of what else ``step`` answers, infos aside."""
        for name, values in (("terminated", terminated), ("truncated", truncated)):
            good = isinstance(values, np.ndarray) and values.dtype == np.bool_ and values.shape == (self._rows,)
            expect(good, f"{name} is {described(values)}; it owes bool of shape ({self._rows},)")
        return {
            "reward": self._numbers("the reward", reward),
            "terminated": np.array(terminated),
            "truncated": np.array(truncated),
        }

    def signals(self, infos: Any) -> Record:
        """Copies of the signals and the time that passed, from the infos of a step."""
        infos = _named("infos", infos)
        delivered = _named("infos['signals']", infos.get("signals", {}))
        expect(
            set(delivered) == set(self._spec.signals),
            f"metadata['signals'] promises {sorted(self._spec.signals)}, step delivered {sorted(delivered)}",
        )
        record = {f"signal {name}": self._numbers(f"signal {name!r}", values) for name, values in delivered.items()}
        if "elapsed_s" not in infos:
            expect(
                not self._spec.has_rooms,
                "step delivers no infos['elapsed_s']; an environment with rooms owes the seconds to the next request",
            )
            return record
        record["elapsed_s"] = self._numbers("elapsed_s", infos["elapsed_s"])
        expect((record["elapsed_s"] > 0).all(), "elapsed_s is not above 0 everywhere")
        return record

    def ids(self, infos: Any, call: str) -> Record:
        """Copies of the ids in the infos of ``call``; a game has none."""
        infos = _named("infos", infos)
        if not self._spec.has_rooms:
            return {}
        ids = _named("infos['ids']", infos.get("ids", {}))
        missing = [name for name in _IDS if name not in ids]
        expect(
            not missing,
            f"{call} delivers no infos['ids'] of {', '.join(missing)}; an environment with rooms owes "
            f"{', '.join(_IDS)}: logs and reports are made of them",
        )
        for name, values in ids.items():
            shape = (self._rows, self._spec.num_actions) if _IDS.get(name) else (self._rows,)
            good = isinstance(values, np.ndarray) and values.shape == shape and values.dtype == np.int64
            expect(good, f"infos['ids'][{name!r}] is {described(values)}; it owes int64 of shape {shape}")
        return {f"id {name}": np.array(values) for name, values in ids.items()}

    def _array(self, name: str, given: Any, space: Any) -> npt.NDArray[Any]:
        shape = (self._rows, *space.shape)
        expect(
            isinstance(given, np.ndarray) and given.shape == shape and given.dtype == space.dtype,
            f"{name} is {described(given)}; its space says {space.dtype} of shape {shape}",
        )
        expect(np.isfinite(given).all(), f"{name} has values that are not finite")
        return np.array(given)

    def _numbers(self, name: str, values: Any) -> npt.NDArray[Any]:
        good = isinstance(values, np.ndarray) and values.dtype.kind == "f" and values.shape == (self._rows,)
        expect(good, f"{name} is {described(values)}; it owes floats of shape ({self._rows},)")
        expect(np.isfinite(values).all(), f"{name} has values that are not finite")
        return np.array(values)


def _named(name: str, given: Any) -> dict[str, Any]:
    """``given`` without Gymnasium's companions: SyncVectorEnv adds ``_x``, the rows that delivered it, to every x."""
    expect(isinstance(given, Mapping), f"{name} is {described(given)}; it owes a dict")
    return {key: value for key, value in given.items() if not (str(key).startswith("_") and str(key)[1:] in given)}


def _check_rooms(record: Record, spec: Spec) -> None:
    mask, candidates, history = record["mask"], record["candidates"], record["history"]
    expect(mask.dtype == np.bool_, f"mask is {mask.dtype}; it owes bool")
    if spec.has_nothing:
        always = "nothing is always allowed, unless metadata['has_nothing'] is False"
        expect(mask[:, 0].all(), f"mask[:, 0] is False somewhere; {always}")
    else:
        expect(not mask[:, 0].any(), "mask[:, 0] is True somewhere, though metadata['has_nothing'] is False")
        always = "without nothing a room is owed in every observation, the last one of an episode included"
        expect(mask.any(axis=1).all(), f"the mask allows no action in some row; {always}")
    expect(not candidates[:, 0].any(), "row 0 of the candidates is not all zeros; it is nothing")
    expect(np.isin(history[..., 0], (0, 1)).all(), "column 0 of the history is neither 0 nor 1 somewhere")
    expect(not history[history[..., 0] == 0].any(), "an unused row of the history is not all zeros")
