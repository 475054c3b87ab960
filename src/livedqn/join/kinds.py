"""Kinds of signals: which signal each is, and how long after its impression it may come."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from livedqn.types import LivedqnError

HOUR_S = 3600.0


class Kind(NamedTuple):
    """What an event of this kind does to its impression."""

    signal: str  # which signal of the impression
    window_s: float  # how long after the impression it may come, s
    adds: bool = False  # amounts add up; else the signal is 1, however often it came


#: A click comes while the room is offered. All else comes while it is watched: 1 % of views last longer than 220 min,
#: and gifts, whose delay is about Weibull(0.94, 3,253 s), come later than four hours in 2 %.
KINDS = {
    "click": Kind("clicked", 600.0),
    "watch": Kind("watch_s", 4 * HOUR_S, adds=True),
    "like": Kind("liked", 4 * HOUR_S),
    "comment": Kind("commented", 4 * HOUR_S),
    "gift": Kind("gift_value", 4 * HOUR_S, adds=True),
    "follow": Kind("followed", 4 * HOUR_S),
}
#: The viewer leaves: the end of a session, whichever room it was.
LEAVE = "leave"
#: How long after the impression its first gift came, s.
GIFT_DELAY = "gift_delay_s"
#: Every signal that can be joined.
SIGNALS = (*(kind.signal for kind in KINDS.values()), GIFT_DELAY, "left")


def windows_of(given: Mapping[str, float]) -> dict[str, float]:
    """The windows of all kinds, those that are ``given`` before those of ``KINDS``; LivedqnError for what is none."""
    for name, window_s in given.items():
        if name not in KINDS:
            raise LivedqnError(f"windows: there is no kind {name!r} of signals; kinds: {', '.join(KINDS)}")
        if not 0 < window_s < float("inf"):
            raise LivedqnError(f"windows: {name}={window_s} is no time; choose seconds above 0")
    return {name: float(given.get(name, kind.window_s)) for name, kind in KINDS.items()}
