"""A CSV part by part, as text: what is no number is then a fault of its row, and so are fields too many or too few.
Empty lines are no rows."""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import lru_cache
from io import StringIO
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from livedqn.kernel import kernel
from livedqn.logs.rules import ColumnsError
from livedqn.types import IntArray, LivedqnError

#: Where a row stood in its file, from 0, a column beside those of the table.
ROW = "row of the file"
#: What is wrong with a row of which nothing could be read; null elsewhere.
BROKEN = "what is wrong with the row"
#: What the number of a file's first row of values is to Arrow, which counts the line of names, and from 1.
_FIRST = 2
#: Bytes that the line of names has at most, as for Arrow.
_HEAD = 1 << 20
#: Lines in one field in quotes that have as many commas as a row, from which on they are rows, and no text; and commas
#: of a row from which on that can be told.
ROWS_IN_QUOTES, TOLD_BY = 2, 3
_EMPTY = ["", "NA", "NaN", "nan", "null", "NULL", "None"]


def columns(path: Path) -> list[str]:
    """The names in its first row.

    Raises:
        LivedqnError: the file cannot be read.
    """
    return _begin(path)[0]


def _begin(path: Path) -> tuple[list[str], bool]:
    """The names in the first row, and whether something follows."""
    try:
        # Arrow's reader of CSVs has threads of its own; a program that ends at once, since a column is missing, ends in
        # the midst of them, and aborts
        with pa.input_stream(str(path)) as file:
            head = StringIO(file.read(_HEAD).decode("utf-8-sig", "replace"), newline=None)
        lines = [line for line in head if line.strip()]
        found = next(reader := csv.reader(lines), None)
    except (pa.ArrowException, OSError, csv.Error) as error:
        raise LivedqnError(f"{path} cannot be read: {_line(error)}") from None
    if found is None:
        raise LivedqnError(f"{path} cannot be read: it is empty")
    return found, reader.line_num < len(lines)


def parts(path: Path, wanted: Sequence[str], kept: Mapping[str, Collection[str]] | None = None) -> Iterator[pa.Table]:
    """These columns of the CSV (also .csv.gz) at ``path``, null where a field is empty or says so (NA, null ..., but
    for the words that are ``kept`` in a column), with ``ROW`` and ``BROKEN``.

    At least one part, which has no row where the file has none.

    Raises:
        ColumnsError: some of the columns are missing.
        LivedqnError: the file cannot be read.
    """
    known, has_rows = _begin(path)
    if missing := [name for name in wanted if name not in known]:
        raise ColumnsError(str(path), [f"column {name} is missing" for name in missing], "is it the right file?")
    if not has_rows:  # Arrow calls it damaged, and may abort as said above
        yield _whole(pa.RecordBatch.from_pylist([], pa.schema([(name, pa.string()) for name in wanted])), 0, [])
        return
    has_breaks = _quoted(path, len(known) - 1, path.stat().st_mtime_ns)
    broken: list[Any] = []
    kept = {name: set(words) & set(_EMPTY) for name, words in (kept or {}).items()}
    somewhere = set().union(*kept.values())

    def note(row: Any) -> str:
        broken.append(row)
        return "skip"

    convert = pa.csv.ConvertOptions(
        column_types=dict.fromkeys(wanted, pa.string()), include_columns=wanted, strings_can_be_null=True,
        null_values=[word for word in _EMPTY if word not in somewhere],
    )  # fmt: skip
    options = {
        "read_options": pa.csv.ReadOptions(use_threads=False),  # with threads a broken row has no number
        "parse_options": pa.csv.ParseOptions(invalid_row_handler=note, newlines_in_values=has_breaks),
        "convert_options": convert,
    }  # fmt: skip
    row, is_given = 0, False
    try:
        with pa.csv.open_csv(path, **options) as reader:
            for read in chain(reader, [pa.RecordBatch.from_pylist([], reader.schema)]):  # broken ones may come last
                end, count = row + len(read), 0
                while count < len(broken) and broken[count].number - _FIRST <= end:
                    count, end = count + 1, end + 1
                table = _nulled(_whole(read, row, broken[:count]), somewhere, kept)
                row, broken[:count] = row + len(read) + count, []
                if len(table):
                    is_given = True
                    yield table
            if not is_given:  # at least one, so that there are columns
                yield table
    except (pa.ArrowException, OSError) as error:
        raise LivedqnError(f"{path} cannot be read behind row {row:,}: {_line(error)}") from error


@lru_cache(maxsize=16)
def _quoted(path: Path, commas: int, changed: int) -> bool:
    """Whether some field of the file, last ``changed`` then, has a line break in it, which only one in quotes may.

    Args:
        commas: between the fields of a row.

    Raises:
        LivedqnError: the file cannot be read, or a field in quotes never ends, or holds rows.
    """
    state = np.zeros(9, np.int64)
    try:
        with pa.input_stream(str(path)) as file:
            while block := file.read(_HEAD):
                _scan(np.frombuffer(block, np.uint8), commas if commas >= TOLD_BY else -1, state)
    except (pa.ArrowException, OSError) as error:
        raise LivedqnError(f"{path} cannot be read: {_line(error)}") from error
    line, where, begin, has_breaks, _, _, rows, first, last = state.tolist()
    if where == _QUOTED or rows >= ROWS_IN_QUOTES:
        first, last = (begin, line) if where == _QUOTED else (first, last)
        raise LivedqnError(
            f"{path} cannot be read: a field in quotes that begins in line {first + 1:,} goes on to line {last + 1:,}, "
            'and takes the rows between with it; a quote (") is missing or too many there'
        )
    return bool(has_breaks)


#: Where in a row a byte stands: where a field begins, within a plain one, within quotes, behind a quote within these.
_START, _PLAIN, _QUOTED, _CLOSED = range(4)
_QUOTE, _COMMA, _NEWLINE, _RETURN = b'",\n\r'


@kernel
def _scan(block: npt.NDArray[np.uint8], commas: int, state: IntArray) -> None:
    """Follow Arrow through the bytes of a block.

    ``state``: lines so far; where the last byte stood; the line in which the last field in quotes begins; whether any
    has a line break; commas of its line so far, and whole lines with ``commas`` of them; the most lines of that kind
    in one field, and the lines in which that field begins and ends.
    """
    line, where, begin, has_breaks, found, rows = state[0], state[1], state[2], state[3], state[4], state[5]
    for byte in block:
        if where == _QUOTED:
            if byte == _QUOTE:
                where = _CLOSED
            elif byte == _COMMA:
                found += 1
            elif byte == _NEWLINE:
                rows += found == commas and line > begin  # its first line is the end of a row, its last one's begin
                line, has_breaks, found = line + 1, 1, 0
                if rows > state[6]:
                    state[6], state[7] = rows, begin
                if state[7] == begin:
                    state[8] = line
        elif byte == _NEWLINE:
            line, where = line + 1, _START
        elif byte == _COMMA:
            where = _START
        elif byte == _QUOTE and where == _CLOSED:  # doubled: a quote in a field
            where = _QUOTED
        elif byte == _QUOTE and where == _START:
            where, begin, found, rows = _QUOTED, line, 0, 0
        elif byte != _RETURN:
            where = _PLAIN
    state[0], state[1], state[2], state[3], state[4], state[5] = line, where, begin, has_breaks, found, rows


def _nulled(table: pa.Table, words: Collection[str], kept: Mapping[str, Collection[str]]) -> pa.Table:
    """``table`` with null for what is one of ``words``, but where a column keeps it."""
    for i, name in enumerate(table.column_names):
        if name not in (ROW, BROKEN) and (nulls := set(words) - set(kept.get(name, ()))):
            is_null = pc.is_in(table[name], pa.array(sorted(nulls)))
            table = table.set_column(i, name, pc.if_else(is_null, pa.scalar(None, pa.string()), table[name]))
    return table


def _whole(read: Any, first: int, broken: Sequence[Any]) -> pa.Table:
    """``read``, the first row of which is ``first`` or behind it, and a row of nulls for each of ``broken`` that holds
    more than blanks: Arrow passes over empty lines itself, but not over these."""
    place = np.array([row.number - _FIRST for row in broken], np.int64)
    row = np.setdiff1d(np.arange(first, first + len(read) + len(place)), place)[: len(read)]
    none = pa.RecordBatch.from_pylist([{}] * len(place), read.schema)
    order = pa.array(np.argsort(np.concatenate([row, place]), kind="stable"))
    table = pa.Table.from_batches([read, none])
    table = table.append_column(ROW, pa.array(np.concatenate([row, place])))
    what = [f"it has {row.actual_columns} fields, not {row.expected_columns}" for row in broken]
    table = table.append_column(BROKEN, pa.array([None] * len(row) + what, pa.string())).take(order)
    blank = [number for number, one in zip(place, broken, strict=True) if not one.text.strip()]
    return table.filter(pa.array(~np.isin(table[ROW], blank))) if blank else table


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
