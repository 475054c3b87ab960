"""Is learning equal? The trainings of ``train.py``, on so many seeds that a difference of some percent shows.

python -m benchmarks.speed.learning --rounds 100 --python sb3=PATH
python -m benchmarks.speed.learning --show       # the table of what results/learning.csv holds

A round is a seed. Nothing is timed, so a process trains several seeds, and other work beside it does no harm. The
return of a final policy varies from seed to seed by a quarter of itself: ten seeds cannot tell 5 %, a hundred can.
"""

from __future__ import annotations

import argparse
import sys
from typing import Any

import numpy as np

from benchmarks import machine
from benchmarks.rows import read_csv, write_csv
from benchmarks.speed import options, train
from benchmarks.speed.tables import PEER
from benchmarks.speed.work import WORKLOADS
from livedqn.evaluate.intervals import paired

OURS = "livedqn:compile"
CONTESTANTS = (OURS, PEER)
AT_ONCE = 10  # seeds of a process
#: What is compared: the mean over the last 100 episodes of training, and over 20 of the final greedy policy.
RETURNS = ("training_return", "greedy_return")
MARGIN = 0.05  # of the peer's return, by which the lower end of the interval may lie below it
KEPT = ("workload", "contestant", "round", "updates", *RETURNS)


def show(rows: list[dict[str, Any]]) -> None:
    """Print, for each workload, the difference by seed and whether it lies above the margin."""
    print("| workload | seeds | return | livedqn | peer | difference (95 %) | lower end, % of the peer's | equal |")
    print("|---|---|---|---|---|---|---|---|")
    for workload in dict.fromkeys(row["workload"] for row in rows):
        for column in RETURNS:
            of = {(r["contestant"], r["round"]): r[column] for r in rows if r["workload"] == workload}
            seeds = [seed for name, seed in of if name == OURS and (PEER, seed) in of]
            ours, peers = (np.array([of[name, seed] for seed in seeds]) for name in CONTESTANTS)
            found, peer = paired(ours, peers), peers.mean()
            print(
                f"| {workload} | {found.n} | {column} | {ours.mean():.1f} | {peer:.1f} "
                f"| {found.mean:+.1f} [{found.low:+.1f}, {found.high:+.1f}] | {100 * found.low / peer:+.1f} "
                f"| {'yes' if found.low > -MARGIN * peer else 'not shown'} |"
            )


def measure(told: argparse.Namespace, rows: list[dict[str, Any]]) -> None:
    """Train the seeds that ``rows`` lacks; rows are on disk as soon as a process is over."""
    known = {(row["workload"], row["contestant"], int(row["round"])) for row in rows}
    for first in range(0, told.rounds, AT_ONCE):
        for workload in told.workloads:
            for contestant in CONTESTANTS:
                some = range(first, min(first + AT_ONCE, told.rounds))
                missing = [seed for seed in some if (workload, contestant, seed) not in known]
                if not missing:
                    continue
                # those that are missing are the last: a process that fails leaves none
                found = train.run(told, contestant, workload, missing[0], len(missing))
                if len(found) != len(missing):
                    sys.exit(
                        f"{contestant} brought {len(found)} of {len(missing)} trainings; without it nothing to compare"
                    )
                rows += [{name: row[name] for name in KEPT} for row in found]
                write_csv(told.results / "learning.csv", rows)
                print(f"{workload} {contestant}: {missing[-1] + 1} of {told.rounds} seeds", flush=True)
    machine.record(told.results, "learning", rounds=told.rounds)


def main() -> None:
    """Train, write and show."""
    parser = options.parser(__doc__, rounds=100)
    parser.add_argument("--workloads", nargs="+", default=["tf10", "vec10"], choices=WORKLOADS)
    parser.add_argument(
        "--more", action="store_true", help="keep the rows of results/learning.csv and add what is missing"
    )
    parser.add_argument("--show", action="store_true", help="measure nothing")
    told = options.parse(parser)
    rows = read_csv(told.results / "learning.csv") if told.more or told.show else []
    if not told.show:
        measure(told, rows)
    if not rows:
        sys.exit(f"{told.results / 'learning.csv'} holds nothing yet")
    show(rows)


if __name__ == "__main__":
    main()
