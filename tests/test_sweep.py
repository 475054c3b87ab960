"""The sweep file for W&B: every command that an agent would start is one that livedqn understands."""

import itertools
import sys
from pathlib import Path

import pytest
import yaml

import livedqn
from livedqn import plugins
from livedqn.cli.words import read
from livedqn.plugins.signature import settings
from livedqn.tracking import read_metrics

FILE = Path(__file__).parents[1] / "sweep.yaml"
pytestmark = pytest.mark.skipif(not FILE.is_file(), reason="needs the checkout: the file is no part of the wheel")


def commands():
    """As W&B's agent fills in the command, for the corners of the parameters."""
    from wandb.sdk.launch.sweeps.utils import create_sweep_command, create_sweep_command_args

    sweep = yaml.safe_load(FILE.read_text())
    choices = [p.get("values") or [p["min"], p["max"]] for p in sweep["parameters"].values()]
    for chosen in itertools.zip_longest(*choices, fillvalue=None):
        values = [choice if choice is not None else options[0] for choice, options in zip(chosen, choices, strict=True)]
        named = {name: {"value": value} for name, value in zip(sweep["parameters"], values, strict=True)}
        macros = create_sweep_command_args({"args": named}) | {"interpreter": ["python"], "env": ["/usr/bin/env"]}
        words = create_sweep_command(list(sweep["command"]))
        yield [part for word in words for part in (macros[word[2:-1]] if word.startswith("${") else [word])]


def test_every_corner_of_the_sweep_composes(monkeypatch, capsys):
    from livedqn import cli

    found = list(commands())
    assert len(found) == 4
    for command in found:
        assert command[:4] == ["/usr/bin/env", "python", "-m", "livedqn"]
        assert read(command[4:]).command == "train"
        monkeypatch.setenv("HYDRA_FULL_ERROR", "1")
        monkeypatch.setattr(sys, "argv", ["livedqn", *command[4:], "--cfg", "job"])
        cli.main()
        composed = yaml.safe_load(capsys.readouterr().out)
        assert composed["logger"]["mode"] == "online"
        assert composed["reward"]["plugin"] == "watchtime"


def test_the_usual_policy_is_among_what_is_tried():
    parameters = yaml.safe_load(FILE.read_text())["parameters"]
    usual = {one.name: one.make_default() for one in settings("agent", "dqn") if one.make_default}
    for name, choice in parameters.items():
        value = usual[name.partition(".")[2]] if "." in name else plugins.defaults()[name]
        assert value in choice["values"] if "values" in choice else choice["min"] <= value <= choice["max"], name


@pytest.mark.usefixtures("no_pictures")
def test_the_goal_is_a_metric_that_training_logs(tmp_path):
    goal = yaml.safe_load(FILE.read_text())["metric"]["name"]
    run = livedqn.train(
        {"plugin": "sim", "days": 1, "streamers": 60, "max_requests": 10},
        folder=tmp_path, steps=300, num_envs=4, agent={"plugin": "dqn", "warmup_steps": 100, "batch_size": 16},
        evaluation={"worlds": 2, "episodes": 2, "validation_worlds": 1, "validation_episodes": 2,
                    "tuning_episodes": 2, "points": 1},
    )  # fmt: skip
    assert goal in read_metrics(run.folder / "metrics.csv")
