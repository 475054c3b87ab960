"""CSVs as arrays, read part by part: text is gone before the next part comes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from livedqn.logs import cells, csvparts
from livedqn.types import BoolArray, Column, IntArray


@dataclass(frozen=True)
class Table:
    """The n rows of a file, in their order."""

    numbers: dict[str, IntArray]  # (n,) each; -1 where there is no whole number from 0 on
    labels: dict[str, npt.NDArray[np.int32]]  # (n,) each: the place of a text among all of its column, 0 for none
    columns: dict[str, Column]  # of the labels
    broken: BoolArray  # (n,), rows with too few or too many fields


def read(path: Path, numbers: Sequence[str], labels: Sequence[str]) -> Table:
    """These columns of the file."""
    made: dict[str, list[npt.NDArray[Any]]] = {name: [] for name in (*numbers, *labels, csvparts.BROKEN)}
    known: dict[str, dict[str, int]] = {name: {} for name in labels}  # in order of appearance, from 1
    for part in csvparts.parts(path, [*numbers, *labels]):
        for name in numbers:
            made[name].append(whole(part[name].combine_chunks()))
        for name in labels:
            coded = part[name].combine_chunks().dictionary_encode()
            places = [known[name].setdefault(text, len(known[name]) + 1) for text in coded.dictionary.to_pylist()]
            indices = coded.indices.fill_null(len(places)).to_numpy(zero_copy_only=False)
            made[name].append(np.array([*places, 0], np.int32)[indices])
        made[csvparts.BROKEN].append(cells.texts(part[csvparts.BROKEN].combine_chunks()) != "")
    arrays = {name: np.concatenate(made.pop(name)) for name in list(made)}
    for name in labels:  # sorted: the same texts have the same places in whatever order they came
        rank = np.zeros(len(known[name]) + 1, np.int32)
        for place, text in enumerate(sorted(known[name]), start=1):
            rank[known[name][text]] = place
        arrays[name] = rank[arrays[name]]
    columns = {name: Column(name, "category", cardinality=max(len(known[name]) + 1, 2)) for name in labels}
    return Table(
        {name: arrays[name] for name in numbers}, {name: arrays[name] for name in labels}, columns,
        arrays[csvparts.BROKEN],
    )  # fmt: skip


def whole(column: Any) -> IntArray:
    """(n,) int64; -1 where there is no whole number from 0 on."""
    try:
        values = column.cast(pa.int64()).fill_null(-1).to_numpy(zero_copy_only=False)
    except pa.ArrowInvalid:
        number = cells.numbers(column)
        is_whole = (number >= 0) & (number < 2**53) & (number == np.rint(number))
        values = np.where(is_whole, number, -1)
    return np.maximum(values, -1).astype(np.int64)


def found(known: IntArray, wanted: IntArray, missing: int) -> IntArray:
    """Where each of ``wanted`` stands in ``known``, which is sorted; ``missing`` where it does not."""
    if not len(known):
        return np.full(len(wanted), missing)
    place = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
    return np.where(known[place] == wanted, place, missing)
