"""``livedqn collect`` from the command line."""

from pathlib import Path

import pytest

from livedqn.logs.parquet import Parquet

SMALL = ["env.days=1", "env.streamers=60", "env.max_requests=6", "num_envs=4", "steps=40"]


def test_logs_and_nothing_else(livedqn):
    outcome = livedqn("collect", "+env=sim", "policy=hottest", "out=some logs", *SMALL)
    assert outcome.code == 0, outcome.err
    assert outcome.out.startswith("some logs: 40 impressions of hottest, ")
    assert {path.name for path in Path().iterdir()} == {"some logs"}
    logs = Parquet(path="some logs")
    assert logs.source["exploration"] == {
        "plugin": "epsilon_greedy",
        "start": 0.1,
        "end": 0.1,
        "steps": 100_000,
        "schedule": "linear",
    }
    assert logs.source["exploration_floor"] == 0.01


@pytest.mark.usefixtures("no_pictures")
def test_a_checkpoint_acts_in_its_own_environment(livedqn):
    trained = [
        "steps=200", "agent.warmup_steps=100", "agent.batch_size=8", "evaluation.worlds=2", "evaluation.episodes=2",
        "evaluation.validation_worlds=1", "evaluation.validation_episodes=2", "evaluation.tuning_episodes=2",
        "evaluation.points=1", "hydra.run.dir=run", "num_envs=4", "cap.max_shown_per_session=2",
    ]  # fmt: skip
    assert livedqn("env.days=1", "env.streamers=61", "env.max_requests=5", *trained).code == 0
    outcome = livedqn("collect", "checkpoint=run/policy.ckpt", "num_envs=4", "steps=40", "env.max_requests=6")
    assert outcome.code == 0, outcome.err
    source = Parquet(path="logs").source
    assert source["env"]["streamers"] == 61
    assert source["env"]["max_requests"] == 6
    assert source["cap"]["max_shown_per_session"] == 2
    assert source["version"].startswith("policy-")
    wrong = livedqn("collect", "checkpoint=run/policy.ckpt", "env.history=3", "out=other")
    assert "does not fit this environment" in wrong.error
    assert not Path("other").exists()


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (
            ["reward=watchtime"],
            "collect trains no policy, so reward cannot be set; only env and exploration can be chosen",
        ),
        (["-m", "seed=0,1"], "collect does one thing; leave out --multirun"),
        (["checkpoint=nosuch.ckpt"], "nosuch.ckpt does not exist"),
        (["nosuch=1"], "there is no setting 'nosuch'"),
    ],
)
def test_refusals(livedqn, words, why):
    assert why in livedqn("collect", *words).error
    assert not list(Path().iterdir())


def test_where_logs_cannot_lie_is_known_before_anything_is_played(livedqn):
    Path("some").write_text("a file")
    for out in ("some", "some/logs"):
        assert livedqn("collect", "+env=sim", f"out={out}", *SMALL).error.endswith("; look at what lies there")
