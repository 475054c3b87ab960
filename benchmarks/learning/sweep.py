"""Which settings solve a game soonest? A recorded random search; our preset of the game is found by it.

python benchmarks/learning/sweep.py cartpole --jobs 2
python benchmarks/learning/sweep.py cartpole --quick                   # does it work

Settings are drawn at random from the game's ``SPACE``, the preset as it stands is tried as the first. Each is trained
on few seeds, then the best of them on more, with seeds that chose nobody. A training has learned the game where the
mean return of the training episodes that end within a twentieth of its steps comes to the game's ``LEVEL``, and took
the CPU seconds until then (of the training call). The best settings are those with which most trainings learned it,
and among equals the soonest: by the median, where a training that never learned it counts as infinitely long.

Finished trainings are kept in --runs. A row for all settings that were tried goes to ``results/sweep_<game>.csv``.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

sys.path.append(str(Path(__file__).parents[1] / "speed"))
import machine
from options import write_csv
from trainings import Trainings, train

from livedqn.evaluate.intervals import interval

RESULTS = Path(__file__).parent / "results"
#: Mean return of training episodes, exploration included, from which on a game counts as learned.
LEVEL = {"cartpole": 450.0}
#: Steps of a training: about half as many as the preset's, for those that need more are not what is looked for.
STEPS = {"cartpole": 25_000}
#: One word or more of each line is told to a training.
SPACE = {
    "cartpole": [
        ["num_envs=8", "num_envs=16"],
        ["encoder.hidden=[64,64]", "encoder.hidden=[128,128]"],
        [f"agent.learning_rate={rate} agent.learning_rate_end={rate}" for rate in ("5e-4", "1e-3", "2.3e-3", "4e-3")],
        ["agent.batch_size=64", "agent.batch_size=128", "agent.batch_size=256"],
        ["agent.steps_per_update=4", "agent.steps_per_update=8", "agent.steps_per_update=16"],
        ["agent.n_step=1", "agent.n_step=3", "agent.n_step=5", "agent.n_step=10"],
        ["agent.sync_every=16", "agent.sync_every=32", "agent.sync_every=64", "agent.sync_every=128"],
        ["agent.discount=0.98", "agent.discount=0.99"],
        ["agent.dueling=true", "agent.dueling=false"],
        ["agent.double=true", "agent.double=false"],
        ["agent.layer_norm=true", "agent.layer_norm=false"],
        ["agent.munchausen=true", "agent.munchausen=false"],
        ["replay=uniform", "replay=prioritised"],
        ["exploration.steps=1000", "exploration.steps=2000", "exploration.steps=4000"],
    ],
}  # fmt: skip
#: Other benchmarks begin with seed 0: what they judge was not chosen by their own seeds.
FIRST_SEED = 1_000
#: What the first row is called.
PRESET = "the preset"


def drawn(game: str, number: int) -> list[str]:
    """The preset, then ``number`` settings, each the words of a training."""
    rng = np.random.default_rng(0)
    return [PRESET, *(" ".join(str(rng.choice(choices)) for choices in SPACE[game]) for _ in range(number))]


def seconds(run: Mapping[str, Any], level: float) -> float:
    """CPU seconds until training episodes return ``level``."""
    parts = len(run["curve"])
    learned = (i + 1 for i, value in enumerate(run["curve"]) if value >= level)
    return next((float(run["cpu_s"]) * part / parts for part in learned), math.inf)


def row(settings: str, runs: Sequence[Mapping[str, Any]], level: float) -> dict[str, Any]:
    """What is known of some settings."""
    until = [seconds(run, level) for run in runs]
    overall = interval(np.array([np.nanmean(run["curve"]) for run in runs]))
    return {
        "settings": settings, "seeds": len(runs), "learned": sum(map(math.isfinite, until)),
        "median_s": round(median(until), 3), "mean_return": round(overall.mean, 2),
        "mean_return_low": round(overall.low, 2), "mean_return_high": round(overall.high, 2),
        "final_return": round(float(np.mean([run["greedy_return"] for run in runs])), 2),
        "cpu_s": round(float(np.mean([run["cpu_s"] for run in runs])), 2),
    }  # fmt: skip


def merit(of: Mapping[str, Any]) -> tuple[float, ...]:
    """The less the better."""
    return -of["learned"], of["median_s"], -of["mean_return"]


def measured(game: str, which: Mapping[int, str], seeds: range, told: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """A row for each of the settings, by their number; those that are missing are trained."""
    asked = {
        settings: Trainings(
            "livedqn", game, told.steps, told.runs / f"sweep-{game}-{told.steps}" / f"{number}",
            () if settings == PRESET else tuple(settings.split()),
        )
        for number, settings in which.items()
    }  # fmt: skip
    train(list(asked.values()), seeds, jobs=told.jobs, episodes=told.episodes)
    return (row(settings, one.rows(seeds), LEVEL[game]) for settings, one in asked.items())


def main() -> None:
    """Draw, train, show, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("game", choices=SPACE)
    parser.add_argument("--tried", type=int, default=40, help="settings that are drawn")
    parser.add_argument("--seeds", type=int, default=3, help="of each")
    parser.add_argument("--finalists", type=int, default=6, help="of which the preset is always one")
    parser.add_argument("--final-seeds", type=int, default=10, help="of each, on which none was chosen")
    parser.add_argument("--episodes", type=int, default=20, help="of a final policy")
    parser.add_argument("--steps", type=int, help="of a training")
    parser.add_argument("--jobs", type=int, default=2, help="processes at once, a core each")
    parser.add_argument("--runs", type=Path, default=Path("runs/benchmarks"), help="a new folder after changes")
    parser.add_argument("--quick", action="store_true", help="three settings, few steps: does it work")
    told = parser.parse_args()
    told.steps = told.steps or STEPS[told.game]
    results = RESULTS
    if told.quick:
        told.tried, told.seeds, told.finalists, told.final_seeds, told.episodes, told.steps = 2, 1, 2, 2, 2, 4_000
        results = told.runs = told.runs / "quick"
    results.mkdir(parents=True, exist_ok=True)
    tried = drawn(told.game, told.tried)
    first = list(measured(told.game, dict(enumerate(tried)), range(FIRST_SEED, FIRST_SEED + told.seeds), told))
    best = sorted(first[1:], key=merit)[: told.finalists - 1]
    left = {number: settings for number, settings in enumerate(tried)
            if settings == PRESET or any(settings == one["settings"] for one in best)}  # fmt: skip
    fresh = range(FIRST_SEED + told.seeds, FIRST_SEED + told.seeds + told.final_seeds)
    final = sorted(measured(told.game, left, fresh, told), key=merit)
    rows = [{"round": "final", **one} for one in final] + [
        {"round": "first", **one} for one in sorted(first, key=merit)
    ]
    write_csv(results / f"sweep_{told.game}.csv", rows)
    for one in final:
        print(f"{one['median_s']:6.1f} s, {one['learned']} of {one['seeds']} learned, mean return "
              f"{one['mean_return']:.4g}, final {one['final_return']:.4g}: {one['settings']}")  # fmt: skip
    machine.record(results, f"sweep_{told.game}", tried=told.tried, seeds=told.seeds, final_seeds=told.final_seeds)


if __name__ == "__main__":
    main()
