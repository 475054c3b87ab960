"""What a user writes of columns in a YAML file, checked piece by piece.

Of a mistake one line says where in the file it is, what stands there and what is expected: a ValueError, of which
:func:`read` makes a LivedqnError that names the file.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from reprlib import repr as short
from typing import Any, TypeVar

import yaml  # type: ignore[import-untyped]

from livedqn.types import KINDS, ROLES, Column, LivedqnError, did_you_mean

T = TypeVar("T")


def read(setting: str, path: Path, parse: Callable[[Any], T], page: str) -> T:
    """What ``parse`` makes of the file that ``setting`` names; ``page`` of the documentation shows one.

    Raises:
        LivedqnError: it cannot be read, or is not understood.
    """
    try:
        return parse(yaml.load(path.read_text(encoding="utf-8"), _Loader))
    except OSError as error:
        raise LivedqnError(f"{setting}={path} cannot be read: {error.strerror}; {page} shows one") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise LivedqnError(f"{setting}={path} is no YAML: {' '.join(str(error).split())}") from None
    except ValueError as error:
        raise LivedqnError(f"{setting}={path}: {error}; {page} shows one") from None


class _Loader(yaml.SafeLoader):  # type: ignore[misc]
    """PyYAML's safe one, to which a key that comes twice is a mistake: it takes the last one and says nothing."""

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        """The mapping of ``node``, whose keys differ."""
        names = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        if again := [name for i, name in enumerate(names) if name in names[:i]]:
            raise ValueError(f"{again[0]} stands twice in one place: leave one out")
        found: dict[Any, Any] = super().construct_mapping(node, deep)
        return found


def keys(where: str, found: Any, known: Collection[str]) -> dict[str, Any]:
    """``found``, a mapping of some of ``known``, without what has no value."""
    if not isinstance(found, Mapping):
        raise ValueError(f"{where} is {short(found)}; it has to map some of {', '.join(known)}")
    for key in found:
        if key not in known:
            raise ValueError(f"{where} has {key}{did_you_mean(str(key), known)}; it may have {', '.join(known)}")
    return {key: value for key, value in found.items() if value is not None}


def each(where: str, found: Any, make: Callable[[str, Any], T]) -> tuple[T, ...]:
    """``make(name, value)`` of each column that ``found`` names."""
    if not isinstance(found, Mapping):
        raise ValueError(f"{where} is {short(found)}; it has to map names of columns to what they are")
    for name in found:
        if not isinstance(name, str):
            raise ValueError(f"{where} has a column named {name!r}; a name is text: put it in quotes")
    return tuple(make(name, value) for name, value in found.items())


def column(array: str, name: str, found: Mapping[str, Any]) -> Column:
    """The column of ``array`` of which ``found`` holds what :class:`Column` has beside a name."""
    where = f"{array}.{name}"
    for key, value in found.items():
        if key == "cardinality":
            whole(f"{where}.cardinality", value, 2)
        elif key == "kind" or (key == "role" and value):
            choice(f"{where}.{key}", value, KINDS if key == "kind" else ROLES.get(array, ()))
        elif not isinstance(value, str):
            raise ValueError(f"{where}.{key} is {short(value)}; it is text")
    return Column(name, **found)


def choice(where: str, found: Any, known: Collection[str]) -> str:
    """``found``, one of ``known``."""
    if not isinstance(found, str) or found not in known:
        hint, options = did_you_mean(str(found), known), ", ".join(known) or "nothing"
        raise ValueError(f"{where} is {short(found)}{hint}; choose {options}")
    return found


def flag(where: str, found: Any) -> bool:
    """``found``, true or false."""
    if not isinstance(found, bool):
        raise ValueError(f"{where} is {short(found)}; it is true, or false")
    return found


def whole(where: str, found: Any, least: int) -> int:
    """``found``, a whole number from ``least``."""
    if isinstance(found, bool) or not isinstance(found, int) or found < least:
        raise ValueError(f"{where} is {short(found)}; it is a whole number from {least}")
    return found


def number(where: str, found: Any, *, is_positive: bool = False) -> float:
    """``found``, a finite number; 1e-3 is text to YAML."""
    try:
        value = math.nan if isinstance(found, bool) else float(found)
    except (TypeError, ValueError, OverflowError):
        value = math.nan
    if not math.isfinite(value) or (is_positive and value <= 0):
        raise ValueError(f"{where} is {short(found)}; it is a number{' above 0' if is_positive else ''}")
    return value
