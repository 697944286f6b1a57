"""Least squares of one regression, and when a spread is worth having."""

from __future__ import annotations

import numpy as np

MINIMUM_DF = 20  # residual degrees of freedom below which a spread is not worth having


def has_full_rank(design: np.ndarray) -> bool:
    """Whether no column is zero or a combination of the others, whatever their units."""
    norms = np.linalg.norm(design, axis=0)
    return bool((norms > 0).all()) and bool(np.linalg.matrix_rank(design / norms) == design.shape[1])


def least_squares(target: np.ndarray, design: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients and (X'X)^-1 of full-rank regressors; columns are brought to one length first."""
    norms = np.linalg.norm(design, axis=0)
    q, r = np.linalg.qr(design / norms)
    inverse = np.linalg.inv(r) / norms[:, None]
    return inverse @ (q.T @ target), inverse @ inverse.T
