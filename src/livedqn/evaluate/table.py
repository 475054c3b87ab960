"""The table that ends a run: policies against each other, for people."""

from __future__ import annotations

import math
from typing import TextIO

from rich import box
from rich.console import Console
from rich.table import Table

from livedqn.evaluate.evaluation import Evaluation
from livedqn.evaluate.intervals import Interval
from livedqn.evaluate.policies import ALWAYS, Rule

#: Metric -> heading; shares are printed as percentages.
HEADINGS = {
    "return": "return",
    "length": "length",
    "click_through": "click-through",
    "watch_minutes": "watch min",
    "session_length": "requests",
    "share_nothing": "nothing",
    "next_day_return": "next day",
}
#: Columns of a file, which no window cuts off.
WIDE = 1_000
SLICE_HEADINGS = {
    "return_new_viewers": "return, new viewers",
    "return_heavy_viewers": "return, heavy viewers",
    "click_through_new_streamers": "click-through, new streamers",
    "click_through_known_streamers": "click-through, known streamers",
    "share_new_streamers": "share shown, new streamers",
    "exposure_gini": "exposure Gini, streamers",
    "return_00_06_h": "return, 0-6 h",
    "return_06_12_h": "return, 6-12 h",
    "return_12_18_h": "return, 12-18 h",
    "return_18_24_h": "return, 18-24 h",
}


def rows(evaluation: Evaluation) -> list[list[str]]:
    """The main table: heading row, then a row a policy."""
    shown = evaluation.distinct(HEADINGS)
    heading = ["", *(HEADINGS[m] for m in shown)]
    if len(evaluation.played) > 1:
        heading.append(f"{evaluation.reference} ahead by")
    if evaluation.ceiling:
        heading.append(f"of the way to {evaluation.ceiling}")
    table = [heading]
    for name, found in evaluation.intervals.items():
        row = [name, *(cell(metric, found[metric]) for metric in shown)]
        if len(evaluation.played) > 1:
            row.append("" if name == evaluation.reference else verdict(evaluation.advantage(name)))
        if evaluation.ceiling:
            row.append(cell("share", evaluation.share_of_way(name)))
        table.append(row)
    return table


def slice_rows(evaluation: Evaluation) -> list[list[str]]:
    """The parts: a column a policy, since there are more parts than policies; empty where there are none."""
    shown = [m for m in SLICE_HEADINGS if m in evaluation.measured[evaluation.reference]]
    if not shown:
        return []
    body = [[SLICE_HEADINGS[m], *(cell(m, found[m]) for found in evaluation.intervals.values())] for m in shown]
    return [["", *evaluation.played], *body]


def notes(evaluation: Evaluation) -> list[str]:
    """What one must know to read the numbers."""
    episodes = evaluation.played[evaluation.reference][0].count
    lines = [f"{evaluation.worlds} worlds that training never saw, {episodes} episodes each; ± is half a 95 % interval"]
    lines += [
        f"{name} expects {abs(found.bias):.2g} {'less' if found.bias < 0 else 'more'} than follows (discounted return)"
        for name, found in evaluation.calibrations.items()
    ]
    if len(evaluation.played) > 1:
        lines[0] += ", differences are paired by world (* = clear of 0)"
    if evaluation.ceiling:
        lines.append(f"of the way: (return - random's) / ({evaluation.ceiling}'s - random's)")
    if evaluation.rules:
        told = "; ".join(f"{name} {describe(rule)}" for name, rule in evaluation.rules.items())
        lines.append(f"tuned on validation worlds: {told}")
    if evaluation.is_short:
        lines.append(f"short run: {evaluation.steps:,} steps of training, so expect little")
    return lines


def conclusion(evaluation: Evaluation) -> str:
    """Whether the reference beats them all, in one sentence."""
    ahead: list[str] = []
    level: list[str] = []
    behind: list[str] = []
    for name in evaluation.played:
        if name != evaluation.reference:
            difference = evaluation.advantage(name)
            (ahead if difference.low > 0 else behind if difference.high < 0 else level).append(name)
    parts = [
        f"{what} {', '.join(names)}"
        for what, names in (("ahead of", ahead), ("not clearly apart from", level), ("behind", behind))
        if names
    ]
    return f"{evaluation.reference}: {'; '.join(parts)}" if parts else ""


def describe(rule: Rule) -> str:
    """A tuned rule in words."""
    when = "always" if rule.threshold == ALWAYS else f"from a score of {rule.threshold:.4g}"
    cap = rule.max_shown_per_session
    return when if cap is None else f"{when}, up to {cap} a session"


def cell(metric: str, found: Interval) -> str:
    """``12.3 ± 0.4``; shares in per cent."""
    if math.isnan(found.mean):
        return "-"
    scale, unit = (100, " %") if metric.startswith(("click_through", "share", "next_day")) else (1, "")
    if math.isnan(found.half):
        return f"{found.mean * scale:.{_digits(found.mean * scale)}f}{unit}"
    mean, half = found.mean * scale, found.half * scale
    # what rounding leaves of a difference of equals is no width
    digits = _digits(half if half > 1e-9 * abs(mean) else mean)
    return f"{mean:.{digits}f} ± {half:.{digits}f}{unit}"


def verdict(difference: Interval) -> str:
    """A paired difference, starred where its interval is clear of 0."""
    if math.isnan(difference.half):
        return cell("", difference)
    star = " *" if difference.low > 0 or difference.high < 0 else ""
    return ("+" if difference.mean > 0 else "") + cell("", difference) + star


def show(evaluation: Evaluation, file: TextIO) -> None:
    """Print tables and notes; in colour on a terminal, else as plain text that nothing wraps."""
    console = Console(file=file, highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console.width = WIDE
    for lines in (rows(evaluation), slice_rows(evaluation)):
        for part in _fitting(lines, console.width):
            table = Table(*part[0], box=box.SIMPLE_HEAD if console.is_terminal else box.ASCII2)
            for column in table.columns:
                column.no_wrap = True
                column.justify = "left" if column is table.columns[0] else "right"
            for line in part[1:]:
                table.add_row(*line, style="bold" if line[0] == evaluation.reference else None)
            console.print(table)
    for sentence in filter(None, [*notes(evaluation), conclusion(evaluation)]):
        console.print(sentence, soft_wrap=True)


def _fitting(lines: list[list[str]], width: int) -> list[list[list[str]]]:
    """The table in parts of so many characters, each with the first column; all of it where it fits."""
    if not lines:
        return []
    widths = [max(len(line[i]) for line in lines) + 3 for i in range(len(lines[0]))]  # three: its border and padding
    parts: list[list[int]] = [[]]
    for i in range(1, len(widths)):
        if parts[-1] and sum(widths[j] for j in (0, *parts[-1], i)) + 1 > width:
            parts.append([])
        parts[-1].append(i)
    return [[[line[0], *(line[i] for i in part)] for line in lines] for part in parts]


def _digits(size: float) -> int:
    """Decimals that leave two significant digits of ``size``, three at most."""
    return 0 if size == 0 else min(max(1 - math.floor(math.log10(abs(size))), 0), 3)
