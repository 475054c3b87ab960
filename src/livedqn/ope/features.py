"""Features x(s, a) of a viewer and an action, in which values are taken to be linear.

A candidate set changes from request to request, so what is known of an action is its room. Numbers are transformed as
for a network (:class:`~livedqn.features.Transform`), with s those of the context, the means of the past impressions'
and a one for each category, and f(a) those of a room with their products in pairs, a one for each category, and a one
that says that a room is shown:

    x(s, a) = [1, s, s^2, f(a), s f(a)]

where the last are products of every number of the context with every number of the room. x is linear in f(a), so what a
policy is expected to do at s has the features x(s, E_pi f(a)): no candidate is looked at one by one.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from livedqn.features import CODES, Transform
from livedqn.logs import Impressions, join
from livedqn.ope.logged import pieces
from livedqn.types import Column, Observation, Spec

#: Standard deviations at which a number is cut: one heavy tail must not carry a fit.
MOST = 5.0
#: Rows of a piece of the logs by which features are standardised.
SAMPLED = 64


class Seen(NamedTuple):
    """B requests, as features are made of them; float32."""

    state: Tensor  # (B, S), s
    rooms: Tensor  # (B, K, F), f of every candidate, zeros outside the mask


class Features:
    """Of one spec, standardised by rows from all over the logs: the first alone are of one hour of one day.

    Args:
        spec: of the logs.
        parts: whole sessions; they are read once, and some rows of each piece kept for that.
    """

    def __init__(self, spec: Spec, parts: Iterable[Impressions]) -> None:
        self._spec = spec
        self._transform = Transform(spec, id_bits=1)
        some = [part.take(slice(None, None, max(len(part) // SAMPLED, 1))) for part in pieces(parts)]
        if some:
            self._transform.fit({k: torch.from_numpy(array) for k, array in join(some).observation.items()})
        self._numbers = sum(_is_number(c) for c in spec.context)  # of s, those that are multiplied
        numbers = sum(_is_number(c) for c in spec.candidates)
        #: Of f, those that are multiplied: *a room is shown*, and its numbers; without rooms, each action.
        self._leading = 1 + numbers if spec.has_rooms else spec.num_actions
        past = sum(_is_number(c) for c in spec.history)
        states = self._numbers + past + _ones(spec.context)
        rooms = self._leading + (numbers * (numbers + 1) // 2 + _ones(spec.candidates) if spec.has_rooms else 0)
        #: Of f those that are multiplied, of s the same, and the size of f.
        self.widths = self._leading, self._numbers, rooms
        #: d, the size of x.
        self.size = 1 + 2 * states + rooms + self._numbers * self._leading
        #: Of x, those of s alone: the first.
        self.states = 1 + 2 * states

    @torch.no_grad()
    def seen(self, observation: Observation) -> Seen:
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
            return Seen(torch.cat(state, dim=1), actions)
        numbers = found["candidates"].clamp(-MOST, MOST)
        shown = raw["mask"].float()
        shown[:, 0] = 0
        first, second = torch.triu_indices(numbers.shape[2], numbers.shape[2])
        pairs = numbers[..., first] * numbers[..., second]
        rooms = [shown[..., None], numbers, pairs, *_hot(found, "candidates", self._spec.candidates)]
        return Seen(torch.cat(state, dim=1), torch.cat(rooms, dim=2))

    def joint(self, state: Tensor, room: Tensor) -> Tensor:
        """x (B, d) of states (B, S) and of a room each, or of the mean of several, (B, F)."""
        products = state[:, : self._numbers, None] * room[:, None, : self._leading]
        return torch.cat([torch.ones(len(state), 1), state, state**2, room, products.flatten(1)], dim=1)

    def alone(self, state: Tensor) -> Tensor:
        """The part of x that says nothing of the action, (B, ``states``)."""
        return torch.cat([torch.ones(len(state), 1), state, state**2], dim=1)


def _hot(found: dict[str, Tensor], array: str, columns: tuple[Column, ...]) -> list[Tensor]:
    """A one for the value of each category, (..., cardinality - 1); ids would need one for every streamer."""
    coded = [column for column in columns if not _is_number(column)]
    return [
        one_hot(found[array + CODES][..., i], column.cardinality)[..., 1:].float()
        for i, column in enumerate(coded)
        if column.kind == "category"
    ]


def _ones(columns: tuple[Column, ...]) -> int:
    return sum(column.cardinality - 1 for column in columns if column.kind == "category")


def _is_number(column: Column) -> bool:
    return column.kind in ("number", "count")
