"""Rules on futures: settlements on expiry days, closes off the tick grid, sessions on which the front month rolls."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from market_reaction import calendars
from market_reaction.prices import PriceSeries
from market_reaction.quality_rules import Found, found, size

TICKS = {"E-mini S&P 500": 0.25, "E-mini Nasdaq 100": 0.25, "E-mini Dow": 1.0, "E-mini Russell 2000": 0.1}


def expiry_sessions(first: pd.Timestamp, last: pd.Timestamp) -> pd.DatetimeIndex:
    """Quarterly expiry of US index futures: third Friday of March, June, September, December, or the session before."""
    months = pd.date_range(first.replace(day=1), last, freq="MS")
    middle = months[months.month % 3 == 0] + pd.Timedelta(days=14)
    fridays = middle + pd.to_timedelta((4 - middle.day_of_week) % 7, unit="D")
    sessions = calendars.hours("XNYS").sessions
    found_at = sessions[sessions.searchsorted(fridays, side="right") - 1]
    return found_at[(found_at >= first) & (found_at <= last)]


def closes_off_grid(series: PriceSeries) -> list[Found]:
    """Closes of index futures that are no multiple of the tick: on expiry days the final settlement."""
    tick = TICKS.get(series.instrument.name)
    if tick is None:
        return []
    sessions, ratio = series.sessions, series.closes / tick
    off = np.abs(ratio - np.round(ratio)) > 1e-3
    if off.mean() > 0.2:
        advice = "No exchange prices: a CFD or a back-adjusted series. Returns are usable, levels are not."
        return found(
            "close off the tick grid",
            sessions[[0]],
            [f"{off.mean():.0%} of the closes"],
            f"multiples of {tick:g}",
            advice,
        )
    expiry = np.asarray(sessions.isin(expiry_sessions(sessions[0], sessions[-1])))
    cases = (
        ("expiry settlement", off & expiry, False, "The close is the final settlement of the expiring contract (the "
         "opening quotation), not the day's close. Leave the session out, or use the cash index."),
        ("close off the tick grid", off & ~expiry, False, "It cannot be a traded close. Compare with another source."),
        ("expiry settlement cannot be told", ~off & expiry, True, "The close lies on the tick grid, so it may be the "
         "day's close or the final settlement. Load the cash index to compare."),
    )  # fmt: skip
    findings = []
    for rule, bad, sums_up, advice in cases:
        values = [f"close {value:g}" for value in series.closes[bad]]
        findings += found(rule, sessions[bad], values, f"multiples of {tick:g}", advice, sums_up=sums_up)
    return findings


def _month_ends(first: pd.Timestamp, last: pd.Timestamp, back: int) -> pd.DatetimeIndex:
    """Session that many places from the end of each month (1 = the last)."""
    sessions = calendars.hours("XNYS").sessions
    ends = pd.date_range(first, last + pd.Timedelta(days=31), freq="ME")
    return sessions[sessions.searchsorted(ends, side="right") - back]


def _oil_expiries(first: pd.Timestamp, last: pd.Timestamp) -> pd.DatetimeIndex:
    """Third business day before the 25th, or before the business day that precedes it."""
    sessions = calendars.hours("XNYS").sessions
    due = pd.date_range(first.replace(day=1), last, freq="MS") + pd.Timedelta(days=24)
    at = sessions.searchsorted(due)
    return sessions[at - np.where(sessions[at] == due, 3, 4)]


def _bean_expiries(first: pd.Timestamp, last: pd.Timestamp) -> pd.DatetimeIndex:
    """Business day before the 15th of the contract months."""
    sessions = calendars.hours("XNYS").sessions
    months = pd.date_range(first.replace(day=1), last, freq="MS")
    due = months[months.month.isin([1, 3, 5, 7, 8, 9, 11])] + pd.Timedelta(days=14)
    return sessions[sessions.searchsorted(due) - 1]


LAST_TRADES: dict[str, Callable[[pd.Timestamp, pd.Timestamp], pd.DatetimeIndex]] = {
    **dict.fromkeys(TICKS, expiry_sessions),
    "WTI": _oil_expiries,
    "Brent": lambda first, last: _month_ends(first, last, 1),
    "Gold": lambda first, last: _month_ends(first, last, 3),
    "Copper": lambda first, last: _month_ends(first, last, 3),
    "Soybeans": _bean_expiries,
}


def roll_sessions(series: PriceSeries) -> pd.DatetimeIndex:
    """Sessions whose return spans two contracts: the first after the front month's last trading day."""
    rule = LAST_TRADES.get(series.instrument.name)
    if rule is None or series.instrument.asset_class != "future":
        return series.sessions[:0]
    sessions = series.sessions
    at = sessions.searchsorted(rule(sessions[0], sessions[-1]), side="right")
    return sessions[np.unique(at[(at > 0) & (at < len(sessions))])]


def rolls(series: PriceSeries) -> list[Found]:
    """Sessions on which the front month rolls, as information."""
    sessions = roll_sessions(series)
    moves = series.returns()[series.sessions.get_indexer(sessions)]
    values = [f"{size(move, series.instrument.change_unit)} into the next contract" for move in moves]
    advice = "Information: part of the return is the distance between two contracts. Compare with the cash market."
    return found("front month rolls", sessions, values, "last trading day of the contract", advice, sums_up=True)
