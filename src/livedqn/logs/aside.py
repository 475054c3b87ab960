"""Sessions that nobody can learn from: counted, and set aside in a file that says why."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from livedqn.logs.arrow import to_arrow
from livedqn.logs.impressions import Impressions
from livedqn.logs.rules import sessions_at_fault
from livedqn.logs.schema import schema
from livedqn.logs.seen import SeenSessions
from livedqn.logs.whole import Whole
from livedqn.types import Spec


class SetAside:
    """``with SetAside(path, spec) as aside: sound = aside.sound(impressions)``.

    The file, made once it is needed, has the columns of a log, and ``file`` and ``row``, where each was read, and
    ``why``.
    A whole session is set aside for one row of it: what follows a wrong row is not its successor.
    """

    def __init__(self, path: Path, spec: Spec) -> None:
        self.path = path
        self.rows, self.sessions = 0, 0  # set aside
        self.why: Counter[str] = Counter()  # rows by the rule that they break
        self._spec, self._schema, self._seen = spec, schema(spec), SeenSessions()
        more = [pa.field("file", pa.string()), pa.field("row", pa.int64()), pa.field("why", pa.string())]
        self._layout = pa.schema([*self._schema, *more], metadata=self._schema.metadata)
        self._file: Whole | None = None

    def __enter__(self) -> SetAside:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:  # fmt: skip
        if self._file is not None:
            self._file.finish()  # what was found up to an error is true

    def sound(self, impressions: Impressions) -> Impressions:
        """The sessions without fault of ``impressions``, the next part."""
        is_bad, found = sessions_at_fault(impressions, self._spec, self._seen)
        if not found:
            return impressions
        why: npt.NDArray[Any] = np.full(len(impressions), "", object)
        for fault in found:
            self.why[fault.what] += int(fault.rows.sum())
            why[fault.rows] = [f"{text}; {fault.what}".removeprefix("; ") for text in why[fault.rows]]
        self.rows += int(is_bad.sum())
        self.sessions += int((is_bad & impressions.begins).sum())
        self._write(impressions.take(is_bad), why[is_bad])
        return impressions.take(~is_bad)

    def _write(self, impressions: Impressions, why: npt.NDArray[Any]) -> None:
        if self._file is None:
            self._file = Whole(self.path, self._layout)
        where = [
            pa.array([impressions.source] * len(impressions)),
            pa.array(impressions.row),
            pa.array(why, pa.string()),
        ]
        columns = [*to_arrow(impressions, self._schema).columns, *where]
        self._file.write(pa.Table.from_arrays(columns, schema=self._layout))
