"""What keeps an encoder's updates from being compiled."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn
from torch.func import functional_call

from livedqn.compilation import NotCompilableError, captured
from livedqn.testing.specs import example_observation
from livedqn.types import Spec

#: Rows of the observations that an encoder is tried on.
BATCH = 6


def why_eager_on(module: nn.Module, spec: Spec) -> str:
    """What keeps the gradient of ``module`` from being compiled; empty if nothing does."""
    twin = copy.deepcopy(module).train()
    names, tensors = zip(*example_observation(spec, BATCH, seed=1).items(), strict=True)
    learned = dict(twin.named_parameters())
    buffers = {name: buffer.clone() for name, buffer in twin.named_buffers()}

    def gradient(*given: Tensor) -> list[Tensor]:
        like = zip(learned.items(), given, strict=False)
        parameters = {name: p.detach().requires_grad_(old.requires_grad) for (name, old), p in like}
        with torch.enable_grad():
            state = functional_call(twin, parameters, (dict(zip(names, given[len(learned) :], strict=True)),))
            wanted = [p for p in parameters.values() if p.requires_grad]
            return [state, *(torch.autograd.grad(state.sum(), wanted, allow_unused=True) if wanted else ())]

    try:
        captured(gradient, [*learned.values(), *tensors])
    except NotCompilableError as error:
        return str(error)
    changed = [name for name, buffer in twin.named_buffers() if not torch.equal(buffer, buffers[name])]
    return f"it changes its buffer {changed[0]} in forward" if changed else ""
