"""The stage: rewards, platform signals, caps and restarts, on the real simulator and a real game."""

from __future__ import annotations

import re
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode
from hypothesis import given
from hypothesis import strategies as st

from livedqn import plugins
from livedqn.config import CapConfig
from livedqn.envs import LiveStream
from livedqn.envs.gym import SingleEnvs
from livedqn.rewards import Engagement, Native, Weighted
from livedqn.stage import SPLITS, Cap, Stage, world_seed
from livedqn.types import LivedqnError


def sim(reward: object = None, cap: CapConfig | None = None, rows: int = 4) -> Stage:
    env = plugins.build("env", {"plugin": "sim", "days": 1, "streamers": 60}, rows)
    return Stage(env, reward or Native(), cap or CapConfig())


def best_shown(observation: dict) -> np.ndarray:
    """The first room that is allowed, or nothing."""
    return np.where(observation["mask"][:, 1:].any(axis=1), 1 + observation["mask"][:, 1:].argmax(axis=1), 0)


def test_no_two_splits_share_a_world() -> None:
    seeds = [world_seed(split, index) for split in SPLITS for index in range(100)]
    assert len(set(seeds)) == len(seeds)


def test_platform_signals_stand_beside_the_environments() -> None:
    stage = sim(Weighted({"shown": -0.1, "native": 1.0}))
    observation = stage.reset(0, "train")
    actions = best_shown(observation)
    actions[0] = 0
    step = stage.step(actions)
    assert step.signals["shown"].tolist() == [0, 1, 1, 1]
    assert (step.elapsed_s > 0).all()
    assert np.allclose(step.reward, step.signals["native"] - 0.1 * step.signals["shown"])


def test_the_simulators_own_reward_is_engagement() -> None:
    stage = sim(Engagement())
    observation = stage.reset(3, "train")
    for _ in range(20):
        step = stage.step(best_shown(observation))
        assert np.allclose(step.reward, step.signals["native"])
        observation = stage.restart(step.terminated | step.truncated)


def test_a_reward_that_reads_what_is_not_delivered_is_refused_before_the_first_step() -> None:
    with pytest.raises(
        LivedqnError, match="Weighted reads applause, which this environment does not deliver; it delive"
    ):
        sim(Weighted({"applause": 1.0}))


def test_a_game_shows_nothing_and_has_no_cap() -> None:
    env = plugins.build("env", {"plugin": "gym", "id": "CartPole-v1"}, 2)
    stage = Stage(env, Native(), CapConfig())
    observation = stage.reset(0, "train")
    assert observation["mask"].all()
    step = stage.step(np.array([0, 1]))
    assert step.reward.tolist() == [1, 1]
    assert "shown" not in step.signals
    with pytest.raises(LivedqnError, match="a cap on injections needs an environment with rooms"):
        Stage(env, Native(), CapConfig(max_shown_per_session=1))


@pytest.mark.parametrize("how", [{}, {"vectorization_mode": "sync"}], ids=["its own", "sync"])
def test_an_environment_that_restarts_rows_by_itself_is_refused(how: dict[str, Any]) -> None:
    env = gymnasium.make_vec("CartPole-v1", num_envs=2, **how)
    with pytest.raises(LivedqnError, match=r"autoreset_mode'\]=.*NEXT_STEP, and owes AutoresetMode\.DISABLED") as said:
        Stage(env, Native(), CapConfig())
    told = re.search(r"gymnasium\.make_vec\(.*\)", str(said.value))
    assert told
    names = {"gymnasium": gymnasium, "AutoresetMode": AutoresetMode, "id": "CartPole-v1", "n": 2}
    assert Stage(eval(told[0], names), Native(), CapConfig()).reset(0, "train")["context"].shape == (2, 4)


def test_an_environment_without_metadata_is_refused_and_closed() -> None:
    env = SingleEnvs([gymnasium.make("CartPole-v1") for _ in range(2)])
    env.metadata = None
    with pytest.raises(LivedqnError, match=r"has metadata\['autoreset_mode'\]=None, and owes AutoresetMode\.DISABLED"):
        Stage(env, Native(), CapConfig())
    assert env.closed


def test_whatever_a_stage_stumbles_on_it_closes_the_environment() -> None:
    env = SingleEnvs([gymnasium.make("CartPole-v1")])
    env.metadata["signals"] = 5
    with pytest.raises(TypeError):
        Stage(env, Native(), CapConfig())
    assert env.closed


def test_a_column_that_shows_what_its_kind_cannot_hold_is_refused_before_the_first_step() -> None:
    class Negative(LiveStream):
        def reset(self, **told: Any) -> Any:
            observation, infos = super().reset(**told)
            heat = next(i for i, column in enumerate(self.metadata["columns"]["candidates"]) if column.role == "heat")
            observation["candidates"][1, 1, heat] = -7
            return observation, infos

    env = plugins.build("env", {"plugin": "sim", "days": 1, "streamers": 60}, 2)
    env.__class__ = Negative
    with pytest.raises(LivedqnError, match=r"of candidates is of kind count: it has to be .* from 0, and is -7$"):
        Stage(env, Native(), CapConfig()).reset(0, "train")


@pytest.mark.parametrize("told", [{}, {"signals": {"clicked": np.zeros(2)}}])
def test_a_signal_that_a_step_does_not_deliver_is_named(told: dict[str, Any]) -> None:
    class Silent(SingleEnvs):
        def step(self, actions: Any) -> Any:
            return *super().step(actions)[:4], told

    env = Silent([gymnasium.make("CartPole-v1") for _ in range(2)])
    env.metadata["signals"] = ("clicked", "liked")
    stage = Stage(env, Native(), CapConfig())
    stage.reset(0, "train")
    missing = "liked" if told else "clicked, liked"
    with pytest.raises(LivedqnError, match=f"did not deliver {missing}: every one owes infos"):
        stage.step(np.zeros(2, np.int64))


def test_a_reward_of_the_wrong_shape_is_named() -> None:
    class Wrong:
        signals = ("native",)

        def __call__(self, signals: dict) -> float:
            return 1.0

    stage = sim(Wrong())
    observation = stage.reset(0, "train")
    with pytest.raises(LivedqnError, match=r"reward Wrong answered shape \(\); it owes finite values of shape \(4,\)"):
        stage.step(best_shown(observation))


@given(share=st.floats(0, 1), most=st.none() | st.integers(0, 5), seed=st.integers(0, 100))
def test_a_cap_is_never_broken_and_nothing_is_always_allowed(share: float, most: int | None, seed: int) -> None:
    cap = Cap(CapConfig(share, most), 3)
    rng = np.random.default_rng(seed)
    requests, shown = np.zeros(3), np.zeros(3)
    for _ in range(30):
        mask = cap.apply(np.ones((3, 4), np.bool_))
        assert mask[:, 0].all()
        actions = np.where(mask[:, 1], rng.integers(0, 4, 3), 0)
        cap.count(actions)
        requests, shown = requests + 1, shown + (actions > 0)
        assert (shown <= share * requests + 1e-6).all()
        assert most is None or (shown <= most).all()
        restarted = rng.random(3) < 0.1
        cap.reset(restarted)
        requests[restarted] = shown[restarted] = 0


def test_a_share_of_one_fifth_allows_the_fifth_request() -> None:
    cap = Cap(CapConfig(max_share_shown=0.2), 1)
    allowed = []
    for _ in range(10):
        mask = cap.apply(np.ones((1, 2), np.bool_))
        allowed.append(bool(mask[0, 1]))
        cap.count(mask[:, 1].astype(int))
    assert allowed == [False, False, False, False, True, False, False, False, False, True]


def test_the_cap_acts_on_what_the_agent_sees() -> None:
    stage = sim(cap=CapConfig(max_shown_per_session=1))
    observation = stage.reset(0, "train")
    assert observation["mask"][:, 1:].any(axis=1).all()
    step = stage.step(best_shown(observation))
    assert not step.observation["mask"][:, 1:].any()
    assert stage.restart(np.ones(4, np.bool_))["mask"][:, 1:].any()


def test_a_restart_leaves_the_other_rows_alone_and_overwrites_nothing() -> None:
    stage = sim()
    stage.reset(1, "train")
    step = stage.step(np.zeros(4, np.int64))
    kept = {name: array.copy() for name, array in step.observation.items()}
    fresh = stage.restart(np.array([True, False, False, True]))
    for name, array in kept.items():
        assert np.array_equal(step.observation[name], array)
        assert np.array_equal(fresh[name][1:3], array[1:3])
    assert not np.array_equal(fresh["context"][0], kept["context"][0])


class Hasty(LiveStream):
    """The simulator, which writes over all that it answered as soon as it is called again."""

    def __init__(self, rows: int) -> None:
        vars(self).update(vars(plugins.build("env", {"plugin": "sim", "days": 1, "streamers": 60}, rows)))
        self.metadata = {name: value for name, value in self.metadata.items() if name != "overwrites"}
        self._given: list[np.ndarray] = []

    def reset(self, **told: Any) -> Any:
        return self._spoiling(super().reset(**told))

    def step(self, actions: np.ndarray) -> Any:
        return self._spoiling(super().step(actions))

    def _spoiling(self, answer: Any) -> Any:
        for array in self._given:
            array[...] = 99
        observation, infos = answer[0], answer[-1]
        self._given = [*observation.values(), *answer[1:-1], *infos["ids"].values()]
        self._given += [*infos.get("signals", {}).values(), infos.get("elapsed_s", np.zeros(1))]
        return answer


def test_an_environment_may_overwrite_what_it_answered() -> None:
    """The stage copies then, and what it hands out is what the environment that overwrites nothing brings."""
    careful, hasty = sim(), Stage(Hasty(4), Native(), CapConfig())
    observations = [(stage.reset(1, "train"), stage) for stage in (careful, hasty)]
    played: list[list[Any]] = [[], []]
    for number, (observation, stage) in enumerate(observations):
        for _ in range(30):
            step = stage.step(best_shown(observation))
            observation = stage.restart(step.terminated | step.truncated)
            played[number] += [*step, observation, stage.ids]
    for one, other in zip(*played, strict=True):
        pairs = [(one[name], other[name]) for name in one] if isinstance(one, dict) else [(one, other)]
        assert all(np.array_equal(a, b) for a, b in pairs)


@pytest.mark.parametrize("wrong", [CapConfig(max_share_shown=1.5), CapConfig(max_shown_per_session=-1)])
def test_caps_that_cannot_be_are_refused(wrong: CapConfig) -> None:
    with pytest.raises(LivedqnError, match=r"cap\.max_sh"):
        Cap(wrong, 1)


class MustShow(LiveStream):
    """The simulator, whose masks are changed by hand, saying that a room always has to be shown."""

    def __init__(self) -> None:
        vars(self).update(vars(plugins.build("env", {"plugin": "sim", "days": 1, "streamers": 60}, 3)))
        self.metadata = {**self.metadata, "has_nothing": False}
        self.mask = np.eye(3, self.single_action_space.n, 1, dtype=np.bool_)  # a room each: 1, 2 and 3

    def reset(self, **options: Any) -> Any:
        observation, infos = super().reset(**options)
        return {**observation, "mask": self.mask}, infos


def test_where_nothing_can_be_shown_no_mask_closes_it() -> None:
    env = MustShow()
    env.metadata = {**env.metadata, "has_nothing": True}
    with pytest.raises(LivedqnError, match=r"mask closes \*nothing\* in row 0: it owes mask\[:, 0\] = True"):
        Stage(env, Native(), CapConfig()).reset(0, "train")


def test_where_a_room_always_has_to_be_shown() -> None:
    env = MustShow()
    stage = Stage(env, Native(), CapConfig())
    assert not stage.spec.has_nothing
    assert stage.reset(0, "train")["mask"].tolist() == env.mask.tolist()
    env.mask[1] = False
    with pytest.raises(LivedqnError, match="the environment allows no action in row 1"):
        stage.reset(0, "train")
    env.mask[1, 0] = True
    with pytest.raises(LivedqnError, match=r"say has_nothing=False, but its mask allows \*nothing\*"):
        stage.reset(0, "train")
    with pytest.raises(LivedqnError, match="so there can be no cap on injections"):
        Stage(env, Native(), CapConfig(max_shown_per_session=2))


def test_no_world_of_single_environments_begins_as_another() -> None:
    """Gymnasium seeds row i with seed + i, so that test worlds would begin as training's do."""
    kwargs = {"autoreset_mode": AutoresetMode.DISABLED}
    stage = Stage(gymnasium.make_vec("CartPole-v1", 8, "sync", vector_kwargs=kwargs), Native(), CapConfig())
    starts = [stage.reset(world_seed(split, index), split)["context"] for split in SPLITS for index in range(3)]
    assert len(np.unique(np.concatenate(starts), axis=0)) == 9 * 8
    assert np.array_equal(stage.reset(world_seed("train", 0), "train")["context"], starts[0])


def test_where_viewers_come_back_it_is_told_when_they_leave() -> None:
    env = MustShow()
    env.metadata = {**env.metadata, "episode": "viewer", "signals": ("clicked",)}
    with pytest.raises(LivedqnError, match="so it owes the signal left"):
        Stage(env, Native(), CapConfig())
