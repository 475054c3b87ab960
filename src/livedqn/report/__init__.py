"""``report.html`` and its pictures: what a run has learned, for people."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from livedqn.evaluate import Evaluation
from livedqn.report.audience import audience, nothing
from livedqn.report.calibration import calibration
from livedqn.report.comparison import comparison, parts
from livedqn.report.curves import curves
from livedqn.report.page import page
from livedqn.report.style import look
from livedqn.types import Spec

__all__ = ["write"]


def write(folder: Path, evaluation: Evaluation, metrics_csv: Path, spec: Spec, config: Mapping[str, Any]) -> Path:
    """Write ``pictures/*.png`` and ``report.html`` into ``folder``; returns the report's path.

    Args:
        folder: of the run.
        evaluation: at its end.
        metrics_csv: the run's metrics; curves are empty where there are none.
        spec: of the environment.
        config: of the run, plain Python.
    """
    (folder / "pictures").mkdir(parents=True, exist_ok=True)
    pictures = []
    with look():
        drawn = {
            "curves": curves(evaluation, metrics_csv),
            "comparison": comparison(evaluation),
            "audience": audience(evaluation) if spec.has_rooms else None,
            "nothing": nothing(evaluation) if spec.has_rooms else None,
            "slices": parts(evaluation) if spec.has_rooms else None,
            "calibration": calibration(evaluation),
        }
        for name, made in drawn.items():
            if made is not None:
                pictures.append(folder / "pictures" / f"{name}.png")
                made.savefig(pictures[-1], dpi=150)
    report = folder / "report.html"
    report.write_text(page(evaluation, pictures, config), encoding="utf-8")
    return report
