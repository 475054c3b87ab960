"""How fast is the replay? One command times it against every library that is installed, interleaved, in one process.

python -m benchmarks.speed.replay            # a million transitions; some minutes
python -m benchmarks.speed.replay --quick    # a tenth of that, for a look

Libraries that are not installed beside livedqn are named and left out. All run on one thread, and the time is that of
the processor. A round times each call of each library in turn, so that a busy machine is busy for all; shown are
medians over the rounds, the quartiles, and ratios of medians. ``numpy`` is what no library can do without: one gather
of packed records, one write in place. Rows go to ``results/replay.csv``, the picture to ``results/replay.png``.
"""

from __future__ import annotations

import argparse
import csv
import importlib.metadata
import os
import platform
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.speed.replay_peers import COLUMNS, LIBRARIES, Timed

RESULTS = Path(__file__).parent / "results"


def build(names: list[str], capacity: int) -> tuple[dict[str, Timed], dict[str, float]]:
    """A full replay of every library: its calls, and the bytes of a transition; what is not installed is left out."""
    timed, size = {}, {}
    for name in names:
        try:
            timed[name], size[name] = LIBRARIES[name](capacity)
            print(f"filled {name}", flush=True)
        except ImportError as error:
            print(f"left out {name}: {error}", flush=True)
    return timed, size


def race(timed: dict[str, Timed], rounds: int, seconds: float) -> dict[tuple[str, str], np.ndarray]:
    """Microseconds a call by library and column, (rounds,); each gets ``seconds`` a round."""
    calls = {(name, column): call for name, columns in timed.items() for column, call in columns.items()}
    repeats = {}
    for key, call in calls.items():
        for _ in range(20):
            call()
        repeats[key] = max(5, round(seconds / (one(call, 20) * 1e-6)))
    taken: dict[tuple[str, str], list[float]] = {key: [] for key in calls}
    for _ in range(rounds):
        for column in COLUMNS:  # one column of all libraries after another: those are compared
            for key, call in calls.items():
                if key[1] == column:
                    taken[key].append(one(call, repeats[key]))
    return {key: np.array(values) for key, values in taken.items()}


def one(call: Any, repeats: int) -> float:
    """Microseconds a call, over ``repeats`` of them."""
    start = time.thread_time()
    for _ in range(repeats):
        call()
    return (time.thread_time() - start) / repeats * 1e6


def rows(taken: dict[tuple[str, str], np.ndarray], size: dict[str, float]) -> list[dict[str, Any]]:
    """A row for each library and column, with ratios to NumPy and to the best peer."""
    median = {key: float(np.median(values)) for key, values in taken.items()}
    found = []
    for (name, column), values in taken.items():
        peers = [m for (n, c), m in median.items() if c == column and n not in ("livedqn", "numpy")]
        bare = median.get(("numpy", column))
        found.append(
            {
                "library": name, "version": version(name), "call": column, "median_us": round(median[name, column], 2),
                "quartile_1_us": round(float(np.percentile(values, 25)), 2),
                "quartile_3_us": round(float(np.percentile(values, 75)), 2),
                "to_best_peer": round(median[name, column] / min(peers), 2) if peers else "",
                "to_numpy": round(median[name, column] / bare, 2) if bare else "",
                "bytes_per_transition": round(size[name]),
            }
        )  # fmt: skip
    return found


def version(name: str) -> str:
    """The installed version of a library."""
    return importlib.metadata.version(name)


def machine() -> str:
    """Python and processor."""
    info = Path("/proc/cpuinfo")
    models = [line.split(":")[1].strip() for line in info.read_text().splitlines() if "model name" in line]
    return f"Python {platform.python_version()}, {os.cpu_count()} x {models[0] if models else platform.machine()}"


def draw(found: list[dict[str, Any]], title: str) -> None:
    """Bars with quartiles, a panel for each call, on a logarithmic scale."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, panels = plt.subplots(1, len(COLUMNS), figsize=(14, 3.6), layout="constrained")
    for panel, column in zip(panels, COLUMNS, strict=True):
        shown = sorted((row for row in found if row["call"] == column), key=lambda row: -row["median_us"])
        middle = np.array([row["median_us"] for row in shown])
        low, high = (np.array([row[f"quartile_{q}_us"] for row in shown]) for q in (1, 3))
        colours = ["tab:orange" if row["library"] == "livedqn" else "tab:gray" for row in shown]
        names = [row["library"] for row in shown]
        panel.barh(names, middle, color=colours, xerr=(np.clip(middle - low, 0, None), np.clip(high - middle, 0, None)))
        panel.set(xlabel="microseconds (median, quartiles)", xscale="log")
        panel.set_title(column, fontsize=10)
        panel.xaxis.set_minor_formatter("")
    figure.suptitle(title, fontsize=9)
    figure.savefig(RESULTS / "replay.png", dpi=120)


def main() -> None:
    """Fill, time, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="100,000 transitions, few rounds; nothing is written")
    parser.add_argument("--libraries", nargs="*", default=list(LIBRARIES), choices=LIBRARIES, metavar="NAME")
    options = parser.parse_args()
    torch.set_num_threads(1)
    capacity, rounds, seconds = (100_000, 5, 0.02) if options.quick else (1_000_000, 21, 0.04)
    timed, size = build(options.libraries, capacity)
    found = rows(race(timed, rounds, seconds), size)
    print(f"\n{'':48s}{'median us':>10s}{'quartiles':>18s}{'to best peer':>14s}{'to numpy':>10s}{'bytes':>7s}")
    for row in sorted(found, key=lambda row: (COLUMNS.index(row["call"]), row["median_us"])):
        quartiles = f"{row['quartile_1_us']:.1f} - {row['quartile_3_us']:.1f}"
        print(
            f"{row['call']:28s}{row['library']:20s}{row['median_us']:10.1f}{quartiles:>18s}"
            f"{row['to_best_peer']!s:>14s}{row['to_numpy']!s:>10s}{row['bytes_per_transition']:7d}"
        )
    where = machine()
    print(where)
    if options.quick:
        return
    RESULTS.mkdir(exist_ok=True)
    with (RESULTS / "replay.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, [*found[0], "machine"], lineterminator="\n")
        writer.writeheader()
        writer.writerows({**row, "machine": where} for row in found)
    versions = ", ".join(f"{name} {version(name)}" for name in timed)
    draw(found, f"{capacity:,} transitions of 64 floats, batch 256. {versions}. {where}")


if __name__ == "__main__":
    main()
