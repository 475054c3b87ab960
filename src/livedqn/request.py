"""A request in JSON: checked against what the policy reads, and made an observation.

It holds the arrays of one viewer as the environment shows them: ``context`` (C,), and where there are rooms
``history`` (T, H), the newest impression last and rows of zeros before the first, and ``candidates`` (k, F), k being
any number and row 0, *nothing*, zeros. ``mask`` (k,) says what may be chosen (left out: everything, but for *nothing*
where a room always has to be shown), ``rooms`` (k,) names the rooms (entry 0 is ignored). A cap on injections is for
the caller to put into the mask, who knows what the session has been shown.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from livedqn.types import BoolArray, Column, LivedqnError, Observation, Spec


def parse(line: str | bytes) -> dict[str, Any]:
    """The JSON object in ``line``; LivedqnError if there is none."""
    try:
        request = json.loads(line, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise LivedqnError(f"this is no JSON ({error}); write one object a line") from None
    if not isinstance(request, dict):
        raise LivedqnError(f"this is a JSON {type(request).__name__}; write one object a line")
    return request


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not in its grammar")


def observe(spec: Spec, request: Mapping[str, Any]) -> Observation:
    """The observation in ``request``, as a batch of one viewer."""
    arrays = ("context", "history", "candidates") if spec.has_rooms else ("context",)
    known = (*arrays, "mask", *(("rooms",) if spec.has_rooms else ()))
    if unknown := sorted(set(request) - set(known)):
        raise LivedqnError(f"no such key as {', '.join(unknown)}; an observation has {', '.join(known)}")
    if missing := [name for name in arrays if name not in request]:
        raise LivedqnError(f"the observation lacks {', '.join(missing)}; the policy reads {', '.join(arrays)}")
    has_pixels = spec.context_dtype == "uint8"
    observation = {"context": _array(request, "context", spec.context_shape, spec.context, has_pixels=has_pixels)}
    num_actions = spec.num_actions
    if spec.has_rooms:
        shape = (spec.history_length, len(spec.history))
        observation["history"] = _array(request, "history", shape, spec.history)
        candidates = _array(request, "candidates", (None, len(spec.candidates)), spec.candidates)
        if candidates[0].any():
            raise LivedqnError("row 0 of candidates stands for *nothing* and owes zeros; put it before the rooms")
        observation["candidates"] = candidates
        num_actions = len(candidates)
    observation["mask"] = _mask(request, num_actions, spec)
    return {name: array[None] for name, array in observation.items()}


def _array(
    request: Mapping[str, Any], name: str, shape: tuple[int | None, ...], columns: tuple[Column, ...], *,
    has_pixels: bool = False,
) -> npt.NDArray[Any]:  # fmt: skip
    """``request[name]`` of ``shape`` (None: any length from 1), float32, or uint8 where whole numbers are pixels."""
    array = _numbers(request, name)
    fits = array.ndim == len(shape) and all(
        n == s or (s is None and n > 0) for n, s in zip(array.shape, shape, strict=True)
    )
    if not fits:
        expected = ", ".join("k" if s is None else str(s) for s in shape)
        raise LivedqnError(f"{name} has shape {list(array.shape)}; the policy reads [{expected}]")
    is_pixels = has_pixels and np.issubdtype(array.dtype, np.integer)
    if is_pixels and (array.min() < 0 or array.max() > 255):
        raise LivedqnError(f"{name} is an image of whole numbers, which are from 0 to 255")
    with np.errstate(over="ignore"):  # what float32 cannot hold is refused in the next line
        array = array.astype(np.uint8 if is_pixels else np.float32)
    if not np.isfinite(array).all():
        raise LivedqnError(f"{name} holds a number that is not finite")
    for i, column in enumerate(columns):
        _check_column(name, column, array[..., i])
    return array


def _check_column(name: str, column: Column, values: npt.NDArray[Any]) -> None:
    """Embeddings have a row for what the column may hold, and for nothing else."""
    if column.kind == "number":
        return
    limit = {"count": np.inf, "category": column.cardinality, "id": 2**24}[column.kind]
    is_whole = column.kind == "count" or (values == np.floor(values)).all()
    if values.min() < 0 or values.max() >= limit or not is_whole:
        what = "0 or more" if column.kind == "count" else f"a whole number from 0 to {limit - 1}"
        raise LivedqnError(f"column {column.name} of {name} is of kind {column.kind}: it has to be {what}")


def _mask(request: Mapping[str, Any], num_actions: int, spec: Spec) -> BoolArray:
    must_show = spec.has_rooms and not spec.has_nothing
    if "mask" in request:
        mask = _numbers(request, "mask")
    else:
        mask = np.ones(num_actions, np.bool_)
        mask[0] = not must_show
    if mask.shape != (num_actions,) or not np.isin(mask, (0, 1)).all():
        raise LivedqnError(
            f"mask has shape {list(mask.shape)}; it owes {num_actions} times true or false, one an action"
        )
    if must_show and mask[0]:
        raise LivedqnError(
            "mask[0] is true, but a room always has to be shown here (has_nothing=False); set it to false"
        )
    if not mask.any():
        least = "a room always has to be shown, so one at least is" if must_show else "mask[0], *nothing*, always is"
        raise LivedqnError(f"mask allows no action; {least} allowed")
    return mask.astype(np.bool_)


def room_names(request: Mapping[str, Any], num_actions: int) -> list[int | str | None]:
    """The name of each action's room: None for *nothing*, and for all where the request names none."""
    if "rooms" not in request:
        return [None] * num_actions
    rooms = request["rooms"]
    if not isinstance(rooms, list) or len(rooms) != num_actions:
        raise LivedqnError(f"rooms has to be a list of {num_actions}, one name for each row of candidates")
    if not all(isinstance(room, int | str) for room in rooms[1:]):
        raise LivedqnError("rooms holds something else than whole numbers and strings")
    return [None, *rooms[1:]]


def _numbers(request: Mapping[str, Any], name: str) -> npt.NDArray[Any]:
    try:
        array = np.asarray(request[name])
    except ValueError:
        raise LivedqnError(f"{name} is no array: its rows differ in length") from None
    if array.dtype.kind not in "biuf":
        raise LivedqnError(f"{name} holds something else than numbers")
    return array
