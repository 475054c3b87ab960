"""How fast the simulator is: viewer-steps a second over viewers, candidates and streamers, on one thread.

python -m benchmarks.speed.simulator            # some minutes
python -m benchmarks.speed.simulator --quick    # does it work

A step is what training pays: every viewer answers one request, and those who left begin again. Which room is chosen,
uniformly among the allowed ones, is settled beside the clock, and so are compilation and 50 steps of warm-up. Settings
take turns, round by round; a figure is the median over rounds of a round's median step, in CPU seconds. Rows go to
``results/simulator.csv``, the picture to ``results/simulator.png``.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from benchmarks import machine
from benchmarks.rows import write_csv
from benchmarks.speed import options
from livedqn.envs.sim import sim

WARM_UP = 50
TURN_S = 0.3  # of a setting in a round
VIEWERS = (1, 4, 16, 64, 256, 1_024, 4_096, 16_384)
CANDIDATES = (5, 10, 20, 50, 100, 200)
STREAMERS = (100, 300, 1_000, 3_000)


@dataclass(frozen=True)
class Setting:
    """What is varied, and its value; all else is as the defaults have it."""

    what: str
    value: int
    viewers: int = 1_024
    candidates: int = 20
    streamers: int = 300


def settings(quick: bool) -> list[Setting]:
    """All, or the cheapest."""
    most = 3 if quick else None
    made = [Setting("viewers", n, viewers=n) for n in VIEWERS[:most]]
    # mostly enough rooms are live to fill the longest list
    made += [Setting("candidates", k, candidates=k, streamers=3_000) for k in CANDIDATES[:most]]
    return made + [Setting("streamers", m, streamers=m) for m in STREAMERS[:most]]


class Played:
    """The simulator in one setting, and the seconds of its steps."""

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self.env = sim(setting.viewers, candidates=setting.candidates, streamers=setting.streamers)
        self._rng = np.random.default_rng(0)
        self._observation, _ = self.env.reset(seed=0)
        for _ in range(WARM_UP):
            self._step()
        self.medians: list[float] = []  # of every round
        self.live: list[float] = []  # rooms, as viewers meet them

    def turn(self) -> None:
        """One round's steps."""
        spent = [self._step()]
        while sum(spent) < TURN_S:
            spent.append(self._step())
        self.medians.append(median(spent))
        table, visit = self.env._listing, self.env._sessions.visit
        self.live.append(float(table.live[visit["bin"]].mean()))

    def row(self) -> dict[str, Any]:
        """The results."""
        step_s, viewers = median(self.medians), self.setting.viewers
        return {
            **vars(self.setting), "live_rooms": round(float(np.mean(self.live)), 1), "rounds": len(self.medians),
            "ms_per_step": round(1e3 * step_s, 4), "us_per_viewer_step": round(1e6 * step_s / viewers, 4),
            "viewer_steps_per_s": round(viewers / step_s), "slowest_round": round(viewers / max(self.medians)),
            "fastest_round": round(viewers / min(self.medians)), "bytes_per_viewer": round(self.env.bytes_per_viewer),
        }  # fmt: skip

    def _step(self) -> float:
        """CPU seconds of one step and its restart."""
        allowed = self._observation["mask"].sum(axis=1)  # the first so many
        actions = (self._rng.random(self.setting.viewers) * allowed).astype(np.int64)
        began = time.process_time()
        self._observation, _, terminated, truncated, _ = self.env.step(actions)
        ended = terminated | truncated
        if ended.any():
            self._observation, _ = self.env.reset(options={"reset_mask": ended})
        return time.process_time() - began


def draw(rows: Sequence[dict[str, Any]], path: Path) -> None:
    """Microseconds of a viewer-step over each of the three."""
    from livedqn.report.style import FAINT, OURS, figure, look

    names = {"viewers": "viewers", "candidates": "candidates (3,000 streamers)", "streamers": "streamers"}
    with look():
        made, axes = figure(11, 3.4, columns=3, sharey=True)
        for axis, (what, label) in zip(axes, names.items(), strict=True):
            own = [row for row in rows if row["what"] == what]
            values, cost = [row["value"] for row in own], [row["us_per_viewer_step"] for row in own]
            axis.loglog(values, cost, "o-", color=OURS, ms=4)
            axis.set(xlabel=label, xticks=values, xticklabels=[f"{value:,}" for value in values])
            axis.tick_params(axis="x", labelrotation=45)
            axis.minorticks_off()
            axis.yaxis.set_major_formatter("{x:g}")
            axis.axhline(1, color=FAINT, lw=1, ls=":")  # a million a second
        axes[0].set(title="Cost of a viewer-step (dotted: a million a second)", ylabel="microseconds")
        made.savefig(path, dpi=110)


def main() -> None:
    """Play, print and write."""
    told = options.parse(options.parser(__doc__, rounds=7))
    played = [Played(setting) for setting in settings(told.quick)]
    for _ in range(told.rounds):
        for one in played:
            one.turn()
    rows = [one.row() for one in played]
    print("| varied | value | live rooms | ms a step | us a viewer-step | viewer-steps/s | bytes a viewer |")
    print("|---|---|---|---|---|---|---|")
    for row in rows:
        print(
            f"| {row['what']} | {row['value']:,} | {row['live_rooms']:.0f} | {row['ms_per_step']:.3f} "
            f"| {row['us_per_viewer_step']:.2f} | {row['viewer_steps_per_s']:,} | {row['bytes_per_viewer']:,} |"
        )
    write_csv(told.results / "simulator.csv", rows)
    draw(rows, told.results / "simulator.png")
    machine.record(told.results, "simulator", rounds=told.rounds)


if __name__ == "__main__":
    main()
