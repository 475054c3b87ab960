"""LSTDQ in closed form, on numbers that one can work out by hand."""

import numpy as np
import pytest
import torch

from livedqn.ope import fit
from livedqn.ope.fit import Sums, by_fold


def test_a_chain_of_two_requests(monkeypatch):
    monkeypatch.setattr(fit, "REGULARISATION", 0.0)
    monkeypatch.setattr(fit, "OF_CONSTANT", 0.0)
    # a feature a state: 0 pays 1 and leads to 1, which pays 3 and ends; gamma 1/2, two viewers alike
    x = torch.tensor([[1.0, 0.0], [0.0, 1.0]]).repeat(2, 1)
    difference = torch.tensor([[1.0, -0.5], [0.0, 1.0]]).repeat(2, 1)
    sums = Sums(2, folds=2)
    sums.add(
        x, difference, torch.tensor([1.0, 3.0]).repeat(2), torch.tensor([[1.0, 0.0]]).repeat(2, 1),
        np.array([0, 0, 1, 1]), np.array([0, 1]),
    )  # fmt: skip
    theta, eta = sums.solve()
    np.testing.assert_allclose(theta, [[2.5, 3], [2.5, 3]])  # q(1) = 3, q(0) = 1 + 3 / 2
    np.testing.assert_allclose(eta, [[1, 0.5], [1, 0.5]])  # state 0 counts once a session, state 1 gamma times
    assert eta[0] @ [1, 3] == pytest.approx(2.5)  # the same value again


def test_the_constant_is_not_drawn_to_nothing():
    # 300 sessions of four requests, each of which pays 1: a constant is 1 more than the next, and 1 where all is over
    sums = Sums(1, folds=1)
    one, over = torch.ones(1_200, 1), torch.tensor([0.0, 0, 0, 1]).repeat(300)[:, None]
    sums.add(one, over, torch.ones(1_200), torch.ones(300, 1), np.zeros(1_200, int), np.zeros(300, int))
    theta, _ = sums.solve()
    assert theta[0, 0] == pytest.approx(1_200 / 300, rel=1e-3)


def test_a_viewer_is_judged_by_what_others_did():
    sums = Sums(1, folds=2)
    one = torch.ones(1_000, 1)
    for k, reward in enumerate((2.0, 6.0)):
        fold = np.full(1_000, k)
        sums.add(one, one, torch.full((1_000,), reward), one, fold, fold)
    theta, _ = sums.solve()
    np.testing.assert_allclose(theta[:, 0], [6, 2], rtol=0.02)
    found = by_fold(torch.ones(2, 1), theta, np.array([0, 1]))
    np.testing.assert_allclose(found, theta[:, 0], rtol=1e-6)
