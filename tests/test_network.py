"""The Q-network's promises about candidate sets: any K, any order, masked rows without effect."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from livedqn.encoders.attention import Attention
from livedqn.encoders.mlp import MLP
from livedqn.losses import chosen
from livedqn.narrowing import narrowed
from livedqn.network import CandidateHead, QNetwork
from livedqn.testing import example_spec
from livedqn.types import LivedqnError, Spec, TensorObservation

SPEC = example_spec()


def network(encoder: type, spec: Spec = SPEC, **switches: Any) -> QNetwork:
    torch.manual_seed(0)
    plain = {"numbers": 1, "is_dueling": True, "layer_norm": False, "ensemble": 1}
    return QNetwork(spec, encoder, hidden=8, **plain | switches).eval()


def observation(num_candidates: int, seed: int, rows: int = 3) -> TensorObservation:
    generator = torch.Generator().manual_seed(seed)

    def columns(group: tuple, *shape: int) -> Tensor:
        whole = torch.randint(1, 5, (*shape, len(group)), generator=generator).float()
        for i, column in enumerate(group):
            if column.kind == "category":
                whole[..., i] = torch.randint(0, column.cardinality, shape, generator=generator).float()
        return whole

    mask = torch.rand(rows, num_candidates, generator=generator) > 0.3
    mask[:, 0] = True
    candidates = columns(SPEC.candidates, rows, num_candidates)
    candidates[:, 0] = 0
    history = columns(SPEC.history, rows, SPEC.history_length)
    history[..., 0] = 1
    return {"context": columns(SPEC.context, rows), "history": history, "candidates": candidates, "mask": mask}


@pytest.mark.parametrize("encoder", [MLP, Attention])
@given(num_candidates=st.integers(1, 30), seed=st.integers(0, 2**31))
@settings(max_examples=25, deadline=None)
def test_permuting_rooms_permutes_values_at_any_number_of_candidates(encoder, num_candidates: int, seed: int) -> None:
    q_network, seen = network(encoder), observation(num_candidates, seed)
    order = torch.cat([torch.zeros(1, dtype=torch.long), 1 + torch.randperm(num_candidates - 1)])
    shuffled = {**seen, "candidates": seen["candidates"][:, order], "mask": seen["mask"][:, order]}
    with torch.no_grad():
        assert torch.allclose(q_network(seen)[:, :, order], q_network(shuffled), atol=1e-5)


@pytest.mark.parametrize("encoder", [MLP, Attention])
def test_masked_rows_change_no_value_and_no_gradient(encoder) -> None:
    seen = observation(4, 1)
    seen["mask"][:] = True
    wider = {
        **seen,
        "candidates": torch.cat([seen["candidates"], torch.full((3, 2, len(SPEC.candidates)), 2.0)], dim=1),
        "mask": torch.cat([seen["mask"], torch.zeros(3, 2, dtype=torch.bool)], dim=1),
    }
    gradients = []
    for one in (seen, wider):
        q_network = network(encoder)
        q = q_network(one)
        q[:, :, :4].square().sum().backward()
        gradients.append([p.grad for p in q_network.parameters() if p.grad is not None])
    for narrow, wide in zip(*gradients, strict=True):
        assert torch.allclose(narrow, wide, atol=1e-5)


def test_an_ensemble_gives_estimates_that_differ() -> None:
    q = network(MLP, ensemble=3)(observation(5, 0))
    assert q.shape == (3, 3, 5, 1)
    assert not torch.allclose(q[0, :, 0], q[1, :, 0])


def test_a_games_head_values_every_action() -> None:
    spec = Spec(context=example_spec().context, context_shape=(len(SPEC.context),), num_actions=4)
    seen = {"context": torch.zeros(2, len(SPEC.context)), "mask": torch.ones(2, 4, dtype=torch.bool)}
    for is_dueling in (True, False):
        assert network(MLP, is_dueling=is_dueling, numbers=3, spec=spec)(seen).shape == (1, 2, 4, 3)


@pytest.mark.parametrize("encoder", [MLP, Attention])
@given(st.integers(1, 12), st.integers(1, 3), st.booleans(), st.integers(0, 2**31))
@settings(max_examples=25, deadline=None)
def test_a_room_alone_is_worth_what_it_is_among_others(encoder, num_candidates, estimates, layer_norm, seed) -> None:
    q_network, seen = network(encoder, ensemble=estimates, layer_norm=layer_norm), observation(num_candidates, seed)
    actions = torch.multinomial(seen["mask"].float(), estimates, replacement=True).T  # (E, N)
    alone, at = narrowed(seen, actions)
    with torch.no_grad():
        torch.testing.assert_close(chosen(q_network(alone), at), chosen(q_network(seen), actions), rtol=0, atol=1e-5)


def test_rooms_duel_against_nothing() -> None:
    head = CandidateHead(state_width=1, candidate_width=1, numbers=1, hidden=1, is_dueling=True, layer_norm=False)
    for parameter in head.parameters():
        nn.init.zeros_(parameter)
    nn.init.constant_(head.nothing[-1].bias, 10.0)  # V(s)
    for layer in (head.candidate, head.room[-1]):
        nn.init.constant_(layer.weight, 1.0)  # A(s, room) = relu(candidate)
    q = head(torch.zeros(1, 1), {"candidates": torch.tensor([[[0.0], [3.0], [5.0]]])})
    assert q.tolist() == [[[10], [13], [15]]]


def test_layer_norm_centres_and_scales_hidden_layers_row_by_row() -> None:
    q_network, seen = network(Attention, layer_norm=True), observation(6, 0)
    normalised: list[Tensor] = []
    for module in q_network.modules():
        if isinstance(module, nn.LayerNorm):
            module.register_forward_hook(lambda module, given, out: normalised.append(out))
    q_network(seen)
    # the state of every candidate, a room's hidden layer, and *nothing*'s
    assert [tuple(x.shape[:-1]) for x in normalised] == [(3, 6), (3, 5), (3,)]
    for x in normalised:
        torch.testing.assert_close(x.mean(dim=-1), torch.zeros(x.shape[:-1]), rtol=0, atol=1e-5)
        torch.testing.assert_close(x.std(dim=-1, correction=0), torch.ones(x.shape[:-1]), rtol=0, atol=0.05)
    assert not any(isinstance(module, nn.LayerNorm) for module in network(Attention).modules())


class Narrower(MLP):
    """Says that its states are wider than they are."""

    def __init__(self, spec: Spec) -> None:
        super().__init__(spec, hidden=(8,))
        self.width = 9


def test_a_width_that_is_not_the_states_is_said() -> None:
    with pytest.raises(LivedqnError, match=r"^encoder Narrower has width=9, and answers states of shape \(3, 8\)"):
        network(Narrower)(observation(4, seed=0))
