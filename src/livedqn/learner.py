"""The update: gradient, clipping, Adam, sync, on parameters that lie in one vector."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor

from livedqn.flat import Flat
from livedqn.network import QNetwork
from livedqn.noisy import Noise
from livedqn.objective import Networks, Objective
from livedqn.transitions import Transitions
from livedqn.types import FloatArray, Observation

#: Of Adam.
BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8


class Gradient(NamedTuple):
    """What a batch says."""

    vector: Tensor  # (P,), clipped
    error: Tensor  # (N,), sizes of the online network's errors
    measures: Tensor  # (4,), see Losses


class State(NamedTuple):
    """What an update reads and, but for the targets and the rate, changes in place."""

    weights: Tensor  # (P,), of all networks that learn
    target_weights: Tensor  # (Q,)
    mean: Tensor  # (P,), Adam's first moment
    square: Tensor  # (P,), Adam's second moment
    adam_steps: Tensor  # (), float32, how many Adam made
    rate: Tensor  # (), the learning rate


class Compiled(Protocol):
    """What a learner computes, but in compiled graphs (see :mod:`livedqn.graphs`), which it is only handed."""

    def fit(self, batch: Transitions) -> bool:
        """Whether ``batch`` has the shape for which there is a graph."""
        ...

    def update(self, state: State, batch: Transitions) -> Sequence[Tensor]:
        """One step of Adam, in place; returns error (N,) and measures (4,), see :meth:`Learner.update`."""
        ...

    def values(self, observation: Observation, noise: Tensor | None) -> FloatArray:
        """The online network's values in the reward's own unit, (E, B, K), with ``noise`` (1, M) if it is noisy."""
        ...


class Learner:
    """Adam on the gradient of ``objective``, for ``online`` and, on the same batches, for ``myopic``.

    Build it once the networks are on their device: see :class:`~livedqn.flat.Flat`.

    Args:
        online: learns.
        target: follows ``online`` by :meth:`sync`.
        myopic: a second network that learns, or None.
        behaviour: a third one, or None; see :class:`~livedqn.objective.Networks`.
        objective: from networks and a batch to targets, and from these to losses.
        learning_rate: of an update, by how many were made before it.
        gradient_clip: greatest norm of a network's gradient; None = any.
        sync_every: updates between two syncs.
        sync_tau: how far a sync goes.
        updates: how many were made before; learning rate and syncs go on from there, Adam begins anew.
        noise: of ``online`` and ``target``, drawn anew for every update; None = they are not noisy.
    """

    def __init__(
        self, online: QNetwork, target: QNetwork, myopic: QNetwork | None, objective: Objective, *,
        learning_rate: Callable[[int], float], gradient_clip: float | None, sync_every: int, sync_tau: float,
        updates: int = 0, behaviour: QNetwork | None = None, noise: Noise | None = None,
    ) -> None:  # fmt: skip
        self.updates, self.noise = updates, noise
        self.networks = Networks(online, target, myopic, behaviour)
        self.objective, self._target = objective, target
        self._learning_rate, self._gradient_clip = learning_rate, gradient_clip
        self._sync_every, self._sync_tau = sync_every, sync_tau
        self._learning = [network for network in (online, myopic, behaviour) if network is not None]
        self.weights, self.target_weights = Flat(self._learning), Flat([target])
        weights = self.weights.vector
        moments, numbers = (torch.zeros_like(weights) for _ in range(2)), (weights.new_zeros(()) for _ in range(2))
        self.state = State(weights, self.target_weights.vector, *moments, *numbers)
        #: None = all is computed eagerly
        self.graphs: Compiled | None = None

    def update(self, batch: Transitions) -> tuple[Tensor, Tensor]:
        """One step of Adam, and a sync if it is due.

        Returns:
            Sizes of the online network's errors, (N,), and the measures of :class:`~livedqn.objective.Losses`, (4,).
        """
        rate, batch = self._learning_rate(self.updates), self.with_noise(batch)
        if self.graphs is not None and self.graphs.fit(batch):
            self.state.rate.fill_(rate)
            error, measures = self.graphs.update(self.state, batch)
        else:
            gradient, error, measures = self.gradient(self.networks, self.weights.parameters, batch)
            adam_eagerly(self.state, gradient, rate)
        self.updates += 1
        if self.updates % self._sync_every == 0:
            self.sync()
        return error, measures

    def draw(self, draws: int) -> Tensor | None:
        """So many draws of noise, (draws, M), on the networks' device; None where they are not noisy."""
        return None if self.noise is None else self.noise.draw(draws).to(self.weights.vector.device)

    def with_noise(self, batch: Transitions) -> Transitions:
        """``batch`` with what is drawn anew for every update, if anything is."""
        return batch if self.noise is None else batch._replace(noise=self.draw(3))

    def gradient(self, networks: Networks, parameters: Sequence[Tensor], batch: Transitions) -> Gradient:
        """The gradient of the losses of ``networks`` by their ``parameters``, clipped network by network."""
        if batch.noise is not None:
            networks = networks.perturbed(batch.noise)
        targets = self.objective.targets(networks, batch)
        self._set_mode(True)
        losses = self.objective.losses(networks, batch, targets)
        self._set_mode(False)
        learned = [p for p in parameters if p.requires_grad]
        found = iter(torch.autograd.grad(losses.total, learned, allow_unused=True, materialize_grads=True))
        with torch.no_grad():
            parts = [next(found) if p.requires_grad else torch.zeros_like(p) for p in parameters]  # 0: frozen
            vector = self.weights.joined(parts)
            if self._gradient_clip is not None:
                clipped = [
                    own * (self._gradient_clip / (own.norm() + 1e-6)).clamp(max=1.0)
                    for own in torch.split(vector, self.weights.lengths)
                ]
                vector = torch.cat(clipped) if len(clipped) > 1 else clipped[0]
        return Gradient(vector, losses.error, losses.measures)

    @torch.no_grad()
    def sync(self) -> None:
        """Move the target's parameters towards the online network's by ``sync_tau``, and copy its buffers."""
        new = self.weights.vector[: len(self.target_weights.vector)]
        self.target_weights.vector.lerp_(new, self._sync_tau)  # all the way is an exact copy
        for kept_buffer, new_buffer in zip(self._target.buffers(), self._learning[0].buffers(), strict=True):
            kept_buffer.copy_(new_buffer)

    def state_dict(self) -> dict[str, Any]:
        """Adam's moments and steps, tensors, the number of updates, and the generator of noise if there is one."""
        generator = {} if self.noise is None else {"noise": self.noise.state_dict()}
        return {**self._optimizer_state(), "updates": self.updates, **generator}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """The inverse of :meth:`state_dict`."""
        for name, kept in self._optimizer_state().items():
            if state[name].shape != kept.shape:
                raise ValueError(f"Adam's {name} has shape {tuple(state[name].shape)}, not {tuple(kept.shape)}")
            kept.copy_(state[name])
        self.updates = int(state["updates"])
        if self.noise is not None:
            self.noise.load_state_dict(state["noise"])

    def _optimizer_state(self) -> dict[str, Tensor]:
        return {"mean": self.state.mean, "square": self.state.square, "adam_steps": self.state.adam_steps}

    def _set_mode(self, mode: bool) -> None:
        for network in self._learning:
            network.train(mode)


@torch.no_grad()
def adam(state: State, gradient: Tensor) -> None:
    """One step of Adam on ``gradient`` (P,), in place (Kingma and Ba 2015, https://arxiv.org/abs/1412.6980, alg. 1)."""
    weights, _, mean, square, steps, rate = state
    steps.add_(1)
    mean.lerp_(gradient, 1 - BETA1)
    square.mul_(BETA2).addcmul_(gradient, gradient, value=1 - BETA2)
    # 1 - beta ** steps, to full precision: float32 has but three digits of 1 - 0.999
    unbiased1, unbiased2 = (-torch.expm1(steps * math.log(beta)) for beta in (BETA1, BETA2))
    weights.sub_(rate / unbiased1 * mean / ((square / unbiased2).sqrt() + EPSILON))


@torch.no_grad()
def adam_eagerly(state: State, gradient: Tensor, rate: float) -> None:
    """As :func:`adam`, in the one operation that ``torch.optim.Adam(fused=True)`` comes down to."""
    weights, _, mean, square, steps, _ = state
    steps.add_(1)
    torch._fused_adam_(
        [weights], [gradient], [mean], [square], [], [steps],
        lr=rate, beta1=BETA1, beta2=BETA2, weight_decay=0.0, eps=EPSILON, amsgrad=False, maximize=False,
    )  # fmt: skip
