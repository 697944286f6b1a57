"""From rows of a source to bars with a begin and an end."""

from __future__ import annotations

import numpy as np
import pandas as pd

from market_reaction.errors import DataUnavailableError
from market_reaction.instruments import Instrument
from market_reaction.intraday.bars import BarLabel, BarSeries
from market_reaction.intraday.moves import NS_PER_MINUTE
from market_reaction.intraday.stamps import ambiguous_reason
from market_reaction.prices import PRICE_COLUMNS, Vintage

_NO_CLOSE = "no close"
_TWICE = "time given twice; the last row was kept"


def bar_lengths(stamps_ns: np.ndarray, bar_minutes: int | None = None) -> np.ndarray:
    """Minutes of each bar from the distances between the labels.

    Parameters
    ----------
    stamps_ns : numpy.ndarray
        Labels in order, nanoseconds, shape (T,).
    bar_minutes : int, optional
        Length of every bar where it is known.

    Returns
    -------
    numpy.ndarray
        Shape (T,): the most common distance of each UTC day, so that a file may change its bar length from day to day;
        days with a single bar take that of the day before.
    """
    if bar_minutes is not None:
        return np.full(len(stamps_ns), bar_minutes, dtype=np.int64)
    day = stamps_ns // (1440 * NS_PER_MINUTE)
    gap = np.rint(np.diff(stamps_ns) / NS_PER_MINUTE).astype(np.int64)
    inside = (np.diff(day) == 0) & (gap > 0)
    counts = pd.DataFrame({"day": day[1:][inside], "gap": gap[inside]}).value_counts().reset_index(name="count")
    usual = counts.sort_values(["day", "count", "gap"], ascending=[True, True, False]).drop_duplicates(
        "day", keep="last"
    )
    by_day = pd.Series(usual["gap"].to_numpy(), index=usual["day"]).reindex(np.unique(day)).ffill().bfill()
    return by_day.loc[day].fillna(0).to_numpy().astype(np.int64)


def build_bars(
    instrument: Instrument,
    stamps: pd.DatetimeIndex,
    prices: pd.DataFrame,
    *,
    source: str,
    clock: str,
    vintage: Vintage,
    bar_label: BarLabel = "start",
    bar_minutes: int | None = None,
    volume: str = "",
    notes: tuple[str, ...] = (),
) -> BarSeries:
    """Make a series of a source's rows: sort out what is a bar and give each its begin and end.

    Parameters
    ----------
    instrument : Instrument
        What is priced.
    stamps : pandas.DatetimeIndex
        UTC instant of each row's label; NaT rows are left out with the reason.
    prices : pandas.DataFrame
        Rows in the same order with a close.
    source, clock, vintage, volume, notes
        As in ``BarSeries``.
    bar_label : {"start", "end"}
        Whether the label is the begin or the end of the bar.
    bar_minutes : int, optional
        Length of the bars; from the labels when left out.

    Raises
    ------
    DataUnavailableError
        No usable row, or a single one of unknown length.
    ValueError
        ``bar_label`` is another word.
    """
    if bar_label not in ("start", "end"):
        raise ValueError(f"bar_label={bar_label!r} is not known; choose 'start' or 'end'.")
    rows = prices[[column for column in PRICE_COLUMNS if column in prices.columns]].astype(float)
    rows, excluded = _sorted_out(rows.set_axis(pd.DatetimeIndex(stamps, name="time")))
    labels = pd.DatetimeIndex(rows.index).as_unit("ns")
    lengths = bar_lengths(labels.asi8, bar_minutes)
    if len(rows) == 0 or (lengths <= 0).any():
        raise DataUnavailableError(
            f"{vintage.symbol} has {len(rows)} usable bars for {instrument.name!r}, from which the length of a bar "
            "cannot be told. Give a file with more bars, or state bar_minutes.",
            symbol=vintage.symbol,
            cause="no rows",
        )
    gaps = np.diff(labels.asi8) // NS_PER_MINUTE
    if bar_label == "start":
        lengths[:-1] = np.minimum(lengths[:-1], gaps)
        starts, ends = labels, labels + pd.to_timedelta(lengths, unit="min")
    else:
        lengths[1:] = np.minimum(lengths[1:], gaps)
        starts, ends = labels - pd.to_timedelta(lengths, unit="min"), labels
    rows.insert(0, "start_utc", starts)
    rows.index = pd.DatetimeIndex(ends).as_unit("ns").rename("end_utc")
    return BarSeries(instrument, source, rows, clock, volume, vintage, excluded, notes)


def _sorted_out(rows: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Usable rows in order of time, and the others with the reason."""
    rows = rows.sort_index(kind="stable", na_position="last")
    reasons = np.select(
        [
            np.asarray(rows.index.isna()),
            ~np.isfinite(rows["close"].to_numpy()),
            rows.index.duplicated(keep="last"),
        ],
        [ambiguous_reason(), _NO_CLOSE, _TWICE],
        default="",
    )
    left_out = reasons != ""
    return rows[~left_out], pd.DataFrame({"time": rows.index[left_out], "reason": reasons[left_out]})
