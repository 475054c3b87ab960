"""``report.html``: one file that needs no other."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from livedqn import plugins
from livedqn.evaluate import Evaluation
from livedqn.evaluate.table import conclusion, notes, rows, slice_rows

#: Picture -> what one sees in it.
CAPTIONS = {
    "curves": "What the policy learned; the dots are on worlds that only choose the checkpoint. Dashed: the tuned "
    "baselines there.",
    "comparison": "Means and 95 % intervals over worlds. Right of 0 in the last panel, the policy is ahead.",
    "audience": "What is recommended to whom. New and heavy viewers are the quarters with the fewest and the most past "
    "sessions; a favourite is a streamer whom this viewer has watched before; a new streamer is none, and in the "
    "quarter of rooms on offer whose streamers have broadcast least.",
    "nothing": "How often nothing is shown, as the session goes on (while 5 % of the sessions last).",
    "slices": "Returns and click-through for parts of the audience, of the rooms and of the day (when a session "
    "starts); new and heavy are the quarters with the least and the most.",
    "calibration": "What the network expects against what follows. Below the dashed line it hopes for too much.",
}
#: What stands where a verdict would.
NOT_EVALUATED = (
    "Not evaluated: there was no environment to play. Judge it: "
    "<code>livedqn evaluate checkpoint=&lt;this folder&gt;/policy.ckpt logs=…</code>"
)
_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #1d2733; background: #f4f6f8; margin: 0; }
main { max-width: 68rem; margin: 0 auto; padding: 2rem 1.5rem 4rem; }
h1 { margin: 0 0 .3rem; font-size: 1.7rem; } h2 { font-size: 1.15rem; margin: 2.2rem 0 .6rem; }
.verdict { font-size: 1.1rem; } .short { color: #a33b00; font-weight: 600; }
section { background: white; border-radius: .6rem; padding: 1rem 1.3rem; overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; width: 100%; }
th, td { padding: .35rem .7rem; text-align: right; white-space: nowrap; border-bottom: 1px solid #e6e9ed; }
th { font-weight: 600; color: #66717d; } td:first-child, th:first-child { text-align: left; }
tr.ours td { font-weight: 650; background: #eef5fa; } tr:last-child td { border-bottom: 0; }
figure { margin: 1.2rem 0 0; background: white; border-radius: .6rem; padding: 1rem 1.3rem; }
figure img { max-width: 100%; display: block; margin: 0 auto; } figcaption, .note { color: #66717d; font-size: .9rem; }
pre { overflow-x: auto; font-size: .85rem; }
"""


def page(
    evaluation: Evaluation | None, pictures: Sequence[Path], config: Mapping[str, Any], said: Sequence[str] = ()
) -> str:
    """The whole report as HTML, pictures inside; ``said`` are lines on what the run learned from."""
    # an environment or reward that was given from Python has no name
    logs = config.get("logs")
    env, reward = (escape((config[kind] or {}).get("plugin", f"{kind} of one's own")) for kind in ("env", "reward"))
    title = f"logs of {escape(logs['plugin'])}" if logs else env
    steps = f"{config.get('steps', 0):,}" if evaluation is None else f"{evaluation.steps:,}"
    return "\n".join(
        [
            '<!doctype html><html lang="en"><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>livedqn: {title}, {reward}</title><style>{_STYLE}</style><main>",
            f"<h1>{title}, rewarded by {reward}</h1>",
            *(_verdict(evaluation) if evaluation else [f'<p class="verdict">{NOT_EVALUATED}</p>']),
            *(f'<p class="note">{escape(line)}</p>' for line in said),
            *(_figure(path) for path in pictures),
            *(_audience(evaluation) if evaluation else []),
            "<h2>The run</h2>",
            f"<section><details><summary>{steps} steps; its whole config</summary>",
            f"<pre>{escape(plugins.as_yaml(config))}</pre></details></section></main></html>",
        ]
    )


def _verdict(evaluation: Evaluation) -> list[str]:
    """The conclusion and the table."""
    *general, last = notes(evaluation) if evaluation.is_short else [*notes(evaluation), ""]
    return [
        f'<p class="verdict">{escape(conclusion(evaluation))}</p>',
        f'<p class="short">{escape(last)}</p>' if last else "",
        _table(rows(evaluation), evaluation.reference),
        *(f'<p class="note">{escape(line)}</p>' for line in general),
    ]


def _audience(evaluation: Evaluation) -> list[str]:
    parts = slice_rows(evaluation)
    return [f"<h2>Parts of the audience</h2>{_table(parts, '')}"] if parts else []


def _table(lines: Sequence[Sequence[str]], ours: str) -> str:
    heading = f"<tr>{_cells(lines[0], 'th')}</tr>"
    body = "".join(f'<tr class="{"ours" if line[0] == ours else ""}">{_cells(line, "td")}</tr>' for line in lines[1:])
    return f"<section><table>{heading}{body}</table></section>"


def _cells(line: Iterable[str], tag: str) -> str:
    return "".join(f"<{tag}>{escape(text)}</{tag}>" for text in line)


def _figure(path: Path) -> str:
    data = base64.b64encode(path.read_bytes()).decode()
    caption = escape(CAPTIONS[path.stem])
    return (
        f'<figure><img alt="{caption}" src="data:image/png;base64,{data}"><figcaption>{caption}</figcaption></figure>'
    )
