"""From impressions to Arrow and back. NumPy's buffers are handed over whole: no Python object is made of a value."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from livedqn.kernel import kernel
from livedqn.logs.impressions import NO_ACTION, Impressions
from livedqn.logs.schema import FLOAT, LISTS, NAMES
from livedqn.memcpy import copy
from livedqn.types import BoolArray, FloatArray, IntArray, Spec

Array = npt.NDArray[Any]


def to_arrow(impressions: Impressions, layout: pa.Schema) -> pa.Table:
    """The same rows as a table of ``layout`` (:func:`livedqn.logs.schema.schema`); values are as they are."""
    absent, seen, sizes = ~impressions.acted, impressions.observation, impressions.sizes
    ends = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32)
    arrays: dict[str, Any] = {name: getattr(impressions, name) for name in (*NAMES, "terminated", "truncated")}
    columns = {name: pa.array(values, layout.field(name).type) for name, values in arrays.items()}
    columns["context"] = _struct(layout, "context", _columns(seen["context"]))
    if "history" in layout.names:
        columns["history"] = _bytes(layout.field("history").type, len(sizes), seen["history"])
        width = FLOAT * seen["candidates"].shape[2]
        columns["candidates"] = _bytes(pa.binary(), len(sizes), _packed(seen["candidates"], sizes), ends * width)
    for name in LISTS:
        if name in layout.names:
            values = _packed(seen["mask"] if name == "mask" else getattr(impressions, name), sizes)
            columns[name] = pa.ListArray.from_arrays(pa.array(ends), pa.array(values), type=layout.field(name).type)
    columns["action"] = pa.array(impressions.action.astype(np.int32), mask=absent)
    columns["propensity"] = pa.array(impressions.propensity, pa.float32(), mask=np.isnan(impressions.propensity))
    columns["policy"] = _coded(impressions.policy, absent)
    if "signals" in layout.names:
        signals = [impressions.signals[field.name] for field in layout.field("signals").type]
        columns["signals"] = _struct(layout, "signals", signals, mask=pa.array(absent))
    for name in ("native", "elapsed_s"):
        columns[name] = pa.array(getattr(impressions, name), pa.float32(), mask=absent)
    return pa.Table.from_arrays([columns[name] for name in layout.names], schema=layout)


def from_arrow(table: pa.Table, spec: Spec, source: str, first_row: int) -> Impressions:
    """The rows of a table that has the layout of ``spec``, the first of them row ``first_row`` of ``source``.

    Raises:
        ValueError: a row does not have as many of one thing as of another.
    """
    columns = {name: _unbroken(table[name]) for name in table.column_names}
    sizes = _ints(columns["mask"].value_lengths())
    place = np.arange(sizes.max(initial=0)) < sizes[:, None]  # (N, K), which entries a row has
    observation = {"context": np.stack([_floats(column) for column in columns["context"].flatten()], axis=1)}
    observation["mask"] = _ragged("mask", columns["mask"], place, np.bool_)
    if spec.has_rooms:
        past = _numbers("history", columns["history"])
        observation["history"] = past.reshape(len(table), spec.history_length, len(spec.history))
        rooms = np.zeros((*place.shape, len(spec.candidates)), np.float32)
        found = _numbers("candidates", columns["candidates"])
        lengths = np.diff(_offsets(columns["candidates"]))
        if (lengths != sizes * FLOAT * len(spec.candidates)).any():
            raise ValueError("candidates are not as many as mask says, or not of as many columns")
        rooms[place] = found.reshape(-1, len(spec.candidates))
        observation["candidates"] = rooms
    signals = columns["signals"].flatten() if spec.signals else []
    ids: dict[str, Any] = {
        name: _ragged(name, columns[name], place, np.int64) if spec.has_rooms else np.zeros(place.shape, np.int64)
        for name in ("rooms", "streamers")
    }
    ids |= {name: _ints(columns[name]) for name in NAMES}
    return Impressions(
        **ids, observation=observation,
        action=_ints(columns["action"].fill_null(NO_ACTION)), propensity=_floats(columns["propensity"]),
        policy=_texts(columns["policy"]),
        signals={name: _floats(column) for name, column in zip(spec.signals, signals, strict=True)},
        native=_floats(columns["native"]),
        terminated=np.asarray(columns["terminated"], np.bool_), truncated=np.asarray(columns["truncated"], np.bool_),
        elapsed_s=_floats(columns["elapsed_s"]), row=first_row + np.arange(len(table)), source=source,
    )  # fmt: skip


def _columns(rows: Array) -> Array:
    """Each column of ``rows`` (N, C) in one piece, (C, N)."""
    return np.ascontiguousarray(rows.T)


def _packed(rows: Array, sizes: IntArray) -> Array:
    """The first ``sizes`` (N,) entries of ``rows`` (N, K, ...), one after another."""
    entry = math.prod(rows.shape[2:])
    out = np.empty(int(sizes.sum()) * entry, rows.dtype)
    size = entry * rows.itemsize
    _pack(np.ascontiguousarray(rows).reshape(-1).view(np.uint8), rows.shape[1] * size, size, sizes, out.view(np.uint8))
    return out


@kernel
def _pack(rows: npt.NDArray[np.uint8], row_size: int, size: int, sizes: IntArray, out: npt.NDArray[np.uint8]) -> None:
    """The same for flat bytes: of a row, and of an entry."""
    at = 0
    for row in range(len(sizes)):
        length = sizes[row] * size
        copy(out, at, rows, row * row_size, length)
        at += length


def _coded(names: npt.NDArray[np.str_], absent: BoolArray) -> Any:
    if len(names) and (names == names[0]).all():  # as mostly; to encode texts takes long
        return pa.DictionaryArray.from_arrays(pa.array(np.zeros(len(names), np.int32), mask=absent), [str(names[0])])
    return pa.array(names, pa.string(), mask=absent).dictionary_encode()


def _struct(layout: pa.Schema, name: str, columns: Iterable[FloatArray], mask: Any = None) -> Any:
    arrays = [pa.array(column, pa.float32()) for column in columns]
    return pa.StructArray.from_arrays(arrays, fields=list(layout.field(name).type), mask=mask)


def _bytes(kind: Any, count: int, values: Array, ends: IntArray | None = None) -> Any:
    """``count`` pieces of bytes, equally long, or up to ``ends`` (count + 1,) int32."""
    buffers = [pa.py_buffer(np.ascontiguousarray(values))]
    return pa.Array.from_buffers(kind, count, [None, *([] if ends is None else [pa.py_buffer(ends)]), *buffers])


def _numbers(name: str, column: Any) -> FloatArray:
    """All float32 of a column of bytes, flat."""
    width = getattr(column.type, "byte_width", None) if pa.types.is_fixed_size_binary(column.type) else None
    if width is None:
        offsets = _offsets(column)
        first, last = int(offsets[0]), int(offsets[-1])
    else:
        first, last = column.offset * width, (column.offset + len(column)) * width
    if (last - first) % FLOAT:
        raise ValueError(f"{name} is no float32")
    buffer = column.buffers()[-1]
    return np.frombuffer(buffer, np.float32, (last - first) // FLOAT, first) if buffer else np.zeros(0, np.float32)


def _offsets(column: Any) -> IntArray:
    buffer = column.buffers()[1]
    if buffer is None:
        return np.zeros(1, np.int32)
    return np.frombuffer(buffer, np.int32, len(column) + 1, 4 * column.offset)


def _unbroken(column: Any) -> Any:
    return column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)


def _ragged(name: str, column: Any, place: BoolArray, dtype: Any) -> Array:
    if (_ints(column.value_lengths()) != place.sum(axis=1)).any():
        raise ValueError(f"{name} are not as many as mask says")
    wide = np.zeros(place.shape, dtype)
    wide[place] = column.flatten().to_numpy(zero_copy_only=False)
    return wide


def _floats(column: Any) -> FloatArray:
    return np.asarray(column.to_numpy(zero_copy_only=False), np.float32)  # null becomes NaN


def _ints(column: Any) -> IntArray:
    return np.asarray(column.to_numpy(zero_copy_only=False), np.int64)


def _texts(column: Any) -> npt.NDArray[np.str_]:
    found = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    known = np.array([*found.dictionary.to_pylist(), ""], np.str_)
    return known[_ints(found.indices.fill_null(len(known) - 1))]
