"""What Python tells a run becomes its config, before anything is built."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import yaml

import livedqn
from livedqn import plugins
from livedqn.config import CapConfig, CsvLogger, WandbLogger
from livedqn.encoders.mlp import MLP
from livedqn.exploration import Boltzmann
from livedqn.given import config_of
from livedqn.rewards import WatchTime
from livedqn.testing.specs import example_spec
from livedqn.types import LivedqnError


def test_what_is_not_said_is_as_on_the_command_line_but_for_the_environment() -> None:
    config = config_of({"steps": 5})
    assert config.env is None
    assert (config.reward, config.agent, config.logger) == ({"plugin": "native"}, {"plugin": "dqn"}, CsvLogger())


def test_settings_without_a_name_are_of_the_usual_plugin() -> None:
    config = config_of({"agent": {"discount": 0.9}, "encoder": "gru", "replay": {"plugin": "prioritised"}})
    assert config.agent == {"plugin": "dqn", "discount": 0.9}
    assert (config.encoder, config.replay) == ({"plugin": "gru"}, {"plugin": "prioritised"})


def test_numbers_of_numpy_and_paths_are_taken_wherever_they_stand() -> None:
    agent = {"discount": np.float32(0.5), "support": (np.float64(-1), np.int64(2))}
    config = config_of({"steps": np.int64(7), "seed": np.uint8(3), "agent": agent, "init": Path("a") / "b"})
    assert (config.steps, config.seed, config.init) == (7, 3, "a/b")
    assert config.agent == {"plugin": "dqn", "discount": 0.5, "support": [-1.0, 2]}
    assert {type(value) for value in (config.steps, config.seed, *config.agent["support"])} == {int, float}


def test_dollar_and_brace_are_text() -> None:
    config = config_of({"seed": 3, "init": "a/${seed}", "agent": {"discount": "${seed}"}, "logs": {"path": "${"}})
    assert (config.init, config.agent["discount"], config.logs) == ("a/${seed}", "${seed}", {"path": "${"})
    with pytest.raises(LivedqnError, match=r"agent\.discount: Value '\$\{seed\}'.* could not be converted to Float"):
        plugins.build("agent", config.agent, None, None)


def test_settings_may_be_a_dataclass() -> None:
    config = config_of({"logger": WandbLogger(mode="disabled"), "cap": CapConfig(0.5)})
    assert (config.logger, config.cap) == (WandbLogger(mode="disabled"), CapConfig(0.5))


def test_objects_stand_as_they_are() -> None:
    boltzmann = Boltzmann()
    config = config_of({"encoder": MLP, "exploration": boltzmann})
    assert config.encoder is MLP and config.exploration is boltzmann
    spec = example_spec()
    assert isinstance(plugins.build("encoder", config.encoder, spec), MLP)
    assert plugins.build("exploration", boltzmann) is boltzmann


@pytest.mark.parametrize(
    ("kind", "given", "said"),
    [
        (
            "reward",
            WatchTime,
            r"reward was given the class WatchTime; it takes an instance: reward=WatchTime\(\.\.\.\)",
        ),
        (
            "reward",
            lambda signals: signals["watch_s"],
            r"^reward=<lambda> \(from Python\) lacks signals; .*check_reward",
        ),
        (
            "reward",
            type("Str", (), {"signals": ("a"), "__call__": id})(),
            "has signals='a'; a reward owes a tuple of the",
        ),
        ("exploration", Boltzmann, "exploration was given the class Boltzmann; it takes an instance"),
        ("encoder", MLP(example_spec()), "encoder was given a MLP; it takes what makes one, a class or a function"),
        ("encoder", lambda spec: None, r"^encoder=<lambda> \(from Python\) lacks __call__, width"),
        ("replay", 3, "replay was given a int; it takes what makes one"),
    ],
)
def test_what_is_no_such_part_is_one_line(kind, given, said) -> None:
    supplied = [example_spec(), 1, 1][: {"encoder": 1, "replay": 3}.get(kind, 0)]
    with pytest.raises(plugins.PluginError, match=said) as caught:
        plugins.build(kind, given, *supplied)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"encoder": 5}, "got encoder=5; it takes a name, settings, or a callable"),
        ({"agent": {"discount": object()}}, "agent.discount: Value 'object' is not a supported primitive type"),
        ({"agent": {"discount": 0.9, "plugin": 3}}, "agent name no plugin"),
        ({"logger": True}, "got logger=True; it takes a name, or settings"),
        ({"logs": True, "resume": "run"}, "got logs=True; it takes a name, or settings"),
        ({"stesp": 3}, "^train.. cannot take that: there is no setting 'stesp'; did you mean 'steps'"),
        ({"logger": {"mode": "offline"}}, "there is no setting 'logger.mode'"),
    ],
)
def test_what_cannot_be_taken_names_its_key(told, said) -> None:
    with pytest.raises(LivedqnError, match=said):
        config = config_of(told)
        plugins.build("agent", config.agent, None, None)


@pytest.fixture
def saved(tmp_path, monkeypatch) -> dict:
    """The config of a run in the folder ``run``."""
    monkeypatch.chdir(tmp_path)
    parts = {kind: {"plugin": name} for kind, name in plugins.defaults().items()}
    config = {"seed": 3, "steps": 700, "epochs": None, "logs": None, "cap": asdict(CapConfig()), **parts}
    config |= {
        "reward": {"plugin": "weighted", "weights": {"liked": 2.0}},
        "agent": {"plugin": "dqn", "warmup_steps": 9},
    }
    Path("run").mkdir()
    Path("run/config.yaml").write_text(yaml.safe_dump(config))
    return config


def test_a_run_goes_on_as_it_was(saved) -> None:
    config = config_of({"resume": Path("run")})
    assert {name: value for name, value in asdict(config).items() if name in saved and name != "logger"} == {
        name: value for name, value in saved.items() if name != "logger"
    }
    again = {"seed": 3, "agent": {"warmup_steps": 9}, "cap": CapConfig(), "env": "sim"}
    assert config_of({"resume": "run", **again, "steps": 900}).steps == 900
    for logger in ({"plugin": "wandb", "mode": "disabled"}, WandbLogger(mode="disabled")):
        assert config_of({"resume": "run", "logger": logger}).logger == WandbLogger(mode="disabled")


@pytest.mark.parametrize(
    ("told", "key"),
    [
        ({"reward": "native"}, "reward.plugin"),
        ({"reward": WatchTime()}, "reward"),
        ({"agent": {"warmup_steps": 10}}, "agent.warmup_steps"),
        ({"encoder": {"hidden": [8]}}, "encoder.hidden"),
        ({"seed": 4}, "seed"),
        ({"epochs": 9}, "epochs"),
        ({"init": "old.ckpt"}, "init"),
        ({"logs": {"plugin": "parquet", "path": "logs"}}, "logs"),
    ],
)
def test_a_run_that_goes_on_is_no_other(saved, told, key) -> None:
    with pytest.raises(
        LivedqnError, match=rf"^run had another {key}; a run goes on as it was, so leave it out: .* stays, and steps"
    ):
        config_of({"resume": "run", **told})


def test_what_a_run_was_told_stays_text_when_it_goes_on(saved) -> None:
    Path("run/config.yaml").write_text(plugins.as_yaml({**saved, "env": {"plugin": "gym", "id": "${seed}"}}))
    assert config_of({"resume": "run"}).env == {"plugin": "gym", "id": "${seed}"}


def test_a_setting_of_the_run_that_this_livedqn_does_not_have_is_told_with_its_file(saved) -> None:
    Path("run/config.yaml").write_text(yaml.safe_dump({**saved, "revard": 1}))
    with pytest.raises(LivedqnError, match=r"^run/config\.yaml does not fit this livedqn: there is no .* 'revard'"):
        config_of({"resume": "run"})


def test_logs_are_the_same_wherever_they_are_named_from(saved) -> None:
    Path("logs").mkdir()
    logs = {"plugin": "parquet", "path": str(Path("logs").resolve())}
    Path("run/config.yaml").write_text(yaml.safe_dump({**saved, "env": None, "logs": logs}))
    assert config_of({"resume": "run", "logs": {"path": "logs"}}).logs == {"plugin": "parquet", "path": "logs"}
    with pytest.raises(LivedqnError, match=r"run had another logs\.path"):
        config_of({"resume": "run", "logs": {"path": "logs/other"}})


def test_code_that_a_file_names_is_imported_when_the_caller_names_it_too(saved) -> None:
    evil = {"plugin": "gym", "id": "evil:Env-v0"}
    Path("run/config.yaml").write_text(yaml.safe_dump({**saved, "env": evil}))
    for told in ({}, {"env": "gym"}):
        with pytest.raises(
            LivedqnError, match=r"^the environment of run imports code \(evil:Env-v0\); if you trust it"
        ):
            config_of({"resume": "run", **told})
    assert config_of({"resume": "run", "env": {"id": "evil:Env-v0"}}).env == evil


def test_a_run_goes_on_in_its_own_folder(saved) -> None:
    with pytest.raises(
        LivedqnError, match="run goes on where it lies, not in other; leave folder= out, or copy it first"
    ):
        livedqn.train(resume="run", folder="other")
    with pytest.raises(LivedqnError, match=r"nowhere/config\.yaml does not exist"):
        livedqn.train(resume="nowhere")
