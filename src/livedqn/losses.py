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


def traces(policy: Tensor, propensity: Tensor, decay: float) -> Tensor:
    """c = lambda min(1, pi(a|s) / mu(a|s)), how far what followed an action is trusted (Munos et al. 2016, Retrace,
    https://arxiv.org/abs/1606.02647).

    Args:
        policy: pi(a|s) of the actions that were taken, (n - 1, E, N).
        propensity: mu(a|s), (n - 1, 1, N). NaN, which nobody knows, counts as 1: lambda pi(a|s) is Tree-backup's trace,
            as safe for any mu. Infinite behind the end of a window, where no trace goes on.
        decay: lambda.
    """
    known = torch.where(propensity.isnan(), 1.0, propensity)
    return decay * (policy / known).clamp(max=1.0)


def trace_products(c_t: Tensor) -> Tensor:
    """C_k = c_1 ... c_k for k = 0 ... n - 1, (n, E, N) from ``c_t`` (n - 1, E, N)."""
    return torch.cat([torch.ones_like(c_t[:1]), torch.cumprod(c_t, dim=0)])


def returns(r_t: Tensor, discount_t: Tensor) -> tuple[Tensor, Tensor]:
    """Of each window that begins with the first reward, R_k and D_k of :func:`n_step_return`, (n, ..., N) each.

    Args:
        r_t: (n, ..., N). discount_t: (n, 1, N).
    """
    following = torch.cumprod(discount_t, dim=0)
    before = torch.cat([torch.ones_like(following[:1]), following[:-1]])
    return torch.cumsum(before * r_t, dim=0), following


def bootstrap(r_t: Tensor, discount_t: Tensor, v_t: Tensor) -> Tensor:
    """r_t + discount_t v_t, and r_t alone where nothing follows, even if v_t is not finite there (0 * -inf is NaN)."""
    return r_t + torch.where(discount_t > 0, discount_t * v_t, 0.0)


def chosen(z: Tensor, action: Tensor) -> Tensor:
    """The numbers (E, N, A) of ``action`` (E, N), or (1, N) for every estimate the same, among ``z`` (E, N, K, A)."""
    index = action.expand(z.shape[:2])[..., None, None].expand(-1, -1, -1, z.shape[-1])
    return z.gather(2, index).squeeze(2)


def mean_over(z: Tensor, probability: Tensor) -> Tensor:
    """sum_a probability(a) z(a): (..., A) from ``z`` (..., K, A) and ``probability`` (..., K)."""
    return (probability.unsqueeze(-1) * z).sum(dim=-2)


def log_soft_policy(q: Tensor, temperature: float) -> Tensor:
    """log softmax(q / temperature), (..., K); -inf where ``q`` is, outside the mask."""
    return (q / temperature).log_softmax(dim=-1)


def munchausen_bonus(log_policy: Tensor, temperature: float, alpha: float, clip: float) -> Tensor:
    """alpha [temperature log pi(a|s)]_clip^0 (Vieillard et al. 2020, https://arxiv.org/abs/2007.14430, eq. 1).

    Args:
        log_policy: log pi(a|s) of the actions taken. clip: at most 0.
    """
    return alpha * (temperature * log_policy).clamp(clip, 0.0)


def entropy(log_policy: Tensor) -> Tensor:
    """- sum_a pi(a) log pi(a) of ``log_policy`` (..., K), where what is not allowed (-inf) counts for nothing."""
    each: Tensor = torch.special.entr(log_policy.exp())  # 0 of 0
    return each.sum(dim=-1)


def conservative_gap(q_tm1: Tensor, q_taken: Tensor) -> Tensor:
    """log sum_a exp q(s, a) - q(s, a_tm1): how much more all that may be done promises than what was done.

    CQL(H) without its factor alpha (Kumar et al. 2020, https://arxiv.org/abs/2006.04779, eq. 4), over the mask.

    Args:
        q_tm1: (..., K), -inf outside the mask. q_taken: of the action taken, (...).
    """
    return q_tm1.logsumexp(dim=-1) - q_taken


def behaviour_loss(logits: Tensor, a_tm1: Tensor) -> Tensor:
    """- log G(a_tm1 | s), with G the softmax of ``logits`` (N, K), -inf outside the mask; ``a_tm1`` (N,)."""
    return -logits.log_softmax(dim=-1).gather(-1, a_tm1.unsqueeze(-1)).squeeze(-1)


def plausible(logits: Tensor, threshold: float) -> Tensor:
    """Where G(a | s) / max_b G(b | s) > threshold, (N, K): the actions among which discrete BCQ chooses.

    Fujimoto et al. 2019, https://arxiv.org/abs/1910.01708, eq. 4; G is the softmax of ``logits`` (N, K), -inf outside
    the mask, which is never plausible. The likeliest action always is.
    """
    return (logits - logits.amax(dim=-1, keepdim=True)).exp() > threshold


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
        value: (..., 1, A). advantage: (..., K, A), of actions that are all allowed.
    """
    return value + advantage - advantage.mean(dim=-2, keepdim=True)


def quantile_huber(theta: Tensor, target: Tensor, tau: Tensor, kappa: float) -> Tensor:
    """sum_i mean_j \\|tau_i - [u_ij < 0]\\| huber(u_ij) / kappa, where u_ij = target_j - theta_i.

    Dabney et al. 2017, https://arxiv.org/abs/1710.10044, eq. 10 and algorithm 1.

    Args:
        theta: quantiles, (..., A). target: samples that are equally probable, (..., A'). tau: (A,), where the quantiles
            lie. kappa: up to which errors are squared.
    """
    error = target.unsqueeze(-2) - theta.unsqueeze(-1)  # (..., A, A')
    slope = (tau.unsqueeze(-1) - (error < 0).to(tau)).abs()
    return (slope * huber(error, kappa) / kappa).mean(dim=-1).sum(dim=-1)


def categorical_projection(returns: Tensor, probability: Tensor, support: Tensor) -> Tensor:
    """Probabilities of ``support``: each return's is shared by its two neighbours, the nearer the more.

    p_i = sum_j [1 - \\|clip(returns_j) - support_i\\| / gap]_0^1 probability_j, with the gap between support_i and its
    neighbour on that side (Bellemare et al. 2017, https://arxiv.org/abs/1707.06887, eq. 7, where all gaps are equal).
    The mean of returns within the support stays as it is.

    Args:
        returns: (..., A), or what broadcasts to it. probability: theirs, (..., A). support: rising, (A,).
    """
    clipped = returns.expand_as(probability).clamp(support[0], support[-1]).contiguous()  # as searchsorted wants it
    above = torch.searchsorted(support, clipped, right=True).clamp(1, len(support) - 1)
    below = above - 1
    share = (clipped - support[below]) / (support[above] - support[below])  # at most 1, and 1 at the very top
    to_above = share * probability
    # two terms of each return, and not A that are mostly 0, which took most of an eager update
    shared = torch.zeros_like(to_above).scatter_add(-1, above, to_above)
    return shared.scatter_add(-1, below, probability - to_above)
