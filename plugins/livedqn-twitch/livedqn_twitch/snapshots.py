"""The file of snapshots: read once, and refused with one line at the first row that is not what it should be."""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple, TextIO

import numpy as np
import numpy.typing as npt

from livedqn.types import LivedqnError

#: Every column of a file, one entry a row.
Rows = dict[str, npt.NDArray[Any]]


class Row(NamedTuple):
    """A room as one snapshot found it; times are seconds since 1970, in UTC."""

    snapshot_s: float
    room: int
    streamer_id: int
    game_id: str
    started_s: float
    heat: float


def read(path: str) -> Rows:
    """The rows of the CSV (or .csv.gz) at ``path``, in its order, by the names of :class:`Row`.

    Raises:
        LivedqnError: the file is missing or no such CSV, or one of its rows cannot be true.
    """
    try:
        return _read(path, Path(path).stat().st_mtime_ns)
    except (OSError, EOFError, zlib.error, UnicodeDecodeError, csv.Error) as error:
        reason = " ".join(str(error).split())
        raise LivedqnError(f"rooms={path} cannot be read ({reason}); name a CSV of room snapshots") from error


@lru_cache(maxsize=2)
def _read(path: str, changed: int) -> Rows:
    """The rows of a file that was last changed at ``changed``."""
    with _opened(path) as file:
        text = file.read()  # to its end before the first row counts: a broken archive may begin with plausible rows
    table = list(_rows(path, io.StringIO(text, newline="")))
    if not table:
        raise LivedqnError(f"rooms={path} has no rows; name a CSV of room snapshots")
    columns = dict(zip(Row._fields, zip(*table, strict=True), strict=True))
    return {
        "snapshot_s": np.array(columns["snapshot_s"], np.float64),
        "room": np.array(columns["room"], np.int64),
        "streamer_id": np.array(columns["streamer_id"], np.int64),
        "game_id": np.array(columns["game_id"]),
        "started_s": np.array(columns["started_s"], np.float64),
        "heat": np.array(columns["heat"], np.float32),
    }


def _opened(path: str) -> TextIO:
    # utf-8-sig: spreadsheets begin a file with a byte-order mark, which would stick to the first column's name
    if path.endswith(".gz"):
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
    return Path(path).open(encoding="utf-8-sig", newline="")


def _rows(path: str, file: Iterable[str]) -> Iterator[Row]:
    reader = csv.DictReader(file)
    missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
    if missing:
        raise LivedqnError(f"rooms={path} lacks the columns {', '.join(missing)}; it owes {', '.join(COLUMNS)}")
    lines: dict[tuple[float, int], int] = {}  # where each room of each snapshot stands
    for fields in reader:
        try:
            row = _row(fields)
            line = lines.setdefault((row.snapshot_s, row.room), reader.line_num)
            if line != reader.line_num:
                time, room = fields["snapshot_time_utc"], fields["stream_id"]
                raise ValueError(f"stream_id={room!r} is in snapshot_time_utc={time!r} already, in line {line}")
        except ValueError as error:
            raise LivedqnError(f"rooms={path}, line {reader.line_num}: {error}; correct or remove this row") from error
        yield row


def _row(fields: dict[str | Any, Any]) -> Row:
    """The row that these fields write.

    Raises:
        ValueError: column, value and what is wrong with them.
    """
    if None in fields:  # where DictReader puts what it has no name for
        raise ValueError(f"{fields[None][0][:40]!r} stands behind the last column")
    row = Row(*(_value(column, fields[column], parse) for column, parse in COLUMNS.items()))
    if row.started_s > row.snapshot_s:
        raise ValueError(
            f"started_at_utc={fields['started_at_utc']!r} lies after snapshot_time_utc={fields['snapshot_time_utc']!r}"
        )
    return row


def _value(column: str, text: str | None, parse: Callable[[str], Any]) -> Any:
    if text is None:  # DictReader's mark of a row that ends too early
        raise ValueError(f"{column} is missing, for the row ends before it")
    try:
        return parse(text)
    except ValueError as error:
        raise ValueError(f"{column}={text[:40]!r} {error}") from error


def _seconds(text: str) -> float:
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("is no time; write it as 2020-01-31T12:00:00Z") from None
    if time.utcoffset():
        raise ValueError("is not in UTC; write it as 2020-01-31T12:00:00Z")
    return time.replace(tzinfo=UTC).timestamp()


def _id(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 20 and 0 < int(text) < 2**63):
        raise ValueError("is no whole number from 1 to 2**63 - 1")
    return int(text)


def _heat(text: str) -> float:
    try:
        heat = float(text)
    except ValueError:
        heat = np.nan
    if not 0 <= heat <= np.finfo(np.float32).max:  # false for nan too
        raise ValueError("is no number of viewers, finite and not below 0")
    return heat


#: The columns that count, in the order of :class:`Row`, and how each is read. A category may be empty: rooms have none
#: at times.
COLUMNS: dict[str, Callable[[str], Any]] = {
    "snapshot_time_utc": _seconds,
    "stream_id": _id,
    "streamer_id": _id,
    "game_id": str,
    "started_at_utc": _seconds,
    "viewer_count": _heat,
}
