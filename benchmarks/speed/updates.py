"""Updates timed in turn against the bare loop's: the table and the rows of ``update`` and of ``sim_update``."""

from __future__ import annotations

import argparse

import numpy as np
import torch

from benchmarks import machine
from benchmarks.rows import write_csv
from benchmarks.speed.interleave import Work, interleaved
from benchmarks.speed.tables import LIMIT, spread


def compare(works: dict[str, Work], told: argparse.Namespace, part: str, seconds: float) -> None:
    """Measure, print, write ``<part>.csv``; a turn lasts about ``seconds``."""
    torch.set_num_threads(1)
    spent = interleaved(works, told.rounds, seconds)
    rows = []
    print(f"\n| {part} | ms | updates/s | x {LIMIT} |\n|---|---|---|---|")
    for name, own in sorted(spent.items(), key=lambda item: np.median(item[1])):
        ratios = [limit / one for limit, one in zip(spent[LIMIT], own, strict=True)]
        columns = (spread([1e3 * one for one in own], 3), spread([1 / one for one in own], 0), spread(ratios))
        print(f"| {name} | {' | '.join(columns)} |")
        for round_, (one, ratio) in enumerate(zip(own, ratios, strict=True)):
            rows.append({"update": name, "round": round_, "cpu_us": round(one * 1e6, 1), "ratio": round(ratio, 4)})
    write_csv(told.results / f"{part}.csv", rows)
    machine.record(told.results, part)
