"""What is measured about one market: a window, its placebo, and the spread of the reaction over the hour."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from market_reaction.inference.placebo import PlaceboRank

Window = tuple[float, float]
NAN = float("nan")


@dataclass(frozen=True, slots=True)
class WindowPlacebo:
    """Where the move of a window stands among the moves over the same minutes of earlier days.

    Attributes
    ----------
    rank : PlaceboRank
        p, its floor and the number of days.
    pool : numpy.ndarray
        Signed moves of the earlier days, latest first, shape (S,).
    pool_utc : pandas.DatetimeIndex
        Instants they are measured around.
    scaled : bool
        Whether each move was divided by the EWMA(0.97) volatility of the same minutes before it: done where at least
        100 days remain after the first 60.
    mde : float
        Smallest effect found with 80% power at 5%, in the unit of the move; infinite where no p of 0.05 is attainable.
    n_left_out : int
        Days left out because an excluded event fell into the window.
    """

    rank: PlaceboRank
    pool: np.ndarray
    pool_utc: pd.DatetimeIndex
    scaled: bool
    mde: float
    n_left_out: int


@dataclass(frozen=True, slots=True)
class WindowMove:
    """Move of one market over one window.

    Attributes
    ----------
    asked, used : tuple of float
        Minutes from the announcement: as asked, and as the bars allow; equal where ``kind`` is ``"as asked"``.
    kind : str
        ``"as asked"``; ``"nearest"`` where bars are too long for the window; ``"widened"`` where the announcement is
        known less exactly than the window needs; ``"refused"``.
    reason : str
        Why the window was refused, widened or replaced; else empty.
    before_utc, after_utc : pandas.Timestamp or NaT
        Ends of the bars whose closes are the prices.
    price_before, price_after : float
        Prices; NaN where refused.
    stale_before, stale_after : float
        Minutes from those bars' ends to the ends of the window used.
    change : float
        Simple return (decimal), or difference of levels for yields and volatility indexes.
    volume, usual_volume, volume_share : float
        Volume from the announcement to the end of the window, its median over the same minutes of earlier days, and the
        share of those days with at least as much; NaN where there is no volume.
    n_volume : int
        Days of that comparison.
    abnormal, beta : float
        Move beyond the market model and its beta; NaN without a benchmark.
    news : tuple of str
        Titles of other news inside the window.
    placebo : WindowPlacebo or None
        None where refused.
    """

    asked: Window
    used: Window
    kind: Literal["as asked", "nearest", "widened", "refused"]
    reason: str = ""
    before_utc: pd.Timestamp = pd.NaT  # type: ignore[assignment]
    after_utc: pd.Timestamp = pd.NaT  # type: ignore[assignment]
    price_before: float = NAN
    price_after: float = NAN
    stale_before: float = NAN
    stale_after: float = NAN
    change: float = NAN
    volume: float = NAN
    usual_volume: float = NAN
    volume_share: float = NAN
    n_volume: int = 0
    abnormal: float = NAN
    beta: float = NAN
    news: tuple[str, ...] = ()
    placebo: WindowPlacebo | None = None

    @property
    def measured(self) -> bool:
        """Whether there is a move."""
        return bool(np.isfinite(self.change))


@dataclass(frozen=True, slots=True)
class Spread:
    """How the reaction spread over the hour after the announcement.

    Attributes
    ----------
    half_minutes : float
        Minute by which half of the move of the hour was done for the first time; NaN with ``reason``.
    hour_change : float
        Move from the last price before the announcement to the end of the hour.
    volatility_before, volatility_after : float
        Realised volatility per minute in the hour before and the hour after; the bars that straddle the announcement
        count as after.
    usual_after : float
        Median of the second over the same minutes of earlier days.
    n_days : int
        Days of that comparison.
    reason : str
        Why figures are missing; else empty.
    """

    half_minutes: float
    hour_change: float
    volatility_before: float
    volatility_after: float
    usual_after: float
    n_days: int
    reason: str = ""
