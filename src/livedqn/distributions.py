"""What the numbers that a network gives an action say of its return: the mean alone, quantiles, or probabilities.

All else (acting, exploration, evaluation, priorities) sees expectations, so only an update knows the difference.
"""

from __future__ import annotations

import math
from typing import Protocol

import torch
from torch import Tensor, nn

from livedqn import losses
from livedqn.types import LivedqnError


class Distribution(Protocol):
    """A form of the return's distribution, in scaled rewards; ``z`` (..., A) are a network's numbers for an action."""

    #: A
    numbers: int

    def expectation(self, z: Tensor) -> Tensor:
        """(..., A) -> (...)."""
        ...

    def mixture(self, z: Tensor, probability: Tensor) -> Tensor:
        """Of actions (E, N, K, A) that are chosen with ``probability`` (E, N, K): the numbers (E, N, A)."""
        ...

    def compare(
        self, z_tm1: Tensor, r_t: Tensor, discount_t: Tensor, z_t: Tensor, share: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """How far ``z_tm1`` (E, N, A) lies from r_t + discount_t Z_t.

        Args:
            z_tm1: of the action taken. r_t: (N,) or (E, N). discount_t: (N,). z_t: (E, N, A), of what followed.
            share: of each of J returns that are mixed, (J, E, N), adding up to 1; ``r_t``, ``discount_t`` and ``z_t``
                then have J in front. What is taken out of a mixture has a share below 0.

        Returns:
            The loss (E, N), and the error of the expectation (E, N), which owes no gradient.
        """
        ...


class Mean(nn.Module):
    """The expectation alone, learned by the Huber loss.

    Args:
        huber_delta: where the loss becomes linear; None = nowhere, half the squared error.
    """

    numbers = 1

    def __init__(self, huber_delta: float | None) -> None:
        super().__init__()
        self._delta = huber_delta

    def expectation(self, z: Tensor) -> Tensor:
        """The only number."""
        return z.squeeze(-1)

    def mixture(self, z: Tensor, probability: Tensor) -> Tensor:
        """The mean of means."""
        return losses.mean_over(z, probability)

    def compare(
        self, z_tm1: Tensor, r_t: Tensor, discount_t: Tensor, z_t: Tensor, share: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Huber(r_t + discount_t q_t - q_tm1), of the mean of several."""
        error = _mixed(losses.bootstrap(r_t, discount_t, z_t.squeeze(-1)), share) - z_tm1.squeeze(-1)
        return 0.5 * error.square() if self._delta is None else losses.huber(error, self._delta), error


class Quantiles(nn.Module):
    """A quantiles, at (2 i + 1) / (2 A) (Dabney et al. 2017, QR-DQN, https://arxiv.org/abs/1710.10044).

    Args:
        atoms: A.
        kappa: up to which errors are squared.
    """

    tau: Tensor

    def __init__(self, atoms: int, kappa: float) -> None:
        super().__init__()
        self.numbers, self._kappa = atoms, kappa
        self.register_buffer("tau", (torch.arange(atoms) + 0.5) / atoms, persistent=False)

    def expectation(self, z: Tensor) -> Tensor:
        """The mean of the quantiles."""
        return z.mean(dim=-1)

    def mixture(self, z: Tensor, probability: Tensor) -> Tensor:
        """The mean of each quantile, as in M-IQN (https://arxiv.org/abs/2007.14430): of the right expectation."""
        return losses.mean_over(z, probability)

    def compare(
        self, z_tm1: Tensor, r_t: Tensor, discount_t: Tensor, z_t: Tensor, share: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """The quantile Huber loss, which of a mixture is that of its parts, mixed."""
        target = losses.bootstrap(r_t.unsqueeze(-1), discount_t.unsqueeze(-1), z_t)
        error = target.mean(dim=-1) - z_tm1.detach().mean(dim=-1)
        return _mixed(losses.quantile_huber(z_tm1, target, self.tau, self._kappa), share), _mixed(error, share)


class Categorical(nn.Module):
    """Logits of A returns (Bellemare et al. 2017, C51, https://arxiv.org/abs/1707.06887).

    Unlike there, returns may lie the further apart the larger they are: what is heavy-tailed then has room for its
    greatest values and for its usual ones. A network that has learned nothing holds returns near 0 for likely.

    Args:
        atoms: A.
        low: about the least return that is told apart, scaled: within half a step, for 0 is one of the returns.
        high: about the greatest.
        resolution: c > 0: the i-th return is c (e^|x_i| - 1) with the sign of x_i, x evenly spaced and 0 among them if
            it lies within, so returns below c lie about evenly and beyond in equal ratios; None = all evenly.
    """

    support: Tensor
    prior: Tensor

    def __init__(self, atoms: int, low: float, high: float, resolution: float | None = None) -> None:
        super().__init__()
        self.numbers = atoms
        if resolution is None:
            support, prior = torch.linspace(low, high, atoms), torch.zeros(atoms)
        else:
            first, last = (math.copysign(math.log1p(abs(end) / resolution), end) for end in (low, high))
            step = (last - first) / (atoms - 1)
            x = step * (torch.arange(atoms) + round(first / step))
            support, prior = x.sign() * resolution * x.abs().expm1(), -x.abs()
        self.register_buffer("support", support, persistent=False)
        self.register_buffer("prior", prior, persistent=False)  # logarithms of probabilities

    def expectation(self, z: Tensor) -> Tensor:
        """Each return times its probability."""
        return (self._probability(z) * self.support).sum(dim=-1)

    def mixture(self, z: Tensor, probability: Tensor) -> Tensor:
        """The logits of the mixed probabilities."""
        return losses.mean_over(self._probability(z), probability).log() - self.prior

    def compare(
        self, z_tm1: Tensor, r_t: Tensor, discount_t: Tensor, z_t: Tensor, share: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """The cross-entropy with the projected target, which of a mixture is that of its parts, mixed."""
        returns = losses.bootstrap(r_t.unsqueeze(-1), discount_t.unsqueeze(-1), self.support)
        target = losses.categorical_projection(returns, self._probability(z_t), self.support)
        error = (target * self.support).sum(dim=-1) - self.expectation(z_tm1.detach())
        cross_entropy = -(target * (z_tm1 + self.prior).log_softmax(dim=-1)).sum(dim=-1)
        return _mixed(cross_entropy, share), _mixed(error, share)

    def _probability(self, z: Tensor) -> Tensor:
        return (z + self.prior).softmax(dim=-1)


def _mixed(of_each: Tensor, share: Tensor | None) -> Tensor:
    return of_each if share is None else (share * of_each).sum(dim=0)


def distribution(
    name: str, *, atoms: int, kappa: float, support: tuple[float, float], resolution: float | None,
    huber_delta: float | None,
) -> Mean | Quantiles | Categorical:  # fmt: skip
    """The form called ``name``, see :class:`~livedqn.agent.DQN`.

    Raises:
        LivedqnError: there is none of that name, or it cannot be of those sizes.
    """
    if name not in ("none", "quantile", "c51"):
        raise LivedqnError(f"agent.distribution={name}: choose one of none, quantile, c51")
    if name == "none":
        return Mean(huber_delta)
    if atoms < 2:
        raise LivedqnError(f"agent.atoms={atoms}: a distribution takes 2 or more")
    if name == "quantile":
        return Quantiles(atoms, kappa)
    low, high = support
    if not -math.inf < low < high < math.inf:
        raise LivedqnError(
            f"agent.support=[{low},{high}]: name the least return first, then a greater one, both finite"
        )
    if resolution is not None and not 0 < resolution < math.inf:
        raise LivedqnError(f"agent.resolution={resolution} must be above 0, or null for returns that lie evenly")
    return Categorical(atoms, low, high, resolution)
