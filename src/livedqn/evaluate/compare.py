"""Compare policies on the same worlds, baselines tuned, differences paired."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing

import numpy as np

from livedqn.config import STEPS, EvaluationConfig
from livedqn.evaluate import linear
from livedqn.evaluate.calibration import calibration
from livedqn.evaluate.contestants import BANDITS, OURS, Contestants, MakeScore
from livedqn.evaluate.evaluation import Evaluation
from livedqn.evaluate.metrics import mean_return
from livedqn.evaluate.play import Episodes, play
from livedqn.evaluate.policies import Agent, Random, Rule, Score, better_than_nothing
from livedqn.evaluate.tune import ROWS, margins, rounds, rules_of_baseline, tune
from livedqn.protocols import Policy
from livedqn.stage import MakeStage, Stage, world_seed
from livedqn.types import FloatArray, Notify

#: Episodes that a row plays one after another: where each plays one, all rows wait for the longest.
QUOTA = 8
#: Rows below which a step costs about the same.
MIN_ROWS = 64
#: Worlds that one seed of a run may use before it meets those of the next.
WORLDS_PER_SEED = 10_000


def silent(what: str, done: int, total: int) -> None:
    """Tell nobody."""


def validate(
    policy: Policy, make_stage: MakeStage, evaluation: EvaluationConfig, *, seed: int
) -> FloatArray:  # fmt: skip
    """Mean returns of ``policy`` on the W validation worlds of a run of ``seed``, by which checkpoints are chosen."""
    episodes = evaluation.validation_episodes
    worlds = _worlds(seed, evaluation.validation_worlds)
    with closing(make_stage(_rows(episodes))) as stage:
        return np.array([mean_return(played) for played in _on(worlds, "validation", policy, stage, episodes)])


def tuned_margin(
    agent: Agent, make_stage: MakeStage, evaluation: EvaluationConfig, *, seed: int, notify: Notify = silent
) -> float:  # fmt: skip
    """By how much a room should be better than *nothing* before ``agent`` shows it, in the reward's unit; below 0, by
    how much it may be worse.

    The best on the worlds on which baselines are tuned, with as many episodes; 0 where there is no *nothing*.
    """
    worlds = _worlds(seed, evaluation.validation_worlds)
    with closing(make_stage(ROWS)) as stage:
        if not stage.spec.offers_nothing:
            return 0.0
        score = better_than_nothing(agent)
        rules = margins(score, stage, worlds[0])
        if len(rules) == 1:
            return rules[0].threshold
        advance = _counted(notify, "tuning policy", len(rounds(rules)) * len(worlds))
        rule, _ = tune(rules, score, stage, worlds, evaluation.tuning_episodes, advance)
        return rule.threshold


def final_evaluation(
    agent: Agent, make_stage: MakeStage, evaluation: EvaluationConfig, *, seed: int, steps: int,
    notify: Notify = silent,
) -> Evaluation:  # fmt: skip
    """The table at the end of a run: ``agent`` against every baseline that the environment allows, tuned here."""
    return compare({OURS: agent}, make_stage, evaluation, seed=seed, steps=steps, notify=notify)


def compare(
    agents: Mapping[str, Agent], make_stage: MakeStage, evaluation: EvaluationConfig, *, seed: int, steps: int | None,
    names: Sequence[str] = (), rules: Mapping[str, Rule] | None = None, bandit_seeds: int = 1, notify: Notify = silent,
) -> Evaluation:  # fmt: skip
    """Play all policies on the same test worlds.

    Args:
        agents: ours, by the names that the table shows.
        make_stage: builds a stage with so many rows, of which no training knows.
        evaluation: how many worlds and episodes.
        seed: of the run; worlds of different seeds are different.
        steps: of training; None: nobody knows, and bandits learn from as many as a run takes by default.
        names: of the policies to compare; empty = the usual ones.
        rules: baselines that need no tuning, because they were tuned for this environment, reward and cap.
        bandit_seeds: how many times each bandit is trained from nothing, in the training worlds of ``seed``,
            ``seed`` + 1 and so on; each is tuned and plays by itself.
        notify: is told how far it is.

    Raises:
        LivedqnError: there is no policy of a name.
    """
    with closing(make_stage(_rows(evaluation.episodes))) as stage:
        contestants = Contestants(agents, stage, seed, WORLDS_PER_SEED * seed, bandit_seeds)
        chosen = contestants.chosen(names)
        for name, (bandit, at) in contestants.bandits.items():
            if name in chosen:
                requests = STEPS if steps is None else steps
                advance = _counted(notify, f"{name} learns", -(-requests // linear.ROWS))
                contestants.add(name, _learned(bandit, make_stage, seed + at, requests, advance))
        ruled = contestants.ruled(chosen)
        rules = dict(rules or {})
        validation: dict[str, float] = {}
        untuned = {name: contestants.scores[name] for name in ruled if name not in rules}
        if untuned:
            tuned = _tuned(untuned, make_stage, evaluation, seed, notify)
            rules |= {name: rule for name, (rule, _) in tuned.items()}
            validation |= {name: value for name, (_, value) in tuned.items()}
        if "random" in chosen:
            validation["random"] = float(validate(Random(seed), make_stage, evaluation, seed=seed).mean())

        played: dict[str, list[Episodes]] = {}
        worlds = _worlds(seed, evaluation.worlds)
        for name in chosen:
            advance = _counted(notify, f"playing {name}", len(worlds))
            policy = contestants.policy(name, stage, rules)
            played[name] = _on(worlds, "test", policy, stage, evaluation.episodes, advance)
        return Evaluation(
            played=played,
            agents=tuple(name for name in chosen if name in agents),
            rules={name: rules[name] for name in ruled},
            validation=validation,
            calibrations={n: calibration(played[n], agent.discount_of) for n, agent in agents.items() if n in chosen},
            steps=steps,
        )


def _learned(
    bandit: str, make_stage: MakeStage, seed: int, requests: int, advance: Callable[[], None]
) -> Score:  # fmt: skip
    """What a bandit knows after so many requests of the world in which a run of ``seed`` trains."""
    with closing(make_stage(linear.ROWS)) as stage:
        return linear.learn(BANDITS[bandit](seed), stage, world_seed("train", seed), requests, advance)


def _tuned(
    scores: Mapping[str, MakeScore], make_stage: MakeStage, evaluation: EvaluationConfig, seed: int, notify: Notify
) -> dict[str, tuple[Rule, float]]:  # fmt: skip
    worlds = _worlds(seed, evaluation.validation_worlds)
    found = {}
    with closing(make_stage(ROWS)) as stage:
        for name, make_score in scores.items():
            score = make_score(stage)
            rules = rules_of_baseline(score, stage, worlds[0])
            advance = _counted(notify, f"tuning {name}", len(rounds(rules)) * len(worlds))
            found[name] = tune(rules, score, stage, worlds, evaluation.tuning_episodes, advance)
        return found


def _rows(episodes: int) -> int:
    return min(episodes, max(MIN_ROWS, episodes // QUOTA))


def _worlds(seed: int, count: int) -> range:
    return range(WORLDS_PER_SEED * seed, WORLDS_PER_SEED * seed + count)


def _on(
    worlds: range, split: str, policy: Policy, stage: Stage, episodes: int, advance: Callable[[], None] = lambda: None
) -> list[Episodes]:  # fmt: skip
    found = []
    for index in worlds:
        found.append(play(policy, stage, seed=world_seed(split, index), split=split, episodes=episodes))
        advance()
    return found


def _counted(notify: Notify, what: str, total: int) -> Callable[[], None]:
    done = 0
    notify(what, done, total)

    def advance() -> None:
        nonlocal done
        done += 1
        notify(what, done, total)

    return advance
