"""Which column of somebody's own table is what: a YAML file, read into typed pieces and the spec that they make."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

from livedqn.types import Column, LivedqnError, Spec

#: Seconds of a unit of time; text is ISO 8601.
UNITS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "text": 1.0}
#: How the last row of a session counts where no column says.
ENDS = ("terminated", "truncated")
_COLUMN = ("from", "kind", "unit", "role", "cardinality", "values", "scale", "missing")
_NEEDED = ("viewer", "time", "context", "candidates", "propensity", "signals")
_PLAIN = (
    "request", "viewer", "session", "rooms", "streamers", "mask", "shown", "action", "propensity", "policy", "native",
    "elapsed_s", "terminated",
)  # fmt: skip
_SETTINGS = {
    "session_gap_s": 1800.0, "history_length": 10, "ends": "terminated", "last_elapsed_s": 60.0,
    "has_nothing": Spec.has_nothing,
}  # fmt: skip
KEYS = (*_PLAIN, "time", "context", "history", "candidates", "signals", *_SETTINGS)


@dataclass(frozen=True)
class Cell:
    """A column of the table, and what becomes of its values."""

    source: str  # its name in the table
    column: Column  # what it is to livedqn
    values: tuple[str, ...] = ()  # of a category: the first is 1; any other is 0
    scale: float = 1.0
    missing: float | None = None  # what an empty one counts as; None: it is a fault


@dataclass(frozen=True)
class Columns:
    """A whole mapping."""

    plain: dict[str, str]  # ours -> theirs
    time: str
    time_unit: str
    context: tuple[Cell, ...]
    history: tuple[Cell, ...]
    candidates: tuple[Cell, ...]
    signals: tuple[Cell, ...]
    session_gap_s: float
    history_length: int
    ends: str
    last_elapsed_s: float
    has_nothing: bool

    def spec(self, num_actions: int) -> Spec:
        """What the impressions show, with so many candidates at most, *nothing* included."""
        return Spec(
            context=tuple(cell.column for cell in self.context), context_shape=(len(self.context),),
            num_actions=num_actions,
            history=(Column("real"), *(cell.column for cell in self.history)), history_length=self.history_length,
            candidates=tuple(cell.column for cell in self.candidates),
            signals=tuple(cell.column.name for cell in self.signals), has_nothing=self.has_nothing,
        )  # fmt: skip

    @property
    def cells(self) -> tuple[Cell, ...]:
        """All of them."""
        return *self.context, *self.history, *self.candidates, *self.signals

    @property
    def wanted(self) -> dict[str, bool]:
        """Columns of the table, and whether each holds a list a row."""
        single = [*(c.source for c in (*self.context, *self.signals)), self.time]
        single += [theirs for ours, theirs in self.plain.items() if ours not in ("rooms", "streamers", "mask")]
        lists = [cell.source for cell in (*self.history, *self.candidates)]
        lists += [self.plain[ours] for ours in ("rooms", "streamers", "mask") if ours in self.plain]
        return dict.fromkeys(single, False) | dict.fromkeys(lists, True)


def read(path: Path) -> Columns:
    """The mapping in a file.

    Raises:
        LivedqnError: it cannot be read, lacks something, or holds what nobody knows.
    """
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise LivedqnError(f"logs.columns={path} cannot be read: {error.strerror}; docs/logs.md shows one") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise LivedqnError(f"logs.columns={path} is no YAML: {' '.join(str(error).split())}") from None
    try:
        return parse(found)
    except ValueError as error:
        raise LivedqnError(f"logs.columns={path}: {error}; docs/logs.md says what a mapping holds") from None


def parse(found: Any) -> Columns:
    """The mapping in plain Python; ValueError says what is wrong with it."""
    given = _keys(found, KEYS, "the mapping")
    if missing := [key for key in _NEEDED if not given.get(key)]:
        raise ValueError(f"it lacks {', '.join(missing)}")
    if "action" not in given and not {"shown", "rooms"} <= given.keys():
        raise ValueError("it lacks what was shown: action (0 is nothing), or shown and rooms (ids)")
    time = given["time"] if isinstance(given["time"], Mapping) else {"from": given["time"]}
    if not _keys(time, ("from", "unit"), "time").get("from"):
        raise ValueError("time lacks from, the column of the table")
    settings = {key: given.get(key, default) for key, default in _SETTINGS.items()}
    for key in ("session_gap_s", "history_length", "last_elapsed_s"):
        if not (isinstance(settings[key], int | float) and settings[key] > 0):
            raise ValueError(f"{key} is {settings[key]!r}; it is a number above 0")
    if not isinstance(settings["has_nothing"], bool):
        raise ValueError(f"has_nothing is {settings['has_nothing']!r}; it is true, or false")
    unit = time.get("unit", "s")
    for name, value, known in (("time.unit", unit, UNITS), ("ends", settings["ends"], ENDS)):
        if value not in known:
            raise ValueError(f"{name} is {value!r}; choose {', '.join(known)}")
    parts: dict[str, Any] = {
        part: _cells(part, given.get(part) or {}) for part in ("context", "history", "candidates", "signals")
    }
    plain = {key: str(given[key]) for key in _PLAIN if given.get(key)}
    return Columns(plain=plain, time=str(time["from"]), time_unit=unit, **parts, **settings)


def _cells(part: str, given: Any) -> tuple[Cell, ...]:
    if not isinstance(given, Mapping):
        raise ValueError(f"{part} is {given!r}; it maps names of columns to those of the table")
    return tuple(_cell(f"{part}.{name}", str(name), value) for name, value in given.items())


def _cell(where: str, name: str, given: Any) -> Cell:
    given = _keys(given, _COLUMN, where) if isinstance(given, Mapping) else {"from": given}
    if "from" not in given:
        raise ValueError(f"{where} lacks from, the column of the table")
    values = _values(where, given.get("values", ()))
    kind = given.get("kind", "category" if values else "number")
    column = Column(
        name, kind, str(given.get("unit", "")), str(given.get("role", "")),
        len(values) + 1 if values else int(given.get("cardinality", 0)),
    )  # fmt: skip
    missing = given.get("missing")
    return Cell(
        str(given["from"]), column, values, float(given.get("scale", 1)), None if missing is None else float(missing)
    )


def _values(where: str, given: Any) -> tuple[str, ...]:
    if not isinstance(given, list | tuple):
        raise ValueError(f"{where} has values {given!r}; they are a list")
    if any(isinstance(value, bool) for value in given):
        raise ValueError(
            f"{where} has true or false among its values, which is how YAML reads yes, no, on and off too; put it in "
            "quotes, as the table has it"
        )
    return tuple(map(str, given))


def _keys(given: Any, known: Sequence[str], what: str) -> Mapping[str, Any]:
    if not isinstance(given, Mapping):
        raise ValueError(f"{what} is {given!r}; it maps names to columns of the table")
    if unknown := [str(key) for key in given if key not in known]:
        raise ValueError(f"{what} has {', '.join(unknown)}; it may have {', '.join(known)}")
    return given
