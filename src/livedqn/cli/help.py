"""The help pages. They read package metadata and our own dataclasses: no plugin and no torch."""

from __future__ import annotations

import dataclasses
import inspect
import textwrap
from collections.abc import Mapping

from livedqn import __version__, config
from livedqn.cli.commands import COMMANDS
from livedqn.cli.words import FLAGS
from livedqn.plugins.defaults import defaults
from livedqn.plugins.discover import KINDS, names
from livedqn.plugins.docs import comments
from livedqn.plugins.presets import presets

_FIRST_STEPS = """\
  livedqn +env=sim reward=watchtime               train on simulated viewers
  livedqn evaluate checkpoint=<run>/policy.ckpt   compare it on worlds it never saw
  livedqn plugins reward=engagement               what a plugin can be told"""

_REQUEST = """\
  {"context": [...], "history": [[...], ...], "candidates": [[0, ...], [...], ...], "rooms": [null, 17, 42]}
  The arrays of one viewer as the environment shows them: context (C), and where there are rooms history (T, H), the
  newest impression last, of which there may be fewer, and candidates (k, F), of which row 0, nothing, is zeros.
  "mask" (k) says what may be chosen, "rooms" (k) names the rooms; both may be left out."""


def page(command: str) -> str:
    """What ``livedqn <command> --help`` prints."""
    lines = [f"livedqn {__version__}: deep Q-learning that recommends live streams", "", _FIRST_STEPS, ""]
    lines += ["Commands (the first word)", *_table({name: one.help for name, one in COMMANDS.items()}), ""]
    if options := COMMANDS[command].options:
        lines += [f"Options of {command}: <kind>=<name>, then <kind>.<setting>=<value>; `livedqn plugins` says more"]
        usual = defaults() if command == "train" else {}
        lines += [*_table({option: _marked(_known(option), usual.get(option)) for option in options}), ""]
    if (schema := COMMANDS[command].schema) and (rows := _settings(schema)):
        lines += [f"Settings of {command}: <name>=<value>", *_table(rows), ""]
    if command == "recommend":
        lines += ["What it reads, a line a request", _REQUEST, ""]
    if command == "plugins":
        lines += ["livedqn plugins lists all; livedqn plugins <kind>=<name> shows the settings of one", ""]
    flags = {f"{long}, {short}".rstrip(", "): text for long, (short, _, text) in FLAGS.items()}
    lines += ["Flags", *_table(flags)]
    return "\n".join(lines)


def _known(option: str) -> list[str]:
    """The names that can be chosen."""
    if option == "logger":
        return list(config.LOGGERS)
    return sorted({*(names(option) if option in KINDS else ()), *presets(option)})


def _marked(known: list[str], usual: str | None) -> str:
    """The names, the one that is taken where none is named in brackets."""
    return ", ".join(f"[{name}]" if name == usual else name for name in known)


def _settings(schema: type, prefix: str = "") -> dict[str, str]:
    """``name = default`` -> comment, for every field that is no option; nested dataclasses included."""
    texts: dict[str, str] = {}
    for base in reversed(inspect.getmro(schema)):
        texts |= comments(base)
    rows: dict[str, str] = {}
    for field in dataclasses.fields(schema):
        if field.name in (*KINDS, "logger"):
            continue
        make = field.default_factory
        default = field.default if make is dataclasses.MISSING else make()
        if dataclasses.is_dataclass(default):
            rows |= _settings(type(default), f"{prefix}{field.name}.")
        else:
            rows[f"{prefix}{field.name}={'null' if default is None else default}"] = texts.get(field.name, "")
    return rows


def _table(rows: Mapping[str, str]) -> list[str]:
    width = max(len(name) for name in rows)
    lines = []
    for name, text in rows.items():
        first, *rest = textwrap.wrap(text, max(40, 116 - width)) or [""]
        lines += [f"  {name:<{width}}  {first}".rstrip(), *(" " * (width + 4) + line for line in rest)]
    return lines
