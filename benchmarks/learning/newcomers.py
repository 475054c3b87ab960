"""How fast are good new streamers found, and at what price? A platform grows, and each exploration goes on with it.

python -m benchmarks.learning.newcomers --seeds 3 --jobs 2
python -m benchmarks.learning.newcomers --quick

A policy is trained where 250 streamers broadcast; then there are 300, of whom the first 250 are who they were, and from
the same weights training goes on under each exploration plugin. Good newcomers are the quarter of the new ones with the
best hidden quality. Their share of all impressions, while training plays, is compared with the share at which an oracle
shows them: found is when the way from the share under the old policy to the oracle's is half done. What exploring costs
is the return of a session that ends while training plays, less that of the plain baseline (a little epsilon for ever),
of the same seeds and viewers.

Nobody knows anybody (``env.viewers.acquaintance=0``), or viewers would remember years with who is new today; qualities
differ twice as much as usual, so that there is something to find. Rows go to ``results/newcomers.csv``, the shares over
training to ``results/newcomers.png``.
"""

from __future__ import annotations

import argparse
import multiprocessing
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from benchmarks import machine
from benchmarks.learning.schedules import composed, of_length
from benchmarks.learning.simulator import RESULTS, add_options, judge, named, quick_words, train_all, write
from livedqn import checkpoint, plugins
from livedqn.config import CapConfig
from livedqn.envs import LiveStream
from livedqn.envs.behaviour import quality
from livedqn.evaluate.evaluation import Evaluation
from livedqn.evaluate.intervals import interval, paired
from livedqn.experience import PlayedExperience
from livedqn.replay.uniform import Uniform
from livedqn.report.style import FAINT, OTHERS, OURS, figure, look
from livedqn.rewards import WatchTime
from livedqn.stage import Stage, Step, world_seed
from livedqn.types import FloatArray, IntArray

OLD, ALL = 250, 300
ENV: dict[str, Any] = {"plugin": "sim", "viewers": {"acquaintance": 0.0, "quality_sd": 1.0}}
#: Name -> exploration while training goes on, in settings for a policy that knows all streamers but the new ones.
EXPLORATIONS: dict[str, dict[str, Any]] = {
    "plain": {"plugin": "epsilon_greedy", "start": 0.01, "end": 0.01},
    "epsilon_greedy": {"plugin": "epsilon_greedy", "start": 0.1, "end": 0.1},
    "boltzmann": {"plugin": "boltzmann", "start": 0.3, "end": 0.3},
    "ucb": {"plugin": "ucb", "bonus": 2.0},
    "thompson": {"plugin": "thompson"},
}
COLOURS = dict(zip(EXPLORATIONS, [FAINT, *OTHERS[:3], OURS], strict=True))
#: Viewers at once, and steps of uniform actions before the first update, which are in no figure.
ROWS, WARMUP = 1_024, 4_096
#: Of the agent that goes on: it knows most already.
GOING_ON = {"warmup_steps": WARMUP, "learning_rate": 5e-4, "learning_rate_end": 5e-4}
#: Points of the curves over training.
POINTS = 20


def good_newcomers(viewers: Any) -> IntArray:
    """Numbers of the new streamers of the best quarter."""
    found = quality(ALL, viewers)
    new = np.arange(OLD + 1, ALL + 1)
    return new[np.argsort(-found[new])[: len(new) // 4]]


class Watched(Stage):
    """A stage that writes down whom it showed, and what that brought."""

    def __init__(self, env: LiveStream) -> None:
        super().__init__(env, WatchTime(), CapConfig())
        self._good, self._minutes = good_newcomers(env.viewers), np.zeros(env.num_envs)
        #: A step each: rooms shown, of good newcomers among them, sessions that ended, and their minutes.
        self.steps: list[tuple[int, int, int, float]] = []

    def step(self, actions: IntArray) -> Step:
        """Take ``actions`` (B,), and remember."""
        shown = self.ids["streamers"][np.arange(len(actions)), actions][actions > 0]
        step = super().step(actions)
        self._minutes += step.reward
        over = step.terminated | step.truncated
        found = int(np.isin(shown, self._good).sum())
        self.steps.append((len(shown), found, int(over.sum()), float(self._minutes[over].sum())))
        self._minutes[over] = 0
        return step


class Task(NamedTuple):
    """Train on with an exploration, from a policy."""

    exploration: str
    seed: int
    init: Path
    steps: int
    kept: Path
    compile: str


def go_on(task: Task) -> FloatArray:
    """What a :class:`Watched` saw of it, (steps, 4); what is done is not done again."""
    if not task.kept.exists():
        torch.set_num_threads(1)
        torch.manual_seed(task.seed)
        stage = Watched(plugins.build("env", {**ENV, "streamers": ALL}, ROWS))
        found = checkpoint.read(task.init)
        agent = checkpoint.build_agent(found.config | {"agent": found.config["agent"] | GOING_ON}, stage.spec)
        agent.load_weights(found.agent.state_dict())
        replay = Uniform(stage.spec, ROWS, agent.n_step)
        exploration = plugins.build("exploration", EXPLORATIONS[task.exploration])
        experience = PlayedExperience(stage, exploration, replay, seed=task.seed, floor=0.0)
        experience.begin(world_seed("train", 1_000 + task.seed))
        agent.configure_optimizers()
        agent.learn_from(experience, compile=task.compile, steps=task.steps)
        agent.training_step(task.steps, 0)
        np.save(task.kept, np.array(stage.steps))
    print(f"went on with {task.exploration}, seed {task.seed}", flush=True)
    watched: FloatArray = np.load(task.kept)
    return watched


def share_of(evaluation: Evaluation, name: str, good: IntArray) -> float:
    """Of the impressions that a policy gave, how many good newcomers had."""
    shown = np.concatenate([played.shown["streamer"] for played in evaluation.played[name]])
    return float(np.isin(shown[~np.isnan(shown)], good).mean())


def curves(watched: FloatArray, warmup: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Environment steps, share of good newcomers and minutes of a session, (POINTS,) each, from (seeds, steps, 4)."""
    after = watched[:, warmup:]
    parts = np.array_split(np.arange(after.shape[1]), POINTS)
    sums = np.stack([after[:, part].sum(axis=(0, 1)) for part in parts])
    ends = np.array([part[-1] + 1 + warmup for part in parts])
    return ends, sums[:, 1] / sums[:, 0], sums[:, 3] / sums[:, 2]


def rows(
    watched: Mapping[str, FloatArray], warmup: int, before: float, oracle: float, random: float
) -> list[dict[str, object]]:  # fmt: skip
    """One row an exploration: shares are of all seeds together, intervals over seeds."""
    made = []
    minutes = {name: of[:, warmup:, 3].sum(axis=1) / of[:, warmup:, 2].sum(axis=1) for name, of in watched.items()}
    for name, of in watched.items():
        steps, share, _ = curves(of, warmup)
        way = (share - before) / (oracle - before)
        found = steps[way >= 0.5]
        row: dict[str, object] = {"exploration": name, "seeds": len(of)}
        row |= {"share_before": before, "share_oracle": oracle, "share_random": random}
        row |= {"share_last": share[-4:].mean(), "way_last": way[-4:].mean()}
        row["found_after"] = float(found[0] * ROWS) if len(found) else float("nan")
        row |= named("minutes", interval(minutes[name])) | named("cost", paired(minutes["plain"], minutes[name]))
        made.append(row)
    return made


def show(made: Sequence[Mapping[str, object]]) -> None:
    """The table."""
    first = made[0]
    print(
        f"good newcomers have {first['share_before']:.1%} of the impressions of the old policy, "
        f"{first['share_oracle']:.1%} of the oracle's, {first['share_random']:.1%} of random ones"
    )
    for row in made:
        found = float(str(row["found_after"]))
        when = "not reached" if np.isnan(found) else f"after {found:,.0f} steps"
        print(
            f"{row['exploration']!s:15} {row['share_last']:.1%} at last ({row['way_last']:.0%} of the way), half of it "
            f"{when}; {row['minutes']:.2f} minutes a session, "
            f"costs {row['cost']:.2f} [{row['cost_low']:.2f}, {row['cost_high']:.2f}]"
        )


def picture(
    watched: Mapping[str, FloatArray], warmup: int, before: float, oracle: float, path: Path
) -> None:  # fmt: skip
    """Shares of the good newcomers, and minutes of a session, while training plays."""
    with look():
        drawn, (left, right) = figure(9, 3.4, columns=2)
        for name, of in watched.items():
            steps, share, minutes = curves(of, warmup)
            left.plot(steps * ROWS / 1_000, share, color=COLOURS[name], label=name)
            right.plot(steps * ROWS / 1_000, minutes, color=COLOURS[name])
        left.axhline(oracle, color=FAINT, linestyle="--", linewidth=1)
        left.axhline(before, color=FAINT, linestyle=":", linewidth=1)
        left.set_title("good newcomers' share of impressions")
        right.set_title("minutes watched in a session")
        left.legend()
        for axis in (left, right):
            axis.set_xlabel("thousand environment steps since the platform grew")
        drawn.savefig(path, dpi=110)


def main() -> None:
    """Train, grow, go on, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=150_000, help="after the platform has grown")
    parser.add_argument("--steps-before", type=int, default=300_000)
    add_options(parser)
    told = parser.parse_args()
    quick = quick_words(told)
    steps = 24 * ROWS if quick else told.steps
    folder = told.runs / f"newcomers_{'quick' if quick else f'{told.steps_before}_{steps}'}"
    words = ["env=sim", "reward=watchtime", f"env.streamers={OLD}", "agent.ensemble=5"]  # which two plugins want
    words += [f"env.viewers.{name}={value}" for name, value in ENV["viewers"].items()]
    words += quick or of_length(composed(words), told.steps_before)
    tasks = {f"before-{seed}": [*words, f"seed={seed}"] for seed in range(told.seeds)}
    policies = train_all(tasks, folder, told.jobs)

    how = "false" if quick else "auto"
    after = [
        Task(name, seed, policies[f"before-{seed}"], steps, folder / f"{name}-{seed}.npy", how)
        for seed in range(told.seeds) for name in EXPLORATIONS
    ]  # fmt: skip
    with ProcessPoolExecutor(told.jobs, multiprocessing.get_context("spawn")) as pool:
        done = list(pool.map(go_on, after))
    watched = {name: np.stack(done[i :: len(EXPLORATIONS)]) for i, name in enumerate(EXPLORATIONS)}

    roles = ["policy:before", "oracle", "random"]
    evaluation = judge(policies, told, roles, env={**ENV, "streamers": ALL})
    good = good_newcomers(plugins.build("env", {**ENV, "streamers": ALL}, 1).viewers)
    before = float(np.mean([share_of(evaluation, f"policy:{name}", good) for name in policies]))
    oracle, random = (share_of(evaluation, name, good) for name in ("oracle", "random"))
    made = rows(watched, WARMUP // ROWS, before, oracle, random)
    show(made)
    if quick:
        return
    write(made, RESULTS / "newcomers.csv")
    picture(watched, WARMUP // ROWS, before, oracle, RESULTS / "newcomers.png")
    machine.record(RESULTS, "newcomers", seeds=told.seeds, worlds=told.worlds, episodes=told.episodes, steps=steps)


if __name__ == "__main__":
    main()
