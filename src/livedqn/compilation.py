"""Functions of tensors alone as one compiled graph.

A function is captured by running it once (``make_fx``), forward and backward alike, and compiled by TorchInductor. No
Python is left of it: no module, no autograd, no guard. What the capture cannot see is refused: random numbers, and
branches on values.
"""

from __future__ import annotations

import logging
import shutil
import statistics
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.fx import GraphModule

from livedqn.types import first_line

Function = Callable[..., Sequence[Tensor]]


class NotCompilableError(Exception):
    """Why a function cannot be compiled: the end of a sentence."""


def captured(function: Function, example: Sequence[Tensor]) -> GraphModule:
    """The operations of ``function`` on tensors of the shapes, strides and types of ``example``, on which it is run.

    Raises:
        NotCompilableError: it draws random numbers, or branches on values.
    """
    with _quiet():  # imported late, as Inductor is: most runs are too short to compile anything
        from torch.fx.experimental.proxy_tensor import make_fx

    try:
        with torch.random.fork_rng(), _quiet():
            graph = make_fx(function, decomposition_table=_products())(*example)
    except Exception as error:  # whatever a plugin's code does when it meets a tensor that is being captured
        raise NotCompilableError(f"it cannot be captured ({first_line(error)})") from error
    for node in graph.graph.nodes:
        if torch.Tag.nondeterministic_seeded in getattr(node.target, "tags", ()):
            raise NotCompilableError(f"it draws random numbers ({node.target})")
        node.meta.clear()  # it holds tensors of the capture, which Inductor would take for its own
    return graph


#: Elements of a matrix up to which a product with a single row is quicker in the open.
SMALL = 2**16


def _products() -> dict[Any, Callable[..., Any]]:
    """How products of matrices are written.

    A bias is added afterwards, in the loop that reads the product next: torch would first write it to every row. And a
    single row times a small matrix is a sum, as calling a library for it takes longer than the product.
    """

    def mm(left: Tensor, right: Tensor) -> Any:
        is_small = len(left) == 1 and right.numel() <= SMALL
        return (left.unsqueeze(1) * right.t()).sum(-1) if is_small else NotImplemented

    def addmm(bias: Tensor, left: Tensor, right: Tensor, *, beta: float = 1, alpha: float = 1) -> Any:
        return torch.mm(left, right) + bias if beta == alpha == 1 else NotImplemented

    return {torch.ops.aten.mm.default: mm, torch.ops.aten.addmm.default: addmm}


def compiled(graph: GraphModule, example: Sequence[Tensor], *, checks: bool = True) -> Function:
    """What was :func:`captured` with ``example``, compiled for tensors of its shapes, strides and types.

    Every call ``checks`` shapes and strides, which takes a microsecond; elsewhere what does not fit is read beyond its
    end.

    Raises:
        NotCompilableError: there is no compiler that can translate it.
    """
    with _quiet():
        from torch._functorch import config as functorch
        from torch._inductor import config
        from torch._inductor.compile_fx import compile_fx, compile_fx_inner

    on_cpu = example[0].device.type == "cpu"
    if on_cpu:
        require_compiler()
    innermost: list[Any] = []

    def keep(*args: Any, **kwargs: Any) -> Any:
        innermost.append(compile_fx_inner(*args, **kwargs))
        return innermost[-1]

    try:
        # a whole function out of autograd's cache would hide the code inside it; Inductor's own cache holds that
        options = config.patch(cpp_wrapper=on_cpu, size_asserts=checks)
        with options, functorch.patch(enable_autograd_cache=False), _quiet(), _fixed_shapes():
            whole: Any = compile_fx(graph, list(example), inner_compile=keep)
    except Exception as error:  # Inductor's own errors, the compiler's, or a disk's
        raise NotCompilableError(f"the compiler failed ({first_line(error)})") from error
    return _without_wrappers(whole, graph, example, innermost)


def _without_wrappers(
    whole: Function, graph: GraphModule, example: Sequence[Tensor], innermost: Sequence[Any]
) -> Function:
    """The compiled code in ``whole``, or ``whole`` if the code takes more than the graph's constants and arguments.

    Around it lie wrappers for what a captured function never does (answering views of its inputs, or resizing them);
    for a small network they take longer than the code.
    """
    constants = [buffer for _, buffer in graph.named_buffers()]
    call = getattr(innermost[0], "current_callable", None) if len(innermost) == 1 else None
    if call is None:
        return whole

    def function(*tensors: Tensor) -> Sequence[Tensor]:
        return call([*constants, *tensors])  # type: ignore[no-any-return]

    def outcome(of: Function) -> list[Tensor]:
        inputs = [tensor.clone() for tensor in example]  # which the function may change
        return [*of(*inputs), *inputs]

    try:
        is_same = all(map(torch.equal, outcome(function), outcome(whole)))
    except Exception:  # for want of inputs
        return whole
    return function if is_same else whole


def require_compiler() -> None:
    """Raise NotCompilableError where no C++ compiler can be found."""
    with _quiet():
        from torch._inductor import config

    names = config.cpp.cxx if isinstance(config.cpp.cxx, tuple | list) else (config.cpp.cxx,)
    if sys.platform != "win32" and not any(shutil.which(str(name)) for name in names if name):
        wanted = next(str(name) for name in names if name)
        raise NotCompilableError(f"there is no C++ compiler ({wanted}); install one, or name it by CXX")


def seconds(function: Callable[[], object], repeats: int = 7) -> float:
    """The median time of a call, seconds; the first two do not count."""
    times = []
    for _ in range(repeats + 2):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return statistics.median(times[2:])


@contextmanager
def _fixed_shapes() -> Iterator[None]:
    """Say that no shape is a variable: only where Inductor knows does it look for the code in its cache on disk."""
    from torch._guards import TracingContext, tracing
    from torch._subclasses import FakeTensorMode
    from torch.fx.experimental.symbolic_shapes import ShapeEnv

    with tracing(TracingContext(FakeTensorMode(shape_env=ShapeEnv(), static_shapes=True))):
        yield


@contextmanager
def _quiet() -> Iterator[None]:
    """Warnings of the compiler concern its developers."""
    loggers = [logging.getLogger(f"torch.{name}") for name in ("_inductor", "_functorch", "_dynamo")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(action="ignore"):
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
