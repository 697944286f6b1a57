"""Normal-return models: what the move would have been without the news. Arrays in, frozen fit out; no dates here.

``NORMAL_MODELS`` lists them. Every one is an intercept and slopes on the returns of other markets, found in its own
way, so that one form, ``NormalFit``, gives abnormal returns and the covariance of their forecast errors for all.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from market_reaction.errors import WindowError, did_you_mean
from market_reaction.normal_models.fits import NormalFit, VarianceForecast
from market_reaction.normal_models.garch import fit_garch_model
from market_reaction.normal_models.nonsynchronous import fit_scholes_williams
from market_reaction.normal_models.registry import NORMAL_MODELS, NormalModel, RegisteredModel
from market_reaction.normal_models.regression import (
    check_columns,
    fit_fixed,
    fit_least_squares,
    fit_rolling_mean,
    trailing_mean,
)
from market_reaction.normal_models.rolling import rolling_abnormal, rolling_paths
from market_reaction.normal_models.synthetic import fit_synthetic_control, simplex_weights
from market_reaction.rows import as_columns

__all__ = [
    "NORMAL_MODELS",
    "NormalFit",
    "NormalModel",
    "RegisteredModel",
    "VarianceForecast",
    "check_model",
    "fit_normal_model",
    "rolling_abnormal",
    "rolling_paths",
    "simplex_weights",
    "trailing_mean",
]


def check_model(model: str) -> RegisteredModel:
    """Registered model of a name.

    Raises
    ------
    WindowError
        There is none; the message lists them.
    """
    if model not in NORMAL_MODELS:
        raise WindowError(
            f"normal_model={model!r} is not known; {did_you_mean(model, NORMAL_MODELS)}choose one of "
            f"{', '.join(NORMAL_MODELS)}."
        )
    return NORMAL_MODELS[model]


def fit_normal_model(
    model: str,
    returns: np.ndarray,
    regressors: np.ndarray | None = None,
    *,
    names: Sequence[str] = (),
    lags: int = 1,
    leads: int = 0,
) -> NormalFit:
    """Fit a normal-return model on the finite rows of the estimation window.

    Parameters
    ----------
    model : str
        One of ``NORMAL_MODELS``.
    returns : numpy.ndarray
        Actual returns of the estimation window, shape (L,); NaN rows are left out.
    regressors : numpy.ndarray, optional
        Returns of the benchmark, factors or donors over the same sessions, shape (L,) or (L, q). Models without
        regressors ignore them.
    names : sequence of str
        Names of the q columns, for parameters and messages.
    lags, leads : int
        Sessions of the benchmark that ``dimson`` takes before and after each session.

    Returns
    -------
    NormalFit

    Raises
    ------
    WindowError
        Unknown model, or regressors that are missing or of another length.
    EstimationError
        Too few returns, a constant series, collinear regressors, or a fit that did not converge.
    """
    check_model(model)
    columns = as_columns(regressors)
    labels = tuple(names) or _default_names(model, columns)
    if model == "constant_mean":
        return fit_least_squares(model, returns, None)
    if model == "zero_mean":
        return fit_fixed(model, returns, None)
    if model == "rolling_mean":
        return fit_rolling_mean(returns)
    if model in ("garch", "gjr_garch"):
        return fit_garch_model(model, returns, columns)
    columns = check_columns(model, returns, columns, None if model in ("factors", "synthetic_control") else 1)
    if model == "market_adjusted":
        return fit_fixed(model, returns, columns)
    if model == "scholes_williams":
        return fit_scholes_williams(returns, columns)
    if model == "synthetic_control":
        return fit_synthetic_control(returns, columns, labels)
    before, after = (lags, leads) if model == "dimson" else (0, 0)
    return fit_least_squares(model, returns, columns, labels, before, after)


def _default_names(model: str, columns: np.ndarray | None) -> tuple[str, ...]:
    if columns is None:
        return ()
    if NORMAL_MODELS[model].regressors in ("factors", "donors"):
        return tuple(f"{NORMAL_MODELS[model].regressors[:-1]} {number + 1}" for number in range(columns.shape[1]))
    return ("the benchmark",) * columns.shape[1]
