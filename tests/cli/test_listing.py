def test_the_table_names_kind_name_distribution_and_summary(livedqn):
    outcome = livedqn("plugins")
    assert outcome.code == 0
    rows = [line.split() for line in outcome.out.splitlines()]
    assert ["reward", "watchtime", "livedqn", "0.1.0", "Minutes", "watched,"] in [row[:6] for row in rows]
    assert rows[0] == ["kind", "name", "distribution", "summary"]
    assert ["env", "sim_hard", "preset", "Where", "little", "is"] in [row[:6] for row in rows]


def test_a_broken_plugin_is_shown_and_harms_nothing(livedqn, install):
    install("broken", "reward", "X", "import nosuchmodule", version="0.3.1")
    install("vague", "encoder", "X", "class X:\n    def __init__(self, spec, **more): pass")
    outcome = livedqn("plugins")
    assert outcome.code == 0
    text = " ".join(outcome.out.split())
    assert "livedqn-broken 0.3.1 broken: reward=broken (livedqn-broken 0.3.1) failed to import" in text
    assert "parameter 'more' cannot be configured" in text
    assert "[nosuch" not in text


def test_one_plugin_shows_each_setting_with_type_default_and_docstring(livedqn, install):
    install(
        "gift",
        "reward",
        "Gift",
        '''
        class Gift:
            """Gifts [of any size].

            Args:
                scale: points [a gift].
            """
            signals = ()
            def __init__(self, scale: float = 0.5, names: list[str] = ["a"]): pass
            def __call__(self, signals): return signals
        ''',
    )
    outcome = livedqn("plugins", "reward=gift")
    assert outcome.code == 0
    assert "reward=gift (livedqn-gift 1.0)" in outcome.out
    assert "Gifts [of any size]." in outcome.out
    rows = [" ".join(line.split()) for line in outcome.out.splitlines()]
    assert "reward.scale float 0.5 points [a gift]." in rows
    assert "reward.names list[str] ['a']" in rows


def test_the_settings_of_a_setting_are_settings(livedqn):
    rows = [" ".join(line.split()) for line in livedqn("plugins", "env=sim").out.splitlines()]
    assert any(row.startswith("env.viewers.click_bias float -2.2 Log-odds of a click") for row in rows)


def test_a_plugin_without_settings(livedqn):
    assert "It has no settings." in livedqn("plugins", "+reward=native").out


def test_errors(livedqn):
    assert "no reward=gfit" in livedqn("plugins", "reward=gfit").error
    assert "a preset, no plugin" in livedqn("plugins", "encoder=original").error
    assert "a preset, no plugin" in livedqn("plugins", "experiment=cartpole").error
    assert "no kind 'rewards'" in livedqn("plugins", "rewards=gift").error
    assert "no kind 'reward'" not in livedqn("plugins", "foo").error
    assert "plugins takes no --multirun" in livedqn("plugins", "-m").error
