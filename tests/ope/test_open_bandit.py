"""Open Bandit: the published figure, where the data are, and the same sums on made data of the same form."""

import gzip
import os
from pathlib import Path

import numpy as np
import pytest

benchmark = pytest.importorskip("benchmarks.ope.open_bandit", reason="needs the checkout")
DATA = os.environ.get("LIVEDQN_OPEN_BANDIT", "")


@pytest.mark.skipif(not DATA, reason="LIVEDQN_OPEN_BANDIT names no folder of the data")
def test_the_published_figure():
    logs = benchmark.logged(Path(DATA), "random", "all")
    found = benchmark.estimators(logs, benchmark.thompson("all"))
    assert found["IPW"].value / logs["click"].mean() == 1.1981263157894735


def test_made_data(tmp_path):
    folder = tmp_path / "random" / "tiny"
    folder.mkdir(parents=True)
    rows = [(0, 1, 1, 0.5), (1, 2, 0, 0.25), (0, 3, 1, 0.5), (1, 1, 1, 0.25)]
    with gzip.open(folder / "tiny.csv.gz", "wt") as file:
        file.write(",timestamp,item_id,position,click,propensity_score\n")
        file.writelines(f"{i},t,{','.join(map(str, row))}\n" for i, row in enumerate(rows))
    logs = benchmark.logged(tmp_path, "random", "tiny")
    policy = np.array([[0.8, 0.6, 0.1], [0.2, 0.4, 0.9]])
    np.testing.assert_allclose(benchmark.ratios(logs, policy), [1.6, 1.6, 0.2, 0.8])
    found = benchmark.estimators(logs, policy)
    assert found["IPW"].value == pytest.approx((1.6 + 0.2 + 0.8) / 4)
    assert found["SNIPW"].value == pytest.approx(2.6 / 4.2)
    assert logs["context"].shape == (4, 0)


def test_a_lent_model():
    logs = {
        "item": np.array([0, 1]), "position": np.array([0, 1]), "click": np.array([1.0, 0.0]),
        "propensity": np.array([0.5, 0.1]),
    }  # fmt: skip
    model = np.array([[0.4, 0.2], [0.6, 0.1]])
    found = benchmark.estimators(logs, np.array([[0.5, 0.0], [0.5, 1.0]]), model)
    # rho is 1 and 10, q 0.4 and 0.1, v (0.4 + 0.2) / 2 and 0.1
    assert found["DM"].value == pytest.approx((0.3 + 0.1) / 2)
    assert found["DR"].value == pytest.approx((0.3 + 0.6 + 0.1 - 1.0) / 2)


def test_a_simulated_policy_has_one_item_at_each_position():
    policy = benchmark.thompson("men", simulated=50)
    assert policy.shape == (34, 3)
    np.testing.assert_allclose(policy.sum(axis=0), 1)
