"""Logs from the first session to the last, and again: what can be learned from, and counts of what cannot."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from itertools import islice
from typing import Any

import numpy as np

from livedqn.logs.impressions import Impressions, join
from livedqn.logs.rules import sessions_at_fault
from livedqn.logs.seen import SeenSessions
from livedqn.logs.split import day_s, held_out
from livedqn.protocols import Logs
from livedqn.types import LivedqnError

#: Rows from which on a share of faults is one.
ENOUGH = 10_000


@dataclass
class Counts:
    """Of the first pass, as far as it has come. Impressions are rows with an action."""

    rows: int = 0  # of any kind
    impressions: int = 0  # to be learned from
    sessions: int = 0  # of these
    held_out: int = 0  # impressions of viewers that are held out
    later: int = 0  # impressions of the other viewers, in sessions from ``before`` on
    without_successor: int = 0  # impressions that neither terminated nor have a next observation
    rows_at_fault: int = 0
    sessions_at_fault: int = 0
    why: Counter[str] = field(default_factory=Counter)  # rows by the rule that they break

    @property
    def transitions(self) -> int:
        """Impressions of which it is known what followed: as many steps are a pass."""
        return self.impressions - self.without_successor

    def lines(self) -> Iterator[str]:
        """What a user has to know."""
        yield f"logs: {self.impressions:,} impressions of {self.sessions:,} sessions to learn from"
        if self.held_out:
            yield f"held out: {self.held_out:,} impressions of viewers that training never sees"
        if self.later:
            yield f"later: {self.later:,} impressions of days that training never sees"
        if self.without_successor:
            yield f"without a next observation, so not bootstrapped from: {self.without_successor:,} impressions"
        if self.rows_at_fault:
            why = "; ".join(f"{what} ({rows:,} rows)" for what, rows in self.why.most_common(3))
            yield (
                f"set aside: {self.rows_at_fault:,} rows, {self.sessions_at_fault:,} whole sessions: {why}; "
                "livedqn check-logs writes them into a file"
            )


class Passes:
    """Sound sessions of the viewers and days that are not held out, in the order of the logs.

    Args:
        logs: read again for every pass.
        holdout: share of viewers that are held out (:func:`livedqn.logs.split.held_out`).
        before: the first day (YYYY-MM-DD, UTC) whose sessions are held out, as all later ones are; "": none are.
        tolerated: the largest share of rows that may belong to a session with a fault.

    Raises:
        LivedqnError: ``before`` is no day.
    """

    def __init__(self, logs: Logs, *, holdout: float, before: str, tolerated: float) -> None:
        self.counts = Counts()
        self.done = 0  # passes
        self._logs, self._holdout, self._tolerated = logs, holdout, tolerated
        self._before_s = day_s(before, "before") if before else np.inf
        self._parts, self._seen = iter(logs), SeenSessions()
        self._read = 0  # parts of this pass
        self._found = 0  # sound rows of this pass

    def take(self, rows: int) -> Impressions:
        """Whole sessions, of at least so many rows, or of all that are left of this pass; never none.

        Raises:
            LivedqnError: more than the tolerated share is at fault, or nothing is left to learn from.
        """
        taken: list[Impressions] = []
        while sum(map(len, taken)) < rows:
            sound = self._next_part()
            if not self.done and self.counts.rows >= ENOUGH:  # who learns meanwhile shall not learn from the rest first
                self._require_tolerable(f"the logs' first {self.counts.rows:,} rows")
            if sound is None and taken:
                break
            if sound is not None and len(sound):
                taken.append(sound)
        return join(taken)

    def once(self) -> Iterator[Impressions]:
        """What there is of the first pass, as the logs come in parts; then ``counts`` are of all of it.

        Raises:
            LivedqnError: as :meth:`take` does, but not before the end: what stands first may be the worst.
        """
        while not self.done:
            sound = self._next_part()
            if sound is not None:
                yield sound

    def _next_part(self) -> Impressions | None:
        """What is sound of it; None at the end of a pass, and then it is the next pass's turn."""
        part = next(self._parts, None)
        if part is None:
            self._next_pass()
            return None
        self._read += 1
        sound = self._sound(part)
        self._found += len(sound)
        return sound

    def _next_pass(self) -> None:
        if not self.done:
            self._require_tolerable("the logs' rows")
            if not self.counts.transitions:  # none, or none of which anything follows
                why = "; ".join([f"they have {self.counts.rows:,} rows", *list(self.counts.lines())[1:]])
                raise LivedqnError(f"the logs hold nothing to learn from: {why}; look: livedqn check-logs")
        elif not self._found:
            raise LivedqnError("the logs hold nothing to learn from any more, though they did; read them anew")
        self.done += 1
        self._parts, self._seen, self._read, self._found = iter(self._logs), SeenSessions(), 0, 0

    def _sound(self, part: Impressions) -> Impressions:
        is_bad, found = sessions_at_fault(part, self._logs.spec, self._seen)
        is_held_out = held_out(part.viewer, self._holdout)  # the same ones in every run
        is_later = part.session_s >= self._before_s
        left_out = is_bad | is_held_out | is_later
        sound = part.take(~left_out) if left_out.any() else part
        if not self.done:
            counts, acted = self.counts, part.acted
            counts.rows += len(part)
            counts.impressions += int(sound.acted.sum())
            counts.sessions += int(sound.begins.sum())
            counts.held_out += int((is_held_out & ~is_bad & acted).sum())
            counts.later += int((is_later & ~is_held_out & ~is_bad & acted).sum())
            counts.without_successor += int((sound.acted & ~sound.terminated & (sound.successor < 0)).sum())
            counts.rows_at_fault += int(is_bad.sum())
            counts.sessions_at_fault += int((is_bad & part.begins).sum())
            counts.why.update({fault.what: int(fault.rows.sum()) for fault in found})
        return sound

    def _require_tolerable(self, of: str) -> None:
        counts = self.counts
        if counts.rows_at_fault > self._tolerated * counts.rows:
            what, rows = counts.why.most_common(1)[0]
            raise LivedqnError(
                f"{counts.rows_at_fault / counts.rows:.1%} of {of} belong to sessions with a fault "
                f"({rows:,} rows: {what}), more than tolerated={self._tolerated}; look: livedqn check-logs"
            )

    def state_dict(self) -> dict[str, Any]:
        """Plain Python."""
        counts = {**asdict(self.counts), "why": dict(self.counts.why)}
        return {"counts": counts, "done": self.done, "read": self._read}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """The inverse of :meth:`state_dict`, of logs that are as they were: what was read of them is passed over."""
        self.counts = Counts(**{**state["counts"], "why": Counter(state["counts"]["why"])})
        self.done, self._read = int(state["done"]), int(state["read"])
        self._found = self._read
        self._parts, self._seen = iter(self._logs), SeenSessions()
        for part in islice(self._parts, self._read):
            self._seen.again(part)
