"""MAGIC: how far to trust the model, step by step (Thomas and Brunskill 2016, https://arxiv.org/abs/1604.00923).

The j-step estimate g_j weighs the first j + 1 requests of every session and leaves the rest to the model: g_{-1} is the
model's value, the last one WDR. MAGIC is the mixture x of some of them with the least estimated mean squared error

    x^T (Omega + b b^T) x,   x >= 0,   sum x = 1

where Omega is their covariance and b_j how far g_j lies outside the interval of WDR. It trusts the model for any bias
that this interval would hide, which its own interval cannot know: too narrow to be offered by ``livedqn evaluate``.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np

from livedqn.ope.bootstrap import Drawn, replicates
from livedqn.ope.estimators import of_sessions
from livedqn.ope.evidence import Evidence
from livedqn.types import FloatArray

#: How many estimates are mixed: the model's, WDR, and some in equal ratios of steps between.
MIXED = 6


def magic(evidence: Evidence, name: str, seed: int, count: int) -> Drawn:
    """MAGIC of the policy of this name, from the replicates that ``livedqn.ope.estimators.estimates`` draws for WDR."""
    wdr = of_sessions(evidence, evidence.policies[name])["WDR"].by(evidence.viewer)
    drawn, moved = replicates(wdr, seed, count), wdr.moved
    interval = Drawn(wdr.value, drawn.sum(axis=1), moved.sum(axis=1)).interval
    chosen = steps(wdr.numerator.shape[1] // 2)
    g, replicated, pulled = (partial(x)[..., chosen] for x in (wdr.columns, drawn, moved))
    x = mixture(g, replicated, interval.low, interval.high)
    return Drawn(float(g @ x), replicated @ x, pulled @ x)


def partial(columns: FloatArray) -> FloatArray:
    """g_{-1} ... g_{T-1} (..., T + 1) of the columns (..., 2 T) of WDR.

    g_j = sum_{t <= j} [the weighted r - q of t] + sum_{t <= j + 1} [the weighted v of t].
    """
    length = columns.shape[-1] // 2
    errors, values = np.cumsum(columns[..., :length], axis=-1), np.cumsum(columns[..., length:], axis=-1)
    none = np.zeros((*columns.shape[:-1], 1))
    found: FloatArray = np.concatenate([none, errors], axis=-1) + np.concatenate([values, values[..., -1:]], axis=-1)
    return found


def steps(length: int) -> list[int]:
    """Which of the T + 1 estimates are mixed: first, last, and between."""
    return sorted({0, *np.geomspace(1, max(length, 1), MIXED - 1).round().astype(int).tolist()})


def mixture(g: FloatArray, drawn: FloatArray, low: float, high: float) -> FloatArray:
    """x (J,) of J estimates ``g``, their replicates ``drawn`` (R, J), and the interval of the last, WDR."""
    bias = np.where(g > high, g - high, np.where(g < low, g - low, 0.0))
    return least(np.atleast_2d(np.cov(drawn, rowvar=False)) + np.outer(bias, bias))


def least(matrix: FloatArray) -> FloatArray:
    """The x >= 0 with sum 1 that makes x^T M x least, (J,), for M (J, J) positive semidefinite.

    On each support the minimum is M^-1 1 / (1^T M^-1 1); of the few supports the best is taken.
    """
    count = len(matrix)
    ridge = matrix + 1e-9 * max(float(np.trace(matrix)), 1e-300) / count * np.eye(count)
    best, found = np.inf, np.zeros(count)
    for size in range(1, count + 1):
        for support in combinations(range(count), size):
            chosen = np.array(support)
            x = np.linalg.solve(ridge[np.ix_(chosen, chosen)], np.ones(size))
            x /= x.sum()
            risk = float(x @ ridge[np.ix_(chosen, chosen)] @ x)
            if (x >= 0).all() and risk < best:
                best, found = risk, np.zeros(count)
                found[chosen] = x
    return found
