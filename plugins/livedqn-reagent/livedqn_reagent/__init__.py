"""Read ReAgent's logged format, a JSON object a decision: ``logs=reagent``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from livedqn.logs import Impressions
from livedqn.types import Column, LivedqnError, Spec
from livedqn_reagent.decisions import Decision, Names, decisions, lines
from livedqn_reagent.sessions import impressions

__all__ = ["ReAgent"]

#: Rows that are made impressions at once.
PART = 4_096
LAST_POSSIBLE = ("chosen", "before")


class ReAgent:
    """Decisions of ReAgent, input or output of its timeline operator: an ``mdp_id`` is a session.

    Actions that are features (parametric) become candidates behind *nothing*, which no mask allows: one of them always
    was taken. Actions that are names (discrete) become the fixed actions of a game.

    Args:
        path: a file, plain, .gz or .bz2, or a folder of such parts.
        step_s: seconds of a step of ``sequence_number`` and ``time_diff``.
        signals: the ``metrics`` that are signals; each is 0 or more.
        last_possible: ReAgent marks the step that ended an episode by an empty list of possible actions. What it was
            chosen from counts as the chosen one alone (chosen), and its propensity as unknown; or as what was possible
            at the step before (before).

    Raises:
        LivedqnError: there is no file, or it cannot be read, or no row of it is a decision.
    """

    def __init__(
        self, *, path: str, step_s: float = 1.0, signals: tuple[str, ...] = (), last_possible: str = "chosen"
    ) -> None:
        if not step_s > 0:
            raise LivedqnError(f"logs.step_s={step_s} must be above 0")
        if last_possible not in LAST_POSSIBLE:
            raise LivedqnError(f"logs.last_possible={last_possible} is none of {', '.join(LAST_POSSIBLE)}; choose one")
        self._files, self._step_s, self._repeats = _files(Path(path)), step_s, last_possible == "before"
        names = Names.of(lines(self._files), tuple(signals))
        if not names.state:
            raise LivedqnError(f"logs.path={path} has no row with state_features; give a file of ReAgent's JSON lines")
        self._names = names
        rooms: dict[str, Any] = {}
        if names.is_parametric:
            rooms["history"], rooms["history_length"] = (Column("real"),), 1  # nobody noted whom a decision was for
            rooms["has_nothing"] = False
            rooms["candidates"] = tuple(Column(f"action_{name}") for name in names.action)
        self.spec = Spec(
            context=tuple(Column(f"state_{name}") for name in names.state), context_shape=(len(names.state),),
            num_actions=names.most + 1 if names.is_parametric else len(names.action),
            signals=names.signals, **rooms,
        )  # fmt: skip
        self.source: dict[str, Any] = {"reagent": path}

    def __iter__(self) -> Iterator[Impressions]:
        """All rows, sorted by session and ``sequence_number``; they are all read before the first is answered."""
        found = decisions(lines(self._files), self._names)
        number: dict[str, int] = {}  # of each mdp_id, in order of appearance
        of = np.array([number.setdefault(one.mdp_id, len(number)) for one in found], np.int64)
        order = np.lexsort([[one.sequence for one in found], of])
        first = np.flatnonzero(np.diff(of[order], prepend=-1))
        part: list[list[Decision]] = []
        for rows in np.split(order, first[1:]):
            part.append([found[row] for row in rows])
            if sum(map(len, part)) >= PART:
                yield self._impressions(part)
                part = []
        if part:
            yield self._impressions(part)

    def _impressions(self, sessions: Sequence[Sequence[Decision]]) -> Impressions:
        return impressions(sessions, self.spec, self._step_s, self._repeats, ", ".join(map(str, self._files)))


def _files(path: Path) -> list[Path]:
    found = [path] if path.is_file() else sorted(one for one in path.glob("[!._]*") if one.is_file())
    if not found:
        raise LivedqnError(f"logs.path={path} is no file, nor a folder of files; give ReAgent's JSON lines")
    return found
