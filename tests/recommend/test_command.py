"""The command on files: good lines are answered, a bad one is one line on stderr, and the exit code says so."""

import json
from pathlib import Path

import numpy as np
import pytest

import livedqn
from livedqn import recommend
from livedqn.config import RecommendConfig
from livedqn.request import observe
from livedqn.types import LivedqnError

from .conftest import GAME


@pytest.fixture
def ask(tmp_path, capsys):
    """Runs the command on lines and returns its answers, the lines on stderr and the exit code."""

    def ask(policy, lines):
        file = tmp_path / "requests.jsonl"
        file.write_text("\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines))
        code = 0
        try:
            recommend.run(RecommendConfig(checkpoint=str(policy), input=str(file), device="cpu"))
        except SystemExit as end:
            code = end.code
        out, err = capsys.readouterr()
        return [json.loads(line) for line in out.splitlines()], err.splitlines(), code

    return ask


def test_the_answer_is_the_policy_s(ask, rooms_policy, request_with_rooms):
    (answer,), err, code = ask(rooms_policy, [request_with_rooms])
    agent = livedqn.load(rooms_policy, "cpu")
    observation = observe(agent.spec, request_with_rooms)
    q = agent.q_values(observation)[0, 0]
    listed = [int(k) for k in np.flatnonzero(agent.policy_values(observation)[0, 0] != -np.inf)]
    assert len(listed) == 2 and 0 in listed  # nothing, and the room that promises most at once
    others = {0, 1, 3} - {*listed}  # action 2 is masked
    order = sorted(listed, key=lambda k: -q[k]) + sorted(others, key=lambda k: -q[k])
    names = [None, 70, "eighty", 90]
    assert answer["line"] == 1
    assert answer["action"] == agent.act(observation)[0] == order[0]
    assert answer["room"] == names[order[0]]
    assert answer["propensity"] == 1
    assert answer["ranked"] == [{"action": k, "room": names[k], "value": pytest.approx(float(q[k]))} for k in order]
    assert (err, code) == ([], 0)


def test_a_room_has_to_be_better_than_nothing_by_the_margin(request_with_rooms, rooms_policy):
    agent = livedqn.load(rooms_policy, "cpu")
    value = {ranked["action"]: ranked["value"] for ranked in recommend.answer(agent, request_with_rooms)["ranked"]}
    for margin, first in ((-1e3, False), (1e3, True)):
        agent.margin.fill_(margin)
        answer = recommend.answer(agent, request_with_rooms)
        assert (answer["action"] == 0) == first
        assert answer["action"] == agent.act(observe(agent.spec, request_with_rooms))[0]
        assert {ranked["action"]: ranked["value"] for ranked in answer["ranked"]} == value  # what is expected stays


def test_nothing_else_allowed_is_an_answer(ask, rooms_policy, request_with_rooms):
    (answer,), _, code = ask(rooms_policy, [request_with_rooms | {"mask": [1, 0, 0, 0]}])
    assert (answer["action"], answer["room"], len(answer["ranked"]), code) == (0, None, 1, 0)


def test_other_numbers_of_rooms(ask, rooms_policy, request_with_rooms):
    many = {**request_with_rooms, "candidates": [[0, 0], *[[k, k] for k in range(1, 300)]]}
    del many["mask"], many["rooms"]
    none = {**many, "candidates": [[0, 0]]}
    answers, _, code = ask(rooms_policy, [many, none])
    assert [len(answer["ranked"]) for answer in answers] == [300, 1]
    assert ("room" in answers[0], answers[1]["action"], code) == (False, 0, 0)


def test_a_bad_line_is_named_and_the_others_are_answered(ask, rooms_policy, request_with_rooms):
    bad = [{"context": [1]}, "nonsense", request_with_rooms | {"mask": [0] * 4}]
    answers, err, code = ask(rooms_policy, [request_with_rooms, *bad, "", request_with_rooms])
    assert [a["line"] for a in answers] == [1, 6]
    assert [line.split(":")[:3] for line in err] == [["livedqn", " error", f" line {n}"] for n in (2, 3, 4)]
    assert code == 2


def test_a_game(ask, save_policy):
    (answer,), _, code = ask(save_policy(GAME), [{"context": [0.1, 0.2]}])
    assert "room" not in answer
    assert sorted(entry["action"] for entry in answer["ranked"]) == [0, 1, 2]
    assert code == 0


def test_values_without_meaning_are_refused(rooms_policy, request_with_rooms):
    agent = livedqn.load(rooms_policy, "cpu")
    agent.reward_scale.fill_(1e-45)
    with pytest.raises(LivedqnError, match="not finite"):
        recommend.answer(agent, request_with_rooms)


def test_stdin(rooms_policy, request_with_rooms, monkeypatch, capsys, tmp_path):
    (tmp_path / "stdin").write_text(json.dumps(request_with_rooms) + "\n")
    with (tmp_path / "stdin").open() as stdin:
        monkeypatch.setattr("sys.stdin", stdin)
        recommend.run(RecommendConfig(checkpoint=str(rooms_policy), device="cpu"))
    assert json.loads(capsys.readouterr().out)["line"] == 1


@pytest.mark.parametrize("name", ["missing.jsonl", "."])
def test_no_such_input(rooms_policy, tmp_path, name):
    with pytest.raises(LivedqnError, match="cannot be read"):
        recommend.run(RecommendConfig(checkpoint=str(rooms_policy), input=str(tmp_path / name), device="cpu"))


def test_no_such_checkpoint(tmp_path):
    with pytest.raises(LivedqnError, match="does not exist"):
        recommend.run(RecommendConfig(checkpoint=str(tmp_path / "policy.ckpt")))


def test_without_a_standard_input_there_is_nothing_to_read(rooms_policy, monkeypatch):
    monkeypatch.setattr("sys.stdin", None)
    with pytest.raises(LivedqnError, match="there is no standard input to read requests from; input=<file>"):
        recommend.run(RecommendConfig(checkpoint=str(rooms_policy), device="cpu"))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no file that is always full")
def test_an_answer_that_cannot_be_written_is_one_line(rooms_policy, request_with_rooms, monkeypatch, tmp_path):
    file = tmp_path / "requests.jsonl"
    file.write_text(json.dumps(request_with_rooms))
    with Path("/dev/full").open("w") as full:
        monkeypatch.setattr("sys.stdout", full)
        with pytest.raises(LivedqnError, match="the answer to line 1 cannot be written: No space left on device"):
            recommend.run(RecommendConfig(checkpoint=str(rooms_policy), input=str(file), device="cpu"))
