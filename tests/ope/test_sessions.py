"""Estimators of sessions: one of two requests and one of a single request, worked out by hand, gamma 1/2."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from livedqn.ope import sessions

#: The second session is over after one request: behind it ratios are 1 and all else 0.
RHO = np.array([[2.0, 3.0], [0.5, 1.0]])
R = np.array([[1.0, 2.0], [4.0, 0.0]])
Q = np.array([[3.0, 1.0], [2.0, 0.0]])
V = np.array([[2.0, 1.5], [3.0, 0.0]])
#: rho_{0:t}: (2, 6) and (0.5, 0.5).


def test_per_decision():
    # 2 x 1 + 1/2 x 6 x 2 = 8, and 0.5 x 4 = 2
    assert sessions.per_decision(RHO, R, 0.5).value == pytest.approx((8 + 2) / 2)


def test_weighted_per_decision():
    # t = 0: (2 x 1 + 0.5 x 4) / 2.5 = 1.6; t = 1: 1/2 x (6 x 2) / 6.5, the finished session keeps its weight
    assert sessions.weighted_per_decision(RHO, R, 0.5).value == pytest.approx(1.6 + 0.5 * 12 / 6.5)


def recursive(rho, r, q, v, gamma):
    """Jiang and Li's equation 10, from the end."""
    following = 0.0
    for t in reversed(range(len(r))):
        following = v[t] + rho[t] * (r[t] + gamma * following - q[t])
    return following


def test_doubly_robust():
    # first: V_1 = 1.5 + 3 (2 - 1) = 4.5, V_0 = 2 + 2 (1 + 4.5 / 2 - 3) = 2.5; second: 3 + 0.5 (4 - 2) = 4
    assert sessions.doubly_robust(RHO, R, Q, V, 0.5).value == pytest.approx((2.5 + 4) / 2)
    assert [recursive(*(a[i] for a in (RHO, R, Q, V)), 0.5) for i in (0, 1)] == [2.5, 4]


def test_weighted_doubly_robust():
    # errors: t = 0: (2 x -2 + 0.5 x 2) / 2.5 = -1.2; t = 1: 1/2 (6 x 1 + 0) / 6.5
    # values: t = 0: (2 + 3) / 2 = 2.5; t = 1: 1/2 (2 x 1.5 + 0) / 2.5 = 0.6
    terms = sessions.weighted_doubly_robust(RHO, R, Q, V, 0.5)
    np.testing.assert_allclose(terms.columns, [-1.2, 3 / 6.5, 2.5, 0.6])


def test_model_and_marginal_weights():
    first, correction = np.array([2.0, 3.0]), np.array([0.5, -1.5])
    assert sessions.fitted_q(first, correction).value == pytest.approx(2.5)
    assert sessions.marginalised(first, correction).value == pytest.approx(2.0)


@given(st.integers(0, 2**32 - 1), st.floats(0, 1))
def test_of_the_logs_own_policy_all_say_its_mean(seed, gamma):
    r, q = np.random.default_rng(seed).normal(0, 3, (2, 3, 4))
    one = np.ones_like(r)
    returns = (r @ sessions.powers(gamma, 4)).mean()
    for terms in (
        sessions.per_decision(one, r, gamma), sessions.weighted_per_decision(one, r, gamma),
        sessions.doubly_robust(one, r, q, q, gamma), sessions.weighted_doubly_robust(one, r, q, q, gamma),
    ):  # fmt: skip
        assert terms.value == pytest.approx(returns, abs=1e-9)


@given(st.integers(0, 2**32 - 1), st.floats(0, 1))
def test_unrolled_is_the_recursion(seed, gamma):
    r, q, v = np.random.default_rng(seed).normal(0, 3, (3, 3, 4))
    rho = np.random.default_rng(seed).choice([0, 0.5, 1, 3], (3, 4))
    by_recursion = [recursive(*(a[i] for a in (rho, r, q, v)), gamma) for i in range(3)]
    assert sessions.doubly_robust(rho, r, q, v, gamma).value == pytest.approx(np.mean(by_recursion), abs=1e-6)
