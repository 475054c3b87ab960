"""What somebody hands to a policy: checked against what it reads, and made an observation.

From Python that is arrays of many viewers (:func:`conform`), from elsewhere a request in JSON (:func:`observe`). That
holds the arrays of one viewer as the environment shows them: ``context`` (C,), and where there are rooms ``history``
(T, H), the newest impression last, of which there may be fewer than T, and ``candidates`` (k, F), k being any number
and row 0, *nothing*, zeros. ``mask`` (k,) says what may be chosen (left out: everything, but for *nothing* where a room
always has to be shown), ``rooms`` (k,) names the rooms (entry 0 is ignored). A cap on injections is for the caller to
put into the mask, who knows what the session has been shown. What is masked or unused may be padded with any number.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from livedqn.types import BoolArray, LivedqnError, Observation, Spec, within

NOT_FINITE = "the values of this observation are not finite; its numbers are far outside those of training"


def conform(spec: Spec, given: Any) -> Observation:
    """``given`` as a policy of ``spec`` reads it; an array that already is so is passed on itself.

    To look at all numbers takes 2 to 8 % of the time that a small network takes for its values. What learns is spared
    it.

    Args:
        spec: of what the policy has learned to read.
        given: arrays by name, of B viewers at a time (a batch, of one viewer too) and of numbers of any type:
            ``context`` (B, C), of images (B, height, width, channels); where there are rooms ``history`` (B, T, H),
            ``candidates`` (B, K, F) and ``mask`` (B, K) too, K being any number. Of a game the bare context will do.
            What else it holds is not looked at, and neither is what no network sees: masked rooms, and rows of the
            history that are unused, column 0 being 0.

    Raises:
        LivedqnError: an array is missing, is of another shape, or holds something else than numbers; a mask holds
            something else than truth values, or closes an action of a game, all of which are always allowed; row 0 of
            the candidates is not zeros; a column holds what one of its kind cannot.
    """
    named = given if isinstance(given, Mapping) else {"context": given}
    seen = _arrays(spec, named, ("B",), needs_mask=spec.has_rooms)
    if "mask" not in seen:
        seen["mask"] = np.ones((len(seen["context"]), spec.num_actions), np.bool_)
    _refuse_values(spec, seen)
    return seen


def _refuse_values(spec: Spec, seen: Observation) -> None:
    """Before any network does: by an embedding that has no such row a GPU ends the process, and no other call may be
    answered on a CPU alone."""
    if spec.has_rooms and (not seen["candidates"].shape[1] or seen["candidates"][:, 0].any()):
        raise LivedqnError("row 0 of candidates stands for *nothing* and owes zeros; put it before the rooms")
    if "context" not in spec.limits and not np.isfinite(seen["context"]).all():  # an image has no columns
        raise LivedqnError("context holds a number that is not finite")
    for name, limits in spec.limits.items():
        values = seen[name][_valid(name, seen)]
        fits = within(values, limits)
        if not fits.all():
            i = int(fits.all(axis=0).argmin())
            column, first = getattr(spec, name)[i], values[..., i][~fits[..., i]][0]
            what = f"column {column.name} of {name} is of kind {column.kind}: it has to be {column.owed}"
            raise LivedqnError(f"{what}, and is {first:g}")


def _valid(name: str, seen: Observation) -> Any:
    """Which rows of an array a network sees, as :class:`~livedqn.features.Transform` does."""
    if name == "history":
        return seen["history"][..., 0] > 0
    return seen["mask"] if name == "candidates" else ...


def refuse_no_choice(allowed: BoolArray, who: str) -> None:
    """Raise LivedqnError if ``who`` leaves some row of ``allowed`` (B, K) without an action."""
    some = allowed.any(axis=1)
    if not some.all():
        raise LivedqnError(
            f"{who} allows no action in row {int(some.argmin())}: its mask is empty; a request owes *nothing* or a room"
        )


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
    """The observation in ``request``, as a batch of one viewer.

    Raises:
        LivedqnError: as :func:`conform` does, or no action is allowed, or one key is none of an observation.
    """
    known = (*spec.shapes("K"), *(("rooms",) if spec.has_rooms else ()))
    if unknown := sorted(set(request) - set(known)):
        raise LivedqnError(f"no such key as {', '.join(unknown)}; an observation has {', '.join(known)}")
    seen = _arrays(spec, _with_whole_history(spec, request) if spec.has_rooms else request, (), needs_mask=False)
    must_show = spec.has_rooms and not spec.has_nothing
    if "mask" not in seen:
        seen["mask"] = np.ones(len(seen["candidates"]) if spec.has_rooms else spec.num_actions, np.bool_)
        seen["mask"][0] = not must_show
    if must_show and seen["mask"][0]:
        raise LivedqnError(
            "mask[0] is true, but a room always has to be shown here (has_nothing=False); set it to false"
        )
    if not seen["mask"].any():
        least = "a room always has to be shown, so one at least is" if must_show else "mask[0], *nothing*, always is"
        raise LivedqnError(f"mask allows no action; {least} allowed")
    return conform(spec, {name: array[None] for name, array in seen.items()})


def _with_whole_history(spec: Spec, request: Mapping[str, Any]) -> Mapping[str, Any]:
    """``request`` with rows of zeros before the first past impression; where a history tells no more than how long it
    is, there may be none."""
    rows = request.get("history", [] if len(spec.history) == 1 else None)
    if not isinstance(rows, list):
        return request
    unused = [[0] * len(spec.history)] * (spec.history_length - len(rows))
    return {**request, "history": unused + rows}


def _arrays(spec: Spec, named: Mapping[str, Any], batch: tuple[str, ...], *, needs_mask: bool) -> Observation:
    """The arrays in ``named`` of a ``batch``, or of one viewer: ("B",) or (). A mask may be missing unless it is
    needed."""
    owed = {name: (*batch, *shape) for name, shape in spec.shapes("K").items()}
    names = [name for name in owed if needs_mask or name != "mask"]
    if missing := [name for name in names if name not in named]:
        raise LivedqnError(f"the observation lacks {', '.join(missing)}; the policy reads {', '.join(names)}")
    dtypes = {"context": spec.context_dtype, "mask": "bool"}
    seen = {name: _array(named, name, dtypes.get(name, "float32")) for name in owed if name in named}
    lengths: dict[Any, int] = {}  # that the letters B and K stand for, once an array says so
    for name, array in seen.items():
        fits = array.ndim == len(owed[name]) and all(
            lengths.setdefault(n, found) == found if isinstance(n, str) else n == found
            for n, found in zip(owed[name], array.shape, strict=True)
        )
        if not fits:
            form = str(tuple(lengths.get(n, n) for n in owed[name])).replace("'", "")
            what = f"{name} has shape {array.shape}; the policy reads {form}"
            raise LivedqnError(what + (", a batch, of one viewer too" if batch else ""))
    if not spec.has_rooms and "mask" in seen and not seen["mask"].all():
        raise LivedqnError("mask closes an action of a game, where all are always allowed; leave it out")
    return seen


def _array(named: Mapping[str, Any], name: str, dtype: str) -> npt.NDArray[Any]:
    """``named[name]`` in memory of one piece that may be written to, as torch likes it: truth values, or float32, or
    uint8 where whole numbers are pixels; infinite where float32 cannot hold a number."""
    array = named[name]
    if isinstance(array, np.ndarray) and array.dtype == dtype and array.flags.carray:
        return array
    array = _numbers(named, name)
    if name == "mask":
        if not np.isin(array, (0, 1)).all():
            raise LivedqnError(f"{name} holds something else than true and false")
        return array.astype(np.bool_, order="C")
    is_pixels = dtype == "uint8" and np.issubdtype(array.dtype, np.integer)
    if is_pixels and ((array < 0) | (array > 255)).any():
        raise LivedqnError(f"{name} is an image of whole numbers, which are from 0 to 255")
    with np.errstate(over="ignore"):
        return array.astype(np.uint8 if is_pixels else np.float32, order="C")


def room_names(request: Mapping[str, Any], num_actions: int) -> list[int | str | None]:
    """The name of each action's room, None for *nothing*; empty where the request names none."""
    if "rooms" not in request:
        return []
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
