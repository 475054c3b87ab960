"""What a plugin of each kind promises. Nothing is inherited: ``livedqn.testing.check_<kind>`` decides.

livedqn supplies the first parameters of a plugin by position, whatever their names; all others are its settings.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
from torch import Tensor

from livedqn.types import BoolArray, FloatArray, IntArray, Observation, Signals, Spec, TensorObservation

if TYPE_CHECKING:
    from livedqn.logs import Impressions


@runtime_checkable
class Env(Protocol):
    """A ``gymnasium.vector.VectorEnv`` with autoreset *disabled*, of B = ``num_envs`` viewers, which is supplied.

    Arrays are NumPy's. Actions are ``Discrete(K)``, from 0. A game observes a ``Box`` of rank 1, or of rank 3 (an
    image), and takes every action at any time. An environment with rooms observes a ``Dict``:

    - ``context`` (B, C) float32: the viewer at this request, who they are and what the session has brought so far.
    - ``history`` (B, T, H) float32: the last T impressions, oldest first. Column 0 is 1 for a real one; rows without
      one are zeros and stand first.
    - ``candidates`` (B, K, F) float32: what can be shown now. Row 0 is *nothing*, all zeros; the others are rooms, in
      any order: those of the next request need not be the same.
    - ``mask`` (B, K) bool: which of them may be chosen. Row 0 always may; rows that hold no room never do. To take an
      action that is closed is an error.

    ``reset(seed=...)`` starts every row, and the same seed and actions bring the same run. A row starts anew only when
    it is told to, by ``reset(options={"reset_mask": (B,) bool})``, which leaves the others as they were: so what a step
    answers is what followed its action, of a row that has ended too. Terminated means that nothing follows, truncated
    that the row was cut and more would have followed. What comes beside it, in ``infos``:

    - ``infos["signals"]``: what the viewer did with what this step showed, by name, (B,) float each: all that
      ``metadata["signals"]`` promise in every step, 0 where nothing came. A unit stands in the name (``watch_s``).
    - ``infos["elapsed_s"]`` (B,) float: seconds to the viewer's next request, above 0. A game may do without.
    - ``infos["ids"]``, of a reset too: ``viewer`` and ``time_s`` (B,), ``rooms`` and ``streamers`` (B, K), int64, 0 for
      *nothing*, of the observation that they come with: logs and reports are made of them. A game has none.

    ``metadata`` is a dict:

    - ``autoreset_mode``: ``gymnasium.vector.AutoresetMode.DISABLED``.
    - ``columns``: for each of the three arrays its columns, in order, a :class:`~livedqn.types.Column` or a dict of its
      fields: what they are called, how they are to be read, and for what baselines and reports take them, the roles
      (:data:`~livedqn.types.ROLES`). Absent: nameless numbers, and no baseline but chance.
    - ``signals``: names, as above. Absent: none.
    - ``episode``: "session" (where absent: leaving terminates), or "viewer": leaving is a step as any other, with the
      signal ``left`` and an ``elapsed_s`` that covers the absence, and only whoever never comes back terminates.
    - ``has_nothing``: False where a room always has to be shown. Then no mask allows row 0, and every observation, the
      last one of an episode included, allows a room.
    - ``splits``: ("train", "validation", "test") where it has a world for each; ``reset(options={"split": ...})`` says
      which one to play.
    - ``distinct``: True where it takes ``reset(seed=..., options={"distinct": n})``: row i is the same viewer as row
      i - n, with the same luck, episode after episode, so that policies can be compared with little noise.
    - ``overwrites``: False where it never writes again to an array that it has answered, which spares it the copies.

    With ``state_dict()`` and ``load_state_dict(state)``, numbers, strings and tensors, a run that was stopped goes on
    in mid-episode; without them rows end, truncated, where a run is saved.
    """

    num_envs: int
    metadata: dict[str, Any]
    single_observation_space: Any
    single_action_space: Any

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Start every row, or with ``options={"reset_mask": (B,) bool}`` only those."""
        ...

    def step(self, actions: Any) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        """Take one action a row: observation, reward (B,), terminated (B,), truncated (B,), infos."""
        ...

    def close(self, **kwargs: Any) -> None:
        """Free what the environment holds."""
        ...


@runtime_checkable
class Reward(Protocol):
    """A pure function of the signals; nothing is supplied."""

    #: The names it reads. The platform adds ``shown``, ``elapsed_s`` and ``native`` to what the environment delivers.
    signals: tuple[str, ...]

    def __call__(self, signals: Signals) -> FloatArray:
        """Reward of each row, (B,) float32, from signals of (B,) float32."""
        ...


@runtime_checkable
class Encoder(Protocol):
    """An ``nn.Module``; supplied: the :class:`~livedqn.types.Spec` of what it will be fed.

    That spec is dense: the platform has already standardised numbers, taken logarithms of counts and embedded
    categories and ids, so every column is a ``number``. ``spec.shared`` says which columns embed the same thing, a
    topic or a streamer, in the history and in the candidates.

    A room's state depends on the viewer and that room alone, so an update shows no rooms but those whose values it
    needs. An encoder in which it depends on the others, in training mode too (batch statistics over rooms, say),
    declares ``mixes_rooms = True`` (False where absent), and always sees the whole set.
    """

    #: D, the width of its output.
    width: int

    def __call__(self, observation: TensorObservation) -> Tensor:
        """The state, (B, D), or (B, K, D) for an encoder that looks at the candidates too."""
        ...


@runtime_checkable
class Exploration(Protocol):
    """A pure function from values to probabilities; nothing is supplied.

    A class attribute ``min_estimates`` (1 where absent) says how many estimates of a value it needs.
    """

    def __call__(self, q: FloatArray, mask: BoolArray, step: int) -> FloatArray:
        """Probabilities (B, K), rows summing to 1, zero outside ``mask`` (B, K).

        ``q`` (E, B, K) holds E estimates, -inf outside the mask and for what the policy rules out within it, never for
        all that the mask allows; ``step`` counts environment steps.
        """
        ...


class Policy(Protocol):
    """Chooses an action for every row; what evaluation compares."""

    def reset(self, rows: BoolArray) -> None:
        """Forget what is remembered of these rows: (B,) bool, True where a visit starts."""
        ...

    def __call__(self, observation: Observation) -> IntArray:
        """One allowed action a row, (B,) int64."""
        ...


class Batch(NamedTuple):
    """N sampled windows of n transitions. Behind the end of a window rewards are 0 and discounts 1."""

    observation: Observation
    action: IntArray  # (N,) int64
    propensity: FloatArray  # (N,) float32, with which it was chosen
    reward: FloatArray  # (N, n) float32
    discount: FloatArray  # (N, n) float32, 0 where terminated
    next_observation: Observation  # behind the window
    weight: FloatArray  # (N,) float32, importance weights
    slots: IntArray  # (N,) int64, where they lie, for priorities


class Later(NamedTuple):
    """What N windows of n transitions hold behind their first: of step k = 1 ... n - 1, step by step.

    Behind the end of a window that is its last observation, action 0, and an infinite propensity.
    """

    observation: Observation  # ((n - 1) * N, ...)
    action: IntArray  # (n - 1, N) int64
    propensity: FloatArray  # (n - 1, N) float32, with which it was chosen; NaN: nobody knows


class Replay(Protocol):
    """Stores each observation once and samples windows of transitions; supplied: ``spec, num_envs, n_step``."""

    #: Bytes that one transition takes, everything included.
    bytes_per_transition: int
    #: Transitions that it holds at most.
    capacity: int
    #: Whether it wants :meth:`update_priorities`; off, errors stay on their device and no update waits for them.
    is_prioritised: bool

    def __len__(self) -> int:
        """Transitions that may be sampled now."""
        ...

    def begin(self, observation: Observation, rows: BoolArray) -> None:
        """The first observation of an episode, for these rows."""
        ...

    def add(
        self,
        action: IntArray,
        propensity: FloatArray,
        reward: FloatArray,
        discount: FloatArray,
        observation: Observation,
    ) -> None:
        """One transition of every row: what was done at its newest observation, and the observation that followed.

        ``discount`` is zero where the environment terminated.
        """
        ...

    def end(self, rows: BoolArray) -> None:
        """The newest observation of these rows is the last of their episode, terminated or truncated."""
        ...

    def sample(self, batch_size: int, rng: np.random.Generator) -> Batch:
        """Windows of n transitions, with importance weights.

        The arrays may be the same ones every time: copy what is kept beyond the next sample.
        """
        ...

    def later(self, slots: IntArray) -> Later:
        """What the windows that begin at ``slots`` (N,) of a sample hold behind their first transition; n is above 1.

        The arrays may be the same ones every time.
        """
        ...

    def update_priorities(self, slots: IntArray, td_error: FloatArray) -> None:
        """The newest errors (N,) of the transitions that begin at ``slots`` (N,); only where ``is_prioritised``."""
        ...

    def state_dict(self) -> dict[str, Any]:
        """Tensors and plain Python."""
        ...

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """The inverse of :meth:`state_dict`."""
        ...


@runtime_checkable
class Logs(Protocol):
    """Logged impressions, from wherever they are; nothing is supplied.

    Columns that are missing or of a wrong type are a :class:`livedqn.logs.ColumnsError` when it is built, all at once.
    What else is wrong with a row is no matter of a reader: whoever reads looks for ``livedqn.logs.faults``.
    """

    #: What an impression shows, and its signals.
    spec: Spec
    #: Who made them, and how, as far as it was noted: plain Python.
    source: dict[str, Any]

    def __iter__(self) -> Iterator[Impressions]:
        """All rows, so many at a time as memory likes: whole sessions, each in order of time."""
        ...
