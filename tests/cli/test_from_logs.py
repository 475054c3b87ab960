"""``livedqn logs=parquet``: a policy of logs that another policy made, from the command line."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from omegaconf import OmegaConf

from livedqn import checkpoint
from livedqn.logs.writer import Writer
from livedqn.testing import LOGS_SPEC, example_impressions

SIM = ["env.days=1", "env.streamers=60", "env.max_requests=6"]
TINY = [
    "steps=400", "num_envs=4", "agent.warmup_steps=100", "agent.batch_size=8", "agent.steps_per_update=8",
    "evaluation.worlds=2", "evaluation.episodes=2", "evaluation.validation_worlds=1",
    "evaluation.validation_episodes=2", "evaluation.tuning_episodes=2", "evaluation.points=2", "reward=watchtime",
]  # fmt: skip
#: Of an agent that learns from a hundred steps.
BRIEF = {"warmup_steps": 40, "steps_per_update": 8, "batch_size": 8}
LOGS = ["logs=parquet", "logs.path=logs"]


@pytest.fixture
def logged(livedqn):
    """Logs of a few simulated sessions, in ``logs``."""
    outcome = livedqn("collect", "+env=sim", *SIM, "num_envs=8", "steps=240", "out=logs")
    assert outcome.code == 0, outcome.err
    return livedqn


def weights(run):
    return torch.load(f"{run}/final.ckpt", weights_only=True)["weights"]


def test_a_policy_without_an_environment(logged):
    outcome = logged(*LOGS, *TINY, "hydra.run.dir=run", "agent.cql_alpha=1", "agent.bcq_threshold=0.1")
    assert outcome.code == 0, outcome.err
    lines = outcome.out.splitlines()
    assert lines[0].startswith("logs: ") and lines[0].endswith(" sessions to learn from")
    assert lines[1].startswith("held out: ") and lines[-3].startswith("passes: ")
    assert lines[-2:] == [
        "policy.ckpt: the newest weights, at step 400",
        "not evaluated; report: run/report.html; judge it: livedqn evaluate checkpoint=run/policy.ckpt logs=…",
    ]
    found = checkpoint.read("run/policy.ckpt")
    assert found.config["logs"] == {"plugin": "parquet", "path": str(Path("logs").resolve())}
    assert (found.config["env"], found.config["holdout"], found.steps) == (None, 0.2, 400)
    assert float(found.agent.margin) == 0
    found.agent.margin.fill_(0.5)  # as the docs do
    found.save("wary.ckpt")
    assert float(checkpoint.load("wary.ckpt").margin) == 0.5
    found.agent.margin.zero_()
    newest = weights("run")
    assert all(torch.equal(value, newest[name]) for name, value in found.agent.state_dict().items())
    page = Path("run/report.html").read_text()
    assert "logs of parquet, rewarded by watchtime" in page and "Not evaluated" in page and "held out: " in page
    assert not Path("run/evaluation.json").exists()
    with Path("run/metrics.csv").open() as file:
        last = list(csv.DictReader(file))[-1]
    assert float(last["epochs"]) >= 1 and last["return"] and last["loss"] and "epsilon" not in last


def test_an_environment_beside_it_is_for_evaluation(logged, no_pictures):
    outcome = logged(*LOGS, "env=sim", *SIM, *TINY, "hydra.run.dir=run")
    assert outcome.code == 0, outcome.err
    assert "policy.ckpt: chosen by 2 in-training evaluations" in outcome.out
    assert set(json.loads(Path("run/evaluation.json").read_text())) >= {"policy", "random", "myopic"}
    assert "does not fit this" not in outcome.err
    assert "the logs do not fit this environment: they differ in history length, " in (
        logged(*LOGS, "env=sim", "env.history=3", *TINY).error
    )


def test_the_same_seed_is_the_same_policy_and_a_stopped_run_goes_on_to_it(logged, no_pictures, monkeypatch):
    paced = "agent.learning_rate_updates=40"  # else one that is longer has another schedule
    for run, words in (("whole", ["steps=400", paced]), ("part", ["steps=200", paced])):
        assert logged(*LOGS, *TINY, *words, f"hydra.run.dir={run}").code == 0
    noted = yaml.safe_load(Path("part/config.yaml").read_text())["logs_files"]
    monkeypatch.setattr("livedqn.setup.digests", lambda logs: [*noted, "of a new file"])
    outcome = logged("resume=part", "steps=400")
    assert outcome.code == 0, outcome.err
    assert noted and yaml.safe_load(Path("part/config.yaml").read_text())["logs_files"] == [*noted, "of a new file"]
    whole, resumed = weights("whole"), weights("part")
    assert all(torch.equal(value, resumed[name]) for name, value in whole.items())
    assert "lies there" not in outcome.out and "policy.ckpt: the newest weights, at step 400" in outcome.out
    assert logged("evaluate", "checkpoint=part/policy.ckpt").error == (
        "part/policy.ckpt was trained from logs, without env; say which: env=<name>"
    )
    assert "policy" in logged("evaluate", "checkpoint=part/policy.ckpt", "env=sim", *SIM).out


def settings(run):
    return OmegaConf.to_container(OmegaConf.load(f"{run}/config.yaml"))


def test_without_a_word_the_logs_say_how_long_a_run_is_and_its_schedule_fits(logged, no_pictures, monkeypatch):
    monkeypatch.setattr("livedqn.sources.LOGGED_STEPS", 1)
    words = [*LOGS, *[word for word in TINY if not word.startswith("steps=")]]
    outcome = logged(*words, "hydra.run.dir=run")
    assert outcome.code == 0, outcome.err
    seen = int(outcome.out.split()[1])  # logs: 187 impressions ...
    config = settings("run")
    assert (config["steps"], config["epochs"]) == (seen, None)
    made = -(-seen // 4) * 4  # four rows step together
    assert config["agent"]["learning_rate_updates"] == (made - 100) // 8
    assert f"steps={seen}: 1 times the {seen} impressions that there are to learn from\n" in outcome.err
    assert f"{made} steps of logs make no update, since agent.warmup_steps=500, agent.steps_per_update=8 and num" in (
        logged(*words, "agent.warmup_steps=500").err
    )
    outcome = logged(*words, "epochs=1.5", "hydra.run.dir=more")
    assert outcome.code == 0, outcome.err
    assert settings("more")["steps"] == -(-3 * seen // 2)
    assert logged(*LOGS, *TINY, "hydra.run.dir=own").code == 0  # steps=400, which is all that is said of its length
    assert settings("own")["agent"]["learning_rate_updates"] == (400 - 100) // 8
    assert "counting" not in logged("resume=run", "steps=400").err
    config = settings("run")
    assert (config["steps"], config["agent"]["learning_rate_updates"]) == (400, (made - 100) // 8)


def test_a_run_that_python_goes_on_with_keeps_its_schedule(logged, no_pictures):
    import livedqn

    agent = {"plugin": "dqn", "warmup_steps": 100, "batch_size": 8, "steps_per_update": 8}
    given = {"logs": {"plugin": "parquet", "path": "logs"}, "num_envs": 4, "agent": agent, "reward": "watchtime"}
    livedqn.train(folder="run", epochs=1, **given)
    updates = settings("run")["agent"]["learning_rate_updates"]
    assert updates and updates < 40
    run = livedqn.train(folder="run", resume="run", steps=300, **given)
    assert run.agent.learning_rate_updates == settings("run")["agent"]["learning_rate_updates"] == updates


def test_without_a_word_the_logs_say_how_far_they_are_kept_to(livedqn, no_pictures):
    chance = example_impressions([3] * 80)
    n, rng = chance.observation["mask"].sum(axis=1), np.random.default_rng(0)
    is_best = rng.random(len(n)) < np.where(n > 1, 0.8, 1)
    p = np.where(is_best, np.where(n > 1, 0.8, 1), 0.2 / np.maximum(n - 1, 1))
    p, watch_s = np.where(chance.acted, [p, 600 * is_best], np.nan).astype(np.float32)
    good = replace(chance, propensity=p, signals=chance.signals | {"watch_s": watch_s})
    forgot = replace(good, propensity=np.where(good.request == 1, np.nan, p).astype(np.float32))
    for name, made in (("chance", chance), ("good", good), ("forgot", forgot)):
        with Writer(Path(name), LOGS_SPEC) as writer:
            writer.add(made)

    def told(name, *words, run="run"):
        outcome = livedqn("logs=parquet", f"logs.path={name}", *TINY, "steps=120", f"hydra.run.dir={run}", *words)
        assert outcome.code == 0, outcome.err
        lines = [line for line in outcome.err.splitlines() if line.startswith("agent.cql_alpha=")]
        return settings(run)["agent"]["cql_alpha"], lines

    alpha, (line,) = told("good")
    assert alpha == 0.03 == checkpoint.read_config("run/policy.ckpt")["agent"]["cql_alpha"]
    assert line.startswith("agent.cql_alpha=0.03: a uniform choice at one request changes what a session earns from")
    assert line.endswith("]: the logs' policy is better than chance, so it is kept to")
    outcome = livedqn("resume=run", "steps=140")
    assert outcome.code == 0 and "counting" not in outcome.err
    assert settings("run")["agent"]["cql_alpha"] == 0.03
    alpha, (line,) = told("chance", run="other")
    assert alpha == 0 and line.endswith(", by +0 [0, 0]: the logs' policy is no better than chance")
    alpha, (line,) = told("forgot", run="third")
    assert alpha == 0.03 and line.startswith("agent.cql_alpha=0.03: 1 of 183 impressions have no propensity: nobody")
    assert told("good", "agent.cql_alpha=0", run="fourth") == (0, [])


def test_values_that_run_away_are_said(logged, no_pictures, monkeypatch):
    monkeypatch.setattr("livedqn.watchdog.RUNAWAY", -1e9)
    outcome = logged(*LOGS, *TINY, "hydra.run.dir=run")
    assert outcome.code == 0, outcome.err
    assert outcome.err.count("values run away: their mean, ") == 1
    warning = outcome.out.splitlines()[-3]
    assert warning.startswith("values run away: their mean, ")
    assert warning in logged("resume=run").out.splitlines()


def test_days_that_training_leaves_to_judging(livedqn, no_pictures):
    with Writer(Path("logs"), LOGS_SPEC) as writer:
        for day in range(3):
            writer.add(example_impressions([2] * 150, start_s=day * 24 * 3600, first=1_000 * day))
    words = [*LOGS, *TINY, "num_envs=20", "holdout=0", "before=1970-01-02", "agent.learning_rate_updates=40"]
    for run, steps in (("whole", 400), ("part", 200)):
        outcome = livedqn(*words, f"steps={steps}", f"hydra.run.dir={run}")
        assert outcome.code == 0, outcome.err
        assert "logs: 300 impressions of 150 sessions to learn from" in outcome.out or steps == 200
        assert "later: 600 impressions of days that training never sees" in outcome.out or steps == 200
    assert livedqn("resume=part", "steps=400").code == 0
    whole, resumed = weights("whole"), weights("part")
    assert all(torch.equal(value, resumed[name]) for name, value in whole.items())
    judge = ["evaluate", "checkpoint=part/policy.ckpt", *LOGS, "policies=[random]", "hydra.run.dir=out"]
    assert "was trained on these logs before 1970-01-02, on all viewers; evaluate it on others, from that day on" in (
        livedqn(*judge).error
    )
    outcome = livedqn(*judge, "ope.since=1970-01-02")
    assert outcome.code == 0, outcome.err
    assert outcome.out.startswith("600 impressions, 300 sessions of 300 viewers\n")


def test_a_policy_of_logs_as_init_and_from_python(logged, no_pictures):
    import livedqn
    from livedqn import checkpoint

    settings = {
        "logs": {"plugin": "parquet", "path": "logs"},
        "steps": 100,
        "num_envs": 4,
        "agent": {"plugin": "dqn", **BRIEF},
    }
    run = livedqn.train(reward="watchtime", folder="one", **settings)
    assert run.evaluation is None and not run.stopped_by
    again = livedqn.train(reward="watchtime", folder="two", init="one/policy.ckpt", **settings)
    assert again.folder == Path("two")
    first, second = (checkpoint.read_config(f"{folder}/policy.ckpt") for folder in ("one", "two"))
    assert first["logs"]["path"] == str(Path("logs").resolve())  # wherever it is read
    assert second["learned_from"] == [
        {"logs": first["logs"], "holdout": 0.2, "before": "", "files": first["logs_files"]}
    ]


def test_a_run_that_was_evaluated_in_an_env_of_its_own_does_not_go_on_without(logged, no_pictures):
    import livedqn
    from livedqn import plugins

    def own(rows):
        return plugins.build("env", {"plugin": "sim", "days": 1, "streamers": 60, "max_requests": 6}, rows)

    sizes = {"worlds": 2, "episodes": 2, "validation_worlds": 1, "validation_episodes": 2, "tuning_episodes": 2}
    settings = {"logs": {"plugin": "parquet", "path": "logs"}, "num_envs": 4, "agent": {"plugin": "dqn", **BRIEF}}
    settings |= {"evaluation": {**sizes, "points": 1}}
    livedqn.train(own, reward="watchtime", folder="run", steps=100, **settings)
    before = sorted((path, path.stat().st_mtime_ns) for path in Path("run").iterdir())
    why = logged("resume=run", "steps=200").error
    assert "run was evaluated in an env of its own, from Python, which no file keeps; go on from there: livedqn" in why
    assert sorted((path, path.stat().st_mtime_ns) for path in Path("run").iterdir()) == before
    again = livedqn.train(own, reward="watchtime", folder="run", resume="run", steps=200, **settings)
    assert again.evaluation is not None
    livedqn.train(reward="watchtime", folder="other", steps=100, **settings)
    with pytest.raises(livedqn.LivedqnError, match="other was evaluated in no env; a run goes on as it was, so leave"):
        livedqn.train(own, resume="other", steps=200)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["reward=native", "logs.path=nosuch"], "logs.path=nosuch does not exist"),
        (["exploration=boltzmann"], "logs were explored by whoever made them, so exploration cannot be set"),
        (["exploration_floor=0.1"], "so exploration_floor cannot be set"),
        (["env.days=3"], "env.days belongs to an environment; add env=<name> to evaluate in it"),
        (["cap.max_shown_per_session=3"], "so a cap acts in evaluation alone"),
        (["holdout=1"], "holdout=1.0 is no share"),
        (["epochs=2", "steps=9"], "steps=9 and epochs=2 both say how long it is; give one"),
        (["epochs=0"], "epochs=0 must be above 0"),
        (["before=yesterday"], "before=yesterday is no day; write YYYY-MM-DD"),
        (["before=1970-01-01", "holdout=0"], "they have 8 rows; later: 6 impressions of days that training"),
        (["reward=weighted", "reward.weights={gift_value: 1}"], "reads gift_value, which the log does not deliver"),
        (["env=gym"], "the logs do not fit this environment"),
        (["logs=parqet"], "there is no logs=parqet; did you mean 'parquet'"),
    ],
)  # fmt: skip
def test_refusals_leave_nothing(livedqn, words, why):
    with Writer(Path("logs"), LOGS_SPEC) as writer:
        writer.add(example_impressions([4, 2]))
    path = [] if any(word.startswith("logs.path") for word in words) else ["logs.path=logs"]
    assert why in livedqn("logs=parquet", *path, *words).error
    assert {item.name for item in Path().iterdir()} == {"logs"}


def test_settings_of_logs_want_logs(livedqn):
    assert "logs.path belongs to a reader of logs; add logs=parquet" in livedqn("logs.path=logs").error
    assert "epochs=2 is of logs; add logs=parquet, or give steps=" in livedqn("epochs=2").error
    assert "before=2026-11-20 is of logs; add logs=parquet" in livedqn("before=2026-11-20").error


def test_a_log_of_faults_is_refused(livedqn):
    import pyarrow.parquet as pq

    from livedqn.logs.arrow import to_arrow
    from livedqn.logs.schema import schema

    made = example_impressions([4] * 20)
    bad = replace(made, elapsed_s=np.where(made.session == 3, 0, made.elapsed_s).astype(np.float32))
    pq.write_table(to_arrow(bad, schema(LOGS_SPEC)), "bad.parquet")
    words = ["logs=parquet", "logs.path=bad.parquet", "steps=60", "num_envs=2", "reward=watchtime", "holdout=0"]
    words += [f"agent.{name}={value}" for name, value in BRIEF.items()]
    assert "5.0% of the logs' rows belong to sessions with a fault (4 rows: elapsed_s is not above 0)" in (
        livedqn(*words).error
    )
    outcome = livedqn(*words, "tolerated=0.1", "hydra.run.dir=run")
    assert outcome.code == 0, outcome.err
    assert "set aside: 5 rows, 1 whole sessions: elapsed_s is not above 0 (4 rows)" in outcome.out
