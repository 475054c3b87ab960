"""Dollar and brace from Python, or in a path, are text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from omegaconf import OmegaConf

from livedqn.plugins import escaped, unescaped


@given(st.text("\\${}a:'\"[], .\n"))
def test_omegaconf_takes_what_is_escaped_for_text(text):
    held = OmegaConf.create({"some": [escaped(text)], "a": 5})
    assert OmegaConf.to_container(held, resolve=True)["some"] == [text]
    assert unescaped(OmegaConf.to_container(OmegaConf.create(OmegaConf.to_yaml(held)))) == {"some": [text], "a": 5}


def test_what_needs_no_escape_stays_as_it_is():
    plain = {"a": 0.5, "b": [None, True, "C:\\$x{y}"], "c": {"d": (1, 2)}}
    assert escaped(plain) == {**plain, "c": {"d": [1, 2]}}


@pytest.mark.parametrize("reference", ["${b}", "x/${oc.env:HOME}", "\\\\${b}"])
def test_a_reference_is_none_of_ours(reference):
    with pytest.raises(ValueError, match="refers to something else"):
        unescaped({"a": [reference]})
