"""Rows of arrays by session: one column a regressor, neighbours beside each other, NaN beyond the data."""

from __future__ import annotations

import numpy as np


def as_columns(values: np.ndarray | None) -> np.ndarray | None:
    """One column a regressor, shape (T, q); None stays None."""
    if values is None or np.ndim(values) == 2:
        return values
    return np.asarray(values, dtype=float)[:, None]


def shifted_columns(columns: np.ndarray, lags: int, leads: int) -> np.ndarray:
    """Columns of t - lags, ..., t, ..., t + leads beside each other, for the rows that have them all.

    Returns
    -------
    numpy.ndarray
        Shape (T - lags - leads, q (lags + leads + 1)), the earliest first.
    """
    count = len(columns) - lags - leads
    return np.column_stack([columns[start : start + count] for start in range(lags + leads + 1)])


def rows_or_nan(values: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Values at some rows, shape ``at.shape`` and then that of a row; NaN before the first row and beyond the last."""
    padded = np.concatenate([values, np.full((1, *values.shape[1:]), np.nan)])
    return padded[np.where((at >= 0) & (at < len(values)), at, len(values))]
