import numpy as np
from livedqn_gifts import Gift

from livedqn import plugins
from livedqn.testing import check_reward


def test_contract():
    check_reward(Gift())
    check_reward(Gift(scale=0.5))


def test_by_hand():
    gifts = np.array([0, np.e - 1, np.e**3 - 1], np.float32)
    np.testing.assert_allclose(Gift(scale=2.0)({"gift_value": gifts}), [0, 2, 6], rtol=1e-6)


def test_livedqn_finds_and_builds_it():
    assert "gift" in plugins.names("reward")
    assert plugins.build("reward", {"plugin": "gift", "scale": 0.5}).scale == 0.5
