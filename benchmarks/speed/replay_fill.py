"""Does the replay slow down as it fills? Ten million transitions of 64 floats, in memory and in a file, side by side.

python -m benchmarks.speed.replay_fill --folder <folder>            # 6 GB of memory and 6 GB of disk
python -m benchmarks.speed.replay_fill --folder <folder> --quick    # a hundredth of that, for a look

The file is gone afterwards. Rows go to ``results/replay_fill.csv``, the picture to ``results/replay_fill.png``.
"""

from __future__ import annotations

import argparse
import csv
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from livedqn.replay.prioritised import Prioritised
from livedqn.replay.uniform import Uniform
from livedqn.types import Column, Spec

RESULTS = Path(__file__).parent / "results"
FILLS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1)  # the last goes round
ROWS, FEATURES, ACTIONS, BATCH = 32, 64, 4, 256
SPEC = Spec(
    context=tuple(Column(f"feature_{i}") for i in range(FEATURES)), context_shape=(FEATURES,), num_actions=ACTIONS
)


def timed(call: Callable[[], Any], repeats: int) -> np.ndarray:
    """Microseconds of each of ``repeats`` calls, on the clock of the wall: waiting for a disk counts."""
    taken = np.zeros(repeats)
    for i in range(repeats):
        start = time.perf_counter()
        call()
        taken[i] = time.perf_counter() - start
    return taken * 1e6


def measure(replays: dict[str, Uniform | Prioritised], capacity: int) -> list[dict[str, Any]]:
    """Add and sample times of every replay at every fill; all adds between two fills are timed."""
    rng = np.random.default_rng(0)
    observation = {
        "context": rng.random((ROWS, FEATURES), np.float32), "mask": np.ones((ROWS, ACTIONS), np.bool_)
    }  # fmt: skip
    numbers = np.full(ROWS, 0.5, np.float32)
    for replay in replays.values():
        replay.begin(observation, np.ones(ROWS, np.bool_))
    found, added = [], 0
    for fill in FILLS:
        more = round(fill * capacity) // ROWS - added
        added += more
        for name, replay in replays.items():
            actions = np.zeros(ROWS, int)
            add = timed(partial(replay.add, actions, numbers, numbers, numbers, observation), more)
            sample = timed(partial(replay.sample, BATCH, rng), 2_000)
            row = {"replay": name, "fill": fill, "transitions": len(replay)}
            for what, taken in (("add_32", add), ("sample_256", sample)):
                for part, value in zip(("median", "mean", "p99"), summary(taken), strict=True):
                    row[f"{what}_{part}_us"] = round(value, 2)
            print(row, flush=True)
            found.append(row)
    return found


def summary(taken: np.ndarray) -> tuple[float, float, float]:
    """Median, mean and 99th percentile."""
    return float(np.median(taken)), float(taken.mean()), float(np.percentile(taken, 99))


def draw(found: list[dict[str, Any]], capacity: int) -> None:
    """Medians over fill, the 99th percentiles as thin lines."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, panels = plt.subplots(1, 2, figsize=(11, 4), layout="constrained")
    for panel, what, title in zip(panels, ("add_32", "sample_256"), ("add 32", "sample 256"), strict=True):
        for colour, name in enumerate(dict.fromkeys(row["replay"] for row in found)):
            own = [row for row in found if row["replay"] == name]
            fills = [100 * row["fill"] for row in own]
            panel.plot(fills, [row[f"{what}_median_us"] for row in own], f"C{colour}o-", ms=3, label=name)
            panel.plot(fills, [row[f"{what}_p99_us"] for row in own], f"C{colour}:", lw=0.8)
        panel.set(title=title, xlabel=f"fill, % of {capacity:,} transitions", ylabel="microseconds", yscale="log")
        panel.set_xlim(0)
    handles, labels = panels[0].get_legend_handles_labels()
    title = "median\n(dotted: 99th percentile)"
    figure.legend(handles, labels, loc="outside right", title=title)  # type: ignore[call-overload]
    figure.savefig(RESULTS / "replay_fill.png", dpi=120)


def main() -> None:
    """Fill, time, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", required=True, help="where the file may lie for the time of the measurement")
    parser.add_argument("--quick", action="store_true", help="100,000 transitions; nothing is written")
    options = parser.parse_args()
    capacity = 100_000 if options.quick else 10_000_000
    replays: dict[str, Uniform | Prioritised] = {
        "uniform, in memory": Uniform(SPEC, ROWS, 1, capacity=capacity),
        "uniform, in a file": Uniform(SPEC, ROWS, 1, capacity=capacity, folder=options.folder),
        "prioritised, in memory": Prioritised(SPEC, ROWS, 1, capacity=capacity),
        "prioritised, in a file": Prioritised(SPEC, ROWS, 1, capacity=capacity, folder=options.folder),
    }
    found = measure(replays, capacity)
    if options.quick:
        return
    RESULTS.mkdir(exist_ok=True)
    with (RESULTS / "replay_fill.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(found[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(found)
    draw(found, capacity)


if __name__ == "__main__":
    main()
