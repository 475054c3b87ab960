"""Lines of JSON as decisions, whose features have places in arrays."""

from __future__ import annotations

import bz2
import gzip
import json
import math
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from livedqn.types import FloatArray, LivedqnError

_OPENERS: dict[str, Callable[..., Any]] = {".bz2": bz2.open, ".gz": gzip.open}
#: How ReAgent calls the probability of the action, before and behind its timeline operator.
_PROPENSITY = ("action_probability", "propensity")


@dataclass(frozen=True)
class Names:
    """What the decisions of a file show."""

    state: tuple[str, ...]
    action: tuple[str, ...]  # features of actions, or the actions themselves
    is_parametric: bool
    most: int  # actions that were possible at once
    signals: tuple[str, ...]

    @classmethod
    def of(cls, rows: Iterable[str], signals: tuple[str, ...]) -> Names:
        """Every name that occurs."""
        state: dict[str, None] = {}
        actions: dict[bool, dict[str, None]] = {True: {}, False: {}}  # of features, and by name
        is_parametric, most = None, 1
        for row in map(_read, rows):
            if isinstance(row, str):
                continue
            state |= dict.fromkeys(row["state_features"])
            possible, following = _listed(row, "possible_actions"), _listed(row, "possible_next_actions")
            most = max(most, len(possible), len(following))
            for action in (row.get("action"), *possible, *following):
                if action is not None:
                    has_features = isinstance(action, Mapping)
                    is_parametric = has_features if is_parametric is None else is_parametric
                    actions[has_features] |= dict.fromkeys(action if has_features else [str(action)])
        return cls(_sorted(state), _sorted(actions[bool(is_parametric)]), bool(is_parametric), most, signals)


@dataclass(frozen=True)
class Decision:
    """A row."""

    row: int
    mdp_id: str  # "" where the row cannot be read
    sequence: int = 0
    state: FloatArray | None = None  # (C,)
    possible: Sequence[FloatArray] = ()  # features (F,) of each, or its place among all actions (1,)
    action: FloatArray | None = None  # (F,) or (1,)
    propensity: float = math.nan
    reward: float = math.nan
    time_diff: float = math.nan
    signals: tuple[float, ...] = ()
    next_state: FloatArray | None = None  # (C,)
    next_possible: Sequence[FloatArray] = ()
    defect: str = ""


def lines(files: Sequence[Path]) -> Iterator[str]:
    """All that are not blank.

    Raises:
        LivedqnError: a file cannot be read.
    """
    for path in files:
        try:
            with _OPENERS.get(path.suffix, open)(path, "rt", encoding="utf-8") as file:
                yield from (line for line in file if line.strip())
        except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
            raise LivedqnError(f"{path} cannot be read: {' '.join(str(error).split())}") from error


def decisions(rows: Iterable[str], names: Names) -> list[Decision]:
    """One for each row, whatever is wrong with it."""
    return [_decision(at, _read(row), names) for at, row in enumerate(rows)]


def _decision(at: int, row: dict[str, Any] | str, names: Names) -> Decision:
    if isinstance(row, str):
        return Decision(at, "", defect=row)

    def array(features: Any, known: tuple[str, ...]) -> FloatArray:
        return np.array([_number(features.get(name, 0.0)) for name in known], np.float32)

    def actions(key: str) -> list[FloatArray]:
        return [found for one in _listed(row, key) if (found := action(one)) is not None]

    def action(one: Any) -> FloatArray | None:
        if isinstance(one, Mapping) != names.is_parametric:
            return None
        if names.is_parametric:
            return array(one, names.action)
        return np.array([names.action.index(str(one))], np.float32) if str(one) in names.action else None

    chosen = action(row.get("action"))
    metrics = found if isinstance(found := row.get("metrics"), Mapping) else {}
    following = row.get("next_state_features")
    propensity = next((row[key] for key in _PROPENSITY if row.get(key) is not None), None)
    time_diff = _number(row.get("time_diff"))
    wrong = chosen is None or (propensity is not None and math.isnan(_number(propensity)))
    return Decision(
        at, str(row["mdp_id"]), row["sequence_number"], array(row["state_features"], names.state),
        actions("possible_actions"), chosen, math.nan if propensity is None else _number(propensity),
        _number(row.get("reward")), math.nan if math.isinf(time_diff) else time_diff,
        tuple(_number(metrics.get(name, 0.0)) for name in names.signals),
        array(following, names.state) if isinstance(following, Mapping) else None, actions("possible_next_actions"),
        "the action, or its probability, is of another kind than elsewhere" if wrong else _misfits(row),
    )  # fmt: skip


def _read(line: str) -> dict[str, Any] | str:
    """A row that can be placed, or why it cannot."""
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return "the row is no JSON"
    if not isinstance(row, dict) or not isinstance(row.get("state_features"), Mapping):
        return "the row has no state_features"
    if row.get("mdp_id") in (None, ""):
        return "the row has no mdp_id"
    sequence = row.get("sequence_number")
    if not isinstance(sequence, int) or isinstance(sequence, bool) or not abs(sequence) < 2**53:
        return "sequence_number is no whole number"
    return row


def _misfits(row: dict[str, Any]) -> str:
    """What of the optional fields cannot be read; "" where all can."""
    if not isinstance(row.get("metrics") or {}, Mapping):
        return "metrics are no names with numbers"
    return "time_diff is infinite" if math.isinf(_number(row.get("time_diff"))) else ""


def _listed(row: dict[str, Any], key: str) -> list[Any]:
    found = row.get(key)
    return found if isinstance(found, list) else []


def _number(value: Any) -> float:
    """NaN where it is none, or one that no float64 is."""
    try:
        return float(value) if isinstance(value, int | float) else math.nan
    except OverflowError:
        return math.nan


def _sorted(names: Iterable[str]) -> tuple[str, ...]:
    """Numbers by their size, then all others."""
    return tuple(sorted(names, key=lambda name: (not name.isdigit(), int(name) if name.isdigit() else 0, name)))
