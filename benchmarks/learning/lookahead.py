"""Is it worth looking ahead on the simulator? Answered by hand-written policies; no learned one is asked.

python benchmarks/learning/lookahead.py

All of them are told how simulated viewers behave, how good each streamer is, and how open and how bored a viewer is; of
tastes they know what the visible tags tell. ``always`` shows the room with the greatest expected reward, ``threshold``
does so where that reaches a threshold. ``ahead`` adds what a good room brings later and subtracts what an irrelevant
one costs, the more the nearer the viewer is to leaving. The latter two are chosen from their families on validation
worlds, and all are judged on test worlds. The rows go to ``results/lookahead.csv``.

The simulator's settings were chosen so that looking ahead pays here; the intervals do not know of that choice.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

from livedqn import plugins
from livedqn.config import CapConfig
from livedqn.envs import TYPICAL, LiveStream, behaviour
from livedqn.evaluate.intervals import interval
from livedqn.evaluate.play import play
from livedqn.evaluate.policies import best_room
from livedqn.stage import Stage, world_seed
from livedqn.types import BoolArray, FloatArray, IntArray, Observation

ROWS = 512
STREAMERS = 300
HERE = Path(__file__).parent


@dataclass(frozen=True)
class Prices:
    """In rewards: what a room has to bring at least, what a good one brings later, what an irrelevant one costs."""

    threshold: float = 0.0
    good: float = 0.0
    irrelevant: float = 0.0


#: In minutes of watching; an engagement is worth four.
THRESHOLDS = [Prices(t) for t in (float("-inf"), 0.1, 0.2, 0.4, 0.6, 0.8, 1.1)]
AHEAD = [Prices(0.0, g, c) for g, c in ((1.0, 0.2), (2.0, 0.4), (2.0, 0.6), (2.0, 0.8), (4.0, 0.8))]
UNITS = {"watchtime": 1.0, "engagement": 0.25}


class Expects:
    """Shows what it expects to pay, by the simulator's own equations (but ranks heat among the candidates alone)."""

    def __init__(self, env: LiveStream, reward: str, prices: Prices) -> None:
        self._env, self._reward, self._prices, self._unit = env, reward, prices, UNITS[reward]
        self._quality = behaviour.quality(STREAMERS, TYPICAL)

    def reset(self, rows: BoolArray) -> None:
        """Remembers nothing."""

    def __call__(self, observation: Observation) -> IntArray:
        """One action a row, (B,)."""
        viewers, prices = TYPICAL, self._prices
        session = {name: tensor.numpy() for name, tensor in self._env.state_dict()["sessions"].items()}
        boredom = session["boredom"][:, None]
        streamer, _, heat, _, affinity, _, tag, recency = np.moveaxis(observation["candidates"], -1, 0)
        fit = behaviour.fit(viewers.tag_accuracy * tag, self._quality[streamer.astype(int)], affinity, viewers)
        crowd = heat.argsort(axis=1).argsort(axis=1) / (heat.shape[1] - 1)
        weary = behaviour.weariness(1 / np.maximum(recency, 1e-6), viewers)
        click = behaviour.click_chance(fit, crowd, weary, session["openness"][:, None], boredom, viewers)

        # ln seconds: what neither tags nor fit explain
        mean = np.log(viewers.watch_median_s) + viewers.watch_fit * fit
        deviation = np.hypot(viewers.watch_log_sd, viewers.watch_fit * np.sqrt(1 - viewers.tag_accuracy**2))

        def longer_than(seconds: float) -> FloatArray:
            return 1 - _normal((np.log(seconds) - mean) / deviation)

        most = viewers.watch_longest_s
        within = _normal((np.log(most) - mean) / deviation - deviation)
        watched_s = np.exp(mean + deviation**2 / 2) * within + most * longer_than(most)
        liked = behaviour.rising_with_fit(viewers.like_share, fit)
        expected = click * (watched_s / 60 if self._reward == "watchtime" else 1 + 2 * longer_than(300) + 3 * liked)
        later = prices.good * click * longer_than(viewers.good_s)
        later -= prices.irrelevant * (1 - click * longer_than(viewers.irrelevant_s))
        score = expected + self._unit * np.exp(viewers.leave_boredom * boredom) * later
        room, best = best_room(score, observation["mask"])
        return np.where(np.isfinite(best) & (best >= self._unit * prices.threshold), room, 0)


def returns(reward: str, prices: Prices, split: str, worlds: int, episodes: int) -> FloatArray:
    """Mean return in each world, (W,)."""
    env = plugins.build("env", {"plugin": "sim", "streamers": STREAMERS}, ROWS)
    stage = Stage(env, plugins.build("reward", {"plugin": reward}), CapConfig())
    policy = Expects(env, reward, prices)
    found = []
    for world in range(worlds):
        played = play(policy, stage, seed=world_seed(split, world), split=split, episodes=episodes)
        found.append(played.per_episode(played.steps["reward"]).mean())
    return np.array(found)


def best(reward: str, family: Sequence[Prices], told: argparse.Namespace) -> Prices:
    """The one of ``family`` with the greatest mean return on the validation worlds."""
    means = [returns(reward, prices, "validation", told.validation_worlds, told.episodes).mean() for prices in family]
    return family[int(np.argmax(means))]


def main() -> None:
    """Choose, judge, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--worlds", type=int, default=20)
    parser.add_argument("--validation-worlds", type=int, default=4)
    parser.add_argument("--episodes", type=int, default=2_048, help="in each world")
    told = parser.parse_args()
    rows = []
    for reward in UNITS:
        chosen = {name: best(reward, family, told) for name, family in (("threshold", THRESHOLDS), ("ahead", AHEAD))}
        chosen = {"always": THRESHOLDS[0], **chosen}
        found = {name: returns(reward, prices, "test", told.worlds, told.episodes) for name, prices in chosen.items()}
        for name, values in found.items():
            gain = interval(values - found["threshold"])
            gains = {f"over_threshold_{key}": value for key, value in gain.to_dict().items()}
            rows.append({"reward": reward, "policy": name, **asdict(chosen[name]), "return": values.mean(), **gains})
            shown = f"{gain.mean:+.2f} [{gain.low:+.2f}, {gain.high:+.2f}]"
            print(f"{reward:10} {name:10} {values.mean():6.2f}, over threshold {shown}, {chosen[name]}", flush=True)
    with (HERE / "results" / "lookahead.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _normal(x: FloatArray) -> FloatArray:
    """The cumulative standard normal distribution."""
    return torch.special.ndtr(torch.from_numpy(np.asarray(x))).numpy()


if __name__ == "__main__":
    main()
