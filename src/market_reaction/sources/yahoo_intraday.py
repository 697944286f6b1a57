"""Bars shorter than a day from Yahoo: how far back it has them, and the rows of its answers."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from market_reaction.instruments import Instrument
from market_reaction.sources.yahoo_requests import unavailable
from market_reaction.sources.yahoo_rows import price_columns


class Offered(NamedTuple):
    """What Yahoo has of an interval.

    Attributes
    ----------
    minutes : int
        Length of a bar.
    days_back : int
        How far back from the present there are bars.
    days_at_once : int
        Days it gives in one request.
    """

    minutes: int
    days_back: int
    days_at_once: int


INTRADAY = {
    "1m": Offered(1, 30, 8),
    "2m": Offered(2, 60, 60),
    "5m": Offered(5, 60, 60),
    "15m": Offered(15, 60, 60),
    "30m": Offered(30, 60, 60),
    "90m": Offered(90, 60, 60),
    "60m": Offered(60, 730, 730),
    "1h": Offered(60, 730, 730),
}


def check_intraday_span(
    instrument: Instrument, start: pd.Timestamp, end: pd.Timestamp, interval: str, now: pd.Timestamp
) -> None:
    """Refuse a span of bars shorter than a day that Yahoo does not have, before it is asked.

    Parameters
    ----------
    instrument : Instrument
        What is priced.
    start, end : pandas.Timestamp
        UTC instants.
    interval : str
        One of ``INTRADAY``.
    now : pandas.Timestamp
        The present instant (UTC).

    Raises
    ------
    DataUnavailableError
        Yahoo has no such interval, does not reach back to ``start``, or does not give as many days at once.
    """
    if interval not in INTRADAY:
        raise unavailable(
            instrument, start, end, "not offered", f"Yahoo has no interval {interval!r}; it has {', '.join(INTRADAY)}."
        )
    offered = INTRADAY[interval]
    earliest = now - pd.Timedelta(days=offered.days_back)
    if start < earliest:
        raise unavailable(
            instrument, start, end, "not offered",
            f"Yahoo has {interval} bars for {offered.days_back} days back; "
            f"the earliest possible start is {earliest:%Y-%m-%d %H:%M} UTC.",
        )  # fmt: skip
    at_once = pd.Timedelta(days=offered.days_at_once)
    if end - start > at_once:
        raise unavailable(
            instrument, start, end, "not offered",
            f"Yahoo gives {offered.days_at_once} days of {interval} bars per request; for this end the earliest "
            f"possible start is {max(earliest, end - at_once):%Y-%m-%d %H:%M} UTC.",
        )  # fmt: skip


def intraday_rows(
    frame: pd.DataFrame, start: pd.Timestamp, end: pd.Timestamp, *, minutes: int, now: pd.Timestamp
) -> pd.DataFrame:
    """Rows of an answer with bars shorter than a day: those of a span that have ended and have a close.

    Parameters
    ----------
    frame : pandas.DataFrame
        As yfinance gives it: rows by the time, with a zone, at which the bar begins.
    start, end : pandas.Timestamp
        UTC instants: bars that begin from ``start`` on and before ``end``.
    minutes : int
        Length of a bar.
    now : pandas.Timestamp
        The present instant (UTC).

    Returns
    -------
    pandas.DataFrame
        Rows by ``start_utc``, perhaps none; columns as ``price_columns`` gives them.

    Raises
    ------
    UnusableRowsError
        There is no close.
    """
    rows = price_columns(frame)
    begins = pd.DatetimeIndex(frame.index).tz_convert("UTC").as_unit("ns")
    rows.index = begins.rename("start_utc")
    ended = np.asarray(begins + pd.Timedelta(minutes=minutes) <= now)
    return rows[ended & np.asarray((begins >= start) & (begins < end)) & rows["close"].notna().to_numpy()]
