"""The encoder of docs/encoders.md is what it is shown for."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch
import yaml

from livedqn import cli
from livedqn.testing import rooms_spec

DOCS = next(
    path
    for folder in (Path(__file__).parents[2], Path.cwd())
    if (path := folder / "docs" / "encoders.md").exists()
)  # fmt: skip
TINY = {
    "num_envs": 4, "agent": {"plugin": "dqn", "warmup_steps": 200, "batch_size": 8},
    "evaluation": {"worlds": 2, "episodes": 2, "validation_worlds": 1, "validation_episodes": 2, "tuning_episodes": 2,
                   "points": 1},
}  # fmt: skip


@pytest.mark.usefixtures("no_pictures")
def test_it_keeps_the_contract_and_is_trained_with(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    names = {"tiny": TINY}
    for block in re.findall(r"```python\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL):
        exec(compile(block.replace("steps=20_000", "steps=400, **tiny"), str(DOCS), "exec"), names)
    assert capsys.readouterr().out.startswith("compiled\ncompiled\n")
    assert isinstance(names["agent"].online.encoder, names["Recent"])


def test_its_presets_compose(tmp_path, monkeypatch, capsys) -> None:
    blocks = re.findall(r"```yaml\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    for name, text in zip(("encoder/forgetful", "experiment/hard"), blocks, strict=True):
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
    exec(re.search(r"```python\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)[1], names)
    encoder = names["Recent"](spec, half_life=1.0, units=1)
    with torch.no_grad():
        encoder.layer.weight.copy_(torch.tensor([[0.0, 0.0, 1.0]]))  # of the mean impression its second column
        encoder.layer.bias.zero_()
    history = torch.tensor([[[0.0, 0.0], [1.0, 6.0], [1.0, 3.0]]])
    state = encoder({"context": torch.zeros(1, 1), "history": history})
    assert state.item() == pytest.approx((0.5 * 6 + 1 * 3) / 1.5)
