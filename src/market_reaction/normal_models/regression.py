"""Normal-return models by least squares, and those with fixed coefficients.

=================  =============================  ==================  ===================
model              normal return                  estimated           k
=================  =============================  ==================  ===================
constant_mean      a                              a                   1
zero_mean          0                              nothing             0
market_adjusted    benchmark return               nothing             0
market             a + b benchmark                a, b                2
factors            a + b'factors                  a, b                1 + factors
dimson             a + sum of b_k benchmark(t+k)  a, b_k              2 + lags + leads
rolling_mean       mean of a window before t      its mean            1
=================  =============================  ==================  ===================
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from market_reaction.engine.design import Fit
from market_reaction.engine.gather import fit_window
from market_reaction.errors import WindowError
from market_reaction.normal_models.fits import NormalFit, VarianceForecast, check_rank, check_returns, check_spread
from market_reaction.normal_models.registry import NORMAL_MODELS
from market_reaction.rows import shifted_columns

DIMSON_NOTE = "the benchmark's session before is taken off too: where it holds this news already, so is the reaction"


def fit_fixed(model: str, returns: np.ndarray, columns: np.ndarray | None) -> NormalFit:
    """Fit ``zero_mean`` (no column) or ``market_adjusted`` (one): only the spread is estimated, s^2 = SSR / n."""
    slopes = np.ones(0 if columns is None else columns.shape[1])
    gaps = returns if columns is None else returns - columns @ slopes
    used = np.isfinite(gaps)
    check_returns(model, returns, used, 0)
    residuals = gaps[used]
    spread = float(Fit.of_fixed(np.array([len(residuals)]), np.array([residuals @ residuals]), 0).std[0])
    check_spread(model, spread, len(residuals))
    count = 1 + len(slopes)
    return NormalFit(
        model=model,
        names=(),
        params=np.empty(0),
        coefficients=np.append(0.0, slopes),
        coefficient_cov=np.zeros((count, count)),
        used=used,
        residuals=residuals,
        residual_std=spread,
        df_resid=len(residuals),
        variance=VarianceForecast(spread**2),
        exact=True,
    )


def fit_least_squares(
    model: str,
    returns: np.ndarray,
    columns: np.ndarray | None,
    labels: Sequence[str] = (),
    lags: int = 0,
    leads: int = 0,
) -> NormalFit:
    """Regress the returns on an intercept and the columns, with lags and leads of them taken inside the window.

    Parameters
    ----------
    model : str
        Name the fit gets.
    returns : numpy.ndarray
        Returns of the estimation window, shape (L,); rows with anything missing are left out.
    columns : numpy.ndarray or None
        Regressor returns of the same rows, shape (L, q); None for the mean alone.
    labels : sequence of str
        Names of the q columns for messages, and for the parameters where there are several.
    lags, leads : int
        Earlier and later sessions of the columns that enter too. The first ``lags`` and the last ``leads`` rows of the
        window are left out, so that nothing from outside it is used.

    Returns
    -------
    NormalFit
        s^2 = SSR / (n - k) and Var(coefficients) = s^2 (X'X)^-1. With lags or leads the parameter ``slope`` is the sum
        over them, which is Dimson's beta.
    """
    inner = slice(lags, len(returns) - leads)
    design = np.ones((len(returns[inner]), 1))
    if columns is not None:
        design = np.column_stack([design, shifted_columns(columns, lags, leads)])
    rows = [f"{name}{_when(at)}" for at in range(-lags, leads + 1) for name in labels]
    target = returns[inner]
    usable = np.isfinite(target) & np.isfinite(design).all(axis=1)
    used = np.zeros(len(returns), dtype=bool)
    used[inner] = usable
    check_returns(model, returns, used, design.shape[1])
    target, design = target[usable], design[usable]
    check_rank(design, rows, model)
    fit, centre = fit_window(target, design[:, 1:])
    check_spread(model, float(fit.std[0]), len(target))
    coefficients = fit.coefficients(centre)[0]
    names, params = _parameters(model, coefficients, labels, lags, leads)
    variance = float(fit.std[0] ** 2)
    return NormalFit(
        model=model,
        names=names,
        params=params,
        coefficients=coefficients,
        coefficient_cov=variance * fit.coefficient_inverse(centre)[0],
        used=used,
        residuals=target - design @ coefficients,
        residual_std=float(fit.std[0]),
        df_resid=int(fit.df[0]),
        variance=VarianceForecast(variance),
        exact=NORMAL_MODELS[model].exact,
        note=DIMSON_NOTE if lags else "",
        lags=lags,
        leads=leads,
    )


def fit_rolling_mean(returns: np.ndarray) -> NormalFit:
    """Fit ``rolling_mean``: the spread of the estimation window, and a normal return that the caller supplies.

    Notes
    -----
    The normal return of session t is ``trailing_mean`` at t, the mean over the estimation offsets counted from t
    instead of day 0, so that on day 0 it is the constant mean. The covariance s^2 (I + 11'/n) takes the windows of
    neighbouring sessions as one.
    """
    mean = fit_least_squares("rolling_mean", returns, None)
    cov = np.zeros((2, 2))
    cov[0, 0] = mean.coefficient_cov[0, 0]
    return NormalFit(
        model=mean.model,
        names=mean.names,
        params=mean.params,
        coefficients=np.array([0.0, 1.0]),
        coefficient_cov=cov,
        used=mean.used,
        residuals=mean.residuals,
        residual_std=mean.residual_std,
        df_resid=mean.df_resid,
        variance=mean.variance,
        exact=False,
    )


def trailing_mean(returns: np.ndarray, estimation: tuple[int, int], skip: np.ndarray | None = None) -> np.ndarray:
    """Mean return over the estimation offsets counted from every session.

    Parameters
    ----------
    returns : numpy.ndarray
        Returns by session, shape (T,); NaN where there is none.
    estimation : tuple of int
        Inclusive offsets, both negative.
    skip : numpy.ndarray, optional
        Sessions that may not enter a mean, shape (T,) of bool.

    Returns
    -------
    numpy.ndarray
        Shape (T,); NaN where the window reaches before the first row or holds fewer than half its returns.
    """
    first, last = estimation
    length = last - first + 1
    known = np.isfinite(returns) if skip is None else np.isfinite(returns) & ~skip
    means = np.full(len(returns), np.nan)
    if len(returns) + first <= 0:
        return means
    windows = np.lib.stride_tricks.sliding_window_view(np.where(known, returns, 0.0), length)
    counts = np.lib.stride_tricks.sliding_window_view(known, length).sum(axis=1)
    values = np.where(counts * 2 >= length, windows.sum(axis=1) / np.maximum(counts, 1), np.nan)
    means[-first:] = values[: len(returns) + first]
    return means


def check_columns(model: str, returns: np.ndarray, columns: np.ndarray | None, at_most: int | None) -> np.ndarray:
    """Regressor columns of a model that needs them, shape (L, q).

    Raises
    ------
    WindowError
        There are none, they have other rows than the returns, or more columns than ``at_most``.
    """
    if columns is None:
        kind = NORMAL_MODELS[model].regressors
        raise WindowError(
            f"normal_model={model!r} needs {kind} returns; name "
            f"{'a benchmark' if kind == 'benchmark' else kind}, or use 'constant_mean'."
        )
    if len(columns) != len(returns):
        raise WindowError(f"{len(returns)} returns and {len(columns)} rows of regressors; give the same sessions.")
    if at_most is not None and columns.shape[1] > at_most:
        raise WindowError(
            f"normal_model={model!r} takes one benchmark; {columns.shape[1]} columns given. Use 'factors' for several."
        )
    return columns


def slope_names(lags: int, leads: int) -> tuple[str, ...]:
    """Names of the slopes on a benchmark at each session offset, the earliest first."""
    return tuple(f"slope{_when(at).replace(' ', '_')}" if at else "slope_same" for at in range(-lags, leads + 1))


def _parameters(
    model: str, coefficients: np.ndarray, labels: Sequence[str], lags: int, leads: int
) -> tuple[tuple[str, ...], np.ndarray]:
    """Names and values of the parameters, from the coefficients."""
    if lags or leads:
        names = ("intercept", "slope", *slope_names(lags, leads))
        return names, np.insert(coefficients, 1, coefficients[1:].sum())
    slopes = tuple(labels) if model == "factors" else ("slope",) * (len(coefficients) - 1)
    return ("intercept", *slopes), coefficients


def _when(at: int) -> str:
    if at == 0:
        return ""
    return f" {-at} before" if at < 0 else f" {at} after"
