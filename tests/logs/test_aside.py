import pyarrow.parquet as pq

from livedqn.logs import join
from livedqn.logs.aside import SetAside
from livedqn.logs.parquet import Parquet
from livedqn.testing import LOGS_SPEC, example_impressions


def test_a_session_is_set_aside_whole_with_why(tmp_path, same, spoilt):
    right = example_impressions([2, 3, 1])  # rows 0-2, 3-6, 7-8
    wrong = spoilt(right, propensity=(4, 2.0), elapsed_s=(4, -1))
    with SetAside(tmp_path / "aside.parquet", LOGS_SPEC) as aside:
        assert aside.sound(example_impressions([1], first=9)).session.tolist() == [9, 9]
        sound = aside.sound(wrong)
    same(sound, join([right.take(slice(0, 3)), right.take(slice(7, 9))]))
    assert (aside.rows, aside.sessions) == (4, 1)
    assert aside.why["the propensity is 0 or less, or above 1"] == 1
    table = pq.ParquetFile(tmp_path / "aside.parquet").read()
    assert table["row"].to_pylist() == [3, 4, 5, 6]
    assert table["why"].to_pylist()[0] == ""
    assert table["why"].to_pylist()[1].startswith("the propensity is 0 or less, or above 1; elapsed_s is not above 0")
    # it is a log itself, for whoever mends it
    same(join(list(Parquet(path=str(tmp_path / "aside.parquet")))), wrong.take(slice(3, 7)))


def test_where_nothing_is_wrong_there_is_no_file(tmp_path):
    with SetAside(tmp_path / "aside.parquet", LOGS_SPEC) as aside:
        aside.sound(example_impressions([2]))
    assert not list(tmp_path.iterdir())
