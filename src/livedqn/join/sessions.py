"""The sessions that are open, and whose a signal is. Events come in order of time, each once."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from heapq import heappop, heappush

from livedqn.join.events import Impression, Signal
from livedqn.join.kinds import LEAVE
from livedqn.join.session import Row, Session


class Sessions:
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
        self._current: dict[int, dict[int | None, Session]] = {}  # by viewer, and the platform's name of the visit
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
        current = self._current.setdefault(impression.viewer, {})
        session = current.get(impression.session)
        if session is not None and not session.is_over(time_s, self._gap_s) and len(session.rows) >= self._max_requests:
            session.successor, session.ended = impression, True
        if session is None or session.is_over(time_s, self._gap_s):
            if session is not None:
                session.ended = True
            session = Session([], alive_s=time_s, awaits_s=time_s)
            self._open[name] = current[impression.session] = session
            heappush(self._closing, (session.closes_s(self._gap_s), name))
        row = Row(impression, session.name if session.rows else name)
        session.rows.append(row)
        session.alive_s = time_s
        self._rows[name] = row
        if room := impression.room:
            session.awaits_s = max(session.awaits_s, time_s + self._longest_s)
            self._shown[impression.viewer, room] = row
        return True

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
        session = self._open[row.session]
        if not session.is_over(since_s, self._gap_s):
            session.alive_s = signal.time_s
        return True

    def _leave(self, signal: Signal) -> bool:
        """End the session of the request it names, else the viewer's session with the latest impression."""
        if signal.request is None:
            found = list(self._current.get(signal.viewer, {}).values())
        else:
            row = self._rows.get(signal.request)
            is_theirs = row is not None and row.impression.viewer == signal.viewer
            found = [self._open[row.session]] if row is not None and is_theirs else []
        going = [session for session in found if not session.is_over(signal.time_s, self._gap_s)]
        if not going:
            return False
        latest = max(going, key=lambda s: (s.rows[-1].impression.time_s, s.rows[-1].impression.request))
        latest.alive_s, latest.ended = signal.time_s, True
        return True

    def close(self, before_s: float) -> Iterator[Session]:
        """The sessions that close before ``before_s``, in order of that; they are forgotten."""
        while self._closing and self._closing[0][0] < before_s:
            at_s, name = heappop(self._closing)
            session = self._open[name]
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
        current = self._current.get(first.viewer, {})
        if current.get(first.session) is session:
            del current[first.session]
            if not current:
                del self._current[first.viewer]

    def restore(self, sessions: Iterable[Session]) -> None:
        """Take sessions that were open elsewhere; it has to have none of its own."""
        for session in sessions:
            self._open[session.name] = session
            heappush(self._closing, (session.closes_s(self._gap_s), session.name))
            first = session.rows[0].impression
            if not session.ended:
                self._current.setdefault(first.viewer, {})[first.session] = session
        rows = [row for session in self for row in session.rows]
        for row in sorted(rows, key=lambda row: (row.impression.time_s, row.impression.request)):
            one = row.impression
            self._rows[one.request] = row
            if one.room:
                self._shown[one.viewer, one.room] = row
