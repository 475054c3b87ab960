"""Statistics of what viewers do, from impressions."""

from __future__ import annotations

import numpy as np

from livedqn.calibrate.impressions import RequestLog
from livedqn.calibrate.rooms import ENOUGH, quantile
from livedqn.types import BoolArray, FloatArray


def statistics(of: RequestLog) -> dict[str, float]:
    """By the names of :data:`~livedqn.calibrate.published.FIGURES` and ``OF_IMPRESSIONS``; NaN where too few say so."""
    watch_s, gift_value, gift_delay_s = of.clicks("watch_s"), of.clicks("gift_value"), of.clicks("gift_delay_s")
    gifts = gift_value[gift_value > 0]
    median = quantile(watch_s, 50)
    visits = len(np.unique(of.visit))
    return {
        "comment": share(of.clicks("commented")), "like": share(of.clicks("liked")), "gift": share(gift_value > 0),
        "watch_q50": median, "watch_q99_to_q50": quantile(watch_s, 99) / (median or np.nan),
        **{f"gift_q{percent}": quantile(gifts, percent) for percent in (50, 90, 99)},
        "gift_delay_q50": quantile(gift_delay_s[gift_delay_s > 0], 50),
        "click_through": share(of.signals["clicked"][of.shown]),
        **{f"watch_q{percent}": quantile(watch_s, percent) for percent in (25, 75, 95)},
        "follow": share(of.clicks("followed")),
        **{f"feed_q{percent}": quantile(of.feed_s, percent) for percent in (50, 95)},
        "requests_a_visit": len(of.visit) / visits if visits >= ENOUGH else np.nan,
    }  # fmt: skip


def share(happened: FloatArray | BoolArray) -> float:
    """NaN below thirty events, of which a share says little."""
    return float(happened.mean()) if happened.sum() >= ENOUGH else np.nan
