"""What decides whether an object is a reader of logs."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from itertools import islice
from typing import Any

import numpy as np
import numpy.typing as npt

from livedqn.logs import NO_ACTION, Impressions, faults
from livedqn.logs.rules import place
from livedqn.testing.errors import calling, described, expect, expect_instance
from livedqn.types import BoolArray, Spec

#: What an impression has beside observation, signals and texts.
_OWED: tuple[tuple[tuple[str, ...], type, str], ...] = (
    (("request", "session", "viewer", "time_s", "action", "row"), np.int64, "N"),
    (("propensity", "native", "elapsed_s"), np.float32, "N"),
    (("terminated", "truncated"), np.bool_, "N"),
    (("rooms", "streamers"), np.int64, "NK"),
)


def check_logs(logs: Any) -> None:
    """Read ``logs`` twice, the two readings overlapping, and keep all of it: give a reader some small logs.

    There has to be nothing wrong in them, but for rows that the reader marks as a ``defect``: in their sessions only
    shapes, types and names are looked at.

    Raises:
        ContractError: the first promise that it does not keep.
    """
    expect_instance(logs, "check_logs")
    name = type(logs).__name__
    spec = _declared(logs, name)
    with calling(name, "it was read"):
        begun = iter(logs)
        head = deepcopy(list(islice(begun, 1)))  # as it was before anything else was read
        parts = list(logs)
        again = [*head, *begun]
    expect(sum(map(_length, parts)), f"{name} has no impression; check_logs needs some")
    for part in parts:
        _check_form(part, spec, name)
    _check_same(parts, again, name)
    _check_names(parts, name)
    for part in parts:
        _check_rows(part, spec, name)


def _declared(logs: Any, name: str) -> Spec:
    spec, source = getattr(logs, "spec", None), getattr(logs, "source", None)
    expect(isinstance(spec, Spec), f"{name}.spec is {described(spec)}; it owes a livedqn.types.Spec")
    assert isinstance(spec, Spec)
    expect(isinstance(source, dict), f"{name}.source is {described(source)}; it owes a dict: who made them, and how")
    expect(hasattr(logs, "__iter__"), f"{name} has no __iter__; it owes an iterator over Impressions")
    expect(iter(logs) is not logs, f"{name} is its own iterator; it owes a new one each time it is read")
    from livedqn.logs.schema import schema  # needs Arrow, which other kinds' checks do without

    with calling(name, "its spec was to be written", hint="; logs have to fit docs/logs.md"):
        schema(spec, source)
    first = spec.history[0] if spec.has_rooms and spec.history else None
    expect(
        not spec.has_rooms or (first is not None and first.kind == "number" and spec.history_length > 0),
        f"{name}.spec has rooms but no history; it owes a number that is 1 for a real impression as column 0, and T "
        "of at least 1 (without a history all of its rows are zeros)",
    )
    return spec


def _length(part: Any) -> int:
    expect(isinstance(part, Impressions), f"a part is {described(part)}; it owes livedqn.logs.Impressions")
    return len(part)


def _check_form(part: Impressions, spec: Spec, name: str) -> None:
    """Shapes and types."""
    n, seen = len(part), part.observation
    k = np.shape(seen.get("mask", ()))[-1] if "mask" in seen else -1
    fits = 0 < k <= spec.num_actions if spec.has_rooms else k == spec.num_actions
    expect(fits, f"mask has {k} actions in {name}; it owes (N, K), K of at most {spec.num_actions}, as its spec says")
    shapes = {key: (n, *shape) for key, shape in spec.shapes(k).items()}
    _expect_keys("observation", seen, shapes, name)
    _expect_keys("signals", part.signals, spec.signals, name)
    for key in shapes:
        _expect_array(f"observation[{key!r}]", seen[key], np.bool_ if key == "mask" else np.float32, shapes[key], name)
    for key in spec.signals:
        _expect_array(f"signals[{key!r}]", part.signals[key], np.float32, (n,), name)
    for keys, dtype, shape in _OWED:
        for key in keys:
            _expect_array(key, getattr(part, key), dtype, (n, k)[: len(shape)], name)
    _expect_array("policy", part.policy, np.str_, (n,), name)
    if part.defect is not None:
        _expect_array("defect", part.defect, np.str_, (n,), name)


def _expect_array(key: str, array: Any, dtype: type, shape: tuple[int, ...], name: str) -> None:
    right = isinstance(array, np.ndarray) and np.issubdtype(array.dtype, dtype) and array.shape == shape
    expect(right, f"{key} of {name} is {described(array)}; it owes {dtype.__name__} of shape {shape}")


def _expect_keys(what: str, found: Any, owed: Any, name: str) -> None:
    expect(
        found.keys() == set(owed), f"{what} of {name} holds {', '.join(found) or 'nothing'}; by its spec it owes "
        f"{', '.join(owed) or 'nothing'}",
    )  # fmt: skip


def _check_same(parts: list[Impressions], again: list[Impressions], name: str) -> None:
    sizes, others = [len(part) for part in parts], [len(part) for part in again]
    expect(sizes == others, f"{name} has parts of {sizes} rows, and of {others} when read again; it owes the same rows")
    for one, other in zip(parts, again, strict=True):
        for (key, mine), (_, theirs) in zip(_arrays(one), _arrays(other), strict=True):
            expect(
                np.array_equal(mine, theirs, equal_nan=mine.dtype.kind == "f"),
                f"{key} of {name} differs when read again; it owes the same rows each time, in arrays that it leaves "
                "alone from then on, and chance from a seed",
            )


def _arrays(part: Impressions) -> Iterator[tuple[str, npt.NDArray[Any]]]:
    for key, value in vars(part).items():
        values = value if isinstance(value, dict) else {"": value}
        yield from (
            (f"{key} {inner}".rstrip(), array) for inner, array in values.items() if isinstance(array, np.ndarray)
        )


def _check_names(parts: list[Impressions], name: str) -> None:
    for key, of, promise in (
        ("request", [part.request for part in parts], "a request's name comes once in all logs"),
        (
            "session",
            [part.session[part.begins] for part in parts],
            "a session comes whole, its rows together in a part",
        ),
    ):
        names, counts = np.unique(np.concatenate(of), return_counts=True)
        expect((counts == 1).all(), f"{key} {names[counts.argmax()]} comes {counts.max()} times in {name}; {promise}")


def _check_rows(part: Impressions, spec: Spec, name: str) -> None:
    """What is in them, in sessions without a defect."""
    if part.defect is not None:
        number = np.cumsum(part.begins) - 1
        part = part.take(~np.isin(number, number[part.defect != ""]))
    for what, _, rows in faults(part, spec):
        expect(False, f"{what} in {name} ({place(part, rows)}); what the reader cannot make sense of is a defect")
    absent = part.action == NO_ACTION
    unknown = part.signals | {key: getattr(part, key) for key in ("propensity", "native", "elapsed_s")}
    for key, values in unknown.items():
        expect(np.isnan(values[absent]).all(), f"{key} of {name} is known in a row without action; it owes NaN there")
    if spec.has_rooms:
        _check_candidates(part, name)


def _check_candidates(part: Impressions, name: str) -> None:
    seen = part.observation
    past = seen["history"]
    expect(np.isin(past[:, :, 0], (0, 1)).all(), f"column 0 of the history is neither 0 nor 1 in {name}")
    unused = past[past[:, :, 0] == 0]
    expect(not unused.any(), f"unused rows of the history are not zeros in {name}")
    expect(
        not (part.rooms[:, 0].any() or part.streamers[:, 0].any()), f"row 0 (nothing) has an id in {name}; it owes 0"
    )
    behind = _behind(seen["mask"] | (part.rooms != 0))
    padded = [
        key for key, array in (("streamers", part.streamers), ("candidates", seen["candidates"])) if array[behind].any()
    ]
    expect(not padded, f"{' and '.join(padded)} behind the last candidate are not zeros in {name}")


def _behind(real: BoolArray) -> BoolArray:
    """(N, K), places behind the last that is ``real``."""
    later: BoolArray = np.logical_or.accumulate(real[:, ::-1], axis=1)[:, ::-1]
    return ~later
