"""Every equation against numbers worked by hand."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
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


def test_q_learning_target_takes_the_greatest_allowed_value() -> None:
    target = losses.q_learning_target(tensor(1, 1)[:2], tensor(0.5, 0.5), tensor([2, 6, -INF], [-1, -INF, -3]))
    assert target.tolist() == [4.0, 0.5]  # 1 + 0.5*6 and 1 + 0.5*(-1)


def test_double_q_lets_the_online_network_choose_and_the_target_network_value() -> None:
    online = tensor([1, 3, -INF], [5, 4, -INF])
    target = tensor([10, 20, -INF], [30, 40, -INF])
    # the online choice is action 1, then action 0: 1 + 0.5*20 and 1 + 0.5*30, although 40 is greater
    assert losses.double_q_target(tensor(1, 1), tensor(0.5, 0.5), online, target).tolist() == [11, 16]


def test_terminated_does_not_bootstrap_even_from_minus_infinity() -> None:
    nowhere = torch.full((1, 2), -INF)
    assert losses.q_learning_target(tensor(7), tensor(0), nowhere).tolist() == [7]
    assert losses.double_q_target(tensor(7), tensor(0), nowhere, nowhere).tolist() == [7]


def test_an_ensembles_members_have_targets_of_their_own() -> None:
    online = tensor([[1, 2]], [[2, 1]])  # (E=2, N=1, K=2)
    target = tensor([[10, 20]], [[30, 40]])
    assert losses.double_q_target(tensor(0), tensor(1), online, target).tolist() == [[20], [30]]


def test_chosen_picks_the_action_of_each_row_for_every_member() -> None:
    q = tensor([[1, 2], [3, 4]], [[5, 6], [7, 8]])
    assert losses.chosen(q, torch.tensor([1, 0])).tolist() == [[2, 3], [6, 7]]


@pytest.mark.parametrize(("error", "expected"), [(0.5, 0.125), (-1.0, 0.5), (3.0, 2.5), (-3.0, 2.5)])
def test_huber_is_quadratic_inside_and_linear_outside(error: float, expected: float) -> None:
    assert losses.huber(tensor(error), 1.0).item() == pytest.approx(expected)


def test_importance_weights_scale_each_transitions_loss() -> None:
    assert losses.weighted_mean(tensor([2, 4], [6, 8]), tensor(1, 0.5)).item() == pytest.approx((2 + 2 + 6 + 4) / 4)


def test_dueling_centres_advantages_over_the_mask() -> None:
    mask = torch.tensor([[True, True, False]])
    q = losses.dueling(tensor([10.0]), tensor([[1, 3, 100]])[0], mask)
    assert q[0, :2].tolist() == [9, 11]  # 10 + 1 - 2 and 10 + 3 - 2: the masked 100 plays no part


@given(st.integers(1, 5), st.integers(0, 2**31))
def test_masked_rows_change_no_target(extra: int, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    q = torch.randn(2, 4, 3, generator=generator)
    wide = torch.cat([q, torch.full((2, 4, extra), -INF)], dim=-1)
    r_t, discount_t = torch.randn(4, generator=generator), torch.rand(4, generator=generator)
    assert torch.equal(
        losses.double_q_target(r_t, discount_t, q, q), losses.double_q_target(r_t, discount_t, wide, wide)
    )
    assert torch.equal(losses.q_learning_target(r_t, discount_t, q), losses.q_learning_target(r_t, discount_t, wide))
