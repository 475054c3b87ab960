"""Whether logs are kept to, by what they say of a uniform choice."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from livedqn.caution import ALPHA, UniformAdvantage
from livedqn.logs import Impressions
from livedqn.testing import example_impressions


class Watched:
    signals = ("watch_s",)

    def __call__(self, signals):
        return signals["watch_s"]


def logs(lengths, watched, propensity, *, allowed=2, viewer=None) -> Impressions:
    """Sessions of so many requests, each with what it earned and its propensity; all that is cut stands in the way."""
    made = example_impressions(lengths)
    acted = made.acted
    watch_s, p = np.full((2, len(made)), np.nan, np.float32)
    watch_s[acted], p[acted] = watched, propensity
    mask = np.zeros_like(made.observation["mask"])
    mask[:, :allowed] = True
    return replace(
        made, observation=made.observation | {"mask": mask}, propensity=p, signals=made.signals | {"watch_s": watch_s},
        viewer=made.viewer if viewer is None else viewer[made.session],
    )  # fmt: skip


def of(*parts: Impressions) -> UniformAdvantage:
    made = UniformAdvantage(Watched())
    for part in parts:
        made.add(part)
    return made


def test_what_a_uniform_choice_changes_with_its_interval_by_viewers():
    # w = 1 / (2 p) = 2, 1/2 | 1/2 | 1 and G = 2, 1 | 6 | 7 with mean 4:
    # A = ((2 - 1) (2 - 4) + (1/2 - 1) (1 - 4) + (1/2 - 1) (6 - 4) + 0) / 4 = (-1/2 - 1 + 0) / 4
    made = logs([2, 1, 1], [1, 1, 6, 7], [0.25, 1, 1, 0.5])
    found = of(made).estimate()
    assert found.mean == pytest.approx(-0.375)
    # less A a request the viewers' sums are 1/4, -5/8 and 3/8; t is 4.303 with two degrees of freedom
    error = np.sqrt(3 / 2 * (0.25**2 + 0.625**2 + 0.375**2)) / 4
    assert (found.low, found.high) == pytest.approx((-0.375 - 4.3027 * error, -0.375 + 4.3027 * error), rel=1e-4)
    assert found.n == 3
    first = made.session == 0
    assert of(made.take(first), made.take(~first)).estimate() == found


def test_two_sessions_of_a_viewer_are_of_one_kind():
    viewers = np.array([1, 2, 3, 1, 2, 3])
    watched, p = [1, 6, 7], [0.25, 1, 0.5]
    once, twice = of(logs([1] * 3, watched, p)), of(logs([1] * 6, watched * 2, p * 2, viewer=viewers))
    assert twice.estimate() == once.estimate()


def test_a_policy_that_is_better_than_chance_is_kept_to():
    luck = np.tile([0.0, 1.0], 50)  # what is chosen in four of five cases earns more
    good = np.where(np.arange(100) % 5 > 0, 1, 0)
    p = np.where(good, 0.8, 0.2)
    alpha, why = of(logs([1] * 100, 10 * good + luck, p)).verdict()
    # 80 (0.625 - 1) 2 + 20 (2.5 - 1) (-8), and luck, which is the same for both: (-60 - 240) / 100
    assert alpha == ALPHA == 0.03
    assert why.startswith("a uniform choice at one request changes what a session earns from there on, 8.5, by -3 [-")
    assert why.endswith("]: the logs' policy is better than chance, so it is kept to")
    alpha, why = of(logs([1] * 100, 10 * (1 - good) + luck, p)).verdict()
    assert alpha == 0 and ", 2.5, by +3 [" in why
    assert why.endswith("]: the logs' policy is no better than chance")


def test_the_likelier_decides_where_the_interval_is_wide():
    alpha, why = of(logs([2, 1, 1], [1, 1, 6, 7], [0.25, 1, 1, 0.5])).verdict()
    assert alpha == ALPHA and why.endswith(
        "by -0.38 [-1.4, 0.64]: the logs' policy seems better than chance, so it is kept to"
    )


def test_a_uniform_policy_is_as_good_as_itself_however_its_propensities_are_rounded():
    rng = np.random.default_rng(0)
    few, many = logs([3] * 9, rng.random(27), 0.3333, allowed=3), logs([3] * 9, 9 + rng.random(27), 0.25, allowed=4)
    found = of(few, many)
    assert (found.estimate().mean, found.estimate().high, found.verdict()[0]) == (0, 0, 0)


@pytest.mark.parametrize("digits", [2, 3])  # significant ones
@pytest.mark.parametrize("slope", [-0.1, 0.1])
def test_digits_of_propensities_do_not_decide_where_sessions_with_more_rooms_earn_more(digits, slope):
    made = [
        logs([1] * 50, 5 + slope * rooms, float(f"{1 / rooms:.{digits}g}"), allowed=rooms)
        for rooms in range(2, example_impressions([1]).observation["mask"].shape[1] + 1)
    ]
    found = of(*made)
    assert (found.estimate().mean, found.estimate().low, found.verdict()[0]) == (0, 0, 0)


@pytest.mark.parametrize("seed", range(5))
def test_rounding_does_not_decide_where_all_weights_or_all_returns_are_the_same(seed):
    rng = np.random.default_rng(seed)
    for made in (
        logs([3] * 30, rng.random(90), 0.3, allowed=4),  # a fourth action was shown at one request of ten
        logs([1] * 90, 0.1, np.where(rng.random(90) < 0.8, 0.8, 0.2)),
    ):
        found = of(made)
        assert (found.estimate().mean, found.estimate().low, found.verdict()[0]) == (0, 0, 0)


@pytest.mark.parametrize(
    ("made", "why"),
    [
        (logs([2, 1], [1, 2, 3], [0.5, np.nan, 0.5]), "1 of 3 impressions have no propensity: nobody can tell"),
        (logs([2, 1], [1, 2, 3], 1), "of what a uniform choice does, 50% was never logged: nobody can"),
        (
            logs([2, 1], [1, 2, 3], 0.2),
            "propensities are too small: 1 / (allowed propensity) has a mean of 2.5: nobody",
        ),
        (logs([3], [1, 2, 3], [0.5, 0.25, 1]), "the logs are of one viewer: nobody can tell"),
    ],
)
def test_logs_that_cannot_tell_are_kept_to(made, why):
    alpha, said = of(made).verdict()
    assert alpha == ALPHA
    assert said.startswith(why) and said.endswith("most are, so it is kept to")
