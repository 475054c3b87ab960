"""What is shipped is what is in the tree."""

import re
import tomllib
import zipfile
from pathlib import Path

import pytest
from setuptools import build_meta

from livedqn import plugins

ROOT = Path(__file__).parents[1]
pytestmark = pytest.mark.skipif(not (ROOT / "src").is_dir(), reason="needs the checkout, to compare it to a wheel")


@pytest.fixture(scope="module")
def project():
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def files_of_the_tree() -> set[str]:
    src, conf = ROOT / "src", ROOT / "conf"
    code = {str(path.relative_to(src)) for path in src.rglob("*.py")} | {"livedqn/py.typed"}
    wiring = {f"livedqn/conf/{path.relative_to(conf)}" for path in conf.rglob("*") if path.suffix in (".py", ".yaml")}
    return code | wiring


def test_the_wheel_holds_every_module_every_yaml_and_the_license(tmp_path, monkeypatch):
    # a copy, since building leaves folders behind
    for name in {"pyproject.toml", "README.md", "LICENSE"} & {path.name for path in ROOT.iterdir()}:
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    for name in ("src", "conf"):
        for path in (ROOT / name).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts and ".egg-info" not in str(path):
                copy = tmp_path / path.relative_to(ROOT)
                copy.parent.mkdir(parents=True, exist_ok=True)
                copy.write_bytes(path.read_bytes())
    monkeypatch.chdir(tmp_path)
    wheel = zipfile.ZipFile(tmp_path / build_meta.build_wheel(str(tmp_path)))
    shipped = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert shipped == files_of_the_tree()
    assert any(name.endswith("licenses/LICENSE") for name in wheel.namelist())
    wheel.close()


def test_no_preset_hides_a_plugin():
    for kind in plugins.KINDS:
        presets = {path.stem for path in (ROOT / "conf" / kind).glob("*.yaml")}
        assert not presets & set(plugins.names(kind))


def test_presets_build_on_a_plugin_so_that_they_are_typed():
    for kind in plugins.KINDS:
        for path in (ROOT / "conf" / kind).glob("*.yaml"):
            first = re.search(r"^defaults:\n  - (\w+)$", path.read_text(), re.MULTILINE)
            assert first, path
            assert first[1] in plugins.names(kind), path


def test_constraints_pin_everything_but_ourselves(project):
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if not line.startswith("#")]
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+", line) for line in lines)
    pinned = {line.partition("==")[0].lower().replace("_", "-") for line in lines}
    assert not any(name.startswith("livedqn") for name in pinned)
    extras = project["project"]["optional-dependencies"]
    wanted = [*project["project"]["dependencies"], *extras["test"], *extras["dev"]]
    names = {re.match(r"[\w.-]+", line)[0].lower() for line in wanted}
    assert names - {"livedqn"} <= pinned


def test_every_declared_plugin_exists(project):
    for group in project["project"]["entry-points"].values():
        for value in group.values():
            module = value.partition(":")[0].replace(".", "/")
            assert (ROOT / "src" / f"{module}.py").is_file(), value
