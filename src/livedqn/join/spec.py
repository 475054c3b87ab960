"""What impressions show, as a user writes it down: a YAML file."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from reprlib import repr as short
from typing import Any

from livedqn.join.kinds import SIGNALS
from livedqn.logs import written
from livedqn.types import Column, Spec

_ARRAYS = ("context", "history", "candidates")
_SIZES = ("history_length", "num_actions")
_KNOWN = (*_ARRAYS, *_SIZES, "signals", "has_nothing")
_FIELDS = tuple(field.name for field in fields(Column) if field.name != "name")


def read(path: Path) -> Spec:
    """The spec in a file: ``context``, ``history`` and ``candidates`` map names of columns to what they are (``kind``,
    ``unit``, ``role``, ``cardinality``, ``of``), ``history_length`` is T, ``num_actions`` K, the most candidates that a
    request has, ``signals`` what is logged (all), and ``has_nothing`` whether a request may be answered with nothing.

    Raises:
        LivedqnError: it cannot be read, lacks something, or holds what nobody knows.
    """
    return written.read("spec", path, _spec, "docs/joining.md")


def _spec(found: Any) -> Spec:
    given = written.keys("the spec", found, _KNOWN)
    if missing := [name for name in (*_ARRAYS, *_SIZES) if given.get(name, {}) == {}]:
        raise ValueError(f"it lacks {', '.join(missing)}")
    columns: dict[str, Any] = {array: _columns(array, given[array]) for array in _ARRAYS}
    return Spec(
        **columns, context_shape=(len(columns["context"]),),
        num_actions=written.whole("num_actions", given["num_actions"], 2),
        history_length=written.whole("history_length", given["history_length"], 1),
        signals=_signals(given.get("signals") or list(SIGNALS)),
        has_nothing=written.flag("has_nothing", given.get("has_nothing", Spec.has_nothing)),
    )  # fmt: skip


def _columns(array: str, found: Any) -> tuple[Column, ...]:
    def column(name: str, of: Any) -> Column:
        return written.column(array, name, written.keys(f"{array}.{name}", {} if of is None else of, _FIELDS))

    return written.each(array, found, column)


def _signals(found: Any) -> tuple[str, ...]:
    if not isinstance(found, list) or len(set(map(str, found))) < len(found):
        raise ValueError(f"signals is {short(found)}; it is a list of some of {', '.join(SIGNALS)}, each once")
    return tuple(written.choice("one of signals", name, SIGNALS) for name in found)
