"""What goes wrong with a plugin."""

from __future__ import annotations

from livedqn.types import LivedqnError


class PluginError(LivedqnError):
    """A plugin that is unknown, broken, ambiguous or wrongly set: one line that names its distribution and version."""


def reason(error: BaseException) -> str:
    """``KeyError: 'x'``: what another's code raised, on one line."""
    return " ".join(f"{type(error).__name__}: {error}".split())
