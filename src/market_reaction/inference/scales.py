"""Scales a move is measured against: robust spread and current volatility."""

from __future__ import annotations

import numpy as np
import pandas as pd

EWMA_DECAY = 0.97
MAD_TO_STD = 1.4826


def mad_std(residuals: np.ndarray) -> float:
    """Robust standard deviation, 1.4826 times the median absolute deviation from the median.

    References
    ----------
    Rousseeuw and Croux (1993), JASA 88:1273.
    """
    return float(mad_std_rows(np.asarray(residuals)[None])[0])


def mad_std_rows(values: np.ndarray) -> np.ndarray:
    """``mad_std`` of every row of an array, shape (n, L) to (n,); values that are not finite do not count."""
    if not values.shape[1]:
        return np.full(len(values), np.nan)
    known = np.isfinite(values)
    counts = known.sum(axis=1)
    ordered = np.where(known, values, np.nan)
    ordered.sort(axis=1)  # NaN last
    distances = np.abs(ordered - _middle(ordered, counts)[:, None])
    distances.sort(axis=1)
    return MAD_TO_STD * _middle(distances, counts)


def _middle(ordered: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Median of the first ``counts`` values of each ordered row; NaN where there are none."""
    rows, last = np.arange(len(ordered)), np.maximum(counts, 1)
    return (ordered[rows, (last - 1) // 2] + ordered[rows, last // 2]) / 2


def ewma_volatility(moves: np.ndarray, decay: float = EWMA_DECAY, start: int = 60) -> np.ndarray:
    """Volatility known at the close before each session.

    Parameters
    ----------
    moves : numpy.ndarray
        Returns or differences by session, shape (T,); NaN rows do not update the variance.
    decay : float
        Weight of the past, 0.97 by default.
    start : int
        Number of moves whose mean square starts the recursion.

    Returns
    -------
    numpy.ndarray
        sigma_t of shape (T,), from data up to t-1 only; NaN up to and including the ``start``-th move.

    Notes
    -----
    v_{t+1} = decay * v_t + (1 - decay) * r_t^2, and sigma_t = sqrt(v_t).

    References
    ----------
    RiskMetrics Technical Document (1996), section 5.2.
    """
    sigma = np.full(len(moves), np.nan)
    known = np.flatnonzero(np.isfinite(moves))
    if len(known) <= start:
        return sigma
    squares = moves[known] ** 2
    started = np.concatenate([[squares[:start].mean()], squares[start:]])
    variance = pd.Series(started).ewm(alpha=1 - decay, adjust=False).mean().to_numpy()
    # variance[j] is known after the (start + j)-th finite move, so it scales every session up to the next one
    updates = np.searchsorted(known, np.arange(len(moves)), side="left") - start
    usable = updates >= 0
    sigma[usable] = np.sqrt(variance[updates[usable]])
    return sigma
