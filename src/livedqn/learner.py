"""The update: gradient, clipping, Adam, sync, on parameters that lie in one vector."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor

from livedqn.flat import Flat
from livedqn.network import QNetwork
from livedqn.objective import Networks, Objective, Transitions

if TYPE_CHECKING:  # who builds graphs knows the learner; the learner is only handed them
    from livedqn.graphs import Graphs


class Gradient(NamedTuple):
    """What a batch says."""

    vector: Tensor  # (P,), clipped
    error: Tensor  # (N,), sizes of the online network's errors
    measures: Tensor  # (4,), see Losses


class Learner:
    """Adam on the gradient of ``objective``, for ``online`` and, on the same batches, for ``myopic``.

    Build it once the networks are on their device: see :class:`~livedqn.flat.Flat`.

    Args:
        online: learns.
        target: follows ``online`` by :meth:`sync`.
        myopic: a second network that learns, or None.
        objective: from networks and a batch to losses.
        gradient_clip: greatest norm of a network's gradient; None = any.
        sync_tau: how far a sync goes.
    """

    BETAS, EPSILON = (0.9, 0.999), 1e-8

    def __init__(
        self, online: QNetwork, target: QNetwork, myopic: QNetwork | None, objective: Objective, *,
        gradient_clip: float | None, sync_tau: float,
    ) -> None:  # fmt: skip
        self.networks = Networks(online, target, myopic)
        self.objective, self._target = objective, target
        self._gradient_clip, self._sync_tau = gradient_clip, sync_tau
        self._learning = [online] if myopic is None else [online, myopic]
        self.weights, self.target_weights = Flat(self._learning), Flat([target])
        self._mean, self._square = torch.zeros_like(self.weights.vector), torch.zeros_like(self.weights.vector)
        self._count = torch.zeros((), device=self.weights.vector.device)
        #: what is computed in compiled graphs; None = nothing
        self.graphs: Graphs | None = None

    def update(self, batch: Transitions, learning_rate: float) -> Gradient:
        """One step of Adam (Kingma and Ba 2015, https://arxiv.org/abs/1412.6980)."""
        if self.graphs is not None and self.graphs.fit(batch):
            gradient = Gradient(*self.graphs.gradient(batch))
        else:
            gradient = self.gradient(self.networks, self.weights.parameters, batch)
        with torch.no_grad():
            self._count += 1
            # what torch.optim.Adam(fused=True) comes down to, without the Python that takes longer than the step
            torch._fused_adam_(
                [self.weights.vector], [gradient.vector], [self._mean], [self._square], [], [self._count],
                lr=learning_rate, beta1=self.BETAS[0], beta2=self.BETAS[1], weight_decay=0.0, eps=self.EPSILON,
                amsgrad=False, maximize=False,
            )  # fmt: skip
        return gradient

    def gradient(self, networks: Networks, parameters: Sequence[Tensor], batch: Transitions) -> Gradient:
        """The gradient of the losses of ``networks`` by their ``parameters``, clipped network by network."""
        losses = self.objective(networks, batch, self._set_mode)
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
        """Adam's moments: tensors."""
        return {"mean": self._mean, "square": self._square, "count": self._count}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """The inverse of :meth:`state_dict`."""
        for name, kept in self.state_dict().items():
            if state[name].shape != kept.shape:
                raise ValueError(f"Adam's {name} has shape {tuple(state[name].shape)}, not {tuple(kept.shape)}")
            kept.copy_(state[name])

    def _set_mode(self, mode: bool) -> None:
        for network in self._learning:
            network.train(mode)
