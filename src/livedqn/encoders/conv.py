"""Convolutions over an image, for games that are seen as pixels."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from livedqn.encoders.layers import dense
from livedqn.types import LivedqnError, Spec, TensorObservation


class Conv(nn.Module):
    """Convolutions, then dense layers; as preset, the network of Mnih et al. 2015, https://doi.org/10.1038/nature14236.

    Bytes are scaled to [0, 1]. Channels may stand first or last: they are the shorter of the two (last, if equal).

    Args:
        channels: output channels of each convolution.
        kernels: side of each convolution's square kernel, in pixels.
        strides: stride of each convolution, in pixels.
        hidden: units of each dense layer; the last is the width of the state.
    """

    def __init__(
        self,
        spec: Spec,
        *,
        channels: tuple[int, ...] = (32, 64, 64),
        kernels: tuple[int, ...] = (8, 4, 3),
        strides: tuple[int, ...] = (4, 2, 1),
        hidden: tuple[int, ...] = (512,),
    ) -> None:
        super().__init__()
        if len(spec.context_shape) != 3:
            raise LivedqnError("encoder conv reads images, but this environment shows a vector; choose encoder=mlp")
        if not len(channels) == len(kernels) == len(strides) or min((1, *channels, *kernels, *strides)) < 1:
            raise LivedqnError(
                f"encoder conv has channels={list(channels)}, kernels={list(kernels)}, strides={list(strides)}; "
                "each names one positive number for every convolution"
            )
        first, middle, last = spec.context_shape
        self.channels_last = last <= first
        depth, height, width = (last, first, middle) if self.channels_last else (first, middle, last)
        layers: list[nn.Module] = []
        for channel, kernel, stride in zip(channels, kernels, strides, strict=True):
            if min(height, width) < kernel:
                raise LivedqnError(
                    f"encoder conv: an image of {spec.context_shape} is too small for kernels={list(kernels)} with "
                    f"strides={list(strides)}; name smaller ones, such as encoder.kernels=[3,3,3] "
                    "encoder.strides=[1,1,1]"
                )
            layers += [nn.Conv2d(depth, channel, kernel, stride), nn.ReLU()]
            depth, height, width = channel, (height - kernel) // stride + 1, (width - kernel) // stride + 1
        self.layers = nn.Sequential(*layers, nn.Flatten(), *dense(depth * height * width, hidden))
        self.width = hidden[-1]

    def forward(self, observation: TensorObservation) -> Tensor:
        """(B, D) state."""
        image = observation["context"]
        if image.dtype == torch.uint8:
            image = image.float() / 255
        if self.channels_last:
            image = image.movedim(-1, 1)
        state: Tensor = self.layers(image)
        return state
