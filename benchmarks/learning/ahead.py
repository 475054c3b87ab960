"""Does a policy know what follows a room? Its values beside the simulator's own equations of boredom and leaving.

python -m benchmarks.learning.ahead runs/benchmarks/watchtime/dqn-*/policy.ckpt

The advantage of a room over *nothing* has two parts: what it brings at once, which the myopic twin expects, and how it
changes what is to come, which is the rest of Q(room) - Q(nothing). By the equations the second part is -L V: L is by
how much the room lowers the chances that the viewer is still there (``sparing.py``), V what the rest of the session is
worth, for which the policy's own value of *nothing* is taken.

The first policy plays; all are asked about the requests that it meets, of test worlds. The first table is of the room
that promises most at once, by the value of *nothing*; the second of all rooms of a request, by how much they differ
from their mean: within one policy, and between policies that were trained alike, which is noise.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from benchmarks.learning.simulator import WORLD_SEED
from benchmarks.learning.sparing import Knowledge, cost
from livedqn import checkpoint, plugins
from livedqn.actor import Actor
from livedqn.config import CapConfig
from livedqn.evaluate.compare import WORLDS_PER_SEED
from livedqn.rewards import WatchTime
from livedqn.stage import Stage, world_seed
from livedqn.types import FloatArray

ROWS, EVERY = 256, 4
#: Minutes, between which lie the lines of the first table.
EDGES = (-np.inf, 5.0, 15.0, 40.0, np.inf)


class Met(NamedTuple):
    """N requests at which some room could be shown, and P policies; NaN where there is no room."""

    values: FloatArray  # (P, N, K), Q less that of nothing
    nothing: FloatArray  # (P, N), Q of nothing
    immediate: FloatArray  # (P, N, K), what the twins expect at once, less that of nothing
    minutes: FloatArray  # (N, K), what the equations expect at once
    cost: FloatArray  # (N, K), L


def met(agents: Sequence[Actor], steps: int) -> Met:
    """What the first of ``agents`` meets within so many steps of a test world."""
    env = plugins.build("env", {"plugin": "sim"}, ROWS)
    stage = Stage(env, WatchTime(), CapConfig())
    known = Knowledge(stage, env, ())
    seen = stage.reset(world_seed("test", WORLDS_PER_SEED * WORLD_SEED), "test")
    found = []
    for step in range(steps):
        if step % EVERY == 0:
            rooms = seen["mask"].copy()
            rooms[:, 0] = False
            rows = rooms.any(axis=1)
            minutes, irrelevant, good = known()
            q = np.stack([agent.q_values(seen).mean(axis=0) for agent in agents])
            m = np.stack([np.asarray(agent.myopic_values(seen)) for agent in agents])
            of_rooms = (q - q[..., :1], m - m[..., :1], minutes, cost(env, irrelevant, good))
            with_rooms = (np.where(rooms, values, np.nan)[..., rows, :] for values in of_rooms)
            found.append((q[..., rows, 0], *with_rooms))
        answer = stage.step(agents[0].act(seen))
        seen = stage.restart(answer.ended)
    nothing, *parts = zip(*found, strict=True)
    values, immediate, minutes, costs = (np.concatenate(part, axis=-2) for part in parts)
    return Met(values, np.concatenate(nothing, axis=-1), immediate, minutes, costs)


def of_the_best(of: Met) -> None:
    """The first table."""
    print("value of nothing | requests | at once: equations, expected | what follows: equations, learned")
    row = np.arange(of.nothing.shape[1])
    for policy, nothing in enumerate(of.nothing):
        best = np.nanargmax(of.immediate[policy], axis=1)
        at_once, minutes = of.immediate[policy][row, best], of.minutes[row, best]
        ahead, owed = of.values[policy][row, best] - at_once, -of.cost[row, best] * nothing
        for low, high in pairwise(EDGES):
            those = (nothing >= low) & (nothing < high)
            print(
                f"policy {policy}, {low:4.0f} to {high:3.0f} | {those.mean():5.0%} | {minutes[those].mean():6.2f} "
                f"{at_once[those].mean():6.2f} | {owed[those].mean():6.2f} {ahead[those].mean():6.2f}"
            )


def of_all(of: Met) -> None:
    """The second table."""
    for name, values in (("values", of.values), ("expected at once", of.immediate)):
        apart = values - np.nanmean(values, axis=2, keepdims=True)
        spread, noise = np.nanmean(apart**2) ** 0.5, np.nanmean(np.var(apart, axis=0, ddof=1)) ** 0.5
        print(f"{name}: rooms of a request differ by {spread:.2f} minutes, of which noise {noise:.2f}")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoints", nargs="+", help="policies of env=sim reward=watchtime")
    parser.add_argument("--steps", type=int, default=120)
    told = parser.parse_args()
    found = met([checkpoint.load(path) for path in told.checkpoints], told.steps)
    of_the_best(found)
    if len(told.checkpoints) > 1:
        of_all(found)


if __name__ == "__main__":
    main()
