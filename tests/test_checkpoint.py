"""Files that are missing, foreign, truncated or tampered with give one line and execute nothing."""

from __future__ import annotations

import errno
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from livedqn import checkpoint, plugins
from livedqn.agent import DQN
from livedqn.config import CapConfig
from livedqn.rewards import Native
from livedqn.stage import Stage
from livedqn.types import LivedqnError

CONFIG = {
    "env": {"plugin": "sim", "days": 1, "streamers": 60},
    "agent": {"plugin": "dqn", "ensemble": 2},
    "encoder": {"plugin": "mlp", "hidden": [8]},
}


@pytest.fixture(scope="module")
def stage() -> Stage:
    return Stage(plugins.build("env", CONFIG["env"], 3), Native(), CapConfig())


@pytest.fixture
def policy(stage: Stage, tmp_path: Path) -> tuple[Path, DQN]:
    torch.manual_seed(0)
    agent = checkpoint.build_agent(CONFIG, stage.spec)
    agent.reward_scale.fill_(0.5)
    path = tmp_path / "policy.ckpt"
    rules = {"hottest": {"threshold": 1.5, "max_shown_per_session": None}}
    checkpoint.save(path, agent, CONFIG, 123, rules, agent.state_dict())
    return path, agent


def changed(path: Path, **values: object) -> Path:
    state = torch.load(path, weights_only=True)
    torch.save({**state, **values}, path)
    return path


def test_what_is_read_is_what_was_saved(policy, stage) -> None:
    path, agent = policy
    found = checkpoint.read(path)
    observation = stage.reset(0, "test")
    assert np.array_equal(found.agent.q_values(observation), agent.q_values(observation))
    assert (found.config, found.steps, found.spec) == (CONFIG, 123, stage.spec)
    assert found.baselines["hottest"]["threshold"] == 1.5
    assert np.array_equal(checkpoint.load(path).act(observation), agent.act(observation))
    assert not list(path.parent.glob("*.part"))


def test_a_policy_takes_what_means_the_same_and_says_what_does_not(policy, stage) -> None:
    agent, observation = checkpoint.load(policy[0]), stage.reset(0, "test")
    looser = {name: array.astype(np.float64).tolist() for name, array in observation.items()}
    assert np.array_equal(agent.act(looser), agent.act(observation))
    with pytest.raises(LivedqnError, match=r"context has shape \(22,\); the policy reads \(B, 22\)"):
        agent.act({name: array[0] for name, array in observation.items()})
    strange = {**observation, "candidates": observation["candidates"].copy()}
    topic = next(i for i, column in enumerate(agent.spec.candidates) if column.name == "topic")
    strange["candidates"][1, 1, topic] = 99
    for values in (agent.act, agent.q_values, agent.myopic_values):
        with pytest.raises(
            LivedqnError, match="column topic of candidates is of kind category: it has to be a whole n"
        ):
            values(strange)
    with pytest.raises(LivedqnError, match="column topic of candidates"):  # before the device does anything
        checkpoint.load(policy[0]).to("meta").act(strange)
    with pytest.raises(LivedqnError, match="of context is of kind number: it has to be a finite number"):
        agent.act({**observation, "context": np.where(np.arange(22) == 1, np.nan, observation["context"])})


def test_values_do_not_depend_on_what_pads_masked_rooms_and_unused_history(policy, stage) -> None:
    agent, observation = checkpoint.load(policy[0]), stage.reset(0, "test")
    observation["mask"][:, 5:] = False
    padded = {name: array.copy() for name, array in observation.items()}
    padded["candidates"][:, 5:] = -1
    padded["history"][padded["history"][..., 0] == 0] = -1
    assert np.array_equal(agent.q_values(padded), agent.q_values(observation))
    assert np.array_equal(agent.myopic_values(padded), agent.myopic_values(observation))


@pytest.mark.parametrize("path", ["a/${b}", "${", "\\${b}", "a: b"])
def test_a_config_is_text_and_refers_to_nothing(tmp_path, path) -> None:
    config = {"agent": {"support": [-1.0, 2e-5]}, "logs": {"path": path}, "env": None}
    assert checkpoint.parsed(plugins.as_yaml(config), tmp_path) == config


def test_a_missing_file(tmp_path) -> None:
    with pytest.raises(LivedqnError, match=r"nowhere\.ckpt does not exist; a run leaves policy\.ckpt"):
        checkpoint.read(tmp_path / "nowhere.ckpt")


@pytest.mark.parametrize("kept", [0, 10, 1_000, -100])
def test_a_truncated_file(policy, kept: int) -> None:
    path, _ = policy
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(LivedqnError, match="cannot be read") as caught:
        checkpoint.read(path)
    assert "\n" not in str(caught.value)


def test_a_pickle_is_not_executed(tmp_path) -> None:
    class Evil:
        def __reduce__(self):
            return Path.touch, (tmp_path / "executed",)

    path = tmp_path / "evil.ckpt"
    path.write_bytes(pickle.dumps(Evil()))
    with pytest.raises(LivedqnError, match="cannot be read"):
        checkpoint.read(path)
    torch.save({"kind": "policy", "format": checkpoint.FORMATS["policy"], "weights": Evil()}, path)
    with pytest.raises(LivedqnError, match="cannot be read"):
        checkpoint.read(path)
    assert not (tmp_path / "executed").exists()


def test_a_foreign_file(tmp_path, policy) -> None:
    torch.save({"state_dict": {}}, tmp_path / "other.ckpt")
    with pytest.raises(LivedqnError, match="holds no policy of livedqn"):
        checkpoint.read(tmp_path / "other.ckpt")
    with pytest.raises(LivedqnError, match="has format 99"):
        checkpoint.read(changed(policy[0], format=99))


@pytest.mark.parametrize(
    "values",
    [
        {"weights": {}},
        {"weights": 3},
        {"spec": {}},
        {"config": "env: ${oc.env:HOME}"},
        {"config": "[1, 2]"},
        {"config": "a: ["},
        {"config": "env: {plugin: sim}"},
        {"config": "agent: {plugin: os.getcwd}\nencoder: {plugin: mlp}"},
        {"config": "agent: {plugin: dqn, _target_: os.getcwd}\nencoder: {plugin: mlp}"},
        {"config": "agent: {plugin: dqn, ensemble: 3}\nencoder: {plugin: mlp, hidden: [8]}"},
        {"steps": "many"},
    ],
)
def test_a_tampered_file_is_one_line(policy, values) -> None:
    with pytest.raises(LivedqnError) as caught:
        checkpoint.read(changed(policy[0], **values))
    assert "\n" not in str(caught.value)


def test_an_encoder_that_became_another_one_is_told_from_damage(policy) -> None:
    path, _ = policy
    wider = plugins.as_yaml({**CONFIG, "encoder": {"plugin": "mlp", "hidden": [9]}})
    message = (
        r"policy.ckpt does not fit its encoder as that is installed now, or is damaged: size mismatch for online\."
    )
    with pytest.raises(LivedqnError, match=message):
        checkpoint.read(changed(path, config=wider))


def test_who_loads_a_policy_waits_for_no_environment():
    code = (
        "import sys, livedqn.checkpoint, livedqn.recommend.command\n"
        "assert not {'gymnasium', 'livedqn.envs.livestream', 'pyarrow', 'matplotlib'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_full_disk_is_told_of_its_file_and_leaves_no_half_of_it(policy, tmp_path, monkeypatch) -> None:
    path, agent = policy
    whole = path.read_bytes()

    def fill(state: object, file: object) -> None:
        try:
            file.write(b"half of it")  # type: ignore[attr-defined]
            raise OSError(errno.ENOSPC, "No space left on device")
        finally:  # as PyTorch's writer does
            raise RuntimeError("unexpected pos 592640 vs 592564")

    monkeypatch.setattr(torch, "save", fill)
    with pytest.raises(OSError, match="No space left") as caught:
        checkpoint.save(path, agent, CONFIG, 124, {}, agent.state_dict())
    assert caught.value.filename == str(path)
    assert path.read_bytes() == whole
    assert not list(tmp_path.glob("*.part"))
