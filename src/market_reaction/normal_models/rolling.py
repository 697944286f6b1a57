"""Abnormal returns at many sessions, each with the model fitted on its own estimation window."""

from __future__ import annotations

import numpy as np

from market_reaction.engine import Panel, abnormal_returns
from market_reaction.engine.gather import take_off_mean
from market_reaction.engine.linear import enough
from market_reaction.errors import WindowError
from market_reaction.least_squares import MINIMUM_DF
from market_reaction.normal_models.registry import NORMAL_MODELS
from market_reaction.normal_models.regression import trailing_mean
from market_reaction.normal_models.synthetic import simplex_weights
from market_reaction.rows import as_columns, rows_or_nan


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
    if model not in ("rolling_mean", "synthetic_control", "scholes_williams"):
        result[inside] = _linear(model, returns, columns, at, estimation, taus, skip, lags, leads)
        return result
    windows = at[:, None] + np.arange(first, last + 1)
    ahead = at[:, None] + taus
    usable = returns if skip is None else np.where(skip, np.nan, returns)
    actual = rows_or_nan(returns, ahead)
    if model == "rolling_mean":
        result[inside] = actual - rows_or_nan(trailing_mean(returns, estimation, skip), ahead)
    elif columns is not None:
        estimated = _mixed if model == "synthetic_control" else _scholes_williams
        result[inside] = actual - estimated(usable[windows], columns, windows, ahead)
    return result


def _linear(
    model: str,
    returns: np.ndarray,
    columns: np.ndarray | None,
    positions: np.ndarray,
    estimation: tuple[int, int],
    taus: np.ndarray,
    skip: np.ndarray | None,
    lags: int,
    leads: int,
) -> np.ndarray:
    """Abnormal returns (S, m) of a model that is one regression, by the batched engine; the mean of a GARCH is one."""
    if model in ("garch", "gjr_garch"):
        model = "constant_mean" if columns is None else "factors"
    before, after = (lags, leads) if model == "dimson" else (0, 0)
    found = abnormal_returns(
        Panel(returns[None], columns, skip), np.zeros(len(positions), dtype=int), positions,
        model=model, estimation=estimation, windows=[(int(taus.min()), int(taus.max()))], lags=before, leads=after,
        outside="nan",
    )  # fmt: skip
    assert found.ar is not None
    return found.ar[:, taus - found.taus[0]]


def _scholes_williams(window: np.ndarray, columns: np.ndarray, rows: np.ndarray, ahead: np.ndarray) -> np.ndarray:
    """Normal returns (S, m) with the slope of Scholes and Williams in every window."""
    benchmark = columns[:, 0]
    inner = rows[:, 1:-1]
    parts = [window[:, 1:-1].copy(), *(benchmark[inner + by] for by in (-1, 0, 1))]
    known = np.logical_and.reduce([np.isfinite(part) for part in parts])
    count = known.sum(axis=1)
    level, _, centre, _ = (take_off_mean(part, known, count) for part in parts)
    target, before, same, _ = parts
    squares = np.stack([np.einsum("ij,ij->i", part, part) for part in parts[1:]])
    moments = np.stack([np.einsum("ij,ij->i", target, part) for part in parts[1:]])
    usable = enough(count, rows.shape[1], 2) & (squares > 0).all(axis=0)
    squares = np.where(usable, squares, 1.0)
    correction = 1 + 2 * np.einsum("ij,ij->i", before, same) / np.sqrt(squares[0] * squares[1])
    usable &= correction > 0
    slope = (moments / squares).sum(axis=0) / np.where(usable, correction, 1.0)
    normal = level[:, None] + slope[:, None] * (rows_or_nan(benchmark, ahead) - centre[:, None])
    return np.where(usable[:, None], normal, np.nan)


def _mixed(window: np.ndarray, donors: np.ndarray, rows: np.ndarray, ahead: np.ndarray) -> np.ndarray:
    """Normal returns (S, m) of a synthetic control; the weights are found window by window."""
    normal = np.full(ahead.shape, np.nan)
    known = np.isfinite(window) & np.isfinite(donors[rows]).all(axis=2)
    future = rows_or_nan(donors, ahead)
    for number in np.flatnonzero(enough(known.sum(axis=1), rows.shape[1], 1)):
        inside = known[number]
        weights = simplex_weights(window[number, inside], donors[rows[number, inside]])
        if inside.sum() - (np.count_nonzero(weights) - 1) >= MINIMUM_DF:
            normal[number] = future[number] @ weights
    return normal
