"""Training speed: every contestant does the same DQN on CartPole, in a process of its own, one after another.

python -m benchmarks.speed.train --contestants livedqn:eager sb3 bare:compile --workloads tf10 --rounds 3
python -m benchmarks.speed.train --show      # the tables and the picture of what results/train.csv holds

A round runs all contestants once, with the round as seed, so that what else the machine does hits all alike. Only the
training call is timed. Rows are written as they come; --more goes on with the rounds that the file lacks.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from typing import Any

from benchmarks import machine
from benchmarks.processes import environment
from benchmarks.rows import read_csv, write_csv
from benchmarks.speed import options, tables
from benchmarks.speed.work import WORKLOADS

#: Name[:variant] -> rounds in which it takes part: all where learning is compared, else what a median takes.
CONTESTANTS = {
    "livedqn:compile": 99, "livedqn:eager": 99, "livedqn:outside": 5, "sb3": 99, "torchrl": 3, "tianshou": 3,
    "bare:eager": 5, "bare:compile": 5, "bare:numpy": 5,
}  # fmt: skip
#: What is run on some workloads only.
ONLY = {"livedqn:outside": ("tf10",)}
BLOCKS = ("livedqn:compile", "livedqn:eager", "sb3")


def takes_part(contestant: str, workload: str, round_: int) -> bool:
    """Whether it runs in this round, counted from 0."""
    if workload == "blocks" and contestant not in BLOCKS:
        return False
    return workload in ONLY.get(contestant, WORKLOADS) and round_ < CONTESTANTS.get(contestant, 5)


def run(told: argparse.Namespace, contestant: str, workload: str, seed: int, seeds: int = 1) -> list[dict[str, Any]]:
    """Trainings from ``seed`` on in a process of their own, a row each; none where the contestant is not to be had."""
    name, _, variant = contestant.partition(":")
    command = [options.interpreter(told, name), "-m", f"benchmarks.speed.contestants.{name}_dqn"]
    command += ["--workload", workload, "--seed", str(seed), "--seeds", str(seeds)]
    command += ["--variant", variant] if variant else []
    command += ["--steps", "3000"] if told.quick else []
    began = time.time()
    done = subprocess.run(command, env=environment(), text=True, capture_output=True)
    missing = "ModuleNotFoundError" in done.stderr.strip().rsplit("\n", 1)[-1]
    if missing:
        print(f"  left out: {contestant}, {done.stderr.strip().splitlines()[-1]}", flush=True)
        return []
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr}")
    rows = [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"seed"')]
    what = {"workload": workload, "contestant": contestant}
    process_s = round((time.time() - began) / seeds, 2)
    return [{**what, "round": row.pop("seed"), "compile_s": 0.0, **row, "process_s": process_s} for row in rows]


def measure(told: argparse.Namespace) -> None:
    """All rounds; rows are on disk as soon as they are there."""
    path = told.results / "train.csv"
    rows = read_csv(path) if told.more else []
    known = {(row["workload"], row["contestant"], int(row["round"])) for row in rows}
    left_out: set[str] = set()
    versions: dict[str, Any] = {}
    for round_ in range(told.rounds):
        for workload in told.workloads:
            for contestant in told.contestants:
                is_known = (workload, contestant, round_) in known
                if contestant in left_out or is_known or not takes_part(contestant, workload, round_):
                    continue
                found = run(told, contestant, workload, round_)
                if not found:
                    left_out.add(contestant)
                    continue
                row = found[0]
                versions[contestant.partition(":")[0]] = row.pop("versions")
                rows.append(row)
                write_csv(path, rows)
                print(
                    f"round {round_ + 1}/{told.rounds} {workload:6} {contestant:16} {row['steps_per_s']:8,.0f} steps/s "
                    f"{row['cpu_s']:6.1f} CPU s, greedy {row['greedy_return']:5.1f}", flush=True,
                )  # fmt: skip
    machine.record(told.results, "train", contestants=versions)


def main() -> None:
    """Measure, and show."""
    parser = options.parser(__doc__, rounds=10)
    parser.add_argument("--contestants", nargs="+", default=list(CONTESTANTS), metavar="NAME[:VARIANT]")
    parser.add_argument("--workloads", nargs="+", default=list(WORKLOADS), choices=WORKLOADS)
    parser.add_argument(
        "--more", action="store_true", help="keep the rows of results/train.csv and add what is missing"
    )
    parser.add_argument("--show", action="store_true", help="measure nothing")
    told = options.parse(parser)
    if not told.show:
        measure(told)
    rows = read_csv(told.results / "train.csv")
    if not rows:
        sys.exit(f"{told.results / 'train.csv'} holds nothing yet")
    tables.show(rows)
    tables.picture(rows, told.results / "train.png")


if __name__ == "__main__":
    main()
