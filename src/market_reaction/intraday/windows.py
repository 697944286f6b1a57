"""Which window the bars and the announcement's bounds allow: as asked, the nearest one, a wider one, or none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from market_reaction import wording
from market_reaction.errors import WindowError
from market_reaction.intraday.bars import BarSeries
from market_reaction.intraday.measured import Window, WindowMove
from market_reaction.intraday.moves import NS_PER_MINUTE, changes, first_complete, last_complete
from market_reaction.intraday.words import window_text

NARROW: Window = (-10, 20)
WIDE: Window = (-15, 45)
HOUR: Window = (-10, 60)
STALE = 5.0
LONGEST = 1440.0
# Grades of the catalogue whose clock time, or the bounds of it, no document supports.
UNSURE = ("documented_undated", "documented_time_text_unread", "memory_time", "memory_day")


def check_windows(windows: Sequence[Window], stale: float) -> tuple[Window, ...]:
    """Refuse windows that do not hold the announcement, and ages that are no ages."""
    found = tuple((float(low), float(high)) for low, high in windows)
    if not found:
        raise WindowError("no window is named; give at least one, such as windows=((-10, 20),).")
    for low, high in found:
        if not (low < 0 < high and high - low <= LONGEST):
            raise WindowError(
                f"window ({low:g}, {high:g}) must begin before the announcement, end after it and span at most a day "
                "of 1440 minutes; the usual ones are (-10, 20) and (-15, 45)."
            )
    if not 0 <= stale <= LONGEST:
        raise WindowError(f"stale={stale:g} is no age of a price in minutes; give 0 to 1440.")
    return found


def refusal(event: pd.Series) -> str:
    """Why nothing can be said within the day of an announcement; empty where something can."""
    name = str(event.name)
    if event["precision"] in ("day", "date"):
        return (
            f"{name!r} is known to the day only, and a window of minutes needs its time. Give a time stamp with a zone "
            "if you have one, or use react() for the session."
        )
    evidence = event.get("evidence")
    if evidence in UNSURE:
        return (
            f"the clock time of {name!r} rests on {evidence!r}, which is not enough for work within the day. Give the "
            f"time yourself ('{event['announced_utc']:%Y-%m-%d %H:%M} UTC') if you can support it."
        )
    return ""


def bounds(event: pd.Series) -> Window:
    """Bounds of the announcement in minutes from its best time."""
    at = event["announced_utc"]
    low, high = (float((event[name] - at).total_seconds() / 60) for name in ("utc_earliest", "utc_latest"))
    return low, high


def fit_to_bounds(event: pd.Series, windows: Sequence[Window]) -> list[WindowMove]:
    """Windows to measure: those that hold the bounds, and a wider one in place of each other, with the reason.

    A window must begin at or before the earliest and end after the latest possible time of the announcement; else part
    of the reaction may lie outside it.
    """
    low, high = bounds(event)
    found: list[WindowMove] = []
    for window in windows:
        if window[0] <= low and window[1] > high:
            found.append(WindowMove(window, window, "as asked"))
            continue
        why = (
            f"{event.name!s} is known to {event['utc_earliest']:%H:%M} to {event['utc_latest']:%H:%M} UTC only "
            f"({wording.signed(low, 0)} to {wording.signed(high, 0)} min), which {window_text(window)} does not hold"
        )
        wider = (low + window[0], high + window[1])
        found.append(WindowMove(window, wider, "widened", f"{why}; taken from the earliest to the latest time"))
    return found


def locate_window(
    series: BarSeries, event_ns: int, bounds_ns: tuple[int, int], asked: WindowMove, stale: float
) -> WindowMove:
    """Prices of one window, or the reason why there are none.

    Parameters
    ----------
    series : BarSeries
        The market.
    event_ns : int
        The announcement.
    bounds_ns : tuple of int
        Its bounds.
    asked : WindowMove
        Window to measure, without prices.
    stale : float
        Oldest age of a price, minutes.
    """
    low, high = (np.array([event_ns + int(minute * NS_PER_MINUTE)]) for minute in asked.used)
    before, after = last_complete(series.end_ns, low), last_complete(series.end_ns, high)
    if before.position[0] < 0:
        return _refused(asked, f"the bars begin at {series.bars['start_utc'].iloc[0]:%Y-%m-%d %H:%M} UTC, after it")
    if high[0] > series.end_ns[-1] + int(stale * NS_PER_MINUTE):
        return _refused(asked, f"the bars end at {series.bars.index[-1]:%Y-%m-%d %H:%M} UTC, before the window does")
    holds = series.end_ns[after.position[0]] > bounds_ns[1]
    if before.stale[0] <= stale and after.stale[0] <= stale and holds:
        return _priced(series, asked, int(before.position[0]), int(after.position[0]), event_ns)
    length = series.minutes_at(event_ns)
    if length <= stale:
        return _refused(asked, _missing(series, before.stale[0], after.stale[0], asked.used, stale))
    after = first_complete(series.end_ns, high)
    limit = 2 * length + stale
    if before.stale[0] > limit or -after.stale[0] > limit:
        return _refused(asked, _missing(series, before.stale[0], -after.stale[0], asked.used, limit))
    found = _priced(series, asked, int(before.position[0]), int(after.position[0]), event_ns)
    used = (asked.used[0] - float(before.stale[0]), asked.used[1] - float(after.stale[0]))
    why = (
        f"bars of {length} minutes cannot show {window_text(asked.used)}: the nearest prices lie at "
        f"{window_text(used)}, against an age of at most {stale:g} minutes"
    )
    why = f"{asked.reason}; {why}" if asked.reason else why
    return replace(found, used=used, kind="nearest", reason=why, stale_before=0.0, stale_after=0.0)


def straddling(series: BarSeries, bounds_ns: tuple[int, int]) -> pd.DataFrame:
    """Bars that overlap the bounds of the announcement: columns start_utc, end_utc."""
    at = np.flatnonzero((series.start_ns < bounds_ns[1]) & (series.end_ns > bounds_ns[0]))
    rows = series.bars.iloc[at]
    return pd.DataFrame({"start_utc": rows["start_utc"].to_numpy(), "end_utc": rows.index})


def _refused(asked: WindowMove, why: str) -> WindowMove:
    return replace(asked, kind="refused", reason=f"{asked.reason}; {why}" if asked.reason else why)


def _missing(series: BarSeries, before: float, after: float, window: Window, limit: float) -> str:
    side, age, minute = ("before", before, window[0]) if not before <= limit else ("after", after, window[1])
    if not age > limit:
        return f"no bar that ends after the announcement is complete by {window[1]:+g} minutes; a longer window has one"
    return (
        f"the price {side} is missing: the nearest bar lies {age:.0f} minutes from {minute:+g} min, and {limit:g} is "
        f"the bound. {series.name} was shut or did not trade; prices are not carried further"
    )


def _priced(series: BarSeries, asked: WindowMove, before: int, after: int, event_ns: int) -> WindowMove:
    at = np.array([before]), np.array([after])
    change = changes(series.closes, *at, difference=series.instrument.is_difference)[0]
    ends = series.bars.index[[before, after]]
    offsets = (series.end_ns[[before, after]] - event_ns) / NS_PER_MINUTE
    return replace(
        asked,
        before_utc=ends[0],
        after_utc=ends[1],
        price_before=float(series.closes[before]),
        price_after=float(series.closes[after]),
        stale_before=float(asked.used[0] - offsets[0]),
        stale_after=float(asked.used[1] - offsets[1]),
        change=float(change),
    )
