"""The check names what a bad encoder breaks; the good ones stand in tests/encoders."""

import pytest
import torch
from torch import nn

from livedqn.testing import ContractError, check_encoder, example_observation, example_spec
from livedqn.types import LivedqnError


class Good(nn.Module):
    """The context, and the mean of open rooms."""

    mixes_rooms = True

    def __init__(self, spec, *, width=3):
        super().__init__()
        if not spec.has_rooms:
            raise LivedqnError("rooms only")
        self.width = width
        self.layer = nn.Linear(len(spec.context) + len(spec.candidates), width)

    def inputs(self, observation):
        mask = observation["mask"][..., None]
        rooms = (observation["candidates"] * mask).sum(dim=1) / mask.sum(dim=1)
        return torch.cat([observation["context"], rooms], dim=-1)

    def forward(self, observation):
        return self.layer(self.inputs(observation))


def test_an_encoder_for_rooms_alone_passes():
    check_encoder(Good, width=7)


class RefusesAll(Good):
    def __init__(self, spec):
        raise LivedqnError("not today")


def no_module(spec):
    return len


class NoWidth(Good):
    def __init__(self, spec):
        super().__init__(spec)
        del self.width


class WrongWidth(Good):
    def __init__(self, spec):
        super().__init__(spec)
        self.width += 1


class LosesEmptyPast(Good):
    def forward(self, observation):
        past = observation["history"]
        return super().forward(observation) + (past.sum(dim=(1, 2)) / past[..., 0].sum(dim=1))[:, None]


class WritesContext(Good):
    def forward(self, observation):
        observation["context"] *= 0
        return super().forward(observation)


class AddsNoise(Good):
    def forward(self, observation):
        return super().forward(observation) + torch.randn(())


class MixesRows(Good):
    def forward(self, observation):
        state = super().forward(observation)
        return state - state.mean(dim=0)


class ReadsTheFirstRoom(Good):
    def forward(self, observation):
        return super().forward(observation) + observation["candidates"][:, 1].sum(dim=-1, keepdim=True)


class CountsRooms(Good):
    def __init__(self, spec):
        super().__init__(spec)
        self.per_room = nn.Parameter(torch.ones(spec.num_actions))

    def forward(self, observation):
        return super().forward(observation) + (self.per_room * observation["mask"]).sum(dim=1, keepdim=True)


class MeansOverClosedRooms(Good):
    def inputs(self, observation):
        return torch.cat([observation["context"], observation["candidates"].mean(dim=1)], dim=-1)


class MixesInSecret(Good):
    mixes_rooms = False


class MixesByRoom(Good):
    """A state for every room, less the mean of open rooms."""

    mixes_rooms = False

    def forward(self, observation):
        candidates = torch.cat([observation["candidates"], 0 * observation["candidates"]], dim=-1)
        centred = candidates[..., : self.layer.in_features] - self.inputs(observation)[:, None, -1:]
        return self.layer(nn.functional.pad(centred, (0, self.layer.in_features - centred.shape[-1])))


class Detached(Good):
    def forward(self, observation):
        return super().forward(observation).detach()


class HidesLayers(Good):
    def __init__(self, spec):
        super().__init__(spec)
        self.hidden = [nn.Linear(self.width, self.width)]  # a plain list: PyTorch does not see what it holds

    def forward(self, observation):
        return self.hidden[0](super().forward(observation))


class HasNoShape(Good):
    def __init__(self, spec):
        super().__init__(spec)
        self.layer = nn.LazyLinear(self.width)


class IsDouble(Good):
    def __init__(self, spec):
        super().__init__(spec)
        self.layer.double()

    def forward(self, observation):
        return self.layer(self.inputs(observation).double()).float()


class AnswersDouble(Good):
    def forward(self, observation):
        return super().forward(observation).double()


class HoldsALayerInALambda(Good):
    def __init__(self, spec):
        super().__init__(spec)
        self.gate = nn.Linear(self.width, self.width)
        self.act = lambda x: x * torch.sigmoid(self.gate(x))

    def forward(self, observation):
        return self.act(super().forward(observation))


class AttendsToNothing(nn.Module):
    """PyTorch's fast path, which it takes without autograd alone, answers NaN where all is padding."""

    def __init__(self, spec):
        super().__init__()
        if not spec.has_rooms:
            raise LivedqnError("rooms only")
        self.width = 16
        self.inputs = nn.Linear(len(spec.history), 16)
        self.attention = nn.TransformerEncoderLayer(16, 2, 32, batch_first=True, dropout=0.0)

    def forward(self, observation):
        past = observation["history"]
        return self.attention(self.inputs(past), src_key_padding_mask=past[..., 0] == 0)[:, -1]


class FailsInTraining(Good):
    def forward(self, observation):
        if self.training:
            raise RuntimeError("no mean of truth values")
        return super().forward(observation)


class NormalisesRooms(nn.Module):
    """A state for every room, in units of the batch's rooms as long as it trains."""

    def __init__(self, spec):
        super().__init__()
        if not spec.has_rooms:
            raise LivedqnError("rooms only")
        self.width = 3
        self.layer = nn.Linear(len(spec.candidates), 3)
        self.norm = nn.BatchNorm1d(3)

    def forward(self, observation):
        state = self.layer(observation["candidates"])
        return self.norm(state.flatten(0, 1)).view_as(state)


class Remembers(Good):
    """What it answered while it trained, in no buffer."""

    memory = 0.0

    def forward(self, observation):
        state = super().forward(observation) + self.memory
        if self.training:
            self.memory = float(state.detach().mean())
        return state


class DropsOut(Good):
    """Draws in training mode, so that nobody can tell there what depends on what; which is allowed."""

    mixes_rooms = False

    def inputs(self, observation):
        context = nn.functional.dropout(observation["context"], 0.5, self.training)
        return nn.functional.pad(context, (0, self.layer.in_features - context.shape[-1]))


class NeedsDepth(Good):
    def __init__(self, spec):
        raise TypeError("depth?")


class ReadsAnotherKey(Good):
    def forward(self, observation):
        return observation["contexts"]


@pytest.mark.parametrize(
    ("encoder", "promise"),
    [
        (RefusesAll, "refuses every environment.*not today"),
        (no_module, "owes a torch.nn.Module"),
        (NoWidth, "width is None"),
        (WrongWidth, r"answered torch.float32 of shape \(6, 3\); it owes float32 of \(6, 4\) or \(6, 5, 4\)"),
        (LosesEmptyPast, "a viewer may have no past"),
        (WritesContext, "changed the observation"),
        (AddsNoise, "differently to the same observation in eval mode"),
        (MixesRows, "rows are different viewers"),
        (ReadsTheFirstRoom, "another order of the rooms"),
        (CountsRooms, "another number of rooms"),
        (MeansOverClosedRooms, "closed rooms"),
        (MixesInSecret, "what other rooms there are; declare mixes_rooms = True"),
        (MixesByRoom, "what other rooms there are; declare mixes_rooms = True"),
        (Detached, "without a gradient"),
        (HidesLayers, "answers otherwise after load_state_dict.*nn.ModuleList, not in a list"),
        (HasNoShape, r"layer\.weight has no shape yet"),
        (IsDouble, r"layer\.weight is torch\.float64; it owes float32"),
        (AnswersDouble, r"answered torch\.float64 of shape .*; it owes float32"),
        (HoldsALayerInALambda, "goes on reading the original's weights"),
        (AttendsToNothing, r"otherwise under torch\.inference_mode\(\)"),
        (FailsInTraining, "raised RuntimeError: no mean of truth values"),
        (
            NormalisesRooms,
            r"^NormalisesRooms \(rooms with a history\) in training mode: a room's state depends on what other rooms",
        ),
        (Remembers, "keeps something between calls that state_dict.. leaves out"),
        (NeedsDepth, r"NeedsDepth \(rooms with a history\) raised TypeError: depth\? when built"),
        (ReadsAnotherKey, "raised KeyError: 'contexts' when given 6 rows"),
        (Good(example_spec()), "given an instance of Good; it takes the class"),
    ],
)
def test_the_broken_promise_is_named(encoder, promise):
    with pytest.raises(ContractError, match=promise):
        check_encoder(encoder)


def test_one_that_draws_in_training_mode_passes_and_is_eager():
    assert check_encoder(DropsOut).startswith("eager: ")


def test_the_check_leaves_the_generator_alone():
    before = torch.get_rng_state()
    check_encoder(Good)
    assert torch.equal(torch.get_rng_state(), before)


def test_examples_are_as_the_platform_makes_observations():
    spec = example_spec()
    observation = example_observation(spec, 5, seed=0)
    assert {key: tuple(value.shape) for key, value in observation.items()} == {
        "context": (5, 4),
        "history": (5, 3, 6),
        "candidates": (5, 5, 5),
        "mask": (5, 5),
    }
    assert observation["mask"][:, 0].all()
    assert not observation["candidates"][~observation["mask"]].any()
    assert observation["history"][..., 0].sum(dim=1).tolist() == [0, 1, 2, 3, 0]
