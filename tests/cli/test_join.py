"""``livedqn join``: logs of what is over, and what becomes of the rest."""

import gzip
import json

import pytest

from livedqn.logs import join
from livedqn.logs.parquet import Parquet

SPEC = """\
context: {hour: {unit: h}}
history: {real: , streamer: {kind: id}}
history_length: 1
num_actions: 2
candidates: {heat: {kind: count, unit: viewers, role: heat}}
signals: [clicked, watch_s, left]
"""


def shown(request, viewer, time_s, context=20):
    return {
        "kind": "impression", "request": request, "viewer": viewer, "time_s": time_s, "context": [context],
        "history": [[0, 0]], "candidates": [[0], [500]], "rooms": [None, "r7"], "action": 1, "propensity": 0.5,
    }  # fmt: skip


@pytest.fixture
def write(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "spec.yaml").write_text(SPEC)
    (tmp_path / "must_show.yaml").write_text(SPEC + "has_nothing: false\n")
    (tmp_path / "perhaps.yaml").write_text(SPEC + "has_nothing: perhaps\n")

    def write(*events):
        lines = [event if isinstance(event, str) else json.dumps(event) for event in events]
        (tmp_path / "events.jsonl").write_text("\n".join(lines))
        return ["join", "events=events.jsonl", "spec=spec.yaml", "out=logs", "hydra.run.dir=run"]

    return write


CLICK = {"kind": "click", "id": "c", "viewer": "ann", "time_s": 1005, "room": "r7"}


def test_events_become_logs_and_nothing_is_lost_in_silence(livedqn, write, tmp_path):
    late = CLICK | {"id": "d", "time_s": 1006}
    outcome = livedqn(*write(CLICK, shown(1, "ann", 1000), "no json", shown(2, "bob", 90_000), late, CLICK))
    assert outcome.out.splitlines() == [
        "logs: 1 impressions of sessions that are over; 1 sessions are still open, and left out",
        "  joined: 1 click, 2 impression",
        "  duplicate: 1 click",
        "  late: 1 click",
        "  late are those that came more than 600 s older than one before them: sort events by time_s, or set a longer "
        "allowed_lateness_s",
        "  no events: 1 lines, the first of them line 3: this is no JSON (Expecting value: line 1 column 1 (char 0)); "
        "write one object a line",
        "what found no place is in run/set_aside.jsonl, with why",
    ]
    aside = [json.loads(line) for line in (tmp_path / "run" / "set_aside.jsonl").read_text().splitlines()]
    assert [one["why"].partition(" ")[0] for one in aside] == ["this", "late"]
    assert (aside[0]["line"], aside[0]["text"], aside[1]["event"]["id"]) == (3, "no json", "d")
    whole = join(list(Parquet(path="logs")))
    assert whole.signals["clicked"].tolist() == [1]


def test_the_next_file_goes_on_from_the_state(livedqn, write):
    words = [*write(shown(1, "ann", 1000)), "state=state.json"]
    assert "0 impressions of sessions that are over" in livedqn(*words).out
    write(CLICK, shown(2, "bob", 90_000))
    outcome = livedqn(*words)
    assert outcome.out.splitlines()[0].startswith("logs: 1 impressions of sessions that are over")
    assert outcome.out.splitlines()[1:] == [
        "  joined so far: 1 click, 1 impression",
        "  waiting for what may be late: 1 events",
    ]
    assert join(list(Parquet(path="logs"))).signals["clicked"].tolist() == [1]
    assert "out=logs holds logs already" in livedqn(*words[:-1]).error


def test_where_a_room_always_has_to_be_shown(livedqn, write):
    events = [
        shown(1, "ann", 1000) | {"propensity": 1.0},
        shown(2, "bob", 1000) | {"action": 0},
        shown(3, "eve", 90_000),
    ]
    words = [*write(*events), "spec=must_show.yaml"]
    assert "impossible: 1 sessions, 1 rows, with why" in livedqn(*words).out  # nothing was shown to bob
    logs = Parquet(path="logs")
    whole = join(list(logs))
    assert not logs.spec.has_nothing
    assert (whole.request.tolist(), whole.observation["mask"].tolist()) == ([1], [[False, True]])


def test_impossible_sessions_are_set_aside(livedqn, write):
    words = write(shown(1, "ann", 1000) | {"propensity": 2.0}, shown(2, "bob", 90_000))
    assert "impossible: 1 sessions, 1 rows, with why, in run/set_aside.parquet" in livedqn(*words).out


def test_one_wrong_clock_does_not_make_all_others_late(livedqn, write, tmp_path):
    outcome = livedqn(*write(shown(1, "ann", 1000), shown(2, "eve", 4e9), CLICK, shown(3, "bob", 90_000)))
    assert (
        "  joined: 1 click, 2 impression\n  no events: 1 lines, the first of them line 2: time_s=4000000000.0"
        in outcome.out
    )
    aside = json.loads((tmp_path / "run" / "set_aside.jsonl").read_text())
    assert (aside["line"], aside["why"].partition(";")[0]) == (
        2, "time_s=4000000000.0 lies ahead of the clock of this machine"
    )  # fmt: skip


def test_a_number_that_is_too_large_is_set_aside_without_a_warning(livedqn, write):
    words = write(shown(1, "ann", 1000) | {"native": 1e300}, shown(2, "bob", 90_000))
    outcome = livedqn(*words)
    assert "impossible: 1 sessions, 1 rows" in outcome.out
    assert "Warning" not in outcome.err


@pytest.mark.parametrize("name", ["events.jsonl.gz", "events.jsonl"])
def test_events_may_be_compressed(livedqn, write, tmp_path, name):
    words = write(shown(1, "ann", 1000), CLICK, shown(2, "bob", 90_000))
    (tmp_path / name).write_bytes(packed := gzip.compress((tmp_path / "events.jsonl").read_bytes()))
    assert "joined: 1 click, 2 impression" in livedqn(*words, f"events={name}").out
    (tmp_path / name).write_bytes(packed[:-20])
    outcome = livedqn(*words, f"events={name}", "out=more")
    assert outcome.code == 2
    assert f"events={name} cannot be read: Compressed file ended before" in outcome.error
    assert not [*(tmp_path / "more").rglob("*.parquet*")]


def test_a_file_without_any_event_is_refused(livedqn, write, tmp_path):
    words = write("time,viewer", "1000,ann")
    outcome = livedqn(*words)
    assert outcome.code == 2
    assert "events=events.jsonl holds no event; line 1: this is no JSON" in outcome.error
    aside = (tmp_path / "run" / "set_aside.jsonl").read_text().splitlines()
    assert [json.loads(one)["text"] for one in aside] == ["time,viewer", "1000,ann"]
    write("")
    assert "events=events.jsonl holds no event; it is empty" in livedqn(*words).error
    assert livedqn(*words, "state=state.json").code == 0  # an hour in which nothing happened


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("num_actions: -3", "num_actions is -3; it is a whole number from 2"),
        ("history_length: 1.5", "history_length is 1.5; it is a whole number from 1"),
        ("signals: clicked", "signals is 'clicked'; it is a list of some of clicked, watch_s,"),
        ("signals: [clicked, clicked]", "it is a list of some of clicked, watch_s,"),
        ("signals: [clickd]", "one of signals is 'clickd'; did you mean 'clicked'"),
        ("signals: [1]", "one of signals is 1; choose clicked, watch_s,"),
        ("context: [a, b]", "spec=spec.yaml: context is ['a', 'b']; it has to map names of columns to what they are"),
        ("candidates: 7", "candidates is 7; it has to map names of columns"),
        ("candidates: {heat: count}", "candidates.heat is 'count'; it has to map some of kind, unit,"),
        ("candidates: {7: {kind: id}}", "candidates has a column named 7; a name is text: put it in quotes"),
        ("candidates: {heat: {unit: 7}}", "candidates.heat.unit is 7; it is text"),
        ("context: {a: {cardinality: 2.5}}", "context.a.cardinality is 2.5; it is a whole number from 2"),
        ("contxt: {}", "the spec has contxt; did you mean 'context'; it may have context,"),
    ],
)
def test_a_spec_that_cannot_be_is_one_line(livedqn, write, tmp_path, line, why):
    key = line.partition(":")[0]
    others = "".join(kept for kept in SPEC.splitlines(keepends=True) if not kept.startswith(f"{key}:"))
    (tmp_path / "spec.yaml").write_text(f"{others}{line}\n")
    assert why in livedqn(*write(shown(1, "ann", 1000))).error


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["events=no.jsonl"], "events=no.jsonl cannot be read"),
        (["spec=no.yaml"], "spec=no.yaml cannot be read"),
        (["spec=perhaps.yaml"], "spec=perhaps.yaml: has_nothing is 'perhaps'; it is true, or false"),
        (["windows={clik: 3}"], "there is no kind 'clik' of signals"),
        (["windows=3"], "windows=3 does not map kinds to seconds"),
        (["session_gap_s=0"], "session_gap_s=0.0 is no time"),
        (["logs=table"], "join reads events alone, so logs cannot be set"),
    ],
)
def test_what_cannot_be_done_is_said(livedqn, write, words, why):
    assert why in livedqn(*write(shown(1, "ann", 1000)), *words).error


def test_both_files_are_needed(livedqn):
    assert "join needs events=<file>" in livedqn("join").error


def test_what_an_earlier_call_set_aside_stays(livedqn, write, tmp_path):
    words = [*write(shown(1, "ann", 1000), "no json"), "state=state.json"]
    assert "what found no place is in run/set_aside.jsonl, with why" in livedqn(*words).out
    write(shown(2, "bob", 2000), "nor this")
    assert "what found no place is in run/set_aside-2.jsonl, with why" in livedqn(*words).out
    write(shown(3, "cy", 3000))
    assert "what found no place" not in livedqn(*words).out
    found = {path.name: path.read_text() for path in (tmp_path / "run").glob("set_aside*.jsonl")}
    assert set(found) == {"set_aside.jsonl", "set_aside-2.jsonl"}
    assert "no json" in found["set_aside.jsonl"] and "nor this" in found["set_aside-2.jsonl"]
