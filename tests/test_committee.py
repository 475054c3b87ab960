"""Several policies act as one: by the mean of their values, through files too."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from doubles import Fixed

import livedqn
from livedqn import checkpoint, plugins
from livedqn.checkpoint import Checkpoint
from livedqn.committee import Committee
from livedqn.config import CapConfig
from livedqn.rewards import Native
from livedqn.stage import Stage
from livedqn.types import LivedqnError, Spec

INF = np.inf
CONFIG = {
    "env": {"plugin": "sim", "days": 1, "streamers": 60}, "reward": {"plugin": "watchtime"},
    "agent": {"plugin": "dqn", "hidden": 8}, "encoder": {"plugin": "mlp", "hidden": [8]},
}  # fmt: skip


def test_it_goes_by_the_mean_of_its_members_however_many_estimates_each_has() -> None:
    committee = Committee([Fixed([[0, 4, 1]]), Fixed([[0, -5, 2], [0, -3, 4]])])
    assert committee.ensemble == 2
    assert committee.q_values({}).tolist() == [[[0, 4, 1]], [[0, -4, 3]]]
    assert committee.preferences(committee.q_values({})).tolist() == [[0, 0, 2]]
    assert committee.act({}).tolist() == [2]  # where the first alone would have taken 1
    committee.margin.fill_(2.5)
    assert committee.act({}).tolist() == [0]


def test_what_a_member_rules_out_nobody_does() -> None:
    committee = Committee([Fixed([[0, -INF, 1]]), Fixed([[0, 9, 1]])])
    assert committee.act({}).tolist() == [2]


def test_what_is_expected_at_once_is_the_mean_where_all_know_it() -> None:
    known, other = Fixed([[0]], [1, 4], discount=0.5), Fixed([[0]], [3, 0], discount=0.5)
    assert np.array_equal(Committee([known, other]).myopic_values({}), [[2, 2]])  # type: ignore[arg-type]
    assert Committee([known, Fixed([[0]])]).myopic_values({}) is None
    assert Committee([known, other]).discount_of(np.zeros(2, np.float32)).tolist() == [0.5, 0.5]


# ---- as files -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def stage() -> Stage:
    return Stage(plugins.build("env", CONFIG["env"], 3), Native(), CapConfig())


def trained(folder: Path, stage: Stage, seed: int, **changed: object) -> Checkpoint:
    """A policy as a run leaves it, with weights of its own."""
    torch.manual_seed(seed)
    config = {**CONFIG, "seed": seed, **changed}
    agent = checkpoint.build_agent(config, stage.spec)
    agent.margin.fill_(1e-3 * seed)  # less than what values of fresh weights differ by
    path = folder / f"{seed}.ckpt"
    checkpoint.save(path, agent, config, 100, {}, agent.state_dict())
    return checkpoint.read(path)


def test_its_file_acts_as_the_mean_of_the_files_of_its_members(tmp_path, stage) -> None:
    found = [trained(tmp_path, stage, seed) for seed in (1, 2)]
    found.append(trained(tmp_path, stage, 6, encoder={"plugin": "mlp", "hidden": [4, 4]}))
    checkpoint.average(found, tmp_path / "mean.ckpt").save(tmp_path / "mean.ckpt")
    observation = stage.reset(0, "test")
    expected = np.concatenate([one.agent.q_values(observation) for one in found])
    again = checkpoint.read(tmp_path / "mean.ckpt")
    assert np.array_equal(again.agent.q_values(observation), expected)
    expected[..., 0] += 3e-3  # the mean of the margins
    actions = livedqn.load(tmp_path / "mean.ckpt").act(observation)
    assert np.array_equal(actions, again.agent.listed(expected, observation).mean(axis=0).argmax(axis=1))
    assert actions.any()
    assert (again.steps, again.config["seed"], [one["seed"] for one in again.member_configs]) == (300, 1, [1, 2, 6])


def test_the_mean_of_a_mean_is_that_of_all(tmp_path, stage) -> None:
    one, two, three = (trained(tmp_path, stage, seed) for seed in (1, 2, 3))
    pair = checkpoint.average([one, two], tmp_path / "pair.ckpt")
    checkpoint.average([pair, three], tmp_path / "all.ckpt").save(tmp_path / "all.ckpt")
    observation = stage.reset(0, "test")
    found = checkpoint.read(tmp_path / "all.ckpt")
    straight = Committee([one.agent, two.agent, three.agent])
    assert np.array_equal(found.agent.q_values(observation), straight.q_values(observation))
    assert (len(found.member_configs), float(found.agent.margin)) == (3, pytest.approx(2e-3))


def test_it_has_learned_from_what_its_members_have(tmp_path, stage) -> None:
    logs = [{"plugin": "parquet", "path": name} for name in "ab"]
    one = trained(tmp_path, stage, 1, logs=logs[0], holdout=0.2)
    two = trained(tmp_path, stage, 2, logs=logs[1], holdout=0.1)
    mean = checkpoint.average([one, two], tmp_path / "mean.ckpt")
    assert [(o["logs"], o["holdout"]) for o in checkpoint.learned_from(mean.config)] == [(logs[0], 0.2), (logs[1], 0.1)]


AGENT = CONFIG["agent"]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"reward": {"plugin": "engagement"}}, "their rewards differ"),
        ({"reward": None}, "the reward was one of Python's own, which no file keeps"),
        ({"agent": {**AGENT, "discount": 0.9}}, "their discounts differ"),
        ({"agent": {**AGENT, "discount_time_unit_s": 60.0}}, "their discounts differ"),
    ],
)
def test_policies_that_are_worth_something_else_have_no_mean(tmp_path, stage, changed, said) -> None:
    one, other = trained(tmp_path, stage, 1), trained(tmp_path, stage, 2, **changed)
    with pytest.raises(LivedqnError, match=rf"1\.ckpt and .*2\.ckpt have no mean, since {said}; average policies"):
        checkpoint.average([one, other], tmp_path / "mean.ckpt")


def test_policies_have_a_mean_where_they_see_the_same_of_however_many_rooms(tmp_path, stage) -> None:
    def shown(**changed: object) -> Checkpoint:
        return trained(tmp_path, SimpleNamespace(spec=replace(stage.spec, **changed)), 2)  # type: ignore[arg-type]

    one, path = trained(tmp_path, stage, 1), tmp_path / "mean.ckpt"
    assert len(checkpoint.average([one, shown(num_actions=7, signals=())], path).member_configs) == 2
    with pytest.raises(LivedqnError, match="since they differ in history length, 10 and 3"):
        checkpoint.average([one, shown(history_length=3)], path)
    with pytest.raises(LivedqnError, match=r"since only one of them .* where \*nothing\* may be shown"):
        checkpoint.average([one, shown(has_nothing=False)], path)


def test_what_each_rules_out_together_may_be_all_where_nothing_is_not_to_be_shown(tmp_path, stage) -> None:
    def cautious(spec: Spec, *seeds: int) -> list[Checkpoint]:
        agent = {**AGENT, "bcq_threshold": 0.3}
        return [trained(tmp_path, SimpleNamespace(spec=spec), seed, agent=agent) for seed in seeds]  # type: ignore[arg-type]

    path, must_show = tmp_path / "mean.ckpt", replace(stage.spec, has_nothing=False)
    assert checkpoint.average(cautious(stage.spec, 1, 2), path).member_configs  # *nothing* is always left
    plain = trained(tmp_path, SimpleNamespace(spec=must_show), 3)  # type: ignore[arg-type]
    assert checkpoint.average([*cautious(must_show, 1), plain], path).member_configs
    with pytest.raises(LivedqnError, match=r"1\.ckpt and the others have no mean: by agent\.bcq_threshold each rules"):
        checkpoint.average(cautious(must_show, 1, 2), path)


def test_training_begins_from_one_policy(tmp_path, stage) -> None:
    found = [trained(tmp_path, stage, seed) for seed in (1, 2)]
    checkpoint.average(found, tmp_path / "mean.ckpt").save(tmp_path / "mean.ckpt")
    parts = {name: CONFIG[name] for name in ("reward", "agent", "encoder")}
    with pytest.raises(LivedqnError, match=r"mean\.ckpt is the mean of several policies; begin from one of those"):
        livedqn.train(CONFIG["env"], folder=tmp_path / "run", init=str(tmp_path / "mean.ckpt"), **parts)
