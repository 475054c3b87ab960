"""What impressions show, as a user writes it down: a YAML file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

from livedqn.join.kinds import SIGNALS
from livedqn.types import Column, LivedqnError, Spec

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
    try:
        return _spec(yaml.safe_load(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise LivedqnError(f"spec={path} cannot be read: {error.strerror}; docs/joining.md shows one") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise LivedqnError(f"spec={path} is no YAML: {' '.join(str(error).split())}") from None
    except (ValueError, TypeError, AttributeError) as error:
        raise LivedqnError(f"spec={path}: {error}; docs/joining.md shows one") from None


def _spec(found: Any) -> Spec:
    _keys("it", found, _KNOWN)
    if missing := [name for name in (*_ARRAYS, *_SIZES) if not found.get(name)]:
        raise ValueError(f"it lacks {', '.join(missing)}")
    columns: dict[str, Any] = {
        name: tuple(_column(f"{name}.{key}", key, of) for key, of in found[name].items()) for name in _ARRAYS
    }
    has_nothing = found.get("has_nothing", Spec.has_nothing)
    if not isinstance(has_nothing, bool):
        raise ValueError(f"has_nothing is {has_nothing!r}; it is true, or false")
    signals = found.get("signals") or list(SIGNALS)
    if not isinstance(signals, list) or len(set(map(str, signals))) < len(signals):
        raise ValueError(f"signals is {signals!r}; it is a list of some of {', '.join(SIGNALS)}, each once")
    return Spec(
        **columns, context_shape=(len(columns["context"]),), num_actions=_whole(found, "num_actions", 2),
        history_length=_whole(found, "history_length", 1), signals=tuple(signals), has_nothing=has_nothing,
    )  # fmt: skip


def _whole(found: Mapping[str, Any], name: str, least: int) -> int:
    value = found[name]
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ValueError(f"{name} is {value!r}; it is a whole number from {least}")
    return value


def _column(where: str, name: str, found: Any) -> Column:
    if found is not None:
        _keys(where, found, _FIELDS)
    return Column(str(name), **(found or {}))


def _keys(where: str, found: Any, known: tuple[str, ...]) -> None:
    if not isinstance(found, Mapping):
        raise ValueError(f"{where} is {found!r}; it says {', '.join(known)}")
    if unknown := [str(key) for key in found if key not in known]:
        raise ValueError(f"{where} has {', '.join(unknown)}; it may have {', '.join(known)}")
