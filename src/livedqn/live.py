"""What one sees on stderr while long work goes on: a live view on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from types import TracebackType
from typing import TextIO

from rich.console import Console, Group
from rich.live import Live as Screen
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from livedqn.types import Notify

#: Metric -> (heading, format). The words are those of metrics.csv; what a run does not log is not shown.
SHOWN = {
    "steps_per_s": ("steps/s", "{:,.0f}"),
    "validation_return": ("validation return", "{:.3g}"),
    "return": ("return", "{:.3g}"),
    "click_through": ("click-through", "{:.1%}"),
    "watch_minutes": ("watch min", "{:.3g}"),
    "session_length": ("session length", "{:.3g}"),
    "share_nothing": ("nothing", "{:.0%}"),
    "loss": ("loss", "{:.3g}"),
    "q_mean": ("Q", "{:.3g}"),
    "epsilon": ("epsilon", "{:.3f}"),
    "epochs": ("epochs", "{:.0f}"),
}
#: Seconds between two plain lines.
EVERY_S = 10.0


class Live:
    """Progress of training: ``with Live(total) as live: live.update(step, metrics)``.

    Args:
        total: environment steps of the whole run.
        start: steps that were done before, where a run goes on.
        file: where to; stderr where nothing is said.
    """

    def __init__(self, total: int, start: int = 0, file: TextIO | None = None) -> None:
        self._console = Console(file=file or sys.stderr, highlight=False, markup=False, emoji=False)
        self._total, self._step = total, start
        self._metrics: dict[str, float] = {}
        self._next_line = 0.0
        self._bar = Progress(
            TextColumn("training"), BarColumn(bar_width=None), MofNCompleteColumn(), TimeElapsedColumn(),
            TextColumn("left"), TimeRemainingColumn(), console=self._console, expand=True,
        )  # fmt: skip
        self._task = self._bar.add_task("training", total=total, completed=start)
        self._screen = Screen(console=self._console, refresh_per_second=4) if self._console.is_terminal else None

    def __enter__(self) -> Live:
        if self._screen:
            self._screen.start()
        self._draw()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:  # fmt: skip
        if self._screen:
            self._draw()
            self._screen.stop()
        elif self._step:
            self._line()

    def update(self, step: int, metrics: Mapping[str, float]) -> None:
        """``step`` environment steps are done; metrics that are not named keep their last value."""
        self._step = step
        self._metrics.update(metrics)
        if self._screen:
            self._draw()
        elif time.monotonic() >= self._next_line:
            self._line()

    def note(self, text: str) -> None:
        """One line that stays."""
        self._console.print(text, soft_wrap=True)

    def _draw(self) -> None:
        if self._screen:
            self._bar.update(self._task, completed=self._step)
            table = Table(box=None, expand=True, padding=(0, 1))
            for heading, _ in self._values():
                table.add_column(heading, justify="right", style="bold", header_style="dim")
            table.add_row(*(value for _, value in self._values()))
            self._screen.update(Group(self._bar, table))

    def _line(self) -> None:
        self._next_line = time.monotonic() + EVERY_S
        values = "".join(f" | {heading} {value}" for heading, value in self._values())
        done = self._step / max(self._total, 1)
        self._console.print(f"training {self._step:,}/{self._total:,} ({done:.0%}){values}", soft_wrap=True)

    def _values(self) -> list[tuple[str, str]]:
        return [(h, form.format(self._metrics[name])) for name, (h, form) in SHOWN.items() if name in self._metrics]


def announce(file: TextIO | None = None) -> Notify:
    """Tells of counted work, named and counted by the caller: one line that rewrites itself on a terminal, elsewhere
    one line when each kind of it begins."""
    file = file or sys.stderr
    is_terminal = file.isatty()

    def tell(what: str, done: int, total: int) -> None:
        if is_terminal:
            file.write(f"\r\x1b[K{what} {done}/{total}" + ("\n" if done >= total else ""))
        elif done == 0:
            file.write(f"{what}\n")
        file.flush()

    return tell
