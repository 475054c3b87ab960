"""Give a baseline its best chance: the best of ten thresholds and five caps, chosen on validation worlds.

Where rewards cannot be negative a bare score never chooses *nothing*, and beating that proves little.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from livedqn.evaluate.metrics import mean_return
from livedqn.evaluate.play import Episodes, play
from livedqn.evaluate.policies import Score, ShowIf, best_room
from livedqn.stage import Stage, world_seed
from livedqn.types import FloatArray, Observation

THRESHOLDS = 10
CAPS = 5
ALWAYS = float("-inf")


@dataclass(frozen=True)
class Rule:
    """When a baseline shows its best room: if its score reaches ``threshold``, up to a cap a session (None: no cap)."""

    threshold: float = ALWAYS
    max_shown_per_session: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain Python, as checkpoints store it."""
        return asdict(self)

    @classmethod
    def from_dict(cls, state: Mapping[str, Any]) -> Rule:
        """The inverse of :meth:`to_dict`."""
        return cls(float(state["threshold"]), state["max_shown_per_session"])


def tune(
    score: Score, stage: Stage, worlds: Iterable[int], episodes: int, advance: Callable[[], None]
) -> tuple[Rule, float]:  # fmt: skip
    """The rule with the best mean return over the validation ``worlds`` (their indices), and that return.

    Thresholds are quantiles (0, 0.1 ... 0.9; the first means always) of the best scores met where every request shows
    a room; caps are none, and four in equal ratios from 1 to the median number of rooms in such a session. Of rules
    that bring the same the first counts: the lower threshold, then the looser cap. ``advance`` is called after each
    threshold.
    """
    worlds = list(worlds)

    def trial(rule: Rule, scored: Score = score) -> list[Episodes]:
        policy = ShowIf(scored, stage.num_envs, rule.threshold, rule.max_shown_per_session)
        return [
            play(policy, stage, seed=world_seed("validation", i), split="validation", episodes=episodes) for i in worlds
        ]

    met: list[FloatArray] = []

    def recorded(observation: Observation) -> FloatArray:
        scores = score(observation)
        met.append(best_room(scores, observation["mask"])[1])
        return scores

    always = trial(Rule(), recorded)
    caps = _caps(_shown(always))
    results: dict[Rule, float] = {}
    for threshold in _thresholds(np.concatenate(met)):
        free = Rule(threshold)
        played = always if threshold == ALWAYS else trial(free)
        results[free] = _mean_return(played)
        # a cap that no session reaches changes nothing, so it need not be tried
        most = _shown(played).max()
        for cap in caps:
            if cap < most:
                rule = Rule(threshold, cap)
                results[rule] = _mean_return(trial(rule))
        advance()
    best = max(results, key=lambda rule: results[rule])
    return best, results[best]


def _thresholds(scores: FloatArray) -> list[float]:
    known = scores[np.isfinite(scores)]
    if not len(known):
        return [ALWAYS]
    quantiles = np.quantile(known, np.arange(1, THRESHOLDS) / THRESHOLDS, method="lower")
    return [ALWAYS, *sorted({float(q) for q in quantiles} - {float(known.min())})]


def _caps(shown: FloatArray) -> list[int]:
    median = max(float(np.median(shown)), 1.0)
    return sorted({round(float(cap)) for cap in np.geomspace(1, median, CAPS - 1)}, reverse=True)


def _shown(played: list[Episodes]) -> FloatArray:
    return np.concatenate([one.per_episode(one.action > 0) for one in played])


def _mean_return(played: list[Episodes]) -> float:
    return float(np.mean([mean_return(one) for one in played]))
