"""Of the command ``evaluate``, by playing and from logs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from livedqn.config.train import WorldConfig
from livedqn.types import LivedqnError

UNITS = ("session", "request")


@dataclass
class OpeConfig:
    """Off-policy evaluation, from logs."""

    #: What a value is of: a session, or a request, each alone as if nothing followed.
    unit: str = "session"
    #: Discount of a request within a session; 1: what a session earns.
    discount: float = 1.0
    #: Uniform choice over the mask mixed into each policy that is judged; 0: as it is.
    epsilon: float = 0.0
    #: The share of viewers that judge; null: those whom the training of the checkpoints left out of these logs, or all.
    holdout: float | None = None
    #: The first day whose sessions judge (YYYY-MM-DD, UTC); empty: all.
    since: str = ""
    #: Guess propensities that are missing from what was shown; every report then says so.
    estimate_propensities: bool = False

    def __post_init__(self) -> None:
        if self.unit not in UNITS:
            raise LivedqnError(f"ope.unit={self.unit} is none of {', '.join(UNITS)}")
        for name in ("discount", "epsilon"):
            if not 0 <= getattr(self, name) <= 1:
                raise LivedqnError(f"ope.{name}={getattr(self, name)} is out of range; choose a number from 0 to 1")
        if self.holdout is not None and not 0 < self.holdout <= 1:
            raise LivedqnError(f"ope.holdout={self.holdout} is no share; choose one above 0, up to 1")


@dataclass
class GateConfig:
    """When a policy may go live."""

    #: From logs: exit 1 unless the policy earns more than the logs' own by more than this, at the lower bound of the
    #: 95 % interval of the difference, or if these logs cannot answer; null = no gate.
    min_lower_bound: float | None = None


@dataclass
class EvaluateConfig(WorldConfig):
    """``python -m livedqn evaluate``: compare policies on worlds that training never saw, or from logs."""

    #: One policy.ckpt or several: [a.ckpt, b.ckpt].
    checkpoint: list[str] = field(default_factory=list)
    #: Of several checkpoints: judge the mean of their values as one more policy, which is left as policy.ckpt.
    average: bool = False
    #: Policies to compare: policy, always (the policy without nothing), random, hottest, favourite, myopic, linucb and
    #: lints (linear bandits), and of simulated viewers oracle and lookahead, which know them; empty = the quick ones:
    #: policy, random, hottest, favourite, myopic. From logs ours are judged whoever is named, and random, hottest and
    #: favourite, which show a room always, if they are, or nobody is.
    policies: list[str] = field(default_factory=list)
    #: From logs: judge by what a policy was trained on, too; every report then says so.
    allow_overlap: bool = False
    ope: OpeConfig = field(default_factory=OpeConfig)
    gate: GateConfig = field(default_factory=GateConfig)
    #: Logged impressions to judge policies by, instead of playing env; null = play.
    logs: Any = None
