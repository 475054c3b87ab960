from pathlib import Path

import pytest
from omegaconf import OmegaConf

from livedqn import plugins
from livedqn.plugins.docs import describe
from livedqn.plugins.schema import node
from livedqn.plugins.signature import SUPPLIED
from livedqn.types import LivedqnError

RICH = """
from __future__ import annotations
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

class Colour(Enum):
    red = 1
    blue = 2

@dataclass(frozen=True)
class Inner:
    sizes: tuple[int, ...] = (1, 2)
    colour: Colour = Colour.red

class Gift:
    signals = ()
    def __init__(self, pair: tuple[float, float] = (0.0, 1.0), file: Path | None = None, inner: Inner = Inner(),
                 free: dict[str, Any] = {}, either: int | str = 1, inners: list[Inner] = []):
        self.got = (pair, file, inner, free, either, inners)
        self.Inner, self.Colour = Inner, Colour
    def __call__(self, signals): return signals
"""
PLAIN = "    signals = ()\n    def __call__(self, signals): return signals\n"


def test_values_come_back_as_they_are_annotated(install):
    install("gift", "reward", "Gift", RICH)
    values = {
        "pair": [2, 3],
        "file": "a/b",
        "inner": {"sizes": [4], "colour": "blue"},
        "free": {"k": {"deep": [1]}},
        "either": "x",
        "inners": [{"sizes": [7]}],
    }
    built = plugins.build("reward", {"plugin": "gift", **values})
    inner = built.Inner((4,), built.Colour.blue)
    assert built.got == ((2.0, 3.0), Path("a/b"), inner, {"k": {"deep": [1]}}, "x", [built.Inner((7,))])
    assert isinstance(built.got[0], tuple)


NEEDED = (
    """
from __future__ import annotations
from dataclasses import dataclass

@dataclass(frozen=True)
class Deep:
    depth: float

@dataclass(frozen=True)
class Inner:
    size: int
    deep: Deep
    width: int = 2

class Gift:
    def __init__(self, inner: Inner): self.got = (inner.size, inner.deep.depth, inner.width)
"""
    + PLAIN
)


def test_a_needed_dataclass_is_given_field_by_field(install):
    install("gift", "reward", "Gift", NEEDED)
    config = node("reward", "gift")
    for name, value in (("inner.size", 3), ("inner.deep.depth", 0.5)):  # as reward.inner.size=3 does
        OmegaConf.update(config, name, value)
    assert plugins.build("reward", OmegaConf.to_container(config)).got == (3, 0.5, 2)
    shown = [(row.name, row.default) for row in describe("reward", "gift")]
    assert shown == [
        ("inner", "see below"), ("inner.size", "needed"), ("inner.deep", "see below"), ("inner.deep.depth", "needed"),
        ("inner.width", "2"),
    ]  # fmt: skip
    with pytest.raises(LivedqnError, match=r"needs a value for reward\.inner\.deep\.depth, reward\.inner\.size"):
        plugins.build("reward", "gift")


def test_defaults_are_the_signatures_own(install):
    install("gift", "reward", "Gift", RICH)
    built = plugins.build("reward", "gift")
    assert built.got == ((0.0, 1.0), None, built.Inner(), {}, 1, [])


def test_a_target_in_a_free_dictionary_is_a_word_like_any_other(install):
    install("gift", "reward", "Gift", RICH)
    built = plugins.build("reward", {"plugin": "gift", "free": {"_target_": "os.getcwd"}})
    assert built.got[3] == {"_target_": "os.getcwd"}


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"pairs": 1}, "there is no setting 'reward.pairs' of reward=gift; did you mean 'pair'; it has: pair, file"),
        ({"pair": "abc"}, "reward.pair"),
        ({"pair": [1, 2, 3]}, "reward.pair takes 2 values, not 3"),
        ({"inner": {"colour": "green"}}, "Invalid value 'green', expected one of [red, blue]"),
        ({"inner": {"size": 1}}, "there is no setting 'reward.inner.size'; did you mean 'sizes'"),
        ({"inner": None}, "is not Optional"),
        ({"either": 1.5}, "reward.either"),
    ],
)
def test_a_wrong_value_is_one_line_that_names_the_plugin(install, values, reason):
    install("gift", "reward", "Gift", RICH)
    with pytest.raises(plugins.PluginError) as caught:
        plugins.build("reward", {"plugin": "gift", **values})
    message = str(caught.value)
    assert reason in message
    assert "livedqn-gift 1.0" in message
    assert "\n" not in message


def test_a_setting_without_a_default_has_to_be_given(install):
    install("gift", "reward", "Gift", f"class Gift:\n    def __init__(self, scale: float): pass\n{PLAIN}")
    with pytest.raises(plugins.PluginError, match=r"reward=gift needs a value for reward\.scale"):
        plugins.build("reward", "gift")


def test_no_plugin_named():
    with pytest.raises(plugins.PluginError, match="settings of reward name no plugin"):
        plugins.build("reward", {"scale": 1})


def test_a_plugin_refuses_values_in_its_own_words(install):
    install(
        "gift",
        "reward",
        "Gift",
        f"class Gift:\n    def __init__(self, mode: str = 'a'):\n        raise ValueError('mode: a\\nor b')\n{PLAIN}",
    )
    with pytest.raises(
        plugins.PluginError, match=r"reward=gift \(livedqn-gift 1\.0\) refuses its settings: mode: a or b"
    ):
        plugins.build("reward", "gift")


@pytest.mark.parametrize(
    ("kind", "lacks"),
    [
        ("reward", "__call__, signals"),
        ("exploration", "__call__"),
        ("env", "close, metadata, num_envs, reset, single_action_space, single_observation_space, step"),
        ("encoder", "__call__, width"),
    ],
)
def test_a_plugin_that_lacks_a_method_is_refused_when_it_is_built(install, kind, lacks):
    supplied = [None] * SUPPLIED[kind]
    parameters = "self, given" if supplied else "self"
    install("gift", kind, "Gift", f"class Gift:\n    def __init__({parameters}): pass")
    with pytest.raises(plugins.PluginError, match=rf"{kind}=gift \(livedqn-gift 1\.0\) lacks {lacks}; .*check_{kind}"):
        plugins.build(kind, "gift", *supplied)


def test_the_defaults_of_a_run_are_installed():
    usual = plugins.defaults()
    assert usual == {
        "env": "sim",
        "reward": "native",
        "encoder": "mlp",
        "exploration": "epsilon_greedy",
        "agent": "dqn",
        "replay": "uniform",
        "logger": "csv",
    }
