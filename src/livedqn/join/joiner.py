"""Joins signals to their impressions: deterministic for any order of arrival."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from typing import Any

from livedqn.config import JoinConfig
from livedqn.join import plain
from livedqn.join.events import Event, Impression
from livedqn.join.kinds import SIGNALS, windows_of
from livedqn.join.reorder import Reorder
from livedqn.join.rows import impressions
from livedqn.join.session import Session
from livedqn.join.sessions import OpenSessions
from livedqn.logs import Impressions
from livedqn.types import LivedqnError, Spec

#: The form of a state; another one is not gone on from. The names of :mod:`livedqn.logs.names` are part of it.
FORMAT = 2
#: What becomes of an event: it finds its place; or it has come already; or the watermark has passed it; or there is no
#: impression for it, or none within its window. The last two are set aside.
OUTCOMES = ("joined", "duplicate", "late", "unattributed")


class Joiner:
    """``joiner.add(event)`` for each event, then ``joiner.finished()`` for the sessions that nothing can change more.

    Args:
        spec: what impressions show, and which of ``livedqn.join.kinds.SIGNALS`` are logged.
        windows: kind of signal -> seconds after the impression within which it counts, where not as ``KINDS`` says.
        allowed_lateness_s: events may be older than the newest by so much; ids are known again for as long.
        session_gap_s: without an impression, or a signal of one of the visit, for so long a session is over.
        max_requests: a session is cut when it has so many; the next goes on with it.
        set_aside: is told of each event that found no place, and why: "late" or "unattributed".

    Raises:
        LivedqnError: a setting is impossible, or ``spec`` is of no recommendations in sessions.
    """

    def __init__(
        self, spec: Spec, *, windows: Mapping[str, float] | None = None,
        allowed_lateness_s: float = JoinConfig.allowed_lateness_s,
        session_gap_s: float = JoinConfig.session_gap_s, max_requests: int = 1_000,
        set_aside: Callable[[Event, str], None] | None = None,
    ) -> None:  # fmt: skip
        _refuse(spec, allowed_lateness_s, session_gap_s, max_requests)
        self.counts: dict[str, Counter[str]] = {outcome: Counter() for outcome in OUTCOMES}  # outcome -> kind -> events
        self._spec, self._set_aside = spec, set_aside
        self._events = Reorder(allowed_lateness_s)
        self._settings = windows_of(windows or {}), session_gap_s, max_requests
        self._sessions = OpenSessions(*self._settings)
        self._closed: list[Session] = []
        self._ready = 0  # requests in closed sessions
        self._rows = 0  # given out so far

    @property
    def watermark_s(self) -> float:
        """Events that are older are late; -inf before the first."""
        return self._events.watermark_s

    @property
    def newest_s(self) -> float:
        """The newest time of an event; -inf before the first."""
        return self._events.newest_s

    @property
    def open_sessions(self) -> int:
        """Sessions that something may change yet, as far as the watermark has come."""
        return len(self._sessions)

    @property
    def waiting(self) -> int:
        """Events that the watermark has not passed."""
        return len(self._events)

    def add(self, event: Event) -> None:
        """Take an event.

        Raises:
            LivedqnError: an impression is of other shapes than the spec.
        """
        if isinstance(event, Impression):
            _refuse_shapes(event, self._spec)
        before_s = self.watermark_s
        if outcome := self._events.add(event):
            self._count(event, outcome)
        elif self.watermark_s > before_s:
            self._go_on()

    def advance(self, time_s: float) -> None:
        """Say that nothing older than ``time_s`` will come; it moves the watermark forwards only."""
        self._events.advance(time_s)
        self._go_on()

    def finished(self, least: int = 1 << 15) -> Impressions | None:
        """The closed sessions, in order of when they closed, once they have ``least`` rows together."""
        if self._ready < max(least, 1):
            return None
        made = impressions(self._closed, self._spec, self._rows)
        self._closed, self._ready = [], 0
        self._rows += len(made)
        return made

    def finish(self) -> tuple[Impressions | None, int]:
        """The closed sessions, however few, and how many are still open: those stay, unlabelled."""
        return self.finished(least=1), self.open_sessions

    def state_dict(self) -> dict[str, Any]:
        """All that waits or is open, counts, and the ids that are known: plain Python, JSON even."""
        events = self._events
        return {
            "format": FORMAT, "watermark_s": _finite(events.watermark_s), "newest_s": _finite(events.newest_s),
            "waiting": [plain.event(event) for event in events], "recent": [list(pair) for pair in events.recent],
            "sessions": [plain.session(session) for session in self._sessions],
            "closed": [plain.session(session) for session in self._closed],
            "counts": {outcome: dict(kinds) for outcome, kinds in self.counts.items()}, "rows": self._rows,
            "spec": self._spec.to_dict(), "settings": self._named_settings(),
        }  # fmt: skip

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where a joiner of the same spec and settings stopped; its lateness may have been another.

        Raises:
            LivedqnError: its spec or settings were others, or it is of another livedqn.
        """
        if (had := state.get("format", 1)) != FORMAT:
            raise LivedqnError(
                f"the state has format {had}, this livedqn reads {FORMAT}: it may call rooms and viewers otherwise, so "
                "begin anew, with another state and folder"
            )
        self._refuse_others(Spec.from_dict(state["spec"]), state["settings"])
        read = plain.Reader(self._spec)
        self._events.restore(
            -math.inf if state["watermark_s"] is None else state["watermark_s"],
            -math.inf if state["newest_s"] is None else state["newest_s"],
            map(read.event, state["waiting"]), [(time_s, name) for time_s, name in state["recent"]],
        )  # fmt: skip
        self._sessions = OpenSessions(*self._settings)
        self._sessions.restore(map(read.session, state["sessions"]))
        self._closed, self._ready = [], 0
        self._keep(map(read.session, state["closed"]))
        self.counts = {outcome: Counter(state["counts"][outcome]) for outcome in OUTCOMES}
        self._rows = state["rows"]

    def _named_settings(self) -> dict[str, float]:
        """Those that sessions which are open depend on."""
        windows, session_gap_s, max_requests = self._settings
        named = {f"windows.{kind}": window_s for kind, window_s in windows.items()}
        return named | {"session_gap_s": session_gap_s, "max_requests": max_requests}

    def _refuse_others(self, spec: Spec, settings: Mapping[str, float]) -> None:
        of_spec = [field.name for field in fields(Spec) if getattr(spec, field.name) != getattr(self._spec, field.name)]
        now = self._named_settings()
        others = [f"{name} was {settings[name]:g}, is {now[name]:g}" for name in now if settings[name] != now[name]]
        if what := [f"the spec has other {', '.join(of_spec)}"] * bool(of_spec) + others:
            raise LivedqnError(
                f"the state holds sessions that were begun otherwise: {'; '.join(what)}; go on as it was, or begin "
                "anew, with another state and folder"
            )

    def _go_on(self) -> None:
        """Up to the watermark, in order of time: what closes before an event is closed before it is looked at."""
        for event, is_known in self._events.ready():
            if self._sessions.next_s < event.time_s:
                self._keep(self._sessions.close(event.time_s))
            if is_known:
                self._count(event, "duplicate")
            elif isinstance(event, Impression):
                self._count(event, "joined" if self._sessions.show(event) else "duplicate")
            else:
                self._count(event, "joined" if self._sessions.attribute(event) else "unattributed")
        self._keep(self._sessions.close(self.watermark_s))

    def _keep(self, closed: Iterable[Session]) -> None:
        for session in closed:
            self._closed.append(session)
            self._ready += len(session.rows)

    def _count(self, event: Event, outcome: str) -> None:
        self.counts[outcome][event.kind] += 1
        if self._set_aside is not None and outcome in ("late", "unattributed"):
            self._set_aside(event, outcome)


def _finite(time_s: float) -> float | None:
    return time_s if time_s > -math.inf else None


def _refuse(spec: Spec, allowed_lateness_s: float, session_gap_s: float, max_requests: int) -> None:
    if not spec.has_rooms or spec.episode != "session":
        raise LivedqnError(
            "a joiner makes sessions in which rooms are recommended; give it a spec with candidates, episode=session"
        )
    if unknown := [name for name in spec.signals if name not in SIGNALS]:
        raise LivedqnError(f"nothing says {', '.join(unknown)}; signals that events say: {', '.join(SIGNALS)}")
    if not 0 <= allowed_lateness_s < math.inf:
        raise LivedqnError(f"allowed_lateness_s={allowed_lateness_s} is no time; choose seconds from 0")
    if not 0 < session_gap_s < math.inf:
        raise LivedqnError(f"session_gap_s={session_gap_s} is no time; choose seconds above 0")
    if max_requests < 1:
        raise LivedqnError(f"max_requests={max_requests} must be 1 or more")


def _refuse_shapes(one: Impression, spec: Spec) -> None:
    k, found = len(one.rooms), {**one.observation, "streamers": one.streamers}
    for name, owed in {**spec.shapes(k), "streamers": (k,)}.items():
        shape = found[name].shape if name in found else "missing"
        if shape != owed:
            raise LivedqnError(f"{name} of request {one.request} is {shape}; with {k} rooms it owes {owed}")
