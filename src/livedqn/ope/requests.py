"""One request at a time: what a policy would earn a request (contextual bandits).

Of n logged requests: ``rho`` (n,) is pi(a | x) / mu(a | x), how much likelier the judged policy pi takes the logged
action than the logging policy mu did; ``r`` (n,) what it earned; ``q`` (n,) what a model expects of the logged action,
and ``v`` (n,) what it expects of pi, sum_a pi(a | x) q(x, a). All float64.
"""

from __future__ import annotations

import numpy as np

from livedqn.ope.terms import Terms
from livedqn.types import FloatArray


def direct_method(v: FloatArray) -> Terms:
    """DM: 1/n sum v. As good as the model, whatever the propensities."""
    return Terms.mean(v)


def ips(rho: FloatArray, r: FloatArray) -> Terms:
    """IPS: 1/n sum rho r (Horvitz and Thompson 1952). Without bias, and of great variance."""
    return Terms.mean(rho * r)


def snips(rho: FloatArray, r: FloatArray) -> Terms:
    """SNIPS: sum rho r / sum rho (Swaminathan and Joachims 2015, https://papers.nips.cc/paper/5748)."""
    return Terms.ratio(rho * r, rho)


def clipped_ips(rho: FloatArray, r: FloatArray, most: float) -> Terms:
    """Clipped IPS: 1/n sum min(rho, M) r (Bottou et al. 2013, https://arxiv.org/abs/1209.2355)."""
    return Terms.mean(np.minimum(rho, most) * r)


def ncis(rho: FloatArray, r: FloatArray, most: float) -> Terms:
    """NCIS: sum min(rho, M) r / sum min(rho, M) (Gilotte et al. 2018, https://arxiv.org/abs/1801.07030)."""
    weight = np.minimum(rho, most)
    return Terms.ratio(weight * r, weight)


def doubly_robust(rho: FloatArray, r: FloatArray, q: FloatArray, v: FloatArray) -> Terms:
    """DR: 1/n sum [v + rho (r - q)] (Dudik, Langford and Li 2011, https://arxiv.org/abs/1103.4601)."""
    return Terms.mean(v + rho * (r - q))


def switch_dr(rho: FloatArray, r: FloatArray, q: FloatArray, v: FloatArray, most: float) -> Terms:
    """Switch-DR: 1/n sum [v + rho (r - q) [rho <= M]] (Wang, Agarwal and Dudik 2017, https://arxiv.org/abs/1612.01205).

    Where weights are large it trusts the model alone.
    """
    return Terms.mean(v + np.where(rho <= most, rho, 0) * (r - q))
