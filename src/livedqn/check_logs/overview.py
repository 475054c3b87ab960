"""What is in the logs: so many rows of whom, when, by which policy, and what viewers did."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

import numpy as np

from livedqn.check_logs.finding import Finding
from livedqn.logs import Impressions
from livedqn.logs.rules import LAST_S, place
from livedqn.types import BoolArray, IntArray, Spec

_YEAR_S = 365 * 86_400
_NAMELESS = "a room that could be chosen has the id 0, which names none"


class Overview:
    """Counts and means, and values that are likely in another unit or of another room."""

    def __init__(self, spec: Spec) -> None:
        self._spec = spec
        self._rows, self._acted, self._shown, self._sessions = 0, 0, 0, 0
        self._viewers: list[IntArray] = []
        self._times: list[int] = []  # first and last of each part
        self._steps, self._brief = 0, 0  # from a row of a session to the next, and those of less than a second
        self._policies: Counter[str] = Counter()
        self._sums = dict.fromkeys(spec.signals, 0.0)
        self._doubts: dict[str, Finding] = {}
        self._names_rooms = False
        self._offered = np.zeros(spec.num_actions, np.int64)  # requests by how many rooms they had

    def add(self, impressions: Impressions) -> None:
        """The next whole sessions."""
        if not len(impressions):
            return
        acted = impressions.acted
        self._rows += len(impressions)
        self._acted += int(acted.sum())
        self._shown += int((impressions.action > 0).sum())
        self._sessions += int(impressions.begins.sum())
        is_read = np.ones(len(impressions), np.bool_) if impressions.defect is None else impressions.defect == ""
        self._viewers.append(np.unique(impressions.viewer[is_read]))  # of another row nobody knows whose it is, or when
        times = impressions.time_s[is_read & (impressions.time_s >= 0) & (impressions.time_s <= LAST_S)]
        self._times += [int(times.min()), int(times.max())] if len(times) else []
        goes_on = ~impressions.begins[1:]
        self._steps += int(goes_on.sum())
        self._brief += int((goes_on & (impressions.elapsed_s[:-1] < 1)).sum())
        names, counts = np.unique(impressions.policy[acted], return_counts=True)
        self._policies.update(dict(zip(names.tolist(), counts.tolist(), strict=True)))
        for name, signal in impressions.signals.items():
            self._sums[name] += float(np.sum(signal, where=np.isfinite(signal), dtype=np.float64))
        if self._spec.has_rooms:
            rooms = np.minimum(impressions.sizes, len(self._offered)) - 1
            self._offered += np.bincount(rooms, minlength=len(self._offered))
            self._doubt(impressions)

    def findings(self) -> Iterator[Finding]:
        """That there is nothing at all, and doubts."""
        if not self._acted:
            yield Finding("there is no impression", "look at where the logs were taken from", 0)
        elif self._sessions > 1 and self._distinct() == 1:
            yield Finding(
                "all sessions are of one viewer", "log who each visit was of, by any name that stays: viewers are what "
                "is held out, and what intervals are drawn from",
                self._sessions, f"viewer {np.concatenate(self._viewers)[0]}", is_wrong=False, unit="sessions",
            )  # fmt: skip
        if max(self._times, default=_YEAR_S) < _YEAR_S and self._brief > self._steps / 2:
            yield Finding(
                "all times are of 1970, and most requests within a second of the one before",
                "times are in seconds, which a mapping says: time: {from: ..., unit: s}", self._brief, is_wrong=False,
            )  # fmt: skip
        usual, most = (self._most_rooms(share) for share in (0.999, 1))
        if most > 3 * usual:
            yield Finding(
                f"a request has {most:,} rooms, though 99.9% have at most {usual:,}",
                "all that holds requests is as wide as the widest, the replay too: leave such rows out, or some rooms",
                int(self._offered[usual + 1 :].sum()), is_wrong=False,
            )  # fmt: skip
        if not self._names_rooms:  # no room has a name in these logs, and none is owed: nothing is learned from it
            self._doubts.pop(_NAMELESS, None)
        yield from self._doubts.values()

    def lines(self) -> Iterable[str]:
        """Who, when, by which policy, and what came of it."""
        if not self._acted:
            return
        viewers = self._distinct()
        when = f"{_date(min(self._times))} to {_date(max(self._times))}" if self._times else "at no time that is one"
        ends = self._rows - self._acted
        of = f"{self._acted:,} impressions and {ends:,} last observations of {viewers:,} viewers"
        yield f"rows: {of}, {when}"
        policies = (f"{name or 'unknown'} {count / self._acted:.1%}" for name, count in self._policies.most_common(5))
        yield f"policies: {', '.join(policies)}{', ...' if len(self._policies) > 5 else ''}"
        if self._spec.has_rooms:
            mean = self._offered @ np.arange(len(self._offered)) / self._rows
            yield f"offered: {mean:.1f} rooms a request, {self._most_rooms(1):,} at most"
            means = ", ".join(f"{name} {total / self._acted:.3g}" for name, total in self._sums.items())
            yield f"shown: a room at {self._shown / self._acted:.1%} of requests; means over all requests: {means}"

    def _most_rooms(self, share: float) -> int:
        """As many as no more than that ``share`` of requests have at most."""
        return int(np.searchsorted(np.cumsum(self._offered), share * self._offered.sum()))

    def _distinct(self) -> int:
        return len(np.unique(np.concatenate(self._viewers)))

    def _doubt(self, impressions: Impressions) -> None:
        for name, signal in impressions.signals.items():
            if name != "left":
                self._note(
                    impressions, (impressions.action == 0) & (signal > 0), f"there is signals.{name} of nothing",
                    "a signal belongs to the impression of the room that brought it",
                )  # fmt: skip
        if "watch_s" in impressions.signals:
            self._note(
                impressions, impressions.signals["watch_s"] > impressions.elapsed_s + 1,
                "signals.watch_s is longer than elapsed_s", "both are seconds, and of one impression; milliseconds?",
            )  # fmt: skip

        self._names_rooms |= bool(impressions.rooms.any())
        nameless = impressions.observation["mask"] & (impressions.rooms == 0)
        self._note(
            impressions, nameless[:, 1:].any(axis=1), _NAMELESS,
            "0 is nothing's: signals of a room of that id cannot be joined; give every room another number",
        )  # fmt: skip

    def _note(self, impressions: Impressions, rows: BoolArray, what: str, cure: str) -> None:
        if rows.any():
            found = self._doubts.setdefault(what, Finding(what, cure, 0, place(impressions, rows), is_wrong=False))
            found.rows += int(rows.sum())


def _date(time_s: int) -> str:
    return f"{datetime.fromtimestamp(time_s, UTC):%Y-%m-%d}"
