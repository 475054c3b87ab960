"""Every equation against numbers worked by hand."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from livedqn import losses

INF = math.inf


def tensor(*rows: object) -> torch.Tensor:
    return torch.tensor(rows, dtype=torch.float32)


def test_n_step_return_discounts_each_reward_by_what_came_before_it() -> None:
    r_t = tensor([1, 2, 4], [1, 2, 4], [3, 0, 0])
    discount_t = tensor([0.5, 0.5, 0.5], [0.5, 0, 1], [0.5, 1, 1])
    window_return, window_discount = losses.n_step_return(r_t, discount_t)
    # 1 + 0.5*2 + 0.25*4 = 3;  terminated after two steps: 1 + 0.5*2 = 2;  cut after one: 3, discount 0.5
    assert window_return.tolist() == [3, 2, 3]
    assert window_discount.tolist() == [0.125, 0, 0.5]


def test_terminated_does_not_bootstrap_even_from_minus_infinity() -> None:
    assert losses.bootstrap(tensor(7, 7), tensor(0, 0.5), tensor(-INF, 4)).tolist() == [7, 9]


def test_chosen_picks_the_numbers_of_each_rows_action_for_every_member() -> None:
    z = tensor([[1, 2], [3, 4]], [[5, 6], [7, 8]])[..., None]  # (E=2, N=2, K=2, A=1)
    assert losses.chosen(z, torch.tensor([[1, 0]])).squeeze(-1).tolist() == [[2, 3], [6, 7]]
    assert losses.chosen(z, torch.tensor([[1, 0], [0, 0]])).squeeze(-1).tolist() == [[2, 3], [5, 7]]


@pytest.mark.parametrize(("error", "expected"), [(0.5, 0.125), (-1.0, 0.5), (3.0, 2.5), (-3.0, 2.5)])
def test_huber_is_quadratic_inside_and_linear_outside(error: float, expected: float) -> None:
    assert losses.huber(tensor(error), 1.0).item() == pytest.approx(expected)


def test_importance_weights_scale_each_transitions_loss() -> None:
    assert losses.weighted_mean(tensor([2, 4], [6, 8]), tensor(1, 0.5)).item() == pytest.approx((2 + 2 + 6 + 4) / 4)


def test_dueling_centres_advantages() -> None:
    # 10 + 1 - 3 and so on
    assert losses.dueling(tensor([10.0]), tensor([1], [3], [5])).tolist() == [[8], [10], [12]]


def test_quantile_huber_pulls_a_quantile_down_and_up_by_its_share() -> None:
    theta, target, tau = tensor(1, 2), tensor(0, 4), tensor(0.25, 0.75)
    # u = [[-1, 3], [-2, 2]], huber(u, 1) = [[0.5, 2.5], [1.5, 1.5]], slopes [[0.75, 0.25], [0.25, 0.75]]
    assert losses.quantile_huber(theta, target, tau, 1.0).item() == pytest.approx((0.375 + 0.625 + 0.375 + 1.125) / 2)
    # with kappa = 2: huber = [[0.5, 4], [2, 2]], halved
    assert losses.quantile_huber(theta, target, tau, 2.0).item() == pytest.approx((0.375 + 1 + 0.5 + 1.5) / 2 / 2)


def test_a_projection_shares_each_probability_among_neighbours_and_cuts_to_the_support() -> None:
    support, probability = tensor(0, 2, 4), tensor(0.5, 0.25, 0.25)
    # 0.5: 3/4 to 0 and 1/4 to 2; 2: all to itself; 9: cut to 4
    projected = losses.categorical_projection(tensor(0.5, 2, 9), probability, support)
    assert projected.tolist() == [0.375, 0.125 + 0.25, 0.25]


@settings(deadline=None)
@given(
    st.lists(st.floats(0.01, 50), min_size=1, max_size=12), st.floats(-100, 100), st.floats(-60, 60), st.floats(0, 3),
    st.integers(0, 2**16),
)  # fmt: skip
def test_a_projection_is_its_equation_whatever_the_gaps(
    gaps: list[float], low: float, shift: float, scale: float, seed: int
) -> None:
    support = low + tensor(0, *gaps).double().cumsum(0)
    probability = torch.rand(2, 3, len(support), generator=torch.Generator().manual_seed(seed)).double()
    returns = shift + scale * torch.stack([support, support.flip(0), support * 0 + support[0]])  # one row for both

    distance = returns.clamp(support[0], support[-1]).unsqueeze(-2) - support.unsqueeze(-1)  # (..., i, j)
    below, above = support.diff(prepend=support[:1] - 1), support.diff(append=support[-1:] + 1)
    gap = torch.where(distance < 0, below.unsqueeze(-1), above.unsqueeze(-1))
    share = (1 - distance.abs() / gap).clamp_min(0)
    expected = (share * probability.unsqueeze(-2)).sum(dim=-1)
    torch.testing.assert_close(losses.categorical_projection(returns, probability, support), expected)
    single = losses.categorical_projection(returns.float(), probability.float(), support.float())
    assert (single >= 0).all()


def test_a_munchausen_bonus_is_the_clipped_logarithm_of_a_soft_policy_over_the_mask() -> None:
    # q / tau differ by log 3: odds of 1 to 3, and none for what is masked
    log_policy = losses.log_soft_policy(tensor([0, 0.5 * math.log(3), -INF]), temperature=0.5)
    assert log_policy.exp()[0].tolist() == pytest.approx([0.25, 0.75, 0])
    bonus = losses.munchausen_bonus(log_policy[0], temperature=0.5, alpha=0.9, clip=-0.5)
    # 0.5 log 0.25 = -0.69 is clipped to -0.5
    assert bonus.tolist() == pytest.approx([-0.45, 0.45 * math.log(0.75), -0.45])
    assert losses.entropy(log_policy).item() == pytest.approx(0.25 * math.log(4) + 0.75 * math.log(4 / 3))


def test_a_conservative_gap_is_the_soft_maximum_over_the_mask_less_what_was_done() -> None:
    # log(1 + 2 + 5) - log 2 = log 4, and what is masked promises nothing; one action alone has no gap
    q = tensor([0, math.log(2), math.log(5)], [3, -INF, -INF])
    assert losses.conservative_gap(q, tensor(math.log(2), 3)).tolist() == pytest.approx([math.log(4), 0])


def test_its_gradient_is_the_soft_policy_less_what_was_done() -> None:
    q = tensor([0, math.log(3), -INF]).requires_grad_()
    losses.conservative_gap(q, q[:, 0]).sum().backward()
    assert q.grad.tolist()[0] == pytest.approx([0.25 - 1, 0.75, 0])


def test_a_behaviour_loss_is_of_the_action_that_was_chosen() -> None:
    logits = tensor([0, math.log(3), -INF], [5, -INF, -INF])
    assert losses.behaviour_loss(logits, torch.tensor([1, 0])).tolist() == pytest.approx([math.log(4 / 3), 0])


def test_plausible_is_what_is_likely_beside_the_likeliest() -> None:
    logits = tensor([math.log(0.1), math.log(0.6), math.log(0.3), -INF])
    # ratios 1/6, 1, 1/2, 0
    for threshold, expected in ((0.0, [1, 1, 1, 0]), (0.3, [0, 1, 1, 0]), (0.5, [0, 1, 0, 0]), (0.99, [0, 1, 0, 0])):
        assert losses.plausible(logits, threshold).int().tolist() == [expected]
