"""Does learning from logs pay? Logs of three policies, a training a method on each, and all in the true simulator.

python -m benchmarks.offline.table --checkpoint runs/…/policy.ckpt --seeds 5 --choose 1 --jobs 2
python -m benchmarks.offline.table --quick

A seed has logs of its own of each behaviour: random, hottest with epsilon 0.2, and a trained policy with epsilon 0.1
(``--checkpoint``; one is trained where none is given). Learned from them are plain DQN, the mean of an ensemble of
five, conservative Q-learning and discrete BCQ, without a look at the simulator: no checkpoint is chosen and no margin
is tuned by it. ``default`` is what a run does that is not told: as its logs say, plain DQN or conservative Q-learning,
which is not learned a second time. Then all play the same test worlds, beside random, hottest and favourite (tuned
there), the trained policy, and the behaviours themselves.

The method is chosen on seeds of its own (``--choose``; with 0 it is the first), on other worlds, by what it keeps of
(trained - random) in the mean over the three kinds of logs; the table is of the other seeds. Differences are paired by
world, after a mean over seeds. Rows go to ``results/table.csv``, the picture to ``results/table.png``, date, versions
and machine to ``results/machine.json``.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import machine
from benchmarks.learning import simulator
from benchmarks.learning.schedules import composed, of_length
from benchmarks.offline.behaviours import Behaviour
from livedqn import checkpoint
from livedqn.caution import ALPHA
from livedqn.evaluate.intervals import interval, paired, ratio
from livedqn.report.style import FAINT, OTHERS, OURS, figure, look
from livedqn.types import FloatArray

ENV, REWARD = ["env=sim"], ["reward=watchtime"]
METHODS = {
    "default": [], "plain": ["agent.cql_alpha=0"], "ensemble": ["agent.ensemble=5", "agent.cql_alpha=0"],
    "cql": [f"agent.cql_alpha={ALPHA}"], "bcq": ["agent.bcq_threshold=0.3"],
}  # fmt: skip
#: What a training from logs does not have.
PLAYED = ("exploration",)
RESULTS = Path(__file__).parent / "results"
Returns = Mapping[str, FloatArray]  # who -> (seeds, worlds)


def learn(name: str, behaviour: Behaviour, seed: int, told: argparse.Namespace) -> dict[str, Path]:
    """Collect the logs of a seed, learn from them by every method, and remove them: policies by their names."""
    folders = {method: told.runs / f"{name}_{method}-{seed}" for method in told.methods}
    logs = told.runs / f"logs-{name}-{seed}"
    if not all((folder / "report.html").exists() for folder in folders.values()):
        shutil.rmtree(logs, ignore_errors=True)
        # seeds of logs lie apart from those of the trained policy
        command = behaviour.words(ENV, told.impressions, 1_000 + seed, logs)
        subprocess.run(command, check=True, capture_output=True, text=True)
    schedule = [] if told.steps is None else of_length(composed(ENV), told.steps)
    schedule = [word for word in schedule if not word.startswith(PLAYED)]
    common = ["logs=parquet", f"logs.path={logs}", "holdout=0", *REWARD, *schedule, f"seed={seed}"]
    found = {}
    for method in told.methods:
        found[f"{name}_{method}-{seed}"] = policy = simulator.train([*common, *METHODS[method]], folders[method])
        if method == "default":
            same = folders.get("cql" if checkpoint.read_config(policy)["agent"]["cql_alpha"] else "plain")
            if same is not None and not same.exists():
                same.symlink_to(folders["default"].absolute())
    shutil.rmtree(logs, ignore_errors=True)
    return found


def returns(
    policies: Mapping[str, Path], behaviours: Mapping[str, Behaviour], online: Path, told: argparse.Namespace, seed: int
) -> dict[str, FloatArray]:
    """Who -> returns (seeds, worlds), on the worlds of ``seed``."""
    trained = checkpoint.read(online)
    own = {f"behaviour_{name}-0": one.agent(trained.spec) for name, one in behaviours.items() if name != "random"}
    learned = [f"{name}_{method}" for name in behaviours for method in told.methods]
    kinds = [*learned, "online", *(f"behaviour_{name}" for name in behaviours if name != "random")]
    roles = ["random", "hottest", "favourite", *(f"policy:{kind}" for kind in kinds)]
    settings = argparse.Namespace(**{**vars(told), "world_seed": seed})
    played = simulator.judge(
        {**policies, "online-0": online}, settings, roles, env=trained.config["env"], more=own, tunes=False
    )
    found = {name: played.measured[name]["return"][None] for name in ("random", "hottest", "favourite")}
    for kind in kinds:
        runs = [of for name, of in played.measured.items() if name.startswith(f"policy:{kind}-")]
        found[kind] = np.stack([of["return"] for of in runs])
    found["behaviour_random"] = found["random"]
    return found


def share(found: Returns, who: str) -> Any:
    """(return - random) / (trained - random), over worlds."""
    bottom, top = (found[name].mean(axis=0) for name in ("random", "online"))
    return ratio(found[who].mean(axis=0) - bottom, top - bottom)


def chosen(found: Returns, behaviours: Mapping[str, Behaviour], methods: Sequence[str]) -> str:
    """The method that keeps most in the mean over the kinds of logs."""
    return max(methods, key=lambda method: np.mean([share(found, f"{name}_{method}").mean for name in behaviours]))


def rows(found: Returns, behaviours: Mapping[str, Behaviour]) -> list[dict[str, Any]]:
    """One row a contestant."""
    mean = {who: of.mean(axis=0) for who, of in found.items()}
    made = []
    for who, of in found.items():
        name = who.partition("_")[0]
        row: dict[str, Any] = {"policy": who, "seeds": len(of), "worlds": of.shape[1]}
        row |= simulator.named("return", interval(mean[who]))
        row |= simulator.named("ahead_of_random", paired(mean[who], mean["random"]))
        row |= simulator.named("ahead_of_heat", paired(mean[who], mean["behaviour_heat"]))
        if name in behaviours:
            row |= simulator.named("ahead_of_its_logs", paired(mean[who], mean[f"behaviour_{name}"]))
        row |= simulator.named("of_trained", share(found, who))
        row |= simulator.named("return_of_trained", ratio(mean[who], mean["online"]))
        if len(of) > 1:
            row |= simulator.named("return_over_seeds", interval(of.mean(axis=1)))
        made.append(row)
    return made


def show(made: Sequence[Mapping[str, Any]], method: str) -> None:
    """The table, and the targets of the chosen method."""

    def cell(row: Mapping[str, Any], name: str) -> str:
        mean, low, high = (row[f"{name}{end}"] for end in ("", "_low", "_high"))
        return f"{mean:6.2f} [{low:.2f}, {high:.2f}]"

    for row in made:
        print(f"{row['policy']:22} {cell(row, 'return'):24} ahead of random {cell(row, 'ahead_of_random'):24} "
              f"of heat {cell(row, 'ahead_of_heat'):24} of the way to trained {cell(row, 'of_trained')}")  # fmt: skip
    by = {row["policy"]: row for row in made}
    print(f"\nthe method: {method}")
    for name in ("random", "heat", "trained"):
        row = by[f"{name}_{method}"]
        beats = [rival for rival in ("random", "heat") if row[f"ahead_of_{rival}_low"] > 0]
        print(f"from logs of {name}: beats {' and '.join(beats) or 'neither random nor heat'} by the interval")
    print(
        f"from trained logs it keeps {cell(by[f'trained_{method}'], 'return_of_trained')} of its return (wanted: 0.95)"
    )
    print(f"from heat logs it reaches {cell(by[f'heat_{method}'], 'of_trained')} of trained - random (wanted: 0.8)")


def picture(made: Sequence[Mapping[str, Any]], method: str, path: Path) -> None:
    """Returns with intervals over worlds."""
    with look():
        drawn, (axis,) = figure(8, 0.8 + 0.36 * len(made))
        for y, row in enumerate(made):
            is_learned = row["policy"].endswith(tuple(f"_{method}" for method in METHODS))
            colour = OURS if row["policy"].endswith(method) else OTHERS[0] if is_learned else FAINT
            axis.barh(y, row["return"], color=colour, alpha=0.85)
            axis.plot([row["return_low"], row["return_high"]], [y, y], color="black", linewidth=1)
        axis.set_yticks(range(len(made)), [str(row["policy"]).replace("_", ", ") for row in made])
        axis.set_xlabel("minutes watched a session, mean and 95 % interval over worlds")
        axis.grid(visible=False, axis="y")
        drawn.savefig(path, dpi=110)


def told_by(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line; a quick study is of few steps, seeds and worlds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    simulator.add_options(parser)
    parser.add_argument("--choose", type=int, default=3, help="seeds on which the method is chosen, before the others")
    parser.add_argument(
        "--methods", nargs="+", default=list(METHODS), choices=METHODS, help="all where nothing is said"
    )
    parser.add_argument("--checkpoint", type=Path, help="the trained policy, of the same environment and reward")
    parser.add_argument("--impressions", type=int, default=400_000, help="of each log")
    parser.add_argument("--steps", type=int, help="of each training from logs; nothing: what a run does of itself")
    told = parser.parse_args(arguments)
    told.methods = [method for method in METHODS if method in told.methods]  # the default first, for it is another, too
    told.runs = told.runs / "offline"
    if told.quick:
        told.runs = told.runs / "quick"
        told.seeds, told.choose, told.worlds, told.episodes = 1, 0, 3, 32
        told.impressions = told.steps = 10_000
    return told


def main() -> None:
    """Collect, learn, judge, print and write."""
    told = told_by()
    short = ["steps=10000", "evaluation.validation_worlds=1", "evaluation.validation_episodes=32"] if told.quick else []
    online = told.checkpoint or simulator.train([*ENV, *REWARD, *short, "seed=0"], told.runs / "online")
    behaviours = {"random": Behaviour("random", 1.0), "heat": Behaviour("hottest", 0.2),
                  "trained": Behaviour(str(online), 0.1)}  # fmt: skip
    told.runs.mkdir(parents=True, exist_ok=True)
    tasks = [(name, seed) for seed in range(told.choose + told.seeds) for name in behaviours]
    with ThreadPoolExecutor(told.jobs) as pool:
        done = list(pool.map(lambda task: learn(task[0], behaviours[task[0]], task[1], told), tasks))
    first, rest = ({name: path for (_, seed), of in zip(tasks, done, strict=True) for name, path in of.items()
                    if (seed < told.choose) is early} for early in (True, False))  # fmt: skip
    method = told.methods[0]
    if first:
        found = returns(first, behaviours, online, told, told.world_seed + 1)
        method = chosen(found, behaviours, told.methods)
    made = rows(returns(rest, behaviours, online, told, told.world_seed), behaviours)
    show(made, method)
    results = told.runs if told.quick else RESULTS
    results.mkdir(exist_ok=True)
    simulator.write(made, results / "table.csv")
    picture(made, method, results / "table.png")
    if not told.quick:
        told_of = {
            name: getattr(told, name)
            for name in ("seeds", "choose", "worlds", "episodes", "impressions", "steps", "methods")
        }
        machine.record(RESULTS, "table", **told_of)


if __name__ == "__main__":
    main()
