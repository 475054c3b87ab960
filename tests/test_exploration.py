"""Probabilities on values that a pencil can check, and draws that never take what has probability 0."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livedqn.exploration import UCB, Boltzmann, EpsilonGreedy, Schedule, Thompson, draw
from livedqn.types import LivedqnError

INF = np.inf
MASK = np.array([[True, True, True, False]])
Q = np.array([[[1.0, 3.0, 2.0, -INF]]], np.float32)  # one estimate, one viewer
TWO = np.array([[[1.0, 3.0, 0.0, -INF]], [[1.0, 1.0, 6.0, -INF]]], np.float32)  # means 1, 2, 3; deviations 0, 1, 3


@pytest.mark.parametrize(
    ("shape", "expected"), [("linear", [1.0, 0.775, 0.505, 0.1]), ("exponential", [1.0, 0.1**0.25, 0.1**0.55, 0.1])]
)
def test_schedule(shape, expected):
    schedule = Schedule(1.0, 0.1, 100, shape)
    np.testing.assert_allclose([schedule(step) for step in (0, 25, 55, 100)], expected)
    assert schedule(10_000) == pytest.approx(0.1)


def test_schedule_of_no_steps_is_at_its_end():
    assert Schedule(1.0, 0.2, 0)(0) == 0.2


@pytest.mark.parametrize(
    ("build", "word"),
    [
        (lambda: EpsilonGreedy(schedule="cubic"), "cubic"),
        (lambda: EpsilonGreedy(end=1.5), r"end=1\.5"),
        (lambda: EpsilonGreedy(steps=-1), "steps=-1"),
        (lambda: EpsilonGreedy(end=0.0, schedule="exponential"), "positive"),
        (lambda: Boltzmann(end=0.0), r"end=0\.0"),
        (lambda: UCB(bonus=-1.0), r"bonus=-1\.0"),
    ],
)
def test_senseless_settings_are_one_sentence(build, word):
    with pytest.raises(LivedqnError, match=word):
        build()


def test_epsilon_greedy():
    explore = EpsilonGreedy(start=0.6, end=0.3, steps=10)
    np.testing.assert_allclose(explore(Q, MASK, 0), [[0.2, 0.6, 0.2, 0]])
    np.testing.assert_allclose(explore(Q, MASK, 10), [[0.1, 0.8, 0.1, 0]])


def test_epsilon_greedy_shares_among_equals():
    q = np.array([[[2.0, 2.0, 1.0, -INF]]])
    np.testing.assert_allclose(EpsilonGreedy(start=0.0, end=0.0)(q, MASK, 0), [[0.5, 0.5, 0, 0]])


def test_epsilon_greedy_is_greedy_on_the_mean_of_estimates():
    np.testing.assert_allclose(EpsilonGreedy(end=0.0)(TWO, MASK, 10**9), [[0, 0, 1, 0]])


def test_boltzmann():
    q = np.array([[[0.0, np.log(2.0), np.log(5.0), -INF]]])
    np.testing.assert_allclose(Boltzmann(start=1.0)(q, MASK, 0), [[1 / 8, 2 / 8, 5 / 8, 0]])
    np.testing.assert_allclose(Boltzmann(start=0.5)(q, MASK, 0), [[1 / 30, 4 / 30, 25 / 30, 0]])


def test_boltzmann_survives_great_values():
    np.testing.assert_allclose(Boltzmann(end=0.01)(Q * 1e6, MASK, 10**9), [[0, 1, 0, 0]])


def test_ucb_adds_the_deviation_of_the_estimates():
    np.testing.assert_allclose(UCB(bonus=0.0)(TWO, MASK, 0), [[0, 0, 1, 0]])
    q = np.array([[[1.0, 3.0, 2.0, -INF]], [[5.0, 3.2, 3.0, -INF]]])  # means 3, 3.1, 2.5; deviations 2, 0.1, 0.5
    np.testing.assert_allclose(UCB(bonus=0.01)(q, MASK, 0), [[0, 1, 0, 0]])
    np.testing.assert_allclose(UCB(bonus=1.0)(q, MASK, 0), [[1, 0, 0, 0]])


def test_what_a_policy_rules_out_within_the_mask_is_not_explored_by_ucb():
    q = np.array([[[-np.inf, 1.0, 3.0]], [[-np.inf, 1.0, 1.0]]])
    assert UCB()(q, np.ones((1, 3), bool), 0).tolist() == [[0, 0, 1]]


def test_thompson_counts_votes():
    three = np.concatenate([TWO, TWO[:1]])
    np.testing.assert_allclose(Thompson()(three, MASK, 0), [[0, 2 / 3, 1 / 3, 0]])


def test_floor_is_uniform_over_the_mask():
    u = np.array([0.05, 0.15, 0.85, 0.95])  # the floor makes of 0, 1, 0, 0 over three allowed actions: 0.1, 0.8, 0.1, 0
    p, mask = np.tile([[0, 1.0, 0, 0]], (4, 1)), np.tile(MASK, (4, 1))
    actions, propensity = draw(p, mask, 0.3, Fixed(u))
    np.testing.assert_array_equal(actions, [0, 1, 1, 2])
    np.testing.assert_allclose(propensity, [0.1, 0.8, 0.8, 0.1])


@pytest.mark.parametrize(
    "wrong", [[[0.5, 0.5, 0.5, 0]], [[0, 0.5, 0, 0.5]], [[-1, 1, 1, 0]], [[np.nan, 1, 0, 0]], [[1.0]]]
)
def test_draw_refuses_what_is_no_distribution(wrong):
    with pytest.raises(LivedqnError, match="check_exploration"):
        draw(np.array(wrong), MASK, 0.1, np.random.default_rng(0))


def test_a_mask_that_allows_nothing_is_the_environments_fault():
    mask = np.array([[True, True], [False, False]])
    with pytest.raises(LivedqnError, match="the environment allows no action in row 1"):
        draw(np.array([[0.5, 0.5], [np.nan, np.nan]]), mask, 0.0, np.random.default_rng(0))


def test_draws_follow_the_probabilities():
    p = np.tile([[0.0, 0.25, 0.0, 0.75]], (40_000, 1))
    actions, propensity = draw(p, p > 0, 0.0, np.random.default_rng(0))
    assert actions.dtype == np.int64
    assert np.bincount(actions, minlength=4)[[0, 2]].sum() == 0
    assert abs((actions == 3).mean() - 0.75) < 0.01
    np.testing.assert_array_equal(propensity, p[np.arange(len(p)), actions])


class Fixed:
    """A generator at the ends of its range."""

    def __init__(self, u):
        self.u = u

    def random(self, size):
        return np.full(size, self.u)


@settings(max_examples=200, deadline=None)
@given(
    weights=st.lists(st.just(0.0) | st.floats(1e-30, 1e30), min_size=1, max_size=30).filter(any),
    u=st.sampled_from([0.0, 1 - 2**-53]) | st.floats(0, 1 - 2**-53),
)
def test_what_has_probability_zero_is_never_drawn(weights, u):
    p = np.array([weights])
    actions, propensity = draw(p / p.sum(), p > 0, 0.0, Fixed(u))
    assert weights[actions[0]] > 0
    assert propensity[0] > 0
