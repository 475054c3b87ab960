"""What is every part of the agent worth? The default, and the default with one part switched, all else the same.

python -m benchmarks.learning.ablation --on sim --seeds 5 --jobs 2
python -m benchmarks.learning.ablation --on breakout --parts double n_step distribution
python -m benchmarks.learning.ablation --on cartpole --quick             # does it work

Final weights are judged, whatever an evaluation in training would have chosen. On the simulator (``sim``,
``sim_hard``) all policies play the same test worlds: differences are paired by world, after a mean over seeds, and are
given over seeds, too. On a game (``cartpole``, ``breakout``, ``freeway``) they are over seeds, of greedy episodes and
of training's last tenth.

Finished trainings are kept in --runs. Rows go to ``results/ablation_<on>.csv``, the picture to ``ablation_<on>.png``.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks import machine
from benchmarks.learning import on_games, on_simulator, parts
from benchmarks.learning.games import GAMES
from benchmarks.learning.schedules import composed
from benchmarks.rows import write_csv
from livedqn.report.style import FAINT, OTHERS, OURS, figure, look

RESULTS = Path(__file__).parent / "results"


def show(rows: Sequence[Mapping[str, Any]]) -> None:
    """The table."""
    measures = [name for name in rows[0] if f"{name}_low" in rows[0]]
    print(f"\n| part switched | {' | '.join(measures).replace('_', ' ')} | CPU s of training |")
    print(f"|{'---|' * (2 + len(measures))}")
    for row in rows:
        cells = (_cell(row, measure) for measure in measures)
        print(f"| {row['part']} | {' | '.join(cells)} | {row['cpu_s']:.0f} |")
    print(f"(mean [95 % interval] of {rows[0]['seeds']} seeds; differences are to the default's, * = clear of 0)")


def _cell(row: Mapping[str, Any], measure: str) -> str:
    mean, low, high = (row[f"{measure}{end}"] for end in ("", "_low", "_high"))
    if "difference" not in measure:
        return f"{mean:.4g} [{low:.4g}, {high:.4g}]"
    return f"{mean:+.3g} [{low:+.3g}, {high:+.3g}]{' *' if low > 0 or high < 0 else ''}"


def picture(rows: Sequence[Mapping[str, Any]], measure: str, title: str, path: Path) -> None:
    """Differences to the default with their intervals."""
    switched = [row for row in rows if row["part"] != parts.DEFAULT]
    with look():
        drawn, (axis,) = figure(7, 0.9 + 0.34 * max(len(switched), 1))
        for y, row in enumerate(reversed(switched)):
            mean, low, high = (row[f"{measure}_difference{end}"] for end in ("", "_low", "_high"))
            colour = OURS if low > 0 else OTHERS[0] if high < 0 else FAINT
            axis.plot([low, high], [y, y], color=colour)
            axis.plot(mean, y, "o", color=colour)
        axis.axvline(0, color=FAINT, linewidth=1)
        axis.set_yticks(range(len(switched)), [row["part"] for row in reversed(switched)])
        axis.grid(visible=False, axis="y")
        axis.set_ylim(-0.6, len(switched) - 0.4)
        axis.set(title=title, xlabel=f"{measure.replace('_', ' ')} less the default's, 95 % interval")
        drawn.savefig(path, dpi=110)


def main() -> None:
    """Train, judge, show, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--on", choices=[*on_simulator.WORDS, *GAMES], default="sim")
    parser.add_argument("--parts", nargs="*", choices=parts.PARTS, default=list(parts.PARTS))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=2, help="processes at once, a core each")
    parser.add_argument("--steps", type=int, help=f"of a training; {on_simulator.STEPS:,}, or the game's own")
    parser.add_argument("--worlds", type=int, default=20, help="of the simulator")
    parser.add_argument("--episodes", type=int, help="in each world (192), or of a game's final policy (100)")
    parser.add_argument("--runs", type=Path, default=Path("runs/benchmarks"), help="a new folder after changes")
    parser.add_argument("--quick", action="store_true", help="two seeds, few steps: does it work, not how well")
    told = parser.parse_args()
    study = on_simulator if told.on in on_simulator.WORDS else on_games
    results = RESULTS
    if told.quick:
        told.seeds, told.worlds, told.episodes = 2, 3, 16
        told.steps = told.steps or study.QUICK_STEPS
        results = told.runs = told.runs / "quick"
    results.mkdir(parents=True, exist_ok=True)
    config = composed(study.words(told.on))
    rows = study.measure(told, config, parts.rows(config, told.parts))
    show(rows)
    write_csv(results / f"ablation_{told.on}.csv", [{k: _short(v) for k, v in row.items()} for row in rows])
    picture(rows, study.MEASURE, f"{told.on}, one part switched", results / f"ablation_{told.on}.png")
    hours = sum(row["wall_s"] * row["seeds"] for row in rows) / 3600
    print(f"{hours:.2f} hours of training")
    machine.record(results, f"ablation_{told.on}", seeds=told.seeds, hours=round(hours, 2))


def _short(value: Any) -> Any:
    return f"{value:.5g}" if isinstance(value, float) else value


if __name__ == "__main__":
    main()
