from io import StringIO

from livedqn.live import Live, announce


class Terminal(StringIO):
    def isatty(self):
        return True


def test_plain_lines_where_there_is_no_terminal():
    file = StringIO()
    with Live(1_000, file=file) as live:
        live.update(500, {"return": 3.14159, "click_through": 0.125, "unheard_of": 1})
        live.update(600, {"loss": 0.5})  # too soon for another line
        live.note("saved")
    assert file.getvalue().splitlines() == [
        "training 500/1,000 (50%) | return 3.14 | click-through 12.5%",
        "saved",
        "training 600/1,000 (60%) | return 3.14 | click-through 12.5% | loss 0.5",
    ]


def test_a_live_view_on_a_terminal(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    file = Terminal()
    with Live(1_000, start=250, file=file) as live:
        live.update(500, {"q_mean": 7.5, "epsilon": 0.05})
    text = file.getvalue()
    assert "500/1000" in text and "7.5" in text and "0.050" in text


def test_counted_work():
    plain, screen = StringIO(), Terminal()
    for file in (plain, screen):
        tell = announce(file)
        for done in range(3):
            tell("playing policy", done, 2)
    assert plain.getvalue() == "playing policy\n"
    assert screen.getvalue().endswith("playing policy 2/2\n")
