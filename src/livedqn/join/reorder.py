"""Events in order of time, each once, whatever order they arrive in, up to a lateness."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Iterator
from heapq import heapify, heappop, heappush

from livedqn.join.events import Event, Impression
from livedqn.join.kinds import LEAVE


class Reorder:
    """Keeps events until none that is older can come: until the watermark has passed them.

    The watermark is the newest time that was seen less the lateness, unless it is advanced further. What comes out is
    a function of the set of events alone as long as each arrives before the watermark has passed it. Of events that
    share an id within the lateness the oldest comes out.

    Args:
        allowed_lateness_s: by how much events may be late.
    """

    def __init__(self, allowed_lateness_s: float) -> None:
        self.watermark_s = -math.inf
        self.newest_s = -math.inf
        self._lateness_s = allowed_lateness_s
        self._waiting: list[tuple[float, int, int | str, Event]] = []  # a heap, see _place
        self._seen: dict[int | str, float] = {}  # id of what has come out -> its time
        self._recent: deque[tuple[float, int | str]] = deque()  # the same, oldest first

    def __len__(self) -> int:
        return len(self._waiting)

    def __iter__(self) -> Iterator[Event]:
        """What waits, in order."""
        return (event for *_, event in sorted(self._waiting))

    def add(self, event: Event) -> str:
        """ "" if it was taken, "late" or "duplicate" if it came too late, and was known or not."""
        time_s = event.time_s
        if time_s < self.watermark_s:
            return "duplicate" if _name(event) in self._seen else "late"
        heappush(self._waiting, _place(event))
        if time_s > self.newest_s:
            self.newest_s = time_s
            self.advance(time_s - self._lateness_s)
        return ""

    def advance(self, time_s: float) -> None:
        """Nothing older than ``time_s`` will come, or it is late."""
        self.watermark_s = max(self.watermark_s, time_s)

    def ready(self) -> Iterator[tuple[Event, bool]]:
        """The events that the watermark has passed, in order, and whether each is a duplicate of one before."""
        while self._waiting and self._waiting[0][0] < self.watermark_s:
            time_s, _, name, event = heappop(self._waiting)
            while self._recent and time_s - self._recent[0][0] > self._lateness_s:
                del self._seen[self._recent.popleft()[1]]
            is_known = name in self._seen
            if not is_known:
                self._seen[name] = time_s
                self._recent.append((time_s, name))
            yield event, is_known

    @property
    def recent(self) -> list[tuple[float, int | str]]:
        """Time and id of what came out within the lateness, oldest first."""
        return list(self._recent)

    def restore(
        self, watermark_s: float, newest_s: float, waiting: Iterable[Event], recent: Iterable[tuple[float, int | str]]
    ) -> None:  # fmt: skip
        """Go on where another stopped."""
        self.watermark_s, self.newest_s = watermark_s, newest_s
        self._waiting = [_place(event) for event in waiting]
        heapify(self._waiting)
        self._recent = deque(recent)
        self._seen = {name: time_s for time_s, name in self._recent}


def _name(event: Event) -> int | str:
    """By which duplicates are known: two kinds of signals may count from 1 each."""
    return event.id if isinstance(event, Impression) else f"{event.kind} {event.id}"


def _place(event: Event) -> tuple[float, int, int | str, Event]:
    """Among events: by time; of one time what ends then (watching, a visit), impressions, and what they bring."""
    if isinstance(event, Impression):
        rank = 1
    else:
        rank = 0 if event.kind == LEAVE or (event.kind == "watch" and event.amount > 0) else 2
    return event.time_s, rank, _name(event), event
