"""What a plugin says of itself: its summary and, for each setting, type, default and description."""

from __future__ import annotations

import dataclasses
import inspect
import re
from dataclasses import dataclass
from typing import Any, cast, get_type_hints

from livedqn.plugins.discover import load
from livedqn.plugins.signature import settings


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
        default = s.make_default() if s.make_default else dataclasses.MISSING
        rows += _rows(s.name, s.hint, default, texts.get(s.name, ""))
    return rows


def _rows(name: str, hint: Any, default: Any, text: str) -> list[SettingDoc]:
    """A setting, and where it is a dataclass its fields, which are settings themselves."""
    is_missing = default is dataclasses.MISSING
    if not dataclasses.is_dataclass(hint) or default is None:
        return [SettingDoc(name, _spelt(hint), "needed" if is_missing else repr(default), text)]
    hints, texts = get_type_hints(hint), comments(cast(type, hint))
    rows = [SettingDoc(name, _spelt(hint), "see below", text)]
    for f in dataclasses.fields(hint):
        value = _field_default(f) if is_missing else getattr(default, f.name)
        rows += _rows(f"{name}.{f.name}", hints[f.name], value, texts.get(f.name, ""))
    return rows


def _field_default(field: dataclasses.Field[Any]) -> Any:
    return field.default_factory() if field.default_factory is not dataclasses.MISSING else field.default


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
