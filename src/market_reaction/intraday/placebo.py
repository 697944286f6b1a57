"""The same minutes on earlier days: what is usual at that clock time, and where the announcement stands among it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from market_reaction.inference.placebo import MINIMUM_POOL, placebo_rank
from market_reaction.inference.power import placebo_mde
from market_reaction.inference.scales import ewma_volatility
from market_reaction.intraday.bars import BarSeries
from market_reaction.intraday.measured import Window, WindowPlacebo
from market_reaction.intraday.moves import NS_PER_MINUTE, window_moves
from market_reaction.placebo import pseudo_announcements
from market_reaction.windows import EWMA_START


@dataclass(frozen=True, slots=True)
class SameClock:
    """Instants at the announcement's local clock time on earlier weekdays.

    Attributes
    ----------
    instants_ns : numpy.ndarray
        Latest first, nanoseconds, shape (S,).
    taken_ns : numpy.ndarray
        Bounds of excluded events, shape (K, 2).
    history : int
        Days to compare with, at most.
    """

    instants_ns: np.ndarray
    taken_ns: np.ndarray
    history: int

    @classmethod
    def of(cls, event: pd.Series, series: BarSeries, exclude: pd.DataFrame | None, history: int) -> SameClock:
        """Weekdays from the day before the announcement back to the first bar of a series."""
        first = series.bars["start_utc"].iloc[0]
        count = max(int(np.busday_count(first.date(), event["announced_utc"].date())) + 2, 1)
        instants = pseudo_announcements(event, count)
        taken = np.empty((0, 2), dtype=np.int64)
        if exclude is not None and len(exclude):
            known = exclude[exclude["utc_earliest"].notna() & (exclude.index != event.name)]
            taken = known[["utc_earliest", "utc_latest"]].apply(lambda side: side.astype("int64")).to_numpy()
        return cls(instants[instants >= series.start_ns[0]], taken, history)

    def free(self, window: Window) -> np.ndarray:
        """Whether no excluded event falls into the window around each instant, shape (S,)."""
        if not len(self.taken_ns):
            return np.ones(len(self.instants_ns), dtype=bool)
        low, high = (self.instants_ns + int(minute * NS_PER_MINUTE) for minute in window)
        touched = (self.taken_ns[:, 1][:, None] > low) & (self.taken_ns[:, 0][:, None] <= high)
        return np.asarray(~touched.any(axis=0))

    def usable(self, window: Window) -> np.ndarray:
        """Instants that no excluded event touches, latest first."""
        return self.instants_ns[self.free(window)]


def window_placebo(
    series: BarSeries, clock: SameClock, window: Window, change: float, *, stale: float
) -> WindowPlacebo:
    """Rank the move of a window among the moves over the same minutes of earlier days.

    Parameters
    ----------
    series : BarSeries
        The market.
    clock : SameClock
        The earlier days.
    window : tuple of float
        Minutes of the window that was measured.
    change : float
        Its move.
    stale : float
        Oldest age of a price, minutes.

    Notes
    -----
    p = (1 + number of days that moved as much) / (1 + days), whatever the number of days: with few days the floor
    1 / (1 + days) is high and says so. p is valid where, without news, the day of the announcement could change places
    with any of the others. From 160 days on each move is divided by its own past volatility, so that a calm or a wild
    spell does not decide; below, moves are ranked as they are, and p is too small in a spell wilder than those days and
    too large in a calmer one. The days end the day before the announcement: nothing is estimated on them that a gap
    would protect, but a leak or other news on those days is part of the comparison.
    """
    moves = window_moves(
        series.end_ns, series.closes, clock.instants_ns, window, stale=stale, difference=series.instrument.is_difference
    )
    known = np.isfinite(moves)
    free = clock.free(window)
    used = np.flatnonzero(known & free)
    left_out = int((known & ~free).sum())
    scaled = _scaled(moves[used], change)
    if scaled is not None:
        statistic, pool, sigma = scaled
        pool = pool[: clock.history]
        kept = used[: len(pool)]
        rank = placebo_rank(statistic, pool, minimum=1)
        mde = placebo_mde(pool, sigma, minimum=1)
    else:
        kept = used[: clock.history]
        pool = moves[kept]
        rank = placebo_rank(change, pool, minimum=1)
        mde = placebo_mde(pool, 1.0, minimum=1) if len(pool) else float("inf")
    utc = pd.DatetimeIndex(clock.instants_ns[kept].astype("datetime64[ns]"), tz="UTC")
    return WindowPlacebo(rank, moves[kept], utc, scaled is not None, mde, left_out)


def _scaled(moves: np.ndarray, change: float) -> tuple[float, np.ndarray, float] | None:
    """Moves over the EWMA volatility of the same minutes before each; None with fewer than 160 days, or none moved."""
    if len(moves) < EWMA_START + MINIMUM_POOL:
        return None
    forward = np.append(moves[::-1], change)
    sigma = ewma_volatility(forward, start=EWMA_START)
    if not sigma[-1] > 0 or not (sigma[EWMA_START:] > 0).all():
        return None
    pool = (forward[EWMA_START:-1] / sigma[EWMA_START:-1])[::-1]
    return float(change / sigma[-1]), pool, float(sigma[-1])
