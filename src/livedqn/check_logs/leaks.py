"""Features that know what came after the request.

A column that tells the signal of its own impression nearly without error was not taken before it. Told by ranks, so in
any unit, over impressions that showed a room: those with a signal against those without by the area under the ROC
curve, 0.5 for a column that knows nothing; and how much of it, where there is some, by Spearman's correlation. What a
room costs is known before some pay it: a column of candidates that tells the amount alone, and not who pays, is no more
than worth knowing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from livedqn.check_logs.finding import Finding
from livedqn.logs import Impressions
from livedqn.types import BoolArray, FloatArray, Spec

#: Impressions that are looked at, the first of the logs.
SAMPLE = 20_000
#: With and without a signal at least so many each; fewer may be told apart by chance.
LEAST = 50
#: What no honest feature reaches.
AREA, CORRELATION = 0.98, 0.95


class Leaks:
    """Keeps the columns of context, newest past impression and chosen room, and the signals."""

    def __init__(self, spec: Spec) -> None:
        self._spec = spec
        self._names = [f"context.{column.name}" for column in spec.context]
        self._names += [f"history.{column.name} (of the newest impression)" for column in spec.history]
        self._names += [f"candidates.{column.name} (of the room that was shown)" for column in spec.candidates]
        self._features: list[FloatArray] = []
        self._signals: list[FloatArray] = []
        self._count = 0

    def add(self, impressions: Impressions) -> None:
        """The next whole sessions."""
        seen, action = impressions.observation, impressions.action
        rows = np.flatnonzero((action > 0) & (action < seen["mask"].shape[1]))[: SAMPLE - self._count]
        if not (len(rows) and self._spec.has_rooms and self._spec.signals):
            return
        self._count += len(rows)
        past = seen["history"][rows]
        newest = past.shape[1] - 1 - (past[:, ::-1, 0] > 0).argmax(axis=1)
        shown = seen["candidates"][rows, action[rows]]
        self._features.append(np.concatenate([seen["context"][rows], past[range(len(rows)), newest], shown], axis=1))
        self._signals.append(np.stack([impressions.signals[name][rows] for name in self._spec.signals], axis=1))

    def findings(self) -> Iterator[Finding]:
        """Columns that know too much."""
        if not self._features:
            return
        features, signals = np.concatenate(self._features), np.concatenate(self._signals)
        ranks = np.stack([mean_ranks(column) for column in features.T], axis=1)
        for signal, values in zip(self._spec.signals, signals.T, strict=True):
            came = values > 0
            if min(came.sum(), (~came).sum()) >= LEAST:
                told = np.abs(areas(ranks, came) - 0.5) + 0.5
                for which in np.flatnonzero(told >= AREA).tolist():
                    known = f"with it from without it in {told[which]:.1%} of pairs"
                    yield self._finding(which, signal, known, len(came))
            if came.sum() >= 2 * LEAST:
                amount = mean_ranks(values[came])
                for column, feature in enumerate(features[came].T):
                    correlation = spearman(mean_ranks(feature), amount)
                    if abs(correlation) >= CORRELATION:
                        known = f"how much of it there is, with a rank correlation of {correlation:.3f}"
                        may_be_price = (~came).sum() >= LEAST and self._names[column].startswith("candidates.")
                        yield self._finding(column, signal, known, int(came.sum()), may_be_price=may_be_price)

    def lines(self) -> Iterable[str]:
        """Nothing."""
        return ()

    def _finding(self, column: int, signal: str, known: str, rows: int, *, may_be_price: bool = False) -> Finding:
        return Finding(
            f"{self._names[column]} knows signals.{signal} of its own impression: it tells {known}",
            "take every feature as of the request, before anything was shown, not from a table that was made later"
            + ("; a price of the room, which is paid or not, may stay" if may_be_price else ""),
            rows, unit="rows looked at", is_wrong=not may_be_price,
        )  # fmt: skip


def mean_ranks(values: FloatArray) -> FloatArray:
    """Ranks from 1, equals sharing the mean of theirs, (n,) float64."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks: FloatArray = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    return ranks


def areas(ranks: FloatArray, came: BoolArray) -> FloatArray:
    """Area under the ROC curve of each column of ``ranks`` (n, F) for ``came`` (n,): Mann and Whitney's U / (n1 n0)."""
    ones = int(came.sum())
    found: FloatArray = (ranks[came].mean(axis=0) - (ones + 1) / 2) / (len(came) - ones)
    return found


def spearman(one: FloatArray, other: FloatArray) -> float:
    """Correlation of ranks (n,); 0 where all of one are equal."""
    one, other = one - one.mean(), other - other.mean()
    scale = float(np.sqrt((one @ one) * (other @ other)))
    return float(one @ other) / scale if scale else 0.0
