"""livedqn: deep Q-learning that recommends live streams.

Names are imported when they are first used (PEP 562): ``--help`` must not wait for torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from livedqn.checkpoint import load
    from livedqn.evaluate.python import compare
    from livedqn.training import Run, train
    from livedqn.types import LivedqnError, Spec

__version__ = "0.1.0"
__all__ = ["LivedqnError", "Run", "Spec", "compare", "load", "train"]

_HOME = {
    "LivedqnError": "livedqn.types",
    "Run": "livedqn.training",
    "Spec": "livedqn.types",
    "compare": "livedqn.evaluate.python",
    "load": "livedqn.checkpoint",
    "train": "livedqn.training",
}


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME})
