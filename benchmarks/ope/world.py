"""Log sets of one simulated world, whose viewers alone differ, and policies from bad to good to be judged by them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from livedqn import plugins
from livedqn.collect.command import play
from livedqn.collect.recorder import Recorder
from livedqn.config import CapConfig
from livedqn.envs.timetable import Rooms, Timetable
from livedqn.evaluate.policies import Score, favourite, hottest
from livedqn.exploration import draw
from livedqn.logs import Impressions, join
from livedqn.ope.evidence import Target
from livedqn.ope.targets import greedy, mixed
from livedqn.stage import Stage
from livedqn.types import FloatArray, IntArray, Observation, Spec

ENVS: dict[str, dict[str, Any]] = {
    "sim_small": {"plugin": "sim", "streamers": 60, "topics": 4, "days": 2, "candidates": 8, "history": 4},
    "sim": {"plugin": "sim", "viewers": {"leave_bias": -5.0}},  # visits of about ten requests in the median
}
#: Viewers at once: few, so that hardly a session is cut.
ROWS = 64


class OneWorld:
    """The rooms of one world, whatever the seed."""

    def __init__(self, rooms: Rooms, seed: int) -> None:
        self._rooms, self._seed = rooms, seed
        self.splits, self.streamers, self.topics = rooms.splits, rooms.streamers, rooms.topics
        self._table: Timetable | None = None

    def timetable(self, seed: int, split: str) -> Timetable:
        """Always the same."""
        if self._table is None:
            self._table = self._rooms.timetable(self._seed, split)
        return self._table


class World:
    """``env`` by name, with the reward by which all is judged."""

    def __init__(self, env: str, reward: str = "watchtime", seed: int = 0) -> None:
        made = plugins.build("env", ENVS[env], ROWS)
        made.rooms = OneWorld(made.rooms, seed)
        self.reward = plugins.build("reward", reward)
        self.stage = Stage(made, plugins.build("reward", "native"), CapConfig())
        self.spec: Spec = self.stage.spec

    def logs(self, policy: Target, steps: int, seed: int) -> list[Impressions]:
        """Requests that ``policy`` answered: other viewers for every seed."""
        rng = np.random.default_rng((seed, 1))

        def act(observation: Observation, _: int) -> tuple[IntArray, FloatArray]:
            return draw(policy(observation), observation["mask"], 0.0, rng)

        recorder = Recorder(self.spec, ROWS, seed, "benchmark")
        taken = play(self.stage, act, recorder, seed=seed, steps=steps, stopped=[])
        return [join([assemble() for assemble in taken])]


def scores(spec: Spec) -> dict[str, Score]:
    """What policies go by: three things that rooms show, the worst of the hottest, and a weighted sum."""
    heat, known = hottest(spec), favourite(spec)
    tag = next(i for i, column in enumerate(spec.candidates) if column.name == "tag")
    assert heat is not None and known is not None

    def logs(score: Score) -> Score:
        return lambda seen: np.log1p(score(seen))

    return {
        "coldest": lambda seen: -heat(seen),
        "hottest": heat,
        "favourite": known,
        "tag": lambda seen: seen["candidates"][:, :, tag],
        "linear": lambda seen: logs(heat)(seen) / 5 + logs(known)(seen) + seen["candidates"][:, :, tag],
    }


def _nothing_by_half(policy: Target) -> Target:
    """*Nothing* instead, every other time."""

    def probabilities(observation: Observation) -> FloatArray:
        p = policy(observation) / 2
        p[:, 0] += 0.5
        return p

    return probabilities


def policies(spec: Spec) -> dict[str, Target]:
    """Twenty, stochastic and certain."""
    found: dict[str, Target] = {}
    for name, score in scores(spec).items():
        for epsilon in (0.0, 0.3, 0.7):
            found[f"{name} {epsilon}"] = mixed(greedy(score), epsilon)
    best = mixed(greedy(scores(spec)["linear"]), 0.0)
    found["random"] = mixed(greedy(scores(spec)["linear"]), 1.0)
    for name in ("hottest", "favourite", "linear"):
        found[f"{name} by half"] = _nothing_by_half(mixed(greedy(scores(spec)[name]), 0.1))
    found["linear by half 0.0"] = _nothing_by_half(best)
    return found


#: Who makes the logs: name -> (score, epsilon).
BEHAVIOURS: dict[str, Callable[[Spec], Target]] = {
    "random": lambda spec: mixed(greedy(scores(spec)["hottest"]), 1.0),
    "hottest 0.5": lambda spec: mixed(greedy(scores(spec)["hottest"]), 0.5),
    "linear 0.3": lambda spec: mixed(greedy(scores(spec)["linear"]), 0.3),
}
