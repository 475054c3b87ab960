"""Where and with what something was measured."""

from __future__ import annotations

import json
import os
import platform
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

PACKAGES = ("livedqn", "torch", "numpy", "numba", "gymnasium", "pytorch-lightning", "stable-baselines3", "minatar")


def describe() -> dict[str, Any]:
    """Date, processor, cores, Python, and versions of what this interpreter has."""
    found: dict[str, Any] = {
        "date": date.today().isoformat(), "cpu": _cpu_model(), "cores": os.cpu_count(), "system": platform.system(),
        "python": platform.python_version(),
    }  # fmt: skip
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def record(folder: Path, part: str, **more: Any) -> None:
    """Write down under ``part`` in ``folder/machine.json`` what its figures were measured with."""
    path = folder / "machine.json"
    known = json.loads(path.read_text()) if path.exists() else {}
    known[part] = {**describe(), **more}
    path.write_text(json.dumps(known, indent=2, sort_keys=True) + "\n")


def _cpu_model() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor()
