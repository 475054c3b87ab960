"""Plugins for tests: a folder on the path with metadata is all that an installed distribution is."""

from __future__ import annotations

import itertools
import os
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

# networks this small are slower on several threads, and tests run side by side; torch reads it as it is imported
os.environ["OMP_NUM_THREADS"] = "1"

Install = Callable[..., Path]
_NUMBERS = itertools.count()


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """``install("gift", "reward", "Gift", source)`` puts a distribution with one plugin on the path."""

    def put(name: str, kind: str, attribute: str, source: str, *, distribution: str = "", version: str = "1.0") -> Path:
        distribution = distribution or f"livedqn-{name}"
        module = f"made_plugin_{next(_NUMBERS)}"  # modules stay imported from one test to the next
        folder = tmp_path / "site" / distribution
        info = folder / f"{distribution.replace('-', '_')}-{version}.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n")
        (info / "entry_points.txt").write_text(f"[livedqn.{kind}]\n{name} = {module}:{attribute}\n")
        (folder / f"{module}.py").write_text(textwrap.dedent(source))
        monkeypatch.syspath_prepend(str(folder))
        return folder

    return put


@pytest.fixture
def no_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs end without a report: to draw one takes longer than a small run; ``tests/report`` tests what it holds."""
    from livedqn import report

    monkeypatch.setattr(report, "write", lambda *_: None)
