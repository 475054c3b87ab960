"""``livedqn plugins``: what is installed, presets among it, and what one plugin can be told."""

from __future__ import annotations

import inspect

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from livedqn.cli.words import Words
from livedqn.plugins.discover import KINDS, distribution, find, load, names, who
from livedqn.plugins.docs import describe, summary
from livedqn.plugins.errors import PluginError
from livedqn.plugins.presets import presets
from livedqn.plugins.signature import settings
from livedqn.types import LivedqnError


def show(words: Words) -> None:
    """Print the table of all plugins, or the settings of those that were named.

    Raises:
        LivedqnError: a named plugin is unknown or broken.
    """
    if words.flags:
        raise LivedqnError(f"plugins takes no {words.flags[0]}; it takes <kind>=<name>, or nothing")
    # a pipe gets whole lines: what is cut to a terminal's width cannot be searched
    console = Console(soft_wrap=False, width=None if Console().is_terminal else 200)
    if not words.overrides:
        console.print(_all())
    chosen = [word.lstrip("+").partition("=") for word in words.overrides]
    for kind, _, name in chosen:  # before anything is printed
        if name in presets(kind) and (kind not in KINDS or name not in names(kind)):
            raise LivedqnError(
                f"{kind}={name} is a preset, no plugin; livedqn {kind}={name} --cfg job shows what it sets"
            )
        load(kind, name)
    for kind, _, name in chosen:
        _one(console, kind, name)


def _all() -> Table:
    table = Table("kind", "name", "distribution", "summary", box=None)
    for kind in KINDS:
        for name in names(kind):
            owners = " and ".join(distribution(point) for point in find(kind, name))
            table.add_row(kind, name, owners, _summary_or_error(kind, name))
        for name, summary_ in presets(kind).items():
            table.add_row(kind, name, "preset", escape(summary_))
    return table


def _summary_or_error(kind: str, name: str) -> str:
    try:
        settings(kind, name)
        return escape(summary(kind, name))
    except PluginError as error:  # a broken one is shown, and harms nobody
        return f"[red]broken:[/] {escape(str(error))}"


def _one(console: Console, kind: str, name: str) -> None:
    rows = describe(kind, name)
    text = (inspect.getdoc(load(kind, name)) or "").partition("\nArgs:")[0].strip()
    console.print(f"[bold]{who(kind, name)}[/]\n\n{escape(text)}\n")
    if not rows:
        console.print("It has no settings.")
        return
    table = Table("setting", "type", "default", "meaning", box=None)
    for row in rows:
        table.add_row(f"{kind}.{row.name}", *(escape(text) for text in (row.type, row.default, row.text)))
    console.print(table)
