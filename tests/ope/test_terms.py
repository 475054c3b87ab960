"""Sums over units and their ratios: what is moved by whom."""

import numpy as np
import pytest

from livedqn.ope.terms import Terms


def test_how_much_each_unit_moves_a_ratio():
    terms = Terms.ratio(np.array([2.0, 6.0]), np.array([1.0, 2.0]))
    assert terms.value == pytest.approx(8 / 3)
    # (2 - 8/3) / 3 and (6 - 16/3) / 3
    np.testing.assert_allclose(terms.moved[:, 0], [-2 / 9, 2 / 9])
    twice = Terms.ratio(np.array([2.0, 6.0 * 1.001]), np.array([1.0, 2.0 * 1.001]))
    assert twice.value - terms.value == pytest.approx(0.001 * 2 / 9, rel=1e-2)  # which is the derivative


def test_a_column_without_weight_is_moved_by_nobody():
    terms = Terms(np.array([[1.0, 0.0], [3.0, 0.0]]), np.array([[1.0, 0.0], [1.0, 0.0]]))
    np.testing.assert_array_equal(terms.moved, [[-0.5, 0], [0.5, 0]])


def test_units_of_one_viewer_are_one():
    terms = Terms.ratio(np.array([2.0, 6.0, 4.0]), np.array([1.0, 2.0, 1.0]))
    of = terms.by(np.array([1, 0, 1]))  # in whatever order they stand
    np.testing.assert_array_equal(of.numerator[:, 0], [6, 6])
    np.testing.assert_array_equal(of.denominator[:, 0], [2, 2])
    assert of.value == terms.value == 3
    np.testing.assert_allclose(of.moved[:, 0], 0)
    assert len(terms.by(np.arange(3)).numerator) == 3
