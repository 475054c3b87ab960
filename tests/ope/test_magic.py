"""The mixture of how far to trust the model, which the study of estimators has beside ours."""

import numpy as np
import pytest

magic = pytest.importorskip("benchmarks.ope.magic", reason="needs the checkout")


def test_partial_estimates_run_from_the_model_to_wdr():
    columns = np.array([-1.2, 0.4, 2.5, 0.6])  # errors of two steps, then values of two steps
    # g_{-1} = 2.5; g_0 = -1.2 + 2.5 + 0.6; g_1 = all
    np.testing.assert_allclose(magic.partial(columns), [2.5, 1.9, 2.3])
    assert magic.steps(2) == [0, 1, 2]
    assert magic.steps(200)[-1] == 200


def test_least_risk():
    # independent errors of variance 1 and 3: weights 3/4 and 1/4
    np.testing.assert_allclose(magic.least(np.diag([1.0, 3.0])), [0.75, 0.25], atol=1e-6)
    # the second only adds to the first's errors: nothing of it is taken, and nothing below 0
    np.testing.assert_allclose(magic.least(np.array([[1.0, 1.5], [1.5, 4.0]])), [1, 0], atol=1e-6)


def test_what_lies_outside_the_interval_has_a_bias():
    rng = np.random.default_rng(0)
    drawn = np.stack([np.full(999, 5.0) + 0.01 * rng.normal(size=999), rng.normal(1, 0.5, 999)], axis=1)
    x = magic.mixture(np.array([5.0, 1.0]), drawn, 0.0, 2.0)
    assert x[0] < 0.1
    assert x.sum() == pytest.approx(1)
    assert magic.mixture(np.array([1.5, 1.0]), drawn - [[3.5, 0]], 0.0, 2.0)[0] > 0.9
