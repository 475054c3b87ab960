"""Memory that is used again, but never while somebody holds a part of it."""

import numpy as np

from livedqn.envs.recycled import Recycled

FORMS = {"mask": ((3, 2), np.bool_), "x": ((3, 4), np.float32), "n": ((3,), np.int64)}


def address(array: np.ndarray) -> int:
    return array.__array_interface__["data"][0]


def test_forms() -> None:
    arrays = Recycled(FORMS).lend().arrays
    assert {name: (array.shape, array.dtype) for name, array in arrays.items()} == FORMS
    for number, array in enumerate(arrays.values()):
        array[...] = number
    assert [array.ravel()[0] for array in arrays.values()] == [0, 1, 2]  # none reaches into another
    assert all(address(array) % array.itemsize == 0 for array in arrays.values())


def test_what_nobody_holds_is_used_again() -> None:
    recycled = Recycled(FORMS)
    first = address(recycled.lend().arrays["x"])
    assert address(recycled.lend().arrays["x"]) == first


def test_a_part_of_a_part_keeps_it() -> None:
    recycled = Recycled(FORMS)
    arrays = recycled.lend().arrays
    arrays["x"][...] = 7
    kept = arrays["x"][1:][:, :2].T
    del arrays
    for _ in range(5):
        recycled.lend().arrays["x"][...] = 0
    assert (kept == 7).all()


def test_a_copy_is_another() -> None:
    recycled = Recycled(FORMS)
    original = recycled.lend()
    original.arrays["n"][:] = [1, 2, 3]
    copy = recycled.copy(original)
    copy.arrays["n"][0] = 9
    assert original.arrays["n"].tolist() == [1, 2, 3]
    assert copy.arrays["n"].tolist() == [9, 2, 3]
