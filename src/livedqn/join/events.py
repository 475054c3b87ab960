"""Events: an impression, or a signal of a viewer. They cannot change, and say at once what is wrong with them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from livedqn.join.kinds import KINDS, LEAVE
from livedqn.logs.rules import LAST_S
from livedqn.types import IntArray, LivedqnError, Observation


@dataclass(frozen=True, slots=True, eq=False)
class Impression:
    """A request that was answered: what was seen, and what was chosen. ``k`` counts *nothing*, row 0, too."""

    request: int  # its name, once in all logs, from 0
    viewer: int
    time_s: float  # when the request came, s since 1970-01-01 UTC, by the clock of all events
    observation: Observation  # of one viewer: context (C,), history (T, H), candidates (k, F), mask (k,)
    rooms: IntArray  # (k,) int64, 0 for nothing
    streamers: IntArray  # (k,) int64, 0 for nothing
    action: int  # the row of the candidates that was chosen
    propensity: float = math.nan  # with which it was chosen; NaN: nobody knows
    policy: str = ""
    native: float = 0.0  # the platform's own reward
    session: int | None = None  # the platform's name of the visit, if it has one

    def __post_init__(self) -> None:
        _refuse_time(self.time_s)
        if self.request < 0:
            raise LivedqnError(f"request {self.request} is below 0; name requests by whole numbers from 0")
        if not 0 <= self.action < len(self.rooms):
            raise LivedqnError(
                f"the action {self.action} is none of the {len(self.rooms)} candidates; it is a row of them"
            )
        if self.action and not self.room:
            raise LivedqnError("the room that was shown is 0, the name of nothing; name rooms by other numbers")

    @property
    def id(self) -> int:
        """By which duplicates are known."""
        return self.request

    @property
    def kind(self) -> str:
        """As signals have one."""
        return "impression"

    @property
    def room(self) -> int:
        """That was shown; 0 for *nothing*."""
        return int(self.rooms[self.action])

    def __lt__(self, other: Impression) -> bool:
        return _content(self) < _content(other)


@dataclass(frozen=True, slots=True, eq=False)
class Signal:
    """What a viewer did. It names the request, or else the room."""

    id: str  # by which duplicates are known
    kind: str  # one of KINDS, or LEAVE
    viewer: int
    time_s: float  # when it was done, s since 1970-01-01 UTC
    room: int = 0  # 0: not said
    request: int | None = None  # None: not said
    amount: float = 1.0  # of watch: seconds watched since the last event of that watch; of gift: its value

    def __post_init__(self) -> None:
        _refuse_time(self.time_s)
        refuse_kind(self.kind)
        if not self.id:
            raise LivedqnError(f"a {self.kind} has no id, so nobody could tell when it comes twice; give it one")
        if self.request is None and not self.room and self.kind != LEAVE:
            raise LivedqnError(f"a {self.kind} names neither request nor room (0 is none); name what it belongs to")
        if not 0 <= self.amount < math.inf:
            raise LivedqnError(f"the amount of a {self.kind} is {self.amount}; it is a finite number from 0")

    def __lt__(self, other: Signal) -> bool:
        return _content(self) < _content(other)


Event: TypeAlias = Impression | Signal


def refuse_kind(kind: str) -> None:
    """Raise LivedqnError for a kind that no signal has."""
    if kind not in KINDS and kind != LEAVE:
        raise LivedqnError(f"there is no kind {kind!r} of events; kinds: impression, {', '.join(KINDS)}, {LEAVE}")


def _refuse_time(time_s: float) -> None:
    if not 0 <= time_s <= LAST_S:
        raise LivedqnError(f"time_s={time_s} is none of 1970 to 2100; it is in seconds; milliseconds?")


def _content(event: Event) -> tuple[Any, ...]:
    """All but id and time, to be put in order: of two events that share both the least counts, whichever came first."""
    if isinstance(event, Signal):
        return event.kind, event.viewer, event.room, repr(event.request), event.amount
    arrays = (*(event.observation[name] for name in sorted(event.observation)), event.rooms, event.streamers)
    plain = event.viewer, event.action, repr((event.propensity, event.policy, event.native, event.session))
    return *plain, *(np.ascontiguousarray(array).tobytes() for array in arrays)
