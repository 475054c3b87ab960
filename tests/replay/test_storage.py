"""Where the slots lie, and what is said when there is no room for them."""

from __future__ import annotations

import errno
import os
import sys
from collections import namedtuple

import numpy as np
import pytest

from livedqn.replay import storage
from livedqn.replay.prioritised import Prioritised
from livedqn.replay.uniform import Uniform
from livedqn.types import Column, LivedqnError, Spec

SPEC = Spec(context=(Column("serial"),), context_shape=(1,), num_actions=3)
NUMBERS = np.dtype(np.float64)


def test_a_file_has_no_name_and_its_full_size(tmp_path) -> None:
    free = os.statvfs(tmp_path).f_bfree
    numbers = storage.zeros(1_000_000, NUMBERS, str(tmp_path), "it")
    assert not list(tmp_path.iterdir())
    assert (free - os.statvfs(tmp_path).f_bfree) * os.statvfs(tmp_path).f_frsize > 4_000_000
    assert not numbers.any()
    numbers[:] = 1
    assert numbers.sum() == 1_000_000


def test_two_files_in_one_folder_are_two(tmp_path) -> None:
    one, two = (storage.zeros(10, NUMBERS, str(tmp_path), "it") for _ in range(2))
    one[:] = 1
    assert not two.any()


def test_a_file_needs_no_memory(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(storage, "available_bytes", lambda: 500)
    with pytest.raises(LivedqnError, match=r"replay.capacity=100 .*; lower it, or name a replay\.folder"):
        Uniform(SPEC, 1, 1, capacity=100)
    Uniform(SPEC, 1, 1, capacity=100, folder=str(tmp_path))
    with pytest.raises(LivedqnError, match=r"replay.capacity=100 needs .* of memory are available; lower it$"):
        Prioritised(SPEC, 1, 1, capacity=100, folder=str(tmp_path))  # the priorities do


@pytest.mark.parametrize("kind", [Uniform, Prioritised])
def test_what_no_disk_can_hold_is_one_line(kind, tmp_path) -> None:
    with pytest.raises(LivedqnError, match=r"replay.capacity=10000000000000 .* in replay\.folder=.* GiB of disk") as it:
        kind(SPEC, 1, 1, capacity=10**13, folder=str(tmp_path))
    assert "\n" not in str(it.value)


def test_a_folder_that_cannot_be_used_is_one_line(tmp_path, monkeypatch) -> None:
    nowhere = tmp_path / "nowhere"
    with pytest.raises(LivedqnError, match=r"replay\.folder=.*nowhere: there is no such folder; create it"):
        Uniform(SPEC, 1, 1, capacity=10, folder=str(nowhere))

    def refused(**_: str) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(storage.tempfile, "TemporaryFile", refused)  # root may write anywhere
    with pytest.raises(LivedqnError, match=r"replay\.folder=.*: Permission denied; name another folder"):
        Uniform(SPEC, 1, 1, capacity=10, folder=str(tmp_path))


def test_a_disk_that_others_fill_meanwhile_is_one_line(tmp_path, monkeypatch) -> None:
    usage = namedtuple("usage", "free")(2**62)
    monkeypatch.setattr(storage.shutil, "disk_usage", lambda _: usage)
    with pytest.raises(
        LivedqnError, match=r"replay\.folder=.*: (No space left on device|File too large); name another"
    ):
        Uniform(SPEC, 1, 1, capacity=10**12, folder=str(tmp_path))


def test_a_container_may_have_less_than_the_machine(tmp_path) -> None:
    assert storage._of_container(tmp_path / "none") == sys.maxsize
    stat = "anon 400\ninactive_file 200\nactive_file 90\nslab_reclaimable 10"
    for name, text in {"max": "max", "current": "700", "stat": stat}.items():
        (tmp_path / f"memory.{name}").write_text(f"{text}\n")
    assert storage._of_container(tmp_path) == sys.maxsize
    (tmp_path / "memory.max").write_text("1000\n")
    assert storage._of_container(tmp_path) == 1000 - 700 + 300  # pages of files that nobody uses can be given back


def test_a_ring_that_held_more_forgets_it() -> None:
    long, short = (Uniform(SPEC, 1, 1, capacity=20) for _ in range(2))
    for replay, steps in ((long, 15), (short, 4)):
        seen = {"context": np.zeros((1, 1), np.float32), "mask": np.ones((1, 3), np.bool_)}
        replay.begin(seen, np.ones(1, np.bool_))
        for _ in range(steps):
            replay.add(np.zeros(1, np.int64), *np.zeros((3, 1), np.float32), seen)
    long.load_state_dict(short.state_dict())
    assert len(long) == len(short)
