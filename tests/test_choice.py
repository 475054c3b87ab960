"""Which policy of a run is kept."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from livedqn.choice import Choice


@pytest.mark.parametrize(
    ("evaluations", "kept"),
    [
        ([[1, 3], [2, 3]], [0, 1]),  # better
        ([[2, 4, 6], [2, 4, 5.9]], [0, 1]),  # behind in one world alone
        ([[2, 4, 6], [1, 3, 5]], [0]),  # 1 behind in every world
        ([[2, 4, 6], [0, 3, 6]], [0, 1]),  # 1 behind +- 4.30 x sqrt(1 / 3)
        ([[2, 4, 6], [0, 2.5, 4.2]], [0]),  # 1.77 behind +- 4.30 x 0.252 / sqrt(3)
        ([[2, 4, 6], [1, 3, 5], [2, 4, 5.9], [2.1, 4.1, 5.8]], [0, 2, 3]),
        ([[5], [4.9], [5], [5.1]], [0, 3]),  # of a single world nobody knows what is clear
        ([[2, 4, 6], [2, 4, 6]], [0, 1]),
    ],
)
def test_the_newest_that_is_not_clearly_worse_than_the_best_is_kept(evaluations, kept) -> None:
    choice = Choice()
    assert [i for i, one in enumerate(evaluations) if choice.prefers(np.array(one, np.float64))] == kept
    assert choice.of == len(evaluations)
    assert choice.highest.mean() == max(np.mean(one) for one in evaluations)


def test_another_number_of_worlds_begins_anew() -> None:
    choice = Choice()
    assert choice.prefers(np.array([5.0, 6.0]))
    assert choice.prefers(np.array([1.0]))
    assert choice.highest.tolist() == [1]


def test_it_goes_on_from_its_state() -> None:
    choice = Choice({"bias": torch.ones(1)}, steps=7)
    choice.prefers(np.array([1.0, 2.0]))
    again = Choice.from_state(choice.state_dict())
    assert (again.weights, again.steps, again.of) == ({"bias": torch.ones(1)}, 7, 1)
    assert not again.prefers(np.array([0.0, 1.0]))
