"""Propensities: whether they can be, and how much they leave to judge another policy by.

For the policy that chooses uniformly among what the mask allows, k actions, an impression has the weight

    w = 1 / (k p)

and an estimate for it is as good as one of n_eff = (sum w)^2 / sum w^2 impressions of its own (Kish 1965). The mean of
w is at most 1, and 1 where every action had a chance; so is that of [nothing was chosen] / p. The weight of a session
is the product of those of its impressions.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

import numpy as np

from livedqn.check_logs.finding import Finding
from livedqn.logs import Impressions
from livedqn.logs.rules import place
from livedqn.ope.diagnostics import ERRORS, ROUNDED
from livedqn.types import FloatArray

#: Share of effective impressions below which there is next to nothing to judge by.
FEW = 0.01
#: A weight of e to this still has a square.
LOG_MOST = 300
#: A propensity from here on is certainty.
CERTAIN = 0.9999


class OverlapLook:
    """Sums over weights."""

    def __init__(self) -> None:
        self._requests, self._nothing, self._sessions = WeightSums(), WeightSums(), WeightSums()
        self._missing, self._example, self._certain = 0, "", 0
        self._least = math.inf

    def add(self, impressions: Impressions) -> None:
        """The next whole sessions."""
        p, acted = impressions.propensity.astype(np.float64), impressions.acted
        missing = acted & np.isnan(p)
        if missing.any():
            self._missing += int(missing.sum())
            self._example = self._example or place(impressions, missing)
        allowed = impressions.observation["mask"].sum(axis=1)
        usable = acted & (p > 0) & (p <= 1 + 1e-6) & (allowed > 0)
        self._certain += int((usable & (allowed > 1) & (p >= CERTAIN)).sum())
        self._least = min(self._least, float(p[usable].min(initial=math.inf)))
        self._requests.add(1 / (allowed[usable] * p[usable]))
        self._nothing.add((impressions.action[usable] == 0) / p[usable])
        if len(impressions):
            starts = np.flatnonzero(impressions.begins)
            log_w = np.where(usable, -np.log(np.where(usable, allowed * p, 1)), 0)
            is_known = np.logical_and.reduceat(usable | ~acted, starts)
            whole = np.add.reduceat(log_w, starts)[is_known]
            self._sessions.add(np.exp(np.clip(whole, -LOG_MOST, LOG_MOST)))

    def findings(self) -> Iterator[Finding]:
        """Propensities that are missing, cannot be, or leave nothing to judge by."""
        if self._missing:
            yield Finding(
                "the propensity is missing",
                "training does without; off-policy evaluation refuses such logs, or guesses "
                "(ope.estimate_propensities=true): log the probability of an action when it is chosen",
                self._missing, self._example, is_wrong=False,
            )  # fmt: skip
        for weights, of in ((self._requests, "1 / (allowed propensity)"), (self._nothing, "[nothing] / propensity")):
            if weights.mean > 1 + ROUNDED and weights.above_one() > ERRORS:
                yield Finding(
                    f"propensities are too small: the mean of {of} is {weights.mean:.3f} and cannot be above 1",
                    "log the probability of the action with all exploration mixed in, and the mask it was chosen from",
                    weights.count,
                )  # fmt: skip
                break
        if self._certain:
            yield Finding(
                "an action was certain although there was a choice",
                "of what had no chance nothing can be learned: explore where logs are made (exploration_floor=0.01)",
                self._certain, is_wrong=False,
            )  # fmt: skip
        if 0 < self._requests.effective < FEW * self._requests.count:
            yield Finding(
                "a few impressions have nearly all weight", "explore more where logs are made",
                self._requests.count, is_wrong=False,
            )  # fmt: skip

    def lines(self) -> Iterable[str]:
        """Least propensity, and effective sample sizes."""
        if self._requests.count:
            yield (
                f"overlap: the least propensity is {self._least:.2g}; for a uniform policy {_share(self._requests)} "
                f"impressions count request by request, and {_share(self._sessions)} sessions as wholes"
            )
        elif self._missing:
            yield "overlap: no propensity is known, so there is none to judge another policy by"


class WeightSums:
    """Their number, sum and sum of squares."""

    def __init__(self) -> None:
        self.count, self._sum, self._squares = 0, 0.0, 0.0

    def add(self, weights: FloatArray) -> None:
        """(n,) more."""
        self.count += len(weights)
        self._sum += float(weights.sum())
        self._squares += float(weights @ weights)

    @property
    def mean(self) -> float:
        """Of all."""
        return self._sum / max(self.count, 1)

    @property
    def effective(self) -> float:
        """(sum w)^2 / sum w^2."""
        return self._sum**2 / self._squares if self._squares else 0.0

    def above_one(self) -> float:
        """Standard errors by which the mean lies above 1."""
        if self.count < 2:
            return 0.0
        variance = max(self._squares / self.count - self.mean**2, 0)
        return (self.mean - 1) / math.sqrt(variance / self.count + 1e-8)  # equal weights are still rounded ones


def _share(weights: WeightSums) -> str:
    return f"{weights.effective:,.0f} of {weights.count:,} ({weights.effective / max(weights.count, 1):.1%})"
