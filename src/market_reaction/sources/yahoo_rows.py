"""Rows of Yahoo's answers: which close they hold, from when on it is final, and the series made of them.

Yahoo's FX bars run from midnight to midnight in London; its futures bars end at 17:00 New York with the settlement as
their close. A row changes until its close is final, so rows are kept only from then on.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from market_reaction import calendars
from market_reaction.clocks import BarClose, close_instants
from market_reaction.instruments import Instrument
from market_reaction.prices import PRICE_COLUMNS, PriceBasis, PriceSeries, Vintage, build_series
from market_reaction.snapshots import Snapshot

# Yahoo's quotes are up to 30 minutes late, and until then a daily row shows a price from before the close.
_QUOTE_DELAY = pd.Timedelta(minutes=30)
# A futures row changes until the trading day ends, also where its settlement was earlier.
_FUTURES_DAY = (BarClose(17 * 60, 17 * 60, "America/New_York"),)


class UnusableRowsError(Exception):
    """Rows of an answer break a rule."""


def price_basis(instrument: Instrument) -> PriceBasis:
    """What the close of Yahoo's daily row is for this instrument.

    Parameters
    ----------
    instrument : Instrument
        What is priced.

    Returns
    -------
    {"close", "adjusted close", "settlement", "yield"}
    """
    match instrument.asset_class:
        case "future":
            return "settlement"
        case "equity" | "etf":
            return "adjusted close"
        case "yield":
            return "yield"
        case _:
            return "close"


def final_instants(instrument: Instrument, sessions: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """UTC instant from which Yahoo's row of each session shows the close for good.

    Parameters
    ----------
    instrument : Instrument
        What is priced.
    sessions : pandas.DatetimeIndex
        Session labels, tz-naive midnights.

    Returns
    -------
    pandas.DatetimeIndex
        The close (futures: the end of the trading day, 17:00 New York) and the 30 minutes by which quotes are late.
    """
    closes = close_instants(sessions, instrument.bar_closes("yahoo"))[1]
    if instrument.asset_class == "future":
        closes = pd.DatetimeIndex(np.maximum(closes, close_instants(sessions, _FUTURES_DAY)[1]))
    return closes + _QUOTE_DELAY


def expected_finals(instrument: Instrument, labels: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """UTC instant from which a row of each day can be had, for days of which it is not known that there is one.

    Parameters
    ----------
    instrument : Instrument
        What is priced; its calendar tells closed days.
    labels : pandas.DatetimeIndex
        Days, tz-naive midnights.

    Returns
    -------
    pandas.DatetimeIndex
        As ``final_instants`` gives it; NaT on days the market is known to be closed.
    """
    finals = final_instants(instrument, labels)
    if not instrument.calendar:
        return finals
    is_session = calendars.hours(instrument.calendar).is_session(labels)
    return pd.DatetimeIndex(finals.where(is_session))


def price_columns(frame: pd.DataFrame) -> pd.DataFrame:
    """Prices and volume of an answer under our names.

    Parameters
    ----------
    frame : pandas.DataFrame
        As yfinance gives it.

    Returns
    -------
    pandas.DataFrame
        Those of ``PRICE_COLUMNS`` that there are, as floats.

    Raises
    ------
    UnusableRowsError
        There is no close.
    """
    rows = frame.rename(columns=str.lower)
    if "close" not in rows.columns:
        raise UnusableRowsError(f"The answer has the columns {', '.join(rows.columns)} and no close.")
    return rows[[column for column in PRICE_COLUMNS if column in rows.columns]].astype("float64")


def daily_rows(instrument: Instrument, frame: pd.DataFrame) -> pd.DataFrame:
    """Rows of a daily answer by session, with closes that can be.

    Parameters
    ----------
    instrument : Instrument
        What is priced.
    frame : pandas.DataFrame
        As yfinance gives it: rows by a time with the zone of the exchange.

    Returns
    -------
    pandas.DataFrame
        Rows in order by the local date of the exchange, tz-naive; columns as ``price_columns`` gives them. Prices of a
        row of zeros are NaN.

    Raises
    ------
    UnusableRowsError
        There is no close, no time zone, a date twice, or a close that cannot be.
    """
    rows = price_columns(frame)
    index = pd.DatetimeIndex(frame.index)
    if index.tz is None:
        raise UnusableRowsError("The rows have no time zone, so their dates cannot be told.")
    labels = index.tz_localize(None).normalize().as_unit("ns")
    rows.index = pd.DatetimeIndex(labels.to_numpy(), name="session")
    if not rows.index.is_unique:
        twice = rows.index[rows.index.duplicated()][0]
        raise UnusableRowsError(f"The answer has two rows for {twice:%Y-%m-%d}.")
    prices = [column for column in rows.columns if column != "volume"]
    empty = (rows[prices].isna() | (rows[prices] == 0)).all(axis=1)
    rows.loc[empty, prices] = np.nan
    rows = rows.sort_index()
    _check_closes(instrument, rows["close"].dropna())
    return rows


def split_final(
    instrument: Instrument, rows: pd.DataFrame, retrieved: pd.Timestamp
) -> tuple[pd.DataFrame, pd.DatetimeIndex]:
    """Part rows whose close was final when they were retrieved from the others.

    Parameters
    ----------
    instrument : Instrument
        What is priced.
    rows : pandas.DataFrame
        As ``daily_rows`` gives them.
    retrieved : pandas.Timestamp
        When Yahoo was asked (UTC).

    Returns
    -------
    tuple of DataFrame and DatetimeIndex
        The rows that are final, and the sessions of those that are not.
    """
    sessions = pd.DatetimeIndex(rows.index)
    final = np.asarray(final_instants(instrument, sessions) <= retrieved)
    return rows[final], sessions[~final]


def series_of_rows(instrument: Instrument, rows: pd.DataFrame, retrieved: pd.Timestamp) -> PriceSeries:
    """Series of daily rows whose vintage has no checksum yet; ``with_vintage`` adds it.

    Parameters
    ----------
    instrument : Instrument
        What is priced.
    rows : pandas.DataFrame
        As ``split_final`` gives them.
    retrieved : pandas.Timestamp
        When Yahoo was asked (UTC).

    Returns
    -------
    PriceSeries

    Raises
    ------
    DataUnavailableError
        No row is a session with a close.
    """
    return build_series(
        instrument,
        rows,
        source="yahoo",
        price_basis=price_basis(instrument),
        vintage=Vintage("yahoo", instrument.yahoo, retrieved, rows.index[0], rows.index[-1], len(rows), ""),
        now=retrieved,
    )


def with_vintage(series: PriceSeries, snapshot: Snapshot) -> PriceSeries:
    """Series with the vintage of the snapshot its rows are kept in.

    Parameters
    ----------
    series : PriceSeries
        Made by ``series_of_rows``.
    snapshot : Snapshot
        Where its rows are kept.

    Returns
    -------
    PriceSeries
    """
    vintage = Vintage(
        source=snapshot.source,
        symbol=snapshot.symbol,
        retrieved_utc=snapshot.retrieved_utc,
        first=series.sessions[0],
        last=series.sessions[-1],
        rows=len(series.sessions),
        sha256=snapshot.sha256,
        detail=snapshot.detail,
    )
    return replace(series, vintage=vintage)


def with_not_final(series: PriceSeries, sessions: pd.DatetimeIndex) -> PriceSeries:
    """Series that names sessions left out because their close was not final.

    Parameters
    ----------
    series : PriceSeries
        Of the rows that were final.
    sessions : pandas.DatetimeIndex
        The others, as ``split_final`` gives them.

    Returns
    -------
    PriceSeries
        With a row in ``excluded`` for each session; the same object when there is none.
    """
    if sessions.empty:
        return series
    not_final = pd.DataFrame({"session": sessions, "reason": "its close was not final when it was retrieved"})
    return replace(series, excluded=pd.concat([series.excluded, not_final], ignore_index=True))


def _check_closes(instrument: Instrument, close: pd.Series) -> None:
    """Refuse closes that cannot be; futures have settled below zero, and yields can lie there."""
    signed = instrument.asset_class in ("future", "yield")
    wrong = close[np.isinf(close) | (close <= 0) & (not signed)]
    if len(wrong):
        raise UnusableRowsError(
            f"The close of {wrong.index[0]:%Y-%m-%d} is {wrong.iloc[0]:g}, and a price lies above 0."
        )
