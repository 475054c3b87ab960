import hashlib
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from livedqn.logs import ColumnsError, cells, faults, join, mapping
from livedqn.logs.parquet import Parquet
from livedqn.logs.table import Table
from livedqn.logs.writer import Writer
from livedqn.types import Column, LivedqnError

MAPPING = """
request: id
viewer: user
time: {from: ts, unit: ms}
session_gap_s: 600
context:
  hour: {from: hour, unit: h}
  country: {from: country, values: [fr, de]}
  visits: {from: visits, kind: count, missing: 0}
history_length: 2
history:
  room: {from: past, kind: id}
candidates:
  heat: {from: heat, kind: count, unit: viewers, role: heat}
  streamer: {from: who, kind: id, role: streamer}
rooms: rooms
shown: shown
propensity: p
policy: model
signals:
  clicked: click
  watch_s: {from: watch_ms, scale: 0.001}
native: score
"""
CSV = """id,user,ts,hour,country,visits,past,heat,who,rooms,shown,p,model,click,watch_ms,score,ignored
r1,ann,60000,20.5,fr,3,,10|20,7|8,101|102,102,0.25,v1,true,30000,1,x
r3,bob,0,8,xx,,1|2|3,5,9,101,,0.5,v1,false,0,0,x
r2,ann,90500,20.6,de,4,102,,,,,1,v2,0,0,0,x
r4,ann,1000000,21,fr,5,102,10|20|30,7|8|9,101|102|103,103,0.5,v2,1,1500,2,x
"""


@pytest.fixture
def table(tmp_path):
    """``table(csv, mapping, **settings)``: a reader."""

    def read(text=CSV, columns=MAPPING, **settings):
        (tmp_path / "table.csv").write_text(text)
        (tmp_path / "columns.yaml").write_text(columns)
        return Table(path=str(tmp_path / "table.csv"), columns=str(tmp_path / "columns.yaml"), **settings)

    return read


def test_a_table_is_read_as_its_mapping_says(table):
    logs = table()
    assert [c.name for c in logs.spec.candidates] == ["heat", "streamer"]
    assert logs.spec.context[1] == Column("country", "category", cardinality=3)
    assert logs.spec.num_actions == 4
    made = join(list(logs))
    assert list(faults(made, logs.spec)) == []
    order = np.argsort(made.row)
    made = made.take(order)  # as the rows stand in the table
    assert made.row.tolist() == [0, 1, 2, 3]
    np.testing.assert_allclose(made.observation["context"], [[20.5, 1, 3], [8, 0, 0], [20.6, 2, 4], [21, 1, 5]])
    assert made.observation["mask"].sum(axis=1).tolist() == [3, 2, 1, 4]
    assert made.observation["candidates"][0].tolist() == [[0, 0], [10, 7], [20, 8], [0, 0]]
    assert made.rooms[3].tolist() == [0, 101, 102, 103]
    assert made.action.tolist() == [2, 0, 0, 3]
    assert made.observation["history"][:, :, 0].tolist() == [[0, 0], [1, 1], [0, 1], [0, 1]]
    assert made.observation["history"][1, :, 1].tolist() == [2, 3]  # the newest two of three, oldest first
    assert made.propensity.tolist() == [0.25, 0.5, 1, 0.5]
    assert made.policy.tolist() == ["v1", "v1", "v2", "v2"]
    assert made.signals["watch_s"].tolist() == [30, 0, 0, 1.5]
    assert made.signals["clicked"].tolist() == [1, 0, 0, 1]
    assert made.native.tolist() == [1, 0, 0, 2]
    assert made.time_s.tolist() == [60, 0, 90, 1000]


def test_visits_are_told_by_pauses_and_end(table):
    made = join(list(table()))
    by_row = dict(zip(made.row.tolist(), range(4), strict=True))
    session = made.session[[by_row[row] for row in range(4)]]
    assert session[0] == session[2]
    assert len({*session.tolist()}) == 3
    assert made.elapsed_s[by_row[0]] == pytest.approx(30.5)
    assert made.elapsed_s[by_row[2]] == 60
    assert made.terminated[[by_row[row] for row in range(4)]].tolist() == [False, True, True, True]
    cut = join(list(table(columns=MAPPING + "ends: truncated\n")))
    assert cut.terminated.sum() == 0
    assert cut.truncated.sum() == 3


def test_parts_of_a_sorted_table_are_read_as_the_whole(table, same, monkeypatch):
    head, *rows = CSV.splitlines(keepends=True)
    ordered = head + "".join(sorted(rows, key=lambda row: (row.split(",")[1], int(row.split(",")[2]))))
    whole = join(list(table(ordered)))
    monkeypatch.setattr("livedqn.logs.table.Table._tables", one_by_one())
    parts = list(table(ordered, is_sorted=True))
    assert len(parts) == 3
    merged = join(parts)
    order = np.argsort(merged.row), np.argsort(whole.row)
    one, other = merged.take(order[0]), whole.take(order[1])
    same(replace(one, session=other.session), other)
    assert (one.begins == other.begins).all()


def one_by_one():
    tables = Table._tables

    def single(self, wanted):
        for table in tables(self, wanted):
            yield from (table.slice(i, 1) for i in range(len(table)))

    return single


def test_parquet_with_lists_and_types(tmp_path, table, same):
    from_csv = join(list(table()))
    raw = pa.csv.read_csv(tmp_path / "table.csv").to_pylist()
    for row in raw:
        for name in ("past", "heat", "who", "rooms"):
            row[name] = [int(value) for value in str(row[name]).split("|")] if row[name] not in ("", None) else []
        row["ts"] = datetime.fromtimestamp(row["ts"] / 1000, UTC)
        row["click"] = str(row["click"]).lower() in ("1", "true")
        row["shown"] = None if row["shown"] is None else int(row["shown"])
    pq.write_table(pa.Table.from_pylist(raw), tmp_path / "table.parquet")
    logs = Table(path=str(tmp_path / "table.parquet"), columns=str(tmp_path / "columns.yaml"))
    same(join(list(logs)), from_csv)
    of_others = pq.read_table(tmp_path / "table.parquet")
    for name in ("user", "country", "model"):
        of_others = of_others.set_column(
            of_others.column_names.index(name), name, of_others[name].cast(pa.string_view())
        )
    pq.write_table(of_others, tmp_path / "table.parquet")
    same(join(list(logs)), from_csv)


def test_a_mapped_table_can_be_written_as_logs(tmp_path, table, same):
    logs = table()
    made = join(list(logs))
    with Writer(tmp_path / "logs", logs.spec) as writer:
        writer.add(made)
    same(join(list(Parquet(path=str(tmp_path / "logs")))), replace(made, defect=None))


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("20.5,fr", "warm,fr", "context.hour is not finite"),
        ("0.25,v1", ",v1", None),
        ("0.25,v1", "1.5,v1", "the propensity is 0 or less, or above 1"),
        ("0.25,v1", "1e300,v1", "the propensity is 0 or less, or above 1"),
        ("60000,20.5", "soon,20.5", "the time is missing, or cannot be read"),
        ("60000,20.5", "1e400,20.5", "time_s is none of 1970 to 2100"),
        ("10|20,7|8,", "10|20,7,", "lists of the candidates differ in length"),
        ("102,0.25", "999,0.25", "the action was masked, or is none of the candidates"),
        ("true,30000", "2,30000", "signals.clicked is impossible"),
        ("r1,ann", ",ann", "the request is missing"),
        ("r1,ann", "r1,", "the viewer is missing"),
    ],
)
def test_what_cannot_be_read_is_a_fault_of_its_row(table, old, new, what):
    logs = table(CSV.replace(old, new, 1))
    made = join(list(logs))
    found = {fault.what: made.row[fault.rows].tolist() for fault in faults(made, logs.spec)}
    assert found.get(what) == ([0] if what else None)
    assert bool(found) == bool(what)


def test_candidates_may_be_named_as_what_a_mapping_has_beside_them(table):
    columns = MAPPING.replace("  heat: {from: heat,", "  streamers: {from: heat,").replace(
        "  streamer: {from: who", "  mask: {from: who"
    )
    made = join(list(table(columns=columns)))
    same = join(list(table()))
    np.testing.assert_array_equal(made.observation["candidates"], same.observation["candidates"])
    np.testing.assert_array_equal(made.observation["mask"], same.observation["mask"])
    assert not made.streamers.any()


def test_commas_are_asked_for_where_there_is_one_column(table):
    with pytest.raises(ColumnsError, match=r"the table has id;user;.*; that is one column: are commas between them\?"):
        table(CSV.replace(",", ";"))


@pytest.mark.parametrize("is_sorted", [False, True])
def test_a_table_without_rows_has_no_impressions(tmp_path, table, is_sorted):
    assert list(table(CSV.partition("\n")[0], is_sorted=is_sorted)) == []
    names = CSV.partition("\n")[0].split(",")
    pq.write_table(pa.table({name: pa.array([], pa.string()) for name in names}), tmp_path / "none.parquet")
    columns = str(tmp_path / "columns.yaml")
    assert list(Table(path=str(tmp_path / "none.parquet"), columns=columns, is_sorted=is_sorted)) == []


def test_an_action_and_a_mask_instead_of_rooms(table):
    columns = MAPPING.replace("shown: shown", "action: hour\nmask: who").replace("\n  hour: {from: hour, unit: h}", "")
    text = CSV.replace(",20.5,", ",2,").replace("7|8,101", "0|1,101").replace(",8,xx", ",0,xx")
    text = text.replace(",20.6,", ",0,").replace(",21,fr", ",1,fr")
    made = join(list(table(text, columns)))
    first = int((made.row == 0).argmax())
    assert made.observation["mask"][first].tolist() == [True, False, True, False]
    assert made.action[first] == 2


def test_missing_and_mistyped_columns_are_told_at_once(tmp_path, table):
    with pytest.raises(
        ColumnsError, match=r"column hour is missing; column p is missing; the table has id, user, ts"
    ) as told:
        table(CSV.replace("hour", "uhr").replace(",p,", ",q,"))
    assert told.value.problems == ("column hour is missing", "column p is missing")
    names = CSV.partition("\n")[0].split(",")
    pq.write_table(pa.table({n: [[1]] if n == "hour" else [1] for n in names}), tmp_path / "t.parquet")
    with pytest.raises(
        ColumnsError,
        match=r"column hour is list<element: int64>, not one number, text or time a row; .*column heat is int64",
    ):
        Table(path=str(tmp_path / "t.parquet"), columns=str(tmp_path / "columns.yaml"))


@pytest.mark.parametrize(
    ("columns", "why"),
    [
        (MAPPING.replace("viewer: user\n", ""), "it lacks viewer; docs/logs.md"),
        (MAPPING.replace("shown: shown\n", ""), "it lacks what was shown: action"),
        (MAPPING + "sesion: x\n", "the mapping has sesion; did you mean 'session'; it may have request, viewer"),
        (MAPPING.replace("unit: ms", "unit: h"), "time.unit is 'h'; choose s, ms, us, text"),
        (MAPPING.replace("kind: id, role: streamer", "kind: name"), "candidates.streamer.kind is 'name'"),
        (MAPPING.replace("{from: past, kind: id}", "{kind: id}"), "history.room lacks from"),
        (
            MAPPING.replace("{from: past, kind: id}", "{from: past, sort: id}"),
            "history.room has sort; it may have from, kind",
        ),
        (MAPPING + "ends: never\n", "ends is 'never'; choose terminated, truncated"),
        (MAPPING.replace("session_gap_s: 600", "session_gap_s: -1"), "session_gap_s is -1; it is a number above 0"),
        ("[1, 2]", "the mapping is \\[1, 2\\]; it has to map some of request"),
        ("a: [", "is no YAML"),
    ],
)
def test_mappings_that_nobody_understands(table, columns, why):
    with pytest.raises(LivedqnError, match=why):
        table(columns=columns)


def test_files_that_are_not_there(tmp_path, table):
    table()
    with pytest.raises(LivedqnError, match=r"is no file; give a \.csv or \.parquet"):
        Table(path=str(tmp_path / "nosuch.csv"), columns=str(tmp_path / "columns.yaml"))
    with pytest.raises(LivedqnError, match=r"nosuch\.yaml cannot be read: No such file"):
        Table(path=str(tmp_path / "table.csv"), columns=str(tmp_path / "nosuch.yaml"))
    (tmp_path / "x.parquet").write_text("text")
    with pytest.raises(LivedqnError, match=r"x\.parquet cannot be read"):
        Table(path=str(tmp_path / "x.parquet"), columns=str(tmp_path / "columns.yaml"))


def test_names_are_numbers_or_hashes():
    hashed = int.from_bytes(hashlib.blake2b(b"ann", digest_size=8).digest(), "little") >> 1
    assert cells.names(pa.array(["17", "ann", None, " 17 ", ""])).tolist() == [17, hashed, 0, 17, 0]
    assert cells.names(pa.array([5, None])).tolist() == [5, 0]
    assert cells.names(pa.nulls(2)).tolist() == [0, 0]


def test_numbers_and_times():
    found = cells.numbers(pa.array(["1", "-2.5e3", "x", None, "Yes", "f", "1,5"]))
    np.testing.assert_array_equal(found, [1, -2500, np.nan, np.nan, 1, 0, np.nan])
    assert cells.times(pa.array(["1970-01-02T00:00:01.5Z", "1970-01-02", None, "noon"]), "text")[:2].tolist() == [
        86401.5,
        86400,
    ]
    assert np.isnan(cells.times(pa.array(["noon", None]), "text")).all()
    assert cells.times(pa.array([2_000_000]), "us").tolist() == [2]


def test_ids_of_features_fit_and_lists_may_be_json():
    cell = mapping.parse({**simple(), "candidates": {"who": {"from": "w", "kind": "id"}}}).candidates[0]
    assert cells.feature(pa.array([0, 5, 2**24]), cell).tolist() == [0, 5, 2]
    sizes, flat = cells.lists(pa.array(["[1, 2]", "", None, "3"]), ",")
    assert sizes.tolist() == [2, 0, 0, 1]
    assert cells.numbers(flat).tolist() == [1, 2, 3]


def simple():
    return {
        "viewer": "v", "time": "t", "context": {"a": "a"}, "candidates": {"b": "b"}, "action": "c", "propensity": "p",
        "signals": {"clicked": "d"},
    }  # fmt: skip


def test_the_mapping_of_the_documentation_is_one():
    page = Path(__file__).parents[2] / "docs" / "logs.md"
    if not page.exists():
        pytest.skip("needs the checkout")
    (block,) = re.findall(r"```yaml\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    found = mapping.parse(yaml.safe_load(block))
    assert found.spec(5).column("candidates", "heat") == 1
    assert found.wanted["viewers"]


def test_a_row_of_too_few_fields_is_a_defect_of_its_own(table):
    lines = CSV.splitlines()
    whole = join(list(table("\n".join([*lines[:2], "r9,ann", *lines[2:]]) + "\n")))
    broken = whole.row.tolist().index(1)
    assert whole.defect[broken] == "it has 2 fields, not 17"
    assert {fault.what: fault.rows.nonzero()[0].tolist() for fault in faults(whole, table().spec)}[
        "it has 2 fields, not 17"
    ] == [broken]


def test_a_table_without_nothing(table):
    columns = MAPPING + "has_nothing: false\n"
    logs = table(columns=columns)
    made = join(list(logs))
    assert not logs.spec.has_nothing and not made.observation["mask"][:, 0].any()
    found = {fault.what: sorted(made.row[fault.rows].tolist()) for fault in faults(made, logs.spec)}
    assert found["row 0 (nothing) was chosen, though the logs say has_nothing=False"] == [1, 2]
    assert found["the mask allows no action"] == [2]  # its lists are empty
    shown = "".join(line for line in CSV.splitlines(keepends=True) if not line.startswith(("r2", "r3")))
    logs = table(shown, columns)
    assert not list(faults(join(list(logs)), logs.spec))
    with pytest.raises(LivedqnError, match="has_nothing is 'never'; it is true, or false"):
        table(columns=MAPPING + "has_nothing: never\n")


BY_TIME = "user,ts,hour,heat,shown,click\n" + "".join(f"u{i % 3},{60 * i},8,5|9,1,0\n" for i in range(12))
SHORT = """
viewer: user
time: ts
context: {hour: hour}
candidates: {heat: heat}
action: shown
signals: {clicked: click}
"""


@pytest.mark.parametrize("by_row", [False, True])
def test_a_table_in_order_of_time_is_not_sorted_by_visits(table, by_row, monkeypatch):
    assert len(np.unique(join(list(table(BY_TIME, SHORT))).session)) == 3
    if by_row:  # viewers are known from one part to the next
        monkeypatch.setattr("livedqn.logs.table.Table._tables", one_by_one())
    with pytest.raises(
        LivedqnError, match=r"is_sorted=true, but in row 3 of .* behind rows of others; leave is_sorted"
    ):
        list(table(BY_TIME, SHORT, is_sorted=True))
    ended = BY_TIME.replace("click\n", "click,end\n").replace(",0\n", ",0,y\n")
    made = join(list(table(ended, SHORT + "terminated: end\n", is_sorted=True)))
    assert len(np.unique(made.session)) == 12  # each request is a visit, however soon the next comes


def test_rows_that_cannot_be_read_scatter_nobody(table):
    lines = BY_TIME.splitlines(keepends=True)
    ordered = [lines[0], *sorted(lines[1:])]
    ordered[3:3] = ["u0,90,8,5|9,1,0,more,fields\n", ",95,8,5|9,1,0\n"]
    ordered[9:9] = [",96,8,5|9,1,0\n"]
    logs = table("".join(ordered), SHORT, is_sorted=True)
    made = join(list(logs))
    assert len(made) == 15
    assert {fault.what for fault in faults(made, logs.spec)} >= {"the viewer is missing", "it has 8 fields, not 6"}


def test_rows_that_are_far_apart_may_stand_apart(table):
    later = BY_TIME + "u0,99999,8,5,1,0\n" + "u1,99999,8,5,1,0\n"
    lines = later.splitlines(keepends=True)
    ordered = lines[0] + "".join(sorted(lines[1:-2])) + "".join(lines[-2:])  # u0's second visit stands behind u2's
    assert len(np.unique(join(list(table(ordered, SHORT, is_sorted=True))).session)) == 5


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (("shown: shown", "shown: shown\nterminated: score"), "the field of terminated cannot be read"),
        (("propensity: p", "propensity: model"), "the field of propensity cannot be read"),
        (("rooms: rooms", "rooms: rooms\nmask: model"), "the field of mask cannot be read"),
        (
            ("room: {from: past, kind: id}", "room: {from: past, kind: id}\n  more: {from: heat}"),
            "lists of the history",
        ),
    ],
)
def test_fields_that_cannot_be_read_are_faults_of_their_rows(table, change, what):
    text = CSV.replace(",1,x\n", ",?,x\n", 1)
    logs = table(text, MAPPING.replace(*change).replace("native: score", ""))
    found = [fault.what for fault in faults(join(list(logs)), logs.spec)]
    assert any(what in one for one in found)


def test_a_word_in_a_mask_is_a_fault_of_its_row(table):
    text = BY_TIME.replace("click\n", "click,open\n").replace(",0\n", ",0,1|0\n").replace(",1|0\n", ",1|maybe\n", 1)
    logs = table(text, SHORT + "mask: open\n")
    (fault,) = faults(join(list(logs)), logs.spec)
    assert (fault.what, fault.rows.sum()) == ("the field of mask cannot be read", 1)


def test_a_viewer_whose_digits_are_lost_is_a_fault(tmp_path, table):
    table(BY_TIME, SHORT)
    rows = pa.table(
        {"user": [2.0**60, 17.0], "ts": [0, 60], "hour": [8, 8], "heat": [[5], [5]], "shown": [1, 1], "click": [0, 0]}
    )
    pq.write_table(rows, tmp_path / "t.parquet")
    logs = Table(path=str(tmp_path / "t.parquet"), columns=str(tmp_path / "columns.yaml"))
    (fault,) = faults(join(list(logs)), logs.spec)
    assert fault.what == "viewer has lost digits: a float; give integers or text"
    assert fault.rows.sum() == 1


def test_one_row_of_very_many_rooms_makes_parts_of_fewer_rows(table, monkeypatch):
    monkeypatch.setattr("livedqn.logs.table.CANDIDATES", 300)
    text = BY_TIME + "u3,0,8," + "|".join("5" * 1 for _ in range(99)) + ",1,0\n"
    logs = table(text, SHORT)
    sizes = [len(part) for part in logs]
    assert max(sizes) <= 4 + 3
    assert sum(sizes) == 13
    assert logs.spec.num_actions == 100


@pytest.mark.parametrize(
    ("kinds", "what"),
    [
        ({"hour": pa.array([datetime(2026, 1, 1)])}, r"column hour is timestamp\[us\], which is no number"),
        ({"heat": pa.array([[datetime(2026, 1, 1)]])}, r"column heat is list<.*timestamp\[us\]>, which is no number"),
        ({"user": pa.array([b"0123456789abcdef"], pa.binary(16))}, r"column user is fixed_size_binary\[16\], not one"),
        ({"heat": pa.array([[{"a": 1}]])}, r"column heat is list<.*struct<a: int64>>, not a list of numbers or text"),
    ],
)
def test_columns_of_types_that_say_nothing_are_told(tmp_path, table, kinds, what):
    table(BY_TIME, SHORT)
    plain = {"user": ["a"], "ts": [0], "hour": [8], "heat": [[5]], "shown": [1], "click": [0]}
    pq.write_table(pa.table(plain | kinds), tmp_path / "t.parquet")
    with pytest.raises(ColumnsError, match=what):
        Table(path=str(tmp_path / "t.parquet"), columns=str(tmp_path / "columns.yaml"))


def test_two_columns_of_one_name_and_an_empty_separator_are_refused(table):
    with pytest.raises(ColumnsError, match="column hour is there twice"):
        table(
            BY_TIME.replace("click\n", "hour\n", 1),
            SHORT.replace("from: click", "from: hour").replace("clicked: click", "clicked: hour"),
        )
    with pytest.raises(LivedqnError, match=r"logs\.separator is empty"):
        table(separator="")
