"""The equations of deep Q-learning, a pure function each.

Time stands in the names: ``*_tm1`` belongs to the observation at which an action was taken, ``*_t`` to what followed.
Values are (..., N, K) with -inf outside the mask, so that a maximum or an argmax only meets allowed actions.
``discount_t`` is zero where the environment terminated; no function here knows any other kind of "done".
"""

from __future__ import annotations

import torch
from torch import Tensor


def n_step_return(r_t: Tensor, discount_t: Tensor) -> tuple[Tensor, Tensor]:
    """Return of a window, and the discount of what follows it.

    R = sum_k (prod_{j<k} discount_j) r_k and D = prod_k discount_k (Sutton and Barto, Reinforcement Learning, eq. 7.1).

    Args:
        r_t: rewards of a window, (N, n); zero behind its end.
        discount_t: discounts of a window, (N, n); one behind its end.

    Returns:
        R and D, (N,) each.
    """
    if r_t.shape[1] == 1:
        return r_t[:, 0], discount_t[:, 0]
    before = torch.cumprod(discount_t, dim=1)
    weights = torch.cat([torch.ones_like(before[:, :1]), before[:, :-1]], dim=1)
    return (weights * r_t).sum(dim=1), before[:, -1]


def bootstrap(r_t: Tensor, discount_t: Tensor, v_t: Tensor) -> Tensor:
    """r_t + discount_t v_t, and r_t alone where nothing follows, even if v_t is not finite there (0 * -inf is NaN)."""
    return r_t + torch.where(discount_t > 0, discount_t * v_t, 0.0)


def chosen(q: Tensor, action: Tensor) -> Tensor:
    """The values (E, N) of ``action`` (E, N), or (1, N) for every estimate the same, among ``q`` (E, N, K)."""
    return q.gather(-1, action.expand(q.shape[:-1]).unsqueeze(-1)).squeeze(-1)


def huber(error: Tensor, delta: float) -> Tensor:
    """error²/2 up to ``delta``, then delta (\\|error\\| - delta/2) (Huber 1964), element by element."""
    size = error.abs()
    return torch.where(size <= delta, 0.5 * error.square(), delta * (size - 0.5 * delta))


def weighted_mean(loss: Tensor, weight: Tensor) -> Tensor:
    """Mean over everything of ``loss`` (..., N) times the importance weight (N,) of its transition."""
    return (loss * weight).mean()


def dueling(value: Tensor, advantage: Tensor) -> Tensor:
    """value + advantage - mean of the advantages (https://arxiv.org/abs/1511.06581, eq. 9).

    Args:
        value: (..., N, 1). advantage: (..., N, K), of actions that are all allowed.
    """
    return value + advantage - advantage.mean(dim=-1, keepdim=True)
