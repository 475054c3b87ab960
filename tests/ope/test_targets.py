"""Policies as probabilities."""

import numpy as np

from livedqn.ope.targets import greedy, mixed, uniform

OBSERVATION = {"mask": np.array([[1, 1, 0, 1], [1, 0, 0, 0]], bool), "heat": np.array([[9.0, 1, 5, 3], [0, 1, 1, 1]])}


def test_the_best_allowed_room_or_nothing():
    p = greedy(lambda seen: seen["heat"])(OBSERVATION)
    np.testing.assert_array_equal(p, [[0, 0, 0, 1], [1, 0, 0, 0]])


def test_a_mixture():
    p = mixed(greedy(lambda seen: seen["heat"]), 0.3)(OBSERVATION)
    np.testing.assert_allclose(p, [[0.1, 0.1, 0, 0.8], [1, 0, 0, 0]])
    np.testing.assert_allclose(mixed(uniform, 1.0)(OBSERVATION), uniform(OBSERVATION))


def test_where_a_room_always_has_to_be_shown_nothing_has_no_probability():
    must_show = {**OBSERVATION, "mask": np.array([[0, 1, 0, 1], [0, 0, 1, 0]], bool)}
    np.testing.assert_array_equal(uniform(must_show), [[0, 0.5, 0, 0.5], [0, 0, 1, 0]])
    p = mixed(greedy(lambda seen: seen["heat"]), 0.5)(must_show)
    np.testing.assert_allclose(p, [[0, 0.25, 0, 0.75], [0, 0, 1, 0]])
