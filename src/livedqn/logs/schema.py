"""The schema of the logs, as Arrow knows it; ``docs/logs.md`` says what each column is.

What is one value or one list a row any tool that reads Parquet finds by name. The two arrays of a row that have columns
of their own, history and candidates, are bytes of float32, little-endian, row by row, as NumPy has them: as lists
of numbers they take twice as long to write, and longer to read. Nothing is padded: a row has as many candidates as
its request had.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from livedqn import __version__
from livedqn.logs.rules import ColumnsError
from livedqn.types import Column, LivedqnError, Spec

#: The version of the schema; a change of it makes older logs unreadable, and says so.
FORMAT = 1
_FORMAT, _SPEC, _SOURCE = b"livedqn.logs", b"livedqn.spec", b"livedqn.source"
#: Bytes of a float32.
FLOAT = 4
#: Columns of one value a row: names, what was chosen, what came of it, and how it ended.
NAMES = {"request": pa.int64(), "session": pa.int64(), "viewer": pa.int64(), "time_s": pa.int64()}
CHOICE = {"action": pa.int32(), "propensity": pa.float32(), "policy": pa.dictionary(pa.int32(), pa.string())}
RESULT = {"native": pa.float32(), "elapsed_s": pa.float32()}
END = {"terminated": pa.bool_(), "truncated": pa.bool_()}
#: Columns of a value for each candidate.
LISTS: dict[str, Any] = {"mask": pa.bool_(), "rooms": pa.int64(), "streamers": pa.int64()}


def schema(spec: Spec, source: Mapping[str, Any] | None = None) -> pa.Schema:
    """The columns of a log of what ``spec`` shows; its metadata hold the spec, and ``source``: who made it, and how.

    Raises:
        LivedqnError: the observation is an image, or two columns of an array have one name.
    """
    if len(spec.context_shape) != 1:
        raise LivedqnError("logs hold contexts of named columns, not images; log the features that were made of them")
    for array in ("context", "history", "candidates"):
        names = [column.name for column in getattr(spec, array)]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise LivedqnError(f"{array} has several columns named {', '.join(twice)}; a log needs a name for each")
    whole = {**NAMES, "context": _struct(spec.context)}
    if spec.has_rooms:
        whole |= {"history": pa.binary(FLOAT * spec.history_length * len(spec.history)), "candidates": pa.binary()}
    lists = LISTS if spec.has_rooms else ("mask",)
    whole |= {name: pa.list_(pa.field("element", LISTS[name], nullable=False)) for name in lists}
    signals = {"signals": _struct([Column(name) for name in spec.signals])} if spec.signals else {}
    fields = [pa.field(name, kind, nullable=False) for name, kind in whole.items()]
    fields += [pa.field(name, kind) for name, kind in (CHOICE | signals | RESULT).items()]
    fields += [pa.field(name, kind, nullable=False) for name, kind in END.items()]
    metadata = {_FORMAT: str(FORMAT).encode(), _SPEC: json.dumps(spec.to_dict()).encode()}
    metadata[_SOURCE] = json.dumps({"livedqn": __version__, **(source or {})}, default=str).encode()
    return pa.schema(fields, metadata=metadata)


def read_spec(layout: pa.Schema, source: str) -> Spec:
    """What the columns of a file are, by its metadata.

    Raises:
        LivedqnError: it is no log, or one of another version, or its columns are not those that its metadata name.
    """
    metadata = layout.metadata or {}
    version = metadata.get(_FORMAT, b"").decode()
    if not version:
        raise LivedqnError(
            f"{source} is no log of livedqn; map a table of your own with logs=table logs.columns=<yaml>"
        )
    if version != str(FORMAT):
        raise LivedqnError(
            f"{source} has version {version} of the log schema, this livedqn {__version__} reads {FORMAT}"
        )
    try:
        spec = Spec.from_dict(json.loads(metadata[_SPEC]))
    except (KeyError, TypeError, json.JSONDecodeError) as error:
        raise LivedqnError(f"{source}: its metadata were changed ({error}); write it again with livedqn.logs") from None
    except ValueError as error:  # livedqn wrote it, when its rules for columns were others
        raise LivedqnError(
            f"{source} was written by an earlier livedqn, with columns that this one does not take: {error}; make it "
            "anew from what it was made of"
        ) from None
    wanted = schema(spec)
    wrong = [f"{field.name} is missing" for field in wanted if field.name not in layout.names]
    wrong += [
        f"{field.name} is {_short(layout.field(field.name).type)}, not {_short(field.type)}"
        for field in wanted
        if field.name in layout.names and not _same(layout.field(field.name).type, field.type)
    ]
    if wrong:
        raise ColumnsError(source, wrong, "docs/logs.md has the types")
    return spec


def read_source(layout: pa.Schema) -> dict[str, Any]:
    """Who made a log, and how: policy, exploration, floor, environment, seed ..., as far as they were noted."""
    found: dict[str, Any] = json.loads((layout.metadata or {}).get(_SOURCE, b"{}"))
    return found


def _struct(columns: Sequence[Column]) -> Any:
    return pa.struct([pa.field(column.name, pa.float32(), nullable=False) for column in columns])


def _same(found: Any, wanted: Any) -> bool:
    """Whether they hold the same, whatever may be null and however elements of lists are called."""
    if pa.types.is_dictionary(found):
        found = found.value_type
    if pa.types.is_dictionary(wanted):
        wanted = wanted.value_type
    if pa.types.is_list(wanted):
        return pa.types.is_list(found) and _same(found.value_type, wanted.value_type)
    if pa.types.is_struct(wanted):
        return pa.types.is_struct(found) and (
            [field.name for field in found] == [field.name for field in wanted]
            and all(_same(mine.type, theirs.type) for mine, theirs in zip(found, wanted, strict=True))
        )
    return bool(found == wanted)


def _short(kind: Any) -> str:
    return str(kind).replace(" not null", "")
