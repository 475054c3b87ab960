"""Conservative Q-learning on CartPole's logs, beside d3rlpy's DiscreteCQL at equal data, network and updates.

python -m benchmarks.offline.cartpole --peer d3/bin/python --seeds 10
python -m benchmarks.offline.cartpole --peer d3/bin/python --quick

``--peer`` is a Python that has d3rlpy (2.8; it wants an older Gymnasium, so an environment of its own). Both learn from
the same logs of random actions, a set a seed: the mean alone, one network of two hidden layers and its target copy,
double DQN, the same rates, batches and syncs, alpha 1. Judged are the final weights: the mean over 100 greedy episodes
from the same seeds. Rows go to ``results/cartpole.csv``.
"""

from __future__ import annotations

import argparse
import csv
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import machine
from benchmarks.offline import play_cartpole
from benchmarks.processes import environment
from livedqn import checkpoint
from livedqn.evaluate.intervals import interval, paired
from livedqn.logs.parquet import Parquet

ENV = ["env=gym", "env.id=CartPole-v1"]
RATE, BATCH, SYNC, ALPHA = 3e-4, 64, 1_000, 1.0
OURS = [
    "reward=native", "num_envs=8", "encoder.hidden=[256,256]", "agent.distribution=none", "agent.steps_per_update=1",
    f"agent.learning_rate={RATE}", f"agent.learning_rate_end={RATE}", f"agent.batch_size={BATCH}",
    f"agent.sync_every={SYNC}", f"agent.cql_alpha={ALPHA}", "agent.huber_delta=1", "agent.gradient_clip=null",
    "agent.standardise=false", "agent.scale_rewards=false", "holdout=0",
]  # fmt: skip
RESULTS = Path(__file__).parent / "results"


def run(*words: str) -> None:
    """A command of livedqn."""
    done = subprocess.run([sys.executable, "-m", "livedqn", *words], text=True, capture_output=True)
    if done.returncode:
        raise SystemExit(f"livedqn {' '.join(words)} failed:\n{done.stderr}")


def collected(folder: Path, impressions: int, seed: int) -> None:
    """Logs for us, and the same as arrays for the peer."""
    shutil.rmtree(folder, ignore_errors=True)
    run("collect", *ENV, f"out={folder}", "policy=random", "num_envs=8", f"steps={impressions}", f"seed={1_000 + seed}")
    parts = [part.take(part.acted) for part in Parquet(path=str(folder))]
    arrays: dict[str, Any] = {
        "observations": np.concatenate([part.observation["context"] for part in parts]),
        "actions": np.concatenate([part.action for part in parts]),
        "rewards": np.concatenate([part.native for part in parts]),
        "terminals": np.concatenate([part.terminated for part in parts]),
        "timeouts": np.concatenate([part.truncated for part in parts]),
    }
    np.savez(folder / "peer.npz", **arrays)


def ours(folder: Path, seed: int, told: argparse.Namespace) -> float:
    """The mean return of what we learn; all logs are in the replay before the first update."""
    size, out = told.impressions, folder / "ours"
    # another pass goes on while it learns: what it overwrites is the same again
    run(
        "logs=parquet", f"logs.path={folder}", *OURS, f"agent.warmup_steps={size}", f"steps={size + told.updates}",
        f"replay.capacity={size * 5 // 4}", f"seed={seed}", f"hydra.run.dir={out}",
    )  # fmt: skip
    agent = checkpoint.load(out / "policy.ckpt")
    mask = np.ones((1, 2), np.bool_)
    return play_cartpole.mean_return(lambda seen: int(agent.act({"context": seen[None], "mask": mask})[0]))


def peer(folder: Path, seed: int, told: argparse.Namespace) -> float:
    """The mean return of what d3rlpy learns."""
    settings = {"rate": RATE, "batch": BATCH, "sync": SYNC, "alpha": ALPHA, "updates": told.updates, "seed": seed}
    command = [told.peer, "-m", "benchmarks.offline.play_d3rlpy", str(folder / "peer.npz"), json.dumps(settings)]
    done = subprocess.run(command, env=environment(), text=True, capture_output=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr}")
    return float(done.stdout.splitlines()[-1])


def main() -> None:
    """Collect, learn, play, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer", required=True, help="a Python that has d3rlpy")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--impressions", type=int, default=50_000, help="of each log")
    parser.add_argument("--updates", type=int, default=20_000)
    parser.add_argument("--runs", type=Path, default=Path("runs/benchmarks/offline_cartpole"))
    parser.add_argument("--quick", action="store_true", help="one seed, few updates: does it work, not how well")
    told = parser.parse_args()
    if told.quick:
        told.seeds, told.impressions, told.updates = 1, 4_000, 1_000
    rows: list[dict[str, Any]] = []
    for seed in range(told.seeds):
        folder = told.runs.absolute() / f"{told.impressions}-{seed}"
        collected(folder, told.impressions, seed)
        rows.append({"seed": seed, "livedqn": ours(folder, seed, told), "d3rlpy": peer(folder, seed, told)})
        print(rows[-1], flush=True)
    if told.quick:
        return
    of = {name: np.array([row[name] for row in rows]) for name in ("livedqn", "d3rlpy")}
    for name, values in of.items():
        print(f"{name}: {interval(values)}")
    print(f"livedqn - d3rlpy, paired by seed: {paired(of['livedqn'], of['d3rlpy'])}")
    RESULTS.mkdir(exist_ok=True)
    with (RESULTS / "cartpole.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    machine.record(RESULTS, "cartpole", seeds=told.seeds, impressions=told.impressions, updates=told.updates)


if __name__ == "__main__":
    main()
