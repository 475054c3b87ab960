"""Does looking ahead pay the more, the more boredom and the hazard of leaving hang on what is shown? A curve each.

python -m benchmarks.learning.boredom --seeds 5 --jobs 2
python -m benchmarks.learning.boredom --quick

No source fixes how fast viewers get bored and leave, so both are varied: ``boredom`` times what a unit of it takes off
clicks and adds to leaving, ``leaving`` times the odds of leaving at a request. At a boredom of 0 an irrelevant room
costs nothing later, and no gain is expected. At each point of a curve ``dqn`` is trained; its last weights play the
same worlds as its myopic twin (same batches), itself without *nothing*, and rules, all tuned on validation worlds.

Differences are paired by world, over means of seeds. Rows go to ``results/boredom.csv`` point by point,
where others of the same settings stay; the picture to ``results/boredom.png``.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks import machine
from benchmarks.learning.schedules import composed, of_length
from benchmarks.learning.simulator import (
    LAST_WEIGHTS,
    RESULTS,
    add_options,
    by_role,
    judge,
    named,
    quick_words,
    train_all,
    write,
)
from benchmarks.rows import read_csv
from livedqn.envs import TYPICAL
from livedqn.evaluate.intervals import interval, paired, ratio
from livedqn.report.style import FAINT, OTHERS, OURS, figure, look
from livedqn.types import FloatArray

FACTORS = (0.0, 0.5, 1.0, 2.0)
#: Odds of leaving that come to never, within a visit's longest.
NEVER = -30.0
#: Who is compared, weakest first -> what the table calls them.
ROLES = {
    "random": "random", "favourite": "favourite", "myopic:dqn": "myopic, same batches",
    "always:dqn": "dqn without nothing", "policy:dqn": "dqn",
}  # fmt: skip
#: Beside whom its gain is drawn; beside a rule it is several hundred per cent.
COLOURS = {"myopic, same batches": OURS, "dqn without nothing": OTHERS[0]}


Rows = list[dict[str, object]]


def overrides(curve: str, factor: float) -> list[str]:
    """Of the viewers, at one point of a curve."""
    if factor == 1:
        return []
    if curve == "boredom":
        names = ("leave_boredom", "click_boredom")
        return [f"env.viewers.{name}={factor * getattr(TYPICAL, name):g}" for name in names]
    return [f"env.viewers.leave_bias={TYPICAL.leave_bias + math.log(factor) if factor else NEVER:.4g}"]


def rows(curve: str, factor: float, found: Mapping[str, Mapping[str, FloatArray]]) -> Rows:
    """One row a policy: its return, and how much ``dqn`` is ahead, also as a share of that return."""
    returns = {title: of["return"].mean(axis=0) for title, of in found.items()}
    made = []
    for title, of in found.items():
        row: dict[str, object] = {"curve": curve, "factor": factor, "policy": title, "seeds": len(of["return"])}
        row["worlds"] = len(returns[title])
        row |= named("return", interval(returns[title]))
        row |= named("dqn_ahead_by", paired(returns["dqn"], returns[title]))
        row |= named("dqn_ahead_over_seeds", paired(*(found[one]["return"].mean(axis=1) for one in ("dqn", title))))
        row |= named("dqn_gain", ratio(returns["dqn"] - returns[title], returns[title]))
        made.append(row | {name: float(of[name].mean()) for name in ("session_length", "share_nothing")})
    return made


def show(made: Sequence[Mapping[str, object]]) -> None:
    """The table."""
    for row in made:
        number = {key: float(str(value)) for key, value in row.items() if key not in ("curve", "policy")}
        print(
            f"{row['curve']:8} x {number['factor']:<4g} {row['policy']:22} {number['return']:6.2f} "
            f"[{number['return_low']:.2f}, {number['return_high']:.2f}]   dqn ahead by {number['dqn_ahead_by']:+.2f} "
            f"[{number['dqn_ahead_by_low']:.2f}, {number['dqn_ahead_by_high']:.2f}] ({number['dqn_gain']:+.0%})   "
            f"{number['session_length']:.1f} requests, nothing at {number['share_nothing']:.0%}"
        )


def picture(made: Sequence[Mapping[str, object]], path: Path) -> None:
    """The gain over each baseline along each curve."""
    curves = list(dict.fromkeys(str(row["curve"]) for row in made))
    with look():
        drawn, axes = figure(4.2 * len(curves), 3.2, columns=len(curves))
        for axis, curve in zip(axes, curves, strict=True):
            for title, colour in COLOURS.items():
                of = [row for row in made if row["curve"] == curve and row["policy"] == title]
                x = [float(str(row["factor"])) for row in of]
                low, mean, high = (
                    [100 * float(str(row[f"dqn_gain{end}"])) for row in of] for end in ("_low", "", "_high")
                )
                axis.plot(x, mean, "o-", color=colour, label=title)
                axis.fill_between(x, low, high, color=colour, alpha=0.15)
            axis.axhline(0, color=FAINT, linewidth=1)
            axis.set(title=curve, xlabel="times the default", ylabel="gain of dqn, %")
        axes[0].legend()
        drawn.savefig(path, dpi=110)


def main() -> None:
    """Train, judge, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("curves", nargs="*", default=["boredom", "leaving"], help="boredom, leaving, or both")
    parser.add_argument("--steps", type=int, default=1_000_000, help="of each training")
    add_options(parser)
    told = parser.parse_args()
    quick = quick_words(told)
    path = RESULTS / "boredom.csv"
    settings = {name: getattr(told, name) for name in ("steps", "worlds", "episodes", "tuning_episodes", "world_seed")}
    settings["trainings"] = told.seeds
    made = [row for row in read_csv(path) if all(row.get(name) == value for name, value in settings.items())]
    known: dict[str, dict[str, dict[str, FloatArray]]] = {}  # the curves meet where each factor is 1
    for curve in told.curves:
        for factor in FACTORS:
            point = "typical" if factor == 1 else f"{curve}_{factor:g}"
            if point not in known:
                words = ["env=sim", "reward=watchtime", *overrides(curve, factor)]
                words += quick or [*of_length(composed(words), told.steps), *LAST_WEIGHTS]
                tasks = {f"dqn-{seed}": [*words, f"seed={seed}"] for seed in range(told.seeds)}
                policies = train_all(tasks, told.runs / f"{point}_last_{'quick' if quick else told.steps}", told.jobs)
                known[point] = by_role(judge(policies, told, ROLES), ROLES)
            point_rows = [{**row, **settings} for row in rows(curve, factor, known[point])]
            show(point_rows)
            made = [row for row in made if (row["curve"], row["factor"]) != (curve, factor)] + point_rows
            made.sort(key=lambda row: (str(row["curve"]), float(str(row["factor"]))))
            if not quick:
                write(made, path)
    if quick:
        return
    picture(made, RESULTS / "boredom.png")
    machine.record(RESULTS, "boredom", seeds=told.seeds, worlds=told.worlds, episodes=told.episodes, steps=told.steps)


if __name__ == "__main__":
    main()
