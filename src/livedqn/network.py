"""The Q-network: embeddings, encoder (a plugin), and a head that values every action."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from livedqn.features import Embeddings, dense_spec
from livedqn.losses import dueling
from livedqn.types import Spec, TensorObservation

EncoderFactory = Callable[[Spec], Any]


class QNetwork(nn.Module):
    """Transformed observation -> values (E, N, K), -inf outside the mask.

    Args:
        spec: of the environment.
        encoder_factory: builds an encoder for a (dense) spec.
        hidden: width of a head's hidden layer; a game's head has none.
        is_dueling: value and advantage apart (https://arxiv.org/abs/1511.06581); how, the heads say.
        layer_norm: normalise the encoder's state, and what a head's hidden layer computes before its ReLU (Ba et al.
            2016, https://arxiv.org/abs/1607.06450); within a row, so the rooms of a set stay independent.
        ensemble: E heads on one encoder, from different initial weights (Osband et al. 2016,
            https://arxiv.org/abs/1602.04621, with every head seeing all the data).
    """

    def __init__(
        self, spec: Spec, encoder_factory: EncoderFactory, *,
        hidden: int, is_dueling: bool, layer_norm: bool, ensemble: int,
    ) -> None:  # fmt: skip
        super().__init__()
        dense = dense_spec(spec)
        self.embeddings = Embeddings(spec)
        self.encoder = encoder_factory(dense)
        width = int(self.encoder.width)
        self.norm = _norm(width, layer_norm)
        heads: list[nn.Module] = []
        for _ in range(ensemble):
            if spec.has_rooms:
                heads.append(CandidateHead(width, len(dense.candidates), hidden, is_dueling, layer_norm))
            else:
                heads.append(FixedHead(width, spec.num_actions, is_dueling))
        self.heads = nn.ModuleList(heads)
        self._has_rooms = spec.has_rooms
        #: whether a room's value depends on the viewer and itself alone, see :class:`~livedqn.protocols.Encoder`
        self.values_rooms_apart = spec.has_rooms and not getattr(self.encoder, "mixes_rooms", False)

    def forward(self, observation: TensorObservation) -> Tensor:
        """Values (E, N, K)."""
        dense = self.embeddings(observation)
        state, mask = self.norm(self.encoder(dense)), dense["mask"]
        q = [head(state, dense) for head in self.heads]
        estimates = torch.stack(q) if len(q) > 1 else q[0].unsqueeze(0)
        return estimates.masked_fill(~mask, -torch.inf) if self._has_rooms else estimates  # a game masks nothing


class CandidateHead(nn.Module):
    """Values of candidates by their features, and of *nothing* by the state alone.

    The first layer on a (state, candidate) pair is split: the state's part is computed once a viewer, the candidate's
    once a room, and they are added. That is the same function at a quarter of the cost, and no weight depends on K.

    Dueling: *nothing* is worth V(s), and a room V(s) + A(s, room). An action that is always there is the reference that
    identifies the two, so no mean over the set is taken, and a room's value does not depend on the others.
    """

    def __init__(self, state_width: int, candidate_width: int, hidden: int, is_dueling: bool, layer_norm: bool) -> None:
        super().__init__()
        self.state = nn.Linear(state_width, hidden)
        self.candidate = nn.Linear(candidate_width, hidden, bias=False)
        self.room = nn.Sequential(_norm(hidden, layer_norm), nn.ReLU(), nn.Linear(hidden, 1))
        self.nothing = nn.Sequential(
            nn.Linear(state_width, hidden), _norm(hidden, layer_norm), nn.ReLU(), nn.Linear(hidden, 1)
        )
        self._is_dueling = is_dueling

    def forward(self, state: Tensor, dense: TensorObservation) -> Tensor:
        """Values (N, K) from a state (N, D) or (N, K, D); row 0 of the latter is the viewer's own state."""
        viewer = state if state.dim() == 2 else state[:, 0]
        per_room = self.state(state).unsqueeze(1) if state.dim() == 2 else self.state(state[:, 1:])
        pair = per_room + self.candidate(dense["candidates"][:, 1:])
        nothing, rooms = self.nothing(viewer), self.room(pair).squeeze(-1)
        return torch.cat([nothing, nothing + rooms if self._is_dueling else rooms], dim=1)


class FixedHead(nn.Module):
    """Values of a fixed set of actions, all of which are always allowed."""

    def __init__(self, state_width: int, num_actions: int, is_dueling: bool) -> None:
        super().__init__()
        self.advantage = nn.Linear(state_width, num_actions)
        self.value = nn.Linear(state_width, 1) if is_dueling else None

    def forward(self, state: Tensor, dense: TensorObservation) -> Tensor:
        """Values (N, K) from a state (N, D)."""
        q: Tensor = self.advantage(state)
        return q if self.value is None else dueling(self.value(state), q)


def _norm(width: int, is_on: bool) -> nn.Module:
    return nn.LayerNorm(width) if is_on else nn.Identity()
