"""The history enters as the mean of its real rows."""

import torch

from livedqn.encoders import MLP
from livedqn.testing import game_spec, rooms_spec

SPEC = rooms_spec(num_actions=2, context=1, history=(3, 2), candidates=1)


def test_the_mean_is_over_real_rows():
    module = MLP(SPEC, hidden=(3,))
    with torch.no_grad():
        module.layers[0].weight.copy_(torch.eye(3))
        module.layers[0].bias.zero_()
    history = torch.tensor([[[1.0, 4], [1, 8], [0, 0]], [[0, 0], [0, 0], [0, 0]]])
    state = module({"context": torch.tensor([[5.0], [7.0]]), "history": history})
    torch.testing.assert_close(state, torch.tensor([[5.0, 1, 6], [7, 0, 0]]))


def test_the_original_network_is_64_32():
    module = MLP(game_spec(num_actions=2, context_shape=(4,)), hidden=(64, 32))
    assert [tuple(p.shape) for p in module.parameters()] == [(64, 4), (64,), (32, 64), (32,)]
    assert module.width == 32
