"""Pixels are scaled, and channels are found wherever they stand."""

import torch

from livedqn.encoders import Conv
from livedqn.testing import game_spec

SMALL = {"channels": (2,), "kernels": (3,), "strides": (2,), "hidden": (4,)}


def test_bytes_are_scaled():
    module = Conv(game_spec(num_actions=2, context_shape=(8, 9, 3)), **SMALL)
    pixels = torch.randint(256, (2, 8, 9, 3), dtype=torch.uint8)
    torch.testing.assert_close(module({"context": pixels}), module({"context": pixels.float() / 255}))


def test_channels_first_and_last_see_the_same():
    last = Conv(game_spec(num_actions=2, context_shape=(8, 9, 3)), **SMALL)
    first = Conv(game_spec(num_actions=2, context_shape=(3, 8, 9)), **SMALL)
    first.load_state_dict(last.state_dict())
    pixels = torch.rand(2, 8, 9, 3)
    torch.testing.assert_close(first({"context": pixels.permute(0, 3, 1, 2)}), last({"context": pixels}))


def test_as_many_channels_as_pixels_stand_last():
    assert Conv(game_spec(num_actions=6, context_shape=(10, 10, 10)), **SMALL).channels_last  # MinAtar's Seaquest


def test_the_preset_is_the_network_of_2015():
    module = Conv(game_spec(num_actions=4, context_shape=(84, 84, 4)))
    assert [tuple(p.shape) for p in module.parameters() if p.ndim > 1] == [
        (32, 4, 8, 8),
        (64, 32, 4, 4),
        (64, 64, 3, 3),
        (512, 3136),
    ]
