"""Every encoder that comes with livedqn keeps the contract, with any settings that make sense."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from livedqn.encoders import GRU, MLP, Attention, Conv
from livedqn.testing import check_encoder, example_observation, example_spec, game_spec, rooms_spec
from livedqn.types import LivedqnError

GAME = game_spec(num_actions=2, context_shape=(4,))
IMAGE = game_spec(num_actions=4, context_shape=(84, 84, 3))


@pytest.mark.parametrize(
    ("encoder", "options"),
    [
        (MLP, {}),
        (MLP, {"hidden": (64, 32)}),
        (GRU, {}),
        (GRU, {"memory": 3, "hidden": (5, 7)}),
        (Attention, {}),
        (Attention, {"units": 3, "hidden": (5, 7)}),
        (Conv, {}),
        (Conv, {"channels": (2,), "kernels": (3,), "strides": (1,), "hidden": (4,)}),
    ],
)
def test_contract(encoder, options):
    check_encoder(encoder, **options)


@settings(max_examples=30, deadline=None)
@given(
    encoder=st.sampled_from([MLP, GRU, Attention]),
    sizes=st.tuples(*[st.integers(1, 6)] * 6),
    seed=st.integers(0, 1000),
)
def test_any_shape(encoder, sizes, seed):
    num_actions, context, length, columns, candidates, batch = sizes
    spec = rooms_spec(num_actions=num_actions, context=context, history=(length, columns), candidates=candidates)
    module = encoder(spec)
    state = module(example_observation(spec, batch, seed))
    assert tuple(state.shape) in [(batch, module.width), (batch, num_actions, module.width)]
    assert state.isfinite().all()


@pytest.mark.parametrize("encoder", [MLP, GRU, Attention])
def test_padding_counts_for_nothing_wherever_it_stands(encoder):
    module = encoder(rooms_spec(num_actions=3, context=2, history=(5, 4), candidates=2))
    observation = example_observation(example_spec(), 1, 0)
    observation["candidates"], observation["context"] = torch.randn(1, 3, 2), torch.randn(1, 2)
    past = torch.cat([torch.ones(1, 2, 1), torch.randn(1, 2, 3)], dim=-1)
    padding = torch.zeros(1, 3, 4)
    states = [module(observation | {"history": torch.cat(h, dim=1)}) for h in ([past, padding], [padding, past])]
    torch.testing.assert_close(states[0], states[1])


@pytest.mark.parametrize(
    ("encoder", "spec", "options", "word"),
    [
        (MLP, IMAGE, {}, "encoder=conv"),
        (GRU, IMAGE, {}, "encoder=conv"),
        (Attention, IMAGE, {}, "encoder=conv"),
        (GRU, GAME, {}, "encoder=mlp"),
        (Attention, GAME, {}, "encoder=mlp"),
        (Conv, GAME, {}, "encoder=mlp"),
        (Conv, game_spec(num_actions=2, context_shape=(10, 10, 4)), {}, "too small"),
        (Conv, IMAGE, {"kernels": (3,)}, r"kernels=\[3\]"),
        (MLP, GAME, {"hidden": ()}, "at least one layer"),
        (MLP, GAME, {"hidden": (8, 0)}, r"hidden=\[8, 0\]"),
        (GRU, example_spec(), {"memory": 0}, "memory=0"),
        (Attention, example_spec(), {"units": 0}, "units=0"),
    ],
)
def test_what_does_not_fit_is_one_sentence(encoder, spec, options, word):
    with pytest.raises(LivedqnError, match=word):
        encoder(spec, **options)
