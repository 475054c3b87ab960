"""Elementary functions in single precision, against NumPy's in double precision."""

import numpy as np

from livedqn.envs.elementary import cos_turn, exp, log, sin_turn


def test_logarithm() -> None:
    # every 97th of the shares that an exponential number is made of, from the least to the greatest
    share = (np.append(np.arange(0, 2**23, 97), 2**23 - 1).astype(np.float32) + np.float32(0.5)) * np.float32(2.0**-23)
    exact = np.log(share.astype(np.float64))
    assert (np.abs(log(share) - exact) <= np.spacing(np.abs(exact).astype(np.float32))).all()
    assert log(np.float32(1)) == 0


def test_exponential() -> None:
    x = np.linspace(-87, 88, 100_001).astype(np.float32)
    assert np.abs(exp(x) / np.exp(x.astype(np.float64)) - 1).max() < 2e-7
    assert exp(np.float32(0)) == 1
    ends = exp(np.array([-1e9, -np.inf, 1e9, np.inf], np.float32))
    assert np.array_equal(ends, exp(np.array([-87, -87, 88, 88], np.float32)))
    assert np.isfinite(ends).all() and (ends > 0).all()


def test_turns() -> None:
    x = np.linspace(-3, 3, 100_001).astype(np.float32)
    angle = 2 * np.pi * x.astype(np.float64)
    assert np.abs(cos_turn(x) - np.cos(angle)).max() < 2e-7
    once = (x >= 0) & (x <= 1)
    assert np.abs(sin_turn(x) - np.sin(angle))[once].max() < 2e-7
    assert cos_turn(np.float32(0.25)) == sin_turn(np.float32(0.5)) == 0
