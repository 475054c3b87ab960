"""``env=gym``: any discrete environment of Gymnasium, with honest seeds and one-line errors."""

from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces

from livedqn.envs.gym import gym
from livedqn.testing import check_env
from livedqn.types import LivedqnError, Spec


@pytest.mark.parametrize("id", ["CartPole-v1", "Acrobot-v1", "FrozenLake-v1", "Blackjack-v1"])
def test_contract(id: str) -> None:
    check_env(gym(3, id=id))


def test_rows_have_seeds_of_their_own_in_every_world() -> None:
    """Gymnasium seeds row i with seed + i, so that world 1 would begin with the rows of world 0."""
    env = gym(8)
    starts = np.concatenate([env.reset(seed=seed)[0].copy() for seed in range(20)])
    assert len({tuple(row) for row in starts.tolist()}) == 160


def test_an_empty_reset_mask_changes_nothing() -> None:
    env = gym(2)
    before = env.reset(seed=1)[0].copy()
    options: dict[str, Any] = {"reset_mask": np.zeros(2, np.bool_)}
    after, _ = env.reset(options=options)
    assert np.array_equal(before, after)
    before = after.copy()
    options["reset_mask"][1] = True
    after, _ = env.reset(options=options)
    assert "reset_mask" in options
    assert np.array_equal(before[0], after[0])
    assert not np.array_equal(before[1], after[1])


def test_settings_reach_the_environment() -> None:
    env = gym(1, id="FrozenLake-v1", kwargs={"map_name": "8x8"})
    assert Spec.of(env).context_shape == (64,)  # a Discrete observation, flattened


@pytest.mark.parametrize(
    ("settings", "what"),
    [
        ({"id": "CartPoel-v1"}, "Did you mean: `CartPole`"),
        ({"id": "CartPole-v7"}, "version"),
        ({"id": "nosuch_module:X-v0"}, "nosuch_module"),
        ({"id": "Pendulum-v1"}, "Discrete"),
        ({"kwargs": {"colour": "red"}}, "colour"),
    ],
)
def test_errors_are_one_line(settings: dict[str, Any], what: str) -> None:
    with pytest.raises(LivedqnError, match=what) as error:
        gym(2, **settings)
    assert "\n" not in str(error.value)


class FromThree(gymnasium.Env[Any, Any]):
    """Actions 3 and 4; sees a Dict."""

    observation_space = spaces.Dict({"a": spaces.Discrete(2), "b": spaces.Box(0, 1, (2, 2))})
    action_space = spaces.Discrete(2, start=3)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        super().reset(seed=seed)
        return self.observation_space.sample(), {}

    def step(self, action: Any) -> Any:
        assert action in (3, 4)
        return {"a": 1, "b": np.zeros((2, 2), np.float32)}, float(action), False, False, {}


def test_actions_count_from_zero_and_dicts_are_flattened() -> None:
    gymnasium.register(id="FromThree-v0", entry_point=FromThree)
    env = gym(2, id="FromThree-v0")
    env.reset(seed=0)
    observation, reward, *_ = env.step(np.array([0, 1]))
    assert reward.tolist() == [3, 4]
    assert observation.tolist() == [[0, 1, 0, 0, 0, 0]] * 2  # one-hot of 1, then four zeros
