from dataclasses import replace

import numpy as np
import pytest

from livedqn.join import Joiner
from livedqn.logs import faults, join
from livedqn.types import LivedqnError

from .conftest import SPEC, did, shown


def signal(impressions, name):
    return impressions.signals[name].tolist()


def test_a_session_by_hand(joined):
    made = joined([
        shown(1, 1000.0, action=1),  # room 70
        did("a", "click", 1002.5, 70), did("b", "watch", 1012.5, 70, amount=10),
        did("c", "watch", 1018.5, 70, amount=6),
        shown(2, 1020.25, action=0),  # nothing
        shown(3, 1030.0, action=2),  # room 80
        did("d", "gift", 1045.0, 70, amount=30), did("e", "gift", 1046.0, 70, amount=5),
        did("f", "leave", 1050.0),
    ])  # fmt: skip
    assert made.request.tolist() == [1, 2, 3]
    assert made.session.tolist() == [1, 1, 1]  # named by its first request
    assert made.time_s.tolist() == [1000, 1020, 1030]
    assert signal(made, "clicked") == [1, 0, 0]
    assert signal(made, "watch_s") == [16, 0, 0]
    assert signal(made, "gift_value") == [35, 0, 0]
    assert signal(made, "gift_delay_s") == [45, 0, 0]  # of the first
    assert signal(made, "left") == [0, 0, 1]
    assert made.elapsed_s.tolist() == [20.25, 9.75, 20]  # to the next request, at last to leaving
    assert made.terminated.tolist() == [False, False, True]
    assert not made.truncated.any()
    assert made.rooms.tolist() == [[0, 70, 80]] * 3
    assert made.streamers.tolist() == [[0, 7, 8]] * 3
    assert list(faults(made, SPEC)) == []


def test_what_is_finished_can_be_written_and_read(joined, tmp_path):
    from livedqn.logs.parquet import Parquet
    from livedqn.logs.writer import Writer

    made = joined([shown(1, 1000.0), shown(2, 1001.0, rooms=(), action=0), shown(3, 1002.0)], max_requests=2)
    with Writer(tmp_path, SPEC) as writer:
        writer.add(made)
    read = join(list(Parquet(path=str(tmp_path))))
    assert read.request.tolist() == made.request.tolist() == [1, 2, ~3, 3]
    np.testing.assert_array_equal(read.elapsed_s, made.elapsed_s)


def test_what_was_shown_does_not_decide_when_a_session_closes(make_joiner):
    """Else logs that end before all windows do would have too many sessions of nothing."""
    joiner = make_joiner()
    joiner.add(shown(1, 0.0, action=0, viewer=1))
    joiner.add(shown(2, 0.0, action=1, viewer=2))
    joiner.advance(100.0)  # the longest window; pauses of 60 s end sessions
    assert joiner.open_sessions == 2
    joiner.advance(100.5)
    assert joiner.open_sessions == 0


def test_the_latest_impression_of_the_room_gets_it_unless_another_is_named(joined):
    events = [shown(1, 0.0), shown(2, 5.0, action=2), shown(3, 10.0), did("c", "click", 11.0, 70)]
    assert signal(joined(events), "clicked") == [0, 0, 1]
    assert signal(joined([*events[:3], did("c", "click", 9.0, 70)]), "clicked") == [1, 0, 0]
    assert signal(joined([*events[:3], did("c", "click", 10.0, 70)]), "clicked") == [0, 0, 1]  # at the same time
    assert signal(joined([*events[:3], did("c", "click", 10.0, request=1)]), "clicked") == [1, 0, 0]


@pytest.mark.parametrize(
    ("event", "is_joined"),
    [
        (did("c", "click", 10.0, 70), True),
        (did("c", "click", 10.5, 70), False),  # its window is 10 s
        (did("c", "click", 10.5, request=1), False),
        (did("c", "watch", 100.0, 70), True),
        (did("c", "watch", 100.5, 70), False),
        (did("c", "click", 1.0, 80), False),  # not shown
        (did("c", "click", 1.0, 70, viewer=2), False),
        (did("c", "click", 1.0, request=9), False),  # nobody heard of it: it is no other's
        (did("c", "leave", 59.0), True),
        (did("c", "leave", 60.0), False),  # the session was over
    ],
)
def test_windows(make_joiner, event, is_joined):
    aside = []
    joiner = make_joiner(set_aside=lambda *given: aside.append(given))
    joiner.add(shown(1, 0.0))
    joiner.add(event)
    joiner.advance(1e9)
    assert joiner.counts["joined"][event.kind] == is_joined
    assert aside == ([] if is_joined else [(event, "unattributed")])


def test_signals_of_nothing_are_set_aside(make_joiner):
    joiner = make_joiner()
    joiner.add(shown(1, 0.0, action=0))
    joiner.add(did("c", "click", 1.0, request=1))
    joiner.advance(1e9)
    assert joiner.counts["unattributed"] == {"click": 1}


def test_a_pause_begins_a_session_and_signs_of_life_prevent_it(joined):
    assert joined([shown(1, 0.0), shown(2, 59.9)]).session.tolist() == [1, 1]
    apart = joined([shown(1, 0.0), shown(2, 60.0)])
    assert apart.session.tolist() == [1, 2]
    assert apart.terminated.tolist() == [True, True]
    assert apart.elapsed_s.tolist() == pytest.approx([0.001, 0.001])  # no sign of life behind
    watching = [did("w", "watch", 50.0, 70, amount=1)]
    assert joined([shown(1, 0.0), *watching, shown(2, 109.0)]).session.tolist() == [1, 1]
    # one event at the end of a long watch says that the viewer was there all the while; a gift does not
    long = [did("w", "watch", 90.0, 70, amount=80)]
    made = joined([shown(1, 0.0), *long, shown(2, 140.0)])
    assert made.session.tolist() == [1, 1]
    assert made.elapsed_s[0] == 140
    late = joined([shown(1, 0.0), did("g", "gift", 90.0, 70, amount=80), shown(2, 140.0)])
    assert late.session.tolist() == [1, 2]
    assert signal(late, "gift_value") == [80, 0]


def test_a_request_while_a_watch_goes_on_is_of_its_session_though_the_watch_is_told_of_later(joined):
    pause = [shown(1, 0.0), shown(2, 70.0, action=2)]
    made = joined([*pause, did("w", "watch", 90.0, 70, amount=80)])  # from 10 on
    assert made.session.tolist() == [1, 1]
    assert made.elapsed_s.tolist() == [70, 20]
    assert made.terminated.tolist() == [False, True]
    assert joined([*pause, did("w", "watch", 90.0, 70, amount=30)]).session.tolist() == [1, 2]  # over at 60
    assert joined([*pause, did("g", "gift", 90.0, 70, amount=80)]).session.tolist() == [1, 2]
    # the same room once more: the watch began before, and counts for the later one
    again = joined([shown(1, 0.0), shown(2, 70.0), did("w", "watch", 90.0, 70, amount=80)])
    assert again.session.tolist() == [1, 1]
    assert signal(again, "watch_s") == [0, 80]
    # nothing that was shown in between could still get a signal, but its session may yet turn out to be another
    quiet = [shown(1, 0.0), shown(2, 61.0, action=0), did("w", "watch", 99.0, 70, amount=95), shown(3, 158.0)]
    assert joined(quiet).session.tolist() == [1, 1, 1]
    left = [shown(1, 0.0), shown(2, 70.0), did("l", "leave", 75.0), shown(3, 76.0)]
    made = joined([*left, did("w", "watch", 90.0, request=1, amount=85)])
    assert made.session.tolist() == [1, 1, 3]  # who leaves ends it all the same
    assert made.elapsed_s.tolist() == [70, 5, 14]


def test_sessions_that_turn_out_to_be_one_are_cut_between_if_it_were_too_long(joined):
    watched = did("w", "watch", 90.0, 70, amount=85)
    made = joined([shown(1, 0.0), shown(2, 1.0), shown(3, 70.0, action=2), watched, shown(4, 149.0)], max_requests=2)
    assert made.request.tolist() == [1, 2, ~3, 3, 4]
    assert made.session.tolist() == [1, 1, 1, 3, 3]  # what is cut goes on: the watch is a sign of life of what follows
    assert made.truncated.tolist() == [False, True, False, False, False]
    assert list(faults(made, SPEC)) == []


def test_the_last_impression_lasts_to_the_last_sign_of_life(joined):
    made = joined([shown(1, 0.0), shown(2, 10.0, action=2), did("w", "watch", 30.0, 70, amount=20)])
    assert made.elapsed_s.tolist() == [10, 20]


def test_who_left_and_comes_back_begins_anew(joined):
    made = joined([shown(1, 0.0), did("l", "leave", 5.0), shown(2, 6.0)])
    assert made.session.tolist() == [1, 2]
    assert made.elapsed_s[0] == 5
    assert signal(made, "left") == [1, 1]


def test_visits_that_the_platform_names_are_kept_apart(joined):
    made = joined([
        shown(1, 0.0, session=7), shown(2, 1.0, session=8), shown(3, 20.0, session=7),
        did("l", "leave", 25.0, request=2), did("m", "leave", 26.0),
    ])  # fmt: skip
    assert made.request.tolist() == [2, 1, 3]
    assert made.session.tolist() == [2, 1, 1]
    assert made.elapsed_s.tolist() == [24, 20, 6]


def test_a_long_session_is_cut_and_shows_what_came_next(joined):
    made = joined([shown(1, 0.0), shown(2, 10.0), shown(3, 20.0, rooms=(90,))], max_requests=2)
    assert made.request.tolist() == [1, 2, ~3, 3]
    assert made.session.tolist() == [1, 1, 1, 3]
    assert made.action.tolist() == [1, 1, -1, 1]
    assert made.truncated.tolist() == [False, True, False, False]
    assert made.terminated.tolist() == [False, False, False, True]
    assert made.elapsed_s[:2].tolist() == [10, 10]
    assert np.isnan(made.elapsed_s[2])
    np.testing.assert_array_equal(made.observation["candidates"][2], made.observation["candidates"][3])
    assert made.successor.tolist() == [1, 2, -1, -1]
    assert list(faults(made, SPEC)) == []


def test_a_session_closes_when_no_signal_can_come_any_more(make_joiner):
    joiner = make_joiner(allowed_lateness_s=20.0)
    joiner.add(shown(1, 0.0))
    joiner.add(shown(2, 120.0, viewer=2))  # the watermark is at 100: a watch at 100 may still come
    assert joiner.watermark_s == 100
    assert joiner.finish() == (None, 1)
    joiner.add(did("w", "watch", 100.0, 70, amount=9))
    joiner.advance(200.0)  # alive at 100, and a minute is over
    made, still_open = joiner.finish()
    assert made.request.tolist() == [1]
    assert signal(made, "watch_s") == [9]
    assert still_open == 1
    assert joiner.finish() == (None, 1)


def test_late_events_and_duplicates_are_counted(make_joiner):
    aside = []
    joiner = make_joiner(allowed_lateness_s=20.0, set_aside=lambda *given: aside.append(given))
    click = did("c", "click", 5.0, 70)
    for event in (shown(1, 0.0), click, click, shown(1, 0.0), shown(2, 30.0), click):
        joiner.add(event)
    late = did("d", "click", 9.0, 70)
    joiner.add(late)
    retried = did("c", "click", 10.5, 70)  # sent once more, with the time of sending
    joiner.add(retried)
    joiner.advance(1e9)
    assert joiner.counts == {
        "joined": {"impression": 2, "click": 1}, "late": {"click": 1}, "unattributed": {},
        "duplicate": {"impression": 1, "click": 3},
    }  # fmt: skip
    assert aside == [(late, "late")]


def test_of_two_events_with_one_id_the_same_counts_whichever_came_first(joined):
    few, many = did("g", "gift", 5.0, 70, amount=2), did("g", "gift", 5.0, 70, amount=9)
    one, other = shown(1, 0.0, action=1), shown(1, 0.0, action=2)
    for events in ([one, other, few, many], [other, one, many, few]):
        made = joined(events)
        assert signal(made, "gift_value") == [2]
        assert made.action.tolist() == [1]


def test_memory_is_bounded_by_what_is_open(make_joiner):
    joiner = make_joiner(allowed_lateness_s=20.0)
    for i in range(2_000):
        joiner.add(shown(i, 10.0 * i, viewer=i))
        joiner.add(did(f"{i}", "click", 10.0 * i + 1, 70, viewer=i))
        joiner.finished(least=1)
        assert joiner.open_sessions + joiner.waiting < 25
    state = joiner.state_dict()
    assert len(state["recent"]) < 10
    assert not state["closed"]


def test_what_is_impossible_is_said():
    with pytest.raises(LivedqnError, match="there is no kind 'clik' of signals"):
        Joiner(SPEC, windows={"clik": 3})
    with pytest.raises(LivedqnError, match="click=0 is no time"):
        Joiner(SPEC, windows={"click": 0})
    with pytest.raises(LivedqnError, match="sessions in which rooms are recommended"):
        Joiner(replace(SPEC, episode="viewer"))
    with pytest.raises(LivedqnError, match="max_requests=0"):
        Joiner(SPEC, max_requests=0)
    wide = shown(1, 0.0)
    wide.observation["context"] = np.zeros(3, np.float32)
    with pytest.raises(LivedqnError, match=r"context of request 1 is \(3,\); with 3 rooms it owes \(2,\)"):
        Joiner(SPEC).add(wide)


def test_of_one_second_what_ends_goes_before_what_begins(joined):
    watched = joined([shown(1, 0.0), did("w", "watch", 70.0, 70, amount=70), shown(2, 70.0)])  # the gap is 60 s
    assert watched.session.tolist() == [1, 1]
    assert signal(watched, "watch_s") == [70, 0]
    back = joined([shown(1, 0.0), did("l", "leave", 50.0), shown(2, 50.0)])
    assert back.session.tolist() == [1, 2]
    assert back.elapsed_s[0] == 50


def test_ids_are_of_a_kind_and_requests_of_a_viewer(joined):
    made = joined([
        shown(1, 0.0), did("7", "click", 1.0, 70), did("7", "gift", 2.0, 70, amount=50),
        did("8", "gift", 3.0, request=1, viewer=2, amount=9), did("9", "leave", 4.0, request=1, viewer=2),
    ])  # fmt: skip
    assert signal(made, "gift_value") == [50]
    assert made.elapsed_s[0] == 2  # to the gift: nobody else can end this visit
