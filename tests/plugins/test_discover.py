import subprocess
import sys

import pytest

from livedqn import plugins
from livedqn.plugins.discover import load, who

GIFT = "class Gift:\n    signals = ()\n    def __call__(self, signals): return signals['native']\n"


def test_a_plugin_is_found_by_its_metadata_alone(install):
    folder = install("gift", "reward", "Gift", "raise RuntimeError('imported')")
    assert "gift" in plugins.names("reward")
    assert plugins.names("reward") == sorted(plugins.names("reward"))
    assert not (folder / "__pycache__").exists()


def test_built_ins_are_declared_as_a_strangers_are():
    assert {"sim", "gym"} <= set(plugins.names("env"))
    assert {"native", "engagement", "watchtime", "weighted"} <= set(plugins.names("reward"))
    assert {"mlp", "gru", "attention", "conv"} <= set(plugins.names("encoder"))
    assert {"epsilon_greedy", "boltzmann", "ucb", "thompson"} <= set(plugins.names("exploration"))
    assert "dqn" in plugins.names("agent")
    assert {"uniform", "prioritised"} <= set(plugins.names("replay"))
    assert "parquet" in plugins.names("logs")


def test_an_unknown_name_is_answered_with_the_closest_and_the_list():
    with pytest.raises(
        plugins.PluginError, match=r"no reward=wathctime; did you mean 'watchtime'; installed: .*native"
    ):
        load("reward", "wathctime")
    with pytest.raises(plugins.PluginError, match=r"no kind 'rewards' of plugin; did you mean 'reward'"):
        plugins.names("rewards")


def test_a_plugin_that_fails_to_import_is_named_with_its_distribution(install):
    install("broken", "reward", "X", "import nosuchmodule", version="0.3.1")
    with pytest.raises(
        plugins.PluginError,
        match=r"reward=broken \(livedqn-broken 0\.3\.1\) failed to import: ModuleNotFoundError: .*nosuchmodule.*choose",
    ):
        load("reward", "broken")
    assert plugins.build("reward", "native").signals == ("native",)  # the others are unharmed


def test_a_module_of_an_extra_is_named_with_what_installs_it(install):
    folder = install("wide", "reward", "X", "import nosuchmodule.inner", version="0.3.1")
    (metadata,) = folder.rglob("METADATA")
    metadata.write_text(metadata.read_text() + "Requires-Dist: nosuchmodule>=3; extra == 'all'\n")
    with pytest.raises(
        plugins.PluginError, match=r"No module named 'nosuchmodule'; pip install 'livedqn-wide\[all\]'$"
    ):
        plugins.build("reward", "wide")


def test_an_attribute_that_is_not_there_is_a_failed_import(install):
    install("gift", "reward", "Gone", GIFT)
    with pytest.raises(plugins.PluginError, match=r"failed to import: AttributeError.*Gone"):
        load("reward", "gift")


def test_two_distributions_with_one_name_are_both_named(install):
    install("gift", "reward", "Gift", GIFT)
    install("gift", "reward", "Gift", GIFT, distribution="other-gifts", version="2.0")
    with pytest.raises(
        plugins.PluginError, match=r"provided by .*livedqn-gift 1\.0.*; uninstall all but one"
    ) as caught:
        load("reward", "gift")
    assert "other-gifts 2.0" in str(caught.value)


def test_a_distribution_that_stands_twice_on_the_path_is_one(install, monkeypatch):
    folder = install("gift", "reward", "Gift", GIFT)
    (folder.parent / "again").symlink_to(folder)
    monkeypatch.syspath_prepend(str(folder.parent / "again"))
    assert load("reward", "gift").signals == ()
    assert who("reward", "gift") == "reward=gift (livedqn-gift 1.0)"


def test_names_import_no_torch():
    code = "import sys; from livedqn import plugins; plugins.names('agent'); assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
