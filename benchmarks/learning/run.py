"""Does it learn? One command reruns a study: a run a seed, then the mean over seeds with its 95 % interval.

python -m benchmarks.learning.run acrobot --seeds 10 --jobs 2
python -m benchmarks.learning.run cartpole --quick

For the simulator see ``simulator.py``.

Every run is a ``livedqn`` command line of its own (STUDIES). Its policy.ckpt, chosen by in-training evaluations, and
its final.ckpt, the last weights, are judged on the same test worlds. The rows go to ``results/<study>.csv``.
"""

from __future__ import annotations

import argparse
import csv
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from livedqn.evaluate import Interval
from livedqn.evaluate.intervals import interval

#: Name -> command line; ``twitch`` wants ``--rooms``.
STUDIES = {
    "cartpole": ["+env=gym", "env.id=CartPole-v1", "+experiment=cartpole"],
    "acrobot": ["+env=gym", "env.id=Acrobot-v1", "+experiment=acrobot"],
    "twitch": ["env=twitch", "reward=watchtime"],
}
#: From which mean return on a run a seed counts as solved.
SOLVED = {"cartpole": 475.0, "acrobot": -100.0}
HERE = Path(__file__).parent


def livedqn(words: list[str]) -> None:
    """Run one command line, quietly; what it says is shown if it fails."""
    done = subprocess.run([sys.executable, "-m", "livedqn", *words], text=True, capture_output=True)
    if done.returncode:
        raise SystemExit(f"livedqn {' '.join(words)} failed:\n{done.stderr}")


def one_seed(study: str, seed: int, folder: Path, more: list[str]) -> dict[str, float]:
    """Train with a seed; mean return of every policy, and of the final weights."""
    run = folder / f"{study}-{seed}"
    if not (run / "report.html").exists():
        livedqn([*STUDIES[study], f"seed={seed}", f"hydra.run.dir={run}", *more])
    final = run / "final"
    if not (final / "evaluation.json").exists():
        livedqn(["evaluate", f"checkpoint={run / 'final.ckpt'}", "policies=[policy]", f"hydra.run.dir={final}"])
    table = json.loads((run / "evaluation.json").read_text())
    row = {"seed": seed, **{name: found["return"]["mean"] for name, found in table.items()}}
    for name, found in table.items():
        if name not in ("policy", "random"):
            row[f"ahead_of_{name}_low"] = found["advantage_of_policy"]["low"]
    row["final"] = json.loads((final / "evaluation.json").read_text())["policy"]["return"]["mean"]
    print(f"{study} seed {seed}: " + ", ".join(f"{k} {v:.4g}" for k, v in row.items() if k != "seed"), flush=True)
    return row


def shown(found: Interval) -> str:
    """``mean [low, high]``."""
    return f"{found.mean:.4g} [{found.low:.4g}, {found.high:.4g}]"


def main() -> None:
    """Run a study and print its summary."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("study", choices=STUDIES)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--jobs", type=int, default=2, help="runs at once, a core each")
    parser.add_argument(
        "--runs", type=Path, default=Path("runs/benchmarks"), help="where the runs lie; done ones are kept"
    )
    parser.add_argument("--rooms", help="twitch: the CSV of room snapshots")
    parser.add_argument("--quick", action="store_true", help="two seeds, few steps: does it work, not how well")
    told = parser.parse_args()
    more = [f"env.rooms={Path(told.rooms).absolute()}"] if told.rooms else []
    if told.quick:
        more += ["steps=4000", "evaluation.worlds=3", "evaluation.episodes=8", "evaluation.validation_worlds=1"]
    seeds = range(2 if told.quick else told.seeds)
    told.runs.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(told.jobs) as pool:
        rows = list(pool.map(lambda seed: one_seed(told.study, seed, told.runs, more), seeds))

    print(f"\n{told.study}: {len(rows)} seeds, mean return [95 % interval over seeds]")
    policies = [name for name in rows[0] if name != "seed" and not name.endswith("_low")]
    values = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    for name in policies:
        print(f"  {name:10} {shown(interval(values[name]))}")
    for name in policies:
        if name not in ("policy", "final"):
            print(f"  policy - {name}: {shown(interval(values['policy'] - values[name]))}")
        if f"ahead_of_{name}_low" in values:
            clear = int((values[f"ahead_of_{name}_low"] > 0).sum())
            print(f"    ahead in the paired 95 % interval of its own worlds: {clear} of {len(rows)} runs")
    if told.study in SOLVED:
        solved = int((values["policy"] >= SOLVED[told.study]).sum())
        print(f"  solved (>= {SOLVED[told.study]:g}): {solved} of {len(rows)} seeds")
    if not told.quick:
        with (HERE / "results" / f"{told.study}.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, rows[0], lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)


if __name__ == "__main__":
    main()
