"""What one waits for before anything is learned, and how much there is to download.

python -m benchmarks.speed.start

CPU seconds of ``livedqn --help``; seconds, and CPU seconds, from the start of a process to the end of its first
training step on the simulator, without compilation; CPU seconds of ``import torch`` alone; seconds of ``import
livedqn``; the size of the wheel; and what the imports of training cost. A first, unseen run fills the caches of the
disk and of compiled kernels.
"""

from __future__ import annotations

import argparse
import resource
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks import machine
from benchmarks.processes import ROOT, environment
from benchmarks.rows import write_csv
from benchmarks.speed import options
from benchmarks.speed.tables import spread

#: What is aimed at, in the unit of the name.
AIMS = {"help_cpu_s": 1.0, "first_step_s": 5.0, "first_step_cpu_s": 5.0, "import_s": 0.2, "wheel_kb": 300.0}

IMPORT = "import time; t = time.perf_counter(); import livedqn; print(time.perf_counter() - t)"


def run(told: argparse.Namespace, *words: str) -> subprocess.CompletedProcess[str]:
    """A process of livedqn's interpreter."""
    python = options.interpreter(told, "livedqn")
    return subprocess.run([python, *words], env=environment(), text=True, capture_output=True, check=True)


def cpu_s(told: argparse.Namespace, *words: str) -> float:
    """User and system seconds of a process."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    run(told, *words)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def help_cpu_s(told: argparse.Namespace) -> float:
    """Of ``--help``."""
    return cpu_s(told, "-m", "livedqn", "--help")


def torch_cpu_s(told: argparse.Namespace) -> float:
    """Of a process that does nothing but ``import torch``: no first step can come sooner."""
    return cpu_s(told, "-c", "import torch")


def first_step(told: argparse.Namespace) -> list[float]:
    """When a process came to the end of its first training step, and the CPU seconds until then; there it ends."""
    with tempfile.TemporaryDirectory() as folder:
        done = run(told, "-m", "benchmarks.speed.contestants.livedqn_first_step", f"hydra.run.dir={folder}/run")
    return [float(word) for word in done.stdout.split()[-2:]]


def first_step_s(told: argparse.Namespace) -> float:
    """From before the process exists to the end of its first training step."""
    began = time.time()
    return first_step(told)[0] - began


def first_step_cpu_s(told: argparse.Namespace) -> float:
    """The same in CPU seconds, which neighbours on the machine disturb less."""
    return first_step(told)[1]


def import_s(told: argparse.Namespace) -> float:
    """``import livedqn`` alone, without the interpreter's own start."""
    return float(run(told, "-c", IMPORT).stdout)


def wheel_kb(told: argparse.Namespace) -> float:
    """Of what is here now, built from a copy, since a build leaves folders behind."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "source"
        for name in ("src", "conf"):
            shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
        for name in ("pyproject.toml", "README.md", "LICENSE"):
            shutil.copy(ROOT / name, copy)
        run(told, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, str(copy))
        return next(Path(folder).glob("*.whl")).stat().st_size / 1000


def heaviest(told: argparse.Namespace, count: int = 12) -> list[tuple[str, float]]:
    """Packages by the seconds that importing ``livedqn.training`` spends in their own modules."""
    report = run(told, "-X", "importtime", "-c", "import livedqn.training").stderr
    own: dict[str, float] = {}
    for line in report.splitlines()[1:]:
        spent, _, module = line.removeprefix("import time:").split("|")
        package = module.strip().split(".")[0]
        own[package] = own.get(package, 0.0) + int(spent) / 1e6
    return sorted(own.items(), key=lambda item: -item[1])[:count]


MEASURES: tuple[Callable[[argparse.Namespace], float], ...] = (
    help_cpu_s, first_step_s, first_step_cpu_s, torch_cpu_s, import_s, wheel_kb,
)  # fmt: skip


def main() -> None:
    """Measure, print, write."""
    told = options.parse(options.parser(__doc__, rounds=7))
    rows = []
    print("| measure | median [lowest, highest] | aim |\n|---|---|---|")
    for measure in MEASURES:
        name, is_steady = measure.__name__, measure is wheel_kb
        if not is_steady:
            measure(told)
        values = [measure(told) for _ in range(1 if is_steady else told.rounds)]
        aim = f"< {AIMS[name]:g}" if name in AIMS else "-"
        print(f"| {name} | {spread(values)} | {aim} |", flush=True)
        rows += [{"measure": name, "round": i, "value": round(value, 4)} for i, value in enumerate(values)]
    found = heaviest(told)
    print("\nimport livedqn.training, seconds in each package's own modules: ", end="")
    print(", ".join(f"{package} {spent:.2f}" for package, spent in found))
    rows += [{"measure": f"import_training_s:{package}", "round": 0, "value": spent} for package, spent in found]
    write_csv(told.results / "start.csv", rows)
    machine.record(told.results, "start")


if __name__ == "__main__":
    main()
