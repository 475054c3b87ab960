"""The simulator as other libraries meet it."""

import warnings
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env as gymnasium_check

ID = "livedqn.envs:livedqn/LiveStream-v0"


def test_make_vec() -> None:
    env = gymnasium.make_vec(ID, num_envs=5, vectorization_mode="vector_entry_point", streamers=50)
    observation, _ = env.reset(seed=1)
    assert env.observation_space.contains(observation)
    env.step(np.full(5, 19))  # a masked action counts as nothing
    env.close()


def test_make_passes_gymnasiums_checker() -> None:
    gymnasium_check(gymnasium.make(ID).unwrapped)  # warnings are errors here


def test_one_viewer_is_the_first_row() -> None:
    one, many = gymnasium.make(ID), gymnasium.make_vec(ID, num_envs=3, vectorization_mode="vector_entry_point")
    (a, _), (b, _) = one.reset(seed=7), many.reset(seed=7)
    for _ in range(5):
        assert all(np.array_equal(a[name], b[name][0]) for name in a)
        a, reward, *_, info = one.step(1)
        b, rewards, *_, infos = many.step(np.ones(3, np.int64))
        assert reward == rewards[0]
        assert info["signals"]["watch_s"] == infos["signals"]["watch_s"][0]
        if info["signals"]["left"] or infos["signals"]["left"].any():
            break


def test_stable_baselines3_trains_on_it() -> None:
    with warnings.catch_warnings():  # not ours to mend
        warnings.simplefilter("ignore")
        sb3: Any = pytest.importorskip("stable_baselines3")
        model = sb3.DQN(
            "MultiInputPolicy", gymnasium.make(ID), learning_starts=50, buffer_size=500, train_freq=10,
            policy_kwargs={"net_arch": [16]}, device="cpu", seed=0,
        )  # fmt: skip
        model.learn(200)
    assert model.num_timesteps == 200
