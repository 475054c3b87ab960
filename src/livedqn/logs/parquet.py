"""Read logs, row group by row group: ``logs=parquet``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from livedqn.logs.arrow import from_arrow
from livedqn.logs.impressions import Impressions, join
from livedqn.logs.schema import read_source, read_spec
from livedqn.types import LivedqnError, Spec


class Parquet:
    """Logs in livedqn's own schema, as ``collect`` writes them.

    Args:
        path: a folder of Parquet files, or one file.

    Raises:
        LivedqnError: there is nothing, or a file is no log, or files differ in what they show.
    """

    def __init__(self, *, path: str) -> None:
        self.files = _files(Path(path))
        layout = _schema(self.files[0])
        self.source = read_source(layout)
        self.spec = read_spec(layout, str(self.files[0]))

    def __iter__(self) -> Iterator[Impressions]:
        """All rows, about a row group at a time, each session whole where its rows stand together in a file."""
        for path in self.files:
            if (spec := read_spec(_schema(path), str(path))) != self.spec:
                raise LivedqnError(
                    f"{path} and {self.files[0]} differ in {_difference(spec, self.spec)}; read them apart"
                )
            yield from whole_sessions(self._groups(path))

    def _groups(self, path: Path) -> Iterator[Impressions]:
        with pq.ParquetFile(path) as file:
            row = 0
            for group in range(file.num_row_groups):
                try:
                    table = file.read_row_group(group)
                    self._refuse_nulls(table)
                    part = from_arrow(table, self.spec, str(path), row)
                except (pa.ArrowException, OSError, ValueError) as error:
                    raise LivedqnError(f"{path} is damaged from row {row:,} on: {_line(error)}; restore it") from error
                row += len(part)
                yield part

    def _refuse_nulls(self, table: Any) -> None:
        empty = [name for name in _NEVER_NULL if name in table.column_names and table[name].null_count]
        empty += [
            f"a value of {name}" for name in ("mask", "rooms", "streamers")
            if name in table.column_names and any(part.flatten().null_count for part in table[name].chunks)
        ]  # fmt: skip
        if empty:
            raise ValueError(f"{', '.join(empty)} may not be null")
        if pc.any(pc.less(table["action"], 0)).as_py():
            raise ValueError("action is below 0; a row without one, a last observation, has null")


_NEVER_NULL = (
    "request", "session", "viewer", "time_s", "context", "history", "candidates", "mask", "rooms", "streamers",
    "terminated", "truncated",
)  # fmt: skip


def whole_sessions(parts: Iterator[Impressions]) -> Iterator[Impressions]:
    """The same rows, cut between sessions alone: the end of a part waits for the next."""
    kept: list[Impressions] = []
    for part in parts:
        if not len(part):
            continue
        last = int(part.begins.nonzero()[0][-1])
        goes_on = bool(kept) and kept[-1].session[-1] == part.session[0]
        if goes_on and last == 0:
            kept.append(part)
            continue
        if kept and not goes_on:
            yield join(kept)
            kept = []
        if last:
            yield join([*kept, part.take(slice(0, last))])
        kept = [part.take(slice(last, None))]
    if kept:
        yield join(kept)


def _files(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    found = sorted(path.rglob("*.parquet")) if path.is_dir() else []
    if not found:
        what = "holds no *.parquet" if path.is_dir() else "does not exist"
        raise LivedqnError(f"logs.path={path} {what}; give the folder that collect wrote, or a file")
    return found


def _schema(path: Path) -> Any:
    try:
        return pq.read_schema(path)
    except (pa.ArrowException, OSError) as error:
        raise LivedqnError(
            f"{path} is no Parquet file that can be read: {_line(error)}; remove it, or restore it"
        ) from None


def _difference(one: Spec, other: Spec) -> str:
    parts = ("episode", "signals", "context", "history", "history_length", "candidates", "num_actions", "has_nothing")
    return ", ".join(part.replace("_", " ") for part in parts if getattr(one, part) != getattr(other, part))


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
