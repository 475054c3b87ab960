"""Give a policy its best chance: the best of some rules, chosen on validation worlds.

Of a baseline these are ten thresholds and five caps: where rewards cannot be negative a bare score never chooses
*nothing*, and beating that proves little. Of an agent they are margins by which a room has to be better than *nothing*,
or may be worse.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from livedqn.evaluate.play import Episodes, play
from livedqn.evaluate.policies import ALWAYS, Rule, Score, ShowIf, best_room
from livedqn.stage import Stage, world_seed
from livedqn.types import FloatArray, Observation

THRESHOLDS = 10
CAPS = 5
#: How many rules are on trial in each round. Both rounds play the same number of episodes, so that the few that are
#: left get the more of them: returns are heavy-tailed, and the best of fifty means of a few hundred is luck. All rules
#: of a round meet the same viewers, where the environment lets them: what they differ by then varies much less.
ROUNDS = (THRESHOLDS * CAPS, 6)
#: Few rows with many episodes each: where one row plays one long session, all the others wait for it.
ROWS = 5 * max(ROUNDS)


def rounds(rules: Sequence[Rule]) -> tuple[int, ...]:
    """How many rules are on trial in each round: few enough for the last are played once, as it would be the same."""
    return ROUNDS if len(rules) > ROUNDS[-1] else ROUNDS[:1]


def tune(
    rules: Sequence[Rule], score: Score, stage: Stage, worlds: Sequence[int], episodes: int,
    advance: Callable[[], None] = lambda: None,
) -> tuple[Rule, float]:  # fmt: skip
    """The one of ``rules`` with the best mean return over the validation ``worlds`` (their indices), and that return.

    All rules of a round play side by side, each its share of the rows of ``stage``; in the first round that makes at
    least ``episodes`` episodes a rule and world, and a later one plays these again and many more. The first of
    ``rules``, the bare score, is in every round: what luck drops in the first must not be the very policy that one
    would have named. ``advance`` is called after each world of each round.
    """
    quota = math.ceil(episodes * max(ROUNDS) / stage.num_envs)
    left, means = np.arange(len(rules)), np.zeros(len(rules))
    for keep in (*rounds(rules)[1:], 1):
        means[left] = 0
        for world in worlds:
            means[left] += _trial([rules[int(i)] for i in left], score, stage, world, quota) / len(worlds)
            advance()
        best = left[np.argsort(-means[left], kind="stable")]
        left = np.array([0, *best[best != 0][: keep - 1]]) if keep > 1 else best[:1]
    winner = int(left[0])
    return rules[winner], float(means[winner])


def rules_of_baseline(score: Score, stage: Stage, world: int) -> list[Rule]:
    """Thresholds and caps, the looser of two before; where a room always has to be shown, neither.

    Thresholds are quantiles (0, 0.1 ... 0.9; the first means always) of the best scores met where every request shows
    a room; caps are none, and four in equal ratios from 1 to the median number of rooms in a visit then.
    """
    if not stage.spec.offers_nothing:
        return [Rule()]
    met, always = _met(score, stage, world)
    caps = _caps(always.per_episode(always.action > 0) / always.per_episode(always.visit_over))
    return [Rule(threshold, cap) for threshold in [ALWAYS, *_quantiles(met)] for cap in (None, *caps)]


def margins(better_than_nothing: Score, stage: Stage, world: int) -> list[Rule]:
    """None, and those with which about every request shows a room, or 0.9 ... 0.1 of them: the least and the quantiles
    of the best scores met where every request does.

    They may be negative: what *nothing* is worth is learned with an error, too, and may be too much.
    """
    met, _ = _met(better_than_nothing, stage, world)
    least = float(met[np.isfinite(met)].min(initial=0))
    return [Rule(0.0), *(Rule(margin) for margin in sorted({least, *_quantiles(met)} - {0.0}))]


def _trial(rules: Sequence[Rule], score: Score, stage: Stage, world: int, quota: int) -> FloatArray:
    """Mean return of each rule in one world, (R,); every row plays ``quota`` episodes, and those too many play along.

    Row i of every rule meets the same viewers with the same luck (common random numbers), if they can be had.
    """
    share = stage.num_envs // len(rules)
    rule_of_row = np.minimum(np.arange(stage.num_envs) // share, len(rules) - 1)
    policy = ShowIf(score, [rules[int(i)] for i in rule_of_row])
    played = play(
        policy, stage, seed=world_seed("validation", world), split="validation",
        episodes=quota * stage.num_envs, distinct=share,
    )  # fmt: skip
    returns = played.per_episode(played.steps["reward"])[: quota * share * len(rules)]
    means: FloatArray = returns.reshape(len(rules), -1).mean(axis=1)
    return means


def _met(score: Score, stage: Stage, world: int) -> tuple[FloatArray, Episodes]:
    """The best scores met where every request shows a room, (N,), and what was played."""
    met: list[FloatArray] = []

    def recorded(observation: Observation) -> FloatArray:
        scores = score(observation)
        met.append(best_room(scores, observation["mask"])[1])
        return scores

    policy = ShowIf(recorded, [Rule()] * stage.num_envs)
    seed = world_seed("validation", world)
    always = play(policy, stage, seed=seed, split="validation", episodes=stage.num_envs)
    return np.concatenate(met), always


def _quantiles(scores: FloatArray) -> list[float]:
    """Nine of them, of which those that are the least score say nothing."""
    known = scores[np.isfinite(scores)]
    if not len(known):
        return []
    quantiles = np.quantile(known, np.arange(1, THRESHOLDS) / THRESHOLDS, method="lower")
    return sorted({float(q) for q in quantiles} - {float(known.min())})


def _caps(shown: FloatArray) -> list[int]:
    median = max(float(np.median(shown)), 1.0)
    return sorted({round(float(cap)) for cap in np.geomspace(1, median, CAPS - 1)}, reverse=True)
