"""The Q-network: embeddings, encoder (a plugin), and a head with numbers for every action."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

from livedqn.features import Embeddings, dense_spec
from livedqn.losses import dueling
from livedqn.noisy import NoisyLinear, perturbed
from livedqn.types import LivedqnError, Spec, TensorObservation

EncoderFactory = Callable[[Spec], Any]
#: As ``nn.Linear``.
Linear = Callable[..., nn.Linear]


class QNetwork(nn.Module):
    """Transformed observation -> A numbers for every action, (E, N, K, A), whether it is allowed or not.

    Args:
        spec: of the environment.
        encoder_factory: builds an encoder for a (dense) spec.
        numbers: A, see :class:`~livedqn.distributions.Distribution`.
        hidden: width of a head's hidden layer; a game's head has none.
        is_dueling: value and advantage apart (https://arxiv.org/abs/1511.06581); how, the heads say.
        layer_norm: normalise the encoder's state, and what a head's hidden layer computes before its ReLU (Ba et al.
            2016, https://arxiv.org/abs/1607.06450); within a row, so the rooms of a set stay independent.
        ensemble: E heads on one encoder, from different initial weights (Osband et al. 2016,
            https://arxiv.org/abs/1602.04621, with every head seeing all the data).
        noisy_sigma: of the heads' linear layers, which are :class:`~livedqn.noisy.NoisyLinear`; None = plain ones.
    """

    def __init__(
        self, spec: Spec, encoder_factory: EncoderFactory, *,
        numbers: int, hidden: int, is_dueling: bool, layer_norm: bool, ensemble: int, noisy_sigma: float | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        dense = dense_spec(spec)
        self.embeddings = Embeddings(spec)
        self.encoder = encoder_factory(dense)
        self._width = width = int(self.encoder.width)
        self.norm = _norm(width, layer_norm)
        linear: Linear = nn.Linear if noisy_sigma is None else partial(NoisyLinear, sigma=noisy_sigma)

        def head() -> nn.Module:
            if spec.has_rooms:
                return CandidateHead(width, len(dense.candidates), numbers, hidden, is_dueling, layer_norm, linear)
            return FixedHead(width, spec.num_actions, numbers, is_dueling, linear)

        self.heads = nn.ModuleList(head() for _ in range(ensemble))
        #: whether a room's value depends on the viewer and itself alone, see :class:`~livedqn.protocols.Encoder`
        self.values_rooms_apart = spec.has_rooms and not getattr(self.encoder, "mixes_rooms", False)

    def forward(self, observation: TensorObservation, noise: Tensor | None = None) -> Tensor:
        """Numbers (E, N, K, A), by weights that ``noise`` (M,) changes, the same for all rows; None: by their means.

        Raises:
            LivedqnError: the encoder answers states of another width than it says.
        """
        dense = self.embeddings(observation)
        state = self.encoder(dense)
        if state.shape[-1] != self._width:
            raise LivedqnError(
                f"encoder {type(self.encoder).__name__} has width={self._width}, and answers states of shape "
                f"{tuple(state.shape)}: width is the last; livedqn.testing.check_encoder tells what else is owed"
            )
        state = self.norm(state)
        if noise is None:
            z = [head(state, dense) for head in self.heads]
        else:
            parts = noise.chunk(len(self.heads))
            z = [
                functional_call(head, perturbed(head, own), (state, dense))
                for head, own in zip(self.heads, parts, strict=True)
            ]
        return torch.stack(z) if len(z) > 1 else z[0].unsqueeze(0)


class CandidateHead(nn.Module):
    """Values of candidates by their features, and of *nothing* by the state alone.

    The first layer on a (state, candidate) pair is split: the state's part is computed once a viewer, the candidate's
    once a room, and they are added. That is the same function at a quarter of the cost, and no weight depends on K.

    Dueling: *nothing* is worth V(s), and a room V(s) + A(s, room). An action that is always there is the reference that
    identifies the two, so no mean over the set is taken, and a room's value does not depend on the others. Where masks
    never allow *nothing* the two are not told apart, and what is learned is their sum.
    """

    def __init__(
        self, state_width: int, candidate_width: int, numbers: int, hidden: int, is_dueling: bool, layer_norm: bool,
        linear: Linear = nn.Linear,
    ) -> None:  # fmt: skip
        super().__init__()

        def numbers_of() -> nn.Sequential:
            return nn.Sequential(_norm(hidden, layer_norm), nn.ReLU(), linear(hidden, numbers))

        self.state = linear(state_width, hidden)
        self.candidate = linear(candidate_width, hidden, bias=False)
        self.room = numbers_of()
        self.nothing = nn.Sequential(linear(state_width, hidden), *numbers_of())
        self._is_dueling = is_dueling

    def forward(self, state: Tensor, dense: TensorObservation) -> Tensor:
        """Numbers (N, K, A) from a state (N, D) or (N, K, D); row 0 of the latter is the viewer's own state."""
        viewer = state if state.dim() == 2 else state[:, 0]
        per_room = self.state(state).unsqueeze(1) if state.dim() == 2 else self.state(state[:, 1:])
        rooms = self.room(per_room + self.candidate(dense["candidates"][:, 1:]))
        nothing = self.nothing(viewer).unsqueeze(1)
        return torch.cat([nothing, nothing + rooms if self._is_dueling else rooms], dim=1)


class FixedHead(nn.Module):
    """Numbers of a fixed set of actions, all of which are always allowed."""

    def __init__(self, state_width: int, num_actions: int, numbers: int, is_dueling: bool, linear: Linear) -> None:
        super().__init__()
        self.advantage = linear(state_width, num_actions * numbers)
        self.value = linear(state_width, numbers) if is_dueling else None
        self._shape = (num_actions, numbers)

    def forward(self, state: Tensor, dense: TensorObservation) -> Tensor:
        """Numbers (N, K, A) from a state (N, D)."""
        z = self.advantage(state).unflatten(-1, self._shape)
        return z if self.value is None else dueling(self.value(state).unsqueeze(-2), z)


def _norm(width: int, is_on: bool) -> nn.Module:
    return nn.LayerNorm(width) if is_on else nn.Identity()
