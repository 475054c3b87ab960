import json
import os
import subprocess
import sys
from dataclasses import fields

import pytest

from livedqn.cli.commands import COMMANDS
from livedqn.cli.jobs import JOBS

SCRIPT = """
import json, resource, sys
sys.argv = ["livedqn", *{words}]
from livedqn.cli import main
main()
used = resource.getrusage(resource.RUSAGE_SELF)
libraries = {{"torch", "pytorch_lightning", "wandb", "matplotlib", "gymnasium", "pyarrow"}} & set(sys.modules)
parts = ("rewards", "envs", "encoders", "exploration", "agent", "replay")
heavy = libraries | {{name for name in sys.modules if name.startswith(tuple(f"livedqn.{{part}}" for part in parts))}}
print(json.dumps([used.ru_utime + used.ru_stime, sorted(heavy)]), file=sys.stderr)
"""


@pytest.mark.parametrize("words", [["--help"], ["evaluate", "-h"], ["--version"]])
def test_help_is_quick_and_imports_no_plugin(words):
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(words=words)], capture_output=True, text=True, check=True
    )
    seconds, heavy = json.loads(done.stderr)
    assert heavy == []
    assert seconds < 1.5


def test_help_groups_options_by_kind_and_starts_with_what_a_newcomer_needs(livedqn):
    page = livedqn("--help").out
    assert "livedqn +env=sim reward=watchtime" in page
    for line in (
        "env          gym, [sim]",
        "encoder      attention, conv, gru, [mlp], original",
        "logs         parquet, table",
        "logger       [csv], wandb",
        "experiment   acrobot, cartpole, minatar",
    ):
        assert line in page
    assert "cap.max_shown_per_session=null" in page
    assert "learned_from" not in page and "logs_files" not in page  # a run notes them, and is not told
    assert "The largest number of rooms shown in one visit" in page
    assert max(map(len, page.splitlines())) <= 120


def test_each_command_has_a_page(livedqn):
    assert "checkpoint=[]" in livedqn("evaluate", "--help").out
    assert "input=null" in livedqn("recommend", "reward=nosuch", "-h").out  # help reads nothing else
    assert "allowed_lateness_s=600.0" in livedqn("join", "--help").out
    assert "<kind>=<name> shows the settings" in livedqn("plugins", "--help").out


def test_the_table_has_all_that_a_command_needs():
    assert set(JOBS) == {name for name, known in COMMANDS.items() if known.schema}
    for name, known in COMMANDS.items():
        paths = {path.partition(".")[0] for path in known.paths}
        assert paths | {*known.options} - {"experiment"} <= (
            {field.name for field in fields(known.schema)} if known.schema else set()
        ), name


def test_whoever_reads_no_further_sees_no_traceback():
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run([sys.executable, "-m", "livedqn", "--help"], stdout=write, stderr=subprocess.PIPE)
    os.close(write)
    assert (done.returncode, done.stderr) == (141, b"")


def test_a_pipe_to_somebody_else_that_breaks_is_an_error(tmp_path):
    script = """
from livedqn.cli import jobs, main
def job(composed):
    raise BrokenPipeError("whoever was at its other end is dead")
jobs.JOBS["train"] = job
main()
"""
    done = subprocess.run([sys.executable, "-c", script, "env=sim"], cwd=tmp_path, capture_output=True)
    assert done.returncode == 1 and b"BrokenPipeError: whoever was at its other end is dead" in done.stderr


def test_version(livedqn):
    assert livedqn("--version").out == "livedqn 0.1.0\n"
