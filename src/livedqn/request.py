"""What somebody hands to a policy: checked against what it reads, and made an observation.

From Python that is arrays of many viewers (:func:`conform`), from elsewhere a request in JSON (:func:`observe`). That
holds the arrays of one viewer as the environment shows them: ``context`` (C,), and where there are rooms ``history``
(T, H), the newest impression last and rows of zeros before the first, and ``candidates`` (k, F), k being any number and
row 0, *nothing*, zeros. ``mask`` (k,) says what may be chosen (left out: everything, but for *nothing* where a room
always has to be shown), ``rooms`` (k,) names the rooms (entry 0 is ignored). A cap on injections is for the caller to
put into the mask, who knows what the session has been shown.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from livedqn.types import BoolArray, Column, LivedqnError, Observation, Spec

NOT_FINITE = "the values of this observation are not finite; its numbers are far outside those of training"


def conform(spec: Spec, given: Any) -> Observation:
    """``given`` as a policy of ``spec`` reads it; an array that already is so is passed on itself.

    Args:
        spec: of what the policy has learned to read.
        given: arrays by name, of B viewers at a time (a batch, of one viewer too) and of numbers of any type:
            ``context`` (B, C), of images (B, height, width, channels); where there are rooms ``history`` (B, T, H),
            ``candidates`` (B, K, F) and ``mask`` (B, K) too, K being any number. Of a game the bare context will do.
            What else it holds is not looked at.

    Raises:
        LivedqnError: an array is missing, is of another shape, or holds something else than numbers; a mask holds
            something else than truth values, or closes an action of a game, all of which are always allowed.
    """
    named = given if isinstance(given, Mapping) else {"context": given}
    names = ("context", "history", "candidates", "mask") if spec.has_rooms else ("context",)
    if missing := [name for name in names if name not in named]:
        raise LivedqnError(f"the observation lacks {', '.join(missing)}; the policy reads {', '.join(names)}")
    context = _as(named, "context", spec.context_dtype)
    # a letter equals no number, so it stands in an error for what is not known
    rows: tuple[Any, ...] = context.shape[:1] if context.ndim == 1 + len(spec.context_shape) else ("B",)
    _require_shape("context", context, (*rows, *spec.context_shape))
    if not spec.has_rooms:
        mask = _truths(named, "mask") if "mask" in named else np.ones((len(context), spec.num_actions), np.bool_)
        _require_shape("mask", mask, (*rows, spec.num_actions))
        if np.count_nonzero(mask) < mask.size:
            raise LivedqnError("mask closes an action of a game, where all are always allowed; leave it out")
        return {"context": context, "mask": mask}
    history, candidates, mask = _as(named, "history"), _as(named, "candidates"), _truths(named, "mask")
    actions: tuple[Any, ...] = candidates.shape[1:2] if candidates.ndim == 3 else ("K",)
    _require_shape("history", history, (*rows, spec.history_length, len(spec.history)))
    _require_shape("candidates", candidates, (*rows, *actions, len(spec.candidates)))
    _require_shape("mask", mask, (*rows, *actions))
    return {"context": context, "history": history, "candidates": candidates, "mask": mask}


def check_columns(spec: Spec, observation: Observation) -> None:
    """Raise LivedqnError where a column of ``observation`` holds what one of its kind cannot."""
    for name in ("context", "history", "candidates"):
        for i, column in enumerate(getattr(spec, name)):
            _check_column(name, column, observation[name][..., i])


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
    array = _cast(name, array, has_pixels=has_pixels)
    if not np.isfinite(array).all():
        raise LivedqnError(f"{name} holds a number that is not finite")
    for i, column in enumerate(columns):
        _check_column(name, column, array[..., i])
    return array


def _as(named: Mapping[str, Any], name: str, dtype: str = "float32") -> npt.NDArray[Any]:
    """``named[name]`` in memory of one piece that may be written to, as torch likes it."""
    array = named[name]
    if isinstance(array, np.ndarray) and array.dtype == dtype and array.flags.carray:
        return array
    return _cast(name, _numbers(named, name), has_pixels=dtype == "uint8")


def _cast(name: str, array: npt.NDArray[Any], *, has_pixels: bool) -> npt.NDArray[Any]:
    """A copy, float32, or uint8 where whole numbers are pixels; infinite where float32 cannot hold a number."""
    is_pixels = has_pixels and np.issubdtype(array.dtype, np.integer)
    if is_pixels and ((array < 0) | (array > 255)).any():
        raise LivedqnError(f"{name} is an image of whole numbers, which are from 0 to 255")
    with np.errstate(over="ignore"):
        return array.astype(np.uint8 if is_pixels else np.float32, order="C")


def _truths(named: Mapping[str, Any], name: str) -> BoolArray:
    array = named[name]
    if isinstance(array, np.ndarray) and array.dtype == np.bool_ and array.flags.carray:
        return array
    array = _numbers(named, name)
    if not np.isin(array, (0, 1)).all():
        raise LivedqnError(f"{name} holds something else than true and false")
    return array.astype(np.bool_, order="C")


def _require_shape(name: str, array: npt.NDArray[Any], owed: tuple[Any, ...]) -> None:
    if array.shape != owed:
        form = ", ".join(map(str, owed))
        raise LivedqnError(f"{name} has shape {array.shape}; the policy reads ({form}), a batch, of one viewer too")


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
