import pytest

from livedqn.cli.overrides import take_paths, tidy
from livedqn.cli.words import read
from livedqn.types import LivedqnError


def test_flags_stand_before_overrides_wherever_they_were_typed():
    words = read(["evaluate", "checkpoint=x", "--resolve", "seed=1", "-cd", "a=b", "--cfg=job", "~x"])
    assert words.command == "evaluate"
    assert words.flags == ["--resolve", "--config-dir", "a=b", "--cfg", "job"]
    assert words.overrides == ["checkpoint=x", "seed=1", "~x"]


def test_a_flag_that_takes_no_value():
    with pytest.raises(LivedqnError, match="--help takes no value"):
        read(["--help=1"])


def test_plus_signs_are_dropped_but_hydras_own_kept():
    assert tidy(["+env=sim", "++a.b=1", "+hydra.x=1", "hydra/launcher=basic"], is_multirun=False) == [
        "env=sim",
        "a.b=1",
        "+hydra.x=1",
        "hydra/launcher=basic",
    ]


def test_settings_beside_a_swept_plugin_are_left_to_the_jobs():
    words = ["reward=a,b", "reward.x=[1,2]", "reward.y=", "seed=3", "env.z=1,2"]
    assert tidy(words, is_multirun=True) == [
        "reward=a,b",
        "reward.x=choice([1,2])",
        "reward.y=choice('')",
        "seed=3",
        "env.z=1,2",
    ]
    assert tidy(["seed=1,2", "reward.x=1"], is_multirun=True) == ["seed=1,2", "reward.x=1"]


def test_the_last_path_counts_and_quotes_are_the_shells_business():
    assert take_paths(["checkpoint='a b'", "x=1", "++checkpoint=c=d"], ["checkpoint"]) == (
        ["x=1"],
        {"checkpoint": "c=d"},
    )
    assert take_paths(["checkpoint='a b'"], ["checkpoint"])[1] == {"checkpoint": "a b"}
