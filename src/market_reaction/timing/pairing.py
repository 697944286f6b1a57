"""Two markets side by side: returns over their common dates, and how far the clocks of the two overlap."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from market_reaction.prices import PriceSeries, moves_between
from market_reaction.sessions import SessionClock
from market_reaction.timing.opens import Opens, opens_of, parts_of

_ORDINARY = 36 * 3600 * 10**9  # nanoseconds: longer spans hold a weekend or a holiday


@dataclass(frozen=True, slots=True)
class CommonMoves:
    """Moves of two markets over the spans between dates on which both have a close.

    Attributes
    ----------
    sessions : pandas.DatetimeIndex
        Later date of each span, shape (n,).
    leader, follower : numpy.ndarray
        Moves, shape (n,); log returns or differences. A span over a holiday of one market holds several of the other's
        sessions.
    leader_close_ns, follower_close_ns : numpy.ndarray
        Closes on the common dates, shape (n + 1,).
    dropped : int
        Dates between the first and the last that only one of them has.
    """

    sessions: pd.DatetimeIndex
    leader: np.ndarray
    follower: np.ndarray
    leader_close_ns: np.ndarray
    follower_close_ns: np.ndarray
    dropped: int


def common_moves(
    leader: PriceSeries, follower: PriceSeries, start: pd.Timestamp | None, end: pd.Timestamp | None
) -> CommonMoves:
    """Moves of two markets between consecutive dates on which both have a close.

    Parameters
    ----------
    leader, follower : PriceSeries
        The markets.
    start, end : pandas.Timestamp, optional
        First and last date, inclusive.
    """
    dates = _priced(leader).intersection(_priced(follower))
    if start is not None:
        dates = dates[dates >= start]
    if end is not None:
        dates = dates[dates <= end]
    rows = [series.sessions.get_indexer(dates) for series in (leader, follower)]
    moves = [
        moves_between(series.closes[at], _kind(series)) for series, at in zip((leader, follower), rows, strict=True)
    ]
    either = leader.sessions.union(follower.sessions)
    inside = int(((either >= dates[0]) & (either <= dates[-1])).sum()) if len(dates) else 0
    return CommonMoves(
        sessions=dates[1:],
        leader=moves[0][1:],
        follower=moves[1][1:],
        leader_close_ns=leader.close_ns[rows[0]],
        follower_close_ns=follower.close_ns[rows[1]],
        dropped=inside - len(dates),
    )


def _priced(series: PriceSeries) -> pd.DatetimeIndex:
    """Sessions with a close a return can be taken from."""
    return series.sessions if series.instrument.is_difference else series.sessions[series.closes > 0]


def _kind(series: PriceSeries) -> str:
    return "difference" if series.instrument.is_difference else "log"


def overlaps(pairs: CommonMoves, leader: PriceSeries, lags: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How much of the follower's span, and of the leader's trading hours, falls into the other market's span.

    Parameters
    ----------
    pairs : CommonMoves
        Spans of both markets.
    leader : PriceSeries
        For its trading hours.
    lags : numpy.ndarray
        Sessions by which the leader's span is older, shape (k,).

    Returns
    -------
    tuple of numpy.ndarray
        For each lag the share of the follower's hours, close to close, that lie in the leader's span of that lag; and
        the share of the leader's trading hours of that lag that lie in the follower's span (NaN where it has none).
        Means over spans without a weekend or a holiday, or over all where there are none such.
    """
    opened, closed = _trading(leader, pairs)
    clock, trading = np.full(len(lags), np.nan), np.full(len(lags), np.nan)
    for place, lag in enumerate(lags.tolist()):
        rows = np.arange(max(lag, 0), len(pairs.sessions) + min(lag, 0))
        other = rows - lag
        span = pairs.follower_close_ns[rows], pairs.follower_close_ns[rows + 1]
        theirs = pairs.leader_close_ns[other], pairs.leader_close_ns[other + 1]
        kept = (span[1] - span[0] <= _ORDINARY) & (theirs[1] - theirs[0] <= _ORDINARY)
        kept = kept if kept.any() else np.ones(len(rows), dtype=bool)
        clock[place] = float((_shared(span, theirs) / (span[1] - span[0]))[kept].mean())
        hours = opened[other], closed[other]
        known = kept & (hours[1] > hours[0])
        if known.any():
            trading[place] = float((_shared(span, hours)[known] / (hours[1] - hours[0])[known]).mean())
    return clock, trading


def _shared(one: tuple[np.ndarray, np.ndarray], other: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    return np.maximum(np.minimum(one[1], other[1]) - np.maximum(one[0], other[0]), 0).astype(float)


def _trading(series: PriceSeries, pairs: CommonMoves) -> tuple[np.ndarray, np.ndarray]:
    """Start and end of trading in each of the leader's spans; equal where that is not known."""
    hours = SessionClock.of(series).hours
    nothing = np.zeros(len(pairs.sessions), dtype="int64")
    if hours is None:
        return nothing, nothing
    at = hours.sessions.get_indexer(pairs.sessions)
    opened = np.where(at >= 0, hours.opens.asi8[at], 0)
    # a settlement before the end of trading ends what the span can hold of the day
    closed = np.where(at >= 0, np.minimum(hours.closes.asi8[at], pairs.leader_close_ns[1:]), 0)
    return opened, closed


@dataclass(frozen=True, slots=True)
class KnownBefore:
    """Parts of the follower's returns beside the leader's last move known at the open.

    Attributes
    ----------
    sessions : pandas.DatetimeIndex
        Sessions of the follower, shape (n,).
    leader, gap, session : numpy.ndarray
        The leader's last move that closed before the open and after the follower's close before; the follower's gap and
        session move, shape (n,).
    stale : bool
        Whether the follower's open seems to hold prices of before.
    note : str
        What that open is, where it needs saying.
    reason : str
        Why there are none; empty where there are.
    """

    sessions: pd.DatetimeIndex
    leader: np.ndarray
    gap: np.ndarray
    session: np.ndarray
    stale: bool
    note: str
    reason: str


def known_before_open(leader: PriceSeries, follower: PriceSeries, pairs: CommonMoves) -> KnownBefore:
    """Pair each open of the follower with the leader's last session that closed between its close before and that open.

    Parameters
    ----------
    leader, follower : PriceSeries
        The markets.
    pairs : CommonMoves
        For the span of dates.
    """
    opens = opens_of(follower)
    if opens.reason:
        return _none(f"{follower.name}: {opens.reason}")
    at = _last_known(leader, follower, opens)
    moves = leader.returns("log")
    inside = (follower.sessions >= pairs.sessions[0]) & (follower.sessions <= pairs.sessions[-1])
    gap, session = parts_of(follower, opens)
    known = np.where(at >= 0, moves[np.maximum(at, 0)], np.nan)
    kept = inside & np.isfinite(known) & np.isfinite(gap) & np.isfinite(session)
    if not kept.any():
        return _none(f"no session of {leader.name} closes between a close of {follower.name} and its next open")
    return KnownBefore(follower.sessions[kept], known[kept], gap[kept], session[kept], opens.stale, opens.note, "")


def _last_known(leader: PriceSeries, follower: PriceSeries, opens: Opens) -> np.ndarray:
    """Row of the leader's last close before each open and after the follower's close before; -1 where there is none."""
    at = np.searchsorted(leader.close_ns, opens.earliest_ns, side="right") - 1
    before = np.append(np.iinfo("int64").max, follower.close_ns[:-1])
    fresh = (at >= 0) & (leader.close_ns[np.maximum(at, 0)] > before)
    return np.where(fresh, at, -1)


def _none(reason: str) -> KnownBefore:
    empty = np.empty(0)
    return KnownBefore(pd.DatetimeIndex([]), empty, empty, empty, False, "", reason)
