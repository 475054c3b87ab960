"""The recurrent unit is torch's own GRU, written out; torch.func takes it."""

import torch
from torch import nn

from livedqn.encoders import GRU
from livedqn.testing import example_observation, example_spec

SPEC = example_spec()


def test_equals_torch_gru():
    module = GRU(SPEC, memory=7)
    reference = nn.GRU(len(SPEC.history), 7, batch_first=True)
    reference.load_state_dict(
        {
            "weight_ih_l0": module.from_input.weight,
            "bias_ih_l0": module.from_input.bias,
            "weight_hh_l0": module.from_memory.weight,
            "bias_hh_l0": module.from_memory.bias,
        }
    )
    history = torch.randn(4, 5, len(SPEC.history))
    history[..., 0] = 1
    torch.testing.assert_close(module._remember(history), reference(history)[0])


def test_no_past_is_no_memory():
    module = GRU(SPEC, memory=7)
    assert not module._remember(torch.zeros(2, 3, len(SPEC.history))).any()


def test_an_ensemble_by_vmap():
    members = [GRU(SPEC, memory=4, hidden=(3,)) for _ in range(2)]
    parameters, _ = torch.func.stack_module_state(members)
    observation = example_observation(SPEC, 5, 0)

    def state(weights):
        return torch.func.functional_call(members[0], weights, (observation,))

    together = torch.vmap(state)(parameters)
    torch.testing.assert_close(together, torch.stack([member(observation) for member in members]))
