"""Every form of the main job, and the configuration that reaches training."""

import gc
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from livedqn.config import CsvLogger, TrainConfig, WandbLogger


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("env=sim",),
        ("+env=sim",),
        ("++env=sim",),
        ("train", "+env=sim"),
        ("+env=sim", "+experiment=null", "+logger=csv"),
        ("+seed=0", "env=sim"),
    ],
)
def test_every_form_of_env_sim(livedqn, trained, words):
    outcome = livedqn(*words, "reward=watchtime")
    assert outcome.code == 0, outcome.err
    config, folder = trained[0]
    assert config.env["plugin"] == "sim"
    assert config.reward == {"plugin": "watchtime"}
    assert folder.parts[0] == "runs"
    assert not set("=,[]") & set(str(folder))


def test_training_gets_a_resolved_typed_config(livedqn, trained, monkeypatch):
    monkeypatch.setenv("WHO", "17")
    outcome = livedqn(
        "env=gym", "seed=${oc.env:WHO}", "cap.max_shown_per_session=5", "encoder=original", "logger=wandb",
        "+env.kwargs.sutton_barto_reward=true", "env.kwargs.other={a: 1}", "agent.discount=0.5",
    )  # fmt: skip
    assert outcome.code == 0, outcome.err
    config, _ = trained[0]
    assert isinstance(config, TrainConfig)
    assert config.seed == 17
    assert config.cap.max_shown_per_session == 5
    assert config.encoder == {"plugin": "mlp", "hidden": [64, 32]}
    assert config.env["kwargs"] == {"sutton_barto_reward": True, "other": {"a": 1}}
    assert config.agent["discount"] == 0.5
    assert config.logger == WandbLogger(mode="offline")
    assert yaml.safe_load(yaml.safe_dump(asdict(config)))["logger"]["plugin"] == "wandb"


def test_a_dictionary_takes_keys_in_each_of_three_ways(livedqn, trained):
    for words in (
        ["reward.weights.shown=-0.1", "reward.weights.clicked=1"],
        ["+reward.weights.shown=-0.1", "++reward.weights.clicked=1"],
        ["reward.weights={shown: -0.1, clicked: 1}"],
    ):
        assert livedqn("env=gym", "reward=weighted", *words).code == 0
    assert [config.reward["weights"] for config, _ in trained] == [{"shown": -0.1, "clicked": 1.0}] * 3


def test_frozen_dataclasses_are_configured_too(livedqn, trained):
    assert livedqn("env=sim", "env.viewers.feed_median_s=30").code == 0
    assert trained[0][0].env["viewers"]["feed_median_s"] == 30.0


@pytest.mark.parametrize(
    "words",
    [
        ("-m", "env=gym", "reward=weighted,native"),
        ("env=gym", "reward=weighted,native", "--multirun"),
        ("env=gym", "-m", "+reward=weighted,native"),
    ],
)
def test_multirun_in_any_order(livedqn, trained, words):
    outcome = livedqn(*words)
    assert outcome.code == 0, outcome.err
    assert outcome.out == ""  # stdout carries results; Hydra's words go to stderr
    assert [config.reward["plugin"] for config, _ in trained] == ["weighted", "native"]
    assert [folder.parts[:2] for _, folder in trained] == [("runs", "multi")] * 2
    assert not set("=,[]") & set("".join(str(folder) for _, folder in trained))


def test_a_setting_that_only_the_swept_plugins_have(livedqn, trained):
    outcome = livedqn("-m", "env=gym", "exploration=epsilon_greedy,boltzmann", "exploration.end=0.2", "seed=1,2")
    assert outcome.code == 0, outcome.err
    assert [(c.exploration["plugin"], c.exploration["end"], c.seed) for c, _ in trained] == [
        ("epsilon_greedy", 0.2, 1), ("epsilon_greedy", 0.2, 2), ("boltzmann", 0.2, 1), ("boltzmann", 0.2, 2),
    ]  # fmt: skip
    assert livedqn("-m", "env=gym", "encoder=gru,gru", "encoder.memory=7").code == 0  # mlp, the default, has none
    assert trained[-1][0].encoder["memory"] == 7


def test_a_strangers_plugin_is_an_option_as_ours_are(livedqn, trained, install):
    install(
        "gift",
        "reward",
        "Gift",
        """
        class Gift:
            signals = ("gift_value",)
            def __init__(self, scale: float = 1.0): self.scale = scale
            def __call__(self, signals): return self.scale * signals["gift_value"]
        """,
    )
    assert livedqn("env=gym", "reward=gift", "reward.scale=0.5").code == 0
    assert trained[0][0].reward == {"plugin": "gift", "scale": 0.5}
    assert "gift" in livedqn("--help").out


def test_a_preset_of_ones_own(livedqn, trained):
    folder = Path("mine/experiment")
    folder.mkdir(parents=True)
    (folder / "short.yaml").write_text("# @package _global_\nsteps: 7\nagent: {batch_size: 3}\n")
    assert livedqn("env=gym", "+experiment=short", "--config-dir", "mine").code == 0
    assert (trained[0][0].steps, trained[0][0].agent["batch_size"]) == (7, 3)


def test_what_was_printed_lies_in_the_folder(livedqn, monkeypatch):
    from livedqn import training

    def run(config, folder):
        print("the table")
        return training.Run(folder, None, None)

    monkeypatch.setattr(training, "run", run)
    assert livedqn("env=gym").out == "the table\n"
    (printed,) = Path("runs").rglob("printed.txt")
    assert printed.read_text() == "the table\n"


def test_a_run_that_a_signal_stopped_says_so_by_its_code(livedqn, monkeypatch):
    from livedqn import training

    monkeypatch.setattr(training, "run", lambda config, folder: training.Run(folder, None, None, 15))
    assert livedqn("env=gym").code == 128 + 15


def test_cfg_prints_and_does_nothing(livedqn, trained):
    outcome = livedqn("+env=gym", "logger=csv", "--cfg", "job")
    assert outcome.code == 0
    composed = yaml.safe_load(outcome.out)
    assert composed["env"] == {"plugin": "gym", "id": "CartPole-v1", "kwargs": {}}
    assert composed["logger"] == asdict(CsvLogger())
    assert trained == []
    assert list(Path().iterdir()) == []


def test_tab_completion_knows_a_typed_plus(livedqn, monkeypatch):
    monkeypatch.setenv("COMP_LINE", "livedqn +env=gy")
    assert livedqn("--shell-completion", "query=bash").out == "env=gym\n"
    monkeypatch.setenv("COMP_LINE", "livedqn +env=gym env.")
    assert "env.id=" in livedqn("-sc", "query=bash").out.split()


@pytest.mark.parametrize("line", ["livedqn evaluate env=gy", "livedqn -m +env=gy", "livedqn seed=1 --multirun env=gy"])
def test_tab_completion_knows_commands_and_flags(livedqn, monkeypatch, line):
    monkeypatch.setenv("COMP_LINE", line)
    assert livedqn("-sc", "query=bash").out == "env=gym\n"


def test_garbage_is_collected_again_once_a_job_has_its_modules(livedqn, monkeypatch):
    seen = []
    monkeypatch.setattr(
        "livedqn.training.run", lambda *_, **__: seen.append(gc.isenabled()) or SimpleNamespace(stopped_by=0)
    )
    assert livedqn("+env=sim").code == 0
    assert seen == [True]
    gc.disable()  # as it is while modules come
    assert livedqn("plugins").code == 0
    assert gc.isenabled()


@pytest.mark.parametrize("name", ["acrobot", "cartpole", "minatar"])
def test_a_preset_is_of_a_game(livedqn, trained, name):
    assert livedqn("+env=gym", f"+experiment={name}").code == 0
    config, _ = trained[0]
    assert config.env["id"].lower().startswith(name)
    assert config.encoder["plugin"] == ("conv" if name == "minatar" else "mlp")
    assert config.steps % config.num_envs == 0


def test_greedy_is_epsilon_greedy_without_an_epsilon(livedqn, trained):
    assert livedqn("env=gym", "exploration=greedy", "agent.noisy=true").code == 0
    config, _ = trained[0]
    assert (config.exploration["plugin"], config.exploration["start"], config.exploration["end"]) == (
        "epsilon_greedy", 0, 0
    )  # fmt: skip
