"""Files of events, one after another: every session comes into the logs once, wherever a call is killed."""

import json
import sys
from itertools import count
from pathlib import Path
from types import SimpleNamespace

import pytest

from livedqn import durable
from livedqn.config import JoinConfig
from livedqn.join import Joiner, command
from livedqn.join.state import StateFile
from livedqn.logs import join
from livedqn.logs.parquet import Parquet
from livedqn.logs.whole import Whole
from livedqn.types import LivedqnError

from .conftest import SPEC, WINDOWS, shown

YAML = """\
context: {hour: {unit: h}}
history: {real: , streamer: {kind: id}}
history_length: 1
num_actions: 2
candidates: {heat: {kind: count, unit: viewers, role: heat}}
signals: [clicked, left]
"""


class KilledError(BaseException):
    """As by a signal that nobody heeds."""


def seen(request, viewer, time_s):
    return {
        "kind": "impression", "request": request, "viewer": viewer, "time_s": time_s, "context": [20],
        "history": [[0, 0]], "candidates": [[0], [500]], "rooms": [None, "r7"], "action": 1, "propensity": 0.5,
    }  # fmt: skip


def click(id, viewer, time_s):
    return {"kind": "click", "id": id, "viewer": viewer, "time_s": time_s, "room": "r7"}


#: Three files. Windows are of four hours: the first call writes ann, the second bob and cat, who came a day later.
FILES = [
    [seen(1, "ann", 1_000), click("a", "ann", 1_005), seen(2, "bob", 80_000)],
    [click("b", "bob", 80_005), seen(3, "cat", 90_000), seen(4, "dan", 200_000)],
    [click("d", "dan", 200_005), seen(5, "eve", 400_000)],
]


@pytest.fixture
def call(tmp_path, monkeypatch):
    """``call(1)``: the second file."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "spec.yaml").write_text(YAML)
    for number, events in enumerate(FILES):
        (tmp_path / f"{number}.jsonl").write_text("\n".join(map(json.dumps, events)))

    def run(number, **settings):
        config = JoinConfig(events=f"{number}.jsonl", spec="spec.yaml", out="logs", state="state.json", **settings)
        command.run(config, tmp_path / "run")

    return run


def written():
    whole = join(list(Parquet(path="logs")))
    return sorted(zip(whole.request.tolist(), whole.signals["clicked"].tolist(), strict=True))


@pytest.mark.parametrize("number", [0, 1])
@pytest.mark.parametrize("behind", [False, True])
@pytest.mark.parametrize("at", range(4))
def test_a_call_that_is_killed_and_made_again_writes_every_session_once(call, monkeypatch, number, behind, at):
    """Before, or behind, each time that something comes to bear its name: files and states."""
    real, names = durable.replace, count()

    def replace(part, path):
        is_last = next(names) == at
        if is_last and not behind:
            raise KilledError
        real(part, path)
        if is_last:
            raise KilledError

    for earlier in range(number):
        call(earlier)
    with monkeypatch.context() as patched:
        patched.setattr(durable, "replace", replace)
        patched.setattr(Whole, "discard", lambda self: None)  # whoever is killed tidies nothing
        if at < 3:  # a state and a file, or two files; and the state that follows
            with pytest.raises(KilledError):
                call(number)
        else:
            call(number)
    for rest in range(number, len(FILES)):
        call(rest)
    assert written() == [(1, 1), (2, 1), (3, 0), (4, 1)]


def test_killed_again_and_again_with_other_files_in_between(call, monkeypatch):
    call(0)
    for _ in range(2):
        with monkeypatch.context() as patched:
            patched.setattr(command.StateFile, "end", lambda self, joiner: (_ for _ in ()).throw(KilledError))
            with pytest.raises(KilledError):
                call(1)
    assert len(written()) == 3
    call(2)  # the second file never came to its end: what it wrote is gone
    assert [request for request, _ in written()] == [1, 2]


def test_calls_at_once_would_write_under_the_same_names_so_the_second_is_refused(call):
    call(0)
    with (
        StateFile(Path("state.json")),
        pytest.raises(LivedqnError, match=r"another call .* goes on from state=state\.json"),
    ):
        call(1)
    call(1)
    call(2)
    assert written() == [(1, 1), (2, 1), (3, 0), (4, 1)]


def test_on_windows_they_are_refused_too(call, monkeypatch):
    def locking(file, mode, count):
        assert (mode, count) == (2, 1)
        if held:
            raise PermissionError(13, "Permission denied")
        held.append(file)

    held = []
    monkeypatch.setattr("livedqn.join.state.sys", SimpleNamespace(platform="win32"))
    monkeypatch.setitem(sys.modules, "msvcrt", SimpleNamespace(LK_NBLCK=2, locking=locking))
    monkeypatch.setitem(sys.modules, "fcntl", None)
    call(0)
    with pytest.raises(LivedqnError, match=r"another call .* goes on from state=state\.json"):
        call(1)
    held.clear()
    call(1)
    assert len(written()) == 3


def test_other_settings_or_another_spec_are_one_line_and_change_nothing(call, tmp_path):
    call(0)
    state = (tmp_path / "state.json").read_text()
    with pytest.raises(LivedqnError, match=r"begun otherwise: windows.click was 600, is 60; session_gap_s was 1800"):
        call(1, windows={"click": 60}, session_gap_s=9)
    (tmp_path / "spec.yaml").write_text(YAML.replace("history_length: 1", "history_length: 2"))
    with pytest.raises(LivedqnError, match="otherwise: the spec has other history_length; go on as it was"):
        call(1)
    (tmp_path / "spec.yaml").write_text(YAML)
    assert (tmp_path / "state.json").read_text() == state
    call(1, allowed_lateness_s=60)


def test_a_first_call_that_came_to_no_end_binds_nobody_to_what_it_was_told(call, monkeypatch):
    def killed(*given):
        raise KilledError

    with monkeypatch.context() as patched, pytest.raises(KilledError):
        patched.setattr(StateFile, "end", killed)
        call(0, windows={"click": 60})
    call(0)
    call(1)
    call(2)
    assert written() == [(1, 1), (2, 1), (3, 0), (4, 1)]


@pytest.mark.parametrize("text", ["{}", "[]", "3", "no json", '{"spec": {}}'])
def test_what_is_no_state_is_one_line(call, tmp_path, text):
    (tmp_path / "state.json").write_text(text)
    with pytest.raises(LivedqnError, match=r"state=state.json (cannot be read|is none that livedqn join has)") as it:
        call(0)
    assert "\n" not in str(it.value)


def test_a_joiner_of_longer_sessions_does_not_go_on_either():
    joiner = Joiner(SPEC, windows=WINDOWS)
    joiner.add(shown(1, 0.0))
    with pytest.raises(LivedqnError, match="max_requests was 1000, is 2"):
        Joiner(SPEC, windows=WINDOWS, max_requests=2).load_state_dict(joiner.state_dict())


def test_a_state_of_other_names_is_not_gone_on_from(call, tmp_path):
    call(0)
    state = json.loads((tmp_path / "state.json").read_text())
    del state["format"]
    (tmp_path / "state.json").write_text(json.dumps(state))
    with pytest.raises(LivedqnError, match=r"^the state has format 1, this livedqn reads 2: .* so begin anew, with"):
        call(1)
