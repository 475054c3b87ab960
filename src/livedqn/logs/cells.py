"""Values of somebody's own table, typed or text, as the numbers that logs hold. What cannot be read is NaN."""

from __future__ import annotations

import ast
import json
from contextlib import suppress
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from livedqn.logs.mapping import UNITS, Cell
from livedqn.logs.names import EXACT, name
from livedqn.types import IDS, BoolArray, FloatArray, IntArray

_NUMBER = r"^[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?$"
_TRUE, _FALSE = ["true", "yes", "t", "y"], ["false", "no", "f", "n"]
#: Of a list in text, where nothing stands: NA may be a name.
_NONE = ["null", "NULL", "None", "nan", "NaN"]
#: 17.0 is 17, as some tools write it where another number of the column is missing.
_POINT_ZERO = r"^(-?\d+)\.0+$", r"\1"
#: Times as Arrow reads them: with six digits of a second at most, and a zone, which is UTC where none is said.
_TIME = r"^\d{4}-\d\d-\d\d[T ]\d\d(:\d\d(:\d\d(\.\d{1,6})?)?)?(Z|[-+]\d\d(:?\d\d)?)$"
_TIMES = [
    (r"^\s+|\s+$", ""), (r"^(\d{4}-\d\d-\d\d)Z?$", r"\1T00:00"), (r" ?UTC$", "Z"), (r"(\.\d{6})\d+", r"\1"),
    (r"^(.{10}[T ][\d:.]+)$", r"\1Z"),
]  # fmt: skip


def numbers(column: Any) -> FloatArray:
    """(n,) float64; true and false are 1 and 0, and a duration is in seconds."""
    if _is_text(column.type):
        with suppress(
            pa.ArrowInvalid
        ):  # mostly all of them are plain numbers, which is told faster than why one is not
            found = np.asarray(column.cast(pa.float64()).to_numpy(zero_copy_only=False), np.float64)
            if not np.isinf(found).any():  # "inf" is no number
                return found
        text = pc.utf8_trim_whitespace(column.cast(pa.string()))
        word = pc.utf8_lower(text)
        text = pc.if_else(pc.is_in(word, pa.array(_TRUE)), "1", pc.if_else(pc.is_in(word, pa.array(_FALSE)), "0", text))
        column = pc.if_else(pc.match_substring_regex(text, _NUMBER), text, None)
    elif pa.types.is_duration(column.type):
        return numbers(column.cast(pa.duration("ns"), safe=False).cast(pa.int64())) * 1e-9
    elif pa.types.is_null(column.type) or pa.types.is_temporal(column.type):
        return np.full(len(column), np.nan)
    return np.asarray(column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False), np.float64)


def names(column: Any) -> IntArray:
    """(n,) int64: whole numbers as they are (17.0 is one), any other text as 63 bits of its BLAKE2b hash; 0 where there
    is none. What a value is called does not depend on the other values of the column."""
    if pa.types.is_integer(column.type):
        with suppress(pa.ArrowInvalid):  # of 64 bits without a sign
            return np.asarray(column.fill_null(0).cast(pa.int64()).to_numpy(zero_copy_only=False), np.int64)
    if pa.types.is_null(column.type):
        return np.zeros(len(column), np.int64)
    if pa.types.is_floating(column.type):  # as some tools write whole numbers where one is missing
        values = np.asarray(column.cast(pa.float64()).to_numpy(zero_copy_only=False), np.float64)
        is_whole = np.isnan(values) | (values == np.rint(values)) & (np.abs(values) < EXACT)
        whole = np.where(is_whole, np.nan_to_num(values), 0).astype(np.int64)
        return whole if is_whole.all() else np.where(is_whole, whole, _coded(column))
    return _coded(column)


def _coded(column: Any) -> IntArray:
    """The same by the texts of the values."""
    coded = column.cast(pa.string()).dictionary_encode()
    known = np.array([*(name(text) for text in coded.dictionary.to_pylist()), 0], np.int64)
    found: IntArray = known[np.asarray(coded.indices.fill_null(len(known) - 1).to_numpy(zero_copy_only=False))]
    return found


def feature(column: Any, cell: Cell) -> FloatArray:
    """(n,) float32, as the kind of ``cell`` has them."""
    kind = cell.column.kind
    if kind == "id":
        known = names(column)
        return np.where((known < 0) | (known >= IDS), 1 + known % (IDS - 1), known).astype(np.float32)
    if cell.values:
        text, known = pc.utf8_trim_whitespace(column.cast(pa.string())), pa.array(cell.values)
        place = pc.index_in(text, known)
        if place.null_count:  # 1.0 is 1 where there is no 1.0
            text, known = (pc.replace_substring_regex(each, *_POINT_ZERO) for each in (text, known))
            place = pc.coalesce(place, pc.index_in(text, known))
        place = place.fill_null(-1)
        return (np.asarray(place.to_numpy(zero_copy_only=False)) + 1).astype(np.float32)
    found = numbers(column) * cell.scale
    if cell.missing is not None:
        found[np.isnan(found)] = cell.missing
    with np.errstate(over="ignore"):  # what float32 cannot hold is a fault, as is all that is not finite
        return found.astype(np.float32)


def times(column: Any, unit: str) -> FloatArray:
    """(n,) float64 seconds since 1970-01-01 UTC; NaN where there is none."""
    if pa.types.is_date(column.type):
        column = column.cast(pa.timestamp("us"))
    if pa.types.is_timestamp(column.type):
        micros = column.cast(pa.timestamp("us", column.type.tz), safe=False).cast(pa.int64())
        micros = micros.cast(pa.float64(), safe=False)  # 9999-12-31 to within a few microseconds
        return np.asarray(micros.to_numpy(zero_copy_only=False)) * 1e-6
    if unit != "text":
        return numbers(column) * UNITS[unit]
    text = column.cast(pa.string())
    with suppress(pa.ArrowInvalid):  # as above, mostly none is raised
        return times(text.cast(pa.timestamp("us")), "s")
    for pattern, instead in _TIMES:
        text = pc.replace_substring_regex(text, pattern, instead)
    text = pc.if_else(pc.match_substring_regex(text, _TIME), text, None)
    try:
        return times(text.cast(pa.timestamp("us", "UTC")), "s")
    except pa.ArrowInvalid:  # 0000-00-00, say
        return times(pa.array(map(_real, text.to_pylist()), pa.string()).cast(pa.timestamp("us", "UTC")), "s")


def _real(text: str | None) -> str | None:
    """What is a time of a calendar."""
    with suppress(ValueError):
        return text and datetime.fromisoformat(text).isoformat()
    return None


def missing(column: Any) -> BoolArray:
    """(n,), where nothing stands, or blanks alone."""
    none = pc.is_null(column, nan_is_null=True)
    if _is_text(column.type):
        none = pc.or_(none, pc.equal(pc.utf8_trim_whitespace(column.cast(pa.string()).fill_null("")), ""))
    return np.asarray(none.to_numpy(zero_copy_only=False), np.bool_)


def lists(column: Any, separator: str) -> tuple[IntArray, Any]:
    """How many values each row has, (n,), and all values, flat; empty text and null are no values. In text, brackets
    around a list and quotes around its values, as JSON and Python write them, are no part of it, and commas are between
    its values where no ``separator`` is."""
    is_text = _is_text(column.type)
    if is_text:
        whole = pc.utf8_trim(column.cast(pa.string()).fill_null(""), " ")
        text, has_brackets = pc.utf8_trim(whole, "[] "), pc.starts_with(whole, "[")
        parts = pc.split_pattern(text, separator)
        by_comma = pc.and_(has_brackets, pc.invert(pc.match_substring(text, separator)))
        if pc.any(by_comma).as_py():
            parts = pc.if_else(by_comma, pc.split_pattern(text, ","), parts)
        is_written = pc.and_(has_brackets, pc.match_substring_regex(text, "['\"]"))
        if pc.any(is_written).as_py():  # a separator may stand within quotes
            rows = zip(is_written.to_pylist(), whole.to_pylist(), parts.to_pylist(), strict=True)
            parts = pa.array([_written(one, split) if is_it else split for is_it, one, split in rows], parts.type)
        column = pc.if_else(pc.equal(text, ""), None, parts)
    elif pa.types.is_null(column.type):
        column = column.cast(pa.list_(pa.null()))
    sizes = pc.list_value_length(column).fill_null(0)
    flat = column.flatten()
    if is_text:
        flat = pc.utf8_trim(flat, " ")
        is_none = pc.is_in(flat, pa.array(_NONE))
        if pc.any(is_none).as_py():
            flat = pc.if_else(is_none, None, flat)
        flat = pc.utf8_trim(flat, " '\"")
    return np.asarray(sizes.to_numpy(zero_copy_only=False), np.int64), flat


def _written(text: str, otherwise: list[str]) -> list[str | None]:
    """The values of a list as JSON or Python write it; ``otherwise`` where it is none."""
    for read in (json.loads, ast.literal_eval):
        with suppress(ValueError, SyntaxError, RecursionError, MemoryError):
            if isinstance(found := read(text), list):
                return [None if value is None else str(value) for value in found]
    return [*otherwise]


def lost(column: Any) -> BoolArray:
    """(n,), where a name is a floating-point number of so many digits that its neighbours are the same."""
    if not pa.types.is_floating(column.type):
        return np.zeros(len(column), np.bool_)
    exact = {16: 2**11, 32: 2**24, 64: EXACT}[column.type.bit_width]
    return np.abs(np.nan_to_num(numbers(column), posinf=0, neginf=0)) >= exact


def is_single(kind: Any) -> bool:
    """Whether a column of this type, made :func:`simple`, can be read here as one value a row."""
    of = pa.types
    known = of.is_integer, of.is_floating, of.is_decimal, of.is_boolean, of.is_temporal, of.is_null, of.is_string_view
    return _is_text(kind) or any(is_it(kind) for is_it in known)


def is_list(kind: Any) -> bool:
    """Whether a column of this type, made :func:`simple`, can be read by :func:`lists`."""
    of = pa.types
    if of.is_list(kind) or of.is_large_list(kind) or of.is_fixed_size_list(kind):
        return is_single(kind.value_type)
    return of.is_null(kind) or of.is_string_view(kind) or _is_text(kind)


def is_time(kind: Any) -> bool:
    """Whether a column of this type, or its lists, hold moments: all that is temporal but a duration."""
    one = kind.value_type if hasattr(kind, "value_type") and pa.types.is_nested(kind) else kind
    return pa.types.is_temporal(one) and not pa.types.is_duration(one)


def simple(column: Any) -> Any:
    """The same values in one of the types that are read here."""
    kind = column.type
    if pa.types.is_string_view(kind):
        return column.cast(pa.string())
    if pa.types.is_fixed_size_list(kind) or (is_list(kind) and pa.types.is_nested(kind)):
        one = pa.string() if pa.types.is_string_view(kind.value_type) else kind.value_type
        return column.cast(pa.large_list(one) if pa.types.is_large_list(kind) else pa.list_(one))
    return column


def texts(column: Any) -> npt.NDArray[np.str_]:
    """(n,), "" where there is none."""
    return np.array(column.cast(pa.string()).fill_null("").to_pylist() or [""], np.str_)[: len(column)]


def _is_text(kind: Any) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_dictionary(kind))
