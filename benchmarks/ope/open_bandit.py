"""Open Bandit's public sample: what Bernoulli Thompson sampling would earn, from logs of a random policy.

python benchmarks/ope/open_bandit.py <folder of the data>                  # prints 1.1981263157894735 for campaign all

The data (Saito et al. 2021, https://arxiv.org/abs/2008.07146) come with the Open Bandit Pipeline, whose documentation
prints 1.198126 for the same. The judged policy is context-free: Beta posteriors whose parameters were published with
that pipeline (``zozotown_prior.csv``), simulated 100,000 times with its seed.
"""

from __future__ import annotations

import argparse
import csv
import gzip
from pathlib import Path

import numpy as np

from livedqn.ope import requests
from livedqn.ope.bootstrap import estimate, replicates
from livedqn.ope.terms import Terms

HERE = Path(__file__).parent
#: Items that are shown together.
POSITIONS = 3
SIMULATED, SEED = 100_000, 12345


def logged(folder: Path, behaviour: str, campaign: str) -> dict[str, np.ndarray]:
    """``item`` (n,), ``position`` (n,) from 0, ``click`` (n,) and ``propensity`` (n,)."""
    with gzip.open(folder / behaviour / campaign / f"{campaign}.csv.gz", "rt", newline="") as file:
        rows = [(r["item_id"], r["position"], r["click"], r["propensity_score"]) for r in csv.DictReader(file)]
    item, position, click, propensity = np.array(rows, np.float64).T
    return {
        "item": item.astype(int), "position": np.unique(position, return_inverse=True)[1], "click": click,
        "propensity": propensity,
    }  # fmt: skip


def thompson(campaign: str, simulated: int = SIMULATED, seed: int = SEED) -> np.ndarray:
    """How often Bernoulli Thompson sampling puts each item at each position, (items, POSITIONS)."""
    with (HERE / "zozotown_prior.csv").open(newline="") as file:
        prior = np.array([(r["alpha"], r["beta"]) for r in csv.DictReader(file) if r["campaign"] == campaign], float)
    rng = np.random.RandomState(seed)  # the generator with which the published figure was made
    counts = np.zeros((len(prior), POSITIONS))
    for _ in range(simulated):
        best = rng.beta(a=prior[:, 0], b=prior[:, 1]).argsort()[::-1][:POSITIONS]
        counts[best, np.arange(POSITIONS)] += 1
    return counts / simulated


def ratios(logs: dict[str, np.ndarray], policy: np.ndarray) -> np.ndarray:
    """rho (n,) of a context-free policy (items, POSITIONS)."""
    return policy[logs["item"], logs["position"]] / logs["propensity"]


def estimators(logs: dict[str, np.ndarray], policy: np.ndarray) -> dict[str, Terms]:
    """Clicks an impression of the policy."""
    rho, r = ratios(logs, policy), logs["click"]
    return {"IPW": requests.ips(rho, r), "SNIPW": requests.snips(rho, r), "clipped": requests.clipped_ips(rho, r, 10.0)}


def main() -> None:
    """Print every estimate, relative to what the logs' own policy earned, with the interval over impressions: the
    sample says nothing of viewers."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--campaign", choices=("all", "men"), default="all")
    arguments = parser.parse_args()
    logs = logged(arguments.folder, "random", arguments.campaign)
    earned = logs["click"].mean()
    for name, terms in estimators(logs, thompson(arguments.campaign)).items():
        drawn = replicates(terms, np.arange(len(logs["click"])), seed=0).sum(axis=1)
        found = estimate(terms.value / earned, drawn / earned)
        print(f"{name} {found.value} [{found.low:.3g}, {found.high:.3g}]")
    print(f"{int(logs['click'].sum())} clicks of {len(logs['click'])}: an interval belongs to every estimate")


if __name__ == "__main__":
    main()
