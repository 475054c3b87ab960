"""A gated recurrent unit over the history: what was shown, in the order in which it was shown."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from livedqn.encoders.layers import dense, refuse_images, require_history
from livedqn.encoders.matches import Matches
from livedqn.types import LivedqnError, Spec, TensorObservation


class GRU(nn.Module):
    """Dense layers on the context joined to the last state of a GRU over the real rows of the history.

    To them is added, for every candidate, what the GRU's states at the impressions of its own topic and streamer add up
    to (:class:`~livedqn.encoders.matches.Matches`): an interest extractor with the room as its target, as in deep
    interest evolution networks (Zhou et al. 2019, https://arxiv.org/abs/1809.03672). Where history and candidates share
    nothing that could be matched, the state is the viewer's alone.

    Cho et al. 2014, https://arxiv.org/abs/1406.1078, with the reset gate after the recurrent product, as in cuDNN.
    Written out in plain operations, which torch.func and torch.compile take as they are.

    Args:
        memory: units of the recurrent state.
        hidden: units of each dense layer; the last is the width of the state.
    """

    def __init__(self, spec: Spec, *, memory: int = 64, hidden: tuple[int, ...] = (128,)) -> None:
        super().__init__()
        refuse_images("gru", spec)
        require_history("gru", spec)
        if memory < 1:
            raise LivedqnError(f"encoder gru has memory={memory}; choose 1 unit or more")
        self.memory = memory
        self.from_input = nn.Linear(len(spec.history), 3 * memory)
        self.from_memory = nn.Linear(memory, 3 * memory)
        self.layers = dense(len(spec.context) + memory, hidden)
        self.width = hidden[-1]
        self.matches = Matches(spec)
        self.from_matches = nn.Linear(self.matches.count * memory, self.width) if self.matches.count else None

    def forward(self, observation: TensorObservation) -> Tensor:
        """(B, K, D), a state for every candidate; (B, D) where nothing can be matched."""
        history = observation["history"]
        memories = self._remember(history)
        state: Tensor = self.layers(torch.cat([observation["context"], memories[:, -1]], dim=-1))
        if self.from_matches is None:
            return state
        matched = self.from_matches(self.matches(observation["candidates"], history, memories))
        return torch.relu(state[:, None] + matched)

    def _remember(self, history: Tensor) -> Tensor:
        """(B, T, H) -> (B, T, M), the recurrent state after each impression.

        r = sigmoid(W_r x + U_r h), z = sigmoid(W_z x + U_z h), n = tanh(W_n x + r * U_n h), h' = (1 - z) * n + z * h
        """
        inputs = self.from_input(history)  # (B, T, 3M): all of the input's share in one product
        is_real = history[..., :1] > 0  # (B, T, 1): padding leaves the memory as it is, wherever it stands
        memory: Tensor = inputs.new_zeros(len(inputs), self.memory)
        memories = []
        for t in range(inputs.shape[1]):
            input_r, input_z, input_n = inputs[:, t].chunk(3, dim=-1)
            memory_r, memory_z, memory_n = self.from_memory(memory).chunk(3, dim=-1)
            keep = torch.sigmoid(input_z + memory_z)
            new = torch.tanh(input_n + torch.sigmoid(input_r + memory_r) * memory_n)
            memory = torch.where(is_real[:, t], (1 - keep) * new + keep * memory, memory)
            memories.append(memory)
        return torch.stack(memories, dim=1)
