"""``env=gym``: any discrete environment of Gymnasium, with honest seeds and one-line errors."""

from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces

from livedqn.config import CapConfig
from livedqn.envs.gym import gym
from livedqn.rewards import Native
from livedqn.stage import Stage
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
        ({"id": "NoSuch/X-v0"}, "Namespace NoSuch not found.*pip install"),
        ({"id": "Pendulum-v1"}, "Discrete"),
        ({"kwargs": {"colour": "red"}}, "colour"),
    ],
)
def test_errors_are_one_line(settings: dict[str, Any], what: str) -> None:
    with pytest.raises(LivedqnError, match=what) as error:
        gym(2, **settings)
    assert "\n" not in str(error.value)


def test_a_package_registers_its_environments_once_one_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    info = tmp_path / "made-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: made\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[gymnasium.envs]\nMade = made_games:register\n")
    (tmp_path / "made_games.py").write_text(
        "import gymnasium\n"
        "def register():\n"
        "    gymnasium.register('Made/Pole-v0', 'gymnasium.envs.classic_control:CartPoleEnv', kwargs={})\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    assert gym(2, id="Made/Pole-v0", kwargs={"max_episode_steps": 7}).envs[1].spec.max_episode_steps == 7  # type: ignore[union-attr]
    assert gym(1, id="Made/Pole-v0").num_envs == 1  # asked once: to register again would be a warning


class Seen(gymnasium.Env[Any, Any]):
    """Sees the same Box at every step."""

    action_space = spaces.Discrete(2)

    def __init__(self, observed: spaces.Box) -> None:
        self.observation_space = observed

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        super().reset(seed=seed)
        return self.observation_space.sample(), {}

    def step(self, action: Any) -> Any:
        return self.observation_space.sample(), 0.0, False, False, {}


@pytest.mark.parametrize(
    ("shape", "dtype", "kept"),
    [
        ((4, 4, 2), np.bool_, "bool"),
        ((4, 4, 2), np.uint8, "uint8"),
        ((4, 4, 2), np.float64, "float32"),
        ((6,), np.uint8, "float32"),  # a memory's bytes are numbers like others, and are standardised
    ],
)
def test_images_of_bytes_stay_bytes(shape: tuple[int, ...], dtype: Any, kept: str) -> None:
    gymnasium.register(id="Seen-v0", entry_point=lambda: Seen(spaces.Box(0, 1, shape, dtype)))
    stage = Stage(gym(2, id="Seen-v0"), Native(), CapConfig())
    seen = stage.reset(1, "train")["context"]
    assert stage.spec.context_dtype == kept
    assert (str(seen.dtype), seen.shape) == (kept, (2, *shape))
    del gymnasium.registry["Seen-v0"]


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


def test_a_seed_a_row() -> None:
    one, other = gym(2), gym(2)
    assert np.array_equal(one.reset(seed=(3, 4))[0], other.reset(seed=np.array([3, 4]))[0])
    with pytest.raises(ValueError, match="1 seeds for 2 rows"):
        one.reset(seed=[3])
