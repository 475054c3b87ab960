"""The check lets good rewards pass and names what a bad one breaks."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livedqn.rewards import Engagement, Native, WatchTime, Weighted
from livedqn.testing import ContractError, check_reward


@pytest.mark.parametrize("reward", [Native(), Engagement(), WatchTime(), Weighted({"shown": -0.1, "gift_value": 2})])
def test_built_in_rewards_pass(reward):
    check_reward(reward)


@settings(max_examples=30, deadline=None)
@given(st.dictionaries(st.sampled_from(["clicked", "watch_s", "native", "donated"]), st.floats(-10, 10), min_size=1))
def test_any_weights_pass(weights):
    check_reward(Weighted(weights))


class Good:
    signals = ("clicked", "liked")

    def __call__(self, signals):
        return signals["clicked"] + signals["liked"]


class NamesAList(Good):
    signals = ["clicked", "liked"]  # noqa: RUF012 - the mistake under test


class ReadsMore(Good):
    def __call__(self, signals):
        return signals["clicked"] + signals["shown"]


class AnswersDoubles(Good):
    def __call__(self, signals):
        return signals["clicked"].astype(np.float64)


class AnswersAList(Good):
    def __call__(self, signals):
        return list(signals["clicked"])


class AnswersOneNumber(Good):
    def __call__(self, signals):
        return signals["clicked"].sum()


class DividesByZero(Good):
    def __call__(self, signals):
        with np.errstate(all="ignore"):
            return 1 / signals["clicked"]


class WritesSignals(Good):
    def __call__(self, signals):
        signals["clicked"] *= 2
        return signals["clicked"]


class Remembers(Good):
    calls = 0

    def __call__(self, signals):
        self.calls += 1
        return signals["clicked"] + np.float32(self.calls)


class MixesRows(Good):
    def __call__(self, signals):
        return signals["clicked"].cumsum(dtype=np.float32)


class CentresOnTheMean(Good):
    def __call__(self, signals):
        return signals["clicked"] - signals["clicked"].mean()


class AddsASignal(Good):
    def __call__(self, signals):
        signals["sum"] = super().__call__(signals)
        return signals["sum"]


class PopsASignal(Good):
    def __call__(self, signals):
        return signals.pop("clicked")


class Fails(Good):
    def __call__(self, signals):
        raise OverflowError("too much")


class WatchedShare:
    signals = ("watch_s", "elapsed_s")

    def __call__(self, signals):
        return signals["watch_s"] / signals["elapsed_s"]


def test_a_reward_may_divide_by_the_time_that_passed():
    check_reward(WatchedShare())


@pytest.mark.parametrize(
    ("reward", "promise"),
    [
        (NamesAList(), r"signals is \['clicked', 'liked'\]; it owes a tuple"),
        (ReadsMore(), "reads signal 'shown', which ReadsMore.signals does not name"),
        (AnswersDoubles(), "answered float64"),
        (AnswersAList(), "answered a list"),
        (AnswersOneNumber(), "it owes float32 of the same shape"),
        (DividesByZero(), "not finite"),
        (WritesSignals(), "changed signal 'clicked'"),
        (Remembers(), "a reward is pure"),
        (MixesRows(), "rows are different viewers"),
        (CentresOnTheMean(), "rows are different viewers"),
        (AddsASignal(), r"AddsASignal added or removed signals \(sum\)"),
        (PopsASignal(), r"PopsASignal added or removed signals \(clicked\)"),
        (Fails(), "Fails raised OverflowError: too much when"),
        (Good, r"was given the class Good; it takes an instance: check_reward\(Good"),
    ],
)
def test_the_broken_promise_is_named(reward, promise):
    with pytest.raises(ContractError, match=promise):
        check_reward(reward)
