"""How much weights leave to judge by."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from livedqn.types import FloatArray

#: Standard errors from 1 at which a mean of ratios cannot be chance.
ERRORS = 5.0
#: By so much a ratio, or the mean of some, may be apart from 1 for propensities of two significant digits alone: an
#: eighth, noted as 0.12.
ROUNDED = 0.05


class Overlap(NamedTuple):
    """Of the judged policy and the logs."""

    requests: float  # effective requests
    requests_share: float  # of all
    sessions: float  # effective sessions, weighed as wholes
    sessions_share: float  # of all
    largest: float  # share of the sessions' weight in the largest 1 % of them
    supported: float  # mean of rho over requests: 1 where the logs could show all that the policy does

    @property
    def is_partial(self) -> bool:
        """Whether part of what the policy does had no chance in the logs, more than rounding and luck explain."""
        return 1 - self.supported > max(ROUNDED, ERRORS * self._error)

    @property
    def is_impossible(self) -> bool:
        """Whether propensities cannot be those with which actions were chosen: ratios have a mean above 1."""
        return self.supported - 1 > max(ROUNDED, ERRORS * self._error)

    @property
    def _error(self) -> float:
        """Standard error of ``supported``, of N ratios of which (sum rho)^2 / sum rho^2 count."""
        if not self.requests > 0:
            return 0.0
        return abs(self.supported) * math.sqrt(max(1 - self.requests_share, 0) / self.requests)


def effective(weight: FloatArray) -> float:
    """Kish's effective sample size (sum w)^2 / sum w^2 of ``weight`` (n,), 0 where there is none."""
    most = float(weight.max(initial=0))
    if not most > 0:
        return 0.0
    scaled = weight / most  # squares of products of hundreds would overflow
    return float(scaled.sum() ** 2 / (scaled @ scaled))


def share_of_largest(weight: FloatArray, share: float = 0.01) -> float:
    """The part of the sum of ``weight`` (n,) that the largest ``share`` of them (one at least) has."""
    count, most = max(round(share * len(weight)), 1), float(weight.max(initial=0))
    if not most > 0:
        return 1.0
    scaled = np.sort(weight / most)  # sums of huge products would overflow
    return float(scaled[-count:].sum() / scaled.sum())


def overlap(rho: FloatArray, session_weight: FloatArray) -> Overlap:
    """Of the ratios of requests (N,) and of whole sessions (n,)."""
    requests, sessions = effective(rho), effective(session_weight)
    return Overlap(
        requests, requests / max(len(rho), 1), sessions, sessions / max(len(session_weight), 1),
        share_of_largest(session_weight), float(rho.mean()) if len(rho) else 0.0,
    )  # fmt: skip
