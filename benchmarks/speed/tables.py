"""Tables and the picture of ``results/train.csv``: ratios within a round, with their spread over rounds.

Ratios are of CPU seconds, which a neighbour on the same cores disturbs least; with one thread and nobody else they are
those of wall time.
"""

from __future__ import annotations

from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from benchmarks.speed.work import WORKLOADS

Rows = list[dict[str, Any]]
PEER, LIMIT = "sb3", "bare:compile"
OURS = ("livedqn:compile", "livedqn:eager", "livedqn:auto")


def ratios(rows: Rows, workload: str, one: str, other: str, column: str = "cpu_s") -> list[float]:
    """``column`` of ``other`` / that of ``one``, round by round: how many times faster ``one`` is."""
    of = {(row["contestant"], row["round"]): row[column] for row in rows if row["workload"] == workload}
    rounds = sorted({round_ for name, round_ in of if name == one and (other, round_) in of})
    return [of[other, round_] / of[one, round_] for round_ in rounds]


def spread(values: list[float], digits: int = 2) -> str:
    """``median [lowest, highest]``."""
    if not values:
        return "-"
    if len(values) == 1:
        return f"{values[0]:.{digits}f}"
    return f"{median(values):.{digits}f} [{min(values):.{digits}f}, {max(values):.{digits}f}]"


def show(rows: Rows) -> None:
    """Print everything."""
    for workload in WORKLOADS.values():
        part = [row for row in rows if row["workload"] == workload.name]
        if part:
            print(f"\n{workload.name}: {workload.about}; {int(part[0]['steps']):,} steps\n")
            _speed_table(part, workload.name)
    print()
    # the loop outside compiles where livedqn can, so it is compared with the run inside that does too
    inside = next((name for name in OURS if any(row["contestant"] == name for row in rows)), OURS[0])
    shares = [100 * (faster - 1) for faster in ratios(rows, "tf10", "livedqn:outside", inside)]
    if shares:
        print(f"Lightning, log and progress, tf10: {inside} takes {spread(shares, 1)} % more than outside a Trainer")


def _speed_table(part: Rows, workload: str) -> None:
    by_name: dict[str, Rows] = {}
    for row in part:
        by_name.setdefault(row["contestant"], []).append(row)
    print(f"| contestant | rounds | steps/s | x {PEER} | x {LIMIT} | updates | CPU s | peak MiB | last 100 | greedy |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for name, found in sorted(by_name.items(), key=lambda item: median(row["cpu_s"] for row in item[1])):
        middle = {column: median(row[column] for row in found) for column in ("cpu_s", "peak_mib", "updates")}
        means = [np.mean([row[column] or 0 for row in found]) for column in ("training_return", "greedy_return")]
        print(
            f"| {name} | {len(found)} | {spread([row['steps_per_s'] for row in found], 0)} "
            f"| {spread(ratios(part, workload, name, PEER))} | {spread(ratios(part, workload, name, LIMIT))} "
            f"| {middle['updates']:.0f} | {middle['cpu_s']:.1f} | {middle['peak_mib']:.0f} "
            f"| {means[0]:.0f} | {means[1]:.0f} |"
        )


def picture(rows: Rows, path: Path) -> None:
    """Bars of how many times faster than the peer, whiskers from the slowest round to the fastest."""
    try:
        from livedqn.report.style import FAINT, NOTHING, OURS as BLUE, figure, look  # noqa: I001
    except ModuleNotFoundError:
        print("no picture: this interpreter has no livedqn")
        return
    workloads = [name for name in WORKLOADS if any(ratios(rows, name, other, PEER) for other in _names(rows, name))]
    if not workloads:
        print(f"no picture: {PEER} was left out")
        return
    with look():
        made, axes = figure(4.2 * len(workloads), 3.4, columns=len(workloads))
        for axis, workload in zip(axes, workloads, strict=True):
            found = {name: ratios(rows, workload, name, PEER) for name in _names(rows, workload)}
            names = sorted((name for name in found if found[name]), key=lambda name: median(found[name]))
            middle = [median(found[name]) for name in names]
            whiskers = [[m - min(found[n]) for n, m in zip(names, middle, strict=True)],
                        [max(found[n]) - m for n, m in zip(names, middle, strict=True)]]  # fmt: skip
            colours = [BLUE if name in OURS else NOTHING for name in names]
            bars = axis.barh(names, middle, xerr=whiskers, color=colours, ecolor=FAINT, capsize=2)
            axis.bar_label(bars, [f" {value:.2g}" for value in middle], padding=4)
            axis.margins(x=0.15)
            axis.grid(axis="y", visible=False)
            axis.set(
                title=WORKLOADS[workload].about.replace(", ", ",\n"), xlabel=f"{workload}: times the speed of {PEER}"
            )
        made.savefig(path, dpi=110)


def _names(rows: Rows, workload: str) -> list[str]:
    found = dict.fromkeys(row["contestant"] for row in rows if row["workload"] == workload)
    return [name for name in found if name != "livedqn:outside"]  # no way to train, only what Lightning is held against
