"""What logs say of several policies, as numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from livedqn.ope.behaviour import PropensityCalibration
from livedqn.ope.bootstrap import Drawn, Estimate
from livedqn.ope.estimators import DEFAULT, Estimates


@dataclass(frozen=True)
class Result:
    """Of policies by name, the checkpoints' before the baselines."""

    unit: str  # session or request
    sessions: int
    viewers: int
    requests: int
    cut: int  # sessions that more would have followed
    unknown: int  # of which the last observation is missing besides
    at_fault: int  # sessions that were set aside
    holdout: float  # the share of viewers that judge
    logged: Drawn  # the logs' own policy
    policies: Mapping[str, Estimates]
    why_not: Mapping[str, str]  # policy -> why the logs cannot answer, "" where they can
    next: Mapping[str, tuple[str, ...]]  # what to do about it, where the logs do not overlap enough with the policy
    warnings: tuple[str, ...]  # what every report has to say
    calibration: PropensityCalibration | None  # of estimated propensities

    @property
    def estimator(self) -> str:
        """The one to go by."""
        return DEFAULT[self.unit]

    def best(self, name: str) -> Drawn:
        """By the estimator to go by."""
        return self.policies[name].by_name[self.estimator]

    def difference(self, name: str) -> Estimate:
        """How much more a policy earns than the logs' own, by the estimator to go by."""
        return self.best(name).minus(self.logged)

    def pairs(self) -> dict[tuple[str, str], Estimate]:
        """How much more each earns than each that comes after it."""
        return {(a, b): self.best(a).minus(self.best(b)) for a, b in combinations(self.policies, 2)}

    def to_dict(self) -> dict[str, Any]:
        """Plain Python, as ``evaluation.json`` has it."""
        counts = ("unit", "sessions", "viewers", "requests", "cut", "unknown", "at_fault", "holdout")
        return {
            **{name: getattr(self, name) for name in counts},
            "warnings": list(self.warnings),
            "estimator": self.estimator,
            "logged": self.logged.interval.to_dict(),
            "policies": {name: self._policy(name) for name in self.policies},
            "differences": {f"{a} - {b}": found.to_dict() for (a, b), found in self.pairs().items()},
            "calibration": None
            if self.calibration is None
            else {k: v.tolist() for k, v in self.calibration._asdict().items()},
        }

    def _policy(self, name: str) -> dict[str, Any]:
        found = self.policies[name]
        return {
            "cannot_answer": self.why_not[name] or None,
            "next": list(self.next[name]),
            "estimates": {key: one.interval.to_dict() for key, one in found.by_name.items()},
            "difference": self.difference(name).to_dict(),
            "overlap": found.overlap._asdict(),
        }
