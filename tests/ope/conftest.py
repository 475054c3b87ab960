"""Scripts of the study of estimators, for their tests."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

FOLDER = Path(__file__).parents[2] / "benchmarks" / "ope"


@pytest.fixture(scope="session")
def script() -> Callable[[str], ModuleType]:
    """``script("magic")`` is that script as a module; the test is skipped where only the package is."""

    def load(name: str) -> ModuleType:
        path = FOLDER / f"{name}.py"
        if not path.exists():
            pytest.skip("needs the checkout")
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return load
