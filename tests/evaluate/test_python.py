"""Agents compared from Python."""

from __future__ import annotations

import gymnasium
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv

import livedqn
from livedqn import checkpoint, plugins
from livedqn.config import STEPS, CapConfig
from livedqn.evaluate import compare, policies
from livedqn.stage import Stage
from livedqn.types import LivedqnError

ENV = {"plugin": "sim", "streamers": 60, "days": np.int64(1), "max_requests": 6}
FEW = {"worlds": np.int64(2), "episodes": 3, "validation_worlds": 1, "validation_episodes": 3, "tuning_episodes": 3}
OURS = {"encoder": {"plugin": "mlp"}, "agent": {"plugin": "dqn", "hidden": 8}}


@pytest.fixture(scope="module")
def agent():
    """It has learned nothing."""
    stage = Stage(plugins.build("env", ENV, 1), plugins.build("reward", "watchtime"), CapConfig())
    return checkpoint.build_agent(OURS, stage.spec)


def cartpole(num_envs: int) -> SyncVectorEnv:
    return SyncVectorEnv([lambda: gymnasium.make("CartPole-v1")] * num_envs, autoreset_mode=AutoresetMode.DISABLED)


def test_several_by_their_names_and_the_table_when_printed(agent, capsys):
    found = livedqn.compare({"new": agent, "b": agent}, ENV, reward="watchtime", policies=["policy", "hottest"], **FEW)
    assert capsys.readouterr().out == ""
    assert list(found.played) == ["policy:new", "policy:b", "hottest"]
    assert found.to_dict()["policy:new"]["return"] == found.to_dict()["policy:b"]["return"]
    assert found.advantage("policy:b").mean == 0
    assert "policy:new ahead by" in str(found) and "policy:new: not clearly apart" in str(found)  # no emoji
    assert "2 worlds that training never saw, 3 episodes each" in str(found)


def test_a_cap_and_a_reward_of_ones_own(agent):
    class Shown:
        signals = ("shown",)

        def __call__(self, signals):
            return signals["shown"]

    found = livedqn.compare(agent, ENV, reward=Shown(), cap={"max_shown_per_session": 0}, policies=["policy"], **FEW)
    assert found.to_dict()["policy"]["return"]["mean"] == 0


def test_what_is_not_said_is_usual_and_of_training_unknown(agent, monkeypatch):
    learned = []

    def learn(model, stage, seed, steps, advance):
        learned.append(steps)
        return policies.hottest(stage.spec)

    monkeypatch.setattr(compare.linear, "learn", learn)
    found = livedqn.compare(agent, ENV, reward={}, policies="linucb", **FEW)
    assert (list(found.played), learned, found.steps, found.is_short) == (["linucb"], [STEPS], None, False)
    assert livedqn.compare(agent, ENV, reward="native", policies=["linucb"], steps=7, **FEW).is_short
    assert learned == [STEPS, 7]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            "runs/x/policy.ckpt",
            r"^policy is a str, and no agent; give what livedqn\.load\('runs/\.\.\./policy\.ckpt'\) answers",
        ),
        ({"new": None}, r"^policy:new is a NoneType, and no agent; .*, or a run's \.agent$"),
    ],
)
def test_what_is_no_agent_is_said(given, said):
    with pytest.raises(LivedqnError, match=said):
        livedqn.compare(given, "sim")


@pytest.mark.parametrize(
    ("env", "told", "said"),
    [
        (
            cartpole,
            {},
            r"^policy does not fit this environment: they differ in context shape, \(22,\) and \(4,\); train anew",
        ),
        (ENV, {"wordls": 3}, "there is no setting 'wordls'; did you mean 'worlds'"),
        (ENV, {"worlds": "${seed}"}, r"take that: worlds: Value '\$\{seed\}' of type 'str' could not"),
        (ENV, {"worlds": 0}, r"evaluation\.worlds=0 must be 1 or more"),
        (ENV, {"cap": {"max_shown": 1}}, r"there is no setting 'cap\.max_shown'; did you mean"),
        (ENV, {"reward": {"scale": 2}}, r"there is no setting 'reward\.scale' of reward=native"),
        (ENV, {"policies": "hotest"}, "there is no policy 'hotest' here; did you mean 'hottest'"),
        (ENV, {"reward": plugins.build}, r"reward=build \(from Python\) lacks signals"),
        (ENV, {"policies": ["hotest"]}, "there is no policy 'hotest' here; did you mean 'hottest'"),
        ("sin", {}, "there is no env=sin; did you mean 'sim'"),
        (ENV, {"seed": -1}, "seed=-1; it needs at least 0"),
        (ENV, {"steps": 0}, "steps=0; it needs at least 1"),
    ],
)
def test_what_does_not_fit_is_one_line(agent, env, told, said):
    with pytest.raises(LivedqnError, match=said) as caught:
        livedqn.compare(agent, env, **{**FEW, **told})
    assert "\n" not in str(caught.value)
