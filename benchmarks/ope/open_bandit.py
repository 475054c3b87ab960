"""Open Bandit's public sample: what each of its two policies would earn, from logs of the other.

python -m benchmarks.ope.open_bandit <folder of the data>                  # the first estimate is 1.1981263157894735
python -m benchmarks.ope.open_bandit <folder of the data> --peer <python>  # beside the Open Bandit Pipeline

The data (Saito et al. 2021, https://arxiv.org/abs/2008.07146) come with the Open Bandit Pipeline, whose documentation
prints 1.198126 for IPW of Bernoulli Thompson sampling, campaign all. That policy is context-free: Beta posteriors whose
parameters were published with that pipeline (``zozotown_prior.csv``), simulated 100,000 times with its seed; the other
shows every item alike. ``--peer`` is a Python that has obp (README): it judges the same arrays, and its reward model is
lent to our estimators, so that these are compared to the digit. Ours beside it is what ``livedqn evaluate`` fits.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from livedqn.ope import requests
from livedqn.ope.bootstrap import Estimate, replicates
from livedqn.ope.estimators import MOST, of_requests
from livedqn.ope.evidence import gather
from livedqn.ope.features import RequestFeatures
from livedqn.ope.terms import Terms
from livedqn.rewards import Native
from livedqn.types import Observation

HERE = Path(__file__).parent
#: Items that are shown together.
POSITIONS = 3
SIMULATED, SEED = 100_000, 12345
CASES = [(logs, campaign) for campaign in ("all", "men") for logs in ("random", "bts")]
#: Theirs and ours are sums of 10,000 numbers in another order.
ROUNDING = 1e-12


def logged(folder: Path, behaviour: str, campaign: str) -> dict[str, np.ndarray]:
    """``item`` (n,), ``position`` (n,) from 0, ``click`` (n,), ``propensity`` (n,), and ``context`` (n, F): what is
    known of the user, a one for each value of a column but its first."""
    with gzip.open(folder / behaviour / campaign / f"{campaign}.csv.gz", "rt", newline="") as file:
        rows = list(csv.DictReader(file))
    item, position, click, propensity = (
        np.array([row[name] for row in rows], np.float64)
        for name in ("item_id", "position", "click", "propensity_score")
    )
    users = [np.array([row[name] for row in rows]) for name in rows[0] if name.startswith("user_feature_")]
    hot = [np.zeros((len(rows), 0)), *(column[:, None] == np.unique(column)[1:] for column in users)]
    return {
        "item": item.astype(int), "position": np.unique(position, return_inverse=True)[1], "click": click,
        "propensity": propensity, "context": np.concatenate(hot, axis=1),
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


def ratios(logs: Mapping[str, np.ndarray], policy: np.ndarray) -> np.ndarray:
    """rho (n,) of a context-free policy (items, POSITIONS)."""
    return np.asarray(policy[logs["item"], logs["position"]] / logs["propensity"])


def estimators(logs: Mapping[str, np.ndarray], policy: np.ndarray, model: np.ndarray | None = None) -> dict[str, Terms]:
    """Clicks an impression of the policy; ``model`` (n, items) is what is expected of each item."""
    rho, r = ratios(logs, policy), logs["click"]
    found = {
        "IPW": requests.ips(rho, r), "SNIPW": requests.snips(rho, r), "clipped": requests.clipped_ips(rho, r, MOST)
    }  # fmt: skip
    if model is not None:
        q = model[np.arange(len(r)), logs["item"]]
        v = (policy.T[logs["position"]] * model).sum(axis=1)
        found |= {
            "DM": requests.direct_method(v), "DR": requests.doubly_robust(rho, r, q, v),
            "Switch-DR": requests.switch_dr(rho, r, q, v, MOST),
        }  # fmt: skip
    return found


def by_our_model(folder: Path, logs: Mapping[str, np.ndarray], policy: np.ndarray) -> dict[str, Terms]:
    """The same estimators as ``livedqn evaluate`` makes them, with the model that it fits by itself."""
    from livedqn_openbandit import OpenBandit  # a package of its own, which only this needs

    read = OpenBandit(path=str(folder))
    first = min(part.observation["context"][:, 0].min() for part in read)

    def target(observation: Observation) -> np.ndarray:
        p = policy.T[(observation["context"][:, 0] - first).astype(int)]
        return np.concatenate([np.zeros((len(p), 1)), p], axis=1)  # *nothing* is never shown

    def noted(part: Any) -> np.ndarray:
        return np.asarray(part.propensity, np.float64)

    evidence = gather(read, RequestFeatures(read.spec, read), Native(), {"it": target}, noted)
    judged = evidence.policies["it"]
    np.testing.assert_allclose(judged.rho, ratios(logs, policy), rtol=1e-5)  # propensities are float32 there
    found = of_requests(judged)
    return {name: found[name] for name in ("DM", "DR", "Switch-DR")}


def peer(python: str, logs: Mapping[str, np.ndarray], policy: np.ndarray) -> tuple[dict[str, Estimate], np.ndarray]:
    """What the Open Bandit Pipeline says, and its reward model (n, items)."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "arrays.npz"
        np.savez(
            path, context=logs["context"], action=logs["item"], position=logs["position"], reward=logs["click"],
            pscore=logs["propensity"], policy=policy, most=MOST,
        )  # fmt: skip
        command = [python, str(HERE / "judge_obp.py"), str(path)]
        done = subprocess.run(command, text=True, capture_output=True)
        if done.returncode:
            raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr}")
        found = json.loads(done.stdout.splitlines()[-1])
        return {name: Estimate(*three) for name, three in found.items()}, np.load(path)["q"]


def interval(terms: Terms) -> Estimate:
    """Over impressions, since the sample says nothing of users, and of plain quantiles, as theirs is."""
    low, high = np.quantile(replicates(terms, seed=0).sum(axis=1), [0.025, 0.975])
    return Estimate(terms.value, float(low), float(high))


def rows(folder: Path, behaviour: str, campaign: str, python: str) -> Iterator[dict[str, Any]]:
    """A row an estimator: ours and theirs, in clicks an impression, beside what the judged policy's own logs earned.

    Raises:
        AssertionError: with the same model, ours is not theirs.
    """
    logs, thompsons = logged(folder, behaviour, campaign), thompson(campaign)
    policy = thompsons if behaviour == "random" else np.full_like(thompsons, 1 / len(thompsons))
    said, model = peer(python, logs, policy) if python else ({}, None)
    played = logged(folder, "bts" if behaviour == "random" else "random", campaign)["click"].mean()
    ours = {(name, "" if i < 3 else "theirs"): t for i, (name, t) in enumerate(estimators(logs, policy, model).items())}
    if python:
        ours |= {(name, "ours"): t for name, t in by_our_model(folder / behaviour / campaign, logs, policy).items()}
    for (name, lent), terms in ours.items():
        found, theirs = interval(terms), said.get(name) if lent != "ours" else None
        if theirs is not None:
            np.testing.assert_allclose(found.value, theirs.value, rtol=ROUNDING)
        yield {
            "campaign": campaign, "logs": behaviour, "estimator": name, "model": lent, "of_logs": logs["click"].mean(),
            "played": played, **{f"livedqn_{key}": value for key, value in found._asdict().items()},
            **{f"obp_{key}": value for key, value in (theirs._asdict() if theirs else {}).items()},
        }  # fmt: skip


def main() -> None:
    """Print every estimate, relative to what the logs' own policy earned; with a peer, write ``results``."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--peer", default="", help="a Python that has obp 0.5.5")
    told = parser.parse_args()
    table: list[dict[str, Any]] = []
    for behaviour, campaign in CASES:
        print(f"campaign {campaign}, from logs of {behaviour}, relative to what these earned:")
        for row in rows(told.folder, behaviour, campaign, told.peer):
            table.append(row)
            ours, low, high = (row[f"livedqn_{key}"] / row["of_logs"] for key in Estimate._fields)
            theirs = f"  obp {row['obp_value'] / row['of_logs']}" if "obp_value" in row else ""
            print(f"  {row['estimator']} {row['model']} {ours} [{low:.3g}, {high:.3g}]{theirs}", flush=True)
        clicks = f"{row['of_logs']:.2%} of impressions were clicked"
        print(f"  {clicks}; the judged policy's own logs: {row['played'] / row['of_logs']:.3g}")
    if told.peer:
        apart = [abs(row["livedqn_value"] / row["obp_value"] - 1) for row in table if "obp_value" in row]
        print(f"with the same model ours and obp's differ by {max(apart):.1g} at most, in {len(apart)} estimates")
        path = HERE / "results" / "open_bandit.csv"
        with path.open("w", newline="") as file:
            written = csv.DictWriter(file, max(map(list, table), key=len))
            written.writeheader()
            written.writerows(table)


if __name__ == "__main__":
    main()
