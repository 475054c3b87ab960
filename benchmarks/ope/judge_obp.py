"""The Open Bandit Pipeline's estimates of arrays. Run by ``open_bandit.py`` in an environment of its own.

python benchmarks/ope/judge_obp.py arrays.npz    # adds ``q``, its reward model's word, and prints its estimates

The reward model is its own: logistic regression on user features and item, one a position, cross-fitted in three folds.
"""

from __future__ import annotations

import json
import sys

import numpy as np
from obp import ope
from sklearn.linear_model import LogisticRegression

FOLDS, SEED, REPLICATES = 3, 12345, 1_000


def main() -> None:
    """Fit, judge, print: name -> value, low, high."""
    told = dict(np.load(sys.argv[1]))
    policy, most = told.pop("policy"), float(told.pop("most"))
    n, (actions, positions) = len(told["reward"]), policy.shape
    logs = {key: told[key] for key in ("action", "position", "reward", "pscore")}
    dist = np.tile(policy, (n, 1, 1))
    model = ope.RegressionModel(
        LogisticRegression(max_iter=1_000, random_state=SEED), n_actions=actions, len_list=positions
    )  # fmt: skip
    q = model.fit_predict(
        told["context"], logs["action"], logs["reward"], logs["pscore"], logs["position"],
        n_folds=FOLDS, random_state=SEED,
    )  # fmt: skip
    judges = {
        "IPW": ope.InverseProbabilityWeighting(),
        "SNIPW": ope.SelfNormalizedInverseProbabilityWeighting(),
        "clipped": ope.InverseProbabilityWeighting(lambda_=most),
        "DM": ope.DirectMethod(),
        "DR": ope.DoublyRobust(),
        "Switch-DR": ope.SwitchDoublyRobust(lambda_=most),
    }
    found = {}
    for name, judge in judges.items():
        told = {**logs, "action_dist": dist, "estimated_rewards_by_reg_model": q}
        interval = judge.estimate_interval(**told, n_bootstrap_samples=REPLICATES, random_state=SEED)
        low, high = (interval[f"95.0% CI ({end})"] for end in ("lower", "upper"))
        found[name] = [float(judge.estimate_policy_value(**told)), float(low), float(high)]
    # of each impression, every item at the position at which one was shown
    np.savez(sys.argv[1], q=q[np.arange(n), :, logs["position"]])
    print(json.dumps(found))


if __name__ == "__main__":
    main()
