"""Read the Open Bandit Dataset (Saito et al. 2020, arXiv 2008.07146): ``logs=openbandit``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from livedqn.logs import ColumnsError, Impressions, cells, csvparts
from livedqn.logs.mapping import Cell
from livedqn.types import Column, FloatArray, IntArray, LivedqnError, Spec

ITEMS = "item_context.csv"
NEEDED = ("timestamp", "item_id", "position", "click", "propensity_score")
AFFINITY = "user-item_affinity_"
#: Nobody noted how long a user stayed; behind a session of one request nothing is discounted by it.
STAY_S = 1.0


class OpenBandit:
    """Impressions of one campaign by one policy: each a session of one request, which nothing follows.

    Args:
        path: the folder of both, such as random/all: a CSV of impressions (or .csv.gz), and item_context.csv.

    Raises:
        LivedqnError: a file is missing or cannot be read; a :class:`ColumnsError` says which columns are missing.
    """

    def __init__(self, *, path: str) -> None:
        self._path = _impressions(Path(path))
        self._item, columns, self._features = _items(self._path.with_name(ITEMS))
        found = csvparts.columns(self._path)
        self._users = sorted(name for name in found if name.startswith("user_feature_"))
        self._affinities = [f"{AFFINITY}{item}" for item in self._item]
        if missing := [name for name in (*NEEDED, *self._affinities) if name not in found]:
            raise ColumnsError(
                str(self._path), [f"column {name} is missing" for name in missing], f"its items are those of {ITEMS}?"
            )
        context = (Column("position", "category", cardinality=4), *(Column(name, "id") for name in self._users))
        self.spec = Spec(
            context=context, context_shape=(len(context),), num_actions=1 + len(self._item),
            history=(Column("real"),), history_length=1,  # nobody noted who the user was, so there is no past
            candidates=(Column("item", "id", role="streamer"), *columns, Column("affinity", "count", "clicks")),
            signals=("clicked",), has_nothing=False,
        )  # fmt: skip
        folder = self._path.resolve().parent
        self.source: dict[str, Any] = {
            "open_bandit": str(self._path), "campaign": folder.name, "policy": folder.parent.name
        }  # fmt: skip

    def __iter__(self) -> Iterator[Impressions]:
        """All rows, a block of the file at a time."""
        for table in csvparts.parts(self._path, [*NEEDED, *self._users, *self._affinities]):
            yield self._impressions({name: table[name].combine_chunks() for name in table.column_names})

    def _impressions(self, column: dict[str, Any]) -> Impressions:
        row = np.asarray(column[csvparts.ROW], np.int64)
        n, k = len(row), self.spec.num_actions
        defect = cells.texts(column[csvparts.BROKEN]).astype("U64")
        item, propensity = cells.numbers(column["item_id"]), cells.numbers(column["propensity_score"])
        is_item = item[:, None] == self._item
        time_s = cells.times(column["timestamp"], "text")
        for wrong, what in (
            (~is_item.any(axis=1), f"item_id is in no row of {ITEMS}"),
            (np.isnan(propensity) & (cells.texts(column["propensity_score"]) != ""), "propensity_score is no number"),
            (np.isnan(time_s), "timestamp is missing, or cannot be read"),
        ):
            defect[wrong & (defect == "")] = what
        candidates = np.zeros((n, k, len(self.spec.candidates)), np.float32)
        candidates[:, 1:, :-1] = self._features
        candidates[:, 1:, -1] = np.stack([cells.numbers(column[name]) for name in self._affinities], axis=1)
        users = [cells.feature(column[name], _id(name)) for name in self._users]
        clicked = cells.numbers(column["click"]).astype(np.float32)
        rooms = np.broadcast_to(np.concatenate([[0], 1 + self._item]), (n, k)).copy()
        mask = np.ones((n, k), np.bool_)
        mask[:, 0] = False  # there was an item at every position
        return Impressions(
            request=row, session=row, viewer=row, time_s=np.nan_to_num(time_s).astype(np.int64),
            observation={
                "context": np.stack([cells.numbers(column["position"]).astype(np.float32), *users], axis=1),
                "history": np.zeros((n, 1, 1), np.float32), "candidates": candidates,
                "mask": mask,
            },
            rooms=rooms, streamers=rooms, action=np.where(is_item.any(axis=1), 1 + is_item.argmax(axis=1), k),
            propensity=propensity.astype(np.float32), policy=np.full(n, self.source["policy"]),
            signals={"clicked": clicked}, native=clicked,
            terminated=np.ones(n, np.bool_), truncated=np.zeros(n, np.bool_),
            elapsed_s=np.full(n, STAY_S, np.float32), row=row, source=str(self._path), defect=defect,
        )  # fmt: skip


def _impressions(folder: Path) -> Path:
    """The one CSV beside that of the items."""
    found = [path for path in sorted(folder.glob("*.csv*")) if path.name != ITEMS]
    if len(found) != 1 or not (folder / ITEMS).is_file():
        holds = ", ".join(path.name for path in sorted(folder.glob("*.csv*"))) or "no CSV"
        raise LivedqnError(
            f"logs.path={folder} holds {holds}; give a folder like random/all, with {ITEMS} and one CSV of impressions"
        )
    return found[0]


def _items(path: Path) -> tuple[IntArray, list[Column], FloatArray]:
    """Of A items: their ids (A,), the columns that describe them, item_id first left out, and their values (A, F)."""
    names = [name for name in csvparts.columns(path) if name.startswith("item_feature_")]
    table = pa.concat_tables(csvparts.parts(path, ["item_id", *names])).combine_chunks()
    item = cells.numbers(table["item_id"].combine_chunks())
    broken = np.isnan(item) | (item != np.rint(item)) | (item < 0)
    if broken.any() or len(np.unique(item)) != len(item) or not len(item):
        raise LivedqnError(f"{path} has no item, or one twice, or one without a number; take it from the dataset anew")
    columns, features = [], [1 + item.astype(np.float32)]
    for name in names:
        column = table[name].combine_chunks()
        values = cells.numbers(column)
        is_number = not np.isnan(values).any()
        columns.append(Column(name, "number" if is_number else "id"))
        features.append(values.astype(np.float32) if is_number else cells.feature(column, _id(name)))
    return item.astype(np.int64), columns, np.stack(features, axis=1)


def _id(name: str) -> Cell:
    """Any text, hashed: the same in all campaigns, of all policies."""
    return Cell(name, Column(name, "id"))
