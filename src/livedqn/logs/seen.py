"""The sessions that a reading has come to, by which it knows one whose rows do not stand together."""

from __future__ import annotations

import numpy as np

from livedqn.logs.impressions import Impressions
from livedqn.types import BoolArray, IntArray


class SeenSessions:
    """Names of sessions, part by part: 8 bytes for each. One serves one reading, or one writing, of logs."""

    def __init__(self) -> None:
        #: sorted and longer than the next by twice, so that there are few to look into and names are seldom moved
        self._names: list[IntArray] = []

    def again(self, impressions: Impressions) -> BoolArray:
        """(N,), rows of ``impressions``, the next part, of a session that other rows have been of before, some other
        session between them. The first of a session are not: nobody knows yet that more will come."""
        begins = impressions.begins
        names, first, place = np.unique(impressions.session[begins], return_index=True, return_inverse=True)
        came = np.zeros(len(names), np.bool_)
        for known in self._names:
            came |= known[np.searchsorted(known[:-1], names)] == names
        self._add(names[~came])
        stands_apart = came[place]
        stands_apart |= first[place] != np.arange(len(place))
        return np.asarray(stands_apart[np.cumsum(begins) - 1])

    def _add(self, names: IntArray) -> None:
        while self._names and len(self._names[-1]) < 2 * len(names):
            names = np.sort(np.concatenate([self._names.pop(), names]), kind="stable")  # merges what is sorted
        if len(names):
            self._names.append(names)
