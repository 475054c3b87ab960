"""What decides whether a class is an encoder."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.parameter import UninitializedParameter

from livedqn.narrowing import narrowed
from livedqn.testing.eager import BATCH, why_eager_on
from livedqn.testing.errors import ContractError, calling, described_error, expect
from livedqn.testing.specs import example_observation, example_spec, game_spec, rooms_spec, shared_spec
from livedqn.types import LivedqnError, Spec, TensorObservation

_NOT_FOR_GAMES = "if it is not for games, its __init__ says so: raise livedqn.types.LivedqnError"
_SPECS = {
    "rooms with a history": example_spec(),
    "rooms of topics that the history knows": shared_spec(),
    "many rooms, few columns": rooms_spec(num_actions=17, context=1, history=(8, 2), candidates=1),
    "one room besides nothing": rooms_spec(num_actions=2, context=7, history=(1, 3), candidates=9),
    "a game seen as a vector": game_spec(num_actions=3, context_shape=(4,)),
    "a game seen as an image": game_spec(num_actions=4, context_shape=(84, 84, 3)),
    "a game seen as an image, channels first": game_spec(num_actions=4, context_shape=(4, 84, 84)),
}


def check_encoder(encoder: Callable[..., Any], **settings: Any) -> str:
    """Build ``encoder`` with several specs and ``settings``, and try it on made observations.

    It may refuse a spec that it is not for by raising LivedqnError, but not all of them.

    Args:
        encoder: the class, or a function that makes one.
        settings: of the encoder.

    Returns:
        How updates with this encoder can be computed: "compiled", or "eager: " and why no better. Both are right, and
        compiled ones may be faster.

    Raises:
        ContractError: the first promise that it does not keep.
    """
    name = getattr(encoder, "__name__", type(encoder).__name__)
    expect(callable(encoder), f"check_encoder was given {encoder!r}; it takes the class, and its settings")
    expect(
        not isinstance(encoder, nn.Module),
        f"check_encoder was given an instance of {name}; it takes the class, and its settings: "
        f"check_encoder({name}, ...)",
    )
    refusals, why_eager = [], ""
    with torch.random.fork_rng(devices=[]):
        for kind, spec in _SPECS.items():
            torch.manual_seed(0)
            try:
                module = encoder(spec, **settings)
            except LivedqnError as error:
                refusals.append(str(error))
                continue
            except Exception as error:
                raise ContractError(f"{name} ({kind}) raised {described_error(error)} when built") from error
            try:
                _check(f"{name} ({kind})", module, spec)
            except ContractError as error:
                if spec.has_rooms:
                    raise
                raise ContractError(f"{error}; {_NOT_FOR_GAMES}") from error
            why_eager = why_eager or why_eager_on(module, spec)
            torch.manual_seed(1)
            _check_saved(f"{name} ({kind})", module, encoder(spec, **settings), spec)
    expect(len(refusals) < len(_SPECS), f"{name} refuses every environment; the last time because: {refusals[-1:]}")
    return f"eager: {why_eager}" if why_eager else "compiled"


def check_on(spec: Spec, name: str, make: Callable[[Spec], Any]) -> None:
    """Hold what ``make`` makes of a dense ``spec`` to the contract; global generators are left as they were.

    Raises:
        ContractError: the first promise that it does not keep.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        module = make(spec)
        _check(name, module, spec)
        torch.manual_seed(1)
        _check_saved(name, module, make(spec), spec)


def _check(name: str, module: Any, spec: Spec) -> None:
    expect(isinstance(module, nn.Module), f"{name} is a {type(module).__name__}; it owes a torch.nn.Module")
    width = getattr(module, "width", None)
    expect(
        isinstance(width, int | np.integer) and width > 0, f"{name}.width is {width!r}; it owes the width of its output"
    )
    _check_parameters(name, module)
    module.eval()
    observation = example_observation(spec, BATCH, seed=1)
    state = _state(name, module, observation, spec.num_actions)
    _check_rows(name, module, observation, state)
    _check_acting(name, module, observation, state)
    if spec.has_rooms:
        _check_rooms(name, module, observation, state)
    _check_learning(name, module, observation, state)


def _check_parameters(name: str, module: nn.Module) -> None:
    for own, parameter in module.named_parameters():
        expect(
            not isinstance(parameter, UninitializedParameter),
            f"{name}.{own} has no shape yet; the spec that it is built with says all widths, so give the layer its own",
        )
        expect(
            not parameter.is_floating_point() or parameter.dtype == torch.float32,
            f"{name}.{own} is {parameter.dtype}; it owes float32, in which all is learned",
        )


def _check_saved(name: str, module: nn.Module, other: nn.Module, spec: Spec) -> None:
    """``other``, built from other random numbers, is ``module`` once it has its weights: a checkpoint holds no more."""
    with calling(name, "one loaded the state_dict() of another"):
        other.load_state_dict(module.state_dict())
    observation = example_observation(spec, BATCH, seed=1)
    expect(
        _close(other.eval()(observation), module.eval()(observation)),
        f"{name} answers otherwise after load_state_dict(): it has weights that state_dict() leaves out, so nothing "
        "trains or saves them; hold layers in nn.ModuleList, not in a list, and tensors as parameters or buffers",
    )


def _state(name: str, module: Any, observation: TensorObservation, num_actions: int) -> Tensor:
    """The encoder's output, of the promised form; the observation is left alone."""
    given = {key: value.clone() for key, value in observation.items()}
    batch = len(observation["mask"])
    keys = f"; the observation has {', '.join(observation)}"
    with calling(name, f"given {batch} rows with {num_actions} actions", hint=keys):
        state: Any = module(given)
    allowed = [(batch, module.width), (batch, num_actions, module.width)]
    expect(isinstance(state, Tensor), f"{name} answered a {type(state).__name__}; it owes a torch.Tensor")
    expect(
        tuple(state.shape) in allowed and state.dtype == torch.float32,
        f"{name} answered {state.dtype} of shape {tuple(state.shape)}; it owes float32 of {allowed[0]} or {allowed[1]}",
    )
    expect(
        state.isfinite().all(),
        f"{name} answered values that are not finite; a viewer may have no past and only *nothing* to choose",
    )
    expect(
        given.keys() == observation.keys() and all(torch.equal(given[key], observation[key]) for key in observation),
        f"{name} changed the observation that it was given; it may only read it",
    )
    answer: Tensor = state
    return answer


def _check_rows(name: str, module: Any, observation: TensorObservation, state: Tensor) -> None:
    expect(torch.equal(module(observation), state), f"{name} answered differently to the same observation in eval mode")
    alone = _state(name, module, {key: value[-1:] for key, value in observation.items()}, observation["mask"].shape[1])
    expect(
        _close(alone, state[-1:]),
        f"{name} answers otherwise for a viewer alone than among others; rows are different viewers (no batch "
        "statistics in eval mode)",
    )


def _check_acting(name: str, module: Any, observation: TensorObservation, state: Tensor) -> None:
    with calling(name, "under torch.inference_mode()"), torch.inference_mode():
        acting = module(observation)
    expect(
        _close(acting, state),
        f"{name} answers otherwise under torch.inference_mode(), in which it acts; nn.TransformerEncoderLayer takes "
        "another path there, and answers NaN where all of a row is padding: leave one place open",
    )


def _check_rooms(name: str, module: Any, observation: TensorObservation, state: Tensor) -> None:
    num_actions = observation["mask"].shape[1]
    per_room = state.ndim == 3
    order = torch.tensor([0, *range(num_actions - 1, 0, -1)])
    turned = _state(name, module, _with_rooms(observation, lambda rooms: rooms[:, order]), num_actions)
    expect(
        _close(turned, state[:, order] if per_room else state),
        f"{name}: another order of the rooms changes more than the order of the states",
    )

    def longer(rooms: Tensor) -> Tensor:
        return torch.cat([rooms, rooms.new_zeros(BATCH, 3, *rooms.shape[2:])], dim=1)

    with calling(name, "given another number of rooms than it was built with"):
        module(_with_rooms(observation, longer))
    wider = _state(name, module, _with_rooms(observation, longer), num_actions + 3)
    expect(
        _close(wider[:, :num_actions] if per_room else wider, state),
        f"{name}: closed rooms (masked rows of zeros) change the state of others",
    )
    if not getattr(module, "mixes_rooms", False):
        _check_room_alone(name, module, observation, state)


def _check_room_alone(name: str, module: Any, observation: TensorObservation, state: Tensor) -> None:
    order = torch.arange(observation["mask"].shape[1])
    room = (observation["mask"] * order).amax(dim=1)  # (B,), the last that is open, or *nothing*
    alone = _state(name, module, narrowed(observation, room[None])[0], 2)
    among_others = torch.stack([state[:, 0], state[torch.arange(BATCH), room]], dim=1) if state.ndim == 3 else state
    expect(
        _close(alone, among_others),
        f"{name}: a room's state depends on what other rooms there are; declare mixes_rooms = True on the class, or "
        "updates, which show it the chosen room alone, would learn other values than it acts on",
    )


def _with_rooms(observation: TensorObservation, change: Callable[[Tensor], Tensor]) -> TensorObservation:
    return observation | {key: change(observation[key]) for key in ("candidates", "mask")}


def _check_learning(name: str, module: nn.Module, observation: TensorObservation, state: Tensor) -> None:
    twin = copy.deepcopy(module)
    expect(_close(twin(observation), state), f"{name}: a deep copy, as the target network is, answers otherwise")
    _check_apart(name, module, twin, observation, state)
    kept = copy.deepcopy(module.state_dict())
    module.train()
    if any(parameter.requires_grad for parameter in module.parameters()):
        with calling(name, "in training mode"):
            output = module(observation)
        expect(output.requires_grad, f"{name} answers without a gradient, so nothing of it could learn")
        output.sum().backward()
        gradients = [p.grad for p in module.parameters() if p.grad is not None]
        expect(gradients, f"{name}: no parameter gets a gradient")
        expect(all(g.isfinite().all() for g in gradients), f"{name}: a gradient is not finite")
    _check_training(name, module, observation)
    module.eval()
    now = module.state_dict()
    if now.keys() == kept.keys() and all(torch.equal(now[n], kept[n]) for n in now if isinstance(now[n], Tensor)):
        expect(
            _close(module(observation), state),
            f"{name} answers otherwise in eval mode after it was called in training mode: it keeps something between "
            "calls that state_dict() leaves out, so nothing saves it, and other viewers' rows come to bear on these",
        )


def _check_training(name: str, module: nn.Module, observation: TensorObservation) -> None:
    """A room's state depends on no other room in training mode either, as far as an encoder that draws can be asked."""

    def drawn(seed: int) -> Tensor:
        torch.manual_seed(seed)
        with calling(name, "in training mode, a second time"):
            answer: Tensor = module(observation)
        return answer.detach()

    is_asked = "candidates" in observation and not getattr(module, "mixes_rooms", False)
    if is_asked and torch.equal(drawn(0), drawn(1)):  # what draws answers otherwise to other shapes
        _check_room_alone(f"{name} in training mode", module, observation, drawn(0))


def _check_apart(
    name: str, module: nn.Module, twin: nn.Module, observation: TensorObservation, state: Tensor
) -> None:  # fmt: skip
    before = [parameter.detach().clone() for parameter in module.parameters()]
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(1.0)
        answer = twin(observation)
        for parameter, value in zip(module.parameters(), before, strict=True):
            parameter.copy_(value)
    expect(
        _close(answer, state),
        f"{name}: a deep copy, as the target network is, goes on reading the original's weights; a lambda or a hook "
        "that holds a layer is not copied with it: call layers from forward",
    )


def _close(a: Tensor, b: Tensor) -> bool:
    return a.shape == b.shape and torch.allclose(a, b, rtol=1e-4, atol=1e-5)
