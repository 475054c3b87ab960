"""What does looking ahead find, and what is it worth to those who see tags? A rule without rollouts or learning.

python benchmarks/learning/sparing.py
python benchmarks/learning/sparing.py --quick

The rule spares the session: it shows the room with the greatest r - V L, and *nothing* where none is above 0. r is what
a room brings at this request, in minutes watched; L by how much it lowers the chance that the viewer is there at the
requests to come, all of them added up, by the simulator's own equations of boredom and leaving; V, one number for all
viewers, is what such a request is worth. Beside it ``present``, without L, which shows a room from so many minutes on.

Both know the equations and the hidden state; where they know ``tags``, all of it but tastes, in whose place they have
the mean over draws of the tastes that a tag leaves possible. V and minutes are chosen on validation worlds; the test
worlds are those of ``results/sim_watchtime.csv``.
"""

from __future__ import annotations

import argparse

import numpy as np
from simulator import WORLD_SEED

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
from livedqn.rewards import WatchTime
from livedqn.stage import Stage, world_seed
from livedqn.types import FloatArray, Observation, Signals

#: Requests that are added up, and how likely a viewer who is not bored is there at the next.
AHEAD, STAYS = 40, 0.97
VALUES, MINUTES = (5, 10, 20, 40, 80), (1.5, 2.2, 3.0)
#: Of tastes, for each tag.
DRAWS = 8
ROWS = 64


class Knowledge:
    """What a rule knows of the present request: minutes and irrelevant and good rooms to expect, (B, K) each."""

    def __init__(self, stage: Stage, env: LiveStream, draws: int) -> None:
        v = env.viewers

        def irrelevant(signals: Signals) -> FloatArray:
            return np.asarray((signals["shown"] > 0) & (signals["watch_s"] < v.irrelevant_s), np.float32)

        def good(signals: Signals) -> FloatArray:
            return np.asarray(signals["watch_s"] >= v.good_s, np.float32)

        self._env, self._payoffs = env, [Payoff.of(reward, v) for reward in (WatchTime(), irrelevant, good)]
        self._z = np.random.default_rng(0).standard_normal((draws, 1, env.rooms.topics)).astype(np.float32)
        self._shape = stage.num_envs, stage.spec.num_actions

    def __call__(self) -> list[FloatArray]:
        """Each as the mean over what tastes might be; without draws they are what they are."""
        hidden = self._env.hidden
        states = [self._with_tastes(hidden, z) for z in self._z] or [hidden]
        return [np.mean([self._expected(state, payoff) for state in states], axis=0) for payoff in self._payoffs]

    def _with_tastes(self, hidden: Hidden, z: FloatArray) -> Hidden:
        tastes, n = hidden.sessions.tastes.copy(), hidden.sessions.visit["activity"][:, None]
        left_open = np.sqrt(self._env.viewers.tag_sessions / (n + self._env.viewers.tag_sessions))
        tastes[:, TASTE, 1:] = tastes[:, VISIBLE, 1:] + left_open * z
        return hidden._replace(sessions=hidden.sessions._replace(tastes=tastes))

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
    print("knows  rule                        validation  test                   requests  nothing")
    for name, draws in (("state", 0), ("tags", DRAWS)):
        for title, rule in rules(env, Knowledge(stage, env, draws)).items():
            validation = np.mean([mean_return(played) for played in on(stage, "validation", rule, told)])
            tested = on(stage, "test", rule, told)
            found = interval(np.array([mean_return(played) for played in tested]))
            requests = np.mean([session_length(played) for played in tested])
            nothing = np.mean([share_nothing(played) for played in tested])
            print(
                f"{name:5}  {title:26}  {validation:10.2f}  {found.mean:5.2f} [{found.low:.2f}, {found.high:.2f}]  "
                f"{requests:8.1f}  {nothing:7.2f}", flush=True,
            )  # fmt: skip


if __name__ == "__main__":
    main()
