"""Which settings solve CartPole soonest? A recorded random search, which is how its preset is found.

python -m benchmarks.speed.sweep --jobs 2
python -m benchmarks.speed.sweep --quick                         # does it work

Settings are drawn at random from ``SPACE`` and laid over the preset, which is tried as it stands, too. Each is trained
on few seeds, then the best of them on others, until they solve it as in ``solve.py`` or their steps are over. What
counts is how many seeds solve it, and among equals the median of the CPU seconds from the start of the process, a seed
that never does being infinitely late. The winner's figure is a little too good, for those seeds chose it: ``solve.py``
has others.

All that was tried goes to ``results/sweep.csv``, a row for each of the settings and rounds.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from statistics import median
from typing import Any

import numpy as np

from benchmarks import machine
from benchmarks.rows import write_csv
from benchmarks.speed import options, solve

#: Of each line one entry, which is a word or more, is laid over the preset.
SPACE = [
    ["num_envs=8", "num_envs=16"],
    ["encoder.hidden=[64,64]", "encoder.hidden=[128,128]"],
    [f"agent.learning_rate={rate} agent.learning_rate_end={rate}" for rate in ("5e-4", "1e-3", "2.3e-3", "4e-3")],
    ["agent.batch_size=64", "agent.batch_size=128", "agent.batch_size=256"],
    ["agent.steps_per_update=4", "agent.steps_per_update=8", "agent.steps_per_update=16"],
    ["agent.n_step=1", "agent.n_step=3", "agent.n_step=5", "agent.n_step=10"],
    ["agent.sync_every=16", "agent.sync_every=32", "agent.sync_every=64", "agent.sync_every=128"],
    ["agent.discount=0.98", "agent.discount=0.99"],
    ["agent.dueling=true", "agent.dueling=false"],
    ["agent.munchausen=true", "agent.munchausen=false agent.double=true", "agent.munchausen=false agent.double=false"],
    ["agent.layer_norm=true", "agent.layer_norm=false"],
    ["replay=uniform", "replay=prioritised"],
    ["exploration.steps=1000", "exploration.steps=2000", "exploration.steps=4000"],
]
#: The settings of the first row: none laid over the preset.
PRESET = ""
#: Other benchmarks begin with seed 0: what they judge was not chosen by their seeds.
FIRST_SEED = 1_000


def drawn(number: int) -> list[str]:
    """The preset, then ``number`` settings, each the words of a training."""
    rng = np.random.default_rng(0)
    return [PRESET, *(" ".join(str(rng.choice(entries)) for entries in SPACE) for _ in range(number))]


def measured(name: str, tried: Sequence[str], seeds: range, steps: int, jobs: int) -> Iterator[dict[str, Any]]:
    """A row for each of the settings in a round of this name."""

    def cpu_s(task: tuple[str, int]) -> float:
        settings, seed = task
        more = ["--steps", str(steps), *(("--more", *settings.split()) if settings else ())]
        run = solve.run(sys.executable, "livedqn", seed, more)
        return run["cpu_s"] if run["seconds"] else math.inf

    with ThreadPoolExecutor(jobs) as pool:
        found = pool.map(cpu_s, ((settings, seed) for settings in tried for seed in seeds))
        for settings in tried:
            own = [next(found) for _ in seeds]
            solved = sum(map(math.isfinite, own))
            row = {"round": name, "seeds": len(seeds), "steps": steps, "solved": solved,
                   "median_cpu_s": round(median(own), 2), "settings": settings}  # fmt: skip
            print(
                f"{name}: solved {solved} of {len(seeds)}, {row['median_cpu_s']} s: {settings or 'the preset'}",
                flush=True,
            )
            yield row


def merit(row: dict[str, Any]) -> tuple[float, float]:
    """The less the better."""
    return -row["solved"], row["median_cpu_s"]


def main() -> None:
    """Draw, train, show, write."""
    parser = options.parser(__doc__, rounds=1)
    parser.add_argument("--tried", type=int, default=40, help="settings that are drawn")
    parser.add_argument("--seeds", type=int, default=3, help="of each")
    parser.add_argument("--finalists", type=int, default=6, help="that are trained again, besides the preset")
    parser.add_argument("--final-seeds", type=int, default=10, help="others, of each of these")
    parser.add_argument("--steps", type=int, default=20_000, help="of a training that does not solve it")
    parser.add_argument("--jobs", type=int, default=2, help="processes at once, a core each")
    told = options.parse(parser)
    if told.quick:
        told.tried, told.seeds, told.finalists, told.final_seeds, told.steps = 2, 1, 1, 1, 5_000
    rows = list(measured("first", drawn(told.tried), range(FIRST_SEED, FIRST_SEED + told.seeds), told.steps, told.jobs))
    best = [row["settings"] for row in sorted(rows[1:], key=merit)[: told.finalists]]
    others = range(FIRST_SEED + told.seeds, FIRST_SEED + told.seeds + told.final_seeds)
    rows += measured("final", [PRESET, *best], others, told.steps, told.jobs)
    write_csv(told.results / "sweep.csv", sorted(rows, key=lambda row: (row["round"], *merit(row))))
    machine.record(told.results, "sweep")


if __name__ == "__main__":
    main()
