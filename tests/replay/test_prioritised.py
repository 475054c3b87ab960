"""Sum tree and priorities, against numbers worked by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livedqn.replay.prioritised import Prioritised, importance_weights
from livedqn.replay.sum_tree import LINE, WIDTH, SumTree
from livedqn.types import Column, LivedqnError, Spec

SPEC = Spec(context=(Column("serial"),), context_shape=(1,), num_actions=2)


def test_mass_falls_into_the_leaf_whose_interval_holds_it() -> None:
    tree = SumTree(5)
    tree.set(np.arange(5), np.array([1.0, 0.0, 2.0, 3.0, 0.0]))
    assert tree.total == 6
    # [0, 1) is leaf 0, [1, 3) leaf 2, [3, 6) leaf 3; empty leaves are never found
    assert found(tree, [0.0, 0.99, 1.0, 2.99, 3.0, 5.99, 6.0]).tolist() == [0, 0, 2, 2, 3, 3, 3]


def found(tree: SumTree, mass: np.ndarray | list[float]) -> np.ndarray:
    leaves = np.zeros(len(mass), np.int64)
    tree.find(np.array(mass), leaves)
    return leaves


def test_leaves_of_every_level_are_found() -> None:
    """Of 600 leaves, four levels, leaf i has the value i: it begins at 0 + 1 + ... + i - 1."""
    tree = SumTree(600)
    tree.set(np.arange(600), np.arange(600.0))
    assert tree.total == 599 * 600 / 2
    first = np.cumsum(np.arange(600)) - np.arange(600)
    assert np.array_equal(found(tree, first[1:]), np.arange(1, 600))
    assert np.array_equal(found(tree, first[1:] + np.arange(1, 600) - 0.5), np.arange(1, 600))


def test_a_family_of_siblings_is_one_line_of_the_cache() -> None:
    for size in (1, 8, 9, 100_000):
        tree = SumTree(size)
        assert tree.nodes.ctypes.data % LINE == 0
        assert not (tree.starts[1:] % WIDTH).any()
        assert len(tree.leaves) == size


@settings(deadline=None)  # the first call compiles
@given(st.lists(st.floats(0, 10), min_size=1, max_size=100), st.integers(0, 2**31))
def test_a_tree_that_was_adjusted_and_one_that_was_rebuilt_are_the_same_bit_for_bit(leaves: list, seed: int) -> None:
    rng = np.random.default_rng(seed)
    tree, rebuilt = SumTree(len(leaves)), SumTree(len(leaves))
    for _ in range(5):
        index = rng.integers(0, len(leaves), 8)
        tree.set(index, rng.random(8))
    tree.set(np.arange(len(leaves)), np.array(leaves))
    rebuilt.load(tree.leaves.copy())
    mass = rng.random(16) * tree.total
    assert np.array_equal(tree.nodes, rebuilt.nodes)
    if tree.total > 0:
        assert np.array_equal(found(tree, mass), found(rebuilt, mass))
        assert (tree.leaves[found(tree, mass)] > 0).all()


def test_importance_weights_are_relative_to_the_greatest_of_the_batch() -> None:
    def weights(beta: float) -> list[float]:
        weight = np.zeros(2, np.float32)
        importance_weights(np.array([9.0, 4.0, 1.0, 2.0]), np.array([1, 2]), beta, weight)
        return weight.tolist()

    # of 4 transitions, probabilities 4/16 and 1/16: (4 * 1/4) ** -1 = 1 and (4 * 1/16) ** -1 = 4, divided by 4
    assert weights(1.0) == [0.25, 1.0]
    assert weights(0.5) == [0.5, 1.0]
    assert weights(0.0) == [1.0, 1.0]


def test_new_transitions_get_the_greatest_priority_and_errors_replace_it() -> None:
    replay = Prioritised(SPEC, 1, 1, capacity=16, alpha=1.0, beta=1.0, epsilon=0.5)

    def observe(serial: float) -> dict:
        return {"context": np.full((1, 1), serial, np.float32), "mask": np.ones((1, 2), np.bool_)}

    replay.begin(observe(0), np.ones(1, np.bool_))
    for t in range(1, 4):
        replay.add(np.zeros(1, int), np.ones(1), np.ones(1), np.ones(1), observe(t))
    slots = np.arange(3)
    replay.update_priorities(slots, np.array([0.5, -2.5, 0.0]))  # priorities 1, 3, 0.5
    replay.add(np.zeros(1, int), np.ones(1), np.ones(1), np.ones(1), observe(4))  # the fourth enters with 3
    drawn = replay.sample(7_500, np.random.default_rng(0)).slots
    assert np.bincount(drawn, minlength=4)[:4] == pytest.approx(np.array([1_000, 3_000, 500, 3_000]), abs=3)


@pytest.mark.parametrize("epsilon", [0.0, -1.0, np.nan, np.inf])
def test_an_epsilon_that_would_draw_one_transition_for_ever(epsilon: float) -> None:
    with pytest.raises(LivedqnError, match=r"replay\.epsilon"):
        Prioritised(SPEC, 1, 1, capacity=10, epsilon=epsilon)
