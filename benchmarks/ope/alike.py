"""Are viewers of one log set alike, in more than that they saw the same rooms? Then intervals by viewer are too narrow.

python -m benchmarks.ope.alike --sets 10               # some seconds
python -m benchmarks.ope.alike                         # two minutes: 100 sets

Log sets of one world, each of other viewers, and what the policy that made them earned a session, where there is
nothing to weigh. Printed is how much that mean varies from set to set, and what intervals by viewer say of it; how
often 95 % intervals, of the plain bootstrap and of ``livedqn.ope.bootstrap``, hold the mean of all other sets; and how
much products of deviations of two *different* viewers in one hour (or quarter, or day) of the world add, of one set and
of different sets. The latter have in common that the same rooms are live then.
"""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np

from benchmarks.ope.world import BEHAVIOURS, World
from livedqn.logs import Impressions
from livedqn.ope.bootstrap import Drawn, freedom, resampled
from livedqn.ope.logged import rewards
from livedqn.ope.terms import Terms

SPANS = {"quarter": 900, "hour": 3_600, "day": 86_400}


class Sets:
    """Sessions of all sets: what they earned, whose and when."""

    def __init__(self, world: World, behaviour: str, sets: int, steps: int) -> None:
        policy = BEHAVIOURS[behaviour](world.spec)
        found = [_sessions(world, world.logs(policy, steps, number)[0]) for number in range(sets)]
        self.earned, self.viewer, self.time_s = (np.concatenate(column) for column in zip(*found, strict=True))
        self.sizes = np.array([len(earned) for earned, *_ in found])
        self.set = np.repeat(np.arange(sets), self.sizes)
        self.means = np.bincount(self.set, weights=self.earned) / self.sizes
        self.off = self.earned - self.means[self.set]

    def drawn(self) -> list[Drawn]:
        """The mean of each set, resampled by viewer."""
        found = []
        for number in range(len(self.sizes)):
            rows = self.set == number
            whose = np.unique(self.viewer[rows], return_inverse=True)[1]
            found.append(resampled(Terms.mean(self.earned[rows]), whose, number, count=500))
        return found

    def squares(self, *keys: np.ndarray) -> float:
        """The sum over groups of sessions with equal ``keys`` of the square of what they are off together."""
        group = np.unique(np.stack(keys), axis=1, return_inverse=True)[1].ravel()
        return float((np.bincount(group, weights=self.off) ** 2).sum())

    def alike(self, span_s: int) -> tuple[float, float]:
        """What pairs of different viewers in one span of time add to the variance by viewer: of one set, of two."""
        span, sets = (self.time_s - self.time_s.min()) // span_s, len(self.sizes)
        together = self.squares(span, self.set)
        by_viewer = self.squares(self.set, self.viewer)
        one = together - self.squares(span, self.set, self.viewer)
        return one / by_viewer, (self.squares(span) - together) / (sets - 1) / by_viewer


def _sessions(world: World, played: Impressions) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of each session what it earned, whose it was and when it began: impressions of 100 sets would fill the memory."""
    begins = played.begins
    earned = np.bincount(np.cumsum(begins) - 1, weights=rewards(played, world.reward))
    return earned, played.viewer[begins], played.time_s[begins]


def main() -> None:
    """Play and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", type=int, default=100)
    parser.add_argument("--steps", type=int, default=100_000, help="impressions of a set")
    parser.add_argument("--behaviour", default="random", choices=list(BEHAVIOURS))
    told = parser.parse_args()
    sets = Sets(World("sim", "engagement"), told.behaviour, told.sets, told.steps)
    found = sets.drawn()
    variance = np.array([(one.moved**2).sum() for one in found])
    between = sets.means.std(ddof=1)
    print(f"a session earns {sets.means.mean():.4f}; its mean varies by {between:.4f} from set to set")
    alone = (sets.off**2 / sets.sizes[sets.set] ** 2).sum() / told.sets
    print(f"by viewer it would vary by {variance.mean() ** 0.5:.4f}, by session by {alone**0.5:.4f}")
    print(f"means and standard errors correlate by {np.corrcoef(sets.means, variance**0.5)[0, 1]:.2f}")
    print(f"degrees of freedom: {np.median([freedom(one.moved) for one in found]):.0f} in the median")
    rest = (sets.means.sum() - sets.means) / (told.sets - 1)
    ends: dict[str, list[Any]] = {
        "the plain bootstrap": [np.quantile(one.drawn, [0.025, 0.975]) for one in found],
        "Student's t": [one.interval[1:] for one in found],
    }
    for name, of in ends.items():
        low, high = np.transpose(of)
        print(f"intervals by {name} hold it in {np.mean((low <= rest) & (rest <= high)):.0%}")
    for name, span_s in SPANS.items():
        one, two = sets.alike(span_s)
        print(f"two viewers in one {name}: of one set {one:.3f} of the variance by viewer, of two sets {two:.3f}")


if __name__ == "__main__":
    main()
