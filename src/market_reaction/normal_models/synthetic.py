"""Synthetic control: a mix of donors that moved like the treated series before the event."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from market_reaction.errors import EstimationError
from market_reaction.least_squares import MINIMUM_DF
from market_reaction.normal_models.fits import NormalFit, VarianceForecast, check_returns
from market_reaction.normal_models.regression import check_columns


def simplex_weights(target: np.ndarray, donors: np.ndarray) -> np.ndarray:
    """Weights that are not negative, sum to one, and bring the donors nearest to the target.

    Parameters
    ----------
    target : numpy.ndarray
        Returns of the treated series, shape (L,), finite.
    donors : numpy.ndarray
        Returns of the donors, shape (L, J), finite.

    Returns
    -------
    numpy.ndarray
        Shape (J,). Where several mixes are equally near, one of them.

    Notes
    -----
    min ||(D - r 1') w||^2 over w >= 0, 1'w = 1. For any w on the simplex and t >= 0 the minimum over t of
    t^2 ||A w||^2 + (1 - t)^2 is f / (1 + f) with f = ||A w||^2, which rises with f. So the non-negative least-squares
    solution u of that larger problem is t w, and w = u / sum(u): exact, by an active-set method, without a penalty.

    References
    ----------
    Abadie, Diamond and Hainmueller (2010), JASA 105:493; Lawson and Hanson (1974), Solving Least Squares Problems,
    chapter 23.
    """
    from scipy.optimize import nnls

    gaps = donors - target[:, None]
    scale = np.linalg.norm(gaps, axis=0).min()
    if scale == 0:  # a donor moves exactly like the series
        return np.eye(gaps.shape[1])[np.linalg.norm(gaps, axis=0).argmin()]
    found, _ = nnls(np.vstack([gaps / scale, np.ones(gaps.shape[1])]), np.append(np.zeros(len(gaps)), 1.0))
    return found / found.sum()


def fit_synthetic_control(returns: np.ndarray, donors: np.ndarray, labels: Sequence[str] = ()) -> NormalFit:
    """Fit the weights of one treated series on its donors.

    Parameters
    ----------
    returns : numpy.ndarray
        Returns of the treated series in the estimation window, shape (L,).
    donors : numpy.ndarray
        Returns of the donors over the same sessions, shape (L, J). They must trade in the same hours and must not have
        been moved by the event.
    labels : sequence of str
        Names of the donors.

    Returns
    -------
    NormalFit
        Parameters are the weights. With J+ donors of positive weight, df = n - (J+ - 1), and the forecast covariance is
        that of least squares on the differences between those donors; the choice of donors is not in it, so it is
        approximate.

    Raises
    ------
    EstimationError
        Fewer than two donors, or too few sessions that all of them have, for the donors in the mix.

    References
    ----------
    Abadie and Gardeazabal (2003), American Economic Review 93:113; Abadie, Diamond and Hainmueller (2010), JASA
    105:493; Abadie (2021), Journal of Economic Literature 59:391.
    """
    model = "synthetic_control"
    check_columns(model, returns, donors, None)
    count = donors.shape[1]
    if count < 2:
        raise EstimationError(
            f"{model!r} has {count} donor; a mix needs at least 2. Name more with donors=, or use 'market'."
        )
    used = np.isfinite(returns) & np.isfinite(donors).all(axis=1)
    check_returns(model, returns, used, 1)
    target, columns = returns[used], donors[used]
    weights = simplex_weights(target, columns)
    residuals = target - columns @ weights
    active = np.flatnonzero(weights > 0)
    df = len(target) - (len(active) - 1)
    if df < MINIMUM_DF:
        raise EstimationError(
            f"{model!r} mixes {len(active)} donors on {len(target)} sessions that all of them have; at least "
            f"{MINIMUM_DF + len(active) - 1} are needed. Lengthen estimation=, or name fewer donors."
        )
    variance = float(residuals @ residuals / df)
    cov = np.zeros((1 + count, 1 + count))
    cov[np.ix_(1 + active, 1 + active)] = variance * _weight_covariance(columns[:, active])
    return NormalFit(
        model=model,
        names=tuple(labels),
        params=weights,
        coefficients=np.append(0.0, weights),
        coefficient_cov=cov,
        used=used,
        residuals=residuals,
        residual_std=float(np.sqrt(variance)),
        df_resid=df,
        variance=VarianceForecast(variance),
        exact=False,
    )


def _weight_covariance(columns: np.ndarray) -> np.ndarray:
    """Covariance over s^2 of least-squares weights that sum to one: T (Z'Z)^-1 T', Z = X T, columns of T sum to 0."""
    count = columns.shape[1]
    basis = np.vstack([np.eye(count - 1), -np.ones(count - 1)])
    spread = columns @ basis
    return basis @ np.linalg.pinv(spread.T @ spread, hermitian=True) @ basis.T
