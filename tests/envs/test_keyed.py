"""The hash against its published values, and the distributions that are made of it."""

import numpy as np
import pytest

from livedqn.envs import keyed


def test_splitmix64_reference() -> None:
    # the first outputs of SplitMix64 seeded with 0, as its reference implementation prints them
    stream = keyed._stream(np.zeros(1, np.uint64), 3)[0]
    assert [hex(number) for number in stream.tolist()] == [
        "0xe220a8397b1dcdaf", "0x6e789e6aa1b965f4", "0x6c45d188009454f",
    ]  # fmt: skip


def test_a_key_is_what_it_is_for() -> None:
    viewers = np.arange(5)
    assert np.array_equal(keyed.key(1, 2, viewers)[3:4], keyed.key(1, 2, 3))
    assert keyed.key(1, 2) != keyed.key(2, 1)
    assert keyed.key(2**64 + 7) == keyed.key(7)
    assert len(set(keyed.key(np.arange(1000)[:, None], np.arange(100)).ravel().tolist())) == 100_000


def test_draws_do_not_depend_on_how_many_there_are() -> None:
    keys = keyed.key(np.arange(4))
    assert np.array_equal(keyed.uniform(keys, 2), keyed.uniform(keys, 9)[:, :2])
    assert np.array_equal(keyed.exponential(keys, 3), keyed.exponential(keys, 8)[:, :3])


def test_draws_may_be_any_number() -> None:
    keys = keyed.key(np.arange(2))
    made_once = len(keyed._WEYL)
    assert made_once == 4096
    many = keyed._stream(keys, made_once + 904)
    assert many.shape == (2, 5000)
    assert np.array_equal(many[:, :made_once], keyed._stream(keys, made_once))
    assert len(set(many.ravel().tolist())) == many.size
    # SplitMix64 adds its constant at each draw: the 5,000th of key 0 is the first of key 4,999 times the constant
    later = keyed._GOLDEN * np.array([4999], np.uint64)
    assert keyed._stream(np.zeros(1, np.uint64), 5000)[0, -1] == keyed._stream(later, 1)[0, 0]
    assert keyed.exponential(keys, 9001).shape == (2, 9001)


def test_distributions() -> None:
    keys = keyed.key(11, np.arange(50_000))
    u, z, e = keyed.uniform(keys, 2), keyed.normal(keys, 2), keyed.exponential(keys, 2)
    for sample, mean, sd in ((u, 0.5, 12**-0.5), (z, 0, 1), (e, 1, 1)):
        assert sample.mean(axis=0) == pytest.approx([mean, mean], abs=0.02)
        assert sample.std(axis=0) == pytest.approx([sd, sd], rel=0.02)
        assert abs(np.corrcoef(sample.T)[0, 1]) < 0.02
    assert u.min() > 0
    assert u.max() < 1
    assert e.min() > 0
