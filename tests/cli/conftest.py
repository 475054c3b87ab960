"""Command lines run in this process, in an empty folder."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from livedqn import cli


@dataclass
class Outcome:
    """What a command line left: exit code, stdout, stderr."""

    code: int
    out: str
    err: str

    @property
    def error(self) -> str:
        """The one line on stderr, once it is sure that it is one, and the exit code 2."""
        lines = self.err.splitlines()
        assert self.code == 2, self
        assert len(lines) == 1, self.err
        assert lines[0].startswith("livedqn: error: "), lines
        return lines[0].removeprefix("livedqn: error: ")


@pytest.fixture
def livedqn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> Callable[..., Outcome]:
    """``livedqn("env=gym", "--cfg", "job")``."""
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    monkeypatch.setenv("HYDRA_FULL_ERROR", "0")
    monkeypatch.delenv("WANDB_MODE", raising=False)

    def run(*words: str) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["livedqn", *words])
        monkeypatch.setenv("HYDRA_FULL_ERROR", "0")
        capsys.readouterr()
        try:
            cli.main()
            code = 0
        except SystemExit as stopped:
            code = int(stopped.code or 0)
        captured = capsys.readouterr()
        return Outcome(code, captured.out, captured.err)

    return run


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The typed configs that training is given, instead of training: what is tested is the way there."""
    from livedqn import training

    given: list[Any] = []

    def run(config: Any, folder: Path) -> training.Run:
        given.append((config, folder))
        return training.Run(folder, None, None)  # type: ignore[arg-type]

    monkeypatch.setattr(training, "run", run)
    return given


def left_behind() -> list[Path]:
    """Everything in the working directory."""
    return sorted(Path().rglob("*"))
