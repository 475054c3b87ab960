"""Presets from Python: what a command line makes of their names."""

import pytest
from omegaconf import OmegaConf

from livedqn import plugins
from livedqn.plugins.presets import presets
from livedqn.plugins.schema import node

KINDS = [(kind, name) for kind in plugins.KINDS for name in presets(kind)]


@pytest.mark.parametrize(("kind", "name"), KINDS)
def test_a_preset_is_what_the_command_line_composes(livedqn, kind, name):
    printed = livedqn(
        *(["+env=sim"] if kind != "env" else []), f"{'+' * (kind == 'env')}{kind}={name}", "--cfg", "job"
    ).out
    values = plugins.expanded(kind, name)
    plugin = values.pop("plugin")
    assert plugin in plugins.names(kind)
    mine = OmegaConf.merge(node(kind, plugin), values)
    assert OmegaConf.to_container(mine) == OmegaConf.to_container(OmegaConf.create(printed)[kind])


def test_settings_are_laid_over_a_preset_and_are_text_where_they_look_like_references():
    found = plugins.expanded("env", {"plugin": "sim_hard", "days": 3, "viewers": {"churn_bias": 0, "x": "${y}"}})
    assert (found["plugin"], found["days"], found["topics"]) == ("sim", 3, 16)
    assert (found["viewers"]["churn_bias"], found["viewers"]["click_bias"], found["viewers"]["x"]) == (0, -3.0, "${y}")


@pytest.mark.parametrize("name", ["sim", "none", "../env/sim_small", "", "__init__"])
def test_other_names_stay_what_they_are(name):
    assert plugins.expanded("env", name) == {"plugin": name}
    assert plugins.expanded("logger", name) == {"plugin": name}
    assert plugins.expanded("env", {"days": 2}) == {"days": 2}


def test_it_is_built_by_its_name():
    env = plugins.build("env", "sim_small", 3)
    assert (env.num_envs, env.single_action_space.n) == (3, 8)
    env.close()
