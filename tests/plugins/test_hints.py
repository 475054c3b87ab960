from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from omegaconf import OmegaConf

from livedqn.plugins.hints import refusal, restore


@dataclass
class Inner:
    sizes: tuple[int, ...] = ()
    names: dict[str, str] = field(default_factory=dict)


@dataclass
class Outer:
    number: float = 0.0
    switch: bool = False
    file: Path | None = None
    pair: tuple[int, int] = (0, 0)
    inners: list[Inner] = field(default_factory=list)
    by_name: dict[str, Inner] = field(default_factory=dict)


words = st.text("abcxyz_", min_size=1, max_size=5)
inners = st.builds(
    Inner, st.lists(st.integers(-9, 9), max_size=3).map(tuple), st.dictionaries(words, words, max_size=2)
)
outers = st.builds(
    Outer,
    st.floats(allow_nan=False),
    st.booleans(),
    st.none() | words.map(Path),
    st.tuples(st.integers(-9, 9), st.integers(-9, 9)),
    st.lists(inners, max_size=2),
    st.dictionaries(words, inners, max_size=2),
)


@given(outers)
def test_what_is_configured_comes_back_equal(outer):
    assert refusal(Outer) is None
    plain = OmegaConf.to_container(OmegaConf.structured(outer))
    assert restore(plain, Outer, "") == outer
