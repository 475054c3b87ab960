"""A user's CSV as typed columns. A row that is wrong is named: refused at once, or counted and left out."""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from math import nan
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import numpy.typing as npt

from livedqn.types import LivedqnError

Parse = Callable[[str], Any]
#: Fields as they are written, their values, and the number of the line.
Check = Callable[[Mapping[str, str], Mapping[str, Any], int], None]


@dataclass(frozen=True, eq=False)  # a key by identity
class Form:
    """What a kind of file holds.

    A parser takes a field and raises a ValueError that says what is wrong with it, as in "is no number"; so does what
    ``make_check`` makes, for every file anew, of a whole row.
    """

    what: str  # a CSV of these
    needed: Mapping[str, Parse]
    make_check: Callable[[], Check] = lambda: lambda fields, values, line: None
    optional: Mapping[str, Parse] = field(default_factory=dict)


@dataclass(frozen=True)
class CsvRows:
    """The rows of a file, in its order."""

    columns: dict[str, npt.NDArray[Any]]  # (N,) each
    bad: tuple[str, ...]  # what is wrong with each row that was left out: "line 7: watch_s='x' is no number"

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))


def read(path: str, form: Form, name: str, tolerated: float = 0.0) -> CsvRows:
    """The rows of the CSV (or .csv.gz) at ``path``.

    Args:
        path: of the file.
        form: what it should hold.
        name: of the setting that named it, for errors.
        tolerated: the largest share of rows that may be wrong, and are left out then.

    Raises:
        LivedqnError: the file is missing, empty or no such CSV, or more of its rows are wrong than is tolerated.
    """
    try:
        return _read(path, form, name, tolerated, Path(path).stat().st_mtime_ns)
    except (OSError, EOFError, zlib.error, UnicodeDecodeError, csv.Error) as error:
        reason = " ".join(str(error).split())
        raise LivedqnError(f"{name}={path} cannot be read ({reason}); name a CSV of {form.what}") from error


@lru_cache(maxsize=2)
def _read(path: str, form: Form, name: str, tolerated: float, changed: int) -> CsvRows:
    """The rows of a file that was last changed at ``changed``."""
    with _opened(path) as file:
        text = file.read()  # to its end before the first row counts: a broken archive may begin with plausible rows
    # strict: else a stray quote takes all rows up to the next one with it
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    missing = [column for column in form.needed if column not in (reader.fieldnames or ())]
    if missing and text.strip():
        raise LivedqnError(f"{name}={path} lacks the columns {', '.join(missing)}; it owes {', '.join(form.needed)}")
    parsers = {column: parse for column, parse in {**form.needed, **form.optional}.items()
               if column in (reader.fieldnames or ())}  # fmt: skip
    good, bad = [], []
    for line, row in _rows(reader, parsers, form.make_check()):
        if isinstance(row, ValueError):
            bad.append(f"line {line}: {row}")
            if not tolerated:
                break
        else:
            good.append(row)
    if len(bad) > tolerated * (len(good) + len(bad)):
        also = f" ({len(bad) - 1:,} more of {len(good) + len(bad):,} rows are wrong)" if len(bad) > 1 else ""
        raise LivedqnError(f"{name}={path}, {bad[0]}; correct or remove this row{also}")
    if not good:
        raise LivedqnError(f"{name}={path} has no rows; name a CSV of {form.what}")
    columns = zip(*good, strict=True)
    return CsvRows({column: np.array(values) for column, values in zip(parsers, columns, strict=True)}, tuple(bad))


def _opened(path: str) -> TextIO:
    # utf-8-sig: spreadsheets begin a file with a byte-order mark, which would stick to the first column's name
    if path.endswith(".gz"):
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
    return Path(path).open(encoding="utf-8-sig", newline="")


def _rows(
    reader: csv.DictReader[str], parsers: Mapping[str, Parse], check: Check
) -> Iterator[tuple[int, tuple[Any, ...] | ValueError]]:
    """Line by line the values, or what is wrong with them."""
    for fields in _fields(reader):
        if isinstance(fields, csv.Error):
            yield reader.reader.line_num, ValueError(str(fields))
            continue
        try:
            if None in fields:  # where DictReader puts what it has no name for
                raise ValueError(f"{fields[None][0][:40]!r} stands behind the last column")
            values = {column: _value(column, fields[column], parse) for column, parse in parsers.items()}
            check(fields, values, reader.line_num)
        except ValueError as error:
            yield reader.line_num, error
        else:
            yield reader.line_num, tuple(values.values())


def _fields(reader: csv.DictReader[str]) -> Iterator[dict[str | Any, str | Any] | csv.Error]:
    """The fields of every row, or why a row of one line has none.

    Raises:
        csv.Error: a quote took more lines than one with it, or all to the end: nobody knows how many rows they are.
    """
    while True:
        before = reader.reader.line_num
        try:
            yield next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            if reader.reader.line_num != before + 1 or "end of data" in str(error):
                raise csv.Error(f"from line {before + 1} on: {error}") from error
            yield error


def _value(column: str, text: str | None, parse: Parse) -> Any:
    if text is None:  # DictReader's mark of a row that ends too early
        raise ValueError(f"{column} is missing, for the row ends before it")
    try:
        return parse(text)
    except ValueError as error:
        raise ValueError(f"{column}={text[:40]!r} {error}") from error


_LARGEST = float(np.finfo(np.float32).max)
_FLAGS = {"0": False, "1": True, "0.0": False, "1.0": True, "false": False, "true": True}


def number(text: str) -> float:
    """A finite number that is not below 0."""
    try:
        value = float(text)
    except ValueError:
        value = nan
    if not 0 <= value <= _LARGEST:  # false for nan too
        raise ValueError("is no number that is finite and not below 0")
    return value


def whole(text: str) -> int:
    """An id: a whole number from 1 on."""
    if not (text.isascii() and text.isdigit() and len(text) < 20 and 0 < int(text) < 2**63):
        raise ValueError("is no whole number from 1 to 2**63 - 1")
    return int(text)


#: Letters of an id, at most.
ID_LETTERS = 1_000


def label(text: str) -> str:
    """An id of any kind."""
    if not text.strip():
        raise ValueError("is empty")
    if len(text) > ID_LETTERS:  # each of a column takes as much memory as its longest
        raise ValueError(f"has {len(text):,} letters; an id has {ID_LETTERS:,} at most")
    return text


def label_or_none(text: str) -> str:
    """An id of any kind, or nothing."""
    return label(text) if text else ""


def flag(text: str) -> bool:
    """Whether something happened: 0 or 1, false or true."""
    try:
        return _FLAGS[text.lower()]
    except KeyError:
        raise ValueError("is neither 0 nor 1") from None
