"""What docs/environments.md and docs/encoders.md show is what it is shown for."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

import livedqn
from livedqn import cli
from livedqn.testing import rooms_spec
from livedqn.types import ROLES

DOCS = next(path for folder in (Path(__file__).parents[1], Path.cwd()) if (path := folder / "docs").is_dir())
TINY = {
    "num_envs": 4, "agent": {"plugin": "dqn", "warmup_steps": 200, "batch_size": 8},
    "evaluation": {"worlds": 2, "episodes": 2, "validation_worlds": 1, "validation_episodes": 2, "tuning_episodes": 2,
                   "points": 1},
}  # fmt: skip


def blocks(page: str, language: str) -> list[str]:
    text = (DOCS / page).read_text(encoding="utf-8")
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def run(page: str) -> dict[str, Any]:
    """The names that the code of a page leaves, its training shortened."""
    names: dict[str, Any] = {"tiny": TINY}
    for block in blocks(page, "python"):
        exec(compile(block.replace("steps=20_000", "steps=400, **tiny"), page, "exec"), names)
    return names


@pytest.mark.usefixtures("no_pictures")
def test_the_environment_keeps_the_contract_and_is_trained_on(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    names = run("environments.md")
    assert {"policy", "hottest", "random"} <= names["run"].evaluation.played.keys()
    agent = livedqn.load(names["run"].folder / "policy.ckpt")
    observation, _ = names["Feed"](3, rooms=8).reset(seed=0)
    assert agent.act(observation).shape == (3,)
    assert agent.q_values(observation)[0].shape == (3, 9)


def test_every_role_is_explained() -> None:
    text = (DOCS / "environments.md").read_text(encoding="utf-8")
    for array, roles in ROLES.items():
        for role in roles:
            assert f"| `{array}` | `{role}` |" in text or f"`{role}` of the {array}" in text


@pytest.mark.usefixtures("no_pictures")
def test_the_encoders_keep_the_contract_and_are_trained_with(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    names = run("encoders.md")
    assert capsys.readouterr().out.startswith("compiled\ncompiled\n")
    assert isinstance(names["agent"].online.encoder, names["Recent"])


def test_its_presets_compose(tmp_path, monkeypatch, capsys) -> None:
    for name, text in zip(("encoder/forgetful", "experiment/hard"), blocks("encoders.md", "yaml"), strict=True):
        path = tmp_path / "mine" / f"{name}.yaml"
        path.parent.mkdir(parents=True)
        path.write_text(text.replace("- recent", "- attention").replace("half_life: 0.5", "units: 5"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["livedqn", "--config-dir", "mine", "+experiment=hard", "--cfg", "job"])
    cli.main()
    config = yaml.safe_load(capsys.readouterr().out)
    assert (config["encoder"]["units"], config["agent"]["n_step"], config["env"]["topics"]) == (5, 3, 16)


def test_newer_impressions_count_for_more() -> None:
    names: dict = {}
    spec = rooms_spec(num_actions=3, context=1, history=(3, 2), candidates=1)
    exec(blocks("encoders.md", "python")[0], names)
    encoder = names["Recent"](spec, half_life=1.0, units=1)
    with torch.no_grad():
        encoder.layer.weight.copy_(torch.tensor([[0.0, 0.0, 1.0]]))  # of the mean impression its second column
        encoder.layer.bias.zero_()
    history = torch.tensor([[[0.0, 0.0], [1.0, 6.0], [1.0, 3.0]]])
    state = encoder({"context": torch.zeros(1, 1), "history": history})
    assert state.item() == pytest.approx((0.5 * 6 + 1 * 3) / 1.5)
