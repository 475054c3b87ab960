import pytest
from omegaconf import OmegaConf

from livedqn import plugins
from livedqn.plugins.docs import describe, summary
from livedqn.plugins.signature import settings

CALL = "    signals = ()\n    def __call__(self, signals): return signals\n"


def reward(install, parameters: str, head: str = "") -> None:
    install("gift", "reward", "Gift", f"{head}\nclass Gift:\n    def __init__(self, {parameters}): pass\n{CALL}")


def test_what_livedqn_supplies_is_no_setting_whatever_its_name(install):
    install("mine", "replay", "make", "def make(a, b, c, *, size: int = 3): pass")
    assert [s.name for s in settings("replay", "mine")] == ["size"]


def test_supplied_parameters_need_no_type_that_exists_at_run_time(install):
    install(
        "mine",
        "env",
        "make",
        """
        from __future__ import annotations
        from typing import TYPE_CHECKING
        if TYPE_CHECKING:
            from somewhere import Count
        def make(num_envs: Count, *, rooms: int = 3): pass
        """,
    )
    assert [(s.name, s.hint) for s in settings("env", "mine")] == [("rooms", int)]


def test_a_plugin_that_takes_too_little_is_refused(install):
    install("mine", "env", "make", "def make(*, num_envs: int): pass")
    with pytest.raises(plugins.PluginError, match=r"env=mine .* must take 1 arguments by position"):
        settings("env", "mine")


def test_keyword_only_or_not_makes_no_difference(install):
    reward(install, "a: int = 1, *, b: float = 2.0")
    assert OmegaConf.to_container(OmegaConf.structured(plugins.schema("reward", "gift"))) == {
        "plugin": "gift",
        "a": 1,
        "b": 2.0,
    }


def test_dataclass_fields_are_settings_with_their_factories(install):
    install(
        "gift",
        "reward",
        "Gift",
        f"""
from __future__ import annotations
from dataclasses import dataclass, field
@dataclass
class Base:
    scale: float = 1.0
@dataclass
class Gift(Base):
    #: Points of
    #: a signal.
    weights: dict[str, float] = field(default_factory=lambda: {{"liked": 2.0}})
{CALL}""",
    )
    assert {s.name: s.make_default() for s in settings("reward", "gift")} == {"scale": 1.0, "weights": {"liked": 2.0}}
    assert plugins.build("reward", {"plugin": "gift", "scale": 3}).scale == 3.0
    assert {row.name: row.text for row in describe("reward", "gift")} == {"scale": "", "weights": "Points of a signal."}


def test_a_mutable_default_is_not_shared(install):
    reward(install, "xs: list[int] = [1]")
    one, other = (OmegaConf.structured(plugins.schema("reward", "gift")) for _ in range(2))
    one.xs.append(2)
    assert other.xs == [1]


@pytest.mark.parametrize(
    ("parameters", "reason"),
    [
        ("*args", "'args' cannot be configured: name each setting"),
        ("**more", "'more' cannot be configured: name each setting"),
        ("a, /", "it is positional-only"),
        ("scale=1.0", "'scale' cannot be configured: annotate it"),
        ("plugin: str = 'x'", "the name is taken"),
        ("mode: Literal['a', 'b'] = 'a'", "'mode' cannot be configured: Literal is not supported; use an Enum"),
        ("f: Callable[[], int] = int", "Callable is none of bool, int"),
        ("d: dict[str, int] | None = None", "'d' cannot be configured: an optional dict is not supported"),
        ("x: int | list[int] = 1", "a union may hold"),
        ("xs: list = []", "list is none of"),
        ("xs: tuple[int, str] = (1, 'a')", "the values of a tuple must be of one type"),
        ("xs: tuple[complex, ...] = ()", "complex is none of"),
        ("x: 'Nowhere' = 1", "the type of parameter 'x' cannot be read"),
        ("x: int = None", "a default does not fit its type"),
    ],
)
def test_what_cannot_be_typed_is_refused_by_name(install, parameters, reason):
    reward(install, parameters, "from typing import Literal\nfrom collections.abc import Callable")
    with pytest.raises(plugins.PluginError, match=r"reward=gift \(livedqn-gift 1\.0\)") as caught:
        plugins.build("reward", "gift")
    assert reason in str(caught.value)


def test_a_plugin_that_is_no_class_or_function_is_refused(install):
    install("gift", "reward", "GIFT", "GIFT = 3")
    with pytest.raises(plugins.PluginError, match="is 3; a plugin is a class or a function"):
        settings("reward", "gift")


def test_every_built_in_can_be_configured_and_says_what_it_is():
    for kind in plugins.KINDS:
        for name in plugins.names(kind):
            OmegaConf.structured(plugins.schema(kind, name))
            assert summary(kind, name), f"{kind}={name} has no docstring"


def test_the_args_section_documents_the_settings(install):
    install(
        "gift",
        "reward",
        "Gift",
        f'''
class Gift:
    """Gifts.

    Args:
        scale: points of a gift,
            in its currency.
        power (float): of it.

    Raises:
        ValueError: never.
    """
    def __init__(self, scale: float, power: float = 0.5): pass
{CALL}''',
    )
    assert [(row.name, row.type, row.default, row.text) for row in describe("reward", "gift")] == [
        ("scale", "float", "needed", "points of a gift, in its currency."),
        ("power", "float", "0.5", "of it."),
    ]
