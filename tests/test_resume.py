"""Real processes, really killed: a resumed run ends with the very weights of one that nothing stopped."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import torch

import livedqn
from livedqn import checkpoint, evaluate
from livedqn.loop import StoppedError, signals_raised
from livedqn.tracking import read_metrics

TINY = [
    "steps=3000", "save_every=700", "num_envs=4", "agent.warmup_steps=200", "agent.batch_size=16", "agent.n_step=3",
    "agent.sync_every=50", "encoder.hidden=[16]",
    "replay=prioritised", "replay.capacity=600", "evaluation.points=3", "evaluation.worlds=2",
    "evaluation.episodes=2", "evaluation.validation_worlds=1", "evaluation.validation_episodes=2",
    "evaluation.tuning_episodes=2", "device=cpu",
]  # fmt: skip
ENVIRONMENTS = {
    "sim": ["env=sim", "env.days=1", "env.streamers=60", "env.max_requests=10", "reward=watchtime"],
    "gym": ["env=gym", "env.id=CartPole-v1", "replay.folder=.", "agent.retrace=0.9"],  # whose slots lie in a file
}
COMPILED = ["compile=true", "steps=1500", "agent.noisy=true"]  # whose noise is drawn beside the graph


#: ``python -m livedqn``, whose runs end without a report: it takes longer than they do and shows what is compared here.
COMMAND = """
import sys, types
sys.modules["livedqn.report"] = types.SimpleNamespace(write=lambda *_, **__: None)
from livedqn.cli import main
main()
"""


def start(arguments: list[str], folder: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", COMMAND, *arguments]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        command, cwd=folder, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def finish(process: subprocess.Popen[str], code: int = 0) -> str:
    out, err = process.communicate(timeout=300)
    assert process.returncode == code, err
    return out


def run_whole(name: str, folder: Path, *more: str) -> Path:
    finish(start([*ENVIRONMENTS[name], *TINY, *more, "hydra.run.dir=run"], folder))
    return folder / "run"


def weights(run: Path) -> dict[str, torch.Tensor]:
    return torch.load(run / "final.ckpt", weights_only=True)["weights"]


def assert_same_run(one: Path, two: Path) -> None:
    assert {k: v.tolist() for k, v in weights(one).items()} == {k: v.tolist() for k, v in weights(two).items()}
    first, second = read_metrics(one / "metrics.csv"), read_metrics(two / "metrics.csv")
    assert first["return"] == second["return"]
    assert first["loss"] == second["loss"]
    assert (one / "evaluation.json").read_text() == (two / "evaluation.json").read_text()


def kill_when(is_time: Callable[[Path], bool], arguments: list[str], folder: Path) -> None:
    process = start(arguments, folder)
    deadline = time.monotonic() + 120
    while not is_time(folder / "run") and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.0005)
    process.kill()
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL, "the run ended before it could be killed"


def saved(run: Path) -> bool:
    return (run / "resume" / "state.pt").exists()


def has_wrapped(run: Path) -> bool:
    """After two saves, with a replay that has gone round."""
    rows = run / "metrics.csv"
    return rows.exists() and max(read_metrics(rows).get("updates", ([0], []))[0]) > 1_400


def has_learned(run: Path) -> bool:
    """After a save that knows how updates are computed."""
    rows = run / "metrics.csv"
    return rows.exists() and max(read_metrics(rows).get("updates", ([0], []))[0]) >= 1_000


def saving(run: Path) -> bool:
    return (run / "resume" / "state.pt.part").exists()


def signalled(number: signal.Signals, arguments: list[str], folder: Path) -> None:
    """Send the signal once the run has written a row, and expect its last line to say how to go on."""
    rows = folder / "run" / "metrics.csv"
    before = rows.read_bytes() if rows.exists() else b""
    process = start(arguments, folder)
    while not rows.exists() or rows.read_bytes() == before:
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.01)
    process.send_signal(number)
    out = finish(process, code=128 + number)
    assert out.strip().splitlines()[-1] == f"stopped by {number.name} and saved; go on with: livedqn resume=run"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return {name: run_whole(name, tmp_path_factory.mktemp(name)) for name in ENVIRONMENTS}


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_a_run_killed_at_its_start_later_and_during_a_save_ends_with_the_same_weights(name, whole, tmp_path) -> None:
    kill_when(saved, [*ENVIRONMENTS[name], *TINY, "hydra.run.dir=run"], tmp_path)  # before the first step
    kill_when(has_wrapped, ["resume=run"], tmp_path)
    (tmp_path / "run" / "resume" / "state.pt.part").unlink(missing_ok=True)
    kill_when(saving, ["resume=run"], tmp_path)
    finish(start(["resume=run"], tmp_path))
    assert_same_run(whole[name], tmp_path / "run")


@pytest.mark.skipif(not shutil.which(os.environ.get("CXX", "g++")), reason="needs a C++ compiler")
def test_a_compiled_run_ends_with_the_same_weights_too(tmp_path) -> None:
    (tmp_path / "whole").mkdir()
    finish(start([*ENVIRONMENTS["gym"], *TINY, *COMPILED, "hydra.run.dir=run"], tmp_path / "whole"))
    kill_when(has_learned, [*ENVIRONMENTS["gym"], *TINY, *COMPILED, "hydra.run.dir=run"], tmp_path)
    finish(start(["resume=run"], tmp_path))
    assert_same_run(tmp_path / "whole" / "run", tmp_path / "run")


def test_signals_stop_cleanly_save_and_say_how_to_go_on(whole, tmp_path) -> None:
    signalled(signal.SIGINT, [*ENVIRONMENTS["sim"], *TINY, "hydra.run.dir=run"], tmp_path)
    signalled(signal.SIGTERM, ["resume=run"], tmp_path)
    finish(start(["resume=run"], tmp_path))
    assert_same_run(whole["sim"], tmp_path / "run")


def test_a_signal_in_the_final_evaluation_stops_it_and_resume_makes_up_for_it(whole, tmp_path) -> None:
    process = start([*ENVIRONMENTS["gym"], *TINY, "evaluation.worlds=100000", "hydra.run.dir=run"], tmp_path)
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("playing policy"):
            break
    process.send_signal(signal.SIGTERM)
    out = finish(process, code=128 + signal.SIGTERM)
    assert out.strip().splitlines()[-1] == "stopped by SIGTERM and saved; go on with: livedqn resume=run"
    assert not (tmp_path / "run" / "evaluation.json").exists()


def test_a_finished_run_keeps_its_tuned_policy_if_its_evaluation_is_stopped_when_it_goes_on(
    whole, tmp_path, monkeypatch
) -> None:
    shutil.copytree(whole["sim"], tmp_path / "run")
    before = checkpoint.read(tmp_path / "run" / "policy.ckpt")
    assert before.baselines
    monkeypatch.setattr(evaluate, "final_evaluation", lambda *_, **__: signal.raise_signal(signal.SIGTERM))
    assert livedqn.train(resume=tmp_path / "run").stopped_by == signal.SIGTERM
    after = checkpoint.read(tmp_path / "run" / "policy.ckpt")
    assert (after.baselines, after.agent.margin) == (before.baselines, before.agent.margin)


def test_code_that_catches_whatever_it_meets_does_not_swallow_a_signal() -> None:
    with pytest.raises(StoppedError), signals_raised(), suppress(Exception):  # as Gymnasium's checker of spaces does
        signal.raise_signal(signal.SIGTERM)


def test_resume_with_more_steps_extends_a_run(whole, tmp_path) -> None:
    run = shutil.copytree(whole["gym"], tmp_path / "run")
    finish(start(["resume=run", "steps=3500"], tmp_path))
    steps = read_metrics(run / "metrics.csv")["updates"][0]
    assert steps[-1] == 3500
    assert steps == sorted(set(steps))


@pytest.mark.usefixtures("no_pictures")
def test_a_second_signal_does_not_wait_for_an_evaluation_and_resume_makes_up_for_it(
    tmp_path, monkeypatch, capsys
) -> None:
    settings = {
        "env": {"plugin": "sim", "days": 1, "streamers": 60, "max_requests": 10}, "steps": 600, "num_envs": 4,
        "agent": {"warmup_steps": 100, "batch_size": 8, "steps_per_update": 4},
        "evaluation": {"worlds": 2, "episodes": 2, "validation_worlds": 2, "validation_episodes": 2, "points": 3},
    }  # fmt: skip
    livedqn.train(**settings, folder=tmp_path / "whole")
    validate, calls = evaluate.validate, []

    def interrupted(*given: Any, **more: Any) -> Any:
        calls.append(len(calls))
        if len(calls) == 2:
            signal.raise_signal(signal.SIGINT)
            assert "another signal stops it, too" in capsys.readouterr().err
            signal.raise_signal(signal.SIGTERM)
            raise AssertionError("the second one ends it")
        return validate(*given, **more)

    monkeypatch.setattr(evaluate, "validate", interrupted)
    run = livedqn.train(**settings, folder=tmp_path / "run")
    assert (run.stopped_by, len(calls)) == (signal.SIGTERM, 2)
    livedqn.train(resume=tmp_path / "run")
    assert len(calls) == 4  # the evaluation that was stopped, and the third
    assert_same_run(tmp_path / "whole", tmp_path / "run")
    chosen = [checkpoint.read(tmp_path / name / "policy.ckpt").steps for name in ("whole", "run")]
    assert chosen[0] == chosen[1]
    metrics = [read_metrics(tmp_path / name / "metrics.csv")["validation_return"] for name in ("whole", "run")]
    assert metrics[0] == metrics[1]
