"""The outcome of a comparison: every number of the table, the report and ``evaluation.json`` comes from here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from io import StringIO
from typing import Any

import numpy as np

from livedqn.evaluate.calibration import Calibration
from livedqn.evaluate.intervals import Interval, interval, paired, ratio
from livedqn.evaluate.metrics import metrics
from livedqn.evaluate.play import Episodes
from livedqn.evaluate.policies import Rule
from livedqn.evaluate.slices import Slices
from livedqn.types import FloatArray

#: Below so many environment steps of training nobody should expect much; the table says so.
SHORT_STEPS = 200_000


@dataclass(frozen=True)
class Evaluation:
    """What every policy did on the same worlds."""

    played: dict[str, list[Episodes]] = field(repr=False)  # policy -> one entry a world, in the same order for all
    agents: tuple[str, ...]  # which of them are ours
    rules: dict[str, Rule]  # tuned baselines
    validation: dict[str, float]  # baseline -> mean return on the validation worlds, where it was played there
    calibrations: dict[str, Calibration] = field(repr=False)  # by agent
    steps: int | None  # of training; None: nobody knows

    def __str__(self) -> str:
        """The table, as text."""
        from livedqn.evaluate.table import show  # which knows this class

        text = StringIO()
        show(self, text)
        return text.getvalue()

    @property
    def worlds(self) -> int:
        """W."""
        return len(next(iter(self.played.values())))

    @property
    def baselines(self) -> dict[str, dict[str, Any]]:
        """The tuned rules, as checkpoints store them."""
        return {name: rule.to_dict() for name, rule in self.rules.items()}

    @property
    def reference(self) -> str:
        """Against whom the others are compared: the first of ours, or the first of all."""
        return self.agents[0] if self.agents else next(iter(self.played))

    @property
    def is_short(self) -> bool:
        """True where training is known to have been too short for the numbers to mean much."""
        return self.steps is not None and self.steps < SHORT_STEPS

    @cached_property
    def slices(self) -> Slices:
        """Where the parts of audience and rooms begin."""
        return Slices.of(self.played[self.reference])

    @cached_property
    def measured(self) -> dict[str, dict[str, FloatArray]]:
        """policy -> metric -> (W,), one number a world."""
        return {
            name: _stacked([metrics(played) | self.slices.measure(played) for played in worlds])
            for name, worlds in self.played.items()
        }

    @cached_property
    def intervals(self) -> dict[str, dict[str, Interval]]:
        """policy -> metric -> mean and interval over worlds."""
        return {
            name: {metric: interval(values) for metric, values in found.items()}
            for name, found in self.measured.items()
        }

    def distinct(self, metrics: Iterable[str]) -> list[str]:
        """Those of ``metrics`` that were measured, less any that says just what the return says (minutes watched,
        say, where they are the reward)."""

        def repeats(name: str) -> bool:
            return name != "return" and all(np.allclose(one[name], one["return"]) for one in self.measured.values())

        return [name for name in metrics if name in self.measured[self.reference] and not repeats(name)]

    def advantage(self, name: str, metric: str = "return") -> Interval:
        """How much more of ``metric`` the reference has than ``name``, paired by world."""
        return paired(self.measured[self.reference][metric], self.measured[name][metric])

    @property
    def ceiling(self) -> str:
        """The best oracle that was played, if random was too; "" where there is no such span to measure against."""
        return next((name for name in ("lookahead", "oracle") if {name, "random"} <= set(self.played)), "")

    def regret(self, name: str) -> Interval:
        """How much more return the ceiling has than ``name``, paired by world."""
        return paired(self.measured[self.ceiling]["return"], self.measured[name]["return"])

    def share_of_way(self, name: str) -> Interval:
        """The normalised score (return - random's) / (ceiling's - random's): 0 is random, 1 the ceiling."""
        bottom = self.measured["random"]["return"]
        return ratio(self.measured[name]["return"] - bottom, self.measured[self.ceiling]["return"] - bottom)

    def to_dict(self) -> dict[str, dict[str, dict[str, float | int | None]]]:
        """``{policy: {metric: {mean, low, high, n}}}``; others than the reference have ``advantage_of_<reference>``.

        Where random and an oracle were played, all have ``regret`` and ``share_of_way``.
        """
        found = {name: {m: one.to_dict() for m, one in by.items()} for name, by in self.intervals.items()}
        for name in found:
            if name != self.reference:
                found[name][f"advantage_of_{self.reference}"] = self.advantage(name).to_dict()
            if self.ceiling:
                found[name]["regret"] = self.regret(name).to_dict()
                found[name]["share_of_way"] = self.share_of_way(name).to_dict()
        return found


def _stacked(worlds: Sequence[Mapping[str, float]]) -> dict[str, FloatArray]:
    return {name: np.array([world[name] for world in worlds]) for name in worlds[0]}
