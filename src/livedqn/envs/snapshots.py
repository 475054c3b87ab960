"""Snapshots of a live platform in a CSV: what was live when, as a timetable.

A snapshot is known from its time until the next one: between the two the *last* heat is shown, never one interpolated
towards a snapshot that nobody has seen yet. A room ends at the first snapshot in which it is missing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from math import inf
from typing import Any

import numpy as np
import numpy.typing as npt

from livedqn.csvrows import Check, Form, number, read, whole
from livedqn.envs.timetable import Timetable
from livedqn.types import BoolArray, FloatArray, IntArray

Arrays = Mapping[str, npt.NDArray[Any]]


@dataclass(frozen=True)
class Snapshots:
    """N rows, each a room as one of S snapshots found it. Times are seconds since 1970, in UTC."""

    columns: Arrays  # (N,) each, by the names of COLUMNS
    bad: tuple[str, ...]  # what is wrong with each row that was left out
    times_s: FloatArray  # (S,) float64, rising
    snapshot: IntArray  # (N,) int64, which of them
    streamer: IntArray  # (N,) int64, numbers from 1

    @classmethod
    def read(cls, path: str, name: str, tolerated: float = 0.0) -> Snapshots:
        """Those of a CSV with a row for each room of each snapshot; for the arguments see :func:`csvrows.read`.

        Raises:
            LivedqnError: the file is missing or no such CSV, or more rows than are tolerated cannot be true.
        """
        rows = read(path, FORM, name, tolerated)
        return cls.of(rows.columns, rows.bad)

    @classmethod
    def of(cls, columns: Arrays, bad: tuple[str, ...] = ()) -> Snapshots:
        """Of the columns of a file."""
        times_s, snapshot = np.unique(columns["snapshot_time_utc"], return_inverse=True)
        streamer = np.unique(columns["streamer_id"], return_inverse=True)[1] + 1
        return cls(columns, bad, times_s, snapshot, streamer)

    @property
    def streamers(self) -> int:
        """How many of them were ever live."""
        return int(self.streamer.max())

    def every(self, seconds: float) -> Snapshots:
        """The first snapshot of each such period, and no other."""
        kept = np.unique(self.times_s // seconds, return_index=True)[1]
        rows = np.isin(self.snapshot, kept)
        return Snapshots.of({name: values[rows] for name, values in self.columns.items()}, self.bad)

    def topics(self, most: int, until_s: float = inf) -> IntArray:
        """The topic of every row, (N,) int32: 1 for the commonest category before ``until_s``.

        Topic ``most`` is all other categories.
        """
        categories = self.columns["game_id"]
        names, counts = np.unique(categories[self.columns["snapshot_time_utc"] < until_s], return_counts=True)
        common = names[np.lexsort((names, -counts))][: most - 1]
        topic = np.full(len(categories), most, np.int32)
        for place, name in enumerate(common, start=1):
            topic[categories == name] = place
        return topic

    def timetable(self, topic: IntArray, start_s: float = -inf, end_s: float = inf) -> Timetable:
        """The snapshots from ``start_s`` until before ``end_s``; the last one tells only what is live, and closes it.

        Args:
            topic: (N,) int32, of every row.
            start_s: when it begins.
            end_s: when it is over.
        """
        inside = (self.times_s >= start_s) & (self.times_s < end_s)
        chosen = inside[self.snapshot]
        entries = {
            "bin": self.snapshot - np.argmax(inside),
            "room": self.columns["stream_id"],
            "streamer_id": self.columns["streamer_id"],
            "streamer": self.streamer.astype(np.int32),
            "topic": topic,
            "heat": self.columns["viewer_count"].astype(np.float32),
            "started_s": self.columns["started_at_utc"],
            "ends_s": self._ends(),
            "broadcasts": self._earlier_broadcasts(),
        }
        times_s = self.times_s[inside]
        return Timetable.of(
            times_s, float(times_s[-1]) + 1, {name: values[chosen] for name, values in entries.items()}
        )  # fmt: skip

    def _ends(self) -> FloatArray:
        """When each row's room ends: the time of the first snapshot after it in which the room is missing."""
        order = np.lexsort((self.snapshot, self.columns["stream_id"]))
        r, s = self.columns["stream_id"][order], self.snapshot[order]
        is_last: BoolArray = np.append((r[1:] != r[:-1]) | (s[1:] != s[:-1] + 1), True)
        last = s[is_last][np.searchsorted(np.flatnonzero(is_last), np.arange(len(r)))]
        ends = np.empty(len(r), np.float64)
        ends[order] = np.append(self.times_s, self.times_s[-1] + 1)[last + 1]
        return ends

    def _earlier_broadcasts(self) -> FloatArray:
        """How many other rooms of the same streamer came before each row's room, in this file, (N,) float32."""
        rooms, first, of_row = np.unique(self.columns["stream_id"], return_index=True, return_inverse=True)
        order = np.lexsort((rooms, self.columns["started_at_utc"][first], self.streamer[first]))
        whose = self.streamer[first][order]
        earlier = np.empty(len(rooms), np.float32)
        earlier[order] = np.arange(len(rooms)) - np.searchsorted(whose, whose)
        return earlier[of_row]


def _seconds(text: str) -> float:
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("is no time; write it as 2020-01-31T12:00:00Z") from None
    if time.utcoffset():
        raise ValueError("is not in UTC; write it as 2020-01-31T12:00:00Z")
    return time.replace(tzinfo=UTC).timestamp()


def _make_check() -> Check:
    lines: dict[tuple[float, int], int] = {}  # where each room of each snapshot stands

    def check(fields: Mapping[str, str], values: Mapping[str, Any], line: int) -> None:
        time, room = fields["snapshot_time_utc"], fields["stream_id"]
        if values["started_at_utc"] > values["snapshot_time_utc"]:
            raise ValueError(f"started_at_utc={fields['started_at_utc']!r} lies after snapshot_time_utc={time!r}")
        first = lines.setdefault((values["snapshot_time_utc"], values["stream_id"]), line)
        if first != line:
            raise ValueError(f"stream_id={room!r} is in snapshot_time_utc={time!r} already, in line {first}")

    return check


#: A category may be empty: rooms have none at times.
FORM = Form(
    "room snapshots",
    {
        "snapshot_time_utc": _seconds, "stream_id": whole, "streamer_id": whole, "game_id": str,
        "started_at_utc": _seconds, "viewer_count": number,
    },
    _make_check,
)  # fmt: skip
