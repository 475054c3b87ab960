"""What DQN minimises, as a function of networks and a batch, in tensors alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor

from livedqn import losses
from livedqn.features import Transform
from livedqn.narrowing import narrowed
from livedqn.protocols import Batch
from livedqn.types import TensorObservation

#: Transformed observation -> values (E, N, K), -inf outside the mask.
Values = Callable[[TensorObservation], Tensor]


class Transitions(NamedTuple):
    """A batch as tensors; see :class:`~livedqn.protocols.Batch` for the shapes."""

    observation: TensorObservation
    action: Tensor
    reward: Tensor
    discount: Tensor
    next_observation: TensorObservation
    weight: Tensor

    @classmethod
    def of(cls, batch: Batch, device: torch.device) -> Transitions:
        """``batch`` on ``device``; on a CPU the two share memory."""
        rest = {name: getattr(batch, name) for name in ("action", "reward", "discount", "weight")}
        return cls(
            observation=tensors(batch.observation, device), next_observation=tensors(batch.next_observation, device),
            **tensors(rest, device),
        )  # fmt: skip


class Networks(NamedTuple):
    """Who learns, whom it follows, and the twin that does not look ahead, if there is one."""

    online: Values
    target: Values
    myopic: Values | None


class Losses(NamedTuple):
    """What an update is about; all but ``total`` without a gradient."""

    total: Tensor  # (), of all networks
    error: Tensor  # (N,), sizes of the online network's errors, the mean over its estimates
    measures: Tensor  # (4,): its loss, its mean value, its greatest |value| in the batch, and the total


@dataclass(frozen=True)
class Objective:
    """The Huber loss of n-step errors, in scaled rewards.

    Args:
        transform: from what was observed to what networks read.
        reward_scale: (), times which a reward is learned.
        is_double: the online network chooses, the target network values.
        huber_delta: where the loss becomes linear; None = nowhere, half the squared error.
        narrows: networks value a room by itself, so they are shown no rooms but those whose values are needed.
    """

    transform: Transform
    reward_scale: Tensor
    is_double: bool
    huber_delta: float | None
    narrows: bool

    def __call__(self, networks: Networks, batch: Transitions, learning: Callable[[bool], Any]) -> Losses:
        """The losses of a batch; ``learning(True)`` and ``(False)`` enclose the forward passes in training mode."""
        reward = batch.reward * self.reward_scale
        seen, action = self._asked(batch.observation, batch.action.unsqueeze(0))
        observation = self.transform(seen)
        target = self.target(networks, reward, batch.discount, self.transform(batch.next_observation))
        learning(True)
        q_tm1 = losses.chosen(networks.online(observation), action)
        error = target - q_tm1
        total = loss = self._loss(error, batch.weight)
        if networks.myopic is not None:
            immediate = losses.chosen(networks.myopic(observation), action)
            total = loss + self._loss(reward[:, 0] - immediate, batch.weight)
        learning(False)
        with torch.no_grad():
            measures = torch.stack([loss.detach(), q_tm1.mean(), q_tm1.abs().amax(), total.detach()])
            return Losses(total, error.abs().mean(dim=0), measures)

    @torch.no_grad()
    def target(self, networks: Networks, reward: Tensor, discount: Tensor, following: TensorObservation) -> Tensor:
        """What the values of the actions taken should be, (E, N); ``following`` is transformed."""
        window_return, window_discount = losses.n_step_return(reward, discount)
        if self.is_double:  # y = R + D q_target(argmax_a q_online(a)), van Hasselt et al. 2016, eq. 4
            following, best = self._asked(following, networks.online(following).argmax(dim=-1))
            q_t = networks.target(following)
        else:  # y = R + D max_a q_target(a), Mnih et al. 2015
            q_t = networks.target(following)
            best = q_t.argmax(dim=-1)
        return losses.bootstrap(window_return, window_discount, losses.chosen(q_t, best))

    def _asked(self, observation: TensorObservation, actions: Tensor) -> tuple[TensorObservation, Tensor]:
        """What a network has to be shown for the values of ``actions`` (M, N), and where in it they stand."""
        return narrowed(observation, actions) if self.narrows else (observation, actions)

    def _loss(self, error: Tensor, weight: Tensor) -> Tensor:
        delta = self.huber_delta
        return losses.weighted_mean(0.5 * error.square() if delta is None else losses.huber(error, delta), weight)


def tensor(array: Any, device: torch.device) -> Tensor:
    """A NumPy array on ``device``; on a CPU the two share memory."""
    here = torch.from_numpy(array)
    return here if device.type == "cpu" else here.to(device)


def tensors(arrays: Mapping[str, Any], device: torch.device) -> dict[str, Tensor]:
    """NumPy arrays on ``device``, by name."""
    return {name: tensor(array, device) for name, array in arrays.items()}


def values(network: Values, objective: Objective, observation: TensorObservation) -> Tensor:
    """Values in the reward's own unit, (E, B, K), of an observation as it was seen."""
    return network(objective.transform(observation)) / objective.reward_scale
