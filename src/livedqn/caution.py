"""How far an agent keeps to the logs that it learns from: as far as their policy is worth it, by what they say.

Of N logged requests with n allowed actions each, chosen with propensity p, behind which a session earned G, its own
reward included,

    A = 1/N sum (w - 1) (G - mean G),    w = 1 / (n p)

is by how much a uniform choice at one request, all others as they were made, changes what sessions earn from there on:
the advantage of a uniform policy over that of the logs (Kakade and Langford 2002, performance differences), with the
weights of single requests (Schulman et al. 2015, https://arxiv.org/abs/1502.05477, eq. 4), whose products over a
session do not occur. The mean of w is 1, so that of G only takes variance away. That holds where all that was allowed
could have been chosen; of what never was the return is not known, and the mean of G stands for it.
"""

from __future__ import annotations

import math

import numpy as np

from livedqn.evaluate.intervals import Interval, interval
from livedqn.logs import Impressions
from livedqn.ope.diagnostics import ROUNDED
from livedqn.ope.logged import folds, rewards
from livedqn.ope.verdict import MOST_SUPPORT
from livedqn.protocols import Reward

#: ``agent.cql_alpha`` where the logs' policy is kept to: the better one of two that were tried (benchmarks/offline).
ALPHA = 0.03
#: Viewers are told apart as far as so many groups by a hash go, so that memory does not grow with them.
GROUPS = 4_096
#: An A of no more than this, in shares of the mean |(w - 1) G|, is 0: sums of floating-point numbers would decide.
EXACT = 1e-9
#: The least mean of w. What a uniform choice does and the logs' policy never did is missing in it, whatever it is
#: worth: it is 0.5 where one of two actions was never taken.
LEAST = 0.75
_DOUBT = "nobody can tell whether the logs' policy is better than chance; most are, so it is kept to"


class UniformAdvantage:
    """What A is of logs that come part by part, whole sessions. Of one that was cut, G is what was logged of it.

    Args:
        reward: what an impression is worth.
    """

    def __init__(self, reward: Reward) -> None:
        self._reward = reward
        self._sums = np.zeros((4, GROUPS))  # over the requests of each group of viewers: 1, w - 1, G, (w - 1) G
        self._size = 0.0  # the sum of |(w - 1) G|
        self._unknown = 0  # requests whose propensity nobody noted

    def add(self, part: Impressions) -> None:
        """Count the requests of ``part``.

        Raises:
            LivedqnError: the reward owes other values.
        """
        acted, starts = part.acted, np.flatnonzero(part.begins)
        if not acted.any():
            return
        to_end = np.append(np.cumsum(rewards(part, self._reward)[::-1])[::-1], 0)  # of all rows of the part
        ends = np.append(starts[1:], len(part))
        g = (to_end[:-1] - np.repeat(to_end[ends], ends - starts))[acted]
        p = part.propensity[acted].astype(np.float64)
        self._unknown += int(np.isnan(p).sum())
        w = 1 / (part.observation["mask"][acted].sum(axis=1) * p)
        # what a uniform policy logged, its propensities in two significant digits, shall look as good as itself
        more = np.where(np.abs(w - 1) <= ROUNDED, 0, w - 1)
        self._size += float(np.abs(more * g).sum())
        group = folds(part.viewer[acted], GROUPS)
        for sums, values in zip(self._sums, (np.ones(len(g)), more, g, more * g), strict=True):
            sums += np.bincount(group, values, GROUPS)

    def estimate(self) -> Interval:
        """A with its 95 % interval, by viewers; NaN where fewer than two say anything."""
        count, more, g, product = self._sums[:, self._sums[0] > 0]
        n = count.sum()
        mean, usual = more.sum() / n, g.sum() / n
        value = product.sum() / n - mean * usual
        if abs(value) <= EXACT * self._size / n:
            value = 0.0
        # by how much each viewer moves it, n times: the sums of (w - mean w) (G - mean G) - A
        moved = product - mean * g - usual * more + count * (mean * usual - value)
        moved[np.abs(moved) <= EXACT * self._size] = 0
        return interval(value + len(count) * moved / n)

    def verdict(self) -> tuple[float, str]:
        """The ``agent.cql_alpha`` that is due, and why.

        To keep to a bad policy costs as much as not to keep to a good one, so the likelier of the two decides, however
        wide the interval is.
        """
        n, more, g, _ = self._sums.sum(axis=1)
        if self._unknown:
            return ALPHA, f"{self._unknown:,} of {n:,.0f} impressions have no propensity: {_DOUBT}"
        if 1 + more / n < LEAST:
            return ALPHA, f"of what a uniform choice does, {-more / n:.0%} was never logged: {_DOUBT}"
        if 1 + more / n > MOST_SUPPORT:
            why = f"propensities are too small: 1 / (allowed propensity) has a mean of {1 + more / n:.2g}"
            return ALPHA, f"{why}: {_DOUBT}"
        found = self.estimate()
        if math.isnan(found.high):
            return ALPHA, f"the logs are of one viewer: {_DOUBT}"
        is_better = found.mean < 0
        return ALPHA if is_better else 0.0, (
            f"a uniform choice at one request changes what a session earns from there on, {g / n:.3g}, by "
            f"{found.mean:+.2g} [{found.low:.2g}, {found.high:.2g}]: the logs' policy "
            f"{'is' if found.high < 0 or found.low >= 0 else 'seems'} "
            f"{'better than chance, so it is kept to' if is_better else 'no better than chance'}"
        )
