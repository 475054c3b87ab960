"""Read a table of one's own, a row an impression, whose columns a YAML file maps: ``logs=table``."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from livedqn.logs import cells, csvparts, mapping
from livedqn.logs.csvparts import BROKEN, ROW
from livedqn.logs.impressions import Impressions
from livedqn.logs.parquet import whole_sessions
from livedqn.logs.rows import Assembler
from livedqn.logs.rules import ColumnsError
from livedqn.types import LivedqnError

#: Rows that are made impressions at once, and candidates in all of them, where some row has very many.
PART, CANDIDATES = 16_384, 1 << 22


class Table:
    """A CSV or Parquet table of one's own, mapped column by column.

    Args:
        path: a file, .csv (also .csv.gz) or .parquet.
        columns: a YAML file that says which column is what; docs/logs.md shows one.
        separator: between the values of a list, where lists are text.
        is_sorted: the rows of a session stand together, in order of time: read part by part, and never whole. Else all
            of the table is read, and sorted.

    Raises:
        LivedqnError: a file cannot be read; a :class:`ColumnsError` says which columns are missing or mistyped.
    """

    def __init__(self, *, path: str, columns: str, separator: str = "|", is_sorted: bool = False) -> None:
        self._path, self._separator, self._is_sorted = Path(path), separator, is_sorted
        if not separator:
            raise LivedqnError("logs.separator is empty; name what stands between the values of a list")
        self._columns = mapping.read(Path(columns))
        if not self._path.is_file():
            raise LivedqnError(f"logs.path={path} is no file; give a .csv or .parquet")
        self._check_columns()
        most = self._most_rooms()
        self.spec = self._columns.spec(1 + most)
        self._rows = max(min(PART, CANDIDATES // (1 + most)), 1)
        self.source: dict[str, Any] = {"table": path}

    def __iter__(self) -> Iterator[Impressions]:
        """All rows, so many at a time: whole sessions."""
        assembler = Assembler(self._columns, self._separator, str(self._path), is_told_sorted=self._is_sorted)
        tables = self._tables(list(self._columns.wanted))
        if not self._is_sorted:
            tables = iter([self._sorted(pa.concat_tables(tables))])
        parts = (part for table in tables for part in _parts(table, self._rows))
        for sessions in whole_sessions(assembler.impressions(part) for part in parts):
            yield assembler.completed(sessions)

    def _check_columns(self) -> None:
        kinds = {field.name: field.type for field in self._layout()}
        problems = []
        for name, is_list in self._columns.wanted.items():
            if name not in kinds:
                problems.append(f"column {name} is missing")
            elif is_list and not cells.is_list(kinds[name]):
                problems.append(f"column {name} is {kinds[name]}, not a list of numbers or text, or text")
            elif not is_list and not cells.is_single(kinds[name]):
                problems.append(f"column {name} is {kinds[name]}, not one number, text or time a row")
            elif name in self._columns.numbers and cells.is_time(kinds[name]):
                problems.append(f"column {name} is {kinds[name]}, which is no number")
        names = [field.name for field in self._layout()]
        problems += [f"column {name} is there twice" for name in self._columns.wanted if names.count(name) > 1]
        if problems:
            has = ", ".join(list(kinds)[:20]) + (", ..." if len(kinds) > 20 else "")
            cure = "map these, or make the column" if len(kinds) > 1 else "that is one column: are commas between them?"
            raise ColumnsError(str(self._path), problems, f"the table has {has}; {cure}")

    def _is_csv(self) -> bool:
        return ".csv" in map(str.lower, self._path.suffixes)

    def _layout(self) -> Any:
        if self._is_csv():
            return pa.schema([(name, pa.string()) for name in csvparts.columns(self._path)])
        try:
            return pq.read_schema(self._path)
        except (pa.ArrowException, OSError) as error:
            why = " ".join(str(error).split())
            raise LivedqnError(f"{self._path} cannot be read: {why}; a CSV has to be named .csv, or .csv.gz") from None

    def _most_rooms(self) -> int:
        """The longest list of candidates."""
        name = self._columns.candidates[0].source
        sizes = (cells.lists(table[name].combine_chunks(), self._separator)[0] for table in self._tables([name]))
        return max((int(found.max(initial=0)) for found in sizes), default=0)

    def _tables(self, wanted: list[str]) -> Iterator[pa.Table]:
        """These columns, part by part, with where each row stands and whether it is broken."""
        if self._is_csv():
            named: dict[str, list[str]] = {}  # NA may be North America in one column, and missing in all others
            for cell in self._columns.cells:
                named.setdefault(cell.source, []).extend(cell.values)
            yield from csvparts.parts(self._path, wanted, named)
            return
        row = 0
        try:
            with pq.ParquetFile(self._path) as file:
                batches = file.iter_batches(PART, columns=wanted)
                none = file.schema_arrow.empty_table()  # so that there are columns, though there may be no row
                for read in chain([none], (pa.Table.from_batches([batch]) for batch in batches)):
                    table = pa.table({name: cells.simple(read[name]) for name in wanted})
                    table = table.append_column(ROW, pa.array(np.arange(row, row + len(table))))
                    yield table.append_column(BROKEN, pa.nulls(len(table), pa.string()))
                    row += len(table)
        except (pa.ArrowException, OSError) as error:
            why = " ".join(str(error).split())
            raise LivedqnError(f"{self._path} cannot be read behind row {row:,}: {why}") from error

    def _sorted(self, table: pa.Table) -> pa.Table:
        """By session, else by viewer, and time; equal times stay as they stand. Those without a name come last."""
        who = cells.names(table[self._columns.plain.get("session", self._columns.plain["viewer"])].combine_chunks())
        time_s = cells.times(table[self._columns.time].combine_chunks(), self._columns.time_unit)
        roomy = pa.schema([(field.name, _roomy(field.type)) for field in table.schema])
        return table.cast(roomy).take(pa.array(np.lexsort([time_s, who, who == 0])))


def _parts(table: pa.Table, rows: int) -> Iterator[pa.Table]:
    for start in range(0, len(table), rows):
        yield table.slice(start, rows)


def _roomy(kind: Any) -> Any:
    """The same type, for columns of more than 2 GiB of text or 2^31 values, which are put in order whole."""
    if pa.types.is_string(kind):
        return pa.large_string()
    return pa.large_list(_roomy(kind.value_type)) if pa.types.is_list(kind) else kind
