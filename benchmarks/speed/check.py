"""Has something become slower? Before a release: exits with 1 and one line for each regression.

python -m benchmarks.speed.check
python -m benchmarks.speed.check --update     # what is measured now becomes the reference; say why in the commit

Compares ratios and counts (:mod:`checks`) with ``reference.json``. What looks slower is measured once more and the
better of the two counts, so that only what is slower twice is a regression.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

from benchmarks.processes import ONE_THREAD

os.environ.update(ONE_THREAD)  # before NumPy and torch are imported

from benchmarks import machine
from benchmarks.speed.checks import CHECKS

REFERENCE = Path(__file__).with_name("reference.json")


def regression(name: str, value: float, reference: float) -> str | None:
    """What there is to say about a value, if it is too large."""
    allowed = reference * CHECKS[name][1]
    if value <= allowed:
        return None
    return f"regression: {name} is {value:.4g}; the reference is {reference:.4g}, at most {allowed:.4g} is allowed"


def main() -> None:
    """Measure, compare, and exit with 1 where something is slower."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=CHECKS, default=list(CHECKS), metavar="CHECK")
    parser.add_argument("--update", action="store_true", help="rewrite reference.json")
    told = parser.parse_args()
    known = json.loads(REFERENCE.read_text()) if REFERENCE.exists() else {"values": {}}
    values, regressions = dict(known["values"]), []
    for name in told.only:
        value, reference = CHECKS[name][0](), known["values"].get(name)
        if told.update:
            values[name] = round(value, 4)
        elif reference is None:
            regressions.append(f"regression: {name} has no reference; make one with --update")
        elif regression(name, value, reference):
            value = min(value, CHECKS[name][0]())
            regressions += filter(None, [regression(name, value, reference)])
        print(f"{name:20} {value:9.4g}" + (f"  reference {reference:.4g}" if reference else ""), flush=True)
    if told.update:
        REFERENCE.write_text(json.dumps({"machine": machine.describe(), "values": values}, indent=2) + "\n")
    for line in regressions:
        print(line, file=sys.stderr)
    sys.exit(1 if regressions else 0)


if __name__ == "__main__":
    main()
