"""Find plugins by the metadata of installed distributions. Only :func:`load` imports anything.

A distribution declares a plugin with one entry point: group ``livedqn.<kind>``, its name, and the class or function.
"""

from __future__ import annotations

import re
import sys
from contextlib import redirect_stdout
from functools import lru_cache
from importlib.metadata import Distribution, EntryPoint, entry_points
from typing import Any

from livedqn.plugins.errors import PluginError, reason
from livedqn.types import did_you_mean

#: What a training run is made of.
PARTS = ("env", "reward", "encoder", "exploration", "agent", "replay")
KINDS = (*PARTS, "logs")


def names(kind: str) -> list[str]:
    """The names of all installed plugins of a kind, sorted; nothing is imported."""
    return sorted({point.name for point in _points(kind)})


def find(kind: str, name: str) -> list[EntryPoint]:
    """Every entry point of that name: more than one where distributions quarrel about it."""
    return [point for point in _points(kind) if point.name == name]


def load(kind: str, name: str) -> Any:
    """Import the class or function behind a name.

    Raises:
        PluginError: there is no such plugin, two distributions offer it, or its import fails.
    """
    points = find(kind, name)
    if not points:
        known = names(kind)
        raise PluginError(f"there is no {kind}={name}{did_you_mean(name, known)}; installed: {', '.join(known)}")
    if len(points) > 1:
        owners = " and ".join(distribution(point) for point in points)
        raise PluginError(f"{kind}={name} is provided by {owners}; uninstall all but one")
    try:
        with redirect_stdout(sys.stderr):  # stdout carries our results, not what a module says when it is imported
            return points[0].load()
    except (Exception, SystemExit) as error:  # whatever a module does: only the runs that choose it are to suffer
        others = ", ".join(other for other in names(kind) if other != name)
        choose = f", or choose another {kind}: {others}" if others else ""
        cure = _missing_extra(points[0], error) or f"repair or uninstall it{choose}"
        raise PluginError(f"{who(kind, name)} failed to import: {reason(error)}; {cure}") from error


def who(kind: str, name: str) -> str:
    """``reward=gift (livedqn-gifts 0.1.0)``: how every message names a plugin."""
    return f"{kind}={name} ({' and '.join(distribution(point) for point in find(kind, name))})"


def distribution(point: EntryPoint) -> str:
    """Name and version of the distribution that declares an entry point."""
    return _label(point.dist) if point.dist else "an unknown distribution"


def is_built_in(kind: str, name: str) -> bool:
    """Whether livedqn itself brings it, and nobody else."""
    points = find(kind, name)
    return len(points) == 1 and points[0].dist is not None and points[0].dist.name == "livedqn"


def _missing_extra(point: EntryPoint, error: BaseException) -> str:
    """What to install, where a module is missing that its distribution wants in an extra alone; else nothing."""
    if not (isinstance(error, ModuleNotFoundError) and error.name and point.dist):
        return ""
    for wanted in point.dist.requires or ():
        found = re.match(r"([\w-]+).*extra\s*==\s*['\"]([\w-]+)", wanted)
        if found and found[1].replace("-", "_") == error.name.partition(".")[0]:
            return f"pip install '{point.dist.metadata['Name']}[{found[2]}]'"
    return ""


def _points(kind: str) -> tuple[EntryPoint, ...]:
    if kind not in KINDS:
        raise PluginError(f"there is no kind {kind!r} of plugin{did_you_mean(kind, KINDS)}; kinds: {', '.join(KINDS)}")
    return _declared(tuple(sys.path), kind)


# Reading metadata takes 10 ms a scan and 1 ms a distribution, and a composition asks for it a hundred times. What is on
# the path is read once; ``path`` is a key because it is what is scanned.


@lru_cache(maxsize=32)
def _declared(path: tuple[str, ...], kind: str) -> tuple[EntryPoint, ...]:
    # A distribution that stands twice on the path (a checkout and its install) is one provider, not two.
    found = {(point.name, distribution(point)): point for point in _scanned(path).select(group=f"livedqn.{kind}")}
    return tuple(found.values())


@lru_cache(maxsize=4)
def _scanned(path: tuple[str, ...]) -> Any:  # EntryPoints, or before Python 3.12 what selects some
    return entry_points()


@lru_cache(maxsize=64)
def _label(found: Distribution) -> str:
    return f"{found.metadata['Name']} {found.metadata['Version']}"
