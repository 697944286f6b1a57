"""The same cross-section regression on pseudo-announcements, each mapped through the clocks of every share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from market_reaction.exposures.measures import Exposure, rolling_slopes
from market_reaction.exposures.slopes import cross_section_slopes
from market_reaction.inference.placebo import MINIMUM_POOL, PlaceboRank, placebo_rank
from market_reaction.inference.power import placebo_critical_value, placebo_mde
from market_reaction.inference.scales import ewma_volatility
from market_reaction.placebo import MarketMoves, clear_windows, pool_gap, pseudo_announcements, sessions_at
from market_reaction.prices import PriceSeries
from market_reaction.progress import progress
from market_reaction.study_result import EventStudyResult
from market_reaction.windows import EWMA_START, Window

LEAST_DAYS = MINIMUM_POOL + EWMA_START  # comparable days a share must have to be part of the regression


@dataclass(frozen=True, slots=True)
class ShareHistory:
    """Reactions of one share at the pseudo-announcements, oldest first.

    Attributes
    ----------
    positions : numpy.ndarray
        Row of its session at each, shape (P,).
    day_zero, window : numpy.ndarray
        Abnormal return of that session and over the window, shape (P,).
    exposure : numpy.ndarray
        Exposure as it was known then, shape (P,).
    early, clean : numpy.ndarray
        Whether the session lies before the gap to day 0, and whether no announcement left out falls into its window,
        shape (P,) of bool.
    """

    positions: np.ndarray
    day_zero: np.ndarray
    window: np.ndarray
    exposure: np.ndarray
    early: np.ndarray
    clean: np.ndarray

    @property
    def complete(self) -> np.ndarray:
        """Whether everything is known, shape (P,) of bool."""
        return np.isfinite(self.day_zero) & np.isfinite(self.window) & np.isfinite(self.exposure)


@dataclass(frozen=True, slots=True)
class SlopePlacebo:
    """Slope of one event among the slopes of its placebo days.

    Attributes
    ----------
    slope, intercept : float
        Of the event.
    sigma : float
        EWMA(0.97) volatility of the day-0 slope known before the event.
    scaled, plain : PlaceboRank
        Ranks of slope / sigma (the headline) and of the slope.
    slopes, statistics : numpy.ndarray
        Slopes of the pool and slope / sigma of each, shape (S,), latest first.
    rows : numpy.ndarray
        Which pseudo-announcements the pool is, shape (S,).
    mde : float
        Smallest slope the headline test finds with 80% power.
    critical : float
        Absolute statistic to exceed for a p of at most 0.05.
    n_left_out : int
        Days kept out of the pool because an announcement left out fell into their window.
    """

    slope: float
    intercept: float
    sigma: float
    scaled: PlaceboRank
    plain: PlaceboRank
    slopes: np.ndarray
    statistics: np.ndarray
    rows: np.ndarray
    mde: float
    critical: float
    n_left_out: int


def share_histories(
    event: pd.Series,
    study: EventStudyResult,
    exposure: Exposure,
    benchmarks: Mapping[str, PriceSeries],
    window: Window,
    history: int,
    exclude: pd.DataFrame | None,
    sessions: int,
) -> dict[str, ShareHistory]:
    """Reactions and exposure of every share at the pseudo-announcements before an event, oldest first."""
    gap = pool_gap(window, study.windows.estimation)
    count = 60 + gap + (history + LEAST_DAYS) * 13 // 10  # weekdays: joint holidays take away up to a fifth
    stamps = pseudo_announcements(event, count)[::-1]
    found = {}
    for (_, share), pair in progress(study.pairs.items(), "reactions of shares on earlier days"):
        series = study.prices[share]
        moves = MarketMoves.of(series, study, study.prices, exclude)
        at = sessions_at(moves.clock, event, stamps)
        inside = (at >= 1) & (at < pair.position)
        rows = np.where(inside, at, 1)
        values = _fill(inside, moves.counterfactual.abnormal(rows, study.windows.estimation))
        taus = np.arange(window[0], window[1] + 1)
        paths = moves.counterfactual.paths(rows, study.windows.estimation, taus).sum(axis=1)
        known = np.full(len(at), exposure.by_share.get(share, np.nan))
        if share in exposure.sensitivity_to:
            to, own = exposure.sensitivity_to[share], benchmarks[share]
            known = rolling_slopes(series, own, to, rows, study.windows.estimation[0], sessions)
        early, clean = at <= pair.position - gap, clear_windows(moves.usable, rows, window)
        found[share] = ShareHistory(at, values, _fill(inside, paths), _fill(inside, known), early, clean)
    return found


def _fill(inside: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Values, NaN where the share has no such session."""
    return np.where(inside, values, np.nan)


def slope_placebo(
    histories: Sequence[ShareHistory], reactions: np.ndarray, exposure: np.ndarray, history: int
) -> SlopePlacebo:
    """Rank the slope of an event among those of its placebo days.

    Parameters
    ----------
    histories : sequence of ShareHistory
        Of the N shares.
    reactions, exposure : numpy.ndarray
        At the event, shape (N,).
    history : int
        Pool size aimed at.

    Notes
    -----
    A day counts where every share has its reaction and exposure, and each distinct set of sessions counts once. The
    volatility of a slope is the EWMA of the squared day-0 slopes before it.
    """
    complete = np.all([one.complete for one in histories], axis=0)
    positions = np.column_stack([one.positions for one in histories])
    numbers = np.flatnonzero(complete)
    _, first = np.unique(positions[numbers], axis=0, return_index=True)
    numbers = numbers[np.sort(first)]
    known = np.column_stack([one.exposure for one in histories])[numbers]
    day_zero, _ = cross_section_slopes(np.column_stack([one.day_zero for one in histories])[numbers], known)
    over_window, _ = cross_section_slopes(np.column_stack([one.window for one in histories])[numbers], known)
    sigma = ewma_volatility(np.append(day_zero, np.nan), start=EWMA_START)
    sigma = np.where(sigma > 0, sigma, np.nan)
    early = np.all([one.early for one in histories], axis=0)[numbers] & np.isfinite(sigma[:-1])
    clean = np.all([one.clean for one in histories], axis=0)[numbers]
    pool = np.flatnonzero(early & clean)[::-1][:history]
    slope, intercept = (float(value[0]) for value in cross_section_slopes(reactions, exposure))
    statistics = over_window[pool] / sigma[pool]
    since = pool[-1] if len(pool) else len(numbers)
    return SlopePlacebo(
        slope=slope,
        intercept=intercept,
        sigma=float(sigma[-1]),
        scaled=placebo_rank(slope / sigma[-1], statistics),
        plain=placebo_rank(slope, over_window[pool]),
        slopes=over_window[pool],
        statistics=statistics,
        rows=numbers[pool],
        mde=placebo_mde(statistics, float(sigma[-1])),
        critical=placebo_critical_value(statistics) if len(pool) >= MINIMUM_POOL else float("inf"),
        n_left_out=int(np.count_nonzero((early & ~clean)[since:])),
    )
