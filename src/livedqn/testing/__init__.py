"""What a plugin's tests need: a check of each contract, which names the promise that is broken, and examples.

``check_env``, ``check_reward``, ``check_exploration`` and ``check_logs`` take an instance; ``check_encoder`` takes the
class and its settings and builds it for several specs.
"""

from livedqn.testing.encoder import check_encoder
from livedqn.testing.env import check_env
from livedqn.testing.errors import ContractError
from livedqn.testing.exploration import check_exploration
from livedqn.testing.impressions import LOGS_SPEC, example_impressions
from livedqn.testing.logs import check_logs
from livedqn.testing.reward import check_reward
from livedqn.testing.specs import example_observation, example_spec, game_spec, rooms_spec, shared_spec

__all__ = [
    "LOGS_SPEC",
    "ContractError",
    "check_encoder",
    "check_env",
    "check_exploration",
    "check_logs",
    "check_reward",
    "example_impressions",
    "example_observation",
    "example_spec",
    "game_spec",
    "rooms_spec",
    "shared_spec",
]
