"""What cannot be in a log: rules on rows of whole sessions, the same for who writes, who reads and who checks.

With such a row in it training would be wrong, or stop. Each rule says how a row breaks it and what to do about it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from livedqn.kernel import kernel
from livedqn.logs.impressions import Impressions
from livedqn.logs.seen import SeenSessions
from livedqn.types import BoolArray, Column, FloatArray, LivedqnError, Spec, within

#: Signals that are yes or no.
YES_NO = ("clicked", "left")
#: The end of 2099, in seconds since 1970.
LAST_S = 4_102_444_800
#: Seconds by which elapsed_s may miss the next row's time, which is in whole seconds, and its share.
_SLACK_S, _SLACK = 2.0, 1e-3
_BLOCK = 1024  # numbers that are compared side by side


class ColumnsError(LivedqnError):
    """Columns of a table are missing or of a wrong type; ``problems`` has a sentence for each."""

    def __init__(self, where: str, problems: Sequence[str], cure: str) -> None:
        super().__init__(f"{where}: {'; '.join(problems)}; {cure}")
        self.problems, self.cure = tuple(problems), cure


class Fault(NamedTuple):
    """Rows that break one rule."""

    what: str
    cure: str
    rows: BoolArray  # (N,)


def _fault(what: str, cure: str, rows: Any) -> Fault:
    return Fault(what, cure, np.asarray(rows, np.bool_))


def faults(impressions: Impressions, spec: Spec, seen: SeenSessions | None = None) -> Iterator[Fault]:
    """Every rule that some row breaks; ``seen`` are the sessions of the parts before, to which it adds these."""
    for fault in (
        *_defects(impressions), *_choices(impressions, spec), *_observations(impressions, spec), *_results(impressions),
        *_sessions(impressions, SeenSessions() if seen is None else seen),
    ):  # fmt: skip
        if fault.rows.any():
            yield fault


def sessions_at_fault(
    impressions: Impressions, spec: Spec, seen: SeenSessions | None = None
) -> tuple[BoolArray, list[Fault]]:  # fmt: skip
    """All rows of sessions of which some row breaks a rule, (N,), and the rules, as :func:`faults` has them.

    A session is at fault as a whole, since what follows a wrong row is not its successor. Of one whose rows do not
    stand together the first to come are none the worse: they end where the next session begins.
    """
    found = list(faults(impressions, spec, seen))
    if not found:
        return np.zeros(len(impressions), np.bool_), found
    number = np.cumsum(impressions.begins) - 1  # of each row's session
    bad = np.unique(number[np.any([fault.rows for fault in found], axis=0)])
    return np.isin(number, bad), found


def refuse_faults(impressions: Impressions, spec: Spec, seen: SeenSessions | None = None) -> None:
    """Raise LivedqnError for the first rule that a row breaks, as :func:`faults` has them."""
    for what, cure, rows in faults(impressions, spec, seen):
        raise LivedqnError(f"{what} ({rows.sum():,} rows, the first {place(impressions, rows)}); {cure}")


def place(impressions: Impressions, rows: BoolArray) -> str:
    """Where the first of ``rows`` stands, as a user finds it."""
    first = int(rows.argmax())
    where = f"row {impressions.row[first]:,}" + (f" of {impressions.source}" if impressions.source else "")
    return f"request {impressions.request[first]}, {where}"


def _defects(impressions: Impressions) -> Iterator[Fault]:
    if impressions.defect is not None:
        for what in np.unique(impressions.defect[impressions.defect != ""]).tolist():
            yield _fault(what, "mend the table, or leave such rows out", impressions.defect == what)


def _choices(impressions: Impressions, spec: Spec) -> Iterator[Fault]:
    mask, acted, p = impressions.observation["mask"], impressions.acted, impressions.propensity
    if spec.offers_nothing:
        yield _fault(
            "the mask closes row 0 (nothing)",
            "set mask[0] to true; where a room always had to be shown, the logs have to say so: has_nothing=False",
            ~mask[:, 0],
        )  # fmt: skip
    else:
        cure = "log what could be chosen, and leave out requests for which there was no room"
        yield _fault("the mask allows no action", cure, ~mask.any(axis=1))
    if spec.has_rooms and not spec.has_nothing:
        though = "though the logs say has_nothing=False"
        yield _fault(f"the mask allows row 0 (nothing), {though}", "set mask[0] to false", mask[:, 0])
        cure = "leave out requests to which no room was shown, or say has_nothing=True"
        yield _fault(f"row 0 (nothing) was chosen, {though}", cure, acted & (impressions.action == 0))
    action = np.where((impressions.action >= 0) & (impressions.action < mask.shape[1]), impressions.action, -1)
    masked = acted & ~((action >= 0) & mask[np.arange(len(mask)), action])
    yield _fault(
        "the action was masked, or is none of the candidates",
        "log the mask as it was when the action was chosen, and the action as a row of these candidates", masked,
    )  # fmt: skip
    yield _fault(
        f"it has more candidates than the {spec.num_actions} of the most, which the metadata say",
        "write the logs with the greatest number as num_actions", impressions.sizes > spec.num_actions,
    )  # fmt: skip
    noted = acted & ~np.isnan(p)
    yield _fault(
        "the propensity is 0 or less, or above 1",
        "log the probability with which this action was chosen, all exploration mixed in; leave it empty if unknown",
        noted & ~((p > 0) & (p <= 1 + 1e-6)),
    )
    yield _fault(
        "the propensity is below 1 although the mask allows one action alone",
        "log the mask that the policy saw", noted & (mask.sum(axis=1) == 1) & (np.abs(p - 1) > 1e-3),
    )  # fmt: skip


def _observations(impressions: Impressions, spec: Spec) -> Iterator[Fault]:
    seen = impressions.observation
    for array, limits in spec.limits.items():
        values = seen[array]
        for i in _outside(values.reshape(-1), limits.T).nonzero()[0]:  # hardly ever any
            yield from _broken(array, getattr(spec, array)[i], values[..., i].reshape(len(values), -1))
    if spec.has_rooms:
        nothing = seen["candidates"][:, 0]
        wrong = nothing.any(axis=1) if nothing.any() else np.zeros(len(nothing), np.bool_)
        yield _fault("row 0 of the candidates is not zeros", "row 0 is nothing: put it before the rooms", wrong)


def _broken(array: str, column: Column, values: FloatArray) -> Iterator[Fault]:
    known = np.isfinite(values)
    name = f"{array}.{column.name}"
    yield _fault(f"{name} is not finite", "fill it with 0, or with what means unknown", ~known.all(axis=1))
    wrong = known & ~within(values, column.limits)
    yield _fault(f"{name} is none of kind {column.kind}", f"it has to be {column.owed}", wrong.any(axis=1))


def _outside(values: FloatArray, limits: FloatArray) -> BoolArray:
    """(F,), which columns of ``values`` (M x F,), row by row, hold something outside their ``limits`` (F, 3)."""
    several = max(_BLOCK // len(limits), 1)
    repeated = np.tile(limits, (several, 1))
    broken = np.zeros(len(repeated), np.bool_)
    whole = len(values) - len(values) % len(repeated)
    _find(values[:whole].reshape(-1, len(repeated)), repeated.T.copy(), broken)
    _find(values[whole:].reshape(1, -1), repeated.T.copy(), broken)
    return np.asarray(broken.reshape(several, -1).any(axis=0))


@kernel
def _find(values: FloatArray, limits: FloatArray, broken: BoolArray) -> None:
    """Which columns of ``values`` (M, at most L) hold something outside ``limits`` (3, L); ``broken`` is (L,)."""
    for row in range(values.shape[0]):
        for i in range(values.shape[1]):
            value = values[row, i]
            # NaN lies within nothing
            broken[i] |= (not (limits[0, i] <= value <= limits[1, i])) | (
                (limits[2, i] > 0) & (value != np.rint(value))
            )


def _results(impressions: Impressions) -> Iterator[Fault]:
    acted = impressions.acted
    time_s = impressions.time_s
    yield _fault("time_s is none of 1970 to 2100", "it is in seconds; milliseconds?", (time_s < 0) | (time_s > LAST_S))
    for name, values in impressions.signals.items():
        limit = 1 if name in YES_NO else np.inf
        wrong = acted & ~((values >= 0) & (values <= limit) & np.isfinite(values))
        cure = "it is 0 or 1" if name in YES_NO else "it is a finite number from 0, and 0 where nothing came"
        yield _fault(f"signals.{name} is impossible", cure, wrong)
    wrong = acted & ~np.isfinite(impressions.native)
    yield _fault("native is not finite", "give 0 where the platform has no reward of its own", wrong)
    elapsed_s = impressions.elapsed_s
    wrong = acted & ~((elapsed_s > 0) & np.isfinite(elapsed_s))
    yield _fault("elapsed_s is not above 0", "it is the time to the viewer's next request, or to their leaving", wrong)


def _sessions(impressions: Impressions, seen: SeenSessions) -> Iterator[Fault]:
    """Rules on a row and the others of its session: the one before it, and those of parts before."""
    if not len(impressions):
        return
    inside = ~impressions.begins[1:]  # (N - 1,), rows from the second on that go on with a session
    sort = "sort by session and time, and give each visit a session of its own"

    def later(wrong: BoolArray) -> BoolArray:
        return np.concatenate([[False], inside & wrong])

    passed_s = np.diff(impressions.time_s)
    yield _fault("a session has several viewers", sort, later(np.diff(impressions.viewer) != 0))
    # where it was cut, which either row may say, there may be no time that the last observation is of
    on_time = ~(impressions.truncated[:-1] | (impressions.truncated[1:] & ~impressions.acted[1:]))
    yield _fault("a session goes back in time", sort, later(on_time & (passed_s < 0)))
    over = (impressions.terminated | ~impressions.acted)[:-1] | (impressions.truncated[:-1] & impressions.acted[1:])
    last = f"its last row alone is terminated or without action: {sort}"
    yield _fault("a session goes on behind its end", last, later(over))
    elapsed_s = impressions.elapsed_s[:-1]
    missed = np.abs(passed_s - elapsed_s) > _SLACK_S + _SLACK * elapsed_s
    yield _fault(
        "elapsed_s does not lead to the session's next row",
        "a request in between is missing, or elapsed_s is not the time to the next request; log every request",
        later(missed & on_time & ~over & (passed_s >= 0)),
    )  # fmt: skip
    # without what lies between, they would seem to be one
    yield _fault("the rows of a session do not stand together", sort, seen.again(impressions))
    yield _fault(
        "a session begins without an action", "leave out a session that nobody answered",
        impressions.begins & ~impressions.acted,
    )  # fmt: skip
