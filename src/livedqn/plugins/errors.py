"""What goes wrong with a plugin, and the half-sentence that helps with a misspelt name."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from livedqn.types import LivedqnError


class PluginError(LivedqnError):
    """A plugin that is unknown, broken, ambiguous or wrongly set: one line that names its distribution and version."""


def reason(error: BaseException) -> str:
    """``KeyError: 'x'``: what another's code raised, on one line."""
    return " ".join(f"{type(error).__name__}: {error}".split())


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """``"; did you mean 'gift'"`` where a known word is close, else an empty string."""
    close = get_close_matches(word, list(known), n=1)
    return f"; did you mean {close[0]!r}" if close else ""
