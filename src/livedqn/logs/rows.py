"""From rows of a mapped table to impressions."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from livedqn.logs import cells
from livedqn.logs.csvparts import BROKEN, ROW
from livedqn.logs.impressions import Impressions
from livedqn.logs.mapping import ColumnMapping
from livedqn.logs.rules import LAST_S
from livedqn.types import BoolArray, FloatArray, IntArray, LivedqnError

_LOST = "{} has lost digits: a float; give integers or text"
#: Viewers, the last ones to leave, of whom it is known whether they are back too soon.
LEFT = 100_000
#: Seconds that lie at least between two requests of one viewer, and before leaving: clocks are coarse.
LEAST_S = 1e-3


class Assembler:
    """Makes impressions of parts of a table, which come in order.

    Args:
        columns: which is what.
        separator: between values of a list, where lists are text.
        source: the table's file.
        is_told_sorted: that the rows of a session stand together is said by the user, and may be wrong.
    """

    def __init__(self, columns: ColumnMapping, separator: str, source: str, *, is_told_sorted: bool) -> None:
        self._columns, self._separator, self._source = columns, separator, source
        #: Where visits are told by pauses: viewer -> time of the last row, and seconds within which it goes on.
        self._left: dict[int, tuple[float, float]] | None = {} if is_told_sorted else None
        self._here: int | None = None  # the viewer of the last row that could be read
        #: Viewer, time, session, time watched, and whether it was the end, of the last row so far.
        self._last: tuple[int, float, int, float, bool] = 0, np.nan, 0, 0.0, False

    def impressions(self, table: pa.Table) -> Impressions:
        """The rows of ``table``; what only the next row can say is left open, see :meth:`completed`.

        Raises:
            LivedqnError: the rows of a visit do not stand together, though they were said to.
        """
        of, n = self._columns, len(table)
        column = {name: table[name].combine_chunks() for name in table.column_names}
        plain = {ours: column[theirs] for ours, theirs in of.plain.items()}
        row = np.asarray(column[ROW], np.int64)
        time_s = cells.times(column[of.time], of.time_unit)
        viewer = cells.names(plain["viewer"])
        signals = {c.column.name: cells.feature(column[c.source], c) for c in of.signals}
        watch_s = np.nan_to_num(signals.get("watch_s", np.zeros(n, np.float32)))
        number = {ours: cells.numbers(plain[ours]) for ours in _NUMBERS if ours in plain}
        defect: npt.NDArray[Any] = np.full(n, "", "U64")
        for ours in ("propensity", "terminated"):  # where nothing stands it is unknown, or was no end
            if ours in plain:
                defect[np.isnan(number[ours]) & ~cells.missing(plain[ours])] = f"the field of {ours} cannot be read"
        defect[np.isnan(time_s)] = "the time is missing, or cannot be read"
        if "shown" in plain:
            defect[cells.lost(plain["shown"])] = _LOST.format("shown")
        for ours in ("request", "session", "viewer"):  # else all such rows are of one, 0
            if ours in plain:
                defect[cells.lost(plain[ours])] = _LOST.format(ours)
                defect[cells.missing(plain[ours])] = f"the {ours} is missing"
        terminated = number.get("terminated", np.zeros(n)) > 0
        sizes, wide = self._candidates(column, plain, defect)
        broken = cells.texts(column[BROKEN])
        defect[broken != ""] = broken[broken != ""]
        is_named = "session" in plain
        session = cells.names(plain["session"]) if is_named else self._visits(viewer, time_s, watch_s, terminated)
        if not is_named and self._left is not None:
            within_s = np.where(terminated, -1.0, of.session_gap_s + watch_s)
            is_read = defect == ""  # of another row nobody knows whose it is
            self._refuse_scattered(self._left, viewer[is_read], time_s[is_read], within_s[is_read], row[is_read])
        rooms, streamers = wide.pop("rooms"), wide.pop("streamers")
        real = np.arange(rooms.shape[1]) <= sizes[:, None]
        allowed = wide.pop("mask")
        mask = real & (allowed > 0) if "mask" in plain else real
        mask[:, 0] = of.has_nothing
        return Impressions(
            request=cells.names(plain["request"]) if "request" in plain else row,
            session=session, viewer=viewer, time_s=_whole(time_s),
            observation={
                "context": np.stack([cells.feature(column[c.source], c) for c in of.context], axis=1),
                "history": self._history(column, defect), "mask": mask,
                "candidates": np.stack([wide[f"candidates.{c.column.name}"] for c in of.candidates], axis=2),
            },
            rooms=rooms, streamers=streamers, action=_action(plain, rooms, real),
            propensity=_single(number.get("propensity", np.full(n, np.nan))),
            policy=cells.texts(plain["policy"]) if "policy" in plain else np.full(n, ""),
            signals=signals,
            native=_single(number.get("native", np.zeros(n))),
            terminated=terminated, truncated=np.zeros(n, np.bool_),
            elapsed_s=number.get("elapsed_s", time_s).astype(np.float64), row=row, source=self._source, defect=defect,
        )  # fmt: skip

    def completed(self, whole: Impressions) -> Impressions:
        """Whole sessions with what the next row says: time to it, and that the last row is an end."""
        of = self._columns
        last = np.concatenate([whole.begins[1:], [True]])
        elapsed_s = whole.elapsed_s
        if "elapsed_s" not in of.plain:  # then it holds the time, unrounded
            with np.errstate(invalid="ignore"):  # as in _visits
                elapsed_s = np.maximum(np.diff(elapsed_s, append=0), LEAST_S)
            elapsed_s[last] = of.last_elapsed_s
            if "watch_s" in whole.signals:  # who watched for longer did not leave before
                elapsed_s[last] = np.fmax(elapsed_s, whole.signals["watch_s"])[last]
        terminated = whole.terminated
        if "terminated" not in of.plain and of.ends == "terminated":
            terminated = last
        return replace(
            whole, elapsed_s=_single(elapsed_s), terminated=terminated, truncated=last & ~terminated
        )  # fmt: skip

    def _visits(self, viewer: IntArray, time_s: FloatArray, watch_s: FloatArray, terminated: BoolArray) -> IntArray:
        """Sessions where none are named: a new one for another viewer, behind an end, and after a pause in which
        nothing was watched."""
        last_viewer, last_s, last_session, last_watch_s, was_end = self._last
        before_viewer = np.concatenate([[last_viewer], viewer[:-1]])
        ended = np.concatenate([[was_end], terminated[:-1]])
        watched_s = np.concatenate([[last_watch_s], watch_s[:-1]])
        with np.errstate(invalid="ignore"):  # of times that are infinite, which is a fault of their rows
            pause_s = np.diff(time_s, prepend=last_s)
        goes_on = (viewer == before_viewer) & ~ended & (np.abs(pause_s) <= self._columns.session_gap_s + watched_s)
        session = last_session + np.cumsum(~goes_on)
        if len(viewer):
            self._last = int(viewer[-1]), float(time_s[-1]), int(session[-1]), float(watch_s[-1]), bool(terminated[-1])
        return session

    def _refuse_scattered(
        self, left: dict[int, tuple[float, float]], viewer: IntArray, time_s: FloatArray, within_s: FloatArray,
        row: IntArray,
    ) -> None:  # fmt: skip
        """Raise LivedqnError where a viewer goes on with a visit behind the rows of another viewer."""
        if not len(viewer):
            return
        comes = np.concatenate([[viewer[0] != self._here], viewer[1:] != viewer[:-1]])
        goes = np.concatenate([comes[1:], [True]])
        self._here = int(viewer[-1])
        for i in (comes | goes).nonzero()[0].tolist():
            name = int(viewer[i])
            if comes[i]:
                last_s, reach_s = left.pop(name, (0.0, -1.0))
                if abs(time_s[i] - last_s) <= reach_s:
                    raise LivedqnError(
                        f"logs.is_sorted=true, but in row {row[i]:,} of {self._source} a viewer goes on with a visit "
                        "behind rows of others; leave is_sorted out, or sort the table by viewer and time"
                    )
            if goes[i]:
                left[name] = float(time_s[i]), float(within_s[i])
        for name in list(left)[: max(len(left) - LEFT, 0)]:
            del left[name]

    def _candidates(
        self, column: dict[str, Any], plain: dict[str, Any], defect: npt.NDArray[Any]
    ) -> tuple[IntArray, dict[str, Any]]:
        """How many rooms each row has, and every list of theirs behind *nothing*: features, rooms, streamers, mask."""
        of, n = self._columns, len(defect)
        listed: dict[str, tuple[IntArray, Any]] = {}
        for cell in of.candidates:
            sizes, flat = cells.lists(column[cell.source], self._separator)
            listed[f"candidates.{cell.column.name}"] = sizes, cells.feature(flat, cell)
        for ours, read in (("rooms", cells.names), ("streamers", cells.names), ("mask", cells.numbers)):
            if ours in plain:
                sizes, flat = cells.lists(plain[ours], self._separator)
                listed[ours] = sizes, read(flat)
                if ours != "mask":
                    defect[np.repeat(np.arange(n), sizes)[cells.lost(flat)]] = _LOST.format(ours)
        counts = np.stack([sizes for sizes, _ in listed.values()])
        unlike = (counts != counts[0]).any(axis=0)
        defect[unlike] = "lists of the candidates differ in length"
        if "mask" in plain:
            sizes, values = listed["mask"]
            unread = np.isnan(values) & ~cells.missing(cells.lists(plain["mask"], self._separator)[1])
            defect[np.repeat(np.arange(n), sizes)[unread]] = "the field of mask cannot be read"
        most = int(counts.max(initial=0))
        none = np.zeros((n, 1 + most), np.int64)
        wide = {"rooms": none, "streamers": none, "mask": none}
        for name, (sizes, values) in listed.items():
            place = np.arange(most) < sizes[:, None]
            wide[name] = np.zeros((n, 1 + most), values.dtype)
            wide[name][:, 1:][place] = values
        return counts.min(axis=0), wide

    def _history(self, column: dict[str, Any], defect: npt.NDArray[Any]) -> FloatArray:
        """(n, T, H) float32: the newest last; column 0 is 1 where there was an impression."""
        of, n = self._columns, len(defect)
        counts: list[IntArray] = []
        past = np.zeros((n, of.history_length, 1 + len(of.history)), np.float32)
        for i, cell in enumerate(of.history, start=1):
            sizes, flat = cells.lists(column[cell.source], self._separator)
            counts.append(sizes)
            values = cells.feature(flat, cell)
            ends = np.cumsum(sizes)
            back = np.arange(of.history_length)[::-1] + 1  # how far from the end of its list each place is
            place = back <= sizes[:, None]
            past[:, :, i][place] = values[(ends[:, None] - back)[place]]
            past[:, :, 0] = np.maximum(past[:, :, 0], place)
        if counts:
            defect[(np.stack(counts) != counts[0]).any(axis=0)] = "lists of the history differ in length"
        return past


#: Plain columns that hold a number a row.
_NUMBERS = ("propensity", "native", "elapsed_s", "terminated")


def _whole(time_s: FloatArray) -> IntArray:
    """Seconds as whole numbers; what is no time is 0, and what no rule on times lets pass is just outside of it."""
    return np.asarray(np.clip(np.nan_to_num(time_s), -1, LAST_S + 1), np.int64)


def _single(values: FloatArray) -> FloatArray:
    """float32; infinite where that cannot hold a number, which is a fault of the row."""
    with np.errstate(over="ignore"):
        return values.astype(np.float32)


def _action(plain: dict[str, Any], rooms: IntArray, real: BoolArray) -> IntArray:
    """The row of the candidates that was chosen; one behind them all where there is no such room."""
    if "action" in plain:
        action = cells.numbers(plain["action"])
        return np.where((action >= 0) & (action == np.rint(action)), action, rooms.shape[1]).astype(np.int64)
    shown = cells.names(plain["shown"])
    is_it = real & (rooms == shown[:, None]) & (shown != 0)[:, None]
    is_it[:, 0] = shown == 0
    return np.asarray(np.where(is_it.any(axis=1), is_it.argmax(axis=1), rooms.shape[1]), np.int64)
