"""What to do where logs overlap too little with what a policy does: judge it softer, or log nearer to it.

A policy that is certain, judged by sessions of L requests that were logged with epsilon around it, agrees with all of
one in (1 - epsilon)^L of cases: that share of sessions counts.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from livedqn.ope.diagnostics import Overlap, overlap
from livedqn.ope.estimators import session_weights
from livedqn.ope.evidence import Evidence
from livedqn.ope.verdict import LEAST_EFFECTIVE, LEAST_SHARE, lacks, too_little, why_not

#: What is tried, of uniform choice mixed into a policy, and of exploration around it.
EPSILONS = tuple(round(0.1 * tenths, 1) for tenths in range(1, 10))
#: Of sessions, by length: most are not longer, and none of the longest alone decides.
QUANTILE = 0.9


def softer(evidence: Evidence, name: str, had: float, wanted: float) -> Overlap:
    """That of a policy which was judged with ``had`` of uniform choice mixed in, with ``wanted`` of it instead."""
    alone = (evidence.policies[name].rho - had * evidence.uniform) / (1 - had)
    rho = np.maximum((1 - wanted) * alone + wanted * evidence.uniform, 0)  # rounding would leave less than nothing
    return overlap(rho, session_weights(evidence, rho))


def answerable(evidence: Evidence, name: str, had: float) -> float | None:
    """The least of ``EPSILONS`` above ``had`` with which these logs can answer for a policy; None: with none."""
    for wanted in (epsilon for epsilon in EPSILONS if epsilon > had):
        if not why_not(softer(evidence, name, had, wanted), *_size(evidence)):
            return wanted
    return None


def most_exploration(evidence: Evidence) -> float:
    """The greatest epsilon with which as many sessions around a certain policy answer for it.

    (1 - epsilon)^L of them count, which has to be LEAST_SHARE, and LEAST_EFFECTIVE sessions. L is the ``QUANTILE`` of
    these sessions' lengths; those of another policy may differ.
    """
    length = float(np.quantile(np.bincount(evidence.session), QUANTILE))
    least = min(max(LEAST_SHARE, LEAST_EFFECTIVE / len(evidence.viewer)), 1)
    return float(1 - least ** (1 / length))


def remedies(evidence: Evidence, name: str, had: float) -> Iterator[str]:
    """What to do next, in words, the nearest first; ``name`` was judged with ``had`` of uniform choice mixed in.

    Nothing where logs overlap enough with it, or where the verdict is of the logs and not of what it does.
    """
    rho = evidence.policies[name].rho
    if too_little(*_size(evidence)) or not lacks(overlap(rho, session_weights(evidence, rho))):
        return
    if np.allclose(rho, evidence.uniform):
        yield "what is judged is a uniform choice: log with more exploration"
        return
    if had < 1 and (wanted := answerable(evidence, name, had)) is not None:
        yield f"ope.epsilon={wanted:g} judges it with so much exploration, as it may be served at first"
    is_of_sessions, (_, viewers, _) = bool(evidence.position.any()), _size(evidence)
    if is_of_sessions and not why_not(overlap(rho, rho), len(rho), viewers, 0):
        yield "ope.unit=request judges single requests, as if nothing followed"
    where = "where sessions are as long as these, " if is_of_sessions else ""
    yield (
        f"log around it (livedqn collect, exploration=steady): {where}with an epsilon of "
        f"{most_exploration(evidence):.2g} at most"
    )


def _size(evidence: Evidence) -> tuple[int, int, int]:
    """Sessions, viewers, and sessions that were cut."""
    return len(evidence.viewer), int(evidence.viewer.max(initial=-1)) + 1, evidence.cut
