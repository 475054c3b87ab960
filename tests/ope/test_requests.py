"""Estimators of one request: three requests that one can work out by hand."""

import numpy as np
import pytest

from livedqn.ope import requests

RHO, R = np.array([2.0, 0.0, 4.0]), np.array([1.0, 5.0, 2.0])
Q, V = np.array([0.5, 4.0, 1.0]), np.array([1.0, 2.0, 3.0])


@pytest.mark.parametrize(
    ("terms", "value"),
    [
        (requests.direct_method(V), 2),  # (1 + 2 + 3) / 3
        (requests.ips(RHO, R), 10 / 3),  # (2 + 0 + 8) / 3
        (requests.snips(RHO, R), 10 / 6),  # 10 / (2 + 0 + 4)
        (requests.clipped_ips(RHO, R, 3), 8 / 3),  # (2 + 0 + 6) / 3
        (requests.ncis(RHO, R, 3), 8 / 5),  # 8 / (2 + 0 + 3)
        (requests.doubly_robust(RHO, R, Q, V), 11 / 3),  # ((1 + 1) + 2 + (3 + 4)) / 3
        (requests.switch_dr(RHO, R, Q, V, 3), 7 / 3),  # the third trusts the model: ((1 + 1) + 2 + 3) / 3
    ],
)
def test_by_hand(terms, value):
    assert terms.value == pytest.approx(value)


def test_without_any_weight_nothing_is_known():
    assert requests.snips(np.zeros(3), R).value == 0


def test_the_logs_own_policy_has_the_mean_of_rewards():
    one = np.ones(3)
    for terms in (requests.ips(one, R), requests.snips(one, R), requests.doubly_robust(one, R, Q, Q)):
        assert terms.value == pytest.approx(R.mean())
