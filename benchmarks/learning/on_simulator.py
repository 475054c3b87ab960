"""An ablation on the simulator: trainings as a user would run them, then all policies on the same worlds."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from benchmarks.learning import simulator
from benchmarks.learning.parts import DEFAULT, Rows
from benchmarks.learning.schedules import of_length
from livedqn.config import EvaluationConfig
from livedqn.evaluate.intervals import interval, paired

#: Where -> what is trained on.
WORDS = {"sim": simulator.STUDIES["watchtime"], "sim_hard": simulator.STUDIES["hard_watchtime"]}
STEPS, QUICK_STEPS = 400_000, 20_000
#: What the picture shows.
MEASURE = "return"
TIMED = ("-m", "benchmarks.learning.timed")


def words(on: str) -> list[str]:
    """Of the default's training."""
    return WORDS[on]


def measure(told: argparse.Namespace, config: Mapping[str, Any], rows: Rows) -> list[dict[str, Any]]:
    """A row a part; the difference is over worlds, and over seeds where there are several."""
    steps = told.steps or STEPS
    folder = told.runs / f"ablation-last-{told.on}-{steps}"
    base = [*words(told.on), *of_length(config, steps), *simulator.LAST_WEIGHTS]
    tasks = {
        f"{row}-{seed}".replace(" ", "_"): [*base, *more, f"seed={seed}"]
        for seed in range(told.seeds) for row, more in rows.items()
    }  # fmt: skip
    found = simulator.train_all(tasks, folder, told.jobs, TIMED)
    settings = argparse.Namespace(
        worlds=told.worlds, episodes=told.episodes or 192, world_seed=simulator.WORLD_SEED,
        tuning_episodes=EvaluationConfig.tuning_episodes,
    )  # fmt: skip
    played = simulator.judge(found, settings, [f"policy:{row}".replace(" ", "_") for row in rows])

    def returns(row: str) -> Any:  # (seeds, worlds)
        runs = [f"policy:{row}-{seed}".replace(" ", "_") for seed in range(told.seeds)]
        return np.stack([played.measured[run][MEASURE] for run in runs])

    default = returns(DEFAULT)
    made = []
    for row in rows:
        own = returns(row)
        over_worlds = paired(own.mean(axis=0), default.mean(axis=0))
        over_seeds = paired(own.mean(axis=1), default.mean(axis=1))
        seconds = [json.loads((folder / f"{row}-{seed}".replace(" ", "_") / "seconds.json").read_text())
                   for seed in range(told.seeds)]  # fmt: skip
        made.append(
            {"part": row, "seeds": told.seeds, "steps": steps, "worlds": told.worlds}
            | simulator.named(MEASURE, interval(own.mean(axis=0)))
            | simulator.named(f"{MEASURE}_difference", over_worlds)
            | simulator.named(f"{MEASURE}_difference_over_seeds", over_seeds)
            | {name: float(np.mean([one[name] for one in seconds])) for name in ("cpu_s", "wall_s")}
        )
    return made
