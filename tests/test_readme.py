"""README's promises, as they are written: its commands, its Python, and its plugin.

The two set-up lines are run by ``.ci/run`` in an environment of their own.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from shutil import rmtree
from typing import IO

import numpy as np
import pytest

from livedqn import cli

README = next(
    path
    for folder in (Path(__file__).parents[1], Path.cwd())
    if (path := folder / "README.md").exists()
)  # fmt: skip
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)


def commands(is_own_data: bool) -> list[str]:
    """Lines of README; those of "your own data in one page" belong together, in their order."""
    blocks = [block for language, block in BLOCKS if language == "sh" and ("runs/own" in block) == is_own_data]
    lines = [line for block in blocks for line in block.splitlines()]
    return [line.partition(" #")[0].strip() for line in lines if line.startswith("livedqn ")]


COMMANDS = commands(is_own_data=False)
#: Enough to see that a line works.
TINY = [
    "steps=400", "num_envs=4", "agent.warmup_steps=200", "agent.batch_size=8", "evaluation.worlds=2",
    "evaluation.episodes=2", "evaluation.validation_worlds=1", "evaluation.validation_episodes=2",
    "evaluation.tuning_episodes=2", "evaluation.points=1",
]  # fmt: skip
TINY_SIM = ["env.days=1", "env.streamers=60", "env.max_requests=5"]


def process(words: list[str], folder: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "livedqn", *words], cwd=folder, text=True, capture_output=True, timeout=300,
        env={**os.environ, "WANDB_MODE": "offline"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def livedqn(words: list[str], folder: Path, stdin: IO[str] | None = None) -> str:
    """The same in this process, which has its imports: a dozen processes would do little else."""
    out = StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out):
        patch.chdir(folder)
        patch.setenv("HYDRA_FULL_ERROR", "0")  # as it comes back, since Hydra is made to raise
        patch.setattr(sys, "argv", ["livedqn", *words])
        patch.setattr(sys, "stdin", stdin)
        cli.main()
    return out.getvalue()


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that README's ``runs/…`` may stand for, and its policy once more, as that of ``runs/two``."""
    folder = tmp_path_factory.mktemp("readme")
    process(["reward=watchtime", *TINY, *TINY_SIM, "hydra.run.dir=runs/one"], folder)
    (folder / "runs/two").mkdir()
    shutil.copy(folder / "runs/one/policy.ckpt", folder / "runs/two/policy.ckpt")
    return folder


def test_readme_has_the_commands_that_are_tried_here() -> None:
    assert len(COMMANDS) >= 10
    assert sum("-c constraints.txt" in block for _, block in BLOCKS) == 2


@pytest.mark.usefixtures("no_pictures")
@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_works_as_written(command: str, run: Path, own_data: Callable[[Path], None]) -> None:
    line = command.replace("runs/…", "runs/one")
    words = shlex.split(line.partition("<")[0])[1:]
    if "logs.path=logs" in words and not (run / "logs").exists():  # tests do not hang on one another
        livedqn(["collect", "+env=sim", "policy=hottest", "out=logs", *TINY_SIM, "num_envs=8", "steps=200"], run)
    if words[0] == "recommend":
        with (run / "requests").open("w+") as requests:
            requests.write(_observation())
            requests.seek(0)
            assert '"action"' in livedqn(words, run, stdin=requests)
        return
    if words[0] == "evaluate":
        assert "policy" in livedqn(words, run)
        return
    if words[0] == "--config-dir":  # what calibrate left: see tests/cli/test_calibrate.py
        (run / "runs/one/env").mkdir()
        (run / "runs/one/env/fitted.yaml").write_text("defaults:\n  - sim\n  - _self_\n")
    if words[0].startswith("resume="):
        # the run is done: it goes on for a few steps instead of README's many
        words = [re.sub(r"steps=\d+", "steps=500", word) for word in words]
        assert "report:" in livedqn(words, run)
        return
    if words[0] == "calibrate":
        words = [re.sub(r"streamers=\d+", "streamers=400", word) for word in words]
        if "data.rooms=" in line:
            own_data(run)
        assert "are met" in livedqn([*words, "env.days=2", "requests=2000"], run)
        return
    if words[0] == "collect":
        rmtree(run / "logs", ignore_errors=True)
        words = [*words, *TINY_SIM, "num_envs=8", "steps=200"]
        assert "200 impressions of hottest" in livedqn(words, run)
        return
    if words[0] == "check-logs":
        assert "nothing keeps anybody from learning" in livedqn(words, run)
        return
    if words[0] == "plugins":
        assert "weights" in livedqn(words, run)
        return
    plays_sim = "env=gym" not in line and ("logs=parquet" not in line or "env=sim" in line)
    small = [*TINY, *TINY_SIM] if plays_sim else TINY
    words = [word for word in words if not word.startswith("steps=")]
    start = process if "logger=wandb" in line else livedqn  # W&B leaves a service running until its process ends
    assert "report:" in start([*words, *small], run)


@pytest.mark.usefixtures("no_pictures")
def test_own_data_in_one_page(tmp_path: Path) -> None:
    header = next(block for language, block in BLOCKS if language == "csv").splitlines()[0]
    rng = np.random.default_rng(0)
    rows = [_row(viewer, request, rng) for viewer in range(2_600) for request in range(2)]
    (tmp_path / "impressions.csv").write_text("\n".join([header, *rows]))
    (tmp_path / "columns.yaml").write_text(next(block for language, block in BLOCKS if language == "yaml"))
    request = {
        "context": [20, 1],
        "history": [[0]] * 10,
        "candidates": [[0, 0], [7, 250], [9, 18]],
        "rooms": [None, 1, 2],
    }
    (tmp_path / "requests").write_text(json.dumps(request))
    check, train, evaluate, recommend = (shlex.split(line.partition("<")[0])[1:] for line in commands(is_own_data=True))
    assert "nothing keeps anybody from learning" in livedqn(check, tmp_path)
    assert "report:" in livedqn([*train, *TINY], tmp_path)
    found = livedqn(evaluate, tmp_path)
    assert "WDR" in found
    assert "cannot answer" not in found
    with (tmp_path / "requests").open() as requests:
        assert '"action"' in livedqn(recommend, tmp_path, stdin=requests)


def _row(viewer: int, request: int, rng: np.random.Generator) -> str:
    """Of a policy that shows either of two rooms, or nothing, a third of the time each; one room is liked better."""
    choice = rng.integers(3)
    clicked = rng.random() < (0, 0.2, 0.6)[choice]
    offer = f"r1|r2,7|9,{rng.integers(200, 300)}|{rng.integers(10, 30)}"
    time = f"2026-11-20T20:{15 + request}:00"
    told = f"{('', 'r1', 'r2')[choice]},{1 / 3},{int(clicked)},{int(clicked * rng.integers(1_000, 60_000))}"
    return f"v{viewer},{time},20,{('fr', 'de', 'it')[viewer % 3]},{offer},{told}"


def _observation() -> str:
    from livedqn import plugins

    env = plugins.build("env", {"plugin": "sim", "days": 1, "streamers": 60}, 1)
    observation, _ = env.reset(seed=0)
    return json.dumps({name: array[0].tolist() for name, array in observation.items()}) + "\n"


@pytest.mark.usefixtures("no_pictures")
def test_the_python_works_as_written(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    snippets = [block for language, block in BLOCKS if language == "python" and "class " not in block]
    assert len(snippets) == 2
    quick = snippets[0].replace(
        "steps=20_000",
        "steps=400, num_envs=4, agent={'plugin': 'dqn', 'warmup_steps': 200, 'batch_size': 8}, evaluation={'worlds': 2,"
        " 'episodes': 2, 'validation_worlds': 1, 'validation_episodes': 2, 'tuning_episodes': 2, 'points': 1}",
    )
    few = "worlds=2, episodes=2, validation_worlds=1, validation_episodes=2, tuning_episodes=2"
    quick = quick.replace('reward="watchtime"))', f'reward="watchtime", {few}))')
    assert quick.count("tuning_episodes") == 2
    for snippet in (quick, snippets[1]):
        exec(compile(snippet, "README.md", "exec"), {})


def test_the_plugin_works_as_written(tmp_path) -> None:
    module = next(block for language, block in BLOCKS if language == "python" and "class Gift" in block)
    package = tmp_path / "livedqn-gifts"
    package.mkdir()
    (package / "livedqn_gifts.py").write_text(module)
    (package / "pyproject.toml").write_text(next(block for language, block in BLOCKS if language == "toml"))
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*install, "--target", str(tmp_path / "site"), str(package)], check=True, timeout=120)
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "site")}
    shown = subprocess.run(
        [sys.executable, "-m", "livedqn", "plugins", "reward=gift"], env=environment, text=True, capture_output=True
    )
    assert shown.returncode == 0, shown.stderr
    assert "scale" in shown.stdout
    composed = subprocess.run(
        [sys.executable, "-m", "livedqn", "reward=gift", "reward.scale=0.5", "--cfg", "job"],
        env=environment, text=True, capture_output=True,
    )  # fmt: skip
    assert composed.returncode == 0, composed.stderr
    assert "scale: 0.5" in composed.stdout
