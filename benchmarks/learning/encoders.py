"""Where the history matters, do the encoders that read it pay? Trainings of each, then all on the same worlds.

python -m benchmarks.learning.encoders --seeds 5 --jobs 2
python -m benchmarks.learning.encoders --quick

Three cases: the simulator as it is; ``strangers``, where tags tell nothing and nobody knows anybody, so that what a
viewer likes stands in the history alone; and ``history``, where besides visits are long and clicks frequent, so that
there is one. ``mlp`` sees the mean impression, ``gru`` and ``attention`` see each. Differences are paired by world,
over means of seeds, and by seed, over means of worlds. Rows go to ``results/encoders.csv``, the picture to
``results/encoders.png``.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks import machine
from benchmarks.learning.schedules import composed, of_length
from benchmarks.learning.simulator import (
    RESULTS,
    add_options,
    by_role,
    judge,
    named,
    quick_words,
    train_all,
    write,
)
from livedqn.evaluate.intervals import interval, paired, ratio
from livedqn.report.style import FAINT, OTHERS, OURS, figure, look
from livedqn.types import FloatArray

STRANGERS = ["env.viewers.tag_sessions=1e9", "env.viewers.acquaintance=0"]
#: Case -> what it trains on.
CASES = {
    "plain": [],
    "strangers": STRANGERS,
    "history": [
        *STRANGERS, "env.viewers.click_bias=-1.2", "env.viewers.leave_bias=-5", "env.viewers.leave_boredom=1",
    ],
}  # fmt: skip
ENCODERS = {"mlp": FAINT, "gru": OTHERS[0], "attention": OURS}
#: Who is compared -> what the table calls them.
ROLES = {"random": "random", **{f"policy:{name}": name for name in ENCODERS}, "oracle": "oracle"}


def rows(case: str, found: Mapping[str, Mapping[str, FloatArray]]) -> list[dict[str, object]]:
    """One row a policy of the case: means with intervals, and how far it is ahead of ``mlp``."""
    returns = {title: of["return"] for title, of in found.items()}  # (seeds, W)
    by_world = {title: of.mean(axis=0) for title, of in returns.items()}
    bottom, top, plain = by_world["random"], by_world["oracle"], by_world["mlp"]
    made = []
    for title, of in found.items():
        row: dict[str, object] = {"case": case, "policy": title, "seeds": len(of["return"]), "worlds": len(bottom)}
        row |= named("return", interval(by_world[title]))
        row |= named("share_of_way", ratio(by_world[title] - bottom, top - bottom))
        row |= named("ahead_of_mlp", paired(by_world[title], plain))
        row["gain_over_mlp"] = float(by_world[title].mean() / plain.mean() - 1)
        row["click_through"] = float(of["click_through"].mean())
        row["session_length"] = float(of["session_length"].mean())
        if title in ENCODERS and len(of["return"]) > 1:
            row |= named("ahead_over_seeds", paired(returns[title].mean(axis=1), returns["mlp"].mean(axis=1)))
        made.append(row)
    return made


def show(made: Sequence[Mapping[str, object]]) -> None:
    """The table."""
    for row in made:
        mean, low, high, gain, way = (
            float(str(row[key]))
            for key in ("ahead_of_mlp", "ahead_of_mlp_low", "ahead_of_mlp_high", "gain_over_mlp", "share_of_way")
        )
        print(
            f"{row['case']:10} {row['policy']:10} {row['return']:6.2f} [{row['return_low']:.2f}, "
            f"{row['return_high']:.2f}]   ahead of mlp by {mean:5.2f} [{low:.2f}, {high:.2f}] ({gain:+.0%})   "
            f"of the way {way:.2f}"
        )


def picture(made: Sequence[Mapping[str, object]], path: Path) -> None:
    """How far of the way from random to the oracle each encoder comes, case by case."""
    with look():
        drawn, (axis,) = figure(8, 3.2)
        for i, (encoder, colour) in enumerate(ENCODERS.items()):
            of = [row for row in made if row["policy"] == encoder]
            low, mean, high = ([float(str(row[f"share_of_way{end}"])) for row in of] for end in ("_low", "", "_high"))
            x = [j + 0.27 * (i - 1) for j in range(len(of))]
            axis.bar(x, mean, 0.25, color=colour, alpha=0.85, label=encoder)
            axis.vlines(x, low, high, color="black", linewidth=1)
        axis.set_xticks(range(len(CASES)), list(CASES))
        axis.set_ylabel("of the way from random to the oracle")
        axis.grid(visible=False, axis="x")
        axis.legend()
        drawn.savefig(path, dpi=110)


def main() -> None:
    """Train, judge, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", help=f"of {', '.join(CASES)}; all, and the results are written")
    parser.add_argument("--steps", type=int, default=1_000_000, help="of each training")
    add_options(parser)
    told = parser.parse_args()
    if unknown := set(told.cases) - set(CASES):
        parser.error(f"no such case as {', '.join(unknown)}; choose from {', '.join(CASES)}")
    quick = quick_words(told)
    made = []
    for case in told.cases or CASES:
        words = ["env=sim", "reward=watchtime", *CASES[case]]
        words += quick or of_length(composed(words), told.steps)
        tasks = {
            f"{encoder}-{seed}": [*words, f"encoder={encoder}", f"seed={seed}"]
            for seed in range(told.seeds) for encoder in ENCODERS
        }  # fmt: skip
        folder = told.runs / f"encoders_{case}_{'quick' if quick else told.steps}"
        policies = train_all(tasks, folder, told.jobs)
        made += rows(case, by_role(judge(policies, told, ROLES), ROLES))
    show(made)
    if quick or told.cases:
        return
    write(made, RESULTS / "encoders.csv")
    picture(made, RESULTS / "encoders.png")
    machine.record(RESULTS, "encoders", seeds=told.seeds, worlds=told.worlds, episodes=told.episodes, steps=told.steps)


if __name__ == "__main__":
    main()
