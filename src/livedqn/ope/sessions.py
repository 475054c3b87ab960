"""Whole sessions: what a policy would earn a session.

Of n sessions of at most T requests, each padded behind its end with ``rho`` 1 and all else 0 (an absorbing state that
pays nothing, so that a finished session keeps its weight): ``rho``, ``r``, ``q`` and ``v`` (n, T) float64 as in
:mod:`livedqn.ope.requests`, of each request, where q and v count all that follows, discounted by ``gamma`` a request.
rho_{0:t} is the product of rho up to request t.
"""

from __future__ import annotations

import numpy as np

from livedqn.ope.terms import Terms
from livedqn.types import FloatArray


def weights(rho: FloatArray) -> FloatArray:
    """rho_{0:t} (n, T)."""
    return np.cumprod(rho, axis=1)


def before(w: FloatArray) -> FloatArray:
    """rho_{0:t-1} (n, T) of rho_{0:t}: 1 at the first request."""
    return np.concatenate([np.ones((len(w), 1)), w[:, :-1]], axis=1)


def powers(gamma: float, length: int) -> FloatArray:
    """gamma^t (T,)."""
    return np.asarray(gamma ** np.arange(length), np.float64)


def per_decision(rho: FloatArray, r: FloatArray, gamma: float) -> Terms:
    """PDIS: 1/n sum_i sum_t gamma^t rho_{0:t} r_t (Precup, Sutton and Singh 2000)."""
    return Terms.mean((weights(rho) * r) @ powers(gamma, r.shape[1]))


def weighted_per_decision(rho: FloatArray, r: FloatArray, gamma: float) -> Terms:
    """WPDIS: sum_t gamma^t (sum_i rho_{0:t} r_t) / (sum_i rho_{0:t}) (Precup, Sutton and Singh 2000)."""
    w = weights(rho)
    return Terms(powers(gamma, r.shape[1]) * w * r, w)


def doubly_robust(rho: FloatArray, r: FloatArray, q: FloatArray, v: FloatArray, gamma: float) -> Terms:
    """DR: V_t = v_t + rho_t (r_t + gamma V_{t+1} - q_t) (Jiang and Li 2016, https://arxiv.org/abs/1511.03722, eq. 10).

    Unrolled, 1/n sum_i sum_t gamma^t [rho_{0:t} (r_t - q_t) + rho_{0:t-1} v_t].
    """
    w = weights(rho)
    return Terms.mean((w * (r - q) + before(w) * v) @ powers(gamma, r.shape[1]))


def weighted_doubly_robust(rho: FloatArray, r: FloatArray, q: FloatArray, v: FloatArray, gamma: float) -> Terms:
    """WDR: as DR, each step's weights divided by their mean (Thomas and Brunskill 2016, https://arxiv.org/abs/1604.00923).

    2 T columns: T of rho_{0:t} (r_t - q_t), and T of rho_{0:t-1} v_t.
    """
    w = weights(rho)
    last, scale = before(w), powers(gamma, r.shape[1])
    return Terms(
        np.concatenate([scale * w * (r - q), scale * last * v], axis=1), np.concatenate([w, last], axis=1)
    )  # fmt: skip


def marginalised(v_first: FloatArray, correction: FloatArray) -> Terms:
    """DRL: 1/n sum_i [v(s_0) + sum_t omega(s_t, a_t) (r_t + gamma v(s_{t+1}) - q(s_t, a_t))].

    Double reinforcement learning (Kallus and Uehara 2020, https://arxiv.org/abs/1908.08526, sec. 4): weights of single
    requests, rho(s, a) times how much likelier the judged policy comes to s, in place of products over all before.

    Args:
        v_first: v(s_0), (n,).
        correction: the inner sum, (n,).
    """
    return Terms.mean(v_first + correction)


def fitted_q(v_first: FloatArray, correction: FloatArray) -> Terms:
    """FQE, the direct method: 1/n sum_i v(s_0) (Le, Voloshin and Yue 2019, https://arxiv.org/abs/1903.08738).

    ``correction`` (n,), a sum as in :func:`marginalised` with the weights of the fit itself, less its mean, changes no
    estimate; it is how much each session moved the fit, so that a bootstrap knows that q was learned (Hao et al. 2021,
    https://arxiv.org/abs/2102.03607).
    """
    return Terms.mean(v_first + correction - correction.mean())
