"""Where metrics go: ``metrics.csv`` always, Weights & Biases where ``logger=wandb``.

Metrics are named by shared words: return, click_through, watch_minutes, session_length, share_nothing (of episodes
that training finished lately, or of logged sessions), validation_return, loss, q_mean, updates, epsilon or temperature,
epochs (passes through the logs). The axis is ``step``, environment steps.
"""

from __future__ import annotations

import csv
import math
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr
from io import StringIO
from pathlib import Path
from typing import Any, Protocol

from livedqn.config import WandbLogger
from livedqn.types import LivedqnError

STEP = "step"
#: Seconds that a run waits for the network before it goes on without.
PATIENCE_S = 10
#: Seconds that its end waits for what is still to be sent; the rest lies in the folder, for `wandb sync`.
FINISH_S = 60


class Tracker(Protocol):
    """Takes what a run measures."""

    def log(self, step: int, metrics: Mapping[str, float]) -> None:
        """What was measured at environment step ``step``; not every metric comes every time."""
        ...

    def finish(self, folder: Path, *, has_failed: bool) -> None:
        """The run is over, or an error ended it, and ``folder`` holds what it leaves."""
        ...


class Trackers:
    """Several as one."""

    def __init__(self, trackers: Sequence[Tracker]) -> None:
        self._trackers = trackers

    def log(self, step: int, metrics: Mapping[str, float]) -> None:
        """Tell all."""
        for tracker in self._trackers:
            tracker.log(step, metrics)

    def finish(self, folder: Path, *, has_failed: bool) -> None:
        """Tell all."""
        for tracker in self._trackers:
            tracker.finish(folder, has_failed=has_failed)


class MetricsFile:
    """``metrics.csv``, appended row by row, so that a killed run keeps what it wrote.

    A metric that comes up later gets a new column at the right; what was not measured stays empty.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._columns = _read(path)[0] if path.exists() else [STEP]

    def log(self, step: int, metrics: Mapping[str, float]) -> None:
        """Append a row."""
        row = {STEP: str(step), **{name: repr(float(value)) for name, value in metrics.items()}}
        new = [name for name in row if name not in self._columns]
        if new or not self._path.exists():
            self._columns += new
            self._rewrite([*(_read(self._path)[1] if self._path.exists() else []), row])
        else:
            with self._path.open("a", newline="") as file:
                csv.DictWriter(file, self._columns).writerow(row)

    def cut_back(self, step: int) -> None:
        """Drop what lies after ``step``, a half-written row included: a resumed run will write it again."""
        if self._path.exists():
            self._columns, rows = _read(self._path)
            if STEP not in self._columns:
                raise LivedqnError(f"{self._path} is damaged or was changed: it has no column {STEP!r}; move it away")
            self._rewrite([row for row in rows if int(row[STEP]) <= step])

    def finish(self, folder: Path, *, has_failed: bool) -> None:
        """Every row is in the file already."""

    def _rewrite(self, rows: Sequence[Mapping[str, str]]) -> None:
        temporary = self._path.with_name(self._path.name + ".part")
        with temporary.open("w", newline="") as file:
            writer = csv.DictWriter(file, self._columns)
            writer.writeheader()
            writer.writerows(rows)
        temporary.replace(self._path)


def read_metrics(path: Path) -> dict[str, tuple[list[int], list[float]]]:
    """metric -> the steps at which it was measured, and its values there."""
    found: dict[str, tuple[list[int], list[float]]] = {}
    for row in _read(path)[1]:
        for name, text in row.items():
            if name != STEP and text:
                steps, values = found.setdefault(name, ([], []))
                steps.append(int(row[STEP]))
                values.append(float(text))
    return found


def _read(path: Path) -> tuple[list[str], list[dict[str, str]]]:
    """Columns and whole rows; a row that was cut off in the middle is left out."""
    lines = [line for line in path.read_text().splitlines(keepends=True) if line.endswith("\n")]
    columns, *rows = list(csv.reader(lines)) or [[STEP]]
    return columns, [dict(zip(columns, row, strict=True)) for row in rows if len(row) == len(columns)]


class WandbRun:
    """A run of Weights & Biases; offline unless asked otherwise, and never waiting long for a network.

    Its id lies in ``<folder>/wandb/run-id``, so that a resumed run goes on in the same one.

    Args:
        settings: ``logger=wandb`` and its settings.
        folder: of the run.
        config: of the run, plain Python.
    """

    def __init__(self, settings: WandbLogger, folder: Path, config: Mapping[str, Any]) -> None:
        import wandb  # half a second that only this logger shall cost

        self._wandb = wandb
        memory = folder / "wandb" / "run-id"
        memory.parent.mkdir(parents=True, exist_ok=True)
        # a sweep's agent has already chosen the id
        run_id = os.environ.get("WANDB_RUN_ID") or (memory.read_text() if memory.exists() else None)
        quiet = wandb.Settings(
            silent=True,
            console="off",
            disable_git=True,
            init_timeout=PATIENCE_S,
            login_timeout=PATIENCE_S,
            finish_timeout=FINISH_S,
        )

        def start(mode: str) -> Any:
            with _quiet_streams():
                return wandb.init(
                    project=settings.project, entity=settings.entity, dir=str(folder), config=dict(config), id=run_id,
                    resume="allow" if run_id else None, mode=mode, settings=quiet,  # type: ignore[arg-type]
                )  # fmt: skip

        try:
            self._run = start(settings.mode)
        except (wandb.Error, OSError) as error:
            if settings.mode != "online":
                raise
            reason = str(error).strip().partition("\n")[0] or type(error).__name__
            print(f"livedqn: W&B cannot be reached ({reason[:120]}); going on offline", file=sys.stderr)
            wandb.teardown()
            self._run = start("offline")
        memory.write_text(self._run.id)
        self._run.define_metric(STEP)
        self._run.define_metric("*", step_metric=STEP)
        # the greatest is the luckiest: a sweep shall judge the run by its newest policy, which mostly is policy.ckpt
        self._run.define_metric("validation_return", step_metric=STEP, summary="last")

    @property
    def id(self) -> str:
        """By which W&B knows the run."""
        return str(self._run.id)

    def log(self, step: int, metrics: Mapping[str, float]) -> None:
        """Into the run's history."""
        # W&B's own counter is ours too, so that the parts of a resumed run continue one another
        self._run.log({STEP: step, **{name: x for name, x in metrics.items() if math.isfinite(x)}}, step=step)

    def finish(self, folder: Path, *, has_failed: bool) -> None:
        """Add pictures and, unless the run has failed, the policy, and close; a sweep counts a failure as one."""
        pictures = {path.stem: self._wandb.Image(str(path)) for path in sorted((folder / "pictures").glob("*.png"))}
        if pictures:
            self._run.log(pictures)
        if (folder / "policy.ckpt").exists() and not has_failed:
            artifact = self._wandb.Artifact(f"policy-{self.id}", type="policy")
            artifact.add_file(str(folder / "policy.ckpt"))
            self._run.log_artifact(artifact)
        with _quiet_streams():
            self._run.finish(exit_code=int(has_failed))
            # finish() may return before the file is written; teardown() waits for the process that writes it
            self._wandb.teardown()


@contextmanager
def _quiet_streams() -> Iterator[None]:
    """W&B greets on stderr whatever its settings say; errors come as exceptions."""
    with redirect_stderr(StringIO()):
        yield
