"""What does looking ahead find, and what is it worth to those who see tags? A rule without rollouts or learning.

python -m benchmarks.learning.sparing
python -m benchmarks.learning.sparing --quick

The rule spares the session: it shows the room with the greatest r - V L, and *nothing* where none is above 0. r is what
a room brings at this request, in minutes watched; L by how much it lowers the chance that the viewer is there at the
requests to come, all of them added up, by the simulator's own equations of boredom and leaving; V, one number for all
viewers, is what such a request is worth. Beside it ``present``, without L, which shows a room from so many minutes on.

Both know the equations, and of the hidden state more or less: all; all but tastes, of which tags tell; nor moments; nor
streamers' quality; nor how open viewers are to live rooms. Boredom and patience are always known. What is not known is
drawn from what is possible given the tags, and the mean over draws is gone by; moments are taken for absent. Which V
and which minutes are best, validation worlds say; the test worlds are those of ``results/sim_watchtime.csv``.
"""

from __future__ import annotations

import argparse
from collections.abc import Collection
from typing import cast

import numpy as np

from benchmarks.learning.simulator import WORLD_SEED
from livedqn import plugins
from livedqn.config import CapConfig
from livedqn.envs import LiveStream, behaviour
from livedqn.envs.hidden import Hidden, expect
from livedqn.envs.payoff import Payoff
from livedqn.envs.sessions import TASTE, VISIBLE
from livedqn.evaluate.compare import WORLDS_PER_SEED
from livedqn.evaluate.intervals import interval
from livedqn.evaluate.metrics import mean_return, session_length, share_nothing
from livedqn.evaluate.play import Episodes, play
from livedqn.evaluate.policies import Rule, Score, ShowIf
from livedqn.protocols import Reward
from livedqn.rewards import WatchTime
from livedqn.stage import Stage, world_seed
from livedqn.types import FloatArray, Observation, Signals

#: Requests that are added up, and how likely a viewer who is not bored is there at the next.
AHEAD, STAYS = 40, 0.97
VALUES, MINUTES = (10, 20, 40, 80), (1.5, 2.2)
#: What each line of the table lacks besides what those above it do.
LACKS = ("", "tastes", "moments", "quality", "openness")
#: Of what is not known.
DRAWS = 8
ROWS = 64


class Knowledge:
    """What a rule knows of the present request: minutes and irrelevant and good rooms to expect, (B, K) each.

    Args:
        stage: where it plays. env: its environment.
        lacks: names in :data:`LACKS`.
    """

    def __init__(self, stage: Stage, env: LiveStream, lacks: Collection[str]) -> None:
        v = env.viewers

        def irrelevant(signals: Signals) -> FloatArray:
            return np.asarray((signals["shown"] > 0) & (signals["watch_s"] < v.irrelevant_s), np.float32)

        def good(signals: Signals) -> FloatArray:
            return np.asarray(signals["watch_s"] >= v.good_s, np.float32)

        self._env, self._payoffs = (
            env,
            [Payoff.of(cast(Reward, reward), v) for reward in (WatchTime(), irrelevant, good)],
        )
        self._lacks, self._shape = lacks, (stage.num_envs, stage.spec.num_actions)

    def __call__(self) -> list[FloatArray]:
        """Each as the mean over what might be."""
        hidden, rng = self._env.hidden, np.random.default_rng(0)
        states = [self._possible(hidden, rng) for _ in range(DRAWS)] if self._lacks else [hidden]
        return [np.mean([self._expected(state, payoff) for state in states], axis=0) for payoff in self._payoffs]

    def _possible(self, hidden: Hidden, rng: np.random.Generator) -> Hidden:
        """What is not known drawn anew, all else as it is."""
        v, sessions = self._env.viewers, hidden.sessions
        if "tastes" in self._lacks:
            tastes, n = sessions.tastes.copy(), sessions.visit["activity"][:, None]
            left_open = np.sqrt(v.tag_sessions / (n + v.tag_sessions))
            tastes[:, TASTE, 1:] = tastes[:, VISIBLE, 1:] + left_open * rng.standard_normal(tastes[:, TASTE, 1:].shape)
            sessions = sessions._replace(tastes=tastes)
        if "openness" in self._lacks:
            visit = sessions.visit.copy()
            visit["openness"] = v.click_openness_sd * rng.standard_normal(len(visit))
            sessions = sessions._replace(visit=visit)
        hidden = hidden._replace(sessions=sessions)
        if "quality" in self._lacks:
            quality = v.quality_sd * rng.standard_normal(len(hidden.quality))
            hidden = hidden._replace(quality=quality.astype(np.float32))
        if "moments" in self._lacks:
            settings = hidden.viewers.copy()
            settings["moment_share"] = 0
            hidden = hidden._replace(viewers=settings)
        return hidden

    def _expected(self, hidden: Hidden, payoff: Payoff) -> FloatArray:
        chance, found = np.empty((2, *self._shape), np.float32)
        expect(*hidden[:5], payoff, chance, found)
        return np.where(np.isfinite(found), found, 0)  # masks say what is no room


def cost(env: LiveStream, irrelevant: FloatArray, good: FloatArray) -> FloatArray:
    """L (B, K): by how much a room lowers the chances of staying, from how likely it is irrelevant and good."""
    v, visit = env.viewers, env.hidden.sessions.visit
    boredom = visit["boredom"].astype(np.float64)
    feed_s = visit["time_s"] - visit["start_s"] - 60.0 * visit["watched_min"]

    def leaving(is_irrelevant: int, is_good: int) -> FloatArray:
        now = behaviour.bored(boredom, np.full_like(boredom, is_irrelevant), np.full_like(boredom, is_good), v)
        later = (behaviour.leave_chance(now * v.boredom_kept**k, feed_s, visit["patience"], v) for k in range(AHEAD))
        return np.asarray(sum(STAYS**k * chance for k, chance in enumerate(later)))[:, None]

    neither = leaving(0, 0)
    return irrelevant * (leaving(1, 0) - neither) + good * (leaving(0, 1) - neither)


def rules(env: LiveStream, known: Knowledge) -> dict[str, tuple[float, Score]]:
    """Name -> the score of rooms, and what it has to reach."""

    def sparing(value: float) -> Score:
        def score(observation: Observation) -> FloatArray:
            minutes, irrelevant, good = known()
            return np.asarray(minutes - value * cost(env, irrelevant, good))

        return score

    return {
        **{f"V = {value}": (0.0, sparing(value)) for value in VALUES},
        **{f"present, from {least} minutes": (least, lambda observation: known()[0]) for least in MINUTES},
    }


def on(stage: Stage, split: str, rule: tuple[float, Score], told: argparse.Namespace) -> list[Episodes]:
    """What a rule does in every world of a split."""
    threshold, score = rule
    first = WORLDS_PER_SEED * WORLD_SEED
    policy = ShowIf(score, [Rule(threshold)] * stage.num_envs)
    return [
        play(policy, stage, seed=world_seed(split, world), split=split, episodes=told.episodes)
        for world in range(first, first + told.worlds)
    ]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--worlds", type=int, default=20)
    parser.add_argument("--episodes", type=int, default=512, help="in each world")
    parser.add_argument("--quick", action="store_true", help="does it work, not how well")
    told = parser.parse_args()
    if told.quick:
        told.worlds, told.episodes = 2, ROWS
    env = plugins.build("env", {"plugin": "sim"}, ROWS)
    stage = Stage(env, WatchTime(), CapConfig())
    print("lacks     rule                        validation  test                   requests  nothing")
    for count, name in enumerate(LACKS):
        for title, rule in rules(env, Knowledge(stage, env, LACKS[1 : count + 1])).items():
            validation = np.mean([mean_return(played) for played in on(stage, "validation", rule, told)])
            tested = on(stage, "test", rule, told)
            found = interval(np.array([mean_return(played) for played in tested]))
            requests = np.mean([session_length(played) for played in tested])
            nothing = np.mean([share_nothing(played) for played in tested])
            print(
                f"{name:8}  {title:26}  {validation:10.2f}  {found.mean:5.2f} [{found.low:.2f}, {found.high:.2f}]  "
                f"{requests:8.1f}  {nothing:7.2f}", flush=True,
            )  # fmt: skip


if __name__ == "__main__":
    main()
