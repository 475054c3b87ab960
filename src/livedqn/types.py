"""The words that every module shares: arrays, observations and the specification of an environment.

Shapes are written with these letters everywhere: B parallel viewers (rows), K actions (row 0 of a candidate set is
*nothing*), F candidate features, C context features, T history length, H features of one past impression, E estimates
of one value, N transitions in a batch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from difflib import get_close_matches
from functools import cached_property
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:  # commands that need no network must not wait for torch
    from torch import Tensor

FloatArray = npt.NDArray[np.floating[Any]]
IntArray = npt.NDArray[np.integer[Any]]
BoolArray = npt.NDArray[np.bool_]

#: What a policy sees, NumPy: ``context`` (B, C) and ``mask`` (B, K) always; ``history`` (B, T, H) and
#: ``candidates`` (B, K, F) where there are rooms. ``context`` of an image environment is (B, height, width, channels).
Observation = dict[str, npt.NDArray[Any]]
#: The same as tensors.
TensorObservation = dict[str, "Tensor"]
#: Signal name -> (B,) float32, attributed to the impression of this step.
Signals = Mapping[str, FloatArray]
#: Is told what is under way, how much of it is done, and how much there is.
Notify = Callable[[str, int, int], None]

KINDS = ("number", "count", "category", "id")
#: The kinds that are embedded.
CODED = ("category", "id")
#: Ids are below: float32 has every whole number up to here.
IDS = 2**24
#: The greatest number of float32.
_MOST = float(np.finfo(np.float32).max)
#: What baselines and reports look for, by the array in which it stands; where no column has a role, what goes by it is
#: left out.
ROLES = {
    "context": (
        "activity",  # sessions that the viewer had before: new and heavy viewers are judged apart
        "hour",  # of the viewer's day, from 0 to 24: hours are judged apart
    ),
    "history": (
        "streamer",  # who broadcast; nothing goes by it yet
    ),
    "candidates": (
        "heat",  # viewers now: the baseline `hottest`
        "streamer",  # the id of who broadcasts: how exposure is spread
        "age",  # how long the broadcast has been on; nothing goes by it yet
        "affinity",  # what this viewer had of the streamer before, minutes watched, say: the baseline `favourite`
        "novelty",  # the lower, the newer is the streamer: followers or past broadcasts; new streamers are judged apart
    ),
}


class LivedqnError(Exception):
    """An error that a user can make: one line that says who, what, why and what to do next. Commands exit with 2."""


def first_line(error: BaseException) -> str:
    """What another's code raised, to be told in a line of ours: its first line, up to 200 characters."""
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """``"; did you mean 'gift'"`` where a known word is close, else an empty string."""
    close = get_close_matches(word, list(known), n=1)
    return f"; did you mean {close[0]!r}" if close else ""


@dataclass(frozen=True)
class Column:
    """One column of an array of the observation.

    ``number``: any real. ``count``: non-negative and heavy-tailed (its logarithm is what a network sees).
    ``category``: an integer in [0, cardinality), 0 = none. ``id``: a non-negative integer below :data:`IDS`,
    0 = none, hashed into an embedding. Categories and ids of one name are the same thing wherever they stand,
    the topic of a room and that of a past impression, say: they share an embedding, so a value means the same in each.
    ``role``: one of :data:`ROLES`, or none. ``of``: this number belongs to the embedding of that category or id.
    """

    name: str
    kind: str = "number"
    unit: str = ""
    role: str = ""
    cardinality: int = 0
    of: str = ""

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"column {self.name!r} has kind {self.kind!r}; choose one of {', '.join(KINDS)}")
        if self.kind == "category" and self.cardinality < 2:
            raise ValueError(f"column {self.name!r} is a category and needs a cardinality of at least 2")

    @property
    def limits(self) -> tuple[float, float, bool]:
        """The least and the greatest of its values, and whether they are whole: see :func:`within`."""
        if self.kind in CODED:
            return 0.0, (IDS if self.kind == "id" else self.cardinality) - 1.0, True
        return (0.0 if self.kind == "count" else -_MOST), _MOST, False

    @property
    def owed(self) -> str:
        """What its values have to be, in words."""
        low, high, is_whole = self.limits
        number = "a finite number" + (" from 0" if low == 0 else "")
        return f"a whole number from 0 to {high:.0f}" if is_whole else number


def within(values: FloatArray, limits: Any) -> BoolArray:
    """Where ``values`` are finite and keep to ``limits``, those of one column, or of F columns as rows (3, F) for
    ``values`` (..., F); of the same shape as these."""
    low, high, is_whole = limits
    kept: BoolArray = (values >= low) & (values <= high) & (np.logical_not(is_whole) | (values == np.rint(values)))
    return kept


@dataclass(frozen=True)
class Spec:
    """What an environment shows and takes: the shapes and the columns of its observation, its actions and signals.

    ``num_actions`` is K as the environment has it; where there are rooms no weight may depend on it.

    Raises:
        ValueError: a column has a role that its array does not know, or columns that share an embedding, being of one
            name, are not of one kind and cardinality.
    """

    context: tuple[Column, ...]
    context_shape: tuple[int, ...]
    num_actions: int
    history: tuple[Column, ...] = ()
    history_length: int = 0
    candidates: tuple[Column, ...] = ()
    signals: tuple[str, ...] = ()
    episode: str = "session"
    #: "uint8" or "bool" for an image of such, which stays bytes in the replay; "float32" for everything else.
    context_dtype: str = "float32"
    #: Whether a request may be answered with *nothing*. Where a room always has to be shown, row 0 of the candidates is
    #: there all the same, but no mask allows it. It says nothing of a game, which has no such row.
    has_nothing: bool = True

    def __post_init__(self) -> None:
        embedded: dict[str, tuple[str, Column]] = {}
        for array, roles in ROLES.items():
            for column in getattr(self, array):
                if column.role not in ("", *roles):
                    what = f"{array} column {column.name!r} has role {column.role!r}"
                    raise ValueError(f"{what}; choose {', '.join(roles)}, or none")
                if column.kind in CODED:
                    where, first = embedded.setdefault(column.name, (array, column))
                    if _coded(first) != _coded(column):
                        raise ValueError(
                            f"column {column.name!r} is {_coded(first)} in {where} and {_coded(column)} in {array}; "
                            "what has one name shares an embedding: make it the same in both, or give it two names"
                        )

    @property
    def has_rooms(self) -> bool:
        """True for a recommendation environment, False for a fixed set of actions (a game)."""
        return bool(self.candidates)

    @property
    def offers_nothing(self) -> bool:
        """True where *nothing* may be chosen: in no game, and not where a room always has to be shown."""
        return self.has_rooms and self.has_nothing

    @cached_property
    def limits(self) -> dict[str, FloatArray]:
        """Those of the columns of each array, side by side, (3, F) float32: see :func:`within`."""
        return {
            array: np.array([column.limits for column in columns], np.float32).T
            for array in ROLES if (columns := getattr(self, array))
        }  # fmt: skip

    def shapes(self, actions: Any) -> dict[str, tuple[Any, ...]]:
        """Of the arrays of an observation of one viewer, who has so many ``actions`` where there are rooms."""
        if not self.has_rooms:
            return {"context": self.context_shape, "mask": (self.num_actions,)}
        return {
            "context": self.context_shape, "history": (self.history_length, len(self.history)),
            "candidates": (actions, len(self.candidates)), "mask": (actions,),
        }  # fmt: skip

    @classmethod
    def of(cls, env: Any) -> Spec:
        """Join the spaces of a ``gymnasium.vector.VectorEnv`` with the columns that its metadata names.

        Raises:
            LivedqnError: the spaces are of no form that livedqn knows, or the columns do not fit them.
        """
        space, actions = env.single_observation_space, env.single_action_space
        if not (hasattr(actions, "n") and hasattr(actions, "start")):
            raise LivedqnError(f"the environment's actions are {actions}; deep Q-learning chooses among Discrete ones")
        if actions.start != 0:
            raise LivedqnError(
                f"the environment's actions are {actions}; it owes Discrete({actions.n}), from 0: livedqn sends the "
                "index of a value (gymnasium.wrappers.TransformAction shifts it, and env=gym does so by itself)"
            )
        metadata = env.metadata or {}
        common: dict[str, Any] = {
            "num_actions": int(actions.n),
            "signals": tuple(metadata.get("signals", ())),
            "episode": str(metadata.get("episode", "session")),
        }
        spaces = getattr(space, "spaces", None)
        if spaces is None:
            if space.shape is None or len(space.shape) not in (1, 3):
                raise LivedqnError(f"the environment observes {space}; livedqn takes a Box of rank 1 or 3, or rooms")
            is_bytes = len(space.shape) == 3 and space.dtype in (np.uint8, np.bool_)
            dtype = str(space.dtype) if is_bytes else "float32"
            columns = _columns(None, "context", space.shape)
            return cls(context=columns, context_shape=tuple(space.shape), context_dtype=dtype, **common)
        missing = {"context", "history", "candidates", "mask"} - set(spaces)
        if missing:
            raise LivedqnError(f"the environment's observation lacks {', '.join(sorted(missing))}")
        declared = metadata.get("columns")
        try:
            return cls(
                context=_columns(declared, "context", spaces["context"].shape),
                context_shape=tuple(spaces["context"].shape),
                history=_columns(declared, "history", spaces["history"].shape),
                history_length=int(spaces["history"].shape[0]),
                candidates=_columns(declared, "candidates", spaces["candidates"].shape),
                has_nothing=bool(metadata.get("has_nothing", cls.has_nothing)),
                **common,
            )
        except (TypeError, ValueError) as error:
            raise LivedqnError(f"the environment's metadata['columns'] cannot be: {error}") from None

    def column(self, array: str, role: str) -> int | None:
        """The index of the column of ``array`` that has ``role``, or None where there is none."""
        return next((i for i, c in enumerate(getattr(self, array)) if c.role == role), None)

    def difference(self, shown: Spec) -> str:
        """What keeps a policy that reads this from reading what is ``shown``; "" where nothing does."""
        for part in ("context_shape", "history_length", "episode"):
            if (own := getattr(self, part)) != (other := getattr(shown, part)):
                return f"they differ in {part.replace('_', ' ')}, {own} and {other}"
        for part in ROLES:
            for one, column in zip_longest(getattr(self, part), getattr(shown, part)):
                if one != column:
                    return f"they differ in columns of {part}, from {(one or column).name} on"
        # a head for fixed actions has an output each; candidates are scored by their features, however many they are
        if not self.has_rooms and self.num_actions != shown.num_actions:
            return f"the one knows {self.num_actions} actions, the other has {shown.num_actions}"
        return ""

    @property
    def shared(self) -> list[tuple[list[int], list[int]]]:
        """For each category and id that a past impression and a room both have, where its embedding stands: columns of
        the history, and of the candidates. Equal ones are embedded alike, and none as zeros."""

        def columns(array: str, of: str) -> list[int]:
            return [i for i, column in enumerate(getattr(self, array)) if column.of == of]

        embedded = dict.fromkeys(column.of for column in self.candidates if column.of)
        return [(past, columns("candidates", of)) for of in embedded if (past := columns("history", of))]

    def to_dict(self) -> dict[str, Any]:
        """Plain Python, as checkpoints store it."""
        return asdict(self)

    @classmethod
    def from_dict(cls, state: Mapping[str, Any]) -> Spec:
        """The inverse of :meth:`to_dict`; a role that is not known says no more than none."""
        columns = {
            array: tuple(Column(**{**c, "role": c["role"] if c.get("role") in roles else ""}) for c in state[array])
            for array, roles in ROLES.items()
        }
        tuples = {k: tuple(state[k]) for k in ("context_shape", "signals")}
        return cls(**{**state, **columns, **tuples})


def _coded(column: Column) -> str:
    """What the values of a category or id are."""
    return "an id" if column.kind == "id" else f"a category of {column.cardinality}"


def _columns(declared: Mapping[str, Sequence[Any]] | None, array: str, shape: tuple[int, ...]) -> tuple[Column, ...]:
    if len(shape) == 3:  # an image: pixels have no names
        return ()
    if declared is None:
        return tuple(Column(f"{array}_{i}") for i in range(shape[-1]))
    if array not in declared or len(declared[array]) != shape[-1]:
        named = len(declared.get(array, ()))
        raise LivedqnError(f"metadata['columns'] names {named} columns of {array!r}, whose space has {shape[-1]}")
    return tuple(c if isinstance(c, Column) else Column(**c) for c in declared[array])
