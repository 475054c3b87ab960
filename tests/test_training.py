"""Training from Python, and what fits together before the first step."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path

import gymnasium
import numpy as np
import pytest
import torch
import yaml
from gymnasium.vector import AutoresetMode, SyncVectorEnv

import livedqn
from livedqn import plugins
from livedqn.encoders.mlp import MLP
from livedqn.exploration import Boltzmann
from livedqn.lock import held
from livedqn.loop import Marks
from livedqn.replay.uniform import Uniform
from livedqn.tracking import read_metrics
from livedqn.types import LivedqnError

pytestmark = pytest.mark.usefixtures("no_pictures")  # but of the run that all tests share

SMALL = {
    "steps": 1_500, "num_envs": 4, "encoder": {"plugin": "mlp", "hidden": [16]},
    "agent": {"plugin": "dqn", "warmup_steps": 300, "batch_size": 16, "steps_per_update": 4},
    "evaluation": {"worlds": 3, "episodes": 4, "validation_worlds": 1, "validation_episodes": 4, "points": 2,
                   "tuning_episodes": 4},
}  # fmt: skip
SIM = {"plugin": "sim", "days": 1, "streamers": 60, "max_requests": 10}


class Clicks:
    """A reward that no plugin offers."""

    signals = ("clicked",)

    def __call__(self, signals):
        return signals["clicked"]


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> livedqn.Run:
    return livedqn.train(SIM, reward=Clicks(), folder=tmp_path_factory.mktemp("run") / "one", **SMALL)


LEFT = ("policy.ckpt", "final.ckpt")


def test_a_run_leaves_what_it_promises(run) -> None:
    for name in ("config.yaml", "metrics.csv", *LEFT, "evaluation.json", "report.html"):
        assert (run.folder / name).stat().st_size > 0
    assert list((run.folder / "pictures").glob("*.png"))
    evaluation = json.loads((run.folder / "evaluation.json").read_text())
    assert set(evaluation) == {"policy", "random", "hottest", "favourite", "myopic"}
    assert evaluation["policy"]["return"]["n"] == 3
    metrics = read_metrics(run.folder / "metrics.csv")
    assert metrics["updates"][1][-1] == (1_500 - 300) // 4
    assert len(metrics["validation_return"][0]) == 2
    margins = [torch.load(run.folder / name, weights_only=True)["weights"]["margin"] for name in LEFT]
    assert margins == [run.agent.margin, 0]  # what was tuned goes with the policy


def test_the_policy_of_a_run_acts_when_loaded(run) -> None:
    agent = livedqn.load(run.folder / "policy.ckpt")
    env = plugins.build("env", SIM, 5)
    observation, _ = env.reset(seed=1)
    actions = agent.act(observation)
    assert observation["mask"][np.arange(5), actions].all()
    assert np.array_equal(actions, run.agent.act(observation))


def test_the_same_seed_is_the_same_run_and_another_is_not(run, tmp_path) -> None:
    again = livedqn.train(SIM, reward=Clicks(), folder=tmp_path / "again", **SMALL)
    other = livedqn.train(SIM, reward=Clicks(), folder=tmp_path / "other", seed=1, **SMALL)

    def weights(one: livedqn.Run) -> list:
        return torch.load(one.folder / "final.ckpt", weights_only=True)["weights"][
            "online.heads.0.room.2.weight"
        ].tolist()

    assert weights(run) == weights(again)
    assert (run.folder / "evaluation.json").read_text() == (again.folder / "evaluation.json").read_text()
    assert weights(run) != weights(other)


def test_an_environment_of_ones_own_and_old_weights(tmp_path) -> None:
    def cartpole(num_envs: int) -> SyncVectorEnv:
        makers = [lambda: gymnasium.make("CartPole-v1")] * num_envs
        return SyncVectorEnv(makers, autoreset_mode=AutoresetMode.DISABLED)

    first = livedqn.train(cartpole, folder=tmp_path / "first", **SMALL)
    assert set(first.evaluation.played) == {"policy", "random"}
    untrained = {**SMALL, "steps": 200}  # all of it warm-up: no update, so the weights stay
    second = livedqn.train(cartpole, folder=tmp_path / "second", init=str(first.folder / "policy.ckpt"), **untrained)
    observation = {"context": np.ones((1, 4), np.float32), "mask": np.ones((1, 2), np.bool_)}
    assert np.array_equal(first.agent.q_values(observation), second.agent.q_values(observation))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"stpes": 10}, "stpes"),
        ({"steps": "many"}, "many"),
        ({"steps": 0}, "steps=0 must be 1 or more"),
        ({"evaluation": {"wordls": 3}}, "wordls"),
        ({"exploration": "thompson"}, r"needs several estimates of a value; add agent\.ensemble=5"),
        ({"exploration_floor": 2.0}, "no share"),
        ({"replay": {"plugin": "uniform", "capacity": 10**13}}, "GiB"),
        ({"device": "abacus"}, "device=abacus is not to be had here"),
        ({"logger": "paper"}, "there is no logger=paper"),
        ({"logger": {"plugin": "wandb", "mode": "on"}}, "logger.mode is 'on'; choose offline, online or disabled"),
        ({"init": "nowhere.ckpt"}, "does not exist"),
        ({"holdout": 0.5}, r"holdout=0.5 is of logs; add logs=parquet, or leave it out"),
        ({"agent": {"plugin": "dqn", "huber_delta": math.inf}}, r"agent.huber_delta=inf must be above 0, and finite"),
        ({"agent": {"plugin": "dqn", "support": [-1.0, math.inf]}}, r"agent.support=\[-1.0,inf\]: .* both finite"),
        ({"exploration": {"plugin": "boltzmann", "start": math.inf}}, "a temperature is above 0, and finite"),
        ({"exploration": {"plugin": "ucb", "bonus": math.nan}}, "choose 0 or more, and finite"),
    ],
)
def test_what_does_not_fit_is_one_line_and_leaves_nothing(wrong, said, tmp_path) -> None:
    with pytest.raises(LivedqnError, match=said) as caught:
        livedqn.train(SIM, folder=tmp_path / "run", **{**SMALL, **wrong})
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "run").exists()


def test_no_policy_is_chosen_before_its_inputs_are_fitted_unless_none_ever_are(tmp_path) -> None:
    late = {
        **SMALL,
        "agent": {**SMALL["agent"], "warmup_steps": 800},
        "evaluation": {**SMALL["evaluation"], "points": 3},
    }
    run = livedqn.train(SIM, folder=tmp_path / "late", **late)  # evaluated at 500, 1,000 and 1,500 steps
    found = torch.load(run.folder / "policy.ckpt", weights_only=True)
    assert found["weights"]["is_fitted"]
    assert found["steps"] >= 1_000
    never = livedqn.train(SIM, folder=tmp_path / "never", **{**late, "steps": 700})
    found = torch.load(never.folder / "policy.ckpt", weights_only=True)
    assert (bool(found["weights"]["is_fitted"]), found["steps"]) == (False, 700)


def test_weights_of_another_reward_learn_in_its_unit(run, tmp_path) -> None:
    init = str(run.folder / "policy.ckpt")  # of clicks
    seconds = {"plugin": "weighted", "weights": {"watch_s": 1.0}}
    fresh = livedqn.train(SIM, reward=seconds, folder=tmp_path / "fresh", **SMALL)
    again = livedqn.train(SIM, reward=seconds, init=init, folder=tmp_path / "again", **SMALL)
    assert again.agent.reward_scale == pytest.approx(float(fresh.agent.reward_scale))
    assert float(run.agent.reward_scale) > 2 * float(fresh.agent.reward_scale)
    assert torch.equal(
        again.agent.transform.state_dict()["arrays.context.mean"],
        run.agent.transform.state_dict()["arrays.context.mean"],
    )
    for name, value in (("distribution", "quantile"), ("support", [-1.0, 1.0]), ("standardise", False)):
        other = {**SMALL, "agent": {**SMALL["agent"], name: value}}
        with pytest.raises(LivedqnError, match=rf"was trained with agent\.{name}=.*, and this run has"):
            livedqn.train(SIM, reward=seconds, init=init, folder=tmp_path / "other", **other)


class SeesPlaces(MLP):
    """A room's state depends on its place among the others."""

    def forward(self, observation):
        rooms = observation["candidates"]
        return super().forward(observation)[:, None] + torch.arange(rooms.shape[1])[None, :, None]


class ReadsRooms(MLP):
    def forward(self, observation):
        return observation["rooms"]


@pytest.mark.parametrize(
    ("encoder", "said"),
    [
        (SeesPlaces, r"^encoder SeesPlaces: another order of the rooms changes more .*; livedqn.testing.check_encoder"),
        (
            ReadsRooms,
            r"^encoder ReadsRooms raised KeyError: 'rooms' when given .*; the observation has context, history",
        ),
    ],
)
def test_an_encoder_that_breaks_its_contract_learns_nothing(encoder, said, tmp_path) -> None:
    with pytest.raises(LivedqnError, match=said):
        livedqn.train(SIM, folder=tmp_path / "run", **{**SMALL, "encoder": encoder})
    assert not (tmp_path / "run").exists()


class Unheard(Clicks):
    signals = ("applause",)


def test_what_is_refused_leaves_no_environment_open(run, tmp_path) -> None:
    opened, closed = [], []
    copy = shutil.copytree(run.folder, tmp_path / "copy")  # as if it had had an environment of its own
    own = {**yaml.safe_load((copy / "config.yaml").read_text()), "env": None}
    (copy / "config.yaml").write_text(yaml.safe_dump(own))

    def noted(num_envs: int):
        env = plugins.build("env", SIM, num_envs)
        opened.append(env)
        env.close = lambda: closed.append(env)
        return env

    for said, reward, wrong in (
        ("has done 1,500 steps", Clicks(), {"steps": 1_000, "folder": copy, "resume": str(copy)}),
        ("does not exist", Clicks(), {"init": "nowhere.ckpt"}),
        ("reads applause, which this environment does not deliver", Unheard(), {}),
        ("is no share", Clicks(), {"cap": {"max_share_shown": 2.0}}),
    ):
        with pytest.raises(LivedqnError, match=said):
            livedqn.train(noted, reward=reward, **{**SMALL, "folder": tmp_path / "run", **wrong})
    assert opened == closed and len(opened) == 4


def test_what_makes_environments_owes_as_many_rows_as_it_is_told(tmp_path) -> None:
    closed = []

    def fixed(num_envs: int):
        env = plugins.build("env", SIM, 2)
        env.close = lambda: closed.append(env)
        return env

    for made, said in (
        (fixed, "a LiveStream, has num_envs=2 where 4 was asked for: .* has to heed the number that it is given"),
        (
            lambda num_envs: gymnasium.make("CartPole-v1"),
            r"env=<lambda> \(from Python\) lacks num_envs, single_action_",
        ),
        (lambda num_envs: None, r"lacks close, metadata, .*; the contract is livedqn.protocols.Env, and .*check_env"),
    ):
        with pytest.raises(LivedqnError, match=said) as caught:
            livedqn.train(made, reward="native", folder=tmp_path / "run", **SMALL)
        assert "\n" not in str(caught.value)
    assert len(closed) == 1
    assert not (tmp_path / "run").exists()


def test_a_folder_takes_one_run_at_a_time(run, tmp_path) -> None:
    copy = shutil.copytree(run.folder, tmp_path / "copy")
    config = (copy / "config.yaml").read_bytes()
    with held(copy), pytest.raises(LivedqnError, match=r"^another run is writing into .*copy; wait until it has"):
        livedqn.train(resume=copy, reward=Clicks(), steps=2_000)
    assert (copy / "config.yaml").read_bytes() == config
    livedqn.train(SIM, reward=Clicks(), folder=copy, resume=str(copy), **SMALL)


def cut(state: dict, *path: str) -> None:
    for name in path[:-1]:
        state = state[name]
    del state[path[-1]]


def put(state: dict, value: object, *path: str) -> None:
    for name in path[:-1]:
        state = state[name]
    state[path[-1]] = value


@pytest.mark.parametrize(
    "tamper",
    [
        lambda state: cut(state, "experience"),
        lambda state: cut(state, "choice", "weights"),
        lambda state: put(state, "many", "mark"),
        lambda state: put(state, torch.zeros((2, 3), dtype=torch.int64), "experience", "replay", "rows"),
        lambda state: put(state, torch.full((4, 3), 10**9), "experience", "replay", "rows"),
        lambda state: put(state, {}, "agent", "weights"),
        lambda state: cut(state, "agent", "watchdog", "bound"),
    ],
)
def test_a_resume_point_that_was_tampered_with_is_one_line(run, tmp_path, tamper) -> None:
    copy = shutil.copytree(run.folder, tmp_path / "copy")
    path = copy / "resume" / "state.pt"
    state = torch.load(path, weights_only=True)
    tamper(state)
    torch.save(state, path)
    with pytest.raises(LivedqnError, match=r"is damaged or was changed|does not fit its networks as they") as caught:
        livedqn.train(SIM, reward=Clicks(), folder=copy, resume=str(copy), **SMALL)
    assert "\n" not in str(caught.value)


def test_a_finished_run_is_evaluated_anew_and_another_network_refused(run, tmp_path) -> None:
    copy = shutil.copytree(run.folder, tmp_path / "copy")
    (copy / "policy.ckpt").unlink()  # it is in the resume point, too
    again = livedqn.train(SIM, reward=Clicks(), folder=copy, resume=str(copy), **SMALL)
    assert again.evaluation is not None and run.evaluation is not None
    assert again.evaluation.to_dict() == run.evaluation.to_dict()
    with pytest.raises(LivedqnError, match=r"has done 1,500 steps; give steps=1500 or more"):
        livedqn.train(SIM, reward=Clicks(), folder=copy, resume=str(copy), **{**SMALL, "steps": 10})
    wider = {**SMALL, "encoder": {"plugin": "mlp", "hidden": [8]}}
    with pytest.raises(LivedqnError, match=r"copy had another encoder\.hidden; a run goes on as it was, so leave it"):
        livedqn.train(SIM, reward=Clicks(), folder=copy, resume=str(copy), **wider)
    (copy / "metrics.csv").write_text("nonsense\n1\n")
    with pytest.raises(LivedqnError, match="no column 'step'"):
        livedqn.train(SIM, reward=Clicks(), folder=copy, resume=str(copy), **SMALL)


class Own(MLP):
    """An encoder that no plugin offers."""

    def __init__(self, spec) -> None:
        super().__init__(spec, hidden=(8,))


def test_parts_of_ones_own_are_no_part_of_a_file_and_are_given_again(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    parts = {"encoder": Own, "exploration": Boltzmann(), "replay": lambda *supplied: Uniform(*supplied, capacity=900)}
    small = {**SMALL, "steps": 400, "save_every": 200, "encoder": None}
    run = livedqn.train(SIM, folder="run", **{**small, **parts})
    config = yaml.safe_load(Path("run/config.yaml").read_text())
    assert [config[kind] for kind in parts] == [None] * 3
    assert (config["env"], config["reward"]) == (SIM, {"plugin": "native"})

    lost = "run/policy.ckpt was trained from Python with an encoder of its own, which no file keeps; give it again"
    with pytest.raises(LivedqnError, match=f"^{lost}, from Python: livedqn.load\\('run/policy.ckpt', encoder=...\\)$"):
        livedqn.load("run/policy.ckpt")
    with pytest.raises(
        LivedqnError, match=r"^run/policy.ckpt does not fit the encoder that was given: (Missing|Unexpected|size) .*"
    ):
        livedqn.load("run/policy.ckpt", encoder=MLP)
    with pytest.raises(LivedqnError, match=f"^{lost}"):
        livedqn.train(SIM, folder="next", init="run/policy.ckpt", **{**small, "encoder": "mlp"})
    agent = livedqn.load("run/policy.ckpt", encoder=Own)
    assert all(torch.equal(value, agent.state_dict()[name]) for name, value in run.agent.state_dict().items())
    livedqn.train(SIM, folder="next", init="run/policy.ckpt", **{**small, "encoder": Own})

    with pytest.raises(LivedqnError, match=r"^run had encoder and exploration and replay of its own, .*give encoder= "):
        livedqn.train(resume="run")
    longer = livedqn.train(resume=Path("run"), **parts, steps=600)
    assert (longer.folder, longer.agent.updates) == (Path("run"), (600 - 300) // 4)
    assert yaml.safe_load(Path("run/config.yaml").read_text())["steps"] == 600


def test_python_compares_as_the_run_itself_does(run) -> None:
    again = livedqn.compare(run.agent, SIM, reward=Clicks(), steps=1_500, **SMALL["evaluation"])
    assert again.to_dict() == run.evaluation.to_dict()


def test_what_a_run_leaves_is_short_to_look_at(run) -> None:
    assert len(repr(run)) < 1_000
    assert "agents=('policy',)" in repr(run.evaluation)


def test_divergence_stops_with_the_last_good_policy(tmp_path) -> None:
    wild = {**SMALL["agent"], "learning_rate": 1e30, "gradient_clip": 1e30}
    with pytest.raises(
        LivedqnError, match=r"training diverged by update .*policy\.ckpt keeps the policy that was chosen"
    ):
        livedqn.train(SIM, folder=tmp_path, **{**SMALL, "agent": wild})
    assert livedqn.load(tmp_path / "policy.ckpt").spec.has_rooms


def test_marks_are_fixed_before_the_run_whatever_it_resumes_from() -> None:
    whole = Marks.of(2_000, 0, num_envs=64, points=4, save_every=600)
    resumed = Marks.of(2_000, 640, num_envs=64, points=4, save_every=600)
    assert sorted(whole.evaluate) == [512, 1_024, 1_536, 2_048]
    assert sorted(whole.save) == [640, 1_216, 1_856, 2_048]
    assert [mark for mark in whole if mark > 640] == list(resumed)
    assert len(resumed) == len(list(resumed))


@pytest.mark.parametrize(
    ("steps", "num_envs", "rows"), [(50_000, 16, 100), (1_000_000, 1_024, 100), (1_000, 4, 4), (50, 16, 1)]
)
def test_a_run_logs_a_hundred_rows_or_one_a_tick(steps: int, num_envs: int, rows: int) -> None:
    marks = Marks.of(steps, 0, num_envs=num_envs, points=1, save_every=steps)
    assert len(marks.log) == rows
    assert max(marks.log) == marks.total
    assert marks.log <= set(marks)


def test_a_run_of_very_many_steps_has_as_many_marks_as_one_of_many() -> None:
    marks = Marks.of(10**11, 0, num_envs=1_024, points=10, save_every=10**10)
    assert marks.total == 10**11
    assert len(marks) <= 1_000_020


def test_a_run_takes_no_other_runs_place(run):
    before = (run.folder / "policy.ckpt").read_bytes()
    with pytest.raises(LivedqnError, match=r"holds a policy already, .* go on with it by resume="):
        livedqn.train(SIM, reward=Clicks(), folder=run.folder, seed=7, **SMALL)
    assert (run.folder / "policy.ckpt").read_bytes() == before
