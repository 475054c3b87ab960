"""Commands of studies, wherever they are written down, are commands that there are."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("benchmarks", reason="needs the checkout")
ROOT = Path(__file__).parents[1]
SOURCES = {path: path.read_text(encoding="utf-8") for path in sorted((ROOT / "benchmarks").rglob("*.py"))}
PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("benchmarks/*/*.md"), *SOURCES]


def written() -> Iterator[tuple[str, str, list[str]]]:
    """Page, module, and the options it is given."""
    for path in PAGES:
        for found in re.finditer(r"python -m (benchmarks\.[\w.]*\w)([^\n`#|)]*)", path.read_text(encoding="utf-8")):
            yield str(path.relative_to(ROOT)), found[1], re.findall(r"--[\w-]+", found[2])


def test_commands_are_there():
    known = {option for text in SOURCES.values() for option in re.findall(r'"(--[\w-]+)"', text)}
    commands = list(written())
    assert len(commands) > 50
    for page, module, options in commands:
        path = ROOT / (module.replace(".", "/") + ".py")
        assert path in SOURCES, f"{page}: {module}"
        assert "__main__" in SOURCES[path], f"{page}: {module} is not run"
        assert not set(options) - known, f"{page}: {module} {options}"
