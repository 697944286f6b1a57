"""Betas for markets that trade at other times than their benchmark."""

from __future__ import annotations

import numpy as np

from market_reaction.errors import EstimationError
from market_reaction.least_squares import least_squares
from market_reaction.normal_models.fits import NormalFit, VarianceForecast, check_rank, check_returns
from market_reaction.normal_models.regression import slope_names
from market_reaction.rows import shifted_columns


def fit_scholes_williams(returns: np.ndarray, benchmark: np.ndarray) -> NormalFit:
    """Fit the market model with the slope of Scholes and Williams.

    Parameters
    ----------
    returns : numpy.ndarray
        Returns of the estimation window, shape (L,).
    benchmark : numpy.ndarray
        Benchmark returns of the same rows, shape (L, 1). Its returns before the first and after the last row of the
        window are not used, so at most L - 2 rows enter.

    Returns
    -------
    NormalFit
        Parameters intercept, slope, and the slopes on the benchmark a session before, on the session and a session
        after, and its autocorrelation. The abnormal return takes the benchmark of the session itself.

    Raises
    ------
    EstimationError
        The autocorrelation is so low that the slope is not defined.

    Notes
    -----
    slope = (b_-1 + b_0 + b_1) / (1 + 2 rho), with b_k the least-squares slope of R_t on M_{t+k} alone and rho the
    correlation of M_t with M_{t-1}; intercept = mean(R) - slope mean(M), all over the rows that have everything.
    The forecast covariance is that of the market model with this slope's residual variance on n - 2 degrees of freedom,
    so it is approximate.

    References
    ----------
    Scholes and Williams (1977), Journal of Financial Economics 5:309, equation 19.
    """
    model = "scholes_williams"
    inner = slice(1, len(returns) - 1)
    shifted, target = shifted_columns(benchmark, 1, 1), returns[inner]
    usable = np.isfinite(target) & np.isfinite(shifted).all(axis=1)
    used = np.zeros(len(returns), dtype=bool)
    used[inner] = usable
    check_returns(model, returns, used, 2)
    target, shifted = target[usable], shifted[usable]
    design = np.column_stack([np.ones(len(target)), shifted[:, 1]])
    check_rank(design, ["the benchmark"], model)
    slopes, rho = _slopes(target, shifted)
    if 1 + 2 * rho <= 0:
        raise EstimationError(
            f"the benchmark's autocorrelation over the estimation window is {rho:.2f}; {model!r} divides by 1 + 2 rho "
            "and needs it above -0.5. Use 'market' or 'dimson', or look for a misdated benchmark."
        )
    slope = slopes.sum() / (1 + 2 * rho)
    coefficients = np.array([target.mean() - slope * shifted[:, 1].mean(), slope])
    residuals = target - design @ coefficients
    df = len(target) - 2
    variance = float(residuals @ residuals / df)
    return NormalFit(
        model=model,
        names=("intercept", "slope", *slope_names(1, 1), "autocorrelation"),
        params=np.concatenate([coefficients, slopes, [rho]]),
        coefficients=coefficients,
        coefficient_cov=variance * least_squares(target, design)[1],
        used=used,
        residuals=residuals,
        residual_std=float(np.sqrt(variance)),
        df_resid=df,
        variance=VarianceForecast(variance),
        exact=False,
    )


def _slopes(target: np.ndarray, shifted: np.ndarray) -> tuple[np.ndarray, float]:
    """Slopes of the target on each of three columns alone, and the correlation of the middle one with the first."""
    spread = shifted - shifted.mean(axis=0)
    slopes = spread.T @ (target - target.mean()) / (spread**2).sum(axis=0)
    rho = spread[:, 1] @ spread[:, 0] / np.sqrt((spread[:, 1] ** 2).sum() * (spread[:, 0] ** 2).sum())
    return slopes, float(rho)
