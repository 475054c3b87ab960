"""Linear contextual bandits: what can be learned of the immediate reward, with exploration but without a network.

A room's reward is taken to be linear in features x of (viewer, room), with one theta for all rooms:

    A = lambda I + sum x x^T,   b = sum r x,   theta = A^-1 b,   sigma^2 = mean squared residual

=========  =====================================================================================  ================
LinUCB     shows the arg max of x^T theta + alpha sigma sqrt(x^T A^-1 x)                          arXiv 1003.0146
LinTS      draws theta' ~ N(theta, alpha^2 sigma^2 A^-1) anew at each request, shows the arg max  arXiv 1209.3352
           of x^T theta'
=========  =====================================================================================  ================

Rewards are heavy-tailed and of any unit, so widths are in units of sigma. (The papers take rewards of known size, and
update after every request; here all rows of a step are one batch.)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import embedding_bag

from livedqn.evaluate.policies import Score, best_room
from livedqn.features import CODES, Transform
from livedqn.stage import Stage
from livedqn.types import Column, FloatArray, IntArray, Observation, Spec

#: Requests that are answered at once while a bandit learns.
ROWS = 1_024
#: Ids are hashed into 2**9 features: most of a few hundred streamers have one of their own.
ID_BITS = 9


class PairFeatures:
    """The features of (viewer, room) pairs: what a network reads of context and candidate, and a constant.

    Numbers are transformed as for a network (:class:`~livedqn.features.Transform`), categories and hashed ids are one
    feature a value. Most of those are 0, so a pair is given as its numbers (N, n) and the places (N, m) of its
    ones, d where a column has none.
    """

    def __init__(self, spec: Spec) -> None:
        self._transform = Transform(spec, id_bits=ID_BITS)
        self._is_fit = False
        columns = (*spec.context, *spec.candidates)
        sizes = [_values(c) for c in columns if _values(c)]
        self.numbers = 1 + len(columns) - len(sizes)
        self.size = self.numbers + sum(sizes)  # d
        # 0, no value at all, has the place d for every column
        self._first = torch.tensor([self.numbers - 1 + sum(sizes[:i]) for i in range(len(sizes))], dtype=torch.int64)

    @torch.no_grad()
    def __call__(self, observation: Observation) -> tuple[Tensor, Tensor]:
        """Of every candidate: numbers (B, K, n) float32 and places (B, K, m) int64. Standardised by the first call."""
        seen = {name: torch.from_numpy(array) for name, array in observation.items()}
        if not self._is_fit:
            self._transform.fit(seen)
            self._is_fit = True
        found = self._transform(seen)
        pairs = observation["mask"].shape

        def joined(suffix: str, *more: Tensor) -> Tensor:
            context, rooms = found.get("context" + suffix), found.get("candidates" + suffix)
            parts = [] if context is None else [context[:, None].expand(*pairs, -1)]
            return torch.cat([*more, *parts, *([] if rooms is None else [rooms])], dim=2)

        numbers = joined("", torch.ones(*pairs, 1))
        if not len(self._first):
            return numbers, torch.full((*pairs, 1), self.size)
        codes = joined(CODES)
        return numbers, torch.where(codes > 0, self._first + codes, self.size)


def project(pairs: tuple[Tensor, Tensor], weights: Tensor) -> Tensor:
    """x^T W of every pair (..., w), for ``weights`` W (d, w)."""
    form = pairs[0].shape[:-1]
    numbers, places = (array.reshape(form.numel(), array.shape[-1]) for array in pairs)
    padded = torch.cat([weights, weights.new_zeros(1, weights.shape[1])])
    ones = embedding_bag(places, padded, mode="sum")
    found: Tensor = torch.addmm(ones, numbers, weights[: numbers.shape[1]]).view(*form, weights.shape[1])
    return found


class Ridge:
    """Ridge regression on batches of pairs.

    Args:
        size: d.
        regularisation: lambda.
    """

    def __init__(self, size: int, *, regularisation: float = 1.0) -> None:
        self.a = regularisation * torch.eye(size, dtype=torch.float64)  # (d, d)
        self.b = torch.zeros(size, dtype=torch.float64)
        self._regularisation = regularisation
        self._squares, self._count = 0.0, 0
        self.theta = torch.zeros(size, 1)  # (d, 1) float32, of the last solve, as are the next two
        self.root = torch.eye(size) / regularisation**0.5  # (d, d) float32, R with R R^T = A^-1
        self.sigma = 1.0

    def add(self, x: Tensor, reward: Tensor) -> None:
        """A batch of features (N, d) and rewards (N,)."""
        x, reward = x.double(), reward.double()
        self.a += x.T @ x
        self.b += x.T @ reward
        self._squares += float(reward @ reward)
        self._count += len(reward)

    def solve(self) -> None:
        """Bring theta, the root and sigma up to date."""
        factor = torch.linalg.cholesky(self.a)
        theta = torch.cholesky_solve(self.b[:, None], factor)
        identity = torch.eye(len(self.b), dtype=torch.float64)
        self.root = torch.linalg.solve_triangular(factor, identity, upper=False).T.float().contiguous()
        self.theta = theta.float()
        if self._count:
            # sum (r - x^T theta)^2 = sum r^2 - 2 theta^T b + theta^T (A - lambda I) theta, and A theta = b
            residual = self._squares - float(theta[:, 0] @ (self.b + self._regularisation * theta[:, 0]))
            self.sigma = max(residual / self._count, 0.0) ** 0.5


class Pairs(NamedTuple):
    """What an index is made of: the pairs of every candidate, and their expected rewards."""

    pairs: tuple[Tensor, Tensor]
    mean: Tensor  # (B, K)


Index = Callable[[Pairs, Ridge], Tensor]


def lin_ucb(alpha: float = 1.0) -> Index:
    """The upper confidence bound, (B, K)."""

    def index(found: Pairs, ridge: Ridge) -> Tensor:
        # |R^T x|^2 = x^T A^-1 x
        width = project(found.pairs, ridge.root).square_().sum(dim=2).sqrt_()
        return found.mean + alpha * ridge.sigma * width

    return index


def lin_ts(seed: int, alpha: float = 1.0) -> Index:
    """Expected rewards (B, K) by a theta that is drawn for each row."""
    generator = torch.Generator().manual_seed(seed)

    def index(found: Pairs, ridge: Ridge) -> Tensor:
        numbers, places = found.pairs
        rows = len(numbers)
        z = torch.randn(len(ridge.root), rows, generator=generator)
        drawn = (alpha * ridge.sigma * (ridge.root @ z)).T  # (B, d)
        padded = torch.cat([drawn, drawn.new_zeros(rows, 1)], dim=1)
        noise = (numbers @ drawn[:, : numbers.shape[2], None])[:, :, 0]
        ones: Tensor = padded.gather(1, places.reshape(rows, -1)).reshape(places.shape).sum(dim=2)
        drawn_reward: Tensor = found.mean + noise + ones
        return drawn_reward

    return index


def learn(
    index: Index, stage: Stage, seed: int, steps: int, advance: Callable[[], None] = lambda: None
) -> Score:  # fmt: skip
    """Learn from ``steps`` requests of the training world of ``seed``; answers the mean reward x^T theta, frozen then.

    While it learns it shows a room wherever one is allowed, that with the greatest ``index``; what it answers has no
    bonus and draws nothing. ``advance`` is called after every step of all rows.
    """
    features = PairFeatures(stage.spec)
    ridge = Ridge(features.size)
    observation = stage.reset(seed, "train")
    every = np.arange(stage.num_envs)
    for _ in range(-(-steps // stage.num_envs)):
        pairs = features(observation)
        indices = index(Pairs(pairs, project(pairs, ridge.theta)[:, :, 0]), ridge)
        room, best = best_room(indices.numpy(), observation["mask"])
        actions = np.where(np.isfinite(best), room, 0)
        step = stage.step(actions)
        rows = every[actions > 0]
        ridge.add(_dense(pairs, rows, actions[rows], features.size), torch.from_numpy(step.reward[rows]))
        ridge.solve()
        observation = stage.restart(step.ended)
        advance()

    def score(observation: Observation) -> FloatArray:
        return project(features(observation), ridge.theta)[:, :, 0].numpy()

    return score


def _dense(pairs: tuple[Tensor, Tensor], rows: IntArray, rooms: IntArray, size: int) -> Tensor:
    """The features of one room of each of ``rows``, (N, d) float32."""
    numbers, places = (array[rows, rooms] for array in pairs)
    x = torch.zeros(len(rows), size + 1)
    x[:, : numbers.shape[1]] = numbers
    x.scatter_(1, places, 1.0)
    return x[:, :size]


def _values(column: Column) -> int:
    """How many features a column has that is no number: one a value but 0, which is none."""
    if column.kind == "id":
        return int(2**ID_BITS)
    return column.cardinality - 1 if column.kind == "category" else 0
