"""Overrides as Hydra takes them: the signs it is fussy about are dropped, what it would take in silence is refused."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException

from livedqn.plugins.messages import explain
from livedqn.plugins.source import GROUPS
from livedqn.types import LivedqnError

#: Hydra's settings that would go round our rules.
REFUSED = {
    "hydra.mode": "--multirun runs every combination",
    "hydra.job.chdir": "paths are what they are where you stand",
}


def take_paths(words: Iterable[str], names: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """The other words, and the raw values of these settings: Hydra never parses them, so a path may be any."""
    others, paths = [], {}
    for word in words:
        key, _, value = word.partition("=")
        if key.lstrip("+") in names and value != "null":
            if not _unquoted(value):  # an unset variable of a shell, say: never what was meant
                raise LivedqnError(f"{key.lstrip('+')}= has no value; give it a path, or leave it out")
            paths[key.lstrip("+")] = _unquoted(value)
        else:
            others.append(word)
    return others, paths


#: Settings that are lists, of which a single entry needs no brackets (paths are taken before: :func:`take_paths`).
LISTS = ("policies",)


def tidy(words: Iterable[str], *, is_multirun: bool) -> list[str]:
    """Every override without its ``+``: Hydra adds keys only where a dictionary is free, so the sign says nothing;
    a single entry of a list in brackets.

    In a multirun whose jobs differ in a plugin, a plain setting is known to some jobs only: as a choice of one, Hydra
    leaves it to the jobs.

    Raises:
        LivedqnError: it cannot be read, deletes something, changes a ``plugin``, or holds a ``_target_``.
    """
    parsed = [_parse(word if word.lstrip("+").startswith("hydra") else word.lstrip("+")) for word in words]
    swept = any(o.is_sweep_override() and o.key_or_group in (*GROUPS, "experiment") for o in parsed)
    tidied = []
    for override in parsed:
        line = override.input_line or ""
        if override.key_or_group in REFUSED:
            raise LivedqnError(f"{override.key_or_group} cannot be set; {REFUSED[override.key_or_group]}")
        if not override.is_hydra_override():
            _refuse(override)
            if override.key_or_group == "experiment" and override.value() is None:
                continue  # which is what it is where nothing is said; Hydra wants a name
            if override.key_or_group in LISTS and isinstance(override.value(), str):
                line = f"{override.key_or_group}=[{override.get_value_string()}]"
            if is_multirun and swept and not override.is_sweep_override() and "." in override.key_or_group:
                line = f"{override.key_or_group}=choice({override.get_value_string() or repr('')})"
        if _holds_target(override.key_or_group) or _holds_target(override._value):
            raise LivedqnError(f"{line!r} holds _target_; livedqn builds installed plugins only, by name")
        tidied.append(line)
    return tidied


def _parse(word: str) -> Override:
    try:
        parsed: Override = OverridesParser.create().parse_override(word)
    except HydraException as error:
        reason = explain(error).removeprefix(f"Error parsing override '{word}' ")
        raise LivedqnError(f"{word!r} cannot be read: {reason}; quote special characters: name='\"...\"'") from error
    return parsed


def _refuse(override: Override) -> None:
    key, value = override.key_or_group, override.value()
    if key in GROUPS and isinstance(value, int | float):
        raise LivedqnError(f"there is no {key}={value}; {key} is chosen by a name: livedqn --help lists them")
    if override.is_delete() or (key in GROUPS and value is None):
        if key in GROUPS:
            raise LivedqnError(f"{key} cannot be deleted: every run has one; choose one with {key}=<name>")
        raise LivedqnError(f"{key} cannot be deleted; give it a value: {key}=<value>")
    if key in GROUPS and isinstance(value, list):
        raise LivedqnError(f"{override.input_line}: choose one {key}, or sweep with --multirun {key}=a,b")
    group, _, name = key.partition(".")
    if group in GROUPS and name == "plugin":
        raise LivedqnError(f"{key} cannot be set; choose with {group}=<name>")


def _holds_target(value: Any) -> bool:
    if isinstance(value, dict):
        return any(_holds_target(str(key)) or _holds_target(item) for key, item in value.items())
    if isinstance(value, list):
        return any(_holds_target(item) for item in value)
    if hasattr(value, "list"):  # a sweep
        return _holds_target(value.list)
    return isinstance(value, str) and "_target_" in value.split(".")


def _unquoted(value: str) -> str:
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"" else value
