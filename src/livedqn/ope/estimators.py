"""All estimates of all policies from the same evidence, by name, with intervals from the same replicates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from livedqn.ope import requests, sessions
from livedqn.ope.bootstrap import REPLICATES, Drawn, resampled
from livedqn.ope.diagnostics import Overlap, overlap
from livedqn.ope.evidence import Evidence, Judged
from livedqn.ope.terms import Terms
from livedqn.ope.verdict import impossible, why_not
from livedqn.types import FloatArray

#: The estimators to go by where none is named, by what is estimated. Both are right in the long run wherever
#: propensities are, whatever the model, which only takes variance off. FQE and DRL are narrower, but lean on a linear
#: model of what is seen, and miss the truth by more than their intervals say where that is wrong (benchmarks/ope).
DEFAULT = {"session": "WDR", "request": "DR"}
#: The weight of a request at which NCIS, clipped IPS and Switch-DR clip or switch.
MOST = 10.0
#: What the logs' own policy is called.
LOGGED = "logged"


@dataclass(frozen=True)
class Estimates:
    """Of one policy."""

    by_name: Mapping[str, Drawn]
    overlap: Overlap


def logged(evidence: Evidence, seed: int, count: int = REPLICATES) -> Drawn:
    """What the logs' own policy earned a session."""
    return resampled(Terms.mean(evidence.logged), evidence.viewer, seed, count)


def estimates(evidence: Evidence, name: str, seed: int, count: int = REPLICATES) -> Estimates:
    """Every estimator of the policy of this name; where every session is one request, those of requests."""
    judged = evidence.policies[name]
    terms = of_sessions(evidence, judged) if unit(evidence) == "session" else of_requests(judged)
    by_name = {key: resampled(one, evidence.viewer, seed, count) for key, one in terms.items()}
    return Estimates(by_name, overlap(judged.rho, session_weights(evidence, judged.rho)))


def unit(evidence: Evidence) -> str:
    """What is estimated, as :data:`DEFAULT` has it: the value of a session, or of a request where each stands alone."""
    return "session" if evidence.position.any() else "request"


def doubt(evidence: Evidence, found: Estimates) -> str:
    """Why these logs cannot answer for the policy of which this was ``found``, in words; "" where they can."""
    of = unit(evidence)
    why = why_not(found.overlap, len(evidence.viewer), int(evidence.viewer.max()) + 1, evidence.cut, of)
    return why or impossible(found.by_name[DEFAULT[of]].interval, evidence.reward)


def of_requests(judged: Judged) -> dict[str, Terms]:
    """Estimators of a request's value; what is switched to the model is what MOST says."""
    rho, r, q, v = judged.rho, judged.paid, judged.q, judged.v
    return {
        "DM": sessions.fitted_q(v, judged.pull * judged.error),
        "IPS": requests.ips(rho, r), "SNIPS": requests.snips(rho, r),
        "clipped IPS": requests.clipped_ips(rho, r, MOST), "NCIS": requests.ncis(rho, r, MOST),
        "DR": requests.doubly_robust(rho, r, q, v), "Switch-DR": requests.switch_dr(rho, r, q, v, MOST),
    }  # fmt: skip


def of_sessions(evidence: Evidence, judged: Judged) -> dict[str, Terms]:
    """Estimators of a session's value."""
    gamma = evidence.gamma
    form = len(evidence.viewer), int(evidence.position.max(initial=0)) + 1
    place = evidence.session, evidence.position

    def padded(values: FloatArray, fill: float = 0.0) -> FloatArray:
        wide = np.full(form, fill)
        wide[place] = values
        return wide

    rho, r, q, v = padded(judged.rho, 1.0), padded(judged.paid), padded(judged.q), padded(judged.v)
    # omega and pull count gamma^t, too
    correction, moved = (
        np.bincount(evidence.session, weights=w * judged.error).astype(np.float64) for w in (judged.omega, judged.pull)
    )
    first = v[:, 0]
    return {
        "FQE": sessions.fitted_q(first, moved),
        "PDIS": sessions.per_decision(rho, padded(evidence.reward), gamma),
        "WPDIS": sessions.weighted_per_decision(rho, padded(evidence.reward), gamma),
        "DR": sessions.doubly_robust(rho, r, q, v, gamma),
        "WDR": sessions.weighted_doubly_robust(rho, r, q, v, gamma),
        "DRL": sessions.marginalised(first, correction),
    }  # fmt: skip


def session_weights(evidence: Evidence, rho: FloatArray) -> FloatArray:
    """rho_{0:T} of each session, (n,), of the ratios of requests (N,)."""
    with np.errstate(divide="ignore"):
        logs = np.bincount(evidence.session, weights=np.maximum(np.log(rho), -1e300))
    return np.exp(np.minimum(logs, 700.0))
