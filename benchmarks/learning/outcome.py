"""What a training of any contestant comes to."""

from __future__ import annotations

from dataclasses import dataclass

from livedqn.protocols import Policy


@dataclass(frozen=True)
class Outcome:
    """A policy and what it took."""

    policy: Policy  # greedy, of the final weights
    updates: int
    cpu_s: float
    wall_s: float
