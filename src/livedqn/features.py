"""From the raw observation to numbers that a network can read, in one place.

The transform is fixed after warm-up and saved with the weights, so that training, evaluation and serving cannot differ;
it is applied once to an observation, whatever the number of networks. The embeddings behind it are learned, so every
network has its own.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor, nn

from livedqn.types import CODED, Column, Spec, TensorObservation

ARRAYS = ("context", "history", "candidates")
EMBEDDING_WIDTH = 8
#: Of an embedding's numbers at first. Small: a streamer says nothing until something was learned of them. With 1, as is
#: usual for words, a network learns for long to ignore what each of them says by chance.
EMBEDDING_SD = 0.05
#: Ids are hashed into 2**11 embeddings: a few times the streamers of a mid-sized platform's busy hour.
ID_BITS = 11
ID_BUCKETS = 2**ID_BITS
#: Knuth's multiplicative hash; its high bits spread ids over the buckets, consecutive ones and multiples alike.
KNUTH = 2654435761
#: Behind the name of an array: its categories and hashed ids.
CODES = "_codes"


def dense_spec(spec: Spec) -> Spec:
    """What transform and embeddings make of ``spec``: every column a number, an id or category several."""

    def dense(columns: tuple[Column, ...]) -> tuple[Column, ...]:
        numbers = [Column(c.name, role=c.role) for c in columns if _is_number(c)]
        embedded = [Column(f"{c.name}_{i}", of=c.name) for c in columns if not _is_number(c) for i in range(_width(c))]
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
    """Raw observation -> numbers under the array's own name, and codes (int64) under ``<name>_codes``.

    Numbers are standardised, counts are log(1 + x) first; statistics are buffers, frozen once fitted. The codes are
    categories and the buckets of hashed ids, 0 = none. *Nothing* (row 0), masked rows and unused history are exact
    zeros.

    Args:
        spec: of the environment.
        standardises: off, numbers pass as they are and counts as logarithms.
        id_bits: ids are hashed into 2**id_bits buckets.
    """

    def __init__(self, spec: Spec, *, standardises: bool = True, id_bits: int = ID_BITS) -> None:
        super().__init__()
        groups = {name: getattr(spec, name) for name in ARRAYS if getattr(spec, name)}
        self.arrays = nn.ModuleDict({n: _ArrayTransform(of, standardises, id_bits) for n, of in groups.items()})

    @torch.no_grad()
    def fit(self, observation: TensorObservation) -> None:
        """Take mean and deviation of every number from ``observation`` (N, ...), over valid rows only."""
        for name, array in self.arrays.items():
            assert isinstance(array, _ArrayTransform)
            array.fit(observation[name], _valid(name, observation))

    def forward(self, observation: TensorObservation) -> TensorObservation:
        """The transformed observation; ``mask`` and images pass through, those of truth values as 0 and 1."""
        transformed = dict(observation)
        if observation["context"].dtype == torch.bool:
            transformed["context"] = observation["context"].float()
        for name, array in self.arrays.items():
            assert isinstance(array, _ArrayTransform)
            valid = _valid(name, observation)
            transformed[name] = array.numbers(observation[name], valid)
            if array.has_codes:
                transformed[name + CODES] = array.codes(observation[name], valid)
        return transformed


class _ArrayTransform(nn.Module):
    """The transform of one array (..., columns): of its n numbers and its m codes."""

    is_count: Tensor
    is_id: Tensor
    mean: Tensor
    scale: Tensor

    def __init__(self, columns: tuple[Column, ...], standardises: bool, id_bits: int) -> None:
        super().__init__()
        self._id_bits = id_bits
        self._standardises = standardises
        self._is_all_numbers = all(_is_number(c) for c in columns)
        self._has_counts = any(c.kind == "count" for c in columns)
        self._numbers = _span([i for i, c in enumerate(columns) if _is_number(c)])
        self._codes = _span([i for i, c in enumerate(columns) if not _is_number(c)])
        numbers, codes = ([c.kind for c in columns if _is_number(c) is wanted] for wanted in (True, False))
        self.has_codes = bool(codes)
        self.register_buffer("is_count", torch.tensor([kind == "count" for kind in numbers]))
        self.register_buffer("is_id", torch.tensor([kind == "id" for kind in codes]))
        self.register_buffer("mean", torch.zeros(len(numbers)))
        self.register_buffer("scale", torch.ones(len(numbers)))

    def fit(self, x: Tensor, valid: Tensor | None) -> None:
        rows = self._logged(x)
        rows = rows.flatten(0, -2) if valid is None else rows[valid]
        if rows.numel() == 0:  # nothing was seen, or there is no number
            return
        mean, spread = rows.mean(dim=0), rows.std(dim=0, correction=0)
        # a constant, such as the column that says "a real impression", passes unchanged, and a large one, such as the
        # day of logs that begin with many of one day, as 1 or -1: no network learns beside an input of 20,000
        size = mean.abs().clamp_min(1.0)
        varies = spread > 1e-6 * size  # less is rounding
        self.mean.copy_(torch.where(varies, mean, 0.0))
        self.scale.copy_(torch.where(varies, spread, size))

    def numbers(self, x: Tensor, valid: Tensor | None) -> Tensor:
        """(..., n) float32."""
        standardised = self._logged(x)
        if self._standardises:
            standardised = (standardised - self.mean) / self.scale
        return standardised if valid is None else torch.where(valid.unsqueeze(-1), standardised, 0.0)

    def codes(self, x: Tensor, valid: Tensor | None) -> Tensor:
        """(..., m) int64."""
        code = x[..., self._codes].long()
        bucket = 1 + (code * KNUTH % 2**32 >> 32 - self._id_bits)
        code = torch.where(self.is_id & (code > 0), bucket, code)
        return code if valid is None else code * valid.unsqueeze(-1)

    def _logged(self, x: Tensor) -> Tensor:
        number = x if self._is_all_numbers else x[..., self._numbers]
        if not self._has_counts:
            return number
        return torch.where(self.is_count, number.clamp_min(0).log1p(), number)


class Embeddings(nn.Module):
    """Transformed observation -> dense observation: ids and categories embedded, in columns behind the numbers.

    Columns of one name share their embedding, whatever the array. 0 (none) is embedded as zeros.
    """

    def __init__(self, spec: Spec) -> None:
        super().__init__()
        #: one for each name, in a list: a name of a column need not be one that torch takes for a module
        self.embedded = nn.ModuleList()
        self._names: list[str] = []
        self._places: dict[str, list[int]] = {}
        for array in ARRAYS:
            coded = [column for column in getattr(spec, array) if not _is_number(column)]
            for column in coded:
                if column.name not in self._names:
                    rows = ID_BUCKETS + 1 if column.kind == "id" else column.cardinality
                    table = nn.Embedding(rows, _width(column), padding_idx=0)  # of deviation 1
                    table.weight.data.mul_(EMBEDDING_SD)
                    self._names.append(column.name)
                    self.embedded.append(table)
            if coded:
                self._places[array] = [self._names.index(column.name) for column in coded]

    def forward(self, observation: TensorObservation) -> TensorObservation:
        """The dense observation, as :func:`dense_spec` describes it."""
        dense = dict(observation)
        for array, places in self._places.items():
            codes = dense.pop(array + CODES)
            embedded = [self.embedded[place](codes[..., i]) for i, place in enumerate(places)]
            dense[array] = torch.cat([observation[array], *embedded], dim=-1)
        return dense


def _span(columns: list[int]) -> list[int] | slice:
    """A slice where the columns are neighbours: a view instead of a copy."""
    is_span = bool(columns) and columns == list(range(columns[0], columns[-1] + 1))
    return slice(columns[0], columns[-1] + 1) if is_span else columns


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
    return column.kind not in CODED


def _width(column: Column) -> int:
    return EMBEDDING_WIDTH if column.kind == "id" else min(EMBEDDING_WIDTH, column.cardinality)
