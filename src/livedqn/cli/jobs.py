"""What each command does with its typed configuration. Heavy imports happen here, once a command needs them."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Container
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from livedqn.cli.printed import Printed
from livedqn.cli.typed import typed
from livedqn.config import (
    CalibrateConfig,
    CheckLogsConfig,
    CollectConfig,
    EvaluateConfig,
    JoinConfig,
    RecommendConfig,
    TrainConfig,
)
from livedqn.types import LivedqnError


def train(composed: DictConfig) -> None:
    """``livedqn``: train in a new folder, or go on in the run's own."""
    config = typed(composed, TrainConfig)
    from livedqn import training

    _loaded()
    folder = Path(config.resume) if config.resume else _folder()
    with Printed(folder) as both, redirect_stdout(both):
        run = training.run(config, folder)
    if run.stopped_by:
        sys.exit(128 + run.stopped_by)


def evaluate(composed: DictConfig) -> None:
    """``livedqn evaluate``: the table, in a folder of its own; from logs 1 where a gate stays shut."""
    config = typed(composed, EvaluateConfig)
    if config.logs:
        from livedqn import evaluate_logs

        if _in_own_folder(evaluate_logs.run, config):
            sys.exit(1)
        return
    from livedqn import evaluate

    _in_own_folder(evaluate.run, config)


def collect(composed: DictConfig) -> None:
    """``livedqn collect``: logs, where ``out`` says."""
    config = typed(composed, CollectConfig)
    from livedqn import collect

    _loaded()
    if stopped_by := collect.run(config):
        sys.exit(128 + stopped_by)


def recommend(composed: DictConfig) -> None:
    """``livedqn recommend``: answers on stdout, nothing left behind."""
    config = typed(composed, RecommendConfig)
    from livedqn import recommend

    _loaded()
    recommend.run(config)


def calibrate(composed: DictConfig) -> None:
    """``livedqn calibrate``: the table, in a folder of its own."""
    config = typed(composed, CalibrateConfig)
    from livedqn import calibrate

    _in_own_folder(calibrate.run, config)


def check_logs(composed: DictConfig) -> None:
    """``livedqn check-logs``: the report, in a folder of its own; 1 where training would be wrong."""
    config = typed(composed, CheckLogsConfig)
    from livedqn import check_logs

    if _in_own_folder(check_logs.run, config):
        sys.exit(1)


def join(composed: DictConfig) -> None:
    """``livedqn join``: logs, where ``out`` says; what found no place in a folder of its own."""
    config = typed(composed, JoinConfig)
    from livedqn.join.command import run

    _in_own_folder(run, config)


JOBS: dict[str, Callable[[DictConfig], None]] = {
    "train": train, "evaluate": evaluate, "collect": collect, "recommend": recommend, "calibrate": calibrate,
    "check-logs": check_logs, "join": join,
}  # fmt: skip


def _in_own_folder(run: Callable[[Any, Path], Any], config: Any) -> Any:
    """Run it in a new folder, which keeps what it prints."""
    _loaded()
    folder = _folder()
    with Printed(folder) as both, redirect_stdout(both):
        return run(config, folder)


def _loaded() -> None:
    """Collect garbage again, without ever looking through what was imported; a sweep's further jobs change nothing."""
    if not gc.isenabled():
        gc.freeze()
        gc.enable()


def _folder() -> Path:
    """The folder that Hydra made for this run, as a user would write it."""
    folder = Path(HydraConfig.get().runtime.output_dir)
    return folder.relative_to(Path.cwd()) if folder.is_relative_to(Path.cwd()) else folder


def say(error: LivedqnError) -> None:
    """Say what was wrong in one line."""
    print(f"livedqn: error: {' '.join(str(error).split())}", file=sys.stderr)


def remove_empty(folder: Path, there_before: Container[Path]) -> None:
    """Remove a folder and its parents as long as nothing but Hydra's record of a sweep is in them.

    Args:
        folder: absolute.
        there_before: folders, absolute, that somebody else made: at the first of them it ends.
    """
    while folder.is_dir() and folder not in there_before:
        if [path.name for path in folder.iterdir()] == ["multirun.yaml"]:
            (folder / "multirun.yaml").unlink()
        try:
            folder.rmdir()
        except OSError:
            return
        folder = folder.parent
