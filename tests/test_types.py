"""What every module speaks in."""

import pytest

from livedqn.types import first_line


@pytest.mark.parametrize(
    ("error", "line"),
    [(ValueError("\n one\ntwo"), "one"), (OSError(), "OSError"), (OSError("a" * 300), "a" * 200)],
)
def test_an_errors_first_line_is_a_line_whatever_it_holds(error, line) -> None:
    assert first_line(error) == line
