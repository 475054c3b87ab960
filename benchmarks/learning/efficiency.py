"""Sample efficiency beside Stable-Baselines3's DQN: what both have learned after equally many environment steps.

python -m benchmarks.learning.efficiency --quick                       # does it work
python -m benchmarks.learning.efficiency --games cartpole acrobot --seeds 20 --jobs 2
python -m benchmarks.learning.efficiency --show                        # of what results/efficiency.csv holds

livedqn trains by its preset; the peer by the settings that its authors publish for CartPole and Acrobot, and for
MinAtar (``pip install minatar``), where they publish none, by those of our preset, its network included. Two measures:
the mean return of 100 greedy episodes of the final weights, which are not chosen by any evaluation, and of the
training episodes that ended in the last tenth of the steps. "No worse" is a 95 % interval of the difference over seeds
whose lower end lies above -5 % of the peer's mean.

Finished trainings are kept in --runs and not run again. A row a training goes to ``results/efficiency.csv``, the
learning curves to ``results/efficiency.png``, date, versions, machine and hours to ``results/machine.json``.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import machine
from benchmarks.learning.games import GAMES
from benchmarks.learning.trainings import Trainings, train
from benchmarks.rows import read_csv, write_csv
from livedqn.evaluate import Interval
from livedqn.evaluate.intervals import interval, paired
from livedqn.report.style import OTHERS, OURS, figure, look
from livedqn.types import FloatArray

CONTESTANTS = {"livedqn": OURS, "sb3": OTHERS[0]}
MEASURES = ("greedy_return", "training_return")
#: Of the peer's mean, by which the lower end of the interval may lie below it.
MARGIN = 0.05
RESULTS = Path(__file__).parent / "results"

Rows = Sequence[dict[str, Any]]


def of(rows: Rows, game: str, contestant: str, measure: str) -> FloatArray:
    """A number a seed, in the order of the seeds."""
    found = [row for row in rows if row["game"] == game and row["contestant"] == contestant]
    return np.array([row[measure] for row in sorted(found, key=lambda row: row["seed"])], np.float64)


def no_worse(difference: Interval, peer: float) -> bool:
    """Whether the difference is clear of -5 % of the peer's mean, which may be negative."""
    return difference.low > -MARGIN * abs(peer)


def lines(rows: Rows) -> Iterator[str]:
    """The table."""
    yield "| game | steps | seeds | episodes | livedqn | sb3 | difference | lower end, % of the peer's | no worse |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for game in dict.fromkeys(row["game"] for row in rows):
        steps = int(next(row["steps"] for row in rows if row["game"] == game))
        for measure in MEASURES:
            ours, peers = (of(rows, game, contestant, measure) for contestant in CONTESTANTS)
            if len(ours) != len(peers):
                yield f"| {game} | {steps:,} | {len(ours)} and {len(peers)}: not yet as many |"
                break
            peer, difference = interval(peers), paired(ours, peers)
            share = f"{100 * difference.low / abs(peer.mean):+.1f}" if peer.mean else "-"
            yield (
                f"| {game} | {steps:,} | {difference.n} | {measure.removesuffix('_return')} "
                f"| {shown(interval(ours))} | {shown(peer)} | {shown(difference, '+')} "
                f"| {share} "
                f"| {'yes' if no_worse(difference, peer.mean) else 'not shown'} |"
            )


def shown(found: Interval, sign: str = "") -> str:
    """``mean [low, high]``."""
    return " ".join((f"{found.mean:{sign}.4g}", f"[{found.low:{sign}.4g}, {found.high:{sign}.4g}]"))


def cost(rows: Rows) -> str:
    """The hours of the trainings, and a step's and an update's part of it."""
    parts = []
    for game in dict.fromkeys(row["game"] for row in rows):
        for contestant in CONTESTANTS:
            found = [row for row in rows if (row["game"], row["contestant"]) == (game, contestant)]
            cpu, steps = (sum(row[name] for row in found) for name in ("cpu_s", "steps"))
            if found:
                parts.append(f"{game} {contestant} {steps / cpu:,.0f}")
    hours = sum(row["wall_s"] for row in rows) / 3600
    return f"{hours:.2f} hours of training; environment steps a CPU second: {', '.join(parts)}"


def picture(rows: Rows, path: Path) -> None:
    """Return of training episodes over steps: the mean over seeds, and its 95 % interval."""
    games = list(dict.fromkeys(row["game"] for row in rows))
    with look():
        columns, lines_of = min(len(games), 2), -(-len(games) // 2)
        drawn, axes = figure(4.4 * columns, 3.4 * lines_of, columns, lines_of)
        for axis, game in zip(axes, games, strict=False):
            for contestant, colour in CONTESTANTS.items():
                found = [row for row in rows if (row["game"], row["contestant"]) == (game, contestant)]
                if not found:
                    continue
                points = np.array([_filled([float(x) for x in str(row["curve"]).split()]) for row in found]).T
                x = found[0]["steps"] / 1e3 * (np.arange(len(points)) + 1) / len(points)
                bands = [interval(values) for values in points]
                axis.plot(x, [band.mean for band in bands], color=colour, label=contestant)
                low, high = [band.low for band in bands], [band.high for band in bands]
                axis.fill_between(x, low, high, color=colour, alpha=0.2, linewidth=0)
            axis.set(title=game, xlabel="thousand environment steps", ylabel="return of training episodes")
        for axis in axes[len(games) :]:
            axis.set_visible(False)
        axes[0].legend()
        drawn.savefig(path, dpi=110)


def _filled(curve: list[float]) -> list[float]:
    """A training's curve; where no episode ended, the last part before in which one did goes on."""
    known: list[float] = []
    for now in curve:
        known.append(known[-1] if known and math.isnan(now) else now)
    return known


def rows_of(told: argparse.Namespace) -> list[dict[str, Any]]:
    """Train what is missing, and collect."""
    seeds = range(told.seeds)
    asked = [
        Trainings(contestant, game, steps, told.runs / f"efficiency-{game}-{steps}" / contestant)
        for game in told.games for steps in [told.steps or GAMES[game].steps] for contestant in CONTESTANTS
    ]  # fmt: skip
    train(asked, seeds, jobs=told.jobs, episodes=told.episodes)
    rows = []
    for one in asked:
        for row in one.rows(seeds):
            curve = " ".join(f"{value:.4g}" for value in row.pop("curve"))
            rows.append({"game": one.game, "contestant": one.contestant, **row, "curve": curve})
    return rows


def main() -> None:
    """Train, show, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--games", nargs="+", default=list(GAMES), choices=GAMES)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--jobs", type=int, default=2, help="processes at once, a core each")
    parser.add_argument("--steps", type=int, help="of every game, instead of its own number")
    parser.add_argument("--episodes", type=int, default=100, help="of a final policy")
    parser.add_argument("--runs", type=Path, default=Path("runs/benchmarks"), help="a new folder after changes")
    parser.add_argument("--quick", action="store_true", help="two seeds, few steps: does it work, not how well")
    parser.add_argument("--show", action="store_true", help="train nothing")
    told = parser.parse_args()
    results = RESULTS
    if told.quick:
        told.seeds, told.steps, told.episodes = 2, told.steps or 8_000, 4
        results = told.runs = told.runs / "quick"
    results.mkdir(parents=True, exist_ok=True)
    path = results / "efficiency.csv"
    known = read_csv(path)
    if told.show:
        rows = known
    else:  # games that were not asked for keep their rows
        rows = [*(row for row in known if row["game"] not in told.games), *rows_of(told)]
        rows.sort(key=lambda row: list(GAMES).index(row["game"]))
        write_csv(path, rows)
    if not rows:
        sys.exit(f"{path} holds nothing yet")
    print("\n".join(lines(rows)))
    print(cost(rows))
    picture(rows, results / "efficiency.png")
    if not told.show:
        hours = round(sum(row["wall_s"] for row in rows) / 3600, 2)
        machine.record(results, "efficiency", seeds=told.seeds, episodes=told.episodes, hours=hours)


if __name__ == "__main__":
    main()
