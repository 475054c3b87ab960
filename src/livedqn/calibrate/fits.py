"""What a fit says of a setting: its value and from how much, or why it stays as it was."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from math import isfinite
from typing import Any

Value = float | int | tuple[float, ...]


@dataclass(frozen=True)
class Fit:
    """A setting of the environment that the data identify."""

    setting: str  # "viewers.click_bias"
    value: Value
    rows: int  # that it was fitted to
    of: str  # what they are


@dataclass(frozen=True)
class LeftOpen:
    """Settings that the data leave open."""

    settings: tuple[str, ...]
    why: str


Fits = list[Fit | LeftOpen]


def fit(setting: str, value: Value, rows: int, of: str, at_least: int) -> Fit | LeftOpen:
    """A fit with four significant digits, or why there is none: too few rows, or nothing that is a number."""
    if rows < at_least:
        return LeftOpen((setting,), f"{rows:,} {of} are too few; it takes {at_least}")
    numbers = value if isinstance(value, tuple) else (value,)
    if not all(isfinite(number) for number in numbers):
        return LeftOpen((setting,), f"the {of} say nothing of it")
    if isinstance(value, int):
        return Fit(setting, value, rows, of)
    rounded = tuple(float(f"{number:.4g}") for number in numbers)
    return Fit(setting, rounded if isinstance(value, tuple) else rounded[0], rows, of)


def laid(env: Mapping[str, Any], fits: Iterable[Fit | LeftOpen]) -> dict[str, Any]:
    """The settings of ``env`` with what was fitted laid over them."""
    changed = deepcopy(dict(env))
    for one in fits:
        if isinstance(one, Fit):
            *path, name = one.setting.split(".")
            node = changed
            for part in path:
                node = node[part]
            node[name] = list(one.value) if isinstance(one.value, tuple) else one.value
    return changed


def value_of(env: Mapping[str, Any], setting: str) -> Any:
    """What a setting is now."""
    for part in setting.split("."):
        env = env[part]
    return env


def differences(env: Mapping[str, Any], usual: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of ``env`` that are not the ``usual`` ones, however deep."""
    found = {}
    for name, value in env.items():
        if isinstance(value, Mapping) and isinstance(usual.get(name), Mapping):
            if inner := differences(value, usual[name]):
                found[name] = inner
        elif _plain(value) != _plain(usual.get(name)):
            found[name] = value
    return found


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, Sequence) and not isinstance(value, str) else value
