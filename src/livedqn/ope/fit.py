"""Fitted Q evaluation with linear functions, in closed form, and the weights of requests that belong to it.

With q(s, a) = x(s, a)^T theta the fixed point of fitted Q evaluation is that of LSTDQ (Lagoudakis and Parr 2003; Duan,
Jia and Wang 2020, https://arxiv.org/abs/2002.09516):

    A = sum x (x - gamma x')^T + diag(lambda),   b = sum r x,   A theta = b

over logged requests, where x' = E_pi x(s', .), and 0 behind a terminated request. With

    m = sum over sessions of E_pi x(s_0, .),   eta = A^-T m

the value of a session is 1/n m^T theta = 1/n sum (x^T eta) r, so x^T eta is how much a request pulls at it.

The same sums over features y(s) of the state alone, with y(s) - gamma rho y(s') in place of the difference, give how
much likelier the judged policy comes to a state: y^T eta is the linear function for which, for every y,

    sum (y^T eta) (y - gamma rho y') = sum over sessions of y(s_0)

(minimax weight learning, Uehara, Huang and Jiang 2020, https://arxiv.org/abs/1910.12809; Liu et al. 2018,
https://arxiv.org/abs/1810.12429).
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from livedqn.types import FloatArray, IntArray

#: lambda, in requests: features are about standardised. The constant, which is feature 0, is hardly drawn to 0: where
#: gamma is 1 it rests on the last requests of sessions alone, and few logs would be worth less than they are.
REGULARISATION, OF_CONSTANT = 10.0, 0.1


class Sums:
    """A, b and m of each fold.

    Args:
        size: d.
        folds: how many parts the viewers fall into.
    """

    def __init__(self, size: int, folds: int) -> None:
        self.a = np.zeros((folds, size, size))
        self.b, self.m = np.zeros((2, folds, size))
        self._size = size

    def add(self, x: Tensor, difference: Tensor, reward: Tensor, first: Tensor, fold: IntArray, of: IntArray) -> None:
        """Some requests, and the sessions that begin among them.

        Args:
            x: (N, d), of the logged actions.
            difference: (N, d), x - gamma x'.
            reward: (N,).
            first: (n, d), E_pi x at the first request of each session.
            fold: (N,), of each request's viewer.
            of: (n,), of each session's.
        """
        for k in range(len(self.a)):
            rows, sessions = (torch.from_numpy(np.flatnonzero(which == k)) for which in (fold, of))
            chosen = x[rows]
            self.a[k] += (chosen.T @ difference[rows]).numpy()
            self.b[k] += (chosen.T @ reward[rows]).numpy()
            self.m[k] += first[sessions].sum(dim=0).numpy()

    def solve(self) -> tuple[FloatArray, FloatArray]:
        """Theta, and A^-T m, for each fold from all *other* folds, both (folds, d) float64.

        What a model says of a viewer it has then not learned from that viewer.
        """
        theta, eta = np.zeros((2, len(self.a), self._size))
        penalty = np.diag([OF_CONSTANT, *[REGULARISATION] * (self._size - 1)])
        for k in range(len(self.a)):
            others = [i for i in range(len(self.a)) if i != k] or [k]
            a = self.a[others].sum(axis=0) + penalty
            theta[k] = np.linalg.solve(a, self.b[others].sum(axis=0))
            eta[k] = np.linalg.solve(a.T, self.m[others].sum(axis=0))
        return theta, eta


def by_fold(x: Tensor, weights: FloatArray, fold: IntArray) -> FloatArray:
    """x^T w of each row (N, d) with the w of its fold, of ``weights`` (folds, d): (N,) float64."""
    values = (x @ torch.from_numpy(weights).T.float()).numpy()
    return np.asarray(values[np.arange(len(fold)), fold], np.float64)
