"""How much weights leave to judge by."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from livedqn.types import FloatArray


class Overlap(NamedTuple):
    """Of the judged policy and the logs."""

    requests: float  # effective requests
    requests_share: float  # of all
    sessions: float  # effective sessions, weighed as wholes
    sessions_share: float  # of all
    largest: float  # share of the sessions' weight in the largest 1 % of them
    supported: float  # mean of rho over requests: 1 where the logs could show all that the policy does


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
