"""An ablation on a game: our preset, trained as ``efficiency.py`` does."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

import numpy as np

from benchmarks.learning.games import GAMES
from benchmarks.learning.parts import DEFAULT, Rows
from benchmarks.learning.simulator import named
from benchmarks.learning.trainings import Trainings, train
from livedqn.evaluate.intervals import interval, paired

MEASURES = ("greedy_return", "training_return")
#: What the picture shows: it varies less from seed to seed.
MEASURE = "training_return"
QUICK_STEPS = 8_000


def words(on: str) -> list[str]:
    """Of the default's training."""
    return GAMES[on].words


def measure(told: argparse.Namespace, config: Mapping[str, Any], rows: Rows) -> list[dict[str, Any]]:
    """A row a part; differences are over seeds."""
    steps, seeds = told.steps or GAMES[told.on].steps, range(told.seeds)
    folder = told.runs / f"ablation-{told.on}-{steps}"
    asked = {row: Trainings("livedqn", told.on, steps, folder / row.replace(" ", "_"), tuple(more))
             for row, more in rows.items()}  # fmt: skip
    train(list(asked.values()), seeds, jobs=told.jobs, episodes=told.episodes or 100)
    found = {row: one.rows(seeds) for row, one in asked.items()}

    def of(row: str, name: str) -> Any:  # (seeds,)
        return np.array([run[name] for run in found[row]], np.float64)

    made = []
    for row in rows:
        line: dict[str, Any] = {"part": row, "seeds": told.seeds, "steps": steps}
        for name in MEASURES:
            own = of(row, name)
            line |= named(name, interval(own)) | named(f"{name}_difference", paired(own, of(DEFAULT, name)))
        made.append(line | {name: float(of(row, name).mean()) for name in ("cpu_s", "wall_s")})
    return made
