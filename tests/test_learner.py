"""Adam's step, as it is compiled and as it is not."""

import torch

from livedqn.learner import State, adam, adam_eagerly


def state() -> State:
    return State(
        torch.ones(5), torch.zeros(5), *(torch.zeros(5) for _ in range(2)), torch.zeros(()), torch.tensor(0.01)
    )


def test_two_steps_by_hand() -> None:
    made = state()
    adam(made, torch.tensor([1.0, -1.0, 0.0, 100.0, 1e-3]))
    # mean / (1 - 0.9) = g and square / (1 - 0.999) = g^2, so the step is the rate against the sign of g
    torch.testing.assert_close(made.weights, torch.tensor([0.99, 1.01, 1.0, 0.99, 0.9900001]))
    adam(made, torch.tensor([0.0, 0.0, 1.0, 0.0, 0.0]))
    # mean: 0.09 / 0.19; square: 0.000999 / 0.001999; and for the third 0.1 / 0.19 and 0.001 / 0.001999
    first, third = 0.01 * (0.09 / 0.19) / (0.999 / 1.999) ** 0.5, 0.01 * (0.1 / 0.19) / (1 / 1.999) ** 0.5
    torch.testing.assert_close(made.weights[:3], torch.tensor([0.99 - first, 1.01 + first, 1 - third]))
    assert made.adam_steps == 2


def test_both_ways_are_the_same_step() -> None:
    generator, one, two = torch.Generator().manual_seed(0), state(), state()
    for _ in range(300):
        gradient = torch.randn(5, generator=generator)
        adam(one, gradient)
        adam_eagerly(two, gradient, 0.01)
    for ours, theirs in zip(one[:-1], two[:-1], strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-6)
