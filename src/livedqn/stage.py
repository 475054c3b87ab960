"""An environment as the platform sees it: with a reward of our choice, platform signals and a cap on injections.

Training and evaluation both play on a :class:`Stage`, so that whatever it does to an observation, a mask or a reward
is the same in both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from livedqn.config import CapConfig
from livedqn.protocols import Env, Reward
from livedqn.request import conform, refuse_no_choice
from livedqn.scoring import all_signals, require_signals, scored
from livedqn.types import BoolArray, FloatArray, IntArray, LivedqnError, Observation, Spec

SPLITS = ("train", "validation", "test")


def world_seed(split: str, index: int) -> int:
    """The environment seed of the ``index``-th world of a split; no two splits ever share one."""
    return len(SPLITS) * index + SPLITS.index(split)


class Step(NamedTuple):
    """What followed an action, in arrays that nobody overwrites."""

    observation: Observation  # the true successor of every row, also of one that has ended
    reward: FloatArray  # (B,) float32
    terminated: BoolArray  # (B,)
    truncated: BoolArray  # (B,)
    ended: BoolArray  # (B,), either of the two: the row has to be restarted
    visit_over: BoolArray  # (B,), the viewer has left, or the visit was cut with its episode
    signals: dict[str, FloatArray]  # (B,) float32: the environment's, shown (with rooms), elapsed_s, native
    elapsed_s: FloatArray  # (B,) float32, seconds to the next request; 1 where the environment has no clock
    ids: dict[str, IntArray]  # of the successor: viewer (B,), time_s (B,), rooms and streamers (B, K); or empty


class Cap:
    """A cap on injections, acting through the mask. Counts what was shown since each row's visit began."""

    def __init__(self, config: CapConfig, num_envs: int) -> None:
        if not 0 <= config.max_share_shown <= 1:
            raise LivedqnError(f"cap.max_share_shown={config.max_share_shown} is no share; choose one from 0 to 1")
        if config.max_shown_per_session is not None and config.max_shown_per_session < 0:
            raise LivedqnError(f"cap.max_shown_per_session={config.max_shown_per_session} is negative; null = no cap")
        self.config = config
        self.is_active = config.max_share_shown < 1 or config.max_shown_per_session is not None
        self.requests = np.zeros(num_envs, np.int64)  # answered so far, (B,)
        self.shown = np.zeros(num_envs, np.int64)  # of them with a room, (B,)

    def reset(self, rows: BoolArray) -> None:
        """A visit of ``rows`` begins."""
        self.requests[rows] = 0
        self.shown[rows] = 0

    def count(self, actions: IntArray) -> None:
        """One request of every row was answered."""
        self.requests += 1
        self.shown += actions > 0

    def apply(self, mask: BoolArray) -> BoolArray:
        """``mask`` (B, K), all rooms closed where one more breaks the cap: shown + 1 > share (requests + 1)."""
        # the tolerance keeps 0.1 * 10 >= 1 true in binary arithmetic
        allowed = self.shown + 1 <= self.config.max_share_shown * (self.requests + 1) + 1e-9
        if self.config.max_shown_per_session is not None:
            allowed &= self.shown < self.config.max_shown_per_session
        capped = mask.copy()
        capped[~allowed, 1:] = False
        return capped


class Stage:
    """``env`` with ``reward`` and ``cap``; NumPy in and out.

    What ``env`` answers is copied, unless its ``metadata["overwrites"]`` is False.

    Raises:
        LivedqnError: the environment shows what livedqn does not know or restarts rows by itself, the reward reads a
            signal that it does not deliver, or a cap is no share, or is set where there are no rooms, or no *nothing*
            to show instead of them. The environment is closed then.
    """

    def __init__(self, env: Env, reward: Reward, cap: CapConfig) -> None:
        self.env, self.reward, self.cap = env, reward, cap
        try:
            self._metadata: Mapping[str, Any] = env.metadata or {}  # None is as good as none
            self.spec, self._cap = Spec.of(env), Cap(cap, env.num_envs)
            self._require_a_fit()
            self._seeds_rows_in_turn = _seeds_rows_in_turn(env)
        except Exception:  # nobody gets a stage, so nobody else can
            self.close()
            raise
        self.num_envs = env.num_envs
        self.ids: dict[str, IntArray] = {}
        self._has_rooms = self.spec.has_rooms
        self._visits = self.spec.episode == "viewer"
        self._keeps = self._metadata.get("overwrites") is False
        self._own: Any = np.asarray if self._keeps else np.array
        self._current: Observation = {}
        self._second = np.ones(env.num_envs, np.float32)  # where the environment has no clock
        self._second.flags.writeable = False  # handed out again and again
        self._all_allowed = np.ones((env.num_envs, self.spec.num_actions), np.bool_)

    def reset(self, seed: int, split: str, distinct: int | None = None) -> Observation:
        """Start every row in the world of ``seed``; ``split`` is one of train, validation, test.

        Rows ``distinct`` apart are the same viewers with the same luck, if the environment can do that; None: none are.

        Raises:
            LivedqnError: a column shows what one of its kind cannot hold.
        """
        options: dict[str, Any] = {}
        if split in self._metadata.get("splits", ()):
            options["split"] = split
        if distinct is not None and self._metadata.get("distinct"):
            options["distinct"] = distinct
        seeds: Any = seed
        if self._seeds_rows_in_turn:
            from livedqn.envs.rows import seeds_of  # with all environments, which who loads a policy need not wait for

            seeds = seeds_of(seed, self.num_envs)
        raw, infos = self.env.reset(seed=seeds, options=options or None)
        self._cap.reset(np.ones(self.num_envs, np.bool_))
        self._current = conform(self.spec, self._observe(raw))  # for a policy would refuse it, later
        self.ids = self._owned(infos.get("ids", {}))
        return self._current

    def step(self, actions: IntArray) -> Step:
        """Take ``actions`` (B,) and return what followed."""
        raw, native, terminated, truncated, infos = self.env.step(actions)
        elapsed_s = self._own(infos["elapsed_s"], np.float32) if "elapsed_s" in infos else self._second
        try:
            own = {name: self._own(infos["signals"][name], np.float32) for name in self.spec.signals}
        except KeyError:
            raise _undelivered(self.spec, infos) from None
        signals = all_signals(own, actions, elapsed_s, self._own(native, np.float32), has_rooms=self._has_rooms)
        terminated, truncated = self._own(terminated, np.bool_), self._own(truncated, np.bool_)
        ended = terminated | truncated
        # where leaving is an ordinary step, a visit ends before its episode does
        visit_over = ended | (signals["left"] > 0) if self._visits else ended
        if self._cap.is_active:
            self._cap.count(actions)
            if self._visits:
                self._cap.reset(signals["left"] > 0)
        self._current = self._observe(raw)
        self.ids = self._owned(infos["ids"]) if "ids" in infos else {}
        return Step(
            self._current, scored(self.reward, signals, self.num_envs), terminated, truncated, ended, visit_over,
            signals, elapsed_s, self.ids,
        )  # fmt: skip

    def restart(self, rows: BoolArray) -> Observation:
        """Start ``rows`` (B,) anew; the other rows stay as they are."""
        if not rows.any():
            return self._current
        # a fresh dict and a fresh mask: SyncVectorEnv pops the one and may keep the other
        raw, infos = self.env.reset(options={"reset_mask": rows.copy()})
        self._cap.reset(rows)
        observation = self._observe(raw)
        self._current = observation if self._keeps else _merged(self._current, observation, rows)
        self.ids = _merged(self.ids, infos.get("ids", {}), rows)  # Gymnasium tells those of the rows that began alone
        return self._current

    def close(self) -> None:
        """Free what the environment holds."""
        self.env.close()

    def state_dict(self) -> dict[str, Any]:
        """The cap's counters, NumPy; the environment's state is its own."""
        return {"requests": self._cap.requests.copy(), "shown": self._cap.shown.copy()}

    def load_state_dict(self, state: dict[str, Any], observation: Observation, ids: dict[str, IntArray]) -> None:
        """Go on from a saved state, at the observation that was current then."""
        self._cap.requests[:] = state["requests"]
        self._cap.shown[:] = state["shown"]
        self._current, self.ids = observation, ids

    def _require_a_fit(self) -> None:
        """Raise LivedqnError where the environment is not one that can be played, or reward or cap do not fit it."""
        from gymnasium.vector import AutoresetMode  # whoever only loads a policy need not wait for it

        if (mode := self._metadata.get("autoreset_mode")) is not AutoresetMode.DISABLED:
            raise LivedqnError(
                f"the environment, a {type(self.env).__name__}, has metadata['autoreset_mode']={mode}, and owes "
                "AutoresetMode.DISABLED: a row that starts anew unasked hides what followed its last action; "
                "gymnasium.make_vec(id, n, 'sync', vector_kwargs={'autoreset_mode': AutoresetMode.DISABLED}) builds "
                "such an environment, and so does env=gym env.id=<id>"
            )
        if self.spec.episode == "viewer" and "left" not in self.spec.signals:
            raise LivedqnError(
                "the environment's metadata say episode='viewer', where leaving is a step among others, so it owes the "
                "signal left, 1 at the last request of a visit; livedqn.testing.check_env says what else it owes"
            )
        if self._cap.is_active and not self.spec.has_rooms:
            raise LivedqnError(
                "a cap on injections needs an environment with rooms; leave cap out, or choose another env"
            )
        if self._cap.is_active and not self.spec.has_nothing:
            raise LivedqnError(
                "in this environment a room always has to be shown (has_nothing=False), so there can be no cap on "
                "injections; leave cap out, or take it back: cap.max_share_shown=1 cap.max_shown_per_session=null"
            )
        require_signals(self.reward, self.spec, "this environment")

    def _observe(self, raw: Any) -> Observation:
        if self._has_rooms:
            observation = {name: self._laid(raw[name], np.float32) for name in ("context", "history", "candidates")}
            mask = self._laid(raw["mask"], np.bool_)
            if not self.spec.has_nothing:
                _refuse_nothing(mask)
            else:
                _require_nothing(mask)
        else:
            observation = {"context": self._laid(raw, self.spec.context_dtype)}
            mask = self._all_allowed.copy()
        observation["mask"] = self._cap.apply(mask) if self._cap.is_active else mask
        return observation

    def _laid(self, array: Any, dtype: Any) -> Any:
        """An array of the observation, ours and always laid out alike, as compiled code expects it."""
        return np.ascontiguousarray(array, dtype) if self._keeps else np.array(array, dtype, order="C")

    def _owned(self, arrays: dict[str, Any]) -> dict[str, Any]:
        # SyncVectorEnv puts a "_x" beside every x of its infos: the rows that delivered it, and all of them owe it
        return {name: self._own(a) for name, a in arrays.items() if not (name[:1] == "_" and name[1:] in arrays)}


MakeEnv = Callable[[int], Env]
#: Builds a stage of so many rows.
MakeStage = Callable[[int], Stage]


def staged(make_env: MakeEnv, rows: int, reward: Reward, cap: CapConfig) -> Stage:
    """What ``make_env`` makes of ``rows`` rows, as a stage.

    Raises:
        LivedqnError: that has another number of rows, or as :class:`Stage`. The environment is closed then.
    """
    env = make_env(rows)
    if (made := getattr(env, "num_envs", None)) != rows:
        if close := getattr(env, "close", None):
            close()
        raise LivedqnError(
            f"the environment, a {type(env).__name__}, has num_envs={made} where {rows} was asked for: training and "
            "evaluation play on different numbers of rows, so what makes it has to heed the number that it is given"
        )
    return Stage(env, reward, cap)


def _seeds_rows_in_turn(env: Env) -> bool:
    """Whether it would seed row i with seed + i, so that neighbouring worlds shared all episodes but a few."""
    from gymnasium.vector import AsyncVectorEnv, SyncVectorEnv

    return isinstance(getattr(env, "unwrapped", None), SyncVectorEnv | AsyncVectorEnv)


def _undelivered(spec: Spec, infos: Mapping[str, Any]) -> LivedqnError:
    """A step owes every signal that the metadata promise, in rows where nothing came of it too."""
    missing = [name for name in spec.signals if name not in infos.get("signals", {})]
    return LivedqnError(
        f"the environment's metadata promise the signals {', '.join(spec.signals)}, but a step did not deliver "
        f"{', '.join(missing)}: every one owes infos['signals'][name], (B,), 0 where nothing came; "
        "livedqn.testing.check_env says what else it owes"
    )


def _refuse_nothing(mask: BoolArray) -> None:
    """Raise LivedqnError unless every row of ``mask`` (B, K) allows rooms alone, and one at least."""
    if mask[:, 0].any():
        raise LivedqnError(
            "the environment's metadata say has_nothing=False, but its mask allows *nothing*: it owes mask[:, 0] = "
            "False; livedqn.testing.check_env says what else it owes"
        )
    refuse_no_choice(mask, "the environment")


def _require_nothing(mask: BoolArray) -> None:
    """Raise LivedqnError unless every row of ``mask`` (B, K) allows *nothing*."""
    if not mask[:, 0].all():
        raise LivedqnError(
            f"the environment's mask closes *nothing* in row {int(mask[:, 0].argmin())}: it owes mask[:, 0] = True, or "
            "has_nothing=False in its metadata; livedqn.testing.check_env says what else it owes"
        )


def _merged(old: dict[str, Any], new: dict[str, Any], rows: BoolArray) -> dict[str, Any]:
    merged = {name: np.array(array) for name, array in old.items()}
    for name, array in merged.items():
        array[rows] = new[name][rows]
    return merged
