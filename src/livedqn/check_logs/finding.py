"""What a look at logs finds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from livedqn.logs import Impressions


@dataclass
class Finding:
    """One thing that somebody should know of the logs."""

    what: str
    cure: str
    rows: int  # how many, of what ``unit`` says
    example: str = ""
    is_wrong: bool = True  # training would be wrong; else it is as well to know
    unit: str = "rows"


class Look(Protocol):
    """Sees all impressions, part by part, and says at the end what it found."""

    def add(self, impressions: Impressions) -> None:
        """The next whole sessions."""
        ...

    def findings(self) -> Iterator[Finding]:
        """All that is worth saying."""
        ...

    def lines(self) -> Iterable[str]:
        """Figures that belong into any report."""
        ...
