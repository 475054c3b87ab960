"""The forms of a return's distribution, by hand and against one another."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from livedqn.distributions import Categorical, Mean, Quantiles

N_1, D_HALF = torch.tensor([1.0]), torch.tensor([0.5])


def tensor(*rows: Any) -> Tensor:
    return torch.tensor(rows, dtype=torch.float32)


def test_a_mean_is_one_number() -> None:
    form = Mean(huber_delta=1.0)
    assert form.expectation(tensor([3])).tolist() == [3]
    loss, error = form.compare(tensor([[2]]), N_1, D_HALF, tensor([[8]]))
    assert (loss.item(), error.item()) == (2.5, 3.0)  # 1 + 0.5 * 8 - 2, beyond delta: 3 - 1/2
    assert Mean(None).compare(tensor([[2]]), N_1, D_HALF, tensor([[8]]))[0].item() == 4.5


def test_quantiles_lie_in_the_middle_of_equal_shares_and_their_mean_is_the_expectation() -> None:
    form = Quantiles(2, kappa=1.0)
    assert form.tau.tolist() == [0.25, 0.75]
    assert form.expectation(tensor([1, 3])).tolist() == [2]
    # targets 1 + 0.5 * [-2, 6] = [0, 4]: the numbers of tests/test_losses.py; the error is 2 - 1.5
    loss, error = form.compare(tensor([[1, 2]]), N_1, D_HALF, tensor([[-2, 6]]))
    assert (loss.item(), error.item()) == (pytest.approx(1.25), 0.5)


def test_c51_compares_probabilities_on_the_support() -> None:
    form = Categorical(3, 0.0, 4.0)
    assert form.support.tolist() == [0, 2, 4]
    even, sure = tensor([[0, 0, 0]]), tensor([[-math.inf, -math.inf, 0]])
    assert form.expectation(even).item() == pytest.approx(2)
    # 1 + 0.5 * 4 = 3 lies between 2 and 4; of even odds the cross-entropy is log 3, and the expectation lacks 3 - 2
    loss, error = form.compare(even, N_1, D_HALF, sure)
    assert (loss.item(), error.item()) == (pytest.approx(math.log(3)), pytest.approx(1))
    # where nothing follows the reward is sure
    loss, _ = form.compare(tensor([[0, math.log(2), 0]]), 2 * N_1, 0 * D_HALF, sure)
    assert loss.item() == pytest.approx(math.log(2))


@pytest.mark.parametrize(
    "form", [Mean(1.0), Quantiles(4, 1.0), Categorical(4, -1.0, 1.0), Categorical(5, -1.0, 4.0, 0.1)]
)
def test_a_mixtures_expectation_is_the_mean_of_expectations_and_masked_actions_have_no_part(form: Any) -> None:
    generator = torch.Generator().manual_seed(0)
    z = torch.randn(2, 3, 5, form.numbers, generator=generator)
    probability = torch.rand(2, 3, 5, generator=generator)
    probability[..., 3:] = 0
    probability /= probability.sum(dim=-1, keepdim=True)
    mixed = form.expectation(form.mixture(z, probability))
    torch.testing.assert_close(mixed, (probability * form.expectation(z)).sum(dim=-1))


@pytest.mark.parametrize(
    "form", [Quantiles(21, kappa=0.02), Categorical(21, 0.0, 10.0), Categorical(21, -1.0, 10.0, 0.1)]
)
def test_a_heavy_tail_is_learned_with_its_mean(form: Any) -> None:
    """A reward of 9 in one of ten cases, otherwise of 0: with few quantiles the mean is near, with C51 exact."""
    z = torch.zeros(form.numbers, requires_grad=True)
    r_t = tensor(*[9.0 if i == 0 else 0.0 for i in range(10)])
    adam = torch.optim.Adam([z], lr=0.05)
    for _ in range(600):
        loss, _ = form.compare(z.expand(1, 10, -1), r_t, torch.zeros(10), z.detach().expand(1, 10, -1))
        adam.zero_grad()
        loss.mean().backward()
        adam.step()
    assert form.expectation(z.detach()).item() == pytest.approx(0.9, abs=0.1)


def test_returns_in_equal_ratios() -> None:
    # ln(1 + 3 / 1) = 2 ln 2 on both sides: x = -2 ln 2 ... 2 ln 2, returns e^|x| - 1
    form = Categorical(5, -3.0, 3.0, resolution=1.0)
    assert form.support.tolist() == pytest.approx([-3, -1, 0, 1, 3], abs=1e-6)
    # before anything is learned their odds are 1/4, 1/2, 1, 1/2, 1/4
    assert torch.softmax(form.prior, 0).tolist() == pytest.approx([0.1, 0.2, 0.4, 0.2, 0.1])
    assert form.expectation(tensor([0, 0, 0, 0, 0])).item() == pytest.approx(0, abs=1e-6)
    assert 0.0 in Categorical(51, -20.0, 200.0, resolution=0.02).support  # no reward at all is one of them
