"""Normal-return models: what the move would have been without the news. Arrays in, frozen fit out; no dates here.

Every model is a regression of the actual return on an offset and k regressors:

=================  ===================  ==========================  ===
model              offset               regressors                  k
=================  ===================  ==========================  ===
constant_mean      0                    1                           1
market_adjusted    benchmark return     none                        0
market             0                    1, benchmark return         2
=================  ===================  ==========================  ===
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from market_reaction.errors import WindowError

NormalModel = Literal["constant_mean", "market_adjusted", "market"]
NORMAL_MODELS = get_args(NormalModel)
PARAMETERS = {"constant_mean": ("intercept",), "market_adjusted": (), "market": ("intercept", "slope")}


@dataclass(frozen=True, slots=True)
class NormalFit:
    """A normal-return model fitted on one estimation window.

    Attributes
    ----------
    model : str
        One of ``NORMAL_MODELS``.
    params : numpy.ndarray
        Coefficients, shape (k,).
    residuals : numpy.ndarray
        Estimation-window residuals of the finite rows, shape (n,).
    residual_std : float
        s = sqrt(SSR / (n - k)), in the unit of the returns.
    df_resid : int
        n - k.
    gram_inverse : numpy.ndarray
        (X'X)^-1, shape (k, k).
    """

    model: str
    params: np.ndarray
    residuals: np.ndarray
    residual_std: float
    df_resid: int
    gram_inverse: np.ndarray

    @property
    def nobs(self) -> int:
        """Number of sessions used, n."""
        return len(self.residuals)

    def abnormal(self, returns: np.ndarray, benchmark: np.ndarray | None) -> np.ndarray:
        """Abnormal returns, actual minus normal, of shape (m,)."""
        offset, design = _design(self.model, len(returns), benchmark)
        return returns - offset - design @ self.params

    def forecast_covariance(self, count: int, benchmark: np.ndarray | None) -> np.ndarray:
        """Covariance of ``count`` out-of-sample abnormal returns.

        Notes
        -----
        s^2 (I + X0 (X'X)^-1 X0'), with X0 the regressor rows of the event window. Summed over m sessions this is
        s^2 [m + x_W'(X'X)^-1 x_W], x_W the sum of those rows; with a constant mean s^2 (m + m^2 / n).

        References
        ----------
        MacKinlay (1997), Journal of Economic Literature 35:13, section 5.
        """
        _, design = _design(self.model, count, benchmark)
        return self.residual_std**2 * (np.eye(count) + design @ self.gram_inverse @ design.T)


def _design(model: str, count: int, benchmark: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Offset (count,) and regressors (count, k) of a model."""
    zero = np.zeros(count)
    if model == "constant_mean":
        return zero, np.ones((count, 1))
    if benchmark is None:
        raise WindowError(f"normal_model={model!r} needs benchmark returns; name a benchmark, or use 'constant_mean'.")
    if model == "market_adjusted":
        return benchmark, np.empty((count, 0))
    return zero, np.column_stack([np.ones(count), benchmark])


def fit_normal_model(model: str, returns: np.ndarray, benchmark: np.ndarray | None = None) -> NormalFit:
    """Fit a normal-return model by least squares on the finite rows of the estimation window.

    Parameters
    ----------
    model : {"constant_mean", "market_adjusted", "market"}
        Which model.
    returns : numpy.ndarray
        Actual returns of the estimation window, shape (L,); NaN rows are left out.
    benchmark : numpy.ndarray, optional
        Benchmark returns of the same rows.

    Returns
    -------
    NormalFit

    Raises
    ------
    WindowError
        Unknown model, too few finite rows, or a benchmark that does not vary.
    """
    if model not in NORMAL_MODELS:
        raise WindowError(f"normal_model={model!r} is not known; choose one of {', '.join(NORMAL_MODELS)}.")
    offset, design = _design(model, len(returns), benchmark)
    target = returns - offset
    usable = np.isfinite(target) & np.isfinite(design).all(axis=1)
    target, design = target[usable], design[usable]
    count, k = design.shape
    if count - k < 20:
        raise WindowError(
            f"only {count} of {len(returns)} sessions of the estimation window have a return for {model!r}; at least "
            f"{20 + k} are needed. Lengthen estimation= or load another source."
        )
    gram = design.T @ design
    if k > 1 and np.linalg.matrix_rank(gram) < k:
        raise WindowError(
            f"the benchmark does not vary over the {count} sessions of the estimation window, so {model!r} has no "
            "slope; use another benchmark or 'constant_mean'."
        )
    inverse = np.linalg.inv(gram) if k else np.empty((0, 0))
    params = inverse @ (design.T @ target)
    residuals = target - design @ params
    scale = float(np.sqrt(residuals @ residuals / (count - k)))
    return NormalFit(model, params, residuals, scale, count - k, inverse)


def rolling_abnormal(
    model: str,
    returns: np.ndarray,
    benchmark: np.ndarray | None,
    positions: np.ndarray,
    estimation: tuple[int, int],
) -> np.ndarray:
    """Day-0 abnormal return at many positions, each with its own estimation window.

    Parameters
    ----------
    model : str
        One of ``NORMAL_MODELS``.
    returns, benchmark : numpy.ndarray
        Returns by session, shape (T,); NaN where there is none.
    positions : numpy.ndarray
        Integer rows to treat as day 0, shape (S,).
    estimation : tuple of int
        Inclusive offsets of the estimation window.

    Returns
    -------
    numpy.ndarray
        Abnormal return at each position, shape (S,); NaN where the window reaches before the first row or holds
        fewer than half its returns.
    """
    first, last = estimation
    length = last - first + 1
    result = np.full(len(positions), np.nan)
    inside = (positions + first >= 0) & (positions < len(returns))
    at = positions[inside]
    if not len(at):
        return result
    rows = at[:, None] + np.arange(first, last + 1)
    offset = benchmark if model == "market_adjusted" and benchmark is not None else np.zeros(1)
    actual = returns - offset
    if model == "market_adjusted":
        result[inside] = actual[at]
        return result
    window = actual[rows]
    if model == "market" and benchmark is not None:
        factor = np.where(np.isfinite(window), benchmark[rows], np.nan)
        window = np.where(np.isfinite(factor), window, np.nan)
    counts = np.isfinite(window).sum(axis=1)
    enough = counts * 2 >= length
    centre = np.nansum(window, axis=1) / np.maximum(counts, 1)
    normal = centre
    if model == "market" and benchmark is not None:
        factor_centre = np.nansum(factor, axis=1) / np.maximum(counts, 1)
        spread = factor - factor_centre[:, None]
        variation = np.nansum(spread**2, axis=1)
        slope = np.nansum(spread * (window - centre[:, None]), axis=1) / np.where(variation > 0, variation, np.nan)
        normal = centre + slope * (benchmark[at] - factor_centre)
    result[inside] = np.where(enough, actual[at] - normal, np.nan)
    return result
