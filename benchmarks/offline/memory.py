"""Does memory stay where it is, however many impressions are learned from? Resident memory against their number.

python -m benchmarks.offline.memory                                  # 1,000,000 impressions
python -m benchmarks.offline.memory --impressions 300000 --capacity 50000

Logs of ``--logged`` simulated impressions are collected once and read again and again, as ``livedqn logs=parquet``
does, updates included. Once the replay is full and the logs were gone through twice, memory must not grow with
impressions: the slope from there on is printed in MiB per million, with what it would come to at 50 million. Rows go to
``results/memory.csv``.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import io
import tempfile
from functools import partial
from pathlib import Path

import numpy as np

from livedqn import collect, plugins
from livedqn.agent import DQN
from livedqn.config import CollectConfig
from livedqn.logged import LoggedExperience
from livedqn.logs.parquet import Parquet
from livedqn.replay.uniform import Uniform
from livedqn.rewards import WatchTime

MIB = 2**20
#: What it is to be shown for.
MANY = 50_000_000
RESULTS = Path(__file__).parent / "results"


def resident_bytes() -> int:
    """Of this process, now."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise SystemExit("/proc says nothing of memory here; run it on Linux")


def measured(folder: Path, told: argparse.Namespace) -> list[dict[str, float]]:
    """A row at each of 40 places: impressions so far, MiB, and whether from here on nothing has to grow."""
    logs = Parquet(path=str(folder))
    replay = Uniform(logs.spec, told.num_envs, 1, capacity=told.capacity)
    agent = DQN(logs.spec, partial(plugins.build, "encoder", "mlp"), warmup_steps=8_192)
    experience = LoggedExperience(
        logs, WatchTime(), replay, num_envs=told.num_envs, seed=0, holdout=0.2, before="", tolerated=0.01
    )  # fmt: skip
    experience.begin()
    agent.configure_optimizers()
    agent.learn_from(experience)
    agent.eval()
    rows = []
    for mark in np.linspace(0, told.impressions, 41)[1:].astype(int).tolist():
        agent.training_step(mark, 0)
        settled = experience.measures()["epochs"] >= 2 and experience.steps > 1.5 * replay.capacity
        rows.append({"impressions": experience.steps, "mib": resident_bytes() / MIB, "settled": settled})
        print(f"{experience.steps:>11,} impressions {rows[-1]['mib']:8,.0f} MiB", flush=True)
    return rows


def main() -> None:
    """Collect, learn, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--impressions", type=int, default=1_000_000, help="to learn from, in all")
    parser.add_argument("--logged", type=int, default=100_000, help="in the logs")
    parser.add_argument("--capacity", type=int, default=100_000, help="of the replay")
    parser.add_argument("--num-envs", type=int, default=1_024)
    told = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        made = CollectConfig(out=f"{folder}/logs", steps=told.logged, env="sim", exploration="epsilon_greedy")
        with contextlib.redirect_stdout(io.StringIO()):
            collect.run(made)
        rows = measured(Path(made.out), told)
    settled = np.array([[row["impressions"], row["mib"]] for row in rows if row["settled"]])
    if len(settled) < 3:
        raise SystemExit("too few impressions for a slope: raise --impressions, or lower --logged and --capacity")
    slope = np.polyfit(settled[:, 0] / 1e6, settled[:, 1], 1)[0]
    print(f"slope: {slope:+.1f} MiB per million impressions, so {slope * MANY / 1e6:+,.0f} MiB at {MANY:,}")
    print(f"peak: {max(row['mib'] for row in rows):,.0f} MiB with a replay of {told.capacity:,}")
    RESULTS.mkdir(exist_ok=True)
    with (RESULTS / "memory.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows({**row, "mib": f"{row['mib']:.1f}", "settled": int(row["settled"])} for row in rows)


if __name__ == "__main__":
    main()
