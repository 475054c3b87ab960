import json
import math

import numpy as np
import pytest

from livedqn.evaluate.intervals import Interval, interval, paired, ratio, t_quantile

NAN = float("nan")


@pytest.mark.parametrize(
    ("df", "expected"),
    [(1, 12.706), (2, 4.303), (3, 3.182), (4, 2.776), (5, 2.571), (9, 2.262), (19, 2.093), (30, 2.042), (120, 1.980)],
)
def test_quantiles_of_student_as_tables_have_them(df, expected):
    assert t_quantile(df) == pytest.approx(expected, rel=2e-3)


def test_interval_by_hand():
    # mean 2, s = 1, n = 3: 2 +- 4.3027 / sqrt(3)
    found = interval(np.array([1.0, 2.0, 3.0]))
    assert (found.mean, found.n) == (2, 3)
    assert found.half == pytest.approx(4.3027 / math.sqrt(3), rel=1e-4)


def test_pairing_cancels_what_worlds_have_in_common():
    worlds = np.array([0.0, 100.0, 50.0])
    assert paired(worlds + 1, worlds) == Interval(1, 1, 1, 3)


def test_a_world_without_a_value_does_not_count():
    assert interval(np.array([1.0, NAN, 1.0])) == Interval(1, 1, 1, 2)
    assert paired(np.array([1.0, NAN]), np.array([NAN, 2.0])).n == 0


def test_one_world_has_a_mean_and_no_interval():
    found = interval(np.array([5.0])).to_dict()
    assert found == {"mean": 5, "low": None, "high": None, "n": 1}
    json.dumps(found, allow_nan=False)


def test_coverage_is_what_it_says():
    rng = np.random.default_rng(0)
    hits = [found.low <= 0 <= found.high for found in (interval(rng.normal(size=5)) for _ in range(4_000))]
    assert np.mean(hits) == pytest.approx(0.95, abs=0.012)


def test_ratio_of_means_by_hand():
    found = ratio(np.array([1.0, 3.0]), np.array([2.0, 6.0]))
    assert (found.mean, found.half) == (0.5, 0)  # the same in both worlds, whatever their size
    # 5 / 8, and around it (2 - 5/4) / 4 = 3/16 and (3 - 15/4) / 4 = -3/16; t = 12.706, s = 3/16 sqrt 2
    found = ratio(np.array([2.0, 3.0]), np.array([2.0, 6.0]))
    assert found.mean == 0.625 and found.half == pytest.approx(12.706 * 3 / 16, rel=1e-3)


def test_a_share_of_nothing_is_unknown():
    assert np.isnan(ratio(np.array([1.0, 3.0]), np.zeros(2)).mean)
    assert np.isnan(ratio(np.array([1.0, 3.0]), np.array([1.0, -4.0])).mean)
