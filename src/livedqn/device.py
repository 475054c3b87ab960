"""Which device to compute on."""

from __future__ import annotations

import torch

from livedqn.types import LivedqnError, first_line


def resolve(device: str) -> torch.device:
    """The device named, or for ``auto`` the best accelerator at hand.

    Raises:
        LivedqnError: there is no such device here.
    """
    if device == "auto":
        return torch.accelerator.current_accelerator(check_available=True) or torch.device("cpu")
    if device.startswith("meta"):
        raise LivedqnError("device=meta computes nothing; device=auto takes what there is")
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise LivedqnError(
            f"device={device} is not to be had here ({first_line(error)}); device=auto takes what there is"
        ) from None
    return torch.device(device)
