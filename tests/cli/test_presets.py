"""Presets from Python: what a command line makes of their names."""

import re

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


def test_a_plugin_is_its_own_name_and_settings_without_one_stay():
    assert plugins.expanded("env", "sim") == {"plugin": "sim"}
    assert plugins.expanded("logger", "wandb") == {"plugin": "wandb"}
    assert plugins.expanded("env", {"days": 2}) == {"days": 2}


@pytest.mark.parametrize("name", ["sim_herd", "../env/sim_small", "", "__init__"])
def test_other_names_are_answered_with_all_that_there_are(name):
    with pytest.raises(
        plugins.PluginError, match=rf"there is no env={re.escape(name)}.*; installed: gym, sim, sim_hard"
    ):
        plugins.expanded("env", name)


def test_what_no_config_holds_is_one_line():
    with pytest.raises(plugins.PluginError, match=r"env=sim_hard cannot take that: .*not a supported primitive type"):
        plugins.expanded("env", {"plugin": "sim_hard", "x": object()})


def test_it_is_built_by_its_name():
    env = plugins.build("env", "sim_small", 3)
    assert (env.num_envs, env.single_action_space.n) == (3, 8)
    env.close()
