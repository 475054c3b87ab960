"""Attention by hand: softmax over the real rows and over one score of 0 that stands for none."""

import math

import torch

from livedqn.encoders import Attention
from livedqn.testing import rooms_spec

SPEC = rooms_spec(num_actions=2, context=1, history=(2, 2), candidates=1)


def attention():
    module = Attention(SPEC, units=1)
    with torch.no_grad():
        for layer, weight in ((module.query, [[1.0]]), (module.key, [[0.0, 1.0]]), (module.value, [[0.0, 10.0]])):
            layer.weight.copy_(torch.tensor(weight))
            layer.bias.zero_()
    return module


def attend(candidates, history):
    module = attention()
    return module._attend(candidates, history, module.value(history))


def test_by_hand():
    candidates = torch.tensor([[[0.0], [math.log(2)]]])  # queries 0 and log 2
    history = torch.tensor([[[1.0, 1.0], [1.0, 2.0]]])  # keys 1 and 2, values 10 and 20
    # the first room: scores 0, 0, 0, weights 1/3 each; the second: log 2 and log 4 beside 0, weights 1/7, 2/7, 4/7
    expected = torch.tensor([[[30 / 3], [(2 * 10 + 4 * 20) / 7]]])
    torch.testing.assert_close(attend(candidates, history), expected)


def test_unused_rows_take_no_part():
    candidates = torch.tensor([[[0.0], [math.log(2)]]])
    history = torch.tensor([[[1.0, 1.0], [0.0, 0.0]]])
    expected = torch.tensor([[[10 / 2], [2 * 10 / 3]]])
    torch.testing.assert_close(attend(candidates, history), expected)
