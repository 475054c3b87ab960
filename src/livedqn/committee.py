"""Several policies that act as one, by the mean of their values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from torch import nn

from livedqn.actor import Actor
from livedqn.types import FloatArray, Observation


class Committee(Actor):
    """A policy that goes by the means of what its members expect (Fausser and Schwenker 2015, neural network ensembles
    in reinforcement learning, https://doi.org/10.1007/s11063-013-9334-5).

    Members whose trainings share nothing, not even data, err apart, so that their mean errs less than each of them.

    Args:
        members: one or more, of the same spec, reward and discount; what one of them rules out, all do. Their mean has
            a shortlist of its own, as long as the longest of theirs.
    """

    def __init__(self, members: Sequence[Actor]) -> None:
        super().__init__(members[0].spec)
        self.members = nn.ModuleList(members)
        self.ensemble = len(members)
        self.values_rooms_apart = all(member.values_rooms_apart for member in members)
        lists = [member.shortlist for member in members]
        self.shortlist = None if None in lists else max(filter(None, lists))

    def q_values(self, observation: Observation | npt.NDArray[Any]) -> FloatArray:
        """As :meth:`Actor.q_values`: an estimate a member, the mean of its own, however many it has."""
        return np.stack([member.q_values(observation).mean(axis=0) for member in members_of(self)])

    def myopic_values(self, observation: Observation | npt.NDArray[Any]) -> FloatArray | None:
        """The mean of the members', (B, K), or None where one of them has no myopic network."""
        found = [member.myopic_values(observation) for member in members_of(self)]
        known = [values for values in found if values is not None]
        return np.mean(known, axis=0, dtype=np.float32) if len(known) == len(found) else None

    def discount_of(self, elapsed_s: FloatArray) -> FloatArray:
        """That of every member, (B,)."""
        return members_of(self)[0].discount_of(elapsed_s)


def members_of(actor: Actor) -> list[Actor]:
    """The members of a committee; of any other policy itself."""
    return [one for one in actor.members if isinstance(one, Actor)] if isinstance(actor, Committee) else [actor]
