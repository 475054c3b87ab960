from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pytest

from livedqn.logs import cells
from livedqn.logs.mapping import Cell
from livedqn.types import Column


@pytest.mark.parametrize(
    "column",
    [
        pa.array(["17", "42", None]), pa.array(["17.0", " 42.00 ", ""]), pa.array([17.0, 42.0, None]),
        pa.array([17.0, 42.0, np.nan]), pa.array([17, 42, None]),
    ],
    ids=["text", "text of floats", "floats", "nan", "integers"],
)  # fmt: skip
def test_a_whole_number_is_one_name_however_a_missing_neighbour_made_a_tool_write_it(column):
    assert cells.names(column).tolist() == [17, 42, 0]


def test_large_ids_that_are_floats_are_themselves():
    assert cells.names(pa.array([1e10, 123_456_789_012.0])).tolist() == [10_000_000_000, 123_456_789_012]


@pytest.mark.parametrize("neighbour", [[], [17.5], [None], [float("nan")], [float("inf")], [1e300]])
@pytest.mark.parametrize("kind", [pa.float64(), pa.float32()])
def test_a_whole_number_is_one_name_whatever_stands_beside_it(neighbour, kind):
    ids = [2.0**33, 17.0, 0.0]  # float32 has the first, too
    assert cells.names(pa.array([*ids, *neighbour], kind))[:3].tolist() == [2**33, 17, 0]


def test_a_whole_number_is_one_name_however_it_is_written():
    written = ["10000000000", "10000000000.0", "1e+10", "1.0E10", " 1.00E+10 "]
    assert cells.names(pa.array(written)).tolist() == [10**10] * 5
    assert cells.names(pa.array(["1e10", "1.5e+0", "1e+999"])).min() > 2**32  # the first may be hexadecimals


def test_a_whole_number_below_0_is_one_name_too():
    written = ["-17", "-17.0", "-1.7E1", f"{-(2**63)}", "-0"]
    assert cells.names(pa.array(written)).tolist() == [-17, -17, -17, -(2**63), 0]
    assert cells.names(pa.array([-17, -(2**63)])).tolist() == [-17, -(2**63)]
    assert cells.names(pa.array([-17.0, 0.5]))[0] == -17
    assert cells.names(pa.array([f"{-(2**63) - 1}", "-", "--17", "-a"])).min() > 2**32


def test_ids_of_63_bits_are_themselves_in_text_too():
    most = 2**63 - 1
    assert cells.names(pa.array([str(most)])).tolist() == cells.names(pa.array([most])).tolist() == [most]
    more = cells.names(pa.array([most + 1, 17, None], pa.uint64()))
    assert more.tolist() == [*cells.names(pa.array([str(most + 1)])), 17, 0]


def test_other_text_and_fractions_are_hashed():
    names = cells.names(pa.array(["17.5", "v1.0", "a"]))
    assert (names > 2**32).all()
    assert len({*names.tolist()}) == 3
    assert cells.names(pa.array([17.5, 18.0])).tolist() == cells.names(pa.array(["17.5", "18"])).tolist()


def test_a_day_that_no_calendar_has_is_missing_and_no_other():
    text = ["0000-00-00 00:00:00", "2026-02-30", "1970-01-02T00:00:00.5", "1970-01-01 00:01", None, "1970-01-01"]
    np.testing.assert_array_equal(
        cells.times(pa.array(text), "text"), [np.nan, np.nan, 86_400.5, 60, np.nan, 0]
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "time_s"),
    [
        ("1970-01-02T01:00:00+01:00", 86_400), ("1970-01-01 19:00:00.5-0500", 86_400.5), ("1970-01-02 00:00Z", 86_400),
        ("1970-01-02 00", 86_400), ("1970-01-02T01+01", 86_400),
        ("1970-01-02 00:00:00 UTC", 86_400), ("1970-01-02T00:00:00.123456789", 86_400.123456), (" 1970-01-02 ", 86_400),
        ("1970-01-02T00:00:00+2", np.nan), ("1970-02-30T00:00:00+01:00", np.nan),
    ],
)  # fmt: skip
def test_a_time_may_name_its_zone_whatever_the_others_do(text, time_s):
    np.testing.assert_array_equal(cells.times(pa.array([text]), "text"), [time_s])
    for first, first_s in (("1970-01-01", 0), ("1970-01-01 01Z", 3_600), ("0000-00-00", np.nan)):
        np.testing.assert_array_equal(
            cells.times(pa.array([first, text, None]), "text"), [first_s, time_s, np.nan]
        )  # fmt: skip


def test_days_are_times_and_no_numbers():
    days = pa.array([date(1970, 1, 2), None])
    np.testing.assert_array_equal(cells.times(days, "s"), [86_400, np.nan])
    np.testing.assert_array_equal(cells.numbers(days), [np.nan, np.nan])
    np.testing.assert_array_equal(cells.numbers(pa.array([timedelta(seconds=1.5), None])), [1.5, np.nan])


def test_values_of_a_list_in_text_may_be_in_quotes():
    for text in ("['r1', 'r2']", '["r1","r2"]', "r1,r2"):
        sizes, flat = cells.lists(pa.array([text]), ",")
        assert (sizes.tolist(), flat.to_pylist()) == ([2], ["r1", "r2"])
    _, flat = cells.lists(pa.array([["'r1'"]]), ",")
    assert flat.to_pylist() == ["'r1'"]


def test_blanks_are_missing_and_0_is_not():
    assert cells.missing(pa.array(["0", "", " ", None])).tolist() == [False, True, True, True]
    assert cells.missing(pa.array([0.0, np.nan, None])).tolist() == [False, True, True]
    assert cells.missing(pa.array([0, None])).tolist() == [False, True]


def test_zeros_in_front_are_part_of_a_name():
    names = cells.names(pa.array(["1", "001", "0", "-0", "10"]))
    assert names[[0, 2, 3, 4]].tolist() == [1, 0, 0, 10]
    assert names[1] > 2**32


def test_floats_that_have_lost_their_digits_are_told():
    column = pa.array([2.0**53 - 1, 2.0**53, -(2.0**60), np.nan, np.inf, None])
    assert cells.lost(column).tolist() == [False, True, True, False, False, False]
    assert not cells.lost(pa.array(["9007199254740993"])).any()
    assert cells.lost(pa.array([2.0**24 - 1, 2.0**24], pa.float32())).tolist() == [False, True]


@pytest.mark.parametrize(
    "written", [["1|2", "3"], ["[1, 2]", "[3]"], ["['1', '2']", "['3']"], [" 1 | 2 ", "[3]"], ["[1|2]", "3"]]
)
def test_a_list_is_one_with_or_without_brackets(written):
    sizes, flat = cells.lists(pa.array([*written, "[]", "", None]), "|")
    assert sizes.tolist() == [2, 1, 0, 0, 0]
    assert cells.names(flat).tolist() == [1, 2, 3]


def test_a_separator_within_quotes_is_none():
    written = ['["a,b"]', '["x|y", "z", null]', "['it''s', 'a|b']".replace("''", "\\'"), "[1, 'b']", '["no | list']
    sizes, flat = cells.lists(pa.array(written), "|")
    assert sizes.tolist() == [1, 3, 2, 2, 2]
    assert flat.to_pylist()[:8] == ["a,b", "x|y", "z", None, "it's", "a|b", "1", "b"]


def test_where_nothing_stands_in_a_list_there_is_no_name():
    _, flat = cells.lists(pa.array(["null|3|None", "nan|NA"]), "|")
    names = cells.names(flat).tolist()
    assert names[:4] == [0, 3, 0, 0]
    assert names[4] > 2**32  # NA may be a name


def test_a_category_is_one_however_it_is_written():
    cell = Cell("x", Column("x", "category", cardinality=4), ("0", "1", "fr"))
    found = cells.feature(pa.array([" fr ", "1.0", "0.00", "FR", None, "1"]), cell)
    assert found.tolist() == [3, 2, 1, 0, 0, 2]
    versions = Cell("x", Column("x", "category", cardinality=4), ("1", "1.0", "2.0"))
    assert cells.feature(pa.array(["1.0", "1", "2.0", "2", "1.00"]), versions).tolist() == [2, 1, 3, 3, 1]


@pytest.mark.parametrize(
    "column",
    [
        pa.array([["a"], None], pa.list_(pa.string_view())), pa.array([[1], None], pa.large_list(pa.int32())),
        pa.array([[1], None], pa.list_(pa.int64(), 1)), pa.array(["a", None], pa.string_view()), pa.nulls(2),
        pa.array([[None], None], pa.list_(pa.null())), pa.array(["a", None]).dictionary_encode(),
    ],
    ids=str,
)  # fmt: skip
def test_lists_of_every_type_that_is_let_in_can_be_read(column):
    assert cells.is_list(column.type)
    sizes, flat = cells.lists(cells.simple(column), "|")
    assert sizes.tolist() == [len(flat), 0]
    assert len(cells.names(flat)) == len(flat)


@pytest.mark.parametrize(
    "kind",
    [pa.binary(16), pa.list_(pa.list_(pa.int64())), pa.list_(pa.binary()), pa.struct([("a", pa.int64())])],
    ids=str,
)
def test_types_that_cannot_be_read_are_not_let_in(kind):
    assert not cells.is_list(kind)
    assert not cells.is_single(kind)
