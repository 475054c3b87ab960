import json
import math
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from wandb.proto.wandb_internal_pb2 import Record

from livedqn.config import WandbLogger
from livedqn.tracking import MetricsFile, Trackers, WandbRun, read_metrics


def test_columns_come_as_they_are_measured(tmp_path):
    path = tmp_path / "metrics.csv"
    metrics = MetricsFile(path)
    metrics.log(10, {"return": 1.5})
    metrics.log(20, {"loss": 0.25})
    metrics.log(30, {"return": np.float32(2), "loss": 0.5})
    assert path.read_text().splitlines() == ["step,return,loss", "10,1.5,", "20,,0.25", "30,2.0,0.5"]
    assert read_metrics(path) == {"return": ([10, 30], [1.5, 2]), "loss": ([20, 30], [0.25, 0.5])}


def test_a_resumed_run_goes_on_where_it_was_saved(tmp_path):
    path = tmp_path / "metrics.csv"
    metrics = MetricsFile(path)
    for step in (10, 20, 30):
        metrics.log(step, {"return": step})
    whole = path.read_text()
    with path.open("a") as file:
        file.write("40,1")  # killed in the middle of a row
    resumed = MetricsFile(path)
    resumed.cut_back(20)
    resumed.log(30, {"return": 30})
    assert path.read_text() == whole


def test_cutting_back_what_is_not_there_is_no_error(tmp_path):
    MetricsFile(tmp_path / "metrics.csv").cut_back(0)
    assert not list(tmp_path.iterdir())


@given(st.lists(st.dictionaries(st.sampled_from("abcd"), st.floats(allow_nan=False), min_size=1), min_size=1))
def test_every_number_comes_back(tmp_path_factory, logged):
    path = tmp_path_factory.mktemp("run") / "metrics.csv"
    metrics = MetricsFile(path)
    for step, row in enumerate(logged):
        metrics.log(step, row)
    found = read_metrics(path)
    for name in "abcd":
        rows = [(step, row[name]) for step, row in enumerate(logged) if name in row]
        assert found.get(name, ([], [])) == tuple(map(list, zip(*rows, strict=True))) or not rows


def records(path):
    """Read a .wandb file: a seven-byte header, then LevelDB's log, whose blocks of 32 KiB hold pieces of records."""
    data, at, piece = path.read_bytes(), 7, b""
    while at + 7 <= len(data):
        if 2**15 - at % 2**15 < 7:
            at += 2**15 - at % 2**15
            continue
        _, length, kind = struct.unpack("<IHB", data[at : at + 7])
        piece = (piece if kind in (3, 4) else b"") + data[at + 7 : at + 7 + length]
        at += 7 + length
        if kind in (1, 4):  # whole, or the last piece
            yield Record.FromString(piece)


def values(items):
    return {"/".join(item.nested_key) or item.key: json.loads(item.value_json) for item in items}


@pytest.fixture
def alone(monkeypatch):
    for name in ("WANDB_MODE", "WANDB_RUN_ID", "WANDB_API_KEY"):
        monkeypatch.delenv(name, raising=False)


def test_an_offline_run_holds_all_that_was_logged(tmp_path, alone):
    from matplotlib.figure import Figure

    (tmp_path / "pictures").mkdir()
    Figure(figsize=(1, 1)).savefig(tmp_path / "pictures" / "curves.png")
    (tmp_path / "policy.ckpt").write_bytes(b"weights")
    run = WandbRun(WandbLogger(mode="offline", project="tests"), tmp_path, {"seed": 7, "env": {"plugin": "sim"}})
    tracker = Trackers([MetricsFile(tmp_path / "metrics.csv"), run])
    tracker.log(100, {"return": 1.5, "loss": math.nan})
    tracker.log(200, {"return": 2.5})
    tracker.finish(tmp_path, has_failed=False)

    (path,) = (tmp_path / "wandb").glob("offline-run-*/*.wandb")
    found = list(records(path))
    (started,) = [one.run for one in found if one.WhichOneof("record_type") == "run"]
    assert started.project == "tests" and started.run_id == run.id
    assert values(started.config.update)["seed"] == 7
    history = [values(one.history.item) for one in found if one.WhichOneof("record_type") == "history"]
    assert [(row["step"], row["return"]) for row in history if "return" in row] == [(100, 1.5), (200, 2.5)]
    assert any(row.get("curves", {}).get("_type") == "image-file" or "curves/_type" in row for row in history)
    artifacts = [one.request.log_artifact.artifact for one in found if one.request.HasField("log_artifact")]
    artifacts += [one.artifact for one in found if one.WhichOneof("record_type") == "artifact"]
    assert any(one.type == "policy" and one.manifest.contents[0].path == "policy.ckpt" for one in artifacts)


def test_a_failed_run_is_one_to_a_sweep_too(tmp_path, alone):
    (tmp_path / "policy.ckpt").write_bytes(b"weights")
    run = WandbRun(WandbLogger(mode="offline"), tmp_path, {})
    run.finish(tmp_path, has_failed=True)
    (path,) = (tmp_path / "wandb").glob("offline-run-*/*.wandb")
    found = list(records(path))
    assert [one.exit.exit_code for one in found if one.WhichOneof("record_type") == "exit"] == [1]
    assert not any(one.request.HasField("log_artifact") or one.HasField("artifact") for one in found)


def test_a_resumed_run_keeps_its_id(tmp_path, alone):
    first = WandbRun(WandbLogger(mode="offline"), tmp_path, {})
    first.log(100, {"return": 1.0})
    first.finish(tmp_path, has_failed=False)
    second = WandbRun(WandbLogger(mode="offline"), tmp_path, {})
    second.log(200, {"return": 2.0})
    second.finish(tmp_path, has_failed=False)
    assert second.id == first.id
    files = sorted((tmp_path / "wandb").glob("offline-run-*/*.wandb"))
    history = [one.history for path in files for one in records(path) if one.WhichOneof("record_type") == "history"]
    assert [one.step.num for one in history] == [100, 200]  # the second file goes on where the first ended


def test_no_network_is_one_line_and_offline(tmp_path, alone, monkeypatch, capfd):
    monkeypatch.setattr("livedqn.tracking.PATIENCE_S", 1)
    monkeypatch.setenv("WANDB_API_KEY", "0" * 40)
    monkeypatch.setenv("WANDB_BASE_URL", "http://127.0.0.1:9")  # nobody listens there
    run = WandbRun(WandbLogger(mode="online"), tmp_path, {})
    run.log(1, {"return": 1})
    run.finish(tmp_path, has_failed=False)
    lines = capfd.readouterr().err.strip().splitlines()
    assert len(lines) == 1 and "going on offline" in lines[0]
    assert list((tmp_path / "wandb").glob("offline-run-*/*.wandb"))
