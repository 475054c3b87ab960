"""Events and sessions as plain Python, and back: the form in which they are read as JSON, set aside and saved.

An impression is ``{"kind": "impression", "request", "viewer", "time_s", "context", "history", "candidates", "mask",
"rooms", "streamers", "action", "propensity", "policy", "native", "session"}``; ``mask`` (all true), ``streamers`` (0),
and all behind ``action`` may be left out. A signal is ``{"kind": "click", "id", "viewer", "time_s", "room", "request",
"amount"}``, with room or request. Names are whole numbers, or text, of which 63 bits of a hash are kept.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from livedqn.join.events import Event, Impression, Signal, refuse_kind
from livedqn.join.kinds import KINDS
from livedqn.join.session import Row, Session
from livedqn.logs.names import EXACT, name
from livedqn.request import observe
from livedqn.types import IntArray, LivedqnError, Spec

_SEEN = ("context", "history", "candidates", "mask")
_IMPRESSION = (
    "kind", "request", "viewer", "time_s", *_SEEN, "rooms", "streamers", "action", "propensity", "policy", "native",
    "session",
)  # fmt: skip
#: What is named by text.
_NAMES = ("kind", "id", "request", "viewer", "room", "session")
_SIGNAL = ("kind", "id", "viewer", "time_s", "room", "request", "amount")


def event(one: Event) -> dict[str, Any]:
    """Of which ``Reader.event`` makes the same."""
    if isinstance(one, Signal):
        return {key: _python(getattr(one, key)) for key in _SIGNAL}
    arrays = {key: one.observation[key].tolist() for key in _SEEN}
    arrays |= {"rooms": one.rooms.tolist(), "streamers": one.streamers.tolist()}
    plain = {key: _python(getattr(one, key)) for key in _IMPRESSION if key not in arrays}
    return plain | arrays | {"propensity": None if math.isnan(one.propensity) else float(one.propensity)}


def _python(value: Any) -> Any:
    """A number of NumPy's as Python's."""
    return value.item() if isinstance(value, np.generic) else value


def session(one: Session) -> dict[str, Any]:
    """Of which ``Reader.session`` makes the same."""
    return {
        "rows": [{"impression": event(row.impression), "signals": dict(row.signals)} for row in one.rows],
        "alive_s": one.alive_s, "awaits_s": one.awaits_s, "ended": one.ended,
        "successor": None if one.successor is None else event(one.successor),
    }  # fmt: skip


class Reader:
    """Makes events of plain Python.

    Args:
        spec: what impressions show.
    """

    def __init__(self, spec: Spec) -> None:
        self._spec = spec

    def event(self, found: Mapping[str, Any]) -> Event:
        """The event; LivedqnError says what is wrong with it."""
        # empty text is how many tools write that there is no name; as one it would be the same for all
        found = {key: value for key, value in found.items() if key not in _NAMES or not _is_blank(value)}
        if "kind" not in found:
            raise LivedqnError("the event lacks kind: impression, click, watch ...")
        return self._impression(found) if found["kind"] == "impression" else self._signal(found)

    def session(self, found: Mapping[str, Any]) -> Session:
        """The session."""
        shown = [(self._impression(row["impression"]), row["signals"]) for row in found["rows"]]
        successor = None if found["successor"] is None else self._impression(found["successor"])
        rows = [Row(impression, dict(signals)) for impression, signals in shown]
        return Session(rows, found["alive_s"], found["awaits_s"], found["ended"], successor)

    def _impression(self, found: Mapping[str, Any]) -> Impression:
        _keys(found, _IMPRESSION, ("request", "viewer", "time_s", "rooms", "action"))
        seen = {key: found[key] for key in _SEEN if found.get(key) is not None}
        observation = {key: array[0] for key, array in observe(self._spec, seen).items()}
        rooms = _names(found, "rooms")
        if len(rooms) != len(observation["mask"]):
            raise LivedqnError(
                f"rooms are {len(rooms)}, candidates {len(observation['mask'])}; name each, 0 for nothing"
            )
        streamers = _names(found, "streamers") if found.get("streamers") is not None else np.zeros_like(rooms)
        if len(streamers) != len(rooms):
            raise LivedqnError(f"streamers are {len(streamers)}, rooms {len(rooms)}; name that of each, 0 for nothing")
        propensity, visit = found.get("propensity"), found.get("session")
        return Impression(
            request=_name(found, "request"), viewer=_name(found, "viewer"), time_s=_number(found, "time_s"),
            observation=observation, rooms=rooms, streamers=streamers, action=_whole(found, "action"),
            propensity=math.nan if propensity is None else _number(found, "propensity"),
            policy=_text(found.get("policy") or ""), native=_number(found, "native") if found.get("native") else 0.0,
            session=None if visit is None else _name(found, "session"),
        )  # fmt: skip

    def _signal(self, found: Mapping[str, Any]) -> Signal:
        kind = str(found["kind"])
        refuse_kind(kind)
        needed = ("amount",) if kind in KINDS and KINDS[kind].adds else ()  # without it they say nothing
        _keys(found, _SIGNAL, ("id", "viewer", "time_s", *needed))
        has = {key for key in ("room", "request", "amount") if found.get(key) is not None}
        return Signal(
            id=str(found["id"]), kind=kind, viewer=_name(found, "viewer"),
            time_s=_number(found, "time_s"), room=_name(found, "room") if "room" in has else 0,
            request=_name(found, "request") if "request" in has else None,
            amount=_number(found, "amount") if "amount" in has else 1.0,
        )  # fmt: skip


def _is_blank(value: Any) -> bool:
    return isinstance(value, str) and not value.strip()


def _keys(found: Mapping[str, Any], known: tuple[str, ...], needed: tuple[str, ...]) -> None:
    if missing := [key for key in needed if found.get(key) is None]:
        raise LivedqnError(f"the {found['kind']} lacks {', '.join(missing)}; docs/joining.md has what it holds")
    if unknown := [str(key) for key in found if key not in known]:
        raise LivedqnError(f"the {found['kind']} has {', '.join(unknown)}; it may have {', '.join(known)}")


def _number(found: Mapping[str, Any], key: str) -> float:
    if isinstance(found[key], bool) or not isinstance(found[key], int | float):
        raise LivedqnError(f"{key} is {found[key]!r}; it is a number")
    try:
        return float(found[key])
    except OverflowError:
        raise LivedqnError(f"{key} is a number that is too large") from None


def _whole(found: Mapping[str, Any], key: str) -> int:
    value = _without_point(found[key])
    if isinstance(value, bool) or not isinstance(value, int):
        raise LivedqnError(f"{key} is {value!r}; it is a whole number")
    return value


def _name(found: Mapping[str, Any], key: str) -> int:
    return _named(found[key], key)


def _named(value: Any, key: str) -> int:
    if isinstance(value, str):
        return name(value)
    value = _without_point(value)
    if isinstance(value, bool) or not isinstance(value, int) or not -(2**63) <= value < 2**63:
        raise LivedqnError(f"{key} holds {value!r}; it is a whole number of 64 bits, or text")
    return value


def _text(value: Any) -> str:
    """Half of an emoji, which JSON may hold and files may not, as a question mark."""
    return str(value).encode(errors="replace").decode()


def _without_point(value: Any) -> Any:
    """17.0, as some tools write 17, as 17, and all else as it is."""
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < EXACT else value


def _names(found: Mapping[str, Any], key: str) -> IntArray:
    """Null, at the place of nothing, is 0."""
    if not isinstance(found[key], list):
        raise LivedqnError(f"{key} is no list; it names each candidate's")
    return np.array([0 if value is None else _named(value, key) for value in found[key]], np.int64)
