"""What logs say, for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from livedqn.evaluate_logs.result import Result
from livedqn.ope.bootstrap import Estimate


def lines(result: Result) -> Iterator[str]:
    """The whole report, line by line."""
    of_sessions = f"{result.sessions:,} sessions of " if result.unit == "session" else ""
    of = f"{result.requests:,} impressions, {of_sessions}{result.viewers:,} viewers"
    yield of + (f" who were held out ({result.holdout:.0%})" if result.holdout < 1 else "")
    if result.cut:
        yield f"{result.cut:,} sessions were cut; a model stands for the rest of them" + (
            f", but for {result.unknown:,} whose last observation is missing: nothing more counts of these, but in FQE "
            "and DRL"
            if result.unknown
            else ""
        )
    if result.at_fault:
        yield f"set aside: {result.at_fault:,} sessions with a fault; livedqn check-logs says which"
    yield from (f"NOTE: {warning}" for warning in result.warnings)
    yield ""
    yield from aligned(table(result))
    yield ""
    for name in result.policies:
        yield f"{name}: {verdict(result, name)}"
        yield from (f"  try: {what}" for what in result.next[name])
    answered = [name for name, why in result.why_not.items() if not why]
    for (a, b), found in result.pairs().items():
        if a in answered and b in answered:
            yield f"{a} - {b}: {cell(found)}{_star(found)}"


def table(result: Result) -> list[list[str]]:
    """Heading, the logs' own policy, and a row an estimator of each policy."""
    unit = result.unit
    rows = [["policy", "estimator", f"value a {unit}", "95 % interval", f"effective {unit}s", "in the largest 1 %"]]
    logged = result.logged.interval
    rows.append(["(logs)", "mean", number(logged.value), _interval(logged), f"{result.sessions:,}", ""])
    for name, found in result.policies.items():
        overlap = found.overlap
        for key, drawn in found.by_name.items():
            one, is_first = drawn.interval, key == next(iter(found.by_name))
            rows.append([
                name if is_first else "", key + (" <" if key == result.estimator else ""),
                number(one.value), _interval(one),
                f"{overlap.sessions:,.0f} ({overlap.sessions_share:.1%})" if is_first else "",
                f"{overlap.largest:.0%}" if is_first else "",
            ])  # fmt: skip
    return rows


def verdict(result: Result, name: str) -> str:
    """Whether a policy is better than that of the logs, or that nobody can say."""
    if result.why_not[name]:
        return f"these logs cannot answer: {result.why_not[name]}"
    found = result.difference(name)
    overlap = result.policies[name].overlap
    lack = ""
    if overlap.is_partial and result.calibration is None:  # what is guessed gives every action a chance
        lack = (
            f"; ratios have a mean of {overlap.supported:.2g}: {1 - overlap.supported:.0%} of what it does had no "
            "chance in these logs, or propensities are too large"
        )
    what = "better than" if found.low > 0 else "worse than" if found.high < 0 else "not clearly apart from"
    return f"{what} the logs' own policy by {result.estimator}: {cell(found)}{lack}"


def cell(found: Estimate) -> str:
    """``+1.2 [0.8, 1.6]``."""
    return f"{'+' if found.value > 0 else ''}{number(found.value)} {_interval(found)}"


def number(value: float) -> str:
    """Four significant digits."""
    return f"{value:.4g}"


def aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Columns as wide as they need, the first two to the left."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        cells = (text.ljust(w) if i < 2 else text.rjust(w) for i, (text, w) in enumerate(zip(row, widths, strict=True)))
        yield "  ".join(cells).rstrip()


def _interval(found: Estimate) -> str:
    return f"[{number(found.low)}, {number(found.high)}]"


def _star(found: Estimate) -> str:
    return " *" if found.low > 0 or found.high < 0 else ""
