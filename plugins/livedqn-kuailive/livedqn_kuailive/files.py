"""KuaiLive's files as arrays. What cannot be read is -1, and its row says so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from livedqn.logs import cells, csvparts
from livedqn.types import BoolArray, Column, FloatArray, IntArray, LivedqnError
from livedqn_kuailive.tables import Table, found, read, whole

Array = npt.NDArray[Any]
IDS = ("user_id", "live_id", "streamer_id", "timestamp")
#: What may be wrong with a row.
WHY = (
    "", "the amount is no number from 0 on", "streamer_id is not that of room.csv", "live_id is in no row of room.csv",
    "the room was not live at that time", "the viewer clicked, or was shown, this room twice at one time",
    "no click of this viewer on this room comes attribution_s or less before it",
    "user_id or timestamp is missing, or cannot be read", "it has no id, or one that came before",
    "it has no live_id, or no start before its end", "it has too few fields, or too many",
)  # fmt: skip
AMOUNT, STRANGE, UNKNOWN, NOT_LIVE, TWICE, UNCLICKED, UNPLACED, NO_ID, NO_ROOM, BROKEN = range(1, len(WHY))
NEVER = 1 << 60


@dataclass(frozen=True)
class Rooms:
    """R rooms, sorted by ``live_id``; times are in ms."""

    live_id: IntArray  # (R,)
    streamer: IntArray  # (R,), ids
    start: IntArray  # (R,)
    end: IntArray  # (R,), the first moment at which it was not live any more
    features: FloatArray  # (R, 2), category and type
    columns: tuple[Column, ...]
    bad: Events  # rows that are no room


@dataclass(frozen=True)
class People:
    """P users, or streamers: the last row, of zeros, is of all that the file does not have."""

    ids: IntArray  # (P,), sorted
    features: FloatArray  # (P + 1, F), what does not change
    since: IntArray  # (P + 1, S), ms: when something began that lasts
    columns: tuple[Column, ...]  # F and S
    bad: Events  # rows that are nobody

    def find(self, ids: IntArray) -> IntArray:
        """The row of each."""
        return found(self.ids, ids, len(self.ids))

    def at(self, rows: IntArray, time: IntArray) -> FloatArray:
        """Features of ``rows`` as they were at ``time`` (ms), (..., F + S); 0 days of what had not begun."""
        begun = self.since[rows]
        days = np.maximum(time[..., None] - begun, 0) / 86_400_000 * (begun > 0)
        return np.concatenate([self.features[rows], days], axis=-1).astype(np.float32)


@dataclass(frozen=True)
class Events:
    """E rows of one file of what viewers did."""

    user: IntArray  # (E,)
    room: npt.NDArray[np.int32]  # (E,), the row of Rooms
    time: IntArray  # (E,), ms
    amount: FloatArray  # (E,), of the column that the file has beside ids, 1 where it has none
    why: npt.NDArray[np.int8]  # (E,), what is wrong, by its place in WHY
    row: IntArray  # (E,), of the file

    def __len__(self) -> int:
        return len(self.row)

    def take(self, rows: Any) -> Events:
        """These."""
        return Events(*(getattr(self, field.name)[rows] for field in fields(self)))

    @classmethod
    def bad(cls, row: IntArray, why: Any) -> Events:
        """``row`` (E,) of a file, of no viewer and no time."""
        n = len(row)
        nowhere = np.full(n, -1, np.int64)
        return cls(nowhere, np.full(n, -1, np.int32), nowhere, np.zeros(n, np.float32),
                   np.broadcast_to(np.asarray(why, np.int8), (n,)), row)  # fmt: skip


def rooms(path: Path) -> Rooms:
    """The rooms; a ``live_id`` with several rows (of several days) is one, from its first start to its last end."""
    names, labels = (
        ("live_id", "streamer_id", "start_timestamp", "end_timestamp"),
        ("live_content_category", "live_type"),
    )
    table = read(path, names, labels)
    live_id, streamer, start, end = (table.numbers[name] for name in names)
    is_one = (live_id >= 0) & (start >= 0) & (end > start)
    if not is_one.any():
        raise LivedqnError(f"{path} has no room with live_id, start_timestamp and end_timestamp; is it KuaiLive's?")
    order = np.flatnonzero(is_one)
    order = order[np.lexsort([start[order], live_id[order]])]
    ids, first = np.unique(live_id[order], return_index=True)
    last = np.maximum.reduceat(end[order], first)
    order = order[first]
    features = np.stack([table.labels[name][order] for name in labels], axis=1).astype(np.float32)
    columns = tuple(replace(table.columns[name], name=name.removeprefix("live_content_")) for name in labels)
    return Rooms(ids, streamer[order], start[order], last, features, columns, _bad(table, ~is_one, NO_ROOM))


def people(path: Path, key: str, constant: Sequence[str], since: Sequence[str], prefix: str = "") -> People:
    """The rows of user.csv or streamer.csv, of which ``key`` is the id.

    Only what was so at every request is taken: counts (fans, plays) are those of the day on which the file was made.
    """
    table = read(path, [key, *since], constant)
    ids, first = np.unique(table.numbers[key], return_index=True)
    ids, first = ids[ids >= 0], first[ids >= 0]
    features = np.zeros((len(ids) + 1, len(constant)), np.float32)
    began = np.zeros((len(ids) + 1, len(since)), np.int64)
    for i, name in enumerate(constant):
        features[:-1, i] = table.labels[name][first]
    for i, name in enumerate(since):
        began[:-1, i] = np.maximum(table.numbers[name][first], 0)
    columns = [replace(table.columns[name], name=prefix + name) for name in constant]
    columns += [Column(f"{prefix}{name.removesuffix('_timestamp')}_d", "count", "d") for name in since]
    is_bad = ~np.isin(np.arange(len(table.broken)), first)
    return People(ids, features, began, tuple(columns), _bad(table, is_bad, NO_ID))


def events(path: Path, of: Rooms, amount: str = "", slack_ms: int = NEVER) -> Events:
    """A file of what viewers did, its rows in their order; in the room, or at most ``slack_ms`` off."""
    made: list[tuple[Array, ...]] = []
    for table in csvparts.parts(path, [*IDS, *([amount] if amount else [])]):
        column = {name: table[name].combine_chunks() for name in table.column_names}
        user, live_id, streamer, time = (whole(column[name]) for name in IDS)
        room = found(of.live_id, live_id, -1)
        amounts = cells.numbers(column[amount]) if amount else np.ones(len(user))
        why = np.zeros(len(user), np.int8)
        for code, wrong in (
            (AMOUNT, ~(amounts >= 0)),
            (STRANGE, streamer != of.streamer[room]),
            (NOT_LIVE, (time < of.start[room] - slack_ms) | (time >= of.end[room] + slack_ms)),
            (UNKNOWN, room < 0),
            (UNPLACED, (user < 0) | (time < 0)),
            (BROKEN, cells.texts(column[csvparts.BROKEN]) != ""),
        ):
            why[wrong] = code
        amounts = np.where(amounts >= 0, amounts, 0).astype(np.float32)
        made.append((user, room.astype(np.int32), time, amounts, why, np.asarray(column[csvparts.ROW])))
    return Events(*(np.concatenate(arrays) for arrays in zip(*made, strict=True)))


def _bad(table: Table, rows: BoolArray, why: int) -> Events:
    return Events.bad(np.flatnonzero(rows), np.where(table.broken[rows], BROKEN, why))
