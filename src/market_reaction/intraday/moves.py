"""Numbers on bars: which price stands at an instant, moves over windows, volume and volatility; arrays only."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from market_reaction.least_squares import least_squares
from market_reaction.prices import differences

NS_PER_MINUTE = 60 * 10**9


class Ends(NamedTuple):
    """Bars whose closes stand for the price at some instants.

    Attributes
    ----------
    position : numpy.ndarray
        Row of the bar, -1 or the number of bars where there is none; shape (S,).
    stale : numpy.ndarray
        Minutes from the end of the bar to the instant, negative where the bar ends later; NaN where there is none.
    """

    position: np.ndarray
    stale: np.ndarray


def last_complete(end_ns: np.ndarray, instants_ns: np.ndarray) -> Ends:
    """Last bar that is complete at or before each instant.

    Parameters
    ----------
    end_ns : numpy.ndarray
        Ends of the bars in order, nanoseconds, shape (T,).
    instants_ns : numpy.ndarray
        Instants, nanoseconds, shape (S,).
    """
    return _ends(end_ns, instants_ns, np.searchsorted(end_ns, instants_ns, side="right") - 1)


def first_complete(end_ns: np.ndarray, instants_ns: np.ndarray) -> Ends:
    """First bar that is complete at or after each instant; its staleness is zero or negative."""
    return _ends(end_ns, instants_ns, np.searchsorted(end_ns, instants_ns, side="left"))


def _ends(end_ns: np.ndarray, instants_ns: np.ndarray, position: np.ndarray) -> Ends:
    there = (position >= 0) & (position < len(end_ns))
    stale = np.full(len(position), np.nan)
    stale[there] = (instants_ns[there] - end_ns[position[there]]) / NS_PER_MINUTE
    return Ends(position, stale)


def changes(closes: np.ndarray, before: np.ndarray, after: np.ndarray, *, difference: bool) -> np.ndarray:
    """Move from one set of bars to another: simple return, or difference of levels; NaN where a bar is missing."""
    there = (before >= 0) & (after >= 0) & (before < len(closes)) & (after < len(closes))
    found = np.full(len(before), np.nan)
    first, last = closes[before[there]], closes[after[there]]
    with np.errstate(invalid="ignore", divide="ignore"):
        found[there] = differences(first, last) if difference else np.where(first > 0, last / first - 1.0, np.nan)
    return found


def window_moves(
    end_ns: np.ndarray,
    closes: np.ndarray,
    instants_ns: np.ndarray,
    window: tuple[float, float],
    *,
    stale: float,
    difference: bool = False,
) -> np.ndarray:
    """Moves over a window around many instants.

    Parameters
    ----------
    end_ns, closes : numpy.ndarray
        Ends and last prices of the bars, shape (T,).
    instants_ns : numpy.ndarray
        Instants, shape (S,).
    window : tuple of float
        Minutes before (negative) and after.
    stale : float
        Oldest age in minutes of a price that stands for the price at an end of the window.
    difference : bool
        Differences of levels rather than simple returns.

    Returns
    -------
    numpy.ndarray
        Shape (S,); NaN where a price is older than ``stale`` or both ends have the same bar.
    """
    before = last_complete(end_ns, instants_ns + int(window[0] * NS_PER_MINUTE))
    after = last_complete(end_ns, instants_ns + int(window[1] * NS_PER_MINUTE))
    found = changes(closes, before.position, after.position, difference=difference)
    with np.errstate(invalid="ignore"):
        usable = (before.stale <= stale) & (after.stale <= stale) & (after.position > before.position)
    return np.where(usable, found, np.nan)


def window_paths(
    end_ns: np.ndarray,
    closes: np.ndarray,
    instants_ns: np.ndarray,
    base: float,
    minutes: np.ndarray,
    *,
    stale: float,
    difference: bool = False,
) -> np.ndarray:
    """Moves from ``base`` minutes to each of some minutes around many instants, shape (S, M); NaN as above."""
    start = last_complete(end_ns, instants_ns + int(base * NS_PER_MINUTE))
    found = np.full((len(instants_ns), len(minutes)), np.nan)
    for column, minute in enumerate(minutes):
        to = last_complete(end_ns, instants_ns + int(minute * NS_PER_MINUTE))
        with np.errstate(invalid="ignore"):
            usable = (start.stale <= stale) & (to.stale <= stale)
        found[:, column] = np.where(usable, changes(closes, start.position, to.position, difference=difference), np.nan)
    return found


def window_sums(
    end_ns: np.ndarray, values: np.ndarray, instants_ns: np.ndarray, window: tuple[float, float]
) -> tuple[np.ndarray, np.ndarray]:
    """Sum of values over the bars that end within (low, high] minutes of each instant, and the number of those bars."""
    low = np.searchsorted(end_ns, instants_ns + int(window[0] * NS_PER_MINUTE), side="right")
    high = np.searchsorted(end_ns, instants_ns + int(window[1] * NS_PER_MINUTE), side="right")
    total = np.concatenate([[0.0], np.cumsum(np.nan_to_num(values))])
    return total[high] - total[low], high - low


def volatility_per_minute(
    end_ns: np.ndarray,
    moves: np.ndarray,
    lengths: np.ndarray,
    instants_ns: np.ndarray,
    window: tuple[float, float],
    minimum: int = 5,
) -> np.ndarray:
    """Realised volatility per minute of the bars that end within a window.

    Parameters
    ----------
    end_ns : numpy.ndarray
        Ends of the bars, shape (T,).
    moves : numpy.ndarray
        Move of each bar from the bar right before it, NaN after a gap; shape (T,).
    lengths : numpy.ndarray
        Minutes of each bar, shape (T,).
    instants_ns : numpy.ndarray
        Instants, shape (S,).
    window : tuple of float
        Minutes; bars that end within (low, high].
    minimum : int
        Bars below which there is no figure.

    Notes
    -----
    sqrt(sum r_i^2 / sum of minutes) over the bars with a move.
    """
    known = np.isfinite(moves)
    squares, count = window_sums(end_ns, np.where(known, moves, 0.0) ** 2, instants_ns, window)
    minutes, _ = window_sums(end_ns, np.where(known, lengths, 0), instants_ns, window)
    bars, _ = window_sums(end_ns, known.astype(float), instants_ns, window)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where((bars >= minimum) & (count > 0), np.sqrt(squares / minutes), np.nan)


def bar_moves(
    start_ns: np.ndarray, end_ns: np.ndarray, closes: np.ndarray, *, stale: float, difference: bool = False
) -> np.ndarray:
    """Move of each bar from the close before it; NaN for the first and after more than ``stale`` minutes without."""
    at = np.arange(len(closes))
    found = changes(closes, at - 1, at, difference=difference)
    gap = np.append(np.inf, (start_ns[1:] - end_ns[:-1]) / NS_PER_MINUTE)
    return np.where(gap <= stale, found, np.nan)


def half_time(minutes: np.ndarray, path: np.ndarray) -> float:
    """Minute by which half of the move at the end of a path was done for the first time.

    Parameters
    ----------
    minutes : numpy.ndarray
        Minutes after the announcement, in order, shape (M,).
    path : numpy.ndarray
        Cumulated move from before the announcement, shape (M,).

    Returns
    -------
    float
        NaN for an empty path or one that ends where it began.
    """
    if not len(path) or path[-1] == 0:
        return float("nan")
    return float(minutes[np.argmax(path / path[-1] >= 0.5)])


def abnormal_moves(own: np.ndarray, market: np.ndarray, estimation: np.ndarray) -> tuple[np.ndarray, float]:
    """Moves beyond a market model fitted on the bars before the window.

    Parameters
    ----------
    own, market : numpy.ndarray
        Moves of the instrument and of the benchmark on common bars, shape (T,).
    estimation : numpy.ndarray
        Whether each bar belongs to the estimation, shape (T,), boolean.

    Returns
    -------
    tuple of (numpy.ndarray, float)
        own - alpha - beta market at every bar, shape (T,), and beta.

    References
    ----------
    MacKinlay (1997), J. Economic Literature 35:13, eq. 3.
    """
    used = estimation & np.isfinite(own) & np.isfinite(market)
    design = np.column_stack([np.ones(int(used.sum())), market[used]])
    coefficients, _ = least_squares(own[used], design)
    return own - coefficients[0] - coefficients[1] * market, float(coefficients[1])


def minute_of(instant_ns: np.ndarray, event_ns: int) -> np.ndarray:
    """Minutes from the announcement to some instants."""
    return (instant_ns - event_ns) / NS_PER_MINUTE
