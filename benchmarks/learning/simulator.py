"""Does deep Q-learning pay on the simulator? One command reruns a study: trainings, then all on the same worlds.

python -m benchmarks.learning.simulator watchtime --seeds 10 --jobs 2
python -m benchmarks.learning.simulator watchtime --quick

Each seed trains twice: ``dqn`` as a user would, and ``own``, a myopic one (discount 0) that collects its own data. (In
``averaged_watchtime`` each seed is five of either kind, and what is judged is the policy of their mean values.) Then
all of them play the same test worlds, beside random, hottest, favourite, LinUCB and linear Thompson sampling (each
trained once a seed, too), the myopic twin of every ``dqn`` (same batches), the ``dqn`` that may not choose *nothing*,
and oracles that know the hidden state. Thresholds and caps of baselines and oracle, and margins of ``dqn``, are tuned
on the same validation worlds.

What is compared by world is averaged over seeds before; ``dqn`` is ahead of another by the paired difference over
worlds, which holds for these trainings, and by that over seeds, which holds for other trainings on these worlds. Rows
go to ``results/sim_<study>.csv``, the picture to ``results/sim_<study>.png``, date, versions and machine to
``results/machine.json``.
"""

from __future__ import annotations

import argparse
import csv
import json
import shutil
import subprocess
import sys
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import machine
from livedqn import checkpoint, plugins
from livedqn.config import CapConfig, EvaluationConfig
from livedqn.evaluate import Interval
from livedqn.evaluate.compare import compare, tuned_margin
from livedqn.evaluate.evaluation import Evaluation
from livedqn.evaluate.intervals import interval, paired, ratio
from livedqn.evaluate.policies import Agent
from livedqn.report.style import FAINT, OTHERS, OURS, figure, look
from livedqn.stage import MakeStage, Stage
from livedqn.types import FloatArray

#: Study -> what it trains on.
STUDIES = {
    "watchtime": ["env=sim", "reward=watchtime"],
    "averaged_watchtime": ["env=sim", "reward=watchtime"],
    "long_watchtime": ["env=sim", "reward=watchtime", "steps=4000000"],
    "engagement": ["env=sim", "reward=engagement"],
    "hard_watchtime": ["env=sim_hard", "reward=watchtime"],
    "hard_engagement": ["env=sim_hard", "reward=engagement"],
    "clear_watchtime": ["env=sim", "env.viewers.tag_sessions=0", "reward=watchtime"],
    "told_watchtime": ["env=sim", "env.reveals=[boredom,openness,patience,taste,quality,moment]", "reward=watchtime"],
    "viewer_watchtime": ["env=sim", "env.episode=viewer", "reward=watchtime"],
}
#: Study -> of how many trainings a policy is the mean, and the study whose trainings these are.
AVERAGED = {"averaged_watchtime": (5, "watchtime")}
#: Kind of training -> its overrides.
KINDS = {"dqn": [], "own": ["agent.discount=0"]}
#: Whose worlds all of them meet; no training has it.
WORLD_SEED = 999
#: What trains, and is told the words of a training.
LIVEDQN = ("-m", "livedqn")
#: A training's own final table is none of this study's.
IN_SHORT = ["evaluation.worlds=1", "evaluation.episodes=8", "evaluation.tuning_episodes=1"]
#: Who is compared, weakest first, by the names that the evaluation gives them -> what the table calls them.
ROLES = {
    "random": "random", "hottest": "hottest", "favourite": "favourite", "lints": "lints", "linucb": "linucb",
    "myopic:own": "myopic, own data", "myopic:dqn": "myopic, same batches", "always:dqn": "dqn without nothing",
    "policy:dqn": "dqn", "oracle": "oracle", "lookahead": "look-ahead oracle",
}  # fmt: skip
REFERENCES = ("oracle", "look-ahead oracle")
#: The last weights are kept: which checkpoint an evaluation would choose is no part of the agent.
LAST_WEIGHTS = ["evaluation.points=1", "evaluation.validation_worlds=1", "evaluation.validation_episodes=32"]
METRICS = (
    "return", "click_through", "watch_minutes", "session_length", "share_nothing", "next_day_return", "exposure_gini",
    "share_new_streamers",
)  # fmt: skip
RESULTS = Path(__file__).parent / "results"


def train(words: Sequence[str], run: Path, program: Sequence[str] = LIVEDQN) -> Path:
    """The policy of one training; one that is there is not trained again."""
    if not (run / "report.html").exists():
        shutil.rmtree(run, ignore_errors=True)  # of one that was stopped
        command = [sys.executable, *program, *words, *IN_SHORT, f"hydra.run.dir={run}"]
        done = subprocess.run(command, text=True, capture_output=True)
        if done.returncode:
            raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr}")
        shutil.rmtree(run / "resume", ignore_errors=True)  # with its replay it is 0.6 GB, of every training
    print(f"trained {run.name}", flush=True)
    return run / "policy.ckpt"


def train_all(
    tasks: Mapping[str, Sequence[str]], folder: Path, jobs: int, program: Sequence[str] = LIVEDQN
) -> dict[str, Path]:
    """The policy of every training, ``jobs`` at a time, each in a folder of its own name."""
    folder.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(jobs) as pool:
        paths = list(pool.map(lambda task: train(task[1], folder / task[0], program), tasks.items()))
    return dict(zip(tasks, paths, strict=True))


def averaged(trained: Mapping[str, Path], members: int) -> dict[str, Path]:
    """The means of the policies of ``members`` trainings each: ``dqn-0`` is that of the first ``dqn``, and so on."""
    found = {}
    for kind in KINDS:
        paths = [path for name, path in trained.items() if name.startswith(f"{kind}-")]
        for seed in range(len(paths) // members):
            own = [checkpoint.read(path) for path in paths[members * seed : members * (seed + 1)]]
            path = paths[members * seed].with_name(f"mean_of_{members}.ckpt")
            checkpoint.average(own, path).save(path)
            found[f"{kind}-{seed}"] = path
    return found


def judge(
    policies: Mapping[str, Path], told: argparse.Namespace, roles: Collection[str], *,
    env: Mapping[str, Any] | None = None, more: Mapping[str, Agent] | None = None, tunes: bool = True,
    bandit_seeds: int = 1,
) -> Evaluation:  # fmt: skip
    """All ``roles``, some of which are taken by ``policies``, on the same worlds.

    Args:
        policies: by name, ``dqn-0`` for the role ``policy:dqn``. more: agents of another making, likewise.
        told: how many worlds and episodes.
        roles: who is compared.
        env: where they play; that of the first policy where nothing is said.
        tunes: margins are tuned here, whatever the policies have, and kept beside them: a judging that was stopped goes
            on where it was.
        bandit_seeds: how many times each bandit is trained; ``dqn`` has as many, or there is one.
    """
    found = {name: checkpoint.read(path) for name, path in policies.items()}
    config = {**next(iter(found.values())).config}
    config["env"] = env or config["env"]

    def make_stage(rows: int) -> Stage:
        return Stage(plugins.build("env", config["env"], rows), plugins.build("reward", config["reward"]), CapConfig())

    agents: dict[str, Agent] = {name: one.agent for name, one in found.items()} | dict(more or {})
    names = [name for role in roles for name in _contestants(role, agents)]
    settings = EvaluationConfig(worlds=told.worlds, episodes=told.episodes, tuning_episodes=told.tuning_episodes)
    for name, one in found.items():
        if tunes and f"policy:{name}" in names:
            one.agent.margin.fill_(_margin(one, make_stage, settings, told.world_seed, keeps=env is None))
            print(f"{name} shows a room that is worth {float(one.agent.margin):.3g} more than nothing", flush=True)
    return compare(
        {f"policy:{name}": agent for name, agent in agents.items()}, make_stage, settings,
        seed=told.world_seed, steps=config["steps"], names=names, bandit_seeds=bandit_seeds, notify=_tell,
    )  # fmt: skip


def _margin(
    one: checkpoint.Checkpoint, make_stage: MakeStage, settings: EvaluationConfig, seed: int, *, keeps: bool
) -> float:  # fmt: skip
    """The margin that is best for a policy on validation worlds, half a minute of looking for it."""
    path = one.path.with_suffix(f".margin-{seed}-{settings.tuning_episodes}.json")
    if keeps and path.exists():
        return float(json.loads(path.read_text()))
    margin = tuned_margin(one.agent, make_stage, settings, seed=seed)
    if keeps:
        path.write_text(json.dumps(margin))
    return margin


def _contestants(role: str, names: Collection[str]) -> list[str]:
    """Those of a role: the one of that name, or one a seed of what was trained."""
    kind, _, trained = role.partition(":")
    return [f"{kind}:{name}" for name in names if name.startswith(trained + "-")] if trained else [role]


def by_role(evaluation: Evaluation, roles: Mapping[str, str]) -> dict[str, dict[str, FloatArray]]:
    """What the table calls a role -> metric -> (seeds, W); a role without seeds has one."""
    found = {}
    for role, title in roles.items():
        seeds = f"{role}-" if ":" in role else f"{role}:"  # policy:dqn-0 ..., and of a bandit linucb:0 ...
        contestants = [of for name, of in evaluation.measured.items() if name == role or name.startswith(seeds)]
        if not contestants:
            continue
        found[title] = {m: np.stack([one[m] for one in contestants]) for m in METRICS if m in contestants[0]}
    return found


def rows(found: Mapping[str, Mapping[str, FloatArray]]) -> list[dict[str, object]]:
    """One row a role: means with intervals over worlds, and for those with seeds over seeds."""
    returns = {title: of["return"].mean(axis=0) for title, of in found.items()}
    bottom, top = returns["random"], returns[_ceiling(found)]
    made = []
    for title, of in found.items():
        row: dict[str, object] = {"policy": title, "seeds": len(of["return"]), "worlds": len(bottom)}
        for metric, values in of.items():
            row |= named(metric, interval(values.mean(axis=0)))
        if len(of["return"]) > 1:
            row |= named("return_over_seeds", interval(of["return"].mean(axis=1)))
        row |= named("dqn_ahead_by", paired(returns["dqn"], returns[title]))
        row |= named("dqn_ahead_over_seeds", paired(*(found[one]["return"].mean(axis=1) for one in ("dqn", title))))
        row |= named("share_of_way", ratio(returns[title] - bottom, top - bottom))
        row |= named("regret", paired(top, returns[title]))
        made.append(row)
    return made


def _ceiling(titles: Collection[str]) -> str:
    """The best oracle that was played."""
    return max((title for title in titles if title in REFERENCES), key=REFERENCES.index)


def named(name: str, one: Interval) -> dict[str, float]:
    """A mean and both ends of its interval, by the names that a table gives them."""
    return {name: one.mean, f"{name}_low": one.low, f"{name}_high": one.high}


def show(made: Sequence[Mapping[str, object]]) -> None:
    """The table, and what it says of the two targets."""

    def cell(row: Mapping[str, object], name: str, digits: int = 2) -> str:
        mean, low, high = (float(str(row[key])) for key in (name, f"{name}_low", f"{name}_high"))
        return f"{mean:.{digits}f} [{low:.{digits}f}, {high:.{digits}f}]"

    for row in made:
        print(f"{row['policy']:22} {cell(row, 'return'):24} dqn ahead by {cell(row, 'dqn_ahead_by'):24} "
              f"over seeds {cell(row, 'dqn_ahead_over_seeds'):24} of the way {cell(row, 'share_of_way')}")  # fmt: skip
    rivals = [row for row in made if row["policy"] not in ("dqn", *REFERENCES)]
    best = max(rivals, key=lambda row: float(str(row["return"])))
    ours = next(row for row in made if row["policy"] == "dqn")
    gain = float(str(best["dqn_ahead_by"])) / float(str(best["return"]))
    print(f"\nbest tuned baseline: {best['policy']}; dqn ahead by {cell(best, 'dqn_ahead_by')} ({gain:+.0%})")
    ceiling = _ceiling([str(row["policy"]) for row in made])
    print(f"(dqn - random) / ({ceiling} - random): {cell(ours, 'share_of_way')}")


def picture(made: Sequence[Mapping[str, object]], unit: str, path: Path) -> None:
    """Returns with intervals over worlds."""
    with look():
        drawn, (axis,) = figure(8, 0.8 + 0.36 * len(made))
        for y, row in enumerate(made):
            title = str(row["policy"])
            colour = OURS if title == "dqn" else OTHERS[0] if title in REFERENCES else FAINT
            low, mean, high = (float(str(row[key])) for key in ("return_low", "return", "return_high"))
            axis.barh(y, mean, color=colour, alpha=0.85)
            axis.plot([low, high], [y, y], color="black", linewidth=1)
            axis.text(high, y, f"  {mean:.1f}", va="center")
        axis.set_yticks(range(len(made)), [str(row["policy"]) for row in made])
        axis.set_xlabel(f"{unit}, mean and 95 % interval over worlds")
        axis.grid(visible=False, axis="y")
        axis.margins(x=0.1)
        drawn.savefig(path, dpi=110)


def write(made: Sequence[Mapping[str, object]], path: Path) -> None:
    """The rows as CSV; the longest has all columns."""
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, max(made, key=len), lineterminator="\n")
        writer.writeheader()
        writer.writerows({key: f"{v:.5g}" if isinstance(v, float) else v for key, v in row.items()} for row in made)


def _tell(what: str, done: int, total: int) -> None:
    if done == total:
        print(f"done {what}", flush=True)


def add_options(parser: argparse.ArgumentParser) -> None:
    """What every study of trainings on the simulator is told."""
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--jobs", type=int, default=2, help="trainings at once, a core each")
    parser.add_argument("--worlds", type=int, default=20)
    parser.add_argument("--episodes", type=int, default=192, help="in each world")
    parser.add_argument("--tuning-episodes", type=int, default=EvaluationConfig.tuning_episodes, help="of each rule")
    parser.add_argument("--world-seed", type=int, default=WORLD_SEED, help="whose worlds they meet")
    parser.add_argument(
        "--runs", type=Path, default=Path("runs/benchmarks"), help="done runs are kept: a new folder after changes"
    )
    parser.add_argument("--quick", action="store_true", help="two seeds, few steps: does it work, not how well")


def quick_words(told: argparse.Namespace) -> list[str]:
    """Overrides of a quick training; a quick study is of few seeds and worlds."""
    if not told.quick:
        return []
    told.seeds, told.worlds, told.episodes = 2, 3, 32
    return ["steps=20000", "evaluation.validation_worlds=1", "evaluation.validation_episodes=32"]


def main() -> None:
    """Train, judge, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("study", choices=STUDIES)
    parser.add_argument(
        "more", nargs="*", help="overrides of the training, agent.n_step=3 say; nothing is written then"
    )
    parser.add_argument(
        "--no-lookahead", action="store_true", help="leave out the oracle that takes half a minute a world"
    )
    parser.add_argument("--lookahead-episodes", type=int, default=192, help="of that oracle, in each world")
    add_options(parser)
    told = parser.parse_args()
    words = [*STUDIES[told.study], *told.more, *quick_words(told)]
    episodes = told.episodes
    name = f"{'quick_' if told.quick else ''}{told.study}" + "".join(f"+{word}" for word in told.more)
    members, of = AVERAGED.get(told.study, (1, told.study))
    tasks = {f"{kind}-{seed}": [*words, *more, f"seed={seed}"] for seed in range(members * told.seeds)
             for kind, more in KINDS.items()}  # fmt: skip
    folder = told.runs / "".join(c if c.isalnum() or c in "_+.-" else "_" for c in name.replace(told.study, of))
    policies = train_all(tasks, folder, told.jobs)
    if members > 1:
        policies = averaged(policies, members)
    played = judge(policies, told, [role for role in ROLES if role != "lookahead"], bandit_seeds=told.seeds)
    found = by_role(played, ROLES)
    if not told.no_lookahead:
        told.episodes = min(told.episodes, told.lookahead_episodes)
        found |= by_role(judge(policies, told, ["lookahead"]), ROLES)
    made = rows(found)
    show(made)
    if told.quick or told.more:
        return
    write(made, RESULTS / f"sim_{told.study}.csv")
    unit = "minutes watched" if "watchtime" in told.study else "points of engagement"
    unit += " a viewer" if told.study.startswith("viewer") else " a session"
    picture(made, unit, RESULTS / f"sim_{told.study}.png")
    machine.record(
        RESULTS, f"sim_{told.study}",
        seeds=told.seeds, worlds=told.worlds, episodes=episodes, tuning_episodes=told.tuning_episodes,
    )  # fmt: skip


if __name__ == "__main__":
    main()
