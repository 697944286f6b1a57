"""What surrounds the windows: the cumulated path, volume, the spread of the reaction over the hour, other news."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from market_reaction import events as event_tables
from market_reaction.intraday import moves as numbers
from market_reaction.intraday.bars import BarSeries
from market_reaction.intraday.measured import NAN, Spread, Window, WindowMove
from market_reaction.intraday.moves import NS_PER_MINUTE, minute_of
from market_reaction.intraday.placebo import SameClock
from market_reaction.intraday.results import PATH_COLUMNS

NEWS_SPAN = 120  # minutes before and after that are searched for other news
BAND_DAYS = 20  # earlier days below which no quantiles are drawn
LONGEST_FOR_HALF = 15  # minutes of a bar up to which the half-time of an hour's move can be told
_HOUR = 60.0


def path_of(
    series: BarSeries, at: int, first: WindowMove | None, window: Window, clock: SameClock, stale: float
) -> pd.DataFrame:
    """Cumulated move from the price before the first window, with what is usual at each minute."""
    if first is None:
        return pd.DataFrame(columns=list(PATH_COLUMNS))
    low = min(window[0], first.used[0])
    high = max(window[1], first.used[1])
    ends = series.end_ns
    rows = np.flatnonzero((ends >= at + int(low * NS_PER_MINUTE)) & (ends <= at + int(high * NS_PER_MINUTE)))
    minutes = minute_of(ends[rows], at)
    base = np.full(len(rows), int(np.searchsorted(ends, first.before_utc.value)))
    change = numbers.changes(series.closes, base, rows, difference=series.instrument.is_difference)
    pool = clock.usable((low, high))[: clock.history]
    usual = numbers.window_paths(
        ends, series.closes, pool, first.used[0], minutes, stale=stale, difference=series.instrument.is_difference
    )
    days = np.isfinite(usual).sum(axis=0)
    edges = np.full((2, len(rows)), np.nan)
    enough = days >= BAND_DAYS
    if enough.any():
        edges[:, enough] = np.nanquantile(usual[:, enough], [0.05, 0.95], axis=0)
    volume = series.bars["volume"].to_numpy()[rows] if series.volume else np.full(len(rows), np.nan)
    return pd.DataFrame(
        {
            "minute": minutes,
            "end_utc": series.bars.index[rows],
            "close": series.closes[rows],
            "change": change,
            "volume": volume,
            "usual_volume": _usual_volumes(series, pool, minutes),
            "low": edges[0],
            "high": edges[1],
            "n_days": days,
        }
    )


def _usual_volumes(series: BarSeries, pool: np.ndarray, minutes: np.ndarray) -> np.ndarray:
    """Median volume of the bar that ends at each minute on earlier days; NaN without volume or days."""
    found = np.full(len(minutes), np.nan)
    if not series.volume or not len(pool):
        return found
    volume = series.bars["volume"].to_numpy()
    for column, minute in enumerate(minutes):
        bar = numbers.last_complete(series.end_ns, pool + int(minute * NS_PER_MINUTE))
        exact = bar.position[bar.stale == 0]
        found[column] = np.median(volume[exact]) if len(exact) else np.nan
    return found


def volume_in(series: BarSeries, at: int, window: Window, clock: SameClock) -> dict[str, Any]:
    """Volume of the bars that end within a window, its median over earlier days and the share with at least as much."""
    if not series.volume:
        return {}
    instants = np.append(at, clock.usable(window)[: clock.history])
    sums, bars = numbers.window_sums(series.end_ns, series.bars["volume"].to_numpy(), instants, window)
    pool = sums[1:][bars[1:] >= 0.5 * bars[0]] if bars[0] else np.empty(0)
    if not len(pool):
        return {"volume": float(sums[0]), "n_volume": 0}
    share = float(np.mean(pool >= sums[0]))
    return {
        "volume": float(sums[0]), "usual_volume": float(np.median(pool)), "volume_share": share, "n_volume": len(pool),
    }  # fmt: skip


def spread_of(series: BarSeries, at: int, bounds_ns: tuple[int, int], clock: SameClock, stale: float) -> Spread:
    """When half of the hour's move was done, and volatility per minute before and after."""
    length = series.minutes_at(at)
    if length > LONGEST_FOR_HALF:
        why = f"bars of {length} minutes cannot show how an hour went; {LONGEST_FOR_HALF} minutes is the bound"
        return Spread(NAN, NAN, NAN, NAN, NAN, 0, why)
    instant = np.array([at])
    low, high = ((bound - at) / NS_PER_MINUTE for bound in bounds_ns)
    moves = numbers.bar_moves(
        series.start_ns, series.end_ns, series.closes, stale=stale, difference=series.instrument.is_difference
    )
    minimum = min(5, int(_HOUR // length))

    def volatility(instants: np.ndarray, window: Window) -> np.ndarray:
        return numbers.volatility_per_minute(series.end_ns, moves, series.lengths, instants, window, minimum)

    before = float(volatility(instant, (low - _HOUR, low))[0])
    after = float(volatility(instant, (low, high + _HOUR))[0])
    usual = volatility(clock.usable((low, high + _HOUR))[: clock.history], (low, high + _HOUR))
    usual = usual[np.isfinite(usual)]
    base = numbers.last_complete(series.end_ns, instant + int(low * NS_PER_MINUTE))
    rows = np.flatnonzero((series.end_ns > bounds_ns[0]) & (series.end_ns <= at + int((high + _HOUR) * NS_PER_MINUTE)))
    median = float(np.median(usual)) if len(usual) else NAN
    if not base.stale[0] <= stale or not len(rows) or minute_of(series.end_ns[rows[-1]], at) < _HOUR - stale:
        why = f"no price within {stale:g} minutes before the announcement or at the end of the hour"
        return Spread(NAN, NAN, before, after, median, len(usual), why)
    path = numbers.changes(
        series.closes, np.repeat(base.position, len(rows)), rows, difference=series.instrument.is_difference
    )
    half = numbers.half_time(minute_of(series.end_ns[rows], at), path)
    return Spread(half, float(path[-1]), before, after, median, len(usual), "" if path[-1] else "the hour had no move")


def news_around(event: pd.Series, own: str | None) -> pd.DataFrame:
    """Other news of the shipped tables whose bounds touch two hours before to two hours after the announcement.

    Rows known to the day only are left out: they would stand beside every announcement of their day.
    """
    columns = ["id", "title", "announced_utc", "minute", "precision", "utc_earliest", "utc_latest"]
    if pd.isna(event["announced_utc"]) or event["precision"] == "day":
        return pd.DataFrame(columns=columns)
    span = pd.Timedelta(minutes=NEWS_SPAN)
    rows = event_tables.all_news()
    near = (rows["utc_latest"] > event["announced_utc"] - span) & (rows["utc_earliest"] < event["announced_utc"] + span)
    found = rows[near & rows["precision"].isin(["minute", "hour"]) & (rows.index != own)].sort_values("announced_utc")
    minute = (found["announced_utc"] - event["announced_utc"]).dt.total_seconds() / 60
    return found.assign(minute=minute, id=found.index)[columns].reset_index(drop=True)


def news_in(news: pd.DataFrame, window: Window) -> tuple[str, ...]:
    """Titles of the other news whose best time lies inside a window, with the minute."""
    inside = news[news["minute"].gt(window[0]) & news["minute"].le(window[1])]
    return tuple(f"{row.title} ({row.minute:+.0f} min)" for row in inside.itertuples())
