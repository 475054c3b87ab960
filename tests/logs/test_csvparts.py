import gzip

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livedqn.logs.csvparts import BROKEN, ROW, columns, parts
from livedqn.logs.rules import ColumnsError
from livedqn.types import LivedqnError


def read(path, *wanted):
    return [row for table in parts(path, wanted) for row in table.to_pylist()]


def test_fields_are_text_and_empty_ones_null(tmp_path):
    path = tmp_path / "table.csv.gz"
    path.write_bytes(gzip.compress(b'a,b,c\n1,"x, y",\n02,NaN,3\n'))
    assert columns(path) == ["a", "b", "c"]
    assert read(path, "b", "a") == [
        {"b": "x, y", "a": "1", ROW: 0, BROKEN: None}, {"b": None, "a": "02", ROW: 1, BROKEN: None}
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["a,b", "a,b\n", "\ufeffa,b\n \n\n", "\"a\",'b'\r\n"])
def test_a_line_of_names_is_no_row(tmp_path, text):
    path = tmp_path / "table.csv"
    path.write_text(text, encoding="utf-8")
    (table,) = parts(path, ["a"])
    assert (table.num_rows, table.column_names) == (0, ["a", ROW, BROKEN])


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(1, 3), max_size=12))
def test_every_row_comes_in_its_place(tmp_path_factory, widths):
    """A row of other than two fields is broken, and no other."""
    path = tmp_path_factory.mktemp("csv") / "table.csv"
    lines = [",".join(f"{i}" for _ in range(width)) for i, width in enumerate(widths)]
    path.write_text("\n".join(["a,b", *lines]) + "\n")
    found = read(path, "a", "b")
    assert [row[ROW] for row in found] == list(range(len(widths)))
    for i, (row, width) in enumerate(zip(found, widths, strict=True)):
        assert row["a"] == (str(i) if width == 2 else None)
        assert row[BROKEN] == (None if width == 2 else f"it has {width} fields, not 2")


def test_rows_keep_their_numbers_across_the_blocks_of_a_large_file(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("a,b\n" + "".join(f"{i},{'x' * 99}\n" if i % 1_000 else f"{i}\n" for i in range(30_000)))
    found = read(path, "a")
    assert [row[ROW] for row in found] == list(range(30_000))
    assert all(row["a"] == (str(row[ROW]) if row[ROW] % 1_000 else None) for row in found)


def test_a_file_without_rows_is_a_part_without_rows(tmp_path):
    (tmp_path / "table.csv").write_text("a,b\n")
    (part,) = parts(tmp_path / "table.csv", ["a"])
    assert (len(part), part.column_names) == (0, ["a", ROW, BROKEN])


def test_what_cannot_be_read_is_one_line(tmp_path):
    with pytest.raises(LivedqnError, match=r"none.csv cannot be read: "):
        columns(tmp_path / "none.csv")
    (tmp_path / "table.csv").write_text("a,b\n1,2\n")
    with pytest.raises(ColumnsError, match="column c is missing"):
        read(tmp_path / "table.csv", "a", "c")


def test_lines_of_nothing_are_no_rows(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("a,b\n\n1,2\n   \n3\n\t\r\n\n4,5\n  \n")
    found = read(path, "a", "b")
    assert [(row["a"], row[BROKEN]) for row in found] == [("1", None), (None, "it has 1 fields, not 2"), ("4", None)]
    assert [row[ROW] for row in found] == sorted({row[ROW] for row in found})
    path.write_text("a,b\n  \n \n")  # a part all the same
    assert [part.to_pydict() for part in parts(path, ["a"])] == [{"a": [], ROW: [], BROKEN: []}]
    path.write_text("a,b\n" + "".join(f"{i},{'x' * 99}\n \n" for i in range(30_000)))  # several blocks
    found = read(path, "a")
    assert [(row["a"], row[BROKEN]) for row in found] == [(str(i), None) for i in range(30_000)]


def test_names_are_told_without_a_reader_that_would_outlive_a_program_that_ends_at_once(tmp_path, monkeypatch):
    """With Arrow's own, a command that refused a column mostly aborted at its end."""
    monkeypatch.setattr("pyarrow.csv.open_csv", None)
    path = tmp_path / "table.csv"
    path.write_bytes('\ufeff\r\n"a, b",c\r\n1,2\r\n'.encode())
    assert columns(path) == ["a, b", "c"]
    path.write_bytes(b"\n")
    with pytest.raises(LivedqnError, match="it is empty"):
        columns(path)


def test_a_word_is_kept_in_its_column_alone(tmp_path):
    (tmp_path / "table.csv").write_text("region,room\nNA,NA\nnull,17\n,\n")
    (table,) = [
        part for part in parts(tmp_path / "table.csv", ["region", "room"], {"region": ["EU", "NA"]}) if len(part)
    ]
    assert table["region"].to_pylist() == ["NA", None, None]
    assert table["room"].to_pylist() == [None, "17", None]


def stray(*rows, of=400):
    """A CSV in which fields of ``rows`` begin with a quote."""
    return "a,b,c,d,e\n" + "".join(f"{i},{chr(34) * (i in rows)}t,1,2,3\n" for i in range(of))


@pytest.mark.parametrize(
    ("rows", "first", "last"), [((20, 200), 22, 202), ((20, 23), 22, 25), ((395,), 397, 402), ((399,), 401, 402)]
)
def test_a_quote_that_takes_rows_with_it_is_an_error(tmp_path, rows, first, last):
    path = tmp_path / "table.csv"
    path.write_text(stray(*rows))
    with pytest.raises(
        LivedqnError, match=rf"a field in quotes that begins in line {first} goes on to line {last}, and"
    ):
        read(path, "a")


def test_a_long_text_is_one(tmp_path):
    path = tmp_path / "table.csv"
    poem = "\n".join(f"line {i}, of many" for i in range(200))
    path.write_text(stray(of=3) + f'3,"{poem}",1,2,3\n' + '4,"one, two, three, four, five\nand",1,2,3\n')
    assert [row["a"] for row in read(path, "a")] == ["0", "1", "2", "3", "4"]


def test_quotes_within_fields_and_line_breaks_within_quotes_are_text(tmp_path):
    path = tmp_path / "table.csv"
    text = 'a,b\n1,5" tv\n2,"say ""hi"", ok"\n3,"two\nlines"\n4,""\n' + "".join(
        f'{i},"x\r\ny"\n' for i in range(5, 200_000)
    )
    path.write_text(text, newline="")
    found = [row for table in parts(path, ["a", "b"]) for row in table.to_pylist()]  # of several blocks
    assert [row["a"] for row in found] == [str(i) for i in range(1, 200_000)]
    assert [row["b"] for row in found[:4]] == ['5" tv', 'say "hi", ok', "two\nlines", None]
