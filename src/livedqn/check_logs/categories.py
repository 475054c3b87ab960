"""A look at categories that hardly ever are one of those that are known: a mapping's mistake, mostly."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from livedqn.check_logs.finding import Finding
from livedqn.logs import Impressions
from livedqn.types import Spec

#: The share of values from which on it is worth saying that they are none of the known ones.
MOSTLY = 0.9


class Categories:
    """Counts of 0, which is *none of them*, in each column of kind category."""

    def __init__(self, spec: Spec) -> None:
        self._places = [
            (array, i, column.name)
            for array in ("context", "history", "candidates")
            for i, column in enumerate(getattr(spec, array))
            if column.kind == "category"
        ]
        self._counts = np.zeros((len(self._places), 2), np.int64)  # values that count, and those of them that are 0

    def add(self, impressions: Impressions) -> None:
        """The next whole sessions."""
        seen = impressions.observation
        if impressions.defect is not None and (impressions.defect != "").any():  # nobody could read these
            is_read = impressions.defect == ""
            seen = {name: array[is_read] for name, array in seen.items()}
        for count, (array, i, _) in zip(self._counts, self._places, strict=True):
            values = seen[array][..., i]
            if array == "history":
                values = values[seen["history"][..., 0] > 0]
            elif array == "candidates":
                values = values[:, 1:][seen["mask"][:, 1:]]
            count += values.size, int((values == 0).sum())

    def findings(self) -> Iterator[Finding]:
        """Columns of which nearly nothing is known."""
        for (values, unknown), (array, _, name) in zip(self._counts.tolist(), self._places, strict=True):
            if values and unknown >= MOSTLY * values:
                yield Finding(
                    f"{array}.{name} is none of its categories in {unknown / values:.1%} of what there is of it",
                    "is it so? Of a table of one's own: are the mapping's values written as there, in the same case?",
                    unknown, is_wrong=False, unit="values",
                )  # fmt: skip

    def lines(self) -> Iterable[str]:
        """Nothing."""
        return ()
