"""Are estimates from logs right? On simulated viewers the truth can be had by playing.

python -m benchmarks.ope.truth --quick                 # a minute or two: does it work; writes nothing
python -m benchmarks.ope.truth                         # some 13 minutes on a core of its own: 4 sets by 3 policies
python -m benchmarks.ope.truth --sets 34               # the whole study, 102 sets: nearly two hours

Log sets of one world, each of other viewers, are made by policies that explore much or little. Twenty policies are
judged by each set, and their true values are means over more sessions than any set has. Printed is, for each estimator,
over the cells (policy, set) where logs could answer: the median relative error, the rank correlation with the truth
within a set, how often the 95 % interval holds the truth, its median width by that of as many sessions of the policy
itself, and what is lost by choosing the policy that looks best (regret at 1). ``results/truth.csv.gz`` has every cell.
"""

from __future__ import annotations

import argparse
import csv
import gzip
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.ope.magic import magic
from benchmarks.ope.world import BEHAVIOURS, World, policies
from livedqn.logs import Impressions, join
from livedqn.ope.bootstrap import resampled
from livedqn.ope.estimators import doubt, estimates, logged
from livedqn.ope.evidence import Target, gather
from livedqn.ope.features import RequestFeatures
from livedqn.ope.logged import rewards
from livedqn.ope.terms import Terms
from livedqn.report.style import FAINT, OURS, figure, look

HERE = Path(__file__).parent
REPLICATES = 500
#: Seeds of the logs that tell the truth; those of the sets count from 0, and no two sets share one: of one seed viewers
#: are the same, whoever made the logs, and 34 draws of viewers would pass for 102.
TRUTH = 1_000_000
#: Sets by each behaviour that are drawn: more would hide one another.
PICTURED = 6
FEW = ("coldest 0.7", "hottest 0.3", "favourite 0.7", "random", "linear 0.3", "linear by half")


def noted(part: Impressions) -> np.ndarray:
    """The logged propensities."""
    return part.propensity[part.acted].astype(np.float64)


def truth(world: World, policy: Target, steps: int, chunks: int) -> tuple[float, float]:
    """Mean of a session, and how wide an interval of the mean over one session would be if they were independent."""
    parts = [part for i in range(chunks) for part in world.logs(policy, steps, TRUTH + i)]
    played = join(parts)
    session = np.cumsum(played.begins) - 1
    returns = np.bincount(session, weights=rewards(played, world.reward)).astype(np.float64)
    chunk = np.repeat(np.arange(chunks), [len(part) for part in parts])[played.begins]  # viewers of chunks are others
    keys = np.stack([chunk, played.viewer[played.begins]])
    viewer = np.unique(keys, axis=1, return_inverse=True)[1].ravel()
    terms = Terms.mean(returns)
    found = resampled(terms, viewer, seed=0, count=REPLICATES).interval
    return terms.value, (found.high - found.low) * len(returns) ** 0.5


def cells(
    world: World, behaviour: str, number: int, steps: int, judged: dict[str, Target],
    true: dict[str, tuple[float, float]],
) -> Iterator[dict[str, Any]]:  # fmt: skip
    """A row an estimator of each policy, of one log set."""
    logs = world.logs(BEHAVIOURS[behaviour](world.spec), steps, number)
    evidence = gather(logs, RequestFeatures(world.spec, logs), world.reward, judged, noted)
    own = logged(evidence, number, REPLICATES)
    sessions = len(evidence.viewer)
    length = float(np.median(np.bincount(evidence.session)))
    for name in judged:
        found = estimates(evidence, name, number, REPLICATES)
        for key, drawn in {**found.by_name, "MAGIC": magic(evidence, name, number, REPLICATES)}.items():
            one, difference = drawn.interval, drawn.minus(own)
            yield {
                "behaviour": behaviour, "set": number, "policy": name, "estimator": key, "truth": true[name][0],
                "value": one.value, "low": one.low, "high": one.high, "ideal_width": true[name][1] / sessions**0.5,
                "true_difference": true[name][0] - true[behaviour][0],
                "difference_low": difference.low, "difference_high": difference.high,
                "requests_share": found.overlap.requests_share, "sessions_share": found.overlap.sessions_share,
                "answers": not doubt(evidence, found), "sessions": sessions,
                "median_length": length,
            }  # fmt: skip


def summary(rows: list[dict[str, Any]]) -> Iterator[tuple[str, ...]]:
    """Heading, then a row an estimator."""
    yield (
        "estimator", "cells", "median error", "rank corr.", "ideal", "coverage", "of difference", "width / ideal",
        "regret at 1",
    )  # fmt: skip
    for key in dict.fromkeys(row["estimator"] for row in rows):
        mine = [row for row in rows if row["estimator"] == key]
        value, low, high, true, ideal = (
            np.array([row[c] for row in mine], float) for c in ("value", "low", "high", "truth", "ideal_width")
        )
        first, last, difference = (
            np.array([row[c] for row in mine], float) for c in ("difference_low", "difference_high", "true_difference")
        )
        sets = [list(of) for _, of in groupby(mine, lambda row: (row["behaviour"], row["set"]))]
        ranks = [spearman([r["value"] for r in of], [r["truth"] for r in of]) for of in sets if len(of) > 2]
        ideals = [ideal_rank(of) for of in sets if len(of) > 2]
        lost = [1 - max(of, key=lambda r: r["value"])["truth"] / max(r["truth"] for r in of) for of in sets]
        yield (
            key, str(len(mine)), f"{np.median(abs(value / true - 1)):.1%}",
            f"{np.mean(ranks):.2f}" if ranks else "-", f"{np.mean(ideals):.2f}" if ideals else "-",
            f"{np.mean((low <= true) & (true <= high)):.0%}",
            f"{np.mean((first <= difference) & (difference <= last)):.0%}", f"{np.median((high - low) / ideal):.1f}",
            f"{np.mean(lost):.1%}",
        )  # fmt: skip


def ideal_rank(of: list[dict[str, Any]], draws: int = 100) -> float:
    """The rank correlation that as many sessions of each policy's own would have: policies may be too alike for 1."""
    true, width = (np.array([row[name] for row in of]) for name in ("truth", "ideal_width"))
    noise = np.random.default_rng(0).normal(size=(draws, len(of)))
    return float(np.mean([spearman(list(true + width / 3.92 * z), list(true)) for z in noise]))


def spearman(one: list[float], other: list[float]) -> float:
    """Correlation of ranks."""
    ranks = [np.argsort(np.argsort(values)) for values in (one, other)]
    return float(np.asarray(np.corrcoef(ranks))[0, 1])


def show(rows: list[dict[str, Any]]) -> None:
    """Tables: of all answerable cells, and of those by behaviour."""
    answered = [row for row in rows if row["answers"]]
    every = len({(r["behaviour"], r["set"], r["policy"]) for r in rows})
    print(f"{len(answered) * every // max(len(rows), 1)} of {every} cells can be answered", flush=True)
    behaviours = dict.fromkeys(row["behaviour"] for row in rows)
    groups = {"all": answered} | {name: [r for r in answered if r["behaviour"] == name] for name in behaviours}
    for name, of in groups.items():
        if of:
            lines = list(summary(of))
            widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
            print(f"\nlogs by {name}, sessions of median length {np.median([r['median_length'] for r in of]):.0f}")
            for line in lines:
                print("  ".join(text.rjust(width) for text, width in zip(line, widths, strict=True)))


def picture(rows: list[dict[str, Any]], path: Path) -> None:
    """Estimates with their intervals against the truth; faint where logs could not answer."""
    names = list(dict.fromkeys(row["estimator"] for row in rows))
    with look():
        made, axes = figure(3.4 * 4, 3.2 * -(-len(names) // 4), 4, -(-len(names) // 4), sharex=True, sharey=True)
        ends = [0, 1.15 * max(row["truth"] for row in rows)]
        for axis in axes[len(names) :]:
            axis.set_visible(False)
        for axis, name in zip(axes, names, strict=False):
            axis.plot(ends, ends, "--", color=FAINT, linewidth=1)
            for row in (row for row in rows if row["estimator"] == name):
                colour, alpha = (OURS, 0.6) if row["answers"] else (FAINT, 0.12)
                axis.plot([row["truth"]] * 2, [row["low"], row["high"]], color=colour, alpha=alpha, linewidth=1)
                axis.plot(row["truth"], row["value"], ".", color=colour, alpha=alpha)
            axis.set(title=name, xlim=ends, ylim=(0, 1.6 * ends[1]), xlabel="true value", ylabel="estimate")
        made.savefig(path, dpi=150)


def main() -> None:
    """Play, judge, print; write unless it is quick."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--env", default="sim", choices=("sim", "sim_small"))
    parser.add_argument("--reward", default="engagement", help="watchtime's tail is too heavy for 100,000 impressions")
    parser.add_argument("--sets", type=int, default=4, help="by each behaviour")
    parser.add_argument("--steps", type=int, default=100_000, help="impressions of a set")
    parser.add_argument("--behaviours", nargs="*", default=list(BEHAVIOURS), choices=list(BEHAVIOURS))
    arguments = parser.parse_args()
    env, sets, steps, chunks = arguments.env, arguments.sets, arguments.steps, 16
    if arguments.quick:
        env, sets, steps, chunks = "sim_small", 1, 10_000, 2
    world = World(env, arguments.reward)
    judged = {name: one for name, one in policies(world.spec).items() if name in FEW or not arguments.quick}
    played = judged | {name: BEHAVIOURS[name](world.spec) for name in arguments.behaviours}
    true = {name: truth(world, policy, steps, chunks) for name, policy in played.items()}
    rows: list[dict[str, Any]] = []
    for number, behaviour in enumerate(list(BEHAVIOURS) * sets):
        if behaviour in arguments.behaviours:
            rows += cells(world, behaviour, number, steps, judged, true)
            print(f"set {number} by {behaviour} is judged", flush=True)
            if not arguments.quick:
                write(rows, HERE / "results" / "truth.csv.gz")
    show(rows)
    if not arguments.quick:
        picture([row for row in rows if row["set"] < PICTURED * len(BEHAVIOURS)], HERE / "results" / "truth.png")


def write(rows: list[dict[str, Any]], path: Path) -> None:
    """A row a cell; as far as it has come."""
    path.parent.mkdir(exist_ok=True)
    with gzip.open(path, "wt", newline="") as file:
        table = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        table.writeheader()
        table.writerows({k: f"{v:.6g}" if isinstance(v, float) else v for k, v in row.items()} for row in rows)


if __name__ == "__main__":
    main()
