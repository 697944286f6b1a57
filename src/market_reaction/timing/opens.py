"""When the open of a daily bar was struck, where that is known; where it is not, the reason.

The open of a cash market is the start of its trading hours, or the auction before it. That of a CME future is the
evening before, at 18:00 New York. A round-the-clock market opens where its last bar closed, and has no gap.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from market_reaction import calendars
from market_reaction.prices import PriceSeries, differences

# Minutes from the start of trading within which the opening price is struck: call auctions before it, staggered opens.
_STRUCK = {"XSHG": (-5, 0), "XHKG": (-10, 0), "XASX": (0, 10)}
_TOLERANCE = 1e-6  # by how much an open may lie outside high and low through rounding
_ENOUGH = 250  # sessions for a correlation of gaps with session moves
_STALE = 0.1  # correlation of gaps with the session moves after them that tells an open made of old prices


@dataclass(frozen=True, slots=True)
class Opens:
    """Opens of one series with their clocks.

    Attributes
    ----------
    levels : numpy.ndarray
        Opening levels by session, shape (T,); NaN where there is none that can be used.
    earliest_ns, latest_ns : numpy.ndarray
        Bounds of the instant each open was struck, nanoseconds since 1970 UTC, shape (T,).
    reason : str
        Why the series has no open that can be used; empty where it has.
    note : str
        What the open is, where that needs saying.
    stale : bool
        Whether gaps and the session moves after them have a correlation of 0.1 or more over at least 250 sessions, as
        where the open of an index holds prices of before.
    excluded : pandas.DataFrame
        Columns session, reason: single opens that are left out.
    """

    levels: np.ndarray
    earliest_ns: np.ndarray
    latest_ns: np.ndarray
    reason: str
    note: str
    stale: bool
    excluded: pd.DataFrame

    @property
    def usable(self) -> np.ndarray:
        """Sessions with an open, shape (T,) of bool."""
        return np.isfinite(self.levels)


def opens_of(series: PriceSeries) -> Opens:
    """Opens of a series, or why it has none that may be used.

    Parameters
    ----------
    series : PriceSeries
        Daily bars of one market.

    Returns
    -------
    Opens
        An open counts where it is positive, lies between low and high, and its clock lies between the close before and
        the close of its own session.
    """
    reason = why_no_open(series)
    if reason:
        nothing = np.full(len(series.sessions), np.nan)
        zeros = np.zeros(len(nothing), dtype="int64")
        return Opens(nothing, zeros, zeros, reason, "", False, _frame([]))
    code = series.instrument.calendar
    hours = calendars.hours(code)
    at = hours.sessions.get_indexer(series.sessions)
    start = np.where(at >= 0, hours.opens.asi8[at], 0)
    low, high = (minutes * 60 * 10**9 for minutes in _STRUCK.get(code, (0, 0)))
    earliest, latest = start + low, start + high
    levels = series.bars["open"].to_numpy(dtype=float)
    bad = _refused(series, levels, at, earliest, latest)
    excluded = _frame(
        [(day, text) for text, rows in bad.items() for day in series.sessions[rows & np.isfinite(levels)]]
    )
    kept = np.where(np.logical_or.reduce(list(bad.values())), np.nan, levels)
    if not np.isfinite(kept).any():
        why = excluded["reason"].iloc[0] if len(excluded) else "its rows hold no open"
        return Opens(kept, earliest, latest, f"none of its opens can be used: {why}", "", False, excluded)
    note = _note(series, kept)
    return Opens(kept, earliest, latest, "", note, "old prices" in note, excluded)


def why_no_open(series: PriceSeries) -> str:
    """Why the opens of a series cannot be used at all; empty where they can."""
    kind, instrument = series.instrument.asset_class, series.instrument
    if series.price_basis in ("fixing", "yield") or kind == "yield":
        return f"a {'yield' if kind == 'yield' else 'fixing'} is struck once a day and has no open"
    if kind == "fx":
        return "it trades round the clock: a bar opens where the last one closed"
    if kind == "volatility":
        return "the clock of its open is not known (the index is quoted at night too)"
    if "open" not in series.bars.columns or not np.isfinite(series.bars["open"].to_numpy(dtype=float)).any():
        return f"its {series.source} series holds no open"
    if not instrument.calendar:
        return "its trading hours are not known, so neither is the clock of its open"
    return ""


def _refused(
    series: PriceSeries, levels: np.ndarray, at: np.ndarray, earliest: np.ndarray, latest: np.ndarray
) -> dict[str, np.ndarray]:
    """Rows whose open does not count, by reason."""
    bars, before = series.bars, np.append(np.iinfo("int64").min, series.close_ns[:-1])
    outside = np.zeros(len(levels), dtype=bool)
    for column, sign in (("low", 1), ("high", -1)):
        if column in bars.columns:
            bound = bars[column].to_numpy(dtype=float)
            outside |= sign * (bound - levels) > _TOLERANCE * np.abs(bound)
    return {
        "no session of its calendar": at < 0,
        "open not above zero": ~(levels > 0),
        "open outside low and high": outside,
        "its open would lie outside the time between two closes": (latest <= before)
        | (earliest >= series.close_earliest_ns),
    }


def parts_of(series: PriceSeries, opens: Opens) -> tuple[np.ndarray, np.ndarray]:
    """Move from the close before to the open, and from the open to the close, by session.

    Parameters
    ----------
    series : PriceSeries
        The market.
    opens : Opens
        As ``opens_of`` gives them.

    Returns
    -------
    tuple of numpy.ndarray
        Two arrays of shape (T,): log returns, so that the two add up to the log return from close to close; differences
        for a market whose moves are differences. NaN where there is no open.
    """
    before = np.append(np.nan, series.closes[:-1])
    if series.instrument.is_difference:
        return differences(before, opens.levels), differences(opens.levels, series.closes)
    before, close = (np.where(level > 0, level, np.nan) for level in (before, series.closes))
    return np.log(opens.levels / before), np.log(close / opens.levels)


def _note(series: PriceSeries, levels: np.ndarray) -> str:
    """What an open of this kind is, and whether it looks as if made of old prices."""
    if series.instrument.asset_class == "future":
        return (
            "its open is struck at 18:00 New York the evening before; the gap runs to it from the settlement before, "
            "and holds what was traded after that settlement"
        )
    if series.instrument.asset_class != "index":
        return ""
    before = np.append(np.nan, series.closes[:-1])
    gap, session = np.log(levels / before), np.log(series.closes / levels)
    known = np.isfinite(gap) & np.isfinite(session)
    if known.sum() < _ENOUGH:
        return ""
    together = float(np.corrcoef(gap[known], session[known])[0, 1])
    if together < _STALE:
        return ""
    return (
        f"its gaps and the session moves after them go together (correlation {together:+.2f} over {known.sum():,} "
        "sessions): the open of this index seems to hold old prices, of shares that had not traded yet, so the gap is "
        "too small and the session move too large"
    )


def _frame(rows: list[tuple[pd.Timestamp, str]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["session", "reason"])
