"""The environment of docs/environments.md is what it is shown for."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import livedqn
from livedqn.types import ROLES

DOCS = next(
    path
    for folder in (Path(__file__).parents[2], Path.cwd())
    if (path := folder / "docs" / "environments.md").exists()
)  # fmt: skip
TEXT = DOCS.read_text(encoding="utf-8")
TINY = {
    "num_envs": 4, "agent": {"plugin": "dqn", "warmup_steps": 200, "batch_size": 8},
    "evaluation": {"worlds": 2, "episodes": 2, "validation_worlds": 1, "validation_episodes": 2, "tuning_episodes": 2,
                   "points": 1},
}  # fmt: skip


@pytest.mark.usefixtures("no_pictures")
def test_it_keeps_the_contract_and_is_trained_on(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    names = {"tiny": TINY}
    for block in blocks:
        exec(compile(block.replace("steps=20_000", "steps=400, **tiny"), str(DOCS), "exec"), names)
    assert {"policy", "hottest", "random"} <= names["run"].evaluation.played.keys()
    agent = livedqn.load(names["run"].folder / "policy.ckpt")
    observation, _ = names["Feed"](3, rooms=8).reset(seed=0)
    assert agent.act(observation).shape == (3,)
    assert agent.q_values(observation)[0].shape == (3, 9)


def test_every_role_is_explained() -> None:
    for array, roles in ROLES.items():
        for role in roles:
            assert f"| `{array}` | `{role}` |" in TEXT or f"`{role}` of the {array}" in TEXT
