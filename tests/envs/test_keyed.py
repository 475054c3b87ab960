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
