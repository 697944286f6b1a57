"""Placebo pools of cross-section means: how an event's mean compares with the same mean on earlier days."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from market_reaction.inference.placebo import MINIMUM_POOL, PlaceboRank, placebo_rank
from market_reaction.inference.power import placebo_critical_value, placebo_mde
from market_reaction.inference.scales import ewma_volatility
from market_reaction.windows import EWMA_START


@dataclass(frozen=True, slots=True, eq=False)
class Pool:
    """Pool of one event and window.

    Attributes
    ----------
    n_securities : int
        Securities with a CAR at the event.
    mean_car : float
        Their mean CAR, decimal.
    scaled, plain : PlaceboRank
        Ranks of |mean CAR| / sigma, sigma the EWMA(0.97) volatility of the mean abnormal return known the session
        before (the headline), and of |mean CAR|.
    spread : float
        Root mean square of the SCARs: 1 where the securities move as far as in their estimation windows.
    spread_rank : PlaceboRank
        Rank of spread^2 / its EWMA(0.97) known the session before: whether securities moved more than of late, in
        whatever direction.
    usual : float
        Largest |mean CAR| that is not unusual at 5% in the volatility of the event's day; infinite with a small pool.
    mde : float
        Minimum detectable effect of the headline rank, decimal.
    means : numpy.ndarray
        Mean CAR on the pool days, latest first, shape (S,).
    """

    n_securities: int
    mean_car: float
    scaled: PlaceboRank
    plain: PlaceboRank
    spread: float
    spread_rank: PlaceboRank
    usual: float
    mde: float
    means: np.ndarray


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """Cross-section mean of CAR, mean square of SCAR, and what scales them, by day or by sessions before day 0.

    Attributes
    ----------
    n, mean, square : numpy.ndarray
        Cases, mean CAR and mean SCAR^2, shape (days, windows); NaN without a case.
    sigma, tau : numpy.ndarray
        EWMA volatility of the mean abnormal return and of the root mean square SAR of day 0, known before each day,
        shape (days,).
    """

    n: np.ndarray
    mean: np.ndarray
    square: np.ndarray
    sigma: np.ndarray
    tau: np.ndarray

    @classmethod
    def of(cls, totals: np.ndarray) -> Series:
        """Series from sums over securities, shape (4, days, windows), in order of time; the first window is day 0."""
        n, total, n_scaled, squares = totals
        mean = total / np.where(n > 0, n, np.nan)
        square = squares / np.where(n_scaled > 0, n_scaled, np.nan)
        scales = [ewma_volatility(values, start=EWMA_START) for values in (mean[:, 0], np.sqrt(square[:, 0]))]
        sigma, tau = (np.where(scale > 0, scale, np.nan) for scale in scales)
        return cls(n, mean, square, sigma, tau)


def pool_of(series: Series, at: int, window: int, usable: np.ndarray, gap: int, count: int) -> Pool:
    """Rank one event in one window.

    Parameters
    ----------
    series : Series
        In order of time.
    at : int
        Row of the event.
    window : int
        Column of the window.
    usable : numpy.ndarray
        Which rows may be placebo days for this window, shape (days,).
    gap, count : int
        Rows from the event back to the latest placebo day, and how many to take.
    """
    scaled = series.mean[:, window] / series.sigma
    spread = series.square[:, window] / series.tau**2
    earlier = np.arange(max(0, at - gap + 1))[::-1]
    days = earlier[usable[earlier] & np.isfinite(scaled[earlier])][:count]
    spread_days = days[np.isfinite(spread[days])]
    pool = scaled[days]
    enough = len(pool) >= MINIMUM_POOL
    return Pool(
        n_securities=int(series.n[at, window]),
        mean_car=float(series.mean[at, window]),
        scaled=placebo_rank(scaled[at], pool),
        plain=placebo_rank(series.mean[at, window], series.mean[days, window]),
        spread=float(np.sqrt(series.square[at, window])),
        spread_rank=placebo_rank(spread[at], spread[spread_days]),
        usual=float(placebo_critical_value(pool) * series.sigma[at]) if enough else float("inf"),
        mde=float(placebo_mde(pool, float(series.sigma[at]))) if enough else float("inf"),
        means=series.mean[days, window],
    )
