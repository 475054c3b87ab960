"""Linear bandits with a pencil: ridge regression, both indices, features, and that they learn."""

import numpy as np
import pytest
import torch

from livedqn.evaluate.linear import ID_BITS, PairFeatures, Pairs, Ridge, learn, lin_ts, lin_ucb, project
from livedqn.evaluate.play import play
from livedqn.evaluate.policies import Random, Rule, ShowIf
from livedqn.types import Column, Spec

SPEC = Spec(
    context=(Column("age"), Column("gender", "category", cardinality=3)),
    context_shape=(2,),
    num_actions=3,
    history=(Column("real"),),
    history_length=1,
    candidates=(Column("heat", "count"), Column("streamer", "id")),
)


def no_ones(numbers):
    return numbers, torch.full((*numbers.shape[:-1], 1), numbers.shape[-1])


@pytest.fixture
def ridge():
    """x = (1, 0) twice with rewards 2 and 4, x = (0, 2) once with reward 5: A = diag(3, 5), b = (6, 10)."""
    found = Ridge(2)
    found.add(torch.tensor([[1.0, 0], [0, 2]]), torch.tensor([2.0, 5]))
    found.add(torch.tensor([[1.0, 0]]), torch.tensor([4.0]))
    found.solve()
    return found


def test_ridge(ridge):
    assert ridge.a.tolist() == [[3, 0], [0, 5]] and ridge.b.tolist() == [6, 10]
    assert ridge.theta[:, 0].tolist() == pytest.approx([2, 2])
    assert (ridge.root @ ridge.root.T).flatten().tolist() == pytest.approx([1 / 3, 0, 0, 1 / 5])
    assert ridge.sigma == pytest.approx(((0 + 1 + 4) / 3) ** 0.5)  # residuals 2 - 2, 5 - 4, 4 - 2


def test_lin_ucb_by_hand(ridge):
    pairs = no_ones(torch.tensor([[[1.0, 0], [0, 1], [1, 1]]]))
    mean = project(pairs, ridge.theta)[:, :, 0]
    assert mean[0].tolist() == pytest.approx([2, 2, 4])
    ridge.sigma = 3.0
    # x^T A^-1 x is 1/3, 1/5 and 8/15
    widths = np.sqrt([1 / 3, 1 / 5, 8 / 15])
    assert lin_ucb(0.5)(Pairs(pairs, mean), ridge)[0].tolist() == pytest.approx([2, 2, 4] + 1.5 * widths)


def test_lin_ts_draws_around_theta_with_the_covariance_of_the_papers(ridge):
    ridge.sigma = 3.0
    identity = torch.eye(2).expand(40_000, 2, 2)  # the rooms' features are unit vectors, so indices are theta itself
    pairs = no_ones(identity.contiguous())
    drawn = lin_ts(0, 0.5)(Pairs(pairs, project(pairs, ridge.theta)[:, :, 0]), ridge).numpy()
    np.testing.assert_allclose(drawn.mean(axis=0), [2, 2], atol=0.02)
    np.testing.assert_allclose(np.cov(drawn.T), 1.5**2 * np.diag([1 / 3, 1 / 5]), atol=0.02)


def test_features_of_a_pair():
    features = PairFeatures(SPEC)
    # a constant, age and heat; two genders; the buckets
    assert (features.numbers, features.size) == (3, 3 + 2 + 2**ID_BITS)
    observation = {
        "context": np.float32([[10, 2], [30, 0]]),
        "history": np.zeros((2, 1, 1), np.float32),
        "candidates": np.float32([[[0, 0], [0, 7], [np.e - 1, 7]], [[0, 0], [0, 8], [np.e - 1, 0]]]),
        "mask": np.ones((2, 3), np.bool_),
    }
    numbers, places = features(observation)
    assert numbers[0, 1].tolist() == pytest.approx([1, -1, -1]) and numbers[1, 2].tolist() == pytest.approx([1, 1, 1])
    assert places[0, 1, 0] == 3 + 1 and places[1, 1, 0] == features.size  # the second gender, and none
    assert places[0, 1, 1] == places[0, 2, 1] != places[1, 1, 1] and places[1, 2, 1] == features.size
    dense = torch.zeros(features.size)
    dense[:3], dense[places[0, 1]] = numbers[0, 1], 1.0
    weights = torch.randn(features.size, 2)
    torch.testing.assert_close(project((numbers, places), weights)[0, 1], dense @ weights)


@pytest.mark.parametrize("index", [lin_ucb(), lin_ts(0)], ids=["ucb", "ts"])
def test_bandits_learn_which_room_pays(tiny, index):
    stage = tiny.stage(6)
    told = []
    score = learn(index, stage, 0, 300, lambda: told.append(1))
    assert len(told) == 50
    # the hot room brings 1 and the favourite 0.5; without noise there is little to explore
    found = score(stage.reset(3, "train"))
    np.testing.assert_allclose(found[:, 1], 1, atol=0.05)
    assert (found[:, 2] < 0.7).all()
    policy = ShowIf(score, [Rule()] * 6)
    ours, luck = (play(p, stage, seed=2, split="test", episodes=6).steps["reward"].sum() for p in (policy, Random(0)))
    assert ours > luck
