"""The command, on a checkpoint as a run leaves it."""

import json
import shutil
from dataclasses import asdict
from pathlib import Path

import pytest

from livedqn import checkpoint, plugins
from livedqn.config import CapConfig, EvaluateConfig, EvaluationConfig
from livedqn.evaluate import run
from livedqn.evaluate.policies import Rule
from livedqn.stage import Stage
from livedqn.types import LivedqnError

ENV = {"plugin": "sim", "streamers": 60, "days": 1}
CAP = {"max_share_shown": 1.0, "max_shown_per_session": None}
FEW = EvaluationConfig(worlds=2, episodes=3, validation_worlds=1, validation_episodes=3, tuning_episodes=3)


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """Two policies that have learned nothing, with a rule that needs no tuning."""
    folder = tmp_path_factory.mktemp("runs")
    config = {
        "env": ENV, "reward": {"plugin": "watchtime"}, "cap": CAP, "encoder": {"plugin": "mlp"},
        "agent": {"plugin": "dqn", "hidden": 8}, "steps": 100, "evaluation": asdict(FEW),
    }  # fmt: skip
    stage = Stage(plugins.build("env", ENV, 1), plugins.build("reward", "watchtime"), CapConfig())
    paths = [folder / name / "policy.ckpt" for name in ("a", "averages")]
    for path in paths:
        path.parent.mkdir()
        agent = checkpoint.build_agent(config, stage.spec)
        rules = {name: Rule(3.0, 2).to_dict() for name in ("hottest", "myopic")}
        checkpoint.save(path, agent, config, 100, rules, agent.state_dict())
    return [str(path) for path in paths]


def settings(saved, **changed):
    given = {"env": ENV, "reward": {"plugin": "watchtime"}, "policies": ["policy", "hottest"], "evaluation": FEW}
    return EvaluateConfig(checkpoint=saved, **{**given, **changed})


def test_one_policy(saved, tmp_path, capsys):
    run(settings(saved[:1]), tmp_path / "out")
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == str(tmp_path / "out")
    assert any("hottest from a score of 3, up to 2 a session" in line for line in lines)
    found = json.loads((tmp_path / "out" / "evaluation.json").read_text())
    assert list(found) == ["policy", "hottest"] and found["policy"]["return"]["n"] == 2


def test_several_policies_have_names_of_their_own(saved, tmp_path):
    run(settings(saved), tmp_path)
    assert list(json.loads((tmp_path / "evaluation.json").read_text())) == [
        "policy:a/policy",
        "policy:averages/policy",
        "hottest",
    ]


def test_refusals_come_before_anything_is_written(saved, tmp_path):
    for wrong, words in (
        (settings([]), "needs a policy"),
        (settings(saved[:1], policies=["hotest"]), "did you mean 'hottest'"),
        (settings(saved[:1], env={"plugin": "gym"}, reward={"plugin": "native"}), "does not fit this environment"),
        (settings(saved, average=True, env={"plugin": "gym"}, reward={"plugin": "native"}), r"a/policy\.ckpt does not"),
        (settings([str(tmp_path / "none.ckpt")]), "does not exist"),
    ):
        with pytest.raises(LivedqnError, match=words):
            run(wrong, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_an_environment_that_does_not_fit_is_closed(saved, tmp_path, monkeypatch):
    closed = []
    monkeypatch.setattr(Stage, "close", lambda stage: closed.append(stage.spec.has_rooms))
    with pytest.raises(LivedqnError, match="does not fit this environment"):
        run(settings(saved[:1], env={"plugin": "gym"}, reward={"plugin": "native"}), tmp_path / "out")
    assert closed == [False]


def test_the_mean_of_several_is_one_more_policy_and_is_left(saved, tmp_path, capsys):
    run(settings(saved, average=True, policies=["policy", "myopic", "linucb"]), tmp_path / "out")
    names = ["policy:average", "policy:a/policy", "policy:averages/policy"]
    found = json.loads((tmp_path / "out" / "evaluation.json").read_text())
    assert list(found)[:3] == names and "advantage_of_policy:average" in found["policy:a/policy"]
    assert f"policy:average: {tmp_path / 'out' / 'policy.ckpt'}" in capsys.readouterr().out
    left = checkpoint.read(tmp_path / "out" / "policy.ckpt")
    assert len(left.member_configs) == 2 and list(left.baselines) == ["myopic"]  # a bandit learns anew
    # as tuned for it here, so that it is the same policy when it is judged again, with nothing to tune
    run(settings([str(left.path)], policies=["policy", "myopic"]), tmp_path / "again")
    again = json.loads((tmp_path / "again" / "evaluation.json").read_text())
    assert (again["policy"]["return"], again["myopic"]["return"]) == (
        found["policy:average"]["return"], found["myopic:average"]["return"],
    )  # fmt: skip


def test_the_mean_takes_no_place_and_no_name_of_another_policy(saved, tmp_path):
    taken = shutil.copy(saved[0], tmp_path / "average.ckpt")
    with pytest.raises(LivedqnError, match=r"average\.ckpt has the name under which the mean is told.*; rename it"):
        run(settings([str(taken), saved[1]], average=True), tmp_path / "out")
    (tmp_path / "out").mkdir()
    there = shutil.copy(saved[0], tmp_path / "out" / "policy.ckpt")
    with pytest.raises(LivedqnError, match=r"policy\.ckpt is there already, .*; use another folder"):
        run(settings([str(there), saved[1]], average=True), tmp_path / "out")
    assert there.read_bytes() == taken.read_bytes() == Path(saved[0]).read_bytes()


def test_one_policy_has_no_mean(saved, tmp_path):
    with pytest.raises(LivedqnError, match="average=true is of several policies"):
        run(settings(saved[:1], average=True), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_folder_of_a_run_is_not_told_over(saved):
    with pytest.raises(LivedqnError, match=r"policy\.ckpt is there already, .*; use another folder"):
        run(settings(saved[:1]), Path(saved[0]).parent)
