"""The command ``check-logs``: what a user runs first on logs of their own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from livedqn import plugins
from livedqn.check_logs.categories import Categories
from livedqn.check_logs.finding import Finding, Look
from livedqn.check_logs.leaks import Leaks
from livedqn.check_logs.overlap import OverlapLook
from livedqn.check_logs.overview import Overview
from livedqn.check_logs.sessions import Copies, Ends, RepeatedRequests, Rules
from livedqn.config import CheckLogsConfig
from livedqn.live import announce
from livedqn.logs import ColumnsError
from livedqn.protocols import Logs

#: The two parts of a report.
PARTS = {True: "WRONG, to be mended before anything is learned:", False: "TO KNOW, though nothing is learned wrongly:"}


def run(config: CheckLogsConfig, folder: Path) -> bool:
    """Print a report; answer whether training would be wrong. Sessions with a fault are set aside in ``folder``.

    Raises:
        LivedqnError: there are no logs, or they cannot be read.
    """
    try:
        logs: Logs = plugins.build("logs", config.logs)
    except ColumnsError as error:
        return report([], [Finding(problem, error.cure, 0) for problem in error.problems])
    from livedqn.logs.aside import SetAside  # needs Arrow, which help pages do without

    tell = announce()
    tell("reading", 0, 1)
    spec = logs.spec
    looks: list[Look] = [
        Overview(spec), Rules(spec), RepeatedRequests(), Copies(), Ends(), Categories(spec), OverlapLook(), Leaks(spec),
    ]  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    with SetAside(folder / "set_aside.parquet", spec) as aside:
        for impressions in logs:
            for look in looks:
                look.add(impressions)
            aside.sound(impressions)
    tell("reading", 1, 1)
    lines = [line for look in looks for line in look.lines()]
    if aside.rows:
        lines.append(f"set aside: {aside.rows:,} rows, {aside.sessions:,} whole sessions, with why, in {aside.path}")
    return report(lines, [finding for look in looks for finding in look.findings()])


def report(lines: Sequence[str], findings: Sequence[Finding]) -> bool:
    """Print it; whether something is wrong."""
    for line in lines:
        print(line)
    for is_wrong, title in PARTS.items():
        chosen = sorted((one for one in findings if one.is_wrong == is_wrong), key=lambda one: -one.rows)
        if chosen:
            print(f"\n{title}")
        for one in chosen:
            print(f"- {one.what}" + (f" ({one.rows:,} {one.unit})" if one.rows else ""))
            if one.example:
                print(f"    for example {one.example}")
            print(f"    {one.cure}")
    wrong = sum(one.is_wrong for one in findings)
    print(f"\n{wrong} wrong" if wrong else "\nnothing keeps anybody from learning from these logs")
    return wrong > 0
