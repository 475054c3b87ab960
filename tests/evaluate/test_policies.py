import numpy as np
import pytest

from livedqn.evaluate.policies import Greedy, Random, Rule, ShowIf, better_than_nothing, favourite, hottest, myopic
from livedqn.types import LivedqnError


def observation(heat, affinity, mask):
    rooms = np.zeros((1, 4, 3), np.float32)
    rooms[0, 1:, 0], rooms[0, 1:, 1] = heat, affinity
    return {"candidates": rooms, "context": np.zeros((1, 3), np.float32), "mask": np.array([mask])}


def act(policy, seen):
    policy.reset(np.array([True]))
    return int(policy(seen)[0])


def test_hottest_and_favourite_choose_among_the_allowed(tiny):
    spec = tiny.stage(1).spec
    seen = observation([5, 9, 7], [0, 0, 3], [True, True, False, True])
    assert act(ShowIf(hottest(spec), [Rule()]), seen) == 3
    assert act(ShowIf(favourite(spec), [Rule()]), seen) == 3
    assert act(ShowIf(hottest(spec), [Rule(7.5)]), seen) == 0
    # heat decides between equals only
    assert act(ShowIf(favourite(spec), [Rule()]), observation([5, 9, 7], [0, 0, 0], [True] * 4)) == 2
    assert act(ShowIf(favourite(spec), [Rule()]), observation([5, 1e6, 7], [1, 0, 0], [True] * 4)) == 1


def test_nothing_where_no_room_is_allowed(tiny):
    seen = observation([5, 9, 7], [0, 0, 3], [True, False, False, False])
    assert act(ShowIf(hottest(tiny.stage(1).spec), [Rule()]), seen) == 0
    assert act(Random(0), seen) == 0


def test_random_is_uniform_over_the_mask():
    mask = np.tile([True, False, True, True], (3_000, 1))
    counts = np.bincount(Random(1)({"mask": mask}), minlength=4)
    assert counts[1] == 0
    np.testing.assert_allclose(counts[[0, 2, 3]] / 3_000, 1 / 3, atol=0.03)


def test_greedy_takes_the_mean_of_the_estimates_and_says_what_it_expects():
    class TwoMinds:
        def policy_values(self, observation):
            return np.array([[[0, 4, 1]], [[0, -3, 1]]], np.float32)

        def preferences(self, q):
            return q.mean(axis=0)

    policy = Greedy(TwoMinds())
    assert act(policy, {}) == 2 and policy.value.tolist() == [1]


def test_values_that_are_no_numbers_are_refused_instead_of_showing_nothing(tiny):
    class Lost(type(tiny.agent)):
        def policy_values(self, observation):
            return np.float32([[[0, np.nan, 1]]])

    with pytest.raises(LivedqnError, match="not finite"):
        Greedy(Lost())({})


def test_myopic_scores_what_a_room_brings_beyond_nothing(tiny):
    seen = tiny.stage(2).reset(0, "test")
    assert myopic(tiny.agent, seen)(seen).tolist() == [[0, 1, 0.5]] * 2


def test_without_nothing_a_score_is_the_value_itself():
    class MustShow:
        def policy_values(self, observation):
            return np.float32([[[-np.inf, 4, 1]]])

        def myopic_values(self, observation):
            return np.float32([[-np.inf, 2, 3]])

    assert better_than_nothing(MustShow())({})[0, 1:].tolist() == [4, 1]
    assert myopic(MustShow(), {})({})[0, 1:].tolist() == [2, 3]


def test_rules_survive_a_checkpoint():
    rule = Rule(float("-inf"), 3)
    assert Rule.from_dict(rule.to_dict()) == rule
