"""The command ``calibrate``: an environment beside published numbers, or fitted to a user's own data."""

from __future__ import annotations

import csv
import shlex
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from livedqn import plugins
from livedqn.calibrate import own, rooms, viewers
from livedqn.calibrate.comparison import Comparison, number, show_table
from livedqn.calibrate.fits import Fit, Fits, differences, laid, value_of
from livedqn.calibrate.impressions import RequestLog
from livedqn.calibrate.published import FIGURES, LEGEND
from livedqn.checkpoint import write_text
from livedqn.config import CalibrateConfig
from livedqn.live import announce

#: The share of channels that are as popular as those of some published numbers.
POPULAR = 0.02


def run(config: CalibrateConfig, folder: Path) -> None:
    """Print the table; write it as ``calibration.csv`` and ``calibration.png`` into ``folder``, and ``config.yaml``.

    With data of the user's own there are two more: ``fit.csv``, and ``env/fitted.yaml``, a preset of the fitted
    environment. The last line says how to go on.

    Raises:
        LivedqnError: the environment has no rooms, or cannot be built; the data cannot be read, or fit nothing.
    """
    if config.data.rooms or config.data.impressions:
        to_data(config, folder)
    else:
        to_published(config, folder)


def to_published(config: CalibrateConfig, folder: Path) -> None:
    """The environment beside published numbers."""
    env = own.build(config.env, config.num_envs)
    found = rooms.statistics(env.rooms.timetable(config.seed, ""), env.rooms.streamers, config.popular or POPULAR)
    found |= viewers.statistics(RequestLog.played(env, config.requests, config.seed, announce()))
    comparison = Comparison("published", FIGURES, {"found": found})
    _keep(config, folder, comparison)
    comparison.show()
    print("; ".join(f"{source}: {what}" for source, what in LEGEND.items()))
    print(folder)


def to_data(config: CalibrateConfig, folder: Path) -> None:
    """The environment, before it is fitted and after, beside the data."""
    data, popular, notify = config.data, config.popular or 1.0, announce()
    measured: dict[str, float] = {}
    before: dict[str, float] = {}
    after: dict[str, float] = {}
    fits: Fits = []
    notes: list[str] = []
    if data.rooms:
        real = own.RoomsData.read(data, data.rooms, popular)
        before |= own.simulated_rooms(config.env, config, popular)
        fits += own.fitted_to_rooms(config.env, real)
        after |= own.simulated_rooms(laid(config.env, fits), config, popular)
        measured |= real.found
        notes += real.notes
    if data.impressions:
        log = RequestLog.read(data.impressions, "data.impressions", data.tolerated)
        measured |= viewers.statistics(log)
        notes += own.bad_rows("data.impressions", log.bad, len(log.visit))
        notes.append("data.impressions: rooms count as if shown at random; a policy that chooses well raises what "
                     "follows from clicks, viewers.click_bias above all")  # fmt: skip
        asked = RequestLog.played(own.build(config.env, config.num_envs), config.requests, config.seed, notify)
        before |= viewers.statistics(asked)
        more, asked = own.fitted_to_impressions(laid(config.env, fits), log, asked, config, notify)
        after |= viewers.statistics(asked)
        fits += more
    comparison = Comparison("data", own.figures(measured), {"before": before, "after": after})
    _keep(config, folder, comparison)
    _keep_fits(config.env, fits, folder)
    _show_fits(config.env, fits)
    comparison.show()
    print("\n".join(notes), end="\n" if notes else "")
    print(folder)
    print(f"fitted: livedqn --config-dir {shlex.quote(str(folder))} env=fitted")


def _keep(config: CalibrateConfig, folder: Path, comparison: Comparison) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    write_text(folder / "config.yaml", plugins.as_yaml(asdict(config)))
    comparison.write(folder / "calibration.csv")
    from livedqn.report.published import picture  # Matplotlib's import takes time

    picture(comparison).savefig(folder / "calibration.png", dpi=110)


def _keep_fits(env: Mapping[str, Any], fits: Fits, folder: Path) -> None:
    """``fit.csv``, and ``env/fitted.yaml``: what differs from the plugin's own defaults, as a preset."""
    with (folder / "fit.csv").open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["setting", "was", "fitted", "rows", "of", "why_not"])
        for one in fits:
            if isinstance(one, Fit):
                writer.writerow(
                    [one.setting, _exact(value_of(env, one.setting)), _exact(one.value), one.rows, one.of, ""]
                )
            else:
                writer.writerows([name, "", "", "", "", one.why] for name in one.settings)
    name = env["plugin"]
    changed = {key: value for key, value in laid(env, fits).items() if key != "plugin"}
    usual = OmegaConf.to_container(OmegaConf.structured(plugins.schema("env", name)))
    assert isinstance(usual, dict)
    preset = {"defaults": [name, "_self_"], **differences(changed, {str(key): value for key, value in usual.items()})}
    (folder / "env").mkdir(exist_ok=True)
    head = f"# Fitted by livedqn calibrate: livedqn --config-dir {shlex.quote(str(folder))} env=fitted\n"
    write_text(folder / "env" / "fitted.yaml", head + plugins.as_yaml(preset))


def _show_fits(env: Mapping[str, Any], fits: Fits) -> None:
    """What was fitted, and one line a reason for what was not."""
    rows = [
        ["env." + one.setting, f"{one.rows:,} {one.of}", _text(value_of(env, one.setting)), _text(one.value)]
        for one in fits
        if isinstance(one, Fit)
    ]
    show_table(["setting", "from", "was", "fitted"], rows)
    print("not fitted:")
    for one in fits:
        if not isinstance(one, Fit):
            print(f"  {', '.join(one.settings)}: {one.why}")


def _text(value: Any) -> str:
    return " ".join(map(_text, value)) if isinstance(value, list | tuple) else number(value)


def _exact(value: Any) -> Any:
    return " ".join(map(str, value)) if isinstance(value, list | tuple) else value
