"""Features x(s, a) of a viewer and an action, in which values are taken to be linear.

A candidate set changes from request to request, so what is known of an action is its room. Numbers are transformed as
for a network (:class:`~livedqn.features.Transform`), with s those of the context, the means of the past impressions'
and a one for each category, and f(a) those of a room with their products in pairs, a one for each category, and a one
that says that a room is shown (many categories are hashed into few):

    x(s, a) = [1, s, s^2, f(a), s f(a)]

where squares are those of numbers (a one for a category is its own), and the last are products of every number of the
context with every number of the room. x is linear in f(a), so what a
policy is expected to do at s has the features x(s, E_pi f(a)): no candidate is looked at one by one.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import one_hot

from livedqn.features import CODES, KNUTH, Transform
from livedqn.logs import Impressions, join
from livedqn.ope.logged import pieces
from livedqn.types import Column, Observation, Spec

#: Standard deviations at which a number is cut: one heavy tail must not carry a fit.
MOST = 5.0
#: Rows of the logs by which features are standardised, at most.
SAMPLED = 4_096
#: A column of more than 2**6 categories has its own hashed into so many, since sums are as large as the square of what
#: is told apart: 10,000 categories would take tens of gigabytes a policy.
CATEGORY_BITS = 6
CATEGORIES: int = 2**CATEGORY_BITS


class RequestParts(NamedTuple):
    """B requests, as features are made of them; float32."""

    state: Tensor  # (B, S), s
    rooms: Tensor  # (B, K, F), f of every candidate, zeros outside the mask


class RequestFeatures:
    """Of one spec, standardised by rows from all over the logs: the first alone are of one hour of one day.

    Args:
        spec: of the logs.
        parts: whole sessions; they are read once, and some rows from all over kept for that.
    """

    def __init__(self, spec: Spec, parts: Iterable[Impressions]) -> None:
        self._spec = spec
        self._transform = Transform(spec, id_bits=1)
        if some := _thinned(parts):
            self._transform.fit({k: torch.from_numpy(array) for k, array in some.observation.items()})
        self._numbers = sum(_is_number(c) for c in spec.context)  # of s, those that are multiplied
        numbers = sum(_is_number(c) for c in spec.candidates)
        #: Of f, those that are multiplied: *a room is shown*, and its numbers; without rooms, each action.
        self._leading = 1 + numbers if spec.has_rooms else spec.num_actions
        past = sum(_is_number(c) for c in spec.history)
        self._squared = self._numbers + past  # of s, the first
        states = 1 + 2 * self._squared + _ones(spec.context)
        rooms = self._leading + (numbers * (numbers + 1) // 2 + _ones(spec.candidates) if spec.has_rooms else 0)
        #: Of f those that are multiplied, of s the same, and the size of f.
        self.widths = self._leading, self._numbers, rooms
        #: d, the size of x.
        self.size = states + rooms + self._numbers * self._leading
        #: Of x, those of s alone: the first.
        self.states = states

    @torch.no_grad()
    def seen(self, observation: Observation) -> RequestParts:
        """The parts of x for B requests."""
        raw = {name: torch.from_numpy(array) for name, array in observation.items()}
        found = self._transform(raw)
        state = [found["context"].clamp(-MOST, MOST)]
        if "history" in found:
            real = (raw["history"][..., :1] > 0).float()
            past = found["history"].clamp(-MOST, MOST) * real
            state.append(past.sum(dim=1) / real.sum(dim=1).clamp_min(1))
        state += _hot(found, "context", self._spec.context)
        if not self._spec.has_rooms:
            actions = torch.diag_embed(raw["mask"].float())
            return RequestParts(torch.cat(state, dim=1), actions)
        numbers = found["candidates"].clamp(-MOST, MOST)
        shown = raw["mask"].float()
        shown[:, 0] = 0
        first, second = torch.triu_indices(numbers.shape[2], numbers.shape[2])
        pairs = numbers[..., first] * numbers[..., second]
        rooms = [shown[..., None], numbers, pairs, *_hot(found, "candidates", self._spec.candidates)]
        return RequestParts(torch.cat(state, dim=1), torch.cat(rooms, dim=2))

    def joint(self, state: Tensor, room: Tensor) -> Tensor:
        """x (B, d) of states (B, S) and of a room each, or of the mean of several, (B, F)."""
        products = state[:, : self._numbers, None] * room[:, None, : self._leading]
        return torch.cat([self.alone(state), room, products.flatten(1)], dim=1)

    def alone(self, state: Tensor) -> Tensor:
        """The part of x that says nothing of the action, (B, ``states``)."""
        return torch.cat([torch.ones(len(state), 1), state, state[:, : self._squared] ** 2], dim=1)


def _thinned(parts: Iterable[Impressions]) -> Impressions | None:
    """Every n-th row of all, with the least power of two as n of which there are no more than ``SAMPLED``."""
    kept: list[Impressions] = []
    step, read = 1, 0
    for part in pieces(parts):
        rows = np.arange(-read % step, len(part), step)  # a slice would be a view, which keeps all of the part
        if len(rows):
            kept.append(part.take(rows))
        read += len(part)
        while sum(map(len, kept)) > SAMPLED:
            kept, step = [join(kept).take(slice(None, None, 2))], 2 * step
    return join(kept) if kept else None


def _hot(found: dict[str, Tensor], array: str, columns: tuple[Column, ...]) -> list[Tensor]:
    """A one for each category, and none for *none*; ids would need one for every streamer."""
    coded = [column for column in columns if not _is_number(column)]
    return [
        one_hot(_few(found[array + CODES][..., i], column), 1 + _count(column))[..., 1:].float()
        for i, column in enumerate(coded)
        if column.kind == "category"
    ]


def _few(code: Tensor, column: Column) -> Tensor:
    """The codes, hashed where there are too many; 0 stays 0."""
    if column.cardinality - 1 <= CATEGORIES:
        return code
    return torch.where(code > 0, 1 + (code * KNUTH % 2**32 >> 32 - CATEGORY_BITS), 0)


def _ones(columns: tuple[Column, ...]) -> int:
    return sum(_count(column) for column in columns if column.kind == "category")


def _count(column: Column) -> int:
    return min(column.cardinality - 1, CATEGORIES)


def _is_number(column: Column) -> bool:
    return column.kind in ("number", "count")
