"""From the raw observation to numbers that a network can read, in one place.

The transform is fixed after warm-up and saved with the weights, so that training, evaluation and serving cannot differ;
it is applied once to an observation, whatever the number of networks. The embeddings behind it are learned, so every
network has its own.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor, nn

from livedqn.types import Column, Spec, TensorObservation

ARRAYS = ("context", "history", "candidates")
EMBEDDING_WIDTH = 8
#: Ids are hashed into 2**11 embeddings: a few times the streamers of a mid-sized platform's busy hour.
ID_BITS = 11
ID_BUCKETS = 2**ID_BITS
#: Knuth's multiplicative hash; its high bits spread ids over the buckets, consecutive ones and multiples alike.
KNUTH = 2654435761


def dense_spec(spec: Spec) -> Spec:
    """What transform and embeddings make of ``spec``: every column a number, an id or category several."""

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


class Transform(nn.Module):
    """Raw observation -> transformed observation of the same layout; statistics are buffers, frozen once fitted.

    Numbers are standardised, counts are log(1 + x) first, ids become the bucket of their hash, categories stay.
    *Nothing* (row 0), masked rows and unused history are exact zeros.
    """

    def __init__(self, spec: Spec) -> None:
        super().__init__()
        groups = {name: getattr(spec, name) for name in ARRAYS if getattr(spec, name)}
        self.arrays = nn.ModuleDict({name: _ArrayTransform(columns) for name, columns in groups.items()})

    @torch.no_grad()
    def fit(self, observation: TensorObservation) -> None:
        """Take mean and deviation of every number from ``observation`` (N, ...), over valid rows only."""
        for name, array in self.arrays.items():
            assert isinstance(array, _ArrayTransform)
            array.fit(observation[name], _valid(name, observation))

    def forward(self, observation: TensorObservation) -> TensorObservation:
        """The transformed observation; ``mask`` and images pass through."""
        transformed = dict(observation)
        for name, array in self.arrays.items():
            transformed[name] = array(observation[name], _valid(name, observation))
        return transformed


class _ArrayTransform(nn.Module):
    """The transform of one array (..., columns)."""

    is_count: Tensor
    is_id: Tensor
    mean: Tensor
    scale: Tensor

    def __init__(self, columns: tuple[Column, ...]) -> None:
        super().__init__()
        self._is_number = [_is_number(c) for c in columns]
        self._has_ids = any(c.kind == "id" for c in columns)
        self.register_buffer("is_count", torch.tensor([c.kind == "count" for c in columns]))
        self.register_buffer("is_id", torch.tensor([c.kind == "id" for c in columns]))
        self.register_buffer("mean", torch.zeros(len(columns)))
        self.register_buffer("scale", torch.ones(len(columns)))

    def fit(self, x: Tensor, valid: Tensor | None) -> None:
        rows = self._logged(x)
        rows = rows.reshape(-1, rows.shape[-1]) if valid is None else rows[valid]
        if len(rows) == 0:
            return
        spread = rows.std(dim=0, correction=0)
        # a constant, such as the column that says "a real impression", passes unchanged, and so do ids and categories
        varies = (spread > 1e-6) & torch.tensor(self._is_number, device=x.device)
        self.mean.copy_(torch.where(varies, rows.mean(dim=0), 0.0))
        self.scale.copy_(torch.where(varies, spread, 1.0))

    def forward(self, x: Tensor, valid: Tensor | None) -> Tensor:
        transformed = (self._logged(x) - self.mean) / self.scale
        if self._has_ids:
            bucket = 1 + (x.long() * KNUTH % 2**32 >> 32 - ID_BITS)
            transformed = torch.where(self.is_id & (x > 0), bucket.to(x.dtype), transformed)
        return transformed if valid is None else torch.where(valid.unsqueeze(-1), transformed, 0.0)

    def _logged(self, x: Tensor) -> Tensor:
        return torch.where(self.is_count, x.clamp_min(0).log1p(), x)


class Embeddings(nn.Module):
    """Transformed observation -> dense observation: ids and categories embedded, in columns behind the numbers.

    Columns of one name share their embedding, whatever the array. 0 (none) is embedded as zeros.
    """

    def __init__(self, spec: Spec) -> None:
        super().__init__()
        self.tables = nn.ModuleDict()
        self._columns: dict[str, tuple[list[int], list[tuple[int, str]]]] = {}
        for name in ARRAYS:
            columns: tuple[Column, ...] = getattr(spec, name)
            numbers = [i for i, c in enumerate(columns) if _is_number(c)]
            embedded = [(i, c.name) for i, c in enumerate(columns) if not _is_number(c)]
            if embedded:
                self._columns[name] = (numbers, embedded)
            for i, table in embedded:
                if table not in self.tables:
                    rows = ID_BUCKETS + 1 if columns[i].kind == "id" else columns[i].cardinality
                    self.tables[table] = nn.Embedding(rows, _width(columns[i]), padding_idx=0)

    def forward(self, observation: TensorObservation) -> TensorObservation:
        """The dense observation, as :func:`dense_spec` describes it."""
        dense = dict(observation)
        for name, (numbers, embedded) in self._columns.items():
            x = observation[name]
            parts = [x[..., numbers], *(self.tables[table](x[..., i].long()) for i, table in embedded)]
            dense[name] = torch.cat(parts, dim=-1)
        return dense


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
