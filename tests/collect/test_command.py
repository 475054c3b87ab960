"""The command ``collect``: what it writes, and what it refuses."""

import signal
from pathlib import Path

import numpy as np
import pytest

from livedqn import checkpoint, plugins
from livedqn.collect import run
from livedqn.config import CollectConfig
from livedqn.logs import faults, join
from livedqn.logs.parquet import Parquet
from livedqn.types import LivedqnError, Spec

SIM = {"plugin": "sim", "streamers": 60, "days": 2, "max_requests": 8}
STEADY = {"plugin": "epsilon_greedy", "start": 0.1, "end": 0.1}


def collected(folder, **settings):
    defaults = {"env": SIM, "exploration": STEADY, "num_envs": 8, "steps": 400, "exploration_floor": 0.0}
    run(CollectConfig(out=str(folder), **{**defaults, **settings}))
    logs = Parquet(path=str(folder))
    made = join(list(logs))
    assert list(faults(made, logs.spec)) == []
    return logs, made


def test_logs_of_a_checkpoint_are_of_the_policy_that_is_judged(tmp_path):
    config = {
        "env": SIM, "cap": {"max_share_shown": 1.0, "max_shown_per_session": None}, "encoder": {"plugin": "mlp"},
        "agent": {"plugin": "dqn", "hidden": 8},
    }  # fmt: skip
    agent = checkpoint.build_agent(config, Spec.of(plugins.build("env", SIM, 1)))
    agent.margin.fill_(1e3)  # no room is better than nothing by that
    checkpoint.save(tmp_path / "policy.ckpt", agent, config, 100, {}, agent.state_dict())
    _, made = collected(tmp_path / "logs", checkpoint=str(tmp_path / "policy.ckpt"))
    made = made.take(made.acted)
    assert (agent.act(made.observation) == 0).all()
    np.testing.assert_array_equal(made.action == 0, made.propensity > 0.5)


@pytest.mark.parametrize("shortlist", [1, None])
def test_a_policy_that_has_lost_its_numbers_logs_nothing(tmp_path, shortlist):
    config = {
        "env": SIM, "cap": {"max_share_shown": 1.0, "max_shown_per_session": None}, "encoder": {"plugin": "mlp"},
        "agent": {"plugin": "dqn", "hidden": 8, "shortlist": shortlist},
    }  # fmt: skip
    agent = checkpoint.build_agent(config, Spec.of(plugins.build("env", SIM, 1)))
    agent.reward_scale.fill_(1e-45)
    checkpoint.save(tmp_path / "policy.ckpt", agent, config, 100, {}, agent.state_dict())
    with pytest.raises(LivedqnError, match="the values of this observation are not finite"):
        collected(tmp_path / "logs", checkpoint=str(tmp_path / "policy.ckpt"))


def test_random_rooms_are_equally_likely(tmp_path, capsys):
    logs, made = collected(tmp_path / "logs")
    assert made.acted.sum() == 400
    acted = made.acted
    allowed = made.observation["mask"].sum(axis=1)[acted]
    np.testing.assert_allclose(made.propensity[acted], 1 / allowed, rtol=1e-6)
    assert set(made.policy[acted]) == {"random"}
    assert logs.source["policy"] == "random"
    assert logs.source["seed"] == 0
    out = capsys.readouterr().out.splitlines()
    assert out[0].startswith(f"{tmp_path / 'logs'}: 400 impressions of random, ")
    assert out[1] == f"look at them: livedqn check-logs logs=parquet logs.path={tmp_path / 'logs'}"


def test_the_hottest_is_likeliest_and_the_floor_is_mixed_in(tmp_path):
    logs, made = collected(tmp_path, policy="hottest", exploration_floor=0.2)
    heat = logs.spec.column("candidates", "heat")
    rows = np.flatnonzero(made.acted & (made.observation["mask"].sum(axis=1) > 1))
    allowed = made.observation["mask"].sum(axis=1)[rows]
    is_hottest = made.observation["candidates"][rows, :, heat].argmax(axis=1) == made.action[rows]
    # 0.8 (0.9 + 0.1 / k) + 0.2 / k for the hottest, 0.8 x 0.1 / k + 0.2 / k for each of the others
    expected = np.where(is_hottest, 0.72, 0) + 0.28 / allowed
    np.testing.assert_allclose(made.propensity[rows], expected, rtol=1e-5)
    assert 0.6 < is_hottest.mean() < 0.9


def test_the_same_again_and_another_seed(tmp_path):
    first, again, other = (collected(tmp_path / str(i), seed=seed)[1] for i, seed in enumerate((0, 0, 1)))
    np.testing.assert_array_equal(first.request, again.request)
    np.testing.assert_array_equal(first.action, again.action)
    assert not set(first.session.tolist()) & set(other.session.tolist())


def test_a_cap_is_in_the_mask(tmp_path):
    config = CollectConfig()
    config.cap.max_shown_per_session = 1
    _, made = collected(tmp_path, cap=config.cap)
    shown = np.bincount(np.cumsum(made.begins) - 1, weights=made.action > 0)
    assert shown.max() == 1


def test_games(tmp_path):
    logs, made = collected(tmp_path, env={"plugin": "gym", "id": "CartPole-v1"}, steps=80)
    assert not logs.spec.has_rooms
    assert made.observation["context"].shape[1] == 4


def test_a_signal_ends_it_with_what_was_played(tmp_path, monkeypatch, capsys):
    built = plugins.build

    def build(kind, *rest):
        made = built(kind, *rest)
        if kind == "env":
            step, count = made.step, iter(range(99))

            def counted(actions):
                if next(count) == 10:
                    signal.raise_signal(signal.SIGTERM)
                return step(actions)

            made.step = counted
        return made

    monkeypatch.setattr(plugins, "build", build)
    config = CollectConfig(out=str(tmp_path), env=SIM, exploration=STEADY, num_envs=8, steps=4_000)
    assert run(config) == signal.SIGTERM
    assert capsys.readouterr().out.startswith("stopped by SIGTERM; what was played till then is written")
    made = join(list(Parquet(path=str(tmp_path))))
    assert made.acted.sum() == 88
    assert made.truncated.sum() >= 8 - made.terminated.sum()


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        (
            {"policy": "hotest"},
            "there is no policy 'hotest'; did you mean 'hottest'; choose from random, hottest, favourite",
        ),
        (
            {"policy": "hottest", "env": {"plugin": "gym", "id": "CartPole-v1"}},
            "policy=hottest goes by what this environment",
        ),
        ({"exploration": "ucb"}, "exploration UCB needs several estimates of a value; random has one"),
    ],
)
def test_refusals(tmp_path, settings, why):
    with pytest.raises(LivedqnError, match=why):
        collected(tmp_path / "logs", **settings)
    assert not (tmp_path / "logs").exists()


def test_an_environment_owes_as_many_rows_as_it_is_told(tmp_path, monkeypatch):
    made, closed = plugins.build("env", SIM, 2), []
    made.close = lambda: closed.append(True)
    build = plugins.build
    monkeypatch.setattr(plugins, "build", lambda kind, *told: made if kind == "env" else build(kind, *told))
    with pytest.raises(LivedqnError, match="num_envs=2 where 8 was asked for"):
        run(CollectConfig(out=str(tmp_path / "logs"), env=SIM, exploration=STEADY, num_envs=8, steps=80))
    assert closed
    assert not (tmp_path / "logs").exists()


def test_logs_are_not_mixed(tmp_path):
    collected(tmp_path)
    with pytest.raises(LivedqnError, match="holds logs already; choose another folder"):
        collected(tmp_path)


@pytest.mark.parametrize(("name", "value"), [("steps", 0), ("exploration_floor", 2.0), ("seed", -1)])
def test_settings_out_of_range(name, value):
    with pytest.raises(LivedqnError, match=f"{name}={value} "):
        CollectConfig(**{name: value})


def test_out_may_lie_deep(tmp_path):
    collected(Path(tmp_path) / "a" / "b")
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["b"]
