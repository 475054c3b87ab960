"""``report.html`` and its pictures: what a run has learned, for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from livedqn.evaluate import Evaluation
from livedqn.report.audience import audience, nothing
from livedqn.report.calibration import calibration
from livedqn.report.comparison import comparison, parts
from livedqn.report.curves import curves
from livedqn.report.ope import write_ope
from livedqn.report.page import page
from livedqn.report.style import look
from livedqn.types import Spec

__all__ = ["write", "write_ope"]


def write(
    folder: Path, evaluation: Evaluation | None, metrics_csv: Path, spec: Spec, config: Mapping[str, Any],
    *, chosen: int = 0, said: Sequence[str] = (),
) -> Path:  # fmt: skip
    """Write ``pictures/*.png`` and ``report.html`` into ``folder``; returns the report's path.

    Args:
        folder: of the run.
        evaluation: at its end; None where there was nothing to play.
        metrics_csv: the run's metrics; curves are empty where there are none.
        spec: of the environment, or of the logs.
        config: of the run, plain Python.
        chosen: the step from which ``policy.ckpt`` is.
        said: lines on what the run learned from.
    """
    (folder / "pictures").mkdir(parents=True, exist_ok=True)
    pictures = []
    with look():
        drawn: dict[str, Figure | None] = {"curves": curves(evaluation, metrics_csv, chosen)}
        if evaluation is not None:
            drawn["comparison"] = comparison(evaluation)
            if spec.has_rooms:
                drawn |= {"audience": audience(evaluation), "nothing": nothing(evaluation), "slices": parts(evaluation)}
            drawn["calibration"] = calibration(evaluation)
        for name, made in drawn.items():
            if made is not None:
                pictures.append(folder / "pictures" / f"{name}.png")
                made.savefig(pictures[-1], dpi=150)
    report = folder / "report.html"
    report.write_text(page(evaluation, pictures, config, said), encoding="utf-8")
    return report
