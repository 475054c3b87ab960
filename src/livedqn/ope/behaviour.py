"""Propensities that nobody noted, estimated: a conditional logit over the candidates (McFadden 1974).

    mu(a | s) = exp(l(s, a)) / sum over the mask of exp(l(s, .)),   l(s, a) = w^T f(a) + s^T M f(a)

with s and f as in :mod:`livedqn.ope.features`. Fitted by Adam to the likelihood of what was shown and to a normal prior
of w and M, for each fold on the viewers of all others.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from livedqn.logs import Impressions
from livedqn.ope.evidence import FOLDS
from livedqn.ope.features import RequestFeatures
from livedqn.ope.logged import folds, pieces
from livedqn.types import FloatArray

#: Rows of a step of Adam, steps and readings of the logs at least, and its first rate, which falls to 0.
BATCH, STEPS, PASSES, LEARNING_RATE = 512, 400, 2, 0.02
#: Of the prior, 1 / variance: what little was seen cannot show is taken to be uniform.
PRECISION = 100.0
#: No estimate is below: a ratio of an estimate this small would be the model's word alone.
LEAST = 1e-3
BINS = 12


class PropensityCalibration(NamedTuple):
    """Of all allowed candidates, in bins of estimated propensity."""

    estimated: FloatArray  # (n,) mean
    shown: FloatArray  # (n,) how often they were shown
    candidates: FloatArray  # (n,) how many


class Behaviour:
    """The logs' policy, as it can be guessed."""

    def __init__(self, parts: Iterable[Impressions], features: RequestFeatures) -> None:
        self._features = features
        leading, numbers, rooms = self._features.widths
        self._w = torch.zeros(FOLDS, rooms, requires_grad=True)
        self._m = torch.zeros(FOLDS, numbers, leading, requires_grad=True)
        rows = sum(int(part.acted.sum()) for part in parts)
        passes = max(PASSES, -(-STEPS * BATCH // max(rows, 1)))
        if passes > PASSES:  # of few rows, which are sooner kept than read a hundred times
            parts = list(parts)
        adam = torch.optim.Adam([self._w, self._m], lr=LEARNING_RATE)
        falling = torch.optim.lr_scheduler.LinearLR(adam, 1.0, 0.0, passes)
        for _ in range(passes):
            for part in pieces(parts):
                for first in range(0, len(part), BATCH):
                    self._learn(part.take(slice(first, first + BATCH)), adam, rows)
            falling.step()

    def __call__(self, part: Impressions) -> FloatArray:
        """Propensities of the answered requests of ``part``, (N,): those noted, and estimates where none is."""
        answered = part.take(part.acted)
        p = self.probabilities(answered)[np.arange(len(answered)), answered.action]
        noted = answered.propensity.astype(np.float64)
        return np.where(np.isnan(noted), np.maximum(p, LEAST), noted)

    @torch.no_grad()
    def probabilities(self, part: Impressions) -> FloatArray:
        """Of every candidate of every row, (B, K), by models that know nothing of the row's viewer."""
        logits = self._logits(part)
        chosen = logits[torch.arange(len(part)), torch.from_numpy(folds(part.viewer, FOLDS))]
        return np.asarray(torch.softmax(chosen, dim=1).numpy(), np.float64)

    def calibration(self, parts: Iterable[Impressions]) -> PropensityCalibration:
        """How often what was estimated came true."""
        sums = np.zeros((3, BINS))
        for part in pieces(parts):
            answered = part.take(part.acted)
            p = self.probabilities(answered)
            shown = np.arange(p.shape[1]) == answered.action[:, None]
            mask = answered.observation["mask"]
            place = np.minimum((p[mask] ** 0.5 * BINS).astype(int), BINS - 1)  # most candidates have a small one
            for i, values in enumerate((p[mask], shown[mask].astype(np.float64), np.ones(mask.sum()))):
                sums[i] += np.bincount(place, weights=values, minlength=BINS)
        known = sums[2] > 0
        return PropensityCalibration(sums[0, known] / sums[2, known], sums[1, known] / sums[2, known], sums[2, known])

    def _logits(self, part: Impressions) -> Tensor:
        """(B, folds, K), -inf outside the mask."""
        seen = self._features.seen(part.observation)
        leading, numbers, _ = self._features.widths
        pull = torch.einsum("bn,fnl->bfl", seen.state[:, :numbers], self._m)
        logits = torch.einsum("bkr,fr->bfk", seen.rooms, self._w)
        logits = logits + torch.einsum("bfl,bkl->bfk", pull, seen.rooms[..., :leading])
        closed = torch.from_numpy(~part.observation["mask"])[:, None]
        return logits.masked_fill(closed, -torch.inf)

    def _learn(self, part: Impressions, adam: torch.optim.Optimizer, rows: int) -> None:
        part = part.take(part.acted)
        if not len(part):
            return
        others = torch.from_numpy(folds(part.viewer, FOLDS))[:, None] != torch.arange(FOLDS)
        action = torch.from_numpy(part.action)[:, None].expand(-1, FOLDS)
        losses = cross_entropy(self._logits(part).transpose(1, 2), action, reduction="none")
        adam.zero_grad()
        prior = PRECISION / (2 * rows) * ((self._w**2).sum() + (self._m**2).sum())
        # of each fold the mean over its rows; the sum of all, since no weight is of two folds
        ((losses * others).sum(dim=0) / others.sum(dim=0).clamp_min(1)).sum().add(prior).backward()  # type: ignore[no-untyped-call]
        adam.step()
