"""A session that is open: its impressions, and the signals of each so far."""

from __future__ import annotations

from dataclasses import dataclass, field

from livedqn.join.events import Impression, Signal
from livedqn.join.kinds import GIFT_DELAY, KINDS


@dataclass(slots=True, eq=False)
class Row:
    """An impression, and its signals so far (0 where none came)."""

    impression: Impression
    signals: dict[str, float] = field(default_factory=dict)

    def add(self, signal: Signal) -> None:
        """One of ``KINDS``."""
        name, _, adds = KINDS[signal.kind]
        self.signals[name] = self.signals.get(name, 0.0) + signal.amount if adds else 1.0
        if signal.kind == "gift":
            self.signals.setdefault(GIFT_DELAY, signal.time_s - self.impression.time_s)


@dataclass(slots=True, eq=False)
class Session:
    """Impressions of a viewer without a pause; its name is that of its first request, taken once in all logs."""

    rows: list[Row]
    alive_s: float  # the last sign of life; the time of leaving, if that was seen
    awaits_s: float  # until when signals of its impressions count
    ended: bool = False  # the viewer was seen leaving: no sign of life makes it longer
    successor: Impression | None = None  # where it was cut for its length: the request that came next

    @property
    def name(self) -> int:
        """The first request."""
        return self.rows[0].impression.request

    def is_over(self, time_s: float, gap_s: float) -> bool:
        """Whether an event at ``time_s`` is none of this session."""
        return self.ended or time_s >= self.alive_s + gap_s

    def absorb(self, later: Session) -> None:
        """Take in the session that followed, as no pause lay between the two."""
        self.rows += later.rows
        self.alive_s, self.awaits_s, self.ended, self.successor = (
            later.alive_s, later.awaits_s, later.ended, later.successor,
        )  # fmt: skip

    def closes_s(self, gap_s: float) -> float:
        """Nothing that comes later than this changes it, as far as is known; it only ever grows."""
        return max(self.awaits_s, self.alive_s + gap_s)
