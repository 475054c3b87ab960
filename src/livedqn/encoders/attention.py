"""Attention from each candidate to the history: which past impressions say something about this room."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from livedqn.encoders.layers import dense, refuse_images, require_history
from livedqn.encoders.matches import Matches
from livedqn.types import LivedqnError, Spec, TensorObservation


class Attention(nn.Module):
    """A state for every candidate: the context, and the past impressions weighted by their bearing on the room.

    Scaled dot-product attention (Vaswani et al. 2017, https://arxiv.org/abs/1706.03762) with the candidate as query,
    as in deep interest networks (Zhou et al. 2018, https://arxiv.org/abs/1706.06978), beside what the impressions of
    the room's own topic and streamer add up to (:class:`~livedqn.encoders.matches.Matches`). Keys and values are
    computed once a viewer and queries once a room, so a room more costs little. The impressions are a set: when each
    was shown has to stand in its own columns.

    Args:
        units: width of queries, keys and values.
        hidden: units of each dense layer on the context; the last is the width of the state.
    """

    def __init__(self, spec: Spec, *, units: int = 32, hidden: tuple[int, ...] = (128,)) -> None:
        super().__init__()
        refuse_images("attention", spec)
        require_history("attention", spec)
        if units < 1:
            raise LivedqnError(f"encoder attention has units={units}; choose 1 or more")
        self.query = nn.Linear(len(spec.candidates), units)
        self.key = nn.Linear(len(spec.history), units)
        self.value = nn.Linear(len(spec.history), units)
        self.from_context = dense(len(spec.context), hidden)
        self.width = hidden[-1]
        self.matches = Matches(spec)
        self.from_history = nn.Linear((1 + self.matches.count) * units, self.width)

    def forward(self, observation: TensorObservation) -> Tensor:
        """(B, K, D), a state for every candidate."""
        candidates, history = observation["candidates"], observation["history"]
        value = self.value(history)
        past = self._attend(candidates, history, value)
        if self.matches.count:
            past = torch.cat([past, self.matches(candidates, history, value)], dim=-1)
        context = self.from_context(observation["context"])
        return torch.relu(context[:, None] + self.from_history(past))

    def _attend(self, candidates: Tensor, history: Tensor, value: Tensor) -> Tensor:
        """(B, K, F), (B, T, H) and (B, T, U) -> (B, K, U): softmax(q k / sqrt(U)) v over the real rows."""
        query, key = self.query(candidates), self.key(history)
        score = query @ key.transpose(1, 2) / key.shape[-1] ** 0.5  # (B, K, T)
        score = score.masked_fill(history[:, None, :, 0] == 0, -torch.inf)
        # one more score, of 0, with zeros as its value: a room may attend to nothing, and a viewer may have no past
        score = torch.cat([score.new_zeros(*score.shape[:2], 1), score], dim=-1)
        attended: Tensor = score.softmax(dim=-1)[..., 1:] @ value
        return attended
