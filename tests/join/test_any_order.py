"""The impressions are a function of the set of events."""

import json
from dataclasses import fields
from itertools import product

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from livedqn.join import KINDS, Joiner
from livedqn.logs import Impressions, faults, join

from .conftest import SPEC, WINDOWS, did, shown

times = st.integers(0, 400).map(lambda n: n / 2)
impressions = st.tuples(
    times, st.sampled_from([(), (70,), (70, 80)]), st.integers(0, 2), st.integers(1, 2), st.sampled_from([None, 5])
)
signals = st.tuples(
    times, st.sampled_from([*KINDS, "leave"]), st.sampled_from([70, 80]), st.integers(1, 2),
    st.none() | st.integers(0, 5), st.sampled_from([0.1, 0.7, 60.0, 95.0]),
)  # fmt: skip


@st.composite
def streams(draw):
    """Events of two viewers within 200 s; the windows are up to 100 s, sessions end after 60 s."""
    events = [
        shown(i, time_s, rooms, min(action, len(rooms)), viewer, session=session)
        for i, (time_s, rooms, action, viewer, session) in enumerate(
            draw(st.lists(impressions, min_size=1, max_size=8))
        )
    ]
    events += [
        did(f"s{i}", kind, time_s, room, viewer, request=request, amount=amount)
        for i, (time_s, kind, room, viewer, request, amount) in enumerate(draw(st.lists(signals, max_size=15)))
    ]
    return events


def joiner(**more):
    settings = {"windows": WINDOWS, "session_gap_s": 60.0, "allowed_lateness_s": 1e6, "max_requests": 3}
    return Joiner(SPEC, **(settings | more))


def fed(joiner, events):
    """All that comes out, whenever it does."""
    parts = []
    for event in events:
        joiner.add(event)
        parts += [part for part in [joiner.finished(least=1)] if part is not None]
    joiner.advance(1e9)
    return join([*parts, *(part for part in [joiner.finish()[0]] if part is not None)])


def as_bytes(impressions):
    """Of every array; padding aside, which is as wide as the widest that came out together."""
    arrays = []
    for field in fields(Impressions):
        value = getattr(impressions, field.name)
        values = value if isinstance(value, dict) else {"": value}
        arrays += [(field.name, name, np.asarray(array).tobytes()) for name, array in values.items()]
    return arrays


@settings(deadline=None, max_examples=60)
@given(streams(), st.data())
def test_any_order_and_any_duplicates_give_the_same_bytes(events, data):
    once = joiner()
    made = fed(once, events)
    again = data.draw(st.lists(st.sampled_from(events), max_size=10))
    shuffled = joiner()
    assert as_bytes(fed(shuffled, data.draw(st.permutations([*events, *again])))) == as_bytes(made)
    assert shuffled.counts["duplicate"].total() == len(again)
    for outcome in ("joined", "unattributed", "late"):
        assert shuffled.counts[outcome] == once.counts[outcome]
    assert once.counts["late"].total() == 0
    assert once.counts["joined"].total() + once.counts["unattributed"].total() == len(events)
    assert made.acted.sum() == sum(event.kind == "impression" for event in events)
    assert list(faults(made, SPEC)) == []


@settings(deadline=None, max_examples=100)
@given(
    st.lists(st.sampled_from([20, 59, 60, 80, 170]), min_size=1, max_size=5),
    st.lists(st.tuples(st.integers(0, 4), st.sampled_from([30, 65, 99]), st.sampled_from([1, 40, 99])), max_size=5),
    st.randoms(),
)
def test_a_session_is_a_time_in_which_the_viewer_was_seen_without_a_pause(pauses_s, watched, random):
    shown_s = np.cumsum([0, *pauses_s]).tolist()
    events = [shown(i, time_s) for i, time_s in enumerate(shown_s)]
    spans = [(time_s, time_s) for time_s in shown_s]
    for i, (request, behind_s, amount_s) in enumerate(watched):
        amount_s = min(amount_s, behind_s)  # begun when it was shown, or later
        time_s = shown_s[request % len(shown_s)] + behind_s
        events.append(did(f"w{i}", "watch", time_s, request=request % len(shown_s), amount=amount_s))
        spans.append((time_s - amount_s, time_s))
    random.shuffle(events)
    begin_s, end_s = [], -np.inf
    for since_s, until_s in sorted(spans):
        begin_s += [since_s] * (since_s >= end_s + 60)
        end_s = max(end_s, until_s)
    made = fed(joiner(max_requests=100), events)
    of = dict(zip(made.request.tolist(), made.session.tolist(), strict=True))
    expected = np.searchsorted(begin_s, shown_s, side="right")
    for i, j in product(range(len(shown_s)), repeat=2):
        assert (of[i] == of[j]) == (expected[i] == expected[j])


@settings(deadline=None, max_examples=60)
@given(streams(), st.data())
def test_events_within_the_lateness_and_sessions_given_out_early_change_nothing(events, data):
    in_order = sorted(events, key=lambda event: event.time_s)
    delays = data.draw(st.lists(st.integers(0, 29), min_size=len(events), max_size=len(events)))
    delayed = sorted(zip(events, delays, strict=True), key=lambda pair: pair[0].time_s + pair[1])
    late = joiner(allowed_lateness_s=30.0)
    made = fed(late, [event for event, _ in delayed])
    assert late.counts["late"].total() == 0
    assert as_bytes(made) == as_bytes(fed(joiner(), in_order))


@settings(deadline=None, max_examples=40)
@given(streams(), st.integers(0, 23))
def test_a_joiner_goes_on_where_another_stopped(events, at):
    events = sorted(events, key=lambda event: event.time_s)
    whole, first, second = (joiner(allowed_lateness_s=10.0) for _ in range(3))
    made = fed(whole, events)
    for event in events[:at]:
        first.add(event)
    second.load_state_dict(json.loads(json.dumps(first.state_dict())))
    assert second.state_dict() == first.state_dict()
    assert as_bytes(fed(second, events[at:])) == as_bytes(made)
    assert second.counts == whole.counts


@settings(deadline=None, max_examples=40)
@given(streams())
def test_what_is_given_out_early_is_never_changed_by_what_comes_later(events):
    """Open sessions are not given out: all that is, is as in the end."""
    events = sorted(events, key=lambda event: event.time_s)
    early = joiner(allowed_lateness_s=0.0)
    for event in events:
        early.add(event)
    made, still_open = early.finish()
    given_out = [] if made is None else made.request.tolist()
    everything = fed(joiner(), events)
    assert given_out == everything.request[: len(given_out)].tolist()
    for name in () if made is None else SPEC.signals:
        np.testing.assert_array_equal(made.signals[name], everything.signals[name][: len(given_out)])
    assert still_open + early.waiting > 0
