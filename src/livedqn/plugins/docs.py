"""What a plugin says of itself: its summary and, for each setting, type, default and description."""

from __future__ import annotations

import dataclasses
import inspect
import re
from dataclasses import dataclass
from typing import Any, get_type_hints

from livedqn.plugins.discover import load
from livedqn.plugins.signature import Setting, settings


@dataclass(frozen=True)
class SettingDoc:
    """One row of ``livedqn plugins <kind>=<name>``."""

    name: str
    type: str
    default: str
    text: str


def summary(kind: str, name: str) -> str:
    """The first line of the plugin's docstring; imports it."""
    return (inspect.getdoc(load(kind, name)) or "").partition("\n")[0]


def describe(kind: str, name: str) -> list[SettingDoc]:
    """Every setting with its type, its default and what the plugin's docstring says of it."""
    target = load(kind, name)
    texts = arguments(inspect.getdoc(target) or "")
    if inspect.isclass(target):
        texts |= arguments(inspect.getdoc(target.__init__) or "") | comments(target)
    rows = []
    for s in settings(kind, name):
        nested = s.make_default() if s.make_default and dataclasses.is_dataclass(s.hint) else None
        rows.append(SettingDoc(s.name, _spelt(s.hint), "see below" if nested else _default(s), texts.get(s.name, "")))
        if nested is not None:
            rows += _fields(s.name, nested)
    return rows


def _fields(prefix: str, settings: Any) -> list[SettingDoc]:
    """The fields of a setting that is a dataclass, which are settings themselves."""
    hints, texts = get_type_hints(type(settings)), comments(type(settings))
    return [
        SettingDoc(f"{prefix}.{f.name}", _spelt(hints[f.name]), repr(getattr(settings, f.name)), texts.get(f.name, ""))
        for f in dataclasses.fields(settings)
    ]


def arguments(docstring: str) -> dict[str, str]:
    """The ``Args:`` section of a docstring: name -> text."""
    section = re.search(r"^Args:\n((?:[ \t]+.*\n?|\n)+)", docstring, re.MULTILINE)
    if not section:
        return {}
    lines = inspect.cleandoc("\n" + section[1])
    entries = re.findall(r"^(\w+)(?: \(.*?\))?:[ ]*(.*(?:\n[ \t]+.*)*)", lines, re.MULTILINE)
    return {name: " ".join(text.split()) for name, text in entries}


def comments(cls: type) -> dict[str, str]:
    """The ``#:`` comments above the fields of a class: name -> text."""
    try:
        source = inspect.getsource(cls)
    except (OSError, TypeError):
        return {}
    entries = re.findall(r"((?:^[ \t]*#:.*\n)+)[ \t]*(\w+)[ \t]*:", source, re.MULTILINE)
    return {name: " ".join(text.replace("#:", " ").split()) for text, name in entries}


def _spelt(hint: Any) -> str:
    is_plain = inspect.isclass(hint) and not hasattr(hint, "__args__")
    return str(hint.__name__) if is_plain else str(hint).replace("typing.", "")


def _default(setting: Setting) -> str:
    return "needed" if setting.make_default is None else repr(setting.make_default())
