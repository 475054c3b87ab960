"""The typed configuration of every command. Plain dataclasses: reading them imports neither Hydra nor torch.

The node of a plugin kind is its settings plus ``plugin: <name>``; its schema is built from the plugin's own signature.
"""

from livedqn.config.calibrate import CalibrateConfig, DataConfig
from livedqn.config.evaluate import UNITS, EvaluateConfig, GateConfig, OpeConfig
from livedqn.config.logs import CheckLogsConfig, CollectConfig, JoinConfig
from livedqn.config.recommend import RecommendConfig
from livedqn.config.train import (
    COMPILE,
    LEAST_UPDATES,
    LOGGED_STEPS,
    LOGGERS,
    MOST_EPOCHS,
    RESUMABLE,
    STEPS,
    WARMUP_SHARE,
    CapConfig,
    CsvLogger,
    EvaluationConfig,
    TrainConfig,
    WandbLogger,
    WorldConfig,
)

__all__ = [
    "COMPILE",
    "LEAST_UPDATES",
    "LOGGED_STEPS",
    "LOGGERS",
    "MOST_EPOCHS",
    "RESUMABLE",
    "STEPS",
    "UNITS",
    "WARMUP_SHARE",
    "CalibrateConfig",
    "CapConfig",
    "CheckLogsConfig",
    "CollectConfig",
    "CsvLogger",
    "DataConfig",
    "EvaluateConfig",
    "EvaluationConfig",
    "GateConfig",
    "JoinConfig",
    "OpeConfig",
    "RecommendConfig",
    "TrainConfig",
    "WandbLogger",
    "WorldConfig",
]
