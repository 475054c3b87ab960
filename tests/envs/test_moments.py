"""Moments: a share of windows, hidden behind a surge that shows them in part, and what they do to viewers."""

from dataclasses import replace

import numpy as np
import pytest

from livedqn.envs import Viewers
from livedqn.envs.listing import ROOM
from livedqn.envs.moments import is_moment, surge, window_bits
from livedqn.envs.sim import sim

ONLY = Viewers(moment_share=0.05, moment_s=120.0, surge_moment=0.3, surge_sd=0.15)


def bits_of(windows: int, at: float = 0.0) -> list[np.uint64]:
    room = np.zeros(1, np.dtype((np.record, ROOM)))[0]
    room.moments = np.uint64(2**63 + 12345)
    with np.errstate(over="ignore"):  # as a hash must
        return [window_bits(room, ONLY.moment_s * (i + at), ONLY) for i in range(windows)]


def test_a_window_is_one_draw() -> None:
    assert bits_of(5, at=0.0) == bits_of(5, at=0.99)
    assert len(set(bits_of(50))) == 50


def test_a_share_of_windows_are_moments_and_the_surge_tells_in_part() -> None:
    bits = bits_of(20_000)
    high = np.array([is_moment(b, ONLY) for b in bits])
    surges = np.array([surge(b, ONLY) for b in bits])
    assert high.mean() == pytest.approx(0.05, abs=0.005)
    assert surges[high].mean() == pytest.approx(0.3, abs=0.015)
    assert surges[~high].mean() == pytest.approx(0.0, abs=0.005)
    assert surges[~high].std() == pytest.approx(0.15, rel=0.02)
    assert surges[~high].max() > surges[high].min()  # nobody can be sure
    assert not any(is_moment(b, replace(ONLY, moment_share=0.0)) for b in bits)


def test_rooms_with_the_greatest_surge_are_clicked_more_often() -> None:
    gain = {}
    for share in (0.0, 0.3):
        env = sim(4_000, viewers=Viewers(moment_share=share, click_moment=2.0))
        clicked = {}
        for name in ("surge", "first"):
            observation, _ = env.reset(seed=1)
            surges = np.where(observation["mask"][:, 1:], observation["candidates"][:, 1:, -1], -np.inf)
            pick = 1 + surges.argmax(axis=1) if name == "surge" else np.ones(4_000, np.int64)
            actions = np.where(observation["mask"][:, 1], pick, 0)
            clicked[name] = env.step(actions)[4]["signals"]["clicked"].mean()
        gain[share] = clicked["surge"] / clicked["first"]
    assert gain[0.3] > 1.4 * gain[0.0]
