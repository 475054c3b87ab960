"""How fast logs are collected, beside the simulator alone.

python -m benchmarks.speed.collect            # two minutes
python -m benchmarks.speed.collect --quick    # does it work

1,024 viewers, 20 candidates, uniform actions. ``simulator`` steps and restarts, its actions settled beside the clock;
``collect`` does what the command does: it draws, records sessions, encodes them in a thread of its own and writes them
to a disk. The two take turns of some 256 steps in one process; a figure is the median over rounds: of seconds on the
wall, of CPU seconds of all threads, and of those of the thread that plays, which is what a second idle core leaves.
Rows go to ``results/collect.csv``.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from benchmarks import machine
from benchmarks.rows import write_csv
from benchmarks.speed import options
from livedqn import plugins
from livedqn.collect.behaviour import baseline
from livedqn.collect.command import play
from livedqn.collect.recorder import Recorder
from livedqn.config import CapConfig
from livedqn.envs.sim import sim
from livedqn.exploration import draw
from livedqn.logs.writer import Writer
from livedqn.stage import Stage

VIEWERS = 1_024
STEPS = 256  # of a turn
CLOCKS = {"wall": time.perf_counter, "cpu": time.process_time, "playing": time.thread_time}


def simulator() -> Callable[[], Any]:
    """A turn of the environment alone: its seconds by each clock, (3,)."""
    env, rng = sim(VIEWERS), np.random.default_rng(0)
    state: dict[str, Any] = {"seen": env.reset(seed=0)[0]}

    def turn() -> Any:
        spent = np.zeros(len(CLOCKS))
        for _ in range(STEPS):
            actions = (rng.random(VIEWERS) * state["seen"]["mask"].sum(axis=1)).astype(np.int64)
            began = clocks()
            state["seen"], _, terminated, truncated, _ = env.step(actions)
            ended = terminated | truncated
            if ended.any():
                state["seen"], _ = env.reset(options={"reset_mask": ended})
            spent += clocks() - began
        return spent

    return turn


def collect(stage: Stage, writer: Writer, turns: int) -> Callable[[], Any]:
    """A turn of the whole command."""
    values, rng = baseline("random", stage), np.random.default_rng(0)
    exploration = plugins.build("exploration", "epsilon_greedy")
    counted = {"steps": 0}

    def act(observation: Any, steps: int) -> Any:
        counted["steps"] += 1
        return draw(exploration(values(observation), observation["mask"], steps), observation["mask"], 0.01, rng)

    recorder = Recorder(stage.spec, VIEWERS, 0, "random")
    sessions = play(stage, act, recorder, seed=0, steps=VIEWERS * STEPS * turns, stopped=[])

    def turn() -> Any:
        before, began = counted["steps"], clocks()
        while counted["steps"] < before + STEPS:
            writer.add_later(next(sessions))
        writer.wait()  # or it would go on beside the simulator's turn
        return (clocks() - began) * STEPS / (counted["steps"] - before)

    return turn


def clocks() -> Any:
    """Now, by each of ``CLOCKS``."""
    return np.array([clock() for clock in CLOCKS.values()])


def main() -> None:
    """Play in turns, print and write."""
    made = options.parser(__doc__, rounds=9)
    told = options.parse(made)
    warm_up = 1 if told.quick else 2
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        stage = Stage(sim(VIEWERS), plugins.build("reward", "native"), CapConfig())
        with Writer(Path(folder), stage.spec) as writer:
            turns = {"simulator": simulator(), "collect": collect(stage, writer, told.rounds + warm_up + 1)}
            spent: dict[str, list[Any]] = {name: [] for name in turns}
            for round_ in range(told.rounds + warm_up):
                for name, turn in turns.items():
                    found = turn()
                    if round_ >= warm_up:
                        spent[name].append(found)
        size = sum(path.stat().st_size for path in Path(folder).rglob("*.parquet")) / writer.rows
    steps = VIEWERS * STEPS
    rows = []
    for which, clock in enumerate(CLOCKS):
        us = {name: float(median(one[which] for one in found)) / steps * 1e6 for name, found in spent.items()}
        pairs = zip(spent["simulator"], spent["collect"], strict=True)
        share = sorted(alone[which] / both[which] for alone, both in pairs)
        rows.append({
            "clock": clock, **{f"us_{name}": round(value, 2) for name, value in us.items()},
            "simulator_per_s": round(1e6 / us["simulator"]), "collect_per_s": round(1e6 / us["collect"]),
            "share": round(float(median(share)), 2), "share_low": round(float(share[0]), 2),
            "share_high": round(float(share[-1]), 2),
            "bytes_per_impression": round(size), "rounds": told.rounds,
        })  # fmt: skip
    for row in rows:
        print(row)
    write_csv(told.results / "collect.csv", rows)
    machine.record(told.results, "collect", rounds=told.rounds)


if __name__ == "__main__":
    main()
