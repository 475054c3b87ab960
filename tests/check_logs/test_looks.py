import math
from dataclasses import replace

import numpy as np
import pytest

from livedqn.check_logs.categories import Categories
from livedqn.check_logs.leaks import Leaks, areas, mean_ranks, spearman
from livedqn.check_logs.overlap import OverlapLook, WeightSums
from livedqn.check_logs.overview import Overview
from livedqn.check_logs.sessions import Copies, Ends, RepeatedRequests, Rules
from livedqn.testing import LOGS_SPEC, example_impressions


def found(look, *parts):
    for part in parts:
        look.add(part)
    return {finding.what: finding for finding in look.findings()}


def shown(count, **changes):
    """Impressions of one session, all of which show the room of row 1, with other arrays where they are given."""
    made = example_impressions([count], terminated=True)
    mask = np.zeros_like(made.observation["mask"])
    mask[:, :2] = True
    seen = made.observation | {"mask": mask}
    made = replace(made, action=np.ones(count, np.int64), propensity=np.full(count, 0.5, np.float32), observation=seen)
    return replace(made, **changes)


def test_rules_count_over_parts_and_keep_the_first_example():
    part = example_impressions([3])
    bad = replace(part, propensity=np.where(part.acted, 2, np.nan).astype(np.float32), row=part.row + 40)
    (finding,) = [f for what, f in found(Rules(LOGS_SPEC), part, bad, bad).items() if "or above 1" in what]
    assert finding.rows == 6
    assert finding.example == "request 0, row 40"
    assert finding.is_wrong


def test_logs_that_do_not_say_whose_visits_they_are():
    whole, what = example_impressions([2, 3]), "all sessions are of one viewer"
    assert what not in found(Overview(LOGS_SPEC), whole)
    one = replace(whole, viewer=np.zeros_like(whole.viewer))
    finding = found(Overview(LOGS_SPEC), one, one)[what]
    assert (finding.rows, finding.unit, finding.example, finding.is_wrong) == (4, "sessions", "viewer 0", False)
    assert what not in found(Overview(LOGS_SPEC), example_impressions([2]))


def test_requests_that_come_twice():
    one, other = example_impressions([2, 2]), example_impressions([1], first=7)
    assert found(RepeatedRequests(), one, other) == {}
    (finding,) = found(RepeatedRequests(), one, other, one).values()
    assert (finding.what, finding.rows) == ("a request comes twice or more often", 6)
    assert finding.example == "request 0, 2 times"


def test_a_session_that_goes_on_in_another_part_is_one_finding():
    one, other = example_impressions([2, 2]), example_impressions([1], first=7)
    (finding,) = found(Rules(LOGS_SPEC), one, other, one).values()
    assert (finding.what, finding.rows) == ("the rows of a session do not stand together", 6)


def test_rows_that_are_copies_of_the_one_before():
    whole = example_impressions([2, 3], terminated=True)
    unknown = replace(whole, propensity=np.full(len(whole), np.nan, np.float32))
    assert found(Copies(), whole, whole.take(slice(0, 0))) == {}
    for one in (whole, unknown):
        twice = one.take(np.repeat(np.arange(5), 2))
        (finding,) = found(Copies(), twice, twice).values()
        assert (finding.rows, finding.is_wrong, finding.example) == (10, False, "request 0, row 0")
    clicked = twice.signals["clicked"].copy()
    clicked[::2] = 1 - clicked[1::2]
    assert found(Copies(), replace(twice, signals=twice.signals | {"clicked": clicked})) == {}


def test_ends_that_are_missing_are_counted_and_no_error():
    whole = example_impressions([2, 3])
    look = Ends()
    (finding,) = found(look, whole.take(whole.acted), example_impressions([1], terminated=True, first=9)).values()
    assert (finding.rows, finding.unit, finding.is_wrong) == (2, "sessions", False)
    assert list(look.lines()) == ["ends: 33.3% of 3 sessions terminate; of 2 the end is missing"]


def test_an_effective_sample_size_by_hand():
    weights = WeightSums()
    weights.add(np.array([1.0, 1.0, 2.0]))
    assert weights.effective == pytest.approx(16 / 6)
    assert weights.mean == pytest.approx(4 / 3)
    # deviation sqrt(2 - 16 / 9) of the weights, over sqrt 3
    assert weights.above_one() == pytest.approx((1 / 3) / math.sqrt((2 - 16 / 9) / 3), rel=1e-6)


def test_overlap_of_a_uniform_policy_is_whole():
    look = OverlapLook()
    assert found(look, example_impressions([20, 30])) == {}
    (line,) = look.lines()
    assert "50 of 50 (100.0%) impressions count request by request, and 2 of 2 (100.0%) sessions as wholes" in line


def test_overlap_by_hand():
    # two allowed: p = 0.25 has weight 2, p = 1 has 0.5; (2.5)^2 / 4.25
    look = OverlapLook()
    findings = found(look, shown(2, propensity=np.array([0.25, 1], np.float32)))
    assert findings["an action was certain although there was a choice"].rows == 1
    (line,) = look.lines()
    assert line.startswith("overlap: the least propensity is 0.25; for a uniform policy 1 of 2 (73.5%) impressions")
    assert line.endswith("1 of 1 (100.0%) sessions as wholes")


def test_propensities_of_two_digits_are_not_too_small():
    right = example_impressions([5_000])
    digits = replace(right, propensity=np.floor(100 * right.propensity).astype(np.float32) / 100)
    assert found(OverlapLook(), digits) == {}


def test_propensities_that_are_too_small():
    right = example_impressions([5_000])
    halved = replace(right, propensity=right.propensity / 2)
    findings = found(OverlapLook(), halved)
    (what,) = (what for what in findings if what.startswith("propensities are too small"))
    assert "the mean of 1 / (allowed propensity) is 2.000 and cannot be above 1" in what
    assert findings[what].is_wrong
    assert found(OverlapLook(), right) == {}


def test_missing_propensities():
    made = example_impressions([3])
    (finding,) = found(OverlapLook(), replace(made, propensity=np.full(4, np.nan, np.float32))).values()
    assert (finding.what, finding.rows, finding.is_wrong) == ("the propensity is missing", 3, False)


def test_ranks_areas_and_correlations_by_hand():
    assert mean_ranks(np.array([5.0, 1, 5, 9])).tolist() == [2.5, 1, 2.5, 4]
    ranks = mean_ranks(np.array([1.0, 2, 3, 4]))[:, None]
    assert areas(ranks, np.array([False, False, True, True])).tolist() == [1]
    assert areas(ranks, np.array([False, True, False, True])).tolist() == [0.75]  # 3 of 4 pairs in order
    assert areas(ranks, np.array([True, True, False, False])).tolist() == [0]
    assert spearman(np.array([1.0, 2, 3]), np.array([3.0, 2, 1])) == pytest.approx(-1)
    assert spearman(np.array([1.0, 2, 3]), np.array([1.0, 1, 1])) == 0


@pytest.mark.parametrize("where", ["context", "history", "candidates"])
def test_a_feature_that_was_made_after_the_impression(where):
    rng = np.random.default_rng(0)
    clicked = (rng.random(400) < 0.3).astype(np.float32)
    honest = shown(400, signals={"clicked": clicked, "watch_s": clicked * 5, "left": np.zeros(400, np.float32)})
    assert found(Leaks(LOGS_SPEC), honest) == {}
    leaky = honest.observation[where].copy()
    place = {"context": (slice(None), 0), "history": (slice(None), 1, 2), "candidates": (slice(None), 1, 1)}[where]
    leaky[place] = 10 - clicked
    (finding, *_) = found(Leaks(LOGS_SPEC), replace(honest, observation=honest.observation | {where: leaky})).values()
    column = {
        "context": "context.hour", "history": "history.clicked (of the newest impression)",
        "candidates": "candidates.heat (of the room that was shown)",
    }[where]  # fmt: skip
    assert finding.what.startswith(
        f"{column} knows signals.clicked of its own impression: it tells with it from without"
    )
    assert finding.is_wrong


def test_a_feature_that_knows_how_much_there_will_be():
    rng = np.random.default_rng(0)
    watch_s = np.where(rng.random(500) < 0.5, rng.exponential(30, 500), 0).astype(np.float32)
    made = shown(500, signals={"clicked": 0 * watch_s, "watch_s": watch_s, "left": 0 * watch_s})
    context = made.observation["context"].copy()
    context[:, 0] = np.where(watch_s > 0, watch_s**2, rng.exponential(900, 500))  # another unit, and noise elsewhere
    (finding,) = found(Leaks(LOGS_SPEC), replace(made, observation=made.observation | {"context": context})).values()
    assert "how much of it there is, with a rank correlation of 1.000" in finding.what
    assert finding.is_wrong


def test_a_price_of_the_room_that_some_pay_is_no_leak():
    rng = np.random.default_rng(0)
    price = rng.integers(1, 100, 2_000).astype(np.float32)
    paid = np.where(rng.random(2_000) < 0.1, price, 0)
    made = shown(2_000, signals={"clicked": 0 * paid, "watch_s": paid, "left": 0 * paid})
    made.observation["candidates"][:, 1, 1] = price
    (finding,) = found(Leaks(LOGS_SPEC), made).values()
    assert finding.what.startswith("candidates.heat (of the room that was shown) knows signals.watch_s")
    assert finding.cure.endswith("a price of the room, which is paid or not, may stay") and not finding.is_wrong
    # what everybody "pays" is no price
    for signal in (price, np.where(np.arange(2_000) < 40, 0, price)):
        (finding,) = found(Leaks(LOGS_SPEC), replace(made, signals=made.signals | {"watch_s": signal})).values()
        assert finding.is_wrong


def test_few_impressions_prove_nothing():
    clicked = (np.arange(90) % 3 == 0).astype(np.float32)
    made = shown(90, signals={"clicked": clicked, "watch_s": clicked, "left": clicked})
    made.observation["context"][:, 0] = clicked
    assert found(Leaks(LOGS_SPEC), made) == {}


def test_the_overview_and_its_doubts():
    made = example_impressions([2], terminated=True)
    made = replace(made, action=np.array([0, 1]), signals=made.signals | {"watch_s": np.array([5, 61.5], np.float32)})
    look = Overview(LOGS_SPEC)
    findings = found(look, made, example_impressions([1], start_s=86_400, first=5).take(slice(0, 0)))
    assert [(f.what, f.rows, f.is_wrong) for f in findings.values()] == [
        ("there is signals.clicked of nothing", 1, False),
        ("there is signals.watch_s of nothing", 1, False),
        ("signals.watch_s is longer than elapsed_s", 1, False),
    ]
    rows, policies, offered, means = look.lines()
    sizes = made.sizes - 1
    assert offered == f"offered: {sizes.mean():.1f} rooms a request, {sizes.max()} at most"
    assert rows == "rows: 2 impressions and 0 last observations of 1 viewers, 1970-01-01 to 1970-01-01"
    assert policies == "policies: random 100.0%"
    assert means.startswith("shown: a room at 50.0% of requests; means over all requests: clicked 0.5, watch_s 33.2")


def test_a_request_of_very_many_rooms_is_told():
    wide = replace(LOGS_SPEC, num_actions=50)
    made = example_impressions([2_000])
    rooms = np.zeros((len(made), 50), np.int64)
    rooms[:, 1] = 1
    mask = rooms > 0
    mask[:, 0] = True
    few = replace(made, rooms=rooms, observation=made.observation | {"mask": mask})
    assert not any("99.9%" in what for what in found(Overview(wide), few))
    rooms[7, 1:] = mask[7, 1:] = 1
    (finding,) = (f for what, f in found(Overview(wide), few).items() if "99.9%" in what)
    assert finding.what == "a request has 49 rooms, though 99.9% have at most 1"
    assert finding.rows == 1


def test_a_room_of_the_id_of_nothing():
    made = example_impressions([3])  # its last observation, too, has candidates
    mask, rooms = np.zeros_like(made.observation["mask"]), np.zeros_like(made.rooms)
    mask[:, :3] = True
    unnamed = replace(made, observation=made.observation | {"mask": mask}, action=np.array([1, 2, 0, -1]))
    rooms[:, 1:3] = [[7, 8], [7, 0], [0, 0], [7, 8]]
    doubts = found(Overview(LOGS_SPEC), replace(unnamed, rooms=rooms)).values()
    (finding,) = (one for one in doubts if "id" in one.what)
    assert (finding.what, finding.rows) == ("a room that could be chosen has the id 0, which names none", 2)
    assert finding.example.startswith("request 1,") and not finding.is_wrong
    # where it could not be chosen, or no room has a name, there is nothing to say
    mask[1:3, 1:3] = rooms[1:3, 1:3] > 0
    closed = replace(unnamed, rooms=rooms, observation=made.observation | {"mask": mask})
    for fine in (closed, replace(unnamed, rooms=np.zeros_like(rooms))):
        assert not [what for what in found(Overview(LOGS_SPEC), fine) if "id" in what]


def test_nothing_at_all_is_wrong():
    (finding,) = found(Overview(LOGS_SPEC)).values()
    assert finding.what == "there is no impression"
    assert finding.is_wrong


def test_times_that_no_calendar_has():
    look = Overview(LOGS_SPEC)
    look.add(example_impressions([1], start_s=10**15))
    assert next(iter(look.lines())).endswith("viewers, at no time that is one")


def test_rows_that_cannot_be_read_are_not_of_1970_nor_of_a_viewer():
    made = example_impressions([2, 2], start_s=1_800_000_000)
    defect = np.array(["the time is missing", *[""] * 5])
    time_s, viewer = made.time_s.copy(), made.viewer.copy()
    time_s[0] = viewer[0] = 0
    watched = made.signals["watch_s"].copy()
    watched[0] = np.inf
    look = Overview(LOGS_SPEC)
    look.add(replace(made, defect=defect, time_s=time_s, viewer=viewer, signals={**made.signals, "watch_s": watched}))
    first, *_, means = look.lines()
    assert "of 2 viewers, 2027-01-15 to 2027-01-15" in first
    assert "inf" not in means


def test_seconds_that_were_taken_for_milliseconds_are_doubted():
    made = example_impressions([9], start_s=1_800_000)
    hasty = replace(made, elapsed_s=np.full(len(made), 0.06, np.float32))
    assert any("all times are of 1970" in what for what in found(Overview(LOGS_SPEC), hasty))
    later = replace(hasty, time_s=hasty.time_s + 1_700_000_000)
    for other in (made, later):  # as simulated ones are; as events may be
        assert not any("1970" in what for what in found(Overview(LOGS_SPEC), other))


def test_categories_that_nobody_knows_are_told():
    made = example_impressions([6, 6])
    assert not found(Categories(LOGS_SPEC), made)
    context = made.observation["context"].copy()
    context[:, 1] = 0
    unknown = replace(made, observation={**made.observation, "context": context})
    (finding,) = found(Categories(LOGS_SPEC), unknown).values()
    assert finding.what == "context.country is none of its categories in 100.0% of what there is of it"
    assert (finding.rows, finding.is_wrong) == (len(made), False)
