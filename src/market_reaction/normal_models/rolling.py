"""Abnormal returns at many sessions, each with the model fitted on its own estimation window."""

from __future__ import annotations

import numpy as np

from market_reaction.errors import WindowError
from market_reaction.least_squares import MINIMUM_DF
from market_reaction.normal_models.registry import NORMAL_MODELS
from market_reaction.normal_models.regression import trailing_mean
from market_reaction.normal_models.synthetic import simplex_weights
from market_reaction.rows import as_columns, rows_or_nan

_SMALLEST = 1e-12  # share of a column's variance below which it counts as a combination of the others


def rolling_abnormal(
    model: str,
    returns: np.ndarray,
    regressors: np.ndarray | None,
    positions: np.ndarray,
    estimation: tuple[int, int],
    *,
    skip: np.ndarray | None = None,
    lags: int = 1,
    leads: int = 0,
) -> np.ndarray:
    """Day-0 abnormal return at many positions, each with its own estimation window.

    Parameters
    ----------
    model : str
        One of ``NORMAL_MODELS``.
    returns : numpy.ndarray
        Returns by session, shape (T,); NaN where there is none.
    regressors : numpy.ndarray or None
        Returns of the benchmark, factors or donors, shape (T,) or (T, q).
    positions : numpy.ndarray
        Integer rows to treat as day 0, shape (S,).
    estimation : tuple of int
        Inclusive offsets of the estimation window.
    skip : numpy.ndarray, optional
        Sessions that may not enter an estimation window, shape (T,) of bool.
    lags, leads : int
        Sessions of the benchmark that ``dimson`` takes before and after each session.

    Returns
    -------
    numpy.ndarray
        Abnormal return at each position, shape (S,): what ``fit_normal_model`` on that window gives. NaN where the
        window reaches before the first row, holds fewer than half its returns, or its regressors are collinear.
    """
    zero = np.zeros(1, dtype=int)
    return rolling_paths(
        model, returns, regressors, positions, estimation, taus=zero, skip=skip, lags=lags, leads=leads
    )[:, 0]


def rolling_paths(
    model: str,
    returns: np.ndarray,
    regressors: np.ndarray | None,
    positions: np.ndarray,
    estimation: tuple[int, int],
    *,
    taus: np.ndarray,
    skip: np.ndarray | None = None,
    lags: int = 1,
    leads: int = 0,
) -> np.ndarray:
    """Abnormal returns at offsets from many positions, each position with its own estimation window.

    Parameters
    ----------
    taus : numpy.ndarray
        Session offsets from each position, shape (m,).

    Returns
    -------
    numpy.ndarray
        Shape (S, m); the other parameters and NaN as ``rolling_abnormal``.
    """
    first, last = estimation
    columns = as_columns(regressors)
    if columns is None and NORMAL_MODELS[model].regressors not in ("none", "benchmark if named"):
        raise WindowError(f"normal_model={model!r} needs {NORMAL_MODELS[model].regressors} returns; give regressors.")
    result = np.full((len(positions), len(taus)), np.nan)
    inside = (positions + first >= 0) & (positions < len(returns))
    at = positions[inside]
    if not len(at):
        return result
    windows = at[:, None] + np.arange(first, last + 1)
    ahead = at[:, None] + taus
    usable = returns if skip is None else np.where(skip, np.nan, returns)
    actual = rows_or_nan(returns, ahead)
    if model == "rolling_mean":
        result[inside] = actual - rows_or_nan(trailing_mean(returns, estimation, skip), ahead)
    elif model in ("zero_mean", "market_adjusted"):
        offset = np.zeros(len(returns)) if model == "zero_mean" or columns is None else columns[:, 0]
        enough = _enough(np.isfinite((usable - offset)[windows]), windows.shape[1], 0)
        result[inside] = np.where(enough[:, None], actual - rows_or_nan(offset, ahead), np.nan)
    elif model == "constant_mean" or columns is None:
        result[inside] = actual - _means(usable[windows])[:, None]
    elif model == "synthetic_control":
        result[inside] = actual - _mixed(usable[windows], columns, windows, ahead)
    elif model == "scholes_williams":
        result[inside] = actual - _scholes_williams(usable[windows], columns[:, 0], windows, ahead)
    else:
        before, after = (lags, leads) if model == "dimson" else (0, 0)
        result[inside] = actual - _regressed(usable[windows], columns, windows, ahead, before, after)
    return result


def _enough(known: np.ndarray, length: int, estimated: int) -> np.ndarray:
    """Whether each window has at least half of ``length`` returns, and enough for the coefficients."""
    counts = known.sum(axis=1)
    return (counts * 2 >= length) & (counts - estimated >= MINIMUM_DF)


def _means(window: np.ndarray) -> np.ndarray:
    known = np.isfinite(window)
    means = np.where(known, window, 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    return np.where(_enough(known, window.shape[1], 1), means, np.nan)


def _regressed(
    window: np.ndarray, columns: np.ndarray, rows: np.ndarray, ahead: np.ndarray, lags: int, leads: int
) -> np.ndarray:
    """Normal returns (S, m) by least squares in every window at once, through centred normal equations."""
    length = rows.shape[1]
    inner = slice(lags, length - leads)
    shifts = range(-lags, leads + 1)
    design = np.concatenate([rows_or_nan(columns, rows[:, inner] + by) for by in shifts], axis=2)
    future = np.concatenate([rows_or_nan(columns, ahead + by) for by in shifts], axis=2)
    target = window[:, inner]
    slopes, centre, middle, usable = slopes_in_windows(target, design, length)
    normal = middle + np.einsum("smj,sj->sm", future - centre[:, None, :], slopes)
    return np.where(usable[:, None], normal, np.nan)


def slopes_in_windows(
    target: np.ndarray, design: np.ndarray, length: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Least squares with an intercept in every window at once, through centred normal equations.

    Parameters
    ----------
    target, design : numpy.ndarray
        Values, shape (S, L), and regressors, shape (S, L, k), of each window; NaN rows do not count.
    length : int
        Sessions of a window, at least half of which must count.

    Returns
    -------
    tuple of numpy.ndarray
        Slopes (S, k); means of the regressors (S, k) and of the target (S, 1); whether each window can be used (S,):
        enough rows, and regressors that are not collinear. The slopes of one that cannot mean nothing.
    """
    known = np.isfinite(target) & np.isfinite(design).all(axis=2)
    design, centre = _centred(design, known)
    target, middle = _centred(target[:, :, None], known)
    lengths = np.sqrt((design**2).sum(axis=1))
    varied = lengths > _SMALLEST**0.5 * np.sqrt(known.sum(axis=1))[:, None] * np.abs(centre)
    lengths = np.where(varied & (lengths > 0), lengths, np.inf)
    gram = np.einsum("slj,slk->sjk", design, design) / lengths[:, :, None] / lengths[:, None, :]
    usable = _enough(known, length, 1 + gram.shape[1]) & (np.linalg.eigvalsh(gram)[:, 0] > _SMALLEST)
    gram[~usable] = np.eye(gram.shape[1])
    moments = np.einsum("slj,sl->sj", design, target[:, :, 0]) / lengths
    slopes = np.linalg.solve(gram, moments[:, :, None])[:, :, 0] / lengths
    return slopes, centre, middle, usable


def _centred(values: np.ndarray, known: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Columns (S, L, k) less their means over the known rows, zero elsewhere; and the means (S, k)."""
    present = known[:, :, None]
    means = np.where(present, values, 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)[:, None]
    return np.where(present, values - means[:, None, :], 0.0), means


def _scholes_williams(window: np.ndarray, benchmark: np.ndarray, rows: np.ndarray, ahead: np.ndarray) -> np.ndarray:
    """Normal returns (S, m) with the slope of Scholes and Williams in every window."""
    inner = rows[:, 1:-1]
    parts = np.stack([window[:, 1:-1], *(benchmark[inner + by] for by in (-1, 0, 1))], axis=2)
    known = np.isfinite(parts).all(axis=2)
    spread, centre = _centred(parts, known)
    moments = np.einsum("slj,slk->sjk", spread, spread)  # of the target, and the benchmark before, same and after
    squares = np.diagonal(moments, axis1=1, axis2=2)[:, 1:]
    usable = _enough(known, rows.shape[1], 2) & (squares > 0).all(axis=1)
    squares = np.where(usable[:, None], squares, 1.0)
    correction = 1 + 2 * moments[:, 1, 2] / np.sqrt(squares[:, 0] * squares[:, 1])
    usable &= correction > 0
    slope = (moments[:, 0, 1:] / squares).sum(axis=1) / np.where(usable, correction, 1.0)
    normal = centre[:, :1] + slope[:, None] * (rows_or_nan(benchmark, ahead) - centre[:, 2:3])
    return np.where(usable[:, None], normal, np.nan)


def _mixed(window: np.ndarray, donors: np.ndarray, rows: np.ndarray, ahead: np.ndarray) -> np.ndarray:
    """Normal returns (S, m) of a synthetic control; the weights are found window by window."""
    normal = np.full(ahead.shape, np.nan)
    known = np.isfinite(window) & np.isfinite(donors[rows]).all(axis=2)
    future = rows_or_nan(donors, ahead)
    for number in np.flatnonzero(_enough(known, rows.shape[1], 1)):
        inside = known[number]
        weights = simplex_weights(window[number, inside], donors[rows[number, inside]])
        if inside.sum() - (np.count_nonzero(weights) - 1) >= MINIMUM_DF:
            normal[number] = future[number] @ weights
    return normal
