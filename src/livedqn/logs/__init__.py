"""Logs: impressions in Parquet, one schema for all that write them and all that learn from them.

``docs/logs.md`` has the schema, a column a row. Arrow (``pip install livedqn[logs]``) is imported by ``schema``,
``arrow``, ``writer``, ``parquet`` and ``table`` alone.
"""

from livedqn.logs.impressions import NO_ACTION, Impressions, join
from livedqn.logs.rules import ColumnsError, Fault, faults

__all__ = ["NO_ACTION", "ColumnsError", "Fault", "Impressions", "faults", "join"]
