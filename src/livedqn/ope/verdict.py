"""Whether logs can answer what a policy is worth."""

from __future__ import annotations

from livedqn.ope.diagnostics import Overlap

#: Below this share of effective sessions (of requests, where each stands alone) nobody can say.
LEAST_SHARE = 0.01
#: Fewer say too little for a bootstrap.
LEAST_SESSIONS, LEAST_VIEWERS = 200, 100
#: Below this part of what the policy does, the logs could not show it: mean ratios are 1 where they could.
LEAST_SUPPORT = 0.5


def why_not(overlap: Overlap, sessions: int, viewers: int) -> str:
    """Why these logs cannot answer, in words; "" where they can."""
    if sessions < LEAST_SESSIONS or viewers < LEAST_VIEWERS:
        return (
            f"{sessions:,} sessions of {viewers:,} viewers are too few ({LEAST_SESSIONS} and {LEAST_VIEWERS} at least)"
        )
    if overlap.supported < LEAST_SUPPORT:
        return (
            f"what the policy does was hardly ever shown: ratios have a mean of {overlap.supported:.2g}, which is 1 "
            "where logs overlap"
        )
    if overlap.sessions_share < LEAST_SHARE:
        return (
            f"the policy differs too much from the logs: {overlap.sessions:,.0f} of {sessions:,} sessions count "
            f"({overlap.sessions_share:.2%}, {LEAST_SHARE:.0%} at least)"
        )
    return ""
