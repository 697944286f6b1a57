"""Stretches of time in which a market trades."""

from __future__ import annotations

import pandas as pd

from market_reaction.prices import PriceSeries
from market_reaction.sessions import SessionClock

Segment = tuple[pd.Timestamp, pd.Timestamp]


def trading_hours(series: PriceSeries, start: pd.Timestamp, end: pd.Timestamp) -> list[Segment]:
    """Stretches between two instants in which a market trades; none for fixings, yields and spot assessments."""
    clock = SessionClock.of(series)
    if clock.round_the_clock:
        return fx_weeks(start, end)
    hours = clock.hours
    if hours is None:
        return []
    observed = hours.sessions.isin(clock.sessions) | (hours.sessions > clock.sessions[-1])
    inside = observed & (hours.closes > start) & (hours.opens < end)
    found: list[Segment] = []
    for at in inside.nonzero()[0].tolist():
        opens, closes = hours.opens[at], hours.closes[at]
        pause, resume = hours.break_starts[at], hours.break_ends[at]
        found += [(opens, closes)] if pd.isna(pause) else [(opens, pause), (resume, closes)]
    return [(max(low, start), min(high, end)) for low, high in found if low < end and high > start]


def fx_weeks(start: pd.Timestamp, end: pd.Timestamp) -> list[Segment]:
    """Spot FX trades from Sunday 17:00 to Friday 17:00 New York time."""
    day = start.tz_convert("America/New_York").tz_localize(None).normalize() - pd.Timedelta(days=7)
    weeks = []
    for sunday in pd.date_range(day, end.tz_convert(None).normalize(), freq="W-SUN"):
        opens, closes = (
            (sunday + pd.Timedelta(days=days, hours=17)).tz_localize("America/New_York").tz_convert("UTC")
            for days in (0, 5)
        )
        if opens < end and closes > start:
            weeks.append((max(opens, start), min(closes, end)))
    return weeks


def share_passed(series: PriceSeries, start: pd.Timestamp, end: pd.Timestamp, instant: pd.Timestamp) -> float:
    """Share of the trading time between two instants that had passed at a third; NaN where there was none."""
    spans = trading_hours(series, start, end)
    whole = sum(((high - low).total_seconds() for low, high in spans), 0.0)
    passed = sum(((min(high, instant) - low).total_seconds() for low, high in spans if low < instant), 0.0)
    return passed / whole if whole else float("nan")
