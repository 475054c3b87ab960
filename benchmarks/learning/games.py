"""The games on which livedqn and Stable-Baselines3's DQN are compared, and the settings of both."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from omegaconf import OmegaConf


@dataclass(frozen=True)
class Game:
    """A game.

    Args:
        id: in Gymnasium.
        preset: ours.
        steps: environment steps of a training: the peer's published number, or the preset's where it has none.
        at_once: trainings of a process; short ones share its imports.
        published: settings that the peer's authors publish; empty = none, so it takes the preset's.
    """

    id: str
    preset: str
    steps: int
    at_once: int
    published: dict[str, Any]

    @property
    def words(self) -> list[str]:
        """Of a training of ours."""
        return ["+env=gym", f"+experiment={self.preset}", f"env.id={self.id}"]

    @property
    def settings(self) -> Any:
        """Those of the preset that differ from our defaults, as nodes."""
        return OmegaConf.load(str(files("livedqn.conf") / "experiment" / f"{self.preset}.yaml"))

    @property
    def kwargs(self) -> dict[str, Any]:
        """With which the environment is made."""
        return dict(self.settings.env.get("kwargs", {}))


#: rl-baselines3-zoo, hyperparams/dqn.yml, "almost tuned" for CartPole-v1 and "tuned" for Acrobot-v1, at 5e4 and 1e5
#: steps: https://github.com/DLR-RM/rl-baselines3-zoo/blob/master/hyperparams/dqn.yml
ZOO = {
    "cartpole": {
        "learning_rate": 2.3e-3, "batch_size": 64, "buffer_size": 100_000, "learning_starts": 1_000, "gamma": 0.99,
        "target_update_interval": 10, "train_freq": 256, "gradient_steps": 128, "exploration_fraction": 0.16,
        "exploration_final_eps": 0.04, "policy_kwargs": {"net_arch": [256, 256]},
    },
    "acrobot": {
        "learning_rate": 6.3e-4, "batch_size": 128, "buffer_size": 50_000, "learning_starts": 0, "gamma": 0.99,
        "target_update_interval": 250, "train_freq": 4, "gradient_steps": -1, "exploration_fraction": 0.12,
        "exploration_final_eps": 0.1, "policy_kwargs": {"net_arch": [256, 256]},
    },
}  # fmt: skip

GAMES = {
    "cartpole": Game("CartPole-v1", "cartpole", 50_000, 5, ZOO["cartpole"]),
    "acrobot": Game("Acrobot-v1", "acrobot", 100_000, 5, ZOO["acrobot"]),
    "breakout": Game("MinAtar/Breakout-v1", "minatar", 500_000, 1, {}),
    "freeway": Game("MinAtar/Freeway-v1", "minatar", 500_000, 1, {}),
}
