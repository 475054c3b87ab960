"""Whether logs can answer what a policy is worth."""

from __future__ import annotations

from livedqn.ope.bootstrap import Estimate
from livedqn.ope.diagnostics import Overlap
from livedqn.types import FloatArray

#: Below this share of effective sessions (of requests, where each stands alone), or this number, nobody can say.
LEAST_SHARE, LEAST_EFFECTIVE = 0.01, 30
#: Fewer say too little for a bootstrap.
LEAST_SESSIONS, LEAST_VIEWERS = 200, 100
#: The mean of ratios is 1 where logs overlap: below this much of what the policy does could not be shown, above that
#: propensities are not those with which actions were chosen. This far away nobody asks whether it may be luck.
LEAST_SUPPORT, MOST_SUPPORT = 0.5, 1.5
#: The least mean where luck does not explain it. A lack of 40 % has turned a verdict round; of less the report tells.
LEAST_PARTIAL = 0.8
#: Where a greater share of sessions was cut, what a model says of the rest weighs too much, and no interval knows it.
MOST_CUT = 0.2


def lacks(overlap: Overlap) -> bool:
    """Whether the policy does too much of what the logs hardly ever did."""
    is_enough = overlap.sessions_share >= LEAST_SHARE and overlap.sessions >= LEAST_EFFECTIVE
    return _is_unshown(overlap) or not (is_enough or _is_impossible(overlap))


def why_not(overlap: Overlap, sessions: int, viewers: int, cut: int, unit: str = "session") -> str:
    """Why these logs cannot answer, in words; "" where they can. ``cut`` of the ``sessions`` have no end; where
    requests stand alone each is one, and ``unit`` is what they are called."""
    return too_little(sessions, viewers, cut, unit) or _why_not_of(overlap, sessions, unit)


def impossible(estimate: Estimate, rewards: FloatArray) -> str:
    """Why an estimate cannot be, in words; "" where it can: rewards (N,) of one sign add up to nothing of the other."""
    is_below = estimate.high < 0 <= rewards.min(initial=0)
    is_above = estimate.low > 0 >= rewards.max(initial=0)
    if not (is_below or is_above):
        return ""
    return (
        f"the estimate is {estimate.value:.3g} [{estimate.low:.3g}, {estimate.high:.3g}], though no reward in the logs "
        f"is {'below' if is_below else 'above'} 0: what a model says of what they hardly show outweighs what was "
        "earned; log more sessions, or with more exploration"
    )


def too_little(sessions: int, viewers: int, cut: int, unit: str = "session") -> str:
    """Why these logs cannot answer for any policy, in words; "" where they may."""
    if sessions < LEAST_SESSIONS or viewers < LEAST_VIEWERS:
        return (
            f"{sessions:,} {unit}s of {viewers:,} viewers are too few ({LEAST_SESSIONS} and {LEAST_VIEWERS} at least)"
        )
    if cut > MOST_CUT * sessions:
        return (
            f"{cut:,} of {sessions:,} sessions were cut ({MOST_CUT:.0%} at most), and what would have followed is a "
            "model's guess; log how sessions end, or judge single requests (ope.unit=request)"
        )
    return ""


def _why_not_of(overlap: Overlap, sessions: int, unit: str) -> str:
    if _is_unshown(overlap):
        return (
            "too much of what the policy does had no chance in these logs: ratios have a mean of "
            f"{overlap.supported:.2g}, which is 1 where they overlap"
        )
    if _is_impossible(overlap):
        return (
            f"propensities are too small: ratios have a mean of {overlap.supported:.2g}, which cannot be above 1; "
            "look: livedqn check-logs"
        )
    if lacks(overlap):
        return (
            f"the policy differs too much from the logs: {overlap.sessions:,.0f} of {sessions:,} {unit}s count "
            f"({overlap.sessions_share:.2%}; {LEAST_EFFECTIVE} and {LEAST_SHARE:.0%} at least)"
        )
    return ""


def _is_unshown(overlap: Overlap) -> bool:
    """Whether the logs could not show too much of what the policy does."""
    is_least = overlap.supported >= LEAST_SUPPORT  # which NaN is not
    return not is_least or (overlap.is_partial and overlap.supported < LEAST_PARTIAL)


def _is_impossible(overlap: Overlap) -> bool:
    """Whether propensities cannot be those with which actions were chosen."""
    return overlap.supported > MOST_SUPPORT or overlap.is_impossible
