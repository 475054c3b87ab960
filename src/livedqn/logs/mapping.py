"""Which column of somebody's own table is what: a YAML file, read into typed pieces and the spec that they make."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from reprlib import repr as short
from typing import Any

from livedqn.config.logs import SESSION_GAP_S
from livedqn.logs import written
from livedqn.types import Column, Spec

#: Seconds of a unit of time; text is ISO 8601.
UNITS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "text": 1.0}
#: How the last row of a session counts where no column says.
ENDS = ("terminated", "truncated")
_FIELDS = ("kind", "unit", "role", "cardinality")
_COLUMN = ("from", *_FIELDS, "values", "scale", "missing")
_NEEDED = ("viewer", "time", "context", "candidates", "signals")
_PLAIN = (
    "request", "viewer", "session", "rooms", "streamers", "mask", "shown", "action", "propensity", "policy", "native",
    "elapsed_s", "terminated",
)  # fmt: skip
_LISTS = ("rooms", "streamers", "mask")
#: Past impressions that are read of a row at most: more would fill the memory with zeros.
_MOST_HISTORY = 10_000
_SETTINGS = {
    "session_gap_s": SESSION_GAP_S, "history_length": 10, "ends": "terminated", "last_elapsed_s": 60.0,
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
class ColumnMapping:
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
        single += [theirs for ours, theirs in self.plain.items() if ours not in _LISTS]
        lists = [cell.source for cell in (*self.history, *self.candidates)]
        lists += [self.plain[ours] for ours in _LISTS if ours in self.plain]
        return dict.fromkeys(single, False) | dict.fromkeys(lists, True)

    @property
    def numbers(self) -> set[str]:
        """Columns of the table of whose values numbers are made, and neither names nor places in a list of values."""
        plain = {self.plain[ours] for ours in ("propensity", "native", "elapsed_s", "mask") if ours in self.plain}
        return plain | {cell.source for cell in self.cells if cell.column.kind != "id" and not cell.values}


def read(path: Path) -> ColumnMapping:
    """The mapping in a file.

    Raises:
        LivedqnError: it cannot be read, lacks something, or holds what nobody knows.
    """
    return written.read("logs.columns", path, parse, "docs/logs.md")


def parse(found: Any) -> ColumnMapping:
    """The mapping in plain Python; ValueError says what is wrong with it."""
    given = written.keys("the mapping", found, KEYS)
    if missing := [key for key in _NEEDED if given.get(key, {}) == {}]:
        raise ValueError(f"it lacks {', '.join(missing)}")
    if "action" not in given and not {"shown", "rooms"} <= given.keys():
        raise ValueError("it lacks what was shown: action (0 is nothing), or shown and rooms (ids)")
    if {"action", "shown"} <= given.keys():
        raise ValueError("it has action and shown, which say the same: leave one out")
    time = given["time"] if isinstance(given["time"], Mapping) else {"from": given["time"]}
    time = {"unit": "s"} | written.keys("time", time, ("from", "unit"))
    settings = _SETTINGS | {key: given[key] for key in _SETTINGS if key in given}
    columns = ColumnMapping(
        plain={key: _source(key, given[key]) for key in _PLAIN if key in given},
        time=_source("time", time.get("from")), time_unit=written.choice("time.unit", time["unit"], UNITS),
        context=_cells("context", given), history=_cells("history", given), candidates=_cells("candidates", given),
        signals=_cells("signals", given),
        session_gap_s=written.number("session_gap_s", settings["session_gap_s"], is_positive=True),
        history_length=written.whole("history_length", settings["history_length"], 1),
        ends=written.choice("ends", settings["ends"], ENDS),
        last_elapsed_s=written.number("last_elapsed_s", settings["last_elapsed_s"], is_positive=True),
        has_nothing=written.flag("has_nothing", settings["has_nothing"]),
    )  # fmt: skip
    wanted = columns.wanted
    for cell in (*columns.context, *columns.signals):
        if wanted[cell.source]:
            raise ValueError(f"column {cell.source} is one value a row in one place and a list in another")
    if columns.history_length > _MOST_HISTORY:
        raise ValueError(f"history_length is {columns.history_length}; it is {_MOST_HISTORY:,} at most")
    columns.spec(num_actions=1)  # which looks at its columns together, whatever the table holds
    _check_values([*columns.context, *columns.history, *columns.candidates])
    return columns


def _check_values(cells: Sequence[Cell]) -> None:
    """Categories of one name share an embedding: the places in their lists of values have to mean the same."""
    found: dict[str, tuple[str, ...]] = {}
    for cell in cells:
        name, values = cell.column.name, cell.values  # none: the table holds the places themselves
        if cell.column.kind == "category" and (first := found.setdefault(name, values)) != values:
            raise ValueError(
                f"{name} has values {list(first)} in one place and {list(values)} in another; what has one name shares "
                "an embedding: give it one list, or two names"
            )


def _cells(part: str, given: Mapping[str, Any]) -> tuple[Cell, ...]:
    def cell(name: str, found: Any) -> Cell:
        where = f"{part}.{name}"
        of = written.keys(where, found, _COLUMN) if isinstance(found, Mapping) else {"from": found}
        values = _values(where, of.get("values", ()))
        column = {key: of[key] for key in _FIELDS if key in of}
        if values or of.get("kind") == "id":
            useless = [key for key in ("scale", "missing") if key in of] + ["cardinality"] * bool(
                values and "cardinality" in of
            )
            if useless:
                what = "a list of values" if values else "kind id"
                raise ValueError(f"{where} has {useless[0]}, which means nothing beside {what}: leave it out")
        if values:
            column = {"kind": "category", **column, "cardinality": len(values) + 1}
        return Cell(
            _source(where, of.get("from")), written.column(part, name, column), values,
            written.number(f"{where}.scale", of.get("scale", 1)),
            written.number(f"{where}.missing", of["missing"]) if "missing" in of else None,
        )  # fmt: skip

    return written.each(part, given.get(part, {}), cell)


def _source(where: str, found: Any) -> str:
    """The name of a column of the table; 7 may be one."""
    if found is None:
        raise ValueError(f"{where} lacks from, the column of the table")
    if isinstance(found, bool) or not isinstance(found, str | int | float):
        raise ValueError(f"{where} is {short(found)}; it is the name of a column of the table")
    return str(found)


def _values(where: str, given: Any) -> tuple[str, ...]:
    if not isinstance(given, list | tuple):
        raise ValueError(f"{where} has values {given!r}; they are a list")
    if any(isinstance(value, bool) for value in given):
        raise ValueError(
            f"{where} has true or false among its values, which is how YAML reads yes, no, on and off too; put it in "
            "quotes, as the table has it"
        )
    texts = tuple(str(value).strip() for value in given)
    if again := [text for i, text in enumerate(texts) if text in texts[:i]]:
        raise ValueError(f"{where} has {again[0]!r} twice among its values")
    return texts
