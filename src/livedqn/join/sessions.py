"""The sessions that are open, and whose a signal is. Events come in order of time, each once."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from heapq import heappop, heappush
from itertools import dropwhile

from livedqn.join.events import Impression, Signal
from livedqn.join.kinds import LEAVE
from livedqn.join.session import Row, Session


class OpenSessions:
    """Opens, extends and closes them.

    Args:
        windows: kind of signal -> seconds after the impression within which it counts.
        gap_s: without a sign of life for so long a session is over.
        max_requests: a session is cut when it has so many.
    """

    def __init__(self, windows: Mapping[str, float], gap_s: float, max_requests: int) -> None:
        self._windows, self._gap_s, self._max_requests = windows, gap_s, max_requests
        self._longest_s = max(windows.values())
        self._open: dict[int, Session] = {}  # by name
        self._rows: dict[int, Row] = {}  # by request
        self._shown: dict[tuple[int, int], Row] = {}  # the latest impression of a room, by viewer and room
        # by viewer, and the platform's name of the visit; one after another
        self._visits: dict[int, dict[int | None, list[Session]]] = {}
        self._closing: list[tuple[float, int]] = []  # a heap: when a session closes at the earliest, and its name

    def __len__(self) -> int:
        return len(self._open)

    def __iter__(self) -> Iterator[Session]:
        return iter(self._open.values())

    @property
    def next_s(self) -> float:
        """No session closes earlier."""
        return self._closing[0][0] if self._closing else math.inf

    def show(self, impression: Impression) -> bool:
        """Put an impression into its session; False if its request is known already."""
        time_s, name = impression.time_s, impression.request
        if name in self._rows:
            return False
        visit = self._visits.setdefault(impression.viewer, {}).setdefault(impression.session, [])
        session = visit[-1] if visit else None
        if session is None or session.is_over(time_s, self._gap_s):
            session = self._begin(impression, visit)
        elif len(session.rows) >= self._max_requests:
            session.successor = impression
            session = self._begin(impression, visit)
        row = Row(impression)
        session.rows.append(row)
        session.alive_s = time_s
        self._rows[name] = row
        # of nothing, too, though nothing can come of it: if such sessions closed sooner, the newest in the logs would
        # be those that were shown no room
        session.awaits_s = max(session.awaits_s, time_s + self._longest_s)
        if room := impression.room:
            self._shown[impression.viewer, room] = row
        return True

    def _begin(self, impression: Impression, visit: list[Session]) -> Session:
        """The next session of a visit."""
        session = Session([], alive_s=impression.time_s, awaits_s=impression.time_s)
        if visit and not visit[-1].ended:  # watching may yet show that they are one: none closes before an earlier one
            session.awaits_s = max(session.awaits_s, visit[-1].awaits_s)
        self._open[impression.request] = session
        visit.append(session)
        heappush(self._closing, (session.closes_s(self._gap_s), impression.request))
        return session

    def attribute(self, signal: Signal) -> bool:
        """Add a signal to its impression: the one it names, else the latest that showed that room to that viewer.

        Returns:
            False if there is none, or none within the window.
        """
        if signal.kind == LEAVE:
            return self._leave(signal)
        if signal.request is None:
            row = self._shown.get((signal.viewer, signal.room))
        else:
            row = self._rows.get(signal.request)
        if row is None or not row.impression.room or row.impression.viewer != signal.viewer:
            return False
        if signal.time_s > row.impression.time_s + self._windows[signal.kind]:
            return False
        row.add(signal)
        # who has watched for a time was there all the while
        since_s = signal.time_s - (signal.amount if signal.kind == "watch" else 0.0)
        self._live(self._visit(row.impression), since_s, signal.time_s)
        return True

    def _visit(self, impression: Impression) -> list[Session]:
        return self._visits[impression.viewer][impression.session]

    def _live(self, visit: list[Session], since_s: float, time_s: float) -> None:
        """The viewer was there from ``since_s`` to ``time_s``: what began meanwhile goes on with what was before."""
        touched = list(dropwhile(lambda session: session.is_over(since_s, self._gap_s), visit))
        if not touched:
            return
        going = touched[0]
        for session in touched[1:]:
            if going.ended or going.successor is not None:
                going = session
            elif len(going.rows) + len(session.rows) <= self._max_requests:
                going.absorb(session)
                visit.remove(session)
                del self._open[session.name]
            else:
                going.successor, going = session.rows[0].impression, session
        if not going.ended:
            going.alive_s = time_s

    def _leave(self, signal: Signal) -> bool:
        """End the last session of the visit of the request it names, else that of the viewer's latest impression."""
        if signal.request is None:
            visits = list(self._visits.get(signal.viewer, {}).values())
        else:
            row = self._rows.get(signal.request)
            is_theirs = row is not None and row.impression.viewer == signal.viewer
            visits = [self._visit(row.impression)] if row is not None and is_theirs else []
        going = [visit[-1] for visit in visits if not visit[-1].is_over(signal.time_s, self._gap_s)]
        if not going:
            return False
        latest = max(going, key=lambda s: (s.rows[-1].impression.time_s, s.rows[-1].impression.request))
        latest.alive_s, latest.ended = signal.time_s, True
        return True

    def close(self, before_s: float) -> Iterator[Session]:
        """The sessions that close before ``before_s``, in order of that; they are forgotten."""
        while self._closing and self._closing[0][0] < before_s:
            at_s, name = heappop(self._closing)
            session = self._open.get(name)
            if session is None:  # it has become one with the one before
                continue
            if session.closes_s(self._gap_s) > at_s:  # it has gone on since
                heappush(self._closing, (session.closes_s(self._gap_s), name))
                continue
            self._forget(session)
            yield session

    def _forget(self, session: Session) -> None:
        del self._open[session.name]
        for row in session.rows:
            one = row.impression
            del self._rows[one.request]
            if self._shown.get((one.viewer, one.room)) is row:
                del self._shown[one.viewer, one.room]
        first = session.rows[0].impression
        self._visit(first).remove(session)
        if not self._visit(first):
            del self._visits[first.viewer][first.session]
            if not self._visits[first.viewer]:
                del self._visits[first.viewer]

    def restore(self, sessions: Iterable[Session]) -> None:
        """Take sessions that were open elsewhere; it has to have none of its own."""
        for session in sessions:
            self._open[session.name] = session
            heappush(self._closing, (session.closes_s(self._gap_s), session.name))
            first = session.rows[0].impression
            self._visits.setdefault(first.viewer, {}).setdefault(first.session, []).append(session)
        rows = [row for session in self for row in session.rows]
        for row in sorted(rows, key=lambda row: (row.impression.time_s, row.impression.request)):
            one = row.impression
            self._rows[one.request] = row
            if one.room:
                self._shown[one.viewer, one.room] = row
