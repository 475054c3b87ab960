"""Feature transforms, applied once and in one place: raw observation in, dense observation out.

Counts are replaced by log(1 + x), numbers are standardised with the mean and deviation of warm-up data, categories and
ids are embedded. The statistics are buffers: they are frozen after warm-up and saved with the weights, so training,
evaluation and serving cannot differ. *Nothing* (row 0), masked rows and unused history stay exact zeros.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor, nn

from livedqn.types import Column, Spec, TensorObservation

EMBEDDING_WIDTH = 8
#: Ids are hashed into this many embeddings: a few times the streamers of a mid-sized platform's busy hour.
ID_BUCKETS = 2048
#: Knuth's multiplicative hash spreads consecutive ids over the buckets.
KNUTH = 2654435761


def dense_spec(spec: Spec) -> Spec:
    """What :class:`Features` makes of ``spec``: every column a number, ids and categories several."""

    def dense(columns: tuple[Column, ...]) -> tuple[Column, ...]:
        numbers = [Column(c.name, role=c.role) for c in columns if _is_number(c)]
        embedded = [Column(f"{c.name}_{i}") for c in columns if not _is_number(c) for i in range(_width(c))]
        return (*numbers, *embedded)

    context = dense(spec.context)
    return replace(
        spec,
        context=context,
        context_shape=(len(context),) if context else spec.context_shape,
        history=dense(spec.history),
        candidates=dense(spec.candidates),
    )


class Features(nn.Module):
    """The transform of each array of the observation; columns of one name share their embedding."""

    def __init__(self, spec: Spec) -> None:
        super().__init__()
        self.tables = nn.ModuleDict()
        columns = {name: getattr(spec, name) for name in ("context", "history", "candidates") if getattr(spec, name)}
        for column in (c for group in columns.values() for c in group if not _is_number(c)):
            if column.name not in self.tables:
                rows = ID_BUCKETS + 1 if column.kind == "id" else column.cardinality
                self.tables[column.name] = nn.Embedding(rows, _width(column), padding_idx=0)
        self.arrays = nn.ModuleDict({name: _ArrayFeatures(group, self.tables) for name, group in columns.items()})

    @torch.no_grad()
    def fit(self, observation: TensorObservation) -> None:
        """Take mean and deviation of every number from ``observation`` (N, ...), over valid rows only."""
        for name, array in self.arrays.items():
            assert isinstance(array, _ArrayFeatures)
            array.fit(observation[name], _valid(name, observation))

    def forward(self, observation: TensorObservation) -> TensorObservation:
        """The dense observation; ``mask`` and images pass through."""
        dense = dict(observation)
        for name, array in self.arrays.items():
            dense[name] = array(observation[name], _valid(name, observation))
        return dense


class _ArrayFeatures(nn.Module):
    """The transform of one array (..., columns)."""

    numbers: Tensor
    is_count: Tensor
    mean: Tensor
    scale: Tensor

    def __init__(self, columns: tuple[Column, ...], tables: nn.ModuleDict) -> None:
        super().__init__()
        numbers = [i for i, c in enumerate(columns) if _is_number(c)]
        self.embedded = [(i, c) for i, c in enumerate(columns) if not _is_number(c)]
        self._tables = [tables[c.name] for _, c in self.embedded]  # a list: the parent owns and saves them
        self.register_buffer("numbers", torch.tensor(numbers, dtype=torch.long))
        self.register_buffer("is_count", torch.tensor([columns[i].kind == "count" for i in numbers], dtype=torch.bool))
        self.register_buffer("mean", torch.zeros(len(numbers)))
        self.register_buffer("scale", torch.ones(len(numbers)))

    def fit(self, x: Tensor, valid: Tensor | None) -> None:
        rows = self._logged(x)
        rows = rows.reshape(-1, rows.shape[-1]) if valid is None else rows[valid]
        if len(rows) == 0:
            return
        spread = rows.std(dim=0, correction=0)
        varies = spread > 1e-6  # a constant, such as the column that says "a real impression", passes unchanged
        self.mean.copy_(torch.where(varies, rows.mean(dim=0), 0.0))
        self.scale.copy_(torch.where(varies, spread, 1.0))

    def forward(self, x: Tensor, valid: Tensor | None) -> Tensor:
        parts = [(self._logged(x) - self.mean) / self.scale]
        for (i, column), table in zip(self.embedded, self._tables, strict=True):
            index = x[..., i].long()
            if column.kind == "id":
                index = torch.where(index > 0, 1 + index * KNUTH % ID_BUCKETS, 0)
            parts.append(table(index))
        dense = torch.cat(parts, dim=-1)
        return dense if valid is None else torch.where(valid.unsqueeze(-1), dense, 0.0)

    def _logged(self, x: Tensor) -> Tensor:
        numbers = x.index_select(-1, self.numbers)
        return torch.where(self.is_count, numbers.clamp_min(0).log1p(), numbers)


def _valid(name: str, observation: TensorObservation) -> Tensor | None:
    """Which rows of an array are real, (N, rows) bool; None where all are."""
    if name == "history":
        return observation["history"][..., 0] > 0
    if name == "candidates":
        valid = observation["mask"].clone()
        valid[:, 0] = False  # *nothing*
        return valid
    return None


def _is_number(column: Column) -> bool:
    return column.kind in ("number", "count")


def _width(column: Column) -> int:
    return EMBEDDING_WIDTH if column.kind == "id" else min(EMBEDDING_WIDTH, column.cardinality)
