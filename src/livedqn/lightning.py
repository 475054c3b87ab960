"""Lightning, without the seconds that it takes to import torch's compiler and Matplotlib, which training never uses.

Lightning asks torch._dynamo for a class, to tell compiled modules from others, and for a decorator; torchmetrics asks
Matplotlib for names of types and for a style. Here they get stand-ins that behave as the real things, which they import
as soon as there is something to do for them. Nobody else does: a stand-in is given to the modules in ``_ASKED`` alone
(``torch.compiler.disable`` to all that Lightning imports), and only while Lightning is imported. Where a version of
theirs asks elsewhere or for more, the real import happens.
"""

from __future__ import annotations

import builtins
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import Any

import torch
from torch._compile import _disable_dynamo

__all__ = ["pl"]


class _LazyClass(type):
    """A class told by its home: before that is imported, nothing can be an instance of it."""

    def __new__(cls, module: str, name: str) -> _LazyClass:
        return super().__new__(cls, name, (), {"__module__": module})

    def __init__(cls, module: str, name: str) -> None:
        super().__init__(name, (), {})

    def __instancecheck__(cls, instance: object) -> bool:
        real = getattr(sys.modules.get(cls.__module__), cls.__name__, None)
        return real is not None and isinstance(instance, real)


class _LazyModule(ModuleType):
    """Holds what it is given; all else it takes from the module of its name, which it imports then."""

    def __init__(self, name: str, **given: Any) -> None:
        super().__init__(name)
        vars(self).update(given)

    def __getattr__(self, name: str) -> Any:
        return getattr(import_module(self.__name__), name)


@contextmanager
def _style(*given: Any, **named: Any) -> Iterator[None]:
    with import_module("matplotlib.style").context(*given, **named):
        yield


def _disable(function: Any = None, recursive: bool = True, *, reason: str | None = None) -> Any:
    """``torch.compiler.disable`` in torch's own lazy form: a call of ``function`` imports the compiler."""
    return _disable_dynamo(function, recursive)


_DYNAMO = _LazyModule("torch._dynamo", OptimizedModule=_LazyClass("torch._dynamo", "OptimizedModule"))
_MATPLOTLIB = _LazyModule(
    "matplotlib",
    axes=_LazyModule("matplotlib.axes", Axes=_LazyClass("matplotlib.axes", "Axes")),
    colors=_LazyModule("matplotlib.colors", Colormap=_LazyClass("matplotlib.colors", "Colormap")),
    pyplot=_LazyModule(
        "matplotlib.pyplot",
        Figure=_LazyClass("matplotlib.figure", "Figure"),
        style=_LazyModule("matplotlib.style", context=_style),
    ),
)
#: Who asks, for what.
_ASKED = {
    ("lightning_fabric.wrappers", "torch._dynamo"): _DYNAMO,
    ("pytorch_lightning.utilities.compile", "torch._dynamo"): _DYNAMO,
    ("torchmetrics.utilities.plot", "matplotlib"): _MATPLOTLIB,
    ("torchmetrics.utilities.plot", "matplotlib.axes"): _MATPLOTLIB,  # import a.b gives a
    ("torchmetrics.utilities.plot", "matplotlib.pyplot"): _MATPLOTLIB,
}


@contextmanager
def _stand_ins() -> Iterator[None]:
    real_import, real_disable = builtins.__import__, torch.compiler.disable

    def lazily(name: str, globals: Any = None, *others: Any, **named: Any) -> ModuleType:
        stand_in = _ASKED.get(((globals or {}).get("__name__"), name))  # type: ignore[arg-type]
        return stand_in or real_import(name, globals, *others, **named)

    builtins.__import__, torch.compiler.disable = lazily, _disable
    try:
        yield
    finally:
        builtins.__import__, torch.compiler.disable = real_import, real_disable


with _stand_ins():
    import pytorch_lightning as pl
