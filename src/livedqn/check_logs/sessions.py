"""Looks at rows and sessions: rules that they break, requests and rows that come twice, ends that are missing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from livedqn.check_logs.finding import Finding
from livedqn.logs import Impressions, faults
from livedqn.logs.rules import place
from livedqn.logs.seen import SeenSessions
from livedqn.types import IntArray, Spec


class Rules:
    """Rows that cannot be (:func:`livedqn.logs.faults`). Keeps 8 bytes for each session."""

    def __init__(self, spec: Spec) -> None:
        self._spec, self._seen = spec, SeenSessions()
        self._found: dict[str, Finding] = {}

    def add(self, impressions: Impressions) -> None:
        """The next whole sessions."""
        for what, cure, rows in faults(impressions, self._spec, self._seen):
            found = self._found.setdefault(what, Finding(what, cure, 0, place(impressions, rows)))
            found.rows += int(rows.sum())

    def findings(self) -> Iterator[Finding]:
        """One a rule."""
        yield from self._found.values()

    def lines(self) -> Iterable[str]:
        """Nothing."""
        return ()


class RepeatedRequests:
    """Requests that come twice. Keeps 8 bytes for each."""

    def __init__(self) -> None:
        self._names: list[IntArray] = []

    def add(self, impressions: Impressions) -> None:
        """The next whole sessions."""
        self._names.append(impressions.request)

    def findings(self) -> Iterator[Finding]:
        """What comes twice."""
        names, counts = np.unique(np.concatenate(self._names or [np.zeros(0, np.int64)]), return_counts=True)
        if again := int((counts - 1).sum()):
            yield Finding(
                "a request comes twice or more often",
                "an event was logged or joined twice: keep one row for each request",
                again, f"request {names[counts.argmax()]}, {counts.max()} times", unit="requests too many",
            )  # fmt: skip

    def lines(self) -> Iterable[str]:
        """Nothing."""
        return ()


class Copies:
    """Rows that say just what the one before them says: of a table that was exported or joined twice."""

    def __init__(self) -> None:
        self._count, self._example = 0, ""

    def add(self, impressions: Impressions) -> None:
        """The next whole sessions."""
        again = impressions.acted[1:] & impressions.acted[:-1] & ~impressions.begins[1:]
        said = (
            impressions.time_s, impressions.action, impressions.propensity, impressions.native, impressions.rooms,
            *impressions.observation.values(), *impressions.signals.values(),
        )  # fmt: skip
        for values in said:
            rows = again.nonzero()[0]  # hardly any are left behind the first
            one, other = values[rows], values[rows + 1]
            same = (one == other) | (one != one) & (other != other)  # NaN is no number but itself
            again[rows] = same.all(axis=tuple(range(1, same.ndim)))
        if again.any():
            self._example = self._example or place(impressions, np.concatenate([[False], again]))
        self._count += int(again.sum())

    def findings(self) -> Iterator[Finding]:
        """How many."""
        if self._count:
            yield Finding(
                "a row says the same as the one before it",
                "what a table holds twice is learned twice, and sessions seem to bring twice as much: keep one of each",
                self._count, self._example, is_wrong=False,
            )  # fmt: skip

    def lines(self) -> Iterable[str]:
        """Nothing."""
        return ()


class Ends:
    """How sessions end, and whether there is something to bootstrap from."""

    def __init__(self) -> None:
        self._sessions, self._terminated, self._missing, self._example = 0, 0, 0, ""

    def add(self, impressions: Impressions) -> None:
        """The next whole sessions."""
        self._sessions += int(impressions.begins.sum())
        self._terminated += int(impressions.terminated.sum())
        missing = impressions.acted & ~impressions.terminated & (impressions.successor < 0)
        if missing.any():
            self._example = self._example or place(impressions, missing)
        self._missing += int(missing.sum())

    def findings(self) -> Iterator[Finding]:
        """Sessions without an end."""
        if self._missing:
            yield Finding(
                "a session did not terminate, and its last observation is missing",
                "its last impression is left out of bootstrapping; end such a session with a row without action",
                self._missing, self._example, is_wrong=False, unit="sessions",
            )  # fmt: skip

    def lines(self) -> Iterable[str]:
        """How many terminated."""
        share = self._terminated / max(self._sessions, 1)
        yield f"ends: {share:.1%} of {self._sessions:,} sessions terminate; of {self._missing:,} the end is missing"
