"""The import direction: a module imports only from rows below its own, so every part can be read alone."""

import ast
from pathlib import Path

import pytest

import livedqn

SRC = Path(livedqn.__file__).parent

#: Top row first; ``testing`` may look at all that it checks.
ROWS = [
    {"cli"},
    {"training", "recommend", "collect", "join", "evaluate_logs"},
    {"setup"},
    {"sources", "fitting", "given"},
    {"caution"},
    {"evaluate", "calibrate", "check_logs", "report", "tracking", "live", "loop", "resume", "choice"},
    {"checkpoint"},
    {"plugins"},
    {"agent", "committee"},
    {"practice"},
    {"logged", "ope"},
    {"shard", "experience", "progress"},
    {"stage"},
    {"envs", "testing"},
    {"graphs"},
    {"actor", "learner"},
    {"objective"},
    {"narrowing", "distributions", "transitions"},
    {"encoders", "rewards", "exploration", "network", "replay", "logs", "features", "watchdog", "scoring"},
    {"losses", "protocols", "device", "compilation", "flat", "noisy"},
    {"config", "csvrows", "agent_settings", "request"},
    {"types", "kernel", "memcpy", "lightning", "durable", "lock"},
]
#: A contract may name what is made in a row above it.
NAMED = {("protocols", "logs")}
#: Who may import a heavy library, at least: the rows from the first of these upwards.
LIBRARIES = {
    "hydra": {"plugins", "cli"},
    "omegaconf": {
        "plugins",
        "cli",
        "checkpoint",
        "given",
        "training",
        "report",
        "evaluate",
        "evaluate_logs",
        "calibrate",
    },
    "matplotlib": {"report"},
    "wandb": {"tracking"},
    "rich": {"cli", "live", "evaluate", "calibrate", "report"},
    "gymnasium": {"envs", "testing", "stage"},
    "numba": {"kernel", "memcpy"},
    "pyarrow": {"logs"},
    "pytorch_lightning": {"lightning"},
}


def part(name: str) -> str:
    return name.split(".")[1] if name.startswith("livedqn.") else ""


def imports(path: Path) -> set[str]:
    """The full names that a module imports, wherever it does: in functions and for type checkers, too."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            found.add(node.module or "")
            if node.module == "livedqn":
                found |= {f"livedqn.{alias.name}" for alias in node.names}
    return found


#: All but the package's own two files; an installed one holds conf, which is no code.
NO_ROW = [SRC / "__init__.py", SRC / "__main__.py", SRC / "conf" / "__init__.py"]
MODULES = sorted(path for path in SRC.rglob("*.py") if path not in NO_ROW)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(SRC)))
def test_imports_point_downwards(path):
    own = path.relative_to(SRC).with_suffix("").parts[0]
    rank = {name: index for index, row in enumerate(ROWS) for name in row}
    assert own in rank, f"{own} has no row in this test"
    for name in imports(path):
        if name.startswith("livedqn."):
            assert part(name) in rank or part(name) in ("__version__", "conf"), f"{path.name} imports {name}"
        if part(name) in rank and (own, part(name)) not in NAMED:
            assert part(name) == own or rank[part(name)] >= rank[own], f"{path.name} ({own}) imports {name} from above"
        library = name.split(".")[0]
        if library in LIBRARIES:
            assert own in LIBRARIES[library], f"{path.name} ({own}) imports {library}"


def test_files_are_small():
    lengths = sorted(len(path.read_text().splitlines()) for path in SRC.rglob("*.py"))
    assert lengths[len(lengths) // 2] < 100
    assert lengths[-1] <= 300


def test_names_are_imported_when_they_are_used():
    assert {"LivedqnError", "Run", "Spec", "compare", "load", "train"} <= set(dir(livedqn))
    assert livedqn.LivedqnError is livedqn.types.LivedqnError
    assert callable(livedqn.train)
    assert callable(livedqn.load)
    with pytest.raises(AttributeError, match="no attribute 'nosuch'"):
        livedqn.nosuch  # noqa: B018
