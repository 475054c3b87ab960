"""The update by hand, three ways: what the mathematics costs without any framework.

Each learner reads one :class:`Batch` in place. One update: y = r + gamma (1 - terminated) max q_target(s'), the
gradient of the mean of (q(s, a) - y)^2, one step of Adam.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.speed import work

BETA1, BETA2, EPS = 0.9, 0.999, 1e-8


class Batch:
    """Arrays into which a sample is gathered, and tensors on the same memory."""

    def __init__(self, size: int = work.BATCH_SIZE, observed: int = work.OBSERVED) -> None:
        self.observation = np.zeros((size, observed), np.float32)
        self.following = np.zeros((size, observed), np.float32)
        self.action = np.zeros(size, np.int64)
        self.reward = np.zeros(size, np.float32)
        self.terminated = np.zeros(size, np.float32)
        self.arrays: tuple[Any, ...] = (self.observation, self.action, self.reward, self.following, self.terminated)
        self.tensors = tuple(map(torch.from_numpy, self.arrays))


def network() -> nn.Sequential:
    """The multilayer perceptron of the workloads, with torch's initial weights."""
    sizes = (work.OBSERVED, *work.HIDDEN, work.ACTIONS)
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(sizes):
        layers += [nn.Linear(inputs, outputs), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


class Learner:
    """Online and target network, the latter without gradients; ``update()`` is a subclass's."""

    def __init__(self, batch: Batch) -> None:
        self.batch = batch
        self.online, self.target = network(), network()
        self.target.requires_grad_(False).load_state_dict(self.online.state_dict())
        # views: what an optimiser writes into a parameter is seen by acting at once
        self.weights = [p.detach().numpy() for p in self.online.parameters()]
        self.target_weights = [p.numpy() for p in self.target.parameters()]

    def sync(self) -> None:
        """Copy the online weights to the target."""
        for kept, new in zip(self.target_weights, self.weights, strict=True):
            kept[...] = new

    def act(self, observation: np.ndarray) -> np.ndarray:
        """Greedy actions (N,) of observations (N, 4); torch's call costs more than these three small products."""
        w1, b1, w2, b2, w3, b3 = self.weights
        hidden = np.maximum(observation @ w1.T + b1, 0)
        hidden = np.maximum(hidden @ w2.T + b2, 0)
        return np.asarray((hidden @ w3.T + b3).argmax(-1))

    def update(self) -> None:
        """One update on the batch."""
        raise NotImplementedError


class Eager(Learner):
    """As everybody writes it first: modules, autograd, ``torch.optim.Adam`` as it comes, acting in torch."""

    def __init__(self, batch: Batch) -> None:
        super().__init__(batch)
        self.optimizer = torch.optim.Adam(self.online.parameters(), lr=work.LEARNING_RATE, eps=EPS)

    def act(self, observation: np.ndarray) -> np.ndarray:
        """Greedy actions."""
        with torch.inference_mode():
            return np.asarray(self.online(torch.from_numpy(observation)).argmax(-1))

    def update(self) -> None:
        """One update on the batch."""
        s, a, r, following, terminated = self.batch.tensors
        with torch.no_grad():
            y = r + work.DISCOUNT * (1 - terminated) * self.target(following).amax(1)
        loss = nn.functional.mse_loss(self.online(s).gather(1, a[:, None]).squeeze(1), y)
        self.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimizer.step()


class Compiled(Learner):
    """The whole update, backward by hand and Adam included, as one compiled graph."""

    def __init__(self, batch: Batch) -> None:
        super().__init__(batch)
        weights = [p.detach() for p in self.online.parameters()]
        start = [w.clone() for w in weights]
        moments = [torch.zeros_like(w) for w in weights], [torch.zeros_like(w) for w in weights]
        state: tuple[Any, ...] = (weights, list(self.target.parameters()), *moments, torch.zeros(()))
        compiled = torch.compile(_whole_update, fullgraph=True)
        self._call: Callable[[], None] = lambda: compiled(*state, *batch.tensors)
        self.update()  # compiles; then everything is as it was
        with torch.no_grad():
            for tensor, value in zip(weights, start, strict=True):
                tensor.copy_(value)
            for zero in (*moments[0], *moments[1], state[-1]):
                zero.zero_()

    def update(self) -> None:
        """One update on the batch."""
        self._call()


@torch.no_grad()
def _whole_update(
    weights: list[Tensor], target: list[Tensor], mean: list[Tensor], square: list[Tensor], step: Tensor,
    s: Tensor, a: Tensor, r: Tensor, following: Tensor, terminated: Tensor,
) -> None:  # fmt: skip
    (w1, b1, w2, b2, w3, b3), (u1, c1, u2, c2, u3, c3) = weights, target
    q_target = ((following @ u1.T + c1).relu() @ u2.T + c2).relu() @ u3.T + c3
    y = r + work.DISCOUNT * (1 - terminated) * q_target.amax(1)
    h1 = (s @ w1.T + b1).relu()
    h2 = (h1 @ w2.T + b2).relu()
    q = h2 @ w3.T + b3
    error = (2 / len(s)) * (q.gather(1, a[:, None]) - y[:, None])
    gq = torch.where(a[:, None] == torch.arange(work.ACTIONS), error, 0.0)
    g2 = (gq @ w3) * (h2 > 0)
    g1 = (g2 @ w2) * (h1 > 0)
    gradients = (g1.T @ s, g1.sum(0), g2.T @ h1, g2.sum(0), gq.T @ h2, gq.sum(0))
    step += 1
    rate, unbias = work.LEARNING_RATE / (1 - BETA1**step), 1 / (1 - BETA2**step)
    for w, g, m, v in zip(weights, gradients, mean, square, strict=True):
        m.mul_(BETA1).add_(g, alpha=1 - BETA1)
        v.mul_(BETA2).addcmul_(g, g, value=1 - BETA2)
        w.sub_(rate * m / ((v * unbias).sqrt() + EPS))


class ByHand(Learner):
    """No torch in the loop: forward, backward and Adam in NumPy, all weights in one flat array."""

    def __init__(self, batch: Batch) -> None:
        super().__init__(batch)
        self._flat = np.concatenate([w.ravel() for w in self.weights])
        self._gradient = np.zeros_like(self._flat)
        shapes = [w.shape for w in self.weights]
        self.weights, self._gradients = _views(self._flat, shapes), _views(self._gradient, shapes)
        self._mean, self._square, self._spare, self._root = (np.zeros_like(self._flat) for _ in range(4))
        self._rows, self._steps = np.arange(len(batch.action)), 0

    def update(self) -> None:
        """One update on the batch."""
        batch, rows, gradients = self.batch, self._rows, self._gradients
        (w1, b1, w2, b2, w3, b3), (u1, c1, u2, c2, u3, c3) = self.weights, self.target_weights
        hidden = np.maximum(batch.following @ u1.T + c1, 0)
        hidden = np.maximum(hidden @ u2.T + c2, 0)
        y = batch.reward + np.float32(work.DISCOUNT) * (1 - batch.terminated) * (hidden @ u3.T + c3).max(1)
        h1 = np.maximum(batch.observation @ w1.T + b1, 0)
        h2 = np.maximum(h1 @ w2.T + b2, 0)
        q = h2 @ w3.T + b3
        gq = np.zeros_like(q)
        gq[rows, batch.action] = (q[rows, batch.action] - y) * np.float32(2 / len(y))
        g2 = (gq @ w3) * (h2 > 0)
        g1 = (g2 @ w2) * (h1 > 0)
        for i, (g, inputs) in enumerate(((g1, batch.observation), (g2, h1), (gq, h2))):
            np.matmul(g.T, inputs, out=gradients[2 * i])
            g.sum(0, out=gradients[2 * i + 1])
        self._adam()

    def _adam(self) -> None:
        self._steps += 1
        spare, root, mean, square = self._spare, self._root, self._mean, self._square
        mean *= np.float32(BETA1)
        mean += np.multiply(self._gradient, np.float32(1 - BETA1), out=spare)
        square *= np.float32(BETA2)
        np.multiply(self._gradient, self._gradient, out=spare)
        square += np.multiply(spare, np.float32(1 - BETA2), out=spare)
        np.sqrt(np.multiply(square, np.float32(1 / (1 - BETA2**self._steps)), out=root), out=root)
        root += np.float32(EPS)
        np.divide(mean, root, out=spare)
        self._flat -= np.multiply(spare, np.float32(work.LEARNING_RATE / (1 - BETA1**self._steps)), out=spare)


def _views(flat: np.ndarray, shapes: list[tuple[int, ...]]) -> list[np.ndarray]:
    ends = np.cumsum([np.prod(shape, dtype=int) for shape in shapes])
    return [part.reshape(shape) for part, shape in zip(np.split(flat, ends[:-1]), shapes, strict=True)]


LEARNERS: dict[str, Callable[[Batch], Learner]] = {"eager": Eager, "compile": Compiled, "numpy": ByHand}
