import json
import os
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from livedqn.logs import NO_ACTION, Impressions, join
from livedqn.logs.arrow import from_arrow, to_arrow
from livedqn.logs.parquet import Parquet, whole_sessions
from livedqn.logs.schema import read_source, schema
from livedqn.logs.writer import DAY_S, Writer
from livedqn.testing import LOGS_SPEC, example_impressions, game_spec
from livedqn.types import Column, LivedqnError, Spec


def write(folder, *parts, **options):
    with Writer(folder, LOGS_SPEC, **options) as writer:
        for part in parts:
            writer.add(part)
    return writer


@given(lengths=st.lists(st.integers(1, 5), min_size=1, max_size=6), terminated=st.booleans(), seed=st.integers(0, 99))
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_arrow_and_back(same, lengths, terminated, seed):
    made = example_impressions(lengths, terminated=terminated, seed=seed)
    table = to_arrow(made, schema(LOGS_SPEC))
    table.validate(full=True)
    back = from_arrow(table, LOGS_SPEC, "x", 7)
    same(back, made)
    assert back.row.tolist() == list(range(7, 7 + len(made)))
    for cut in (1, len(made) // 2):  # a slice has buffers that begin earlier
        same(from_arrow(table.slice(cut), LOGS_SPEC, "x", 0), made.take(slice(cut, None)))


@given(cuts=st.sets(st.integers(1, 17)))
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_sessions_are_whole_wherever_a_file_is_cut(same, cuts):
    made = example_impressions([3, 1, 5, 4])
    edges = [0, *sorted(cuts), len(made)]
    parts = [made.take(slice(start, end)) for start, end in pairwise(edges)]
    whole = list(whole_sessions(iter(parts)))
    same(join(whole), made)
    seen = [set(part.session.tolist()) for part in whole]
    assert sum(map(len, seen)) == len(set.union(*seen)) == 4


def test_a_row_is_what_any_tool_reads(tmp_path):
    made = example_impressions([2])
    write(tmp_path, made, source={"policy": "random"})
    table = pq.read_table(tmp_path / "day=1970-01-01/00000.parquet")
    rows = table.to_pylist()
    first, last = rows[0], rows[-1]
    assert first["context"]["hour"] == 20.5
    assert first["signals"] == {"clicked": 1.0, "watch_s": 0.0, "left": 0.0}
    assert first["policy"] == "random"
    k = len(first["mask"])
    assert first["rooms"] == made.rooms[0, :k].tolist()
    rooms = np.frombuffer(first["candidates"], "<f4").reshape(k, 2)
    assert rooms.tolist() == made.observation["candidates"][0, :k].tolist()
    assert np.frombuffer(first["history"], "<f4").reshape(2, 3).tolist() == [[0, 0, 0], [1, 3, 1]]
    assert [last[name] for name in ("action", "propensity", "policy", "signals", "native", "elapsed_s")] == [None] * 6
    assert first["truncated"] is False
    assert rows[1]["truncated"] is True
    assert read_source(table.schema)["policy"] == "random"
    assert json.loads(table.schema.metadata[b"livedqn.spec"])["episode"] == "session"


@pytest.mark.parametrize(("options", "codecs"), [({}, {"LZ4", "ZSTD"}), ({"compression": "zstd"}, {"ZSTD"})])
def test_every_column_is_compressed(tmp_path, options, codecs):
    write(tmp_path, example_impressions([5]), **options)
    group = pq.ParquetFile(tmp_path / "day=1970-01-01/00000.parquet").metadata.row_group(0)
    columns = [group.column(i) for i in range(group.num_columns)]
    assert {column.compression for column in columns} == codecs
    assert {column.path_in_schema for column in columns if column.compression == "ZSTD"} >= {"candidates"}


def test_what_is_still_to_be_made_is_written_behind_what_waits(tmp_path):
    parts = [example_impressions([2], seed=seed, first=seed) for seed in range(2)]
    with Writer(tmp_path, LOGS_SPEC) as writer:
        writer.add(parts[0])
        writer.add_later(lambda: parts[1])
    found = join(list(Parquet(path=str(tmp_path))))
    assert len(found) == writer.rows + 2 == sum(map(len, parts))
    assert found.time_s.tolist() == [time_s for part in parts for time_s in part.time_s]


def test_a_session_that_was_written_before_is_refused(tmp_path):
    again = r"do not stand together \(3 rows, the first request 0, row 0\); sort by session"
    with pytest.raises(LivedqnError, match=again), Writer(tmp_path, LOGS_SPEC) as writer:
        writer.add(example_impressions([2, 1]))
        writer.add_later(lambda: example_impressions([2]))
    assert not list(tmp_path.rglob("*.parquet"))


def test_candidates_are_as_many_as_there_were(tmp_path):
    made = example_impressions([5], seed=3)
    write(tmp_path, made)
    lists = pq.read_table(tmp_path)["rooms"].to_pylist()
    sizes = [len(row) for row in lists]
    assert min(sizes) < max(sizes) <= 4
    assert all(row[0] == 0 for row in lists)


def test_a_session_lies_in_its_first_day(tmp_path):
    late = example_impressions([3], start_s=DAY_S - 60, first=1)
    write(tmp_path, example_impressions([2], start_s=DAY_S, first=2), late, example_impressions([1], first=3))
    files = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.*"))
    assert files == ["day=1970-01-01/00000.parquet", "day=1970-01-02/00000.parquet"]
    days = [set(pq.ParquetFile(tmp_path / file).read()["session"].to_pylist()) for file in files]
    assert days == [{1, 3}, {2}]


def test_files_are_numbered_on_and_read_together(tmp_path, same):
    one, other = example_impressions([2], first=1), example_impressions([3], first=2, terminated=True)
    assert write(tmp_path, one).rows == 2
    write(tmp_path, other)
    assert [path.name for path in sorted(tmp_path.rglob("*.parquet"))] == ["00000.parquet", "00001.parquet"]
    logs = Parquet(path=str(tmp_path))
    assert logs.spec == LOGS_SPEC
    same(join(list(logs)), join([one, other]))


def test_many_groups_in_many_files(tmp_path, same, monkeypatch):
    monkeypatch.setattr("livedqn.logs.writer.WAITING", 4)
    monkeypatch.setattr("livedqn.logs.writer.FILE", 8)
    parts = [example_impressions([2, 1], first=2 * i) for i in range(6)]  # five rows each
    write(tmp_path, *parts)
    files = sorted(tmp_path.rglob("*.parquet"))
    assert [pq.ParquetFile(file).num_row_groups for file in files] == [2, 2, 2]
    read = list(Parquet(path=str(tmp_path)))
    same(join(read), join(parts))
    assert len(read) > len(files)


def test_files_of_few_days_are_open_at_once(tmp_path, same, monkeypatch):
    monkeypatch.setattr("livedqn.logs.writer.WAITING", 1)
    monkeypatch.setattr("livedqn.logs.writer.OPEN", 2)
    parts = [example_impressions([2], first=1 + 9 * i, start_s=day * DAY_S) for i, day in enumerate([0, 1, 2, 0, 3])]
    with Writer(tmp_path, LOGS_SPEC) as writer:
        for part in parts:
            writer.add(part)
            writer.wait()
            assert len(list(tmp_path.rglob("*.part"))) <= 2
    assert sorted(path.name for path in tmp_path.rglob("*.parquet")) == ["00000.parquet"] * 4 + ["00001.parquet"]
    same(join(list(Parquet(path=str(tmp_path)))), join([parts[i] for i in (0, 3, 1, 2, 4)]))


def test_an_error_leaves_whole_files_or_none(tmp_path, monkeypatch):
    monkeypatch.setattr("livedqn.logs.writer.WAITING", 1)
    with pytest.raises(ZeroDivisionError), Writer(tmp_path, LOGS_SPEC) as writer:
        writer.add(example_impressions([2]))
        writer.add(example_impressions([2], first=9))
        raise ZeroDivisionError
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_a_crash_leaves_what_no_reader_looks_at(tmp_path):
    write(tmp_path, example_impressions([2]))
    (tmp_path / "day=1970-01-01/00001.parquet.part").write_bytes(b"PAR1 half of it")
    assert sum(map(len, Parquet(path=str(tmp_path)))) == 3


@pytest.mark.skipif(not hasattr(os, "O_DIRECTORY"), reason="folders cannot be opened here")
def test_what_bears_its_name_does_so_after_a_power_cut_its_new_folders_too(tmp_path, monkeypatch):
    real, synced = os.fsync, []
    monkeypatch.setattr(os, "fsync", lambda file: [synced.append(os.fstat(file).st_ino), real(file)])
    write(tmp_path / "logs", example_impressions([2]))
    (file,) = (tmp_path / "logs").glob("day=*/*.parquet")
    assert {path.stat().st_ino for path in (file, *file.parents[:3])} == set(synced)
    assert file.parents[2] == tmp_path


def test_what_cannot_be_is_not_written(tmp_path, spoilt):
    with pytest.raises(LivedqnError, match="propensity is 0 or less, or above 1"):
        write(tmp_path, spoilt(example_impressions([2]), propensity=(0, 3)))
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_games_have_no_rooms(tmp_path, same):
    spec = game_spec(num_actions=4, context_shape=(2,))
    made = example_impressions([2, 3])
    seen = {"context": made.observation["context"], "mask": np.ones_like(made.observation["mask"])}
    none = np.zeros_like(made.rooms)
    game = Impressions(**{**vars(made), "observation": seen, "signals": {}, "rooms": none, "streamers": none})
    with Writer(tmp_path, spec) as writer:
        writer.add(game)
    logs = Parquet(path=str(tmp_path))
    assert logs.spec == spec
    same(join(list(logs)), game)


def test_what_logs_cannot_hold():
    with pytest.raises(LivedqnError, match="not images"):
        schema(game_spec(num_actions=2, context_shape=(8, 8, 3)))
    with pytest.raises(LivedqnError, match="context has several columns named a; a log needs a name for each"):
        schema(Spec(context=(Column("a"), Column("a")), context_shape=(2,), num_actions=2))


def rewritten(folder, change):
    """The one file of ``folder``, its table changed."""
    write(folder, example_impressions([2]))
    path = folder / "day=1970-01-01/00000.parquet"
    pq.write_table(change(pq.ParquetFile(path).read()), path)
    return str(folder)


#: A spec that has none.
TWO_OF_ONE_NAME = json.dumps(
    {
        "context": [vars(Column("topic", "id"))], "context_shape": [1], "num_actions": 2, "signals": [],
        "history": [], "candidates": [vars(Column("topic", "category", cardinality=3))],
    }
)  # fmt: skip


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda t: t.drop_columns(["action", "native"]), "action is missing; native is missing; docs/logs.md"),
        (lambda t: t.set_column(0, "request", t["request"].cast(pa.string())), "request is string, not int64"),
        (lambda t: t.replace_schema_metadata({}), "is no log of livedqn; map a table of your own with logs=table"),
        (lambda t: t.replace_schema_metadata({"livedqn.logs": "99"}), "has version 99 of the log schema, this livedqn"),
        (lambda t: t.replace_schema_metadata({"livedqn.logs": "1"}), "its metadata were changed"),
        (
            lambda t: t.replace_schema_metadata({"livedqn.logs": "1", "livedqn.spec": TWO_OF_ONE_NAME}),
            "was written by an earlier livedqn, with columns .* column 'topic' is an id in .*; make it anew",
        ),
    ],
)
def test_a_file_that_is_no_log(tmp_path, change, why):
    with pytest.raises(LivedqnError, match=why):
        Parquet(path=rewritten(tmp_path, change))


def test_a_page_that_cannot_be_decoded_is_one_line(tmp_path):
    write(tmp_path, example_impressions([2]))
    (file,) = tmp_path.glob("day=*/*.parquet")
    whole = file.read_bytes()
    file.write_bytes(whole[:20] + b"\xff" * 40 + whole[60:])
    with pytest.raises(LivedqnError, match=r"00000.parquet is damaged from row 0 on: .*; restore it"):
        list(Parquet(path=str(tmp_path)))


@pytest.mark.parametrize(
    ("column", "values", "why"),
    [
        ("request", [1, None, 3], "damaged from row 0 on: request may not be null; restore it"),
        (
            "action",
            pa.array([-1, 0, 0], pa.int32()),
            "action is below 0; a row without one, a last observation, has null",
        ),
        ("streamers", [[0, None]] * 3, "a value of streamers may not be null"),
        ("rooms", [[0] * 9] * 3, "rooms are not as many as mask says"),
        ("candidates", [b"1234"] * 3, "candidates are not as many as mask says"),
        ("candidates", [b"12345"] * 3, "candidates is no float32"),
    ],
)
def test_rows_that_do_not_fit_together(tmp_path, column, values, why):
    def change(table):
        return table.set_column(table.column_names.index(column), column, pa.array(values))

    with pytest.raises(LivedqnError, match=why):
        list(Parquet(path=rewritten(tmp_path, change)))


@pytest.mark.parametrize(
    ("change", "what"), [({"episode": "viewer"}, "episode"), ({"has_nothing": False}, "has nothing")]
)
def test_files_that_differ_are_not_mixed(tmp_path, change, what):
    write(tmp_path, example_impressions([2]))
    spec = replace(LOGS_SPEC, **change)
    with Writer(tmp_path, spec) as writer:
        writer.add(example_impressions([2], first=4, has_nothing=spec.has_nothing))
    with pytest.raises(LivedqnError, match=f"differ in {what}; read them apart"):
        list(Parquet(path=str(tmp_path)))


def test_there_is_nothing(tmp_path):
    with pytest.raises(LivedqnError, match=r"nosuch does not exist; give the folder"):
        Parquet(path=str(tmp_path / "nosuch"))
    with pytest.raises(LivedqnError, match=r"holds no \*.parquet"):
        Parquet(path=str(tmp_path))
    (tmp_path / "x.parquet").write_bytes(b"text")
    with pytest.raises(LivedqnError, match="is no Parquet file that can be read"):
        Parquet(path=str(tmp_path / "x.parquet"))


def test_a_missing_propensity_stays_missing(tmp_path, spoilt):
    write(tmp_path, spoilt(example_impressions([2]), propensity=(0, np.nan)))
    assert pq.ParquetFile(tmp_path / "day=1970-01-01/00000.parquet").read()["propensity"].null_count == 2
    (read,) = Parquet(path=str(tmp_path))
    assert np.isnan(read.propensity).tolist() == [True, False, True]
    assert read.action[-1] == NO_ACTION


def test_that_there_is_no_nothing_stands_in_the_metadata(tmp_path, same):
    made, spec = example_impressions([2, 3], has_nothing=False), replace(LOGS_SPEC, has_nothing=False)
    with Writer(tmp_path, spec) as writer:
        writer.add(made)
    logs = Parquet(path=str(tmp_path))
    assert logs.spec == spec
    same(join(list(logs)), made)
    with pytest.raises(LivedqnError, match="the mask closes row 0"), Writer(tmp_path / "other", LOGS_SPEC) as writer:
        writer.add(made)


def test_logs_that_do_not_say_so_have_nothing(tmp_path):
    before = LOGS_SPEC.to_dict()
    del before["has_nothing"]
    assert Spec.from_dict(before) == LOGS_SPEC
