"""Time to solve CartPole, each with the settings that its authors publish.

python -m benchmarks.speed.solve --rounds 10 --python sb3=PATH

From the start of the process to the first evaluation (10 episodes, every 2,500 steps) of at least 475 that 100 other
episodes confirm; the time of the confirmation does not count. A seed that is never confirmed took infinitely long.
"""

from __future__ import annotations

import json
import math
import subprocess
import time
from statistics import median
from typing import Any

from benchmarks import machine
from benchmarks.processes import environment
from benchmarks.rows import write_csv
from benchmarks.speed import options
from benchmarks.speed.tables import spread

CONTESTANTS = ("livedqn", "sb3")


def run(python: str, contestant: str, seed: int, more: list[str]) -> dict[str, Any]:
    """One seed in a process of its own."""
    words = [python, "-m", f"benchmarks.speed.contestants.{contestant}_solve", "--seed", str(seed), *more]
    began = time.time()
    done = subprocess.run(
        [*words, "--began", str(began)], env=environment(), text=True, capture_output=True
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(f"{' '.join(words)} failed:\n{done.stderr}")
    found = json.loads(done.stdout.strip().splitlines()[-1])
    return {"contestant": contestant, "seed": seed, **found, "process_s": round(time.time() - began, 2)}


def main() -> None:
    """Measure, print, write."""
    parser = options.parser(__doc__, rounds=10)
    parser.add_argument("--contestants", nargs="+", default=CONTESTANTS, choices=CONTESTANTS)
    told = options.parse(parser)
    rows: list[dict[str, Any]] = []
    for seed in range(told.rounds):
        for contestant in told.contestants:
            python = options.interpreter(told, contestant)
            row = run(python, contestant, seed, ["--steps", "5000"] if told.quick else [])
            rows.append(row)
            write_csv(told.results / "solve.csv", rows)
            print(f"seed {seed} {contestant:8} {row['seconds'] or math.inf:6.1f} s, {row['steps']:,} steps", flush=True)
    print("\n| contestant | seeds | solved | median s [fastest, slowest] | median steps of the solved |")
    print("|---|---|---|---|---|")
    for contestant in told.contestants:
        own = [row for row in rows if row["contestant"] == contestant]
        seconds = [row["seconds"] or math.inf for row in own]
        steps = [row["steps"] for row in own if row["seconds"]]
        middle = f"{median(steps):,.0f}" if steps else "-"
        print(f"| {contestant} | {len(own)} | {len(steps)} | {spread(seconds, 1)} | {middle} |")
    machine.record(told.results, "solve")


if __name__ == "__main__":
    main()
