"""Lead and lag between two series: cross-correlations, Dimson betas, and the correlation of synchronised returns.

Closes struck at different clock times split one simultaneous move over two dates. So a lagged correlation may be clock,
and the correlation on the same date is too small; the synchronised one adds the pieces up again.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from market_reaction.errors import WindowError
from market_reaction.inference.arrays import checked_array, same_length, vary
from market_reaction.inference.multiple import holm

MINIMUM_PAIRS = 30


@dataclass(frozen=True, slots=True)
class Estimate:
    """One or several estimates with their standard errors.

    Attributes
    ----------
    lags : numpy.ndarray
        Sessions by which the leader's return is older; negative where it is younger. Shape (k,).
    estimates, std_errors, conf_low, conf_high, p_values : numpy.ndarray
        Shape (k,). Intervals are pointwise, p two-sided for zero.
    nobs : numpy.ndarray
        Pairs used, shape (k,).
    """

    lags: np.ndarray
    estimates: np.ndarray
    std_errors: np.ndarray
    conf_low: np.ndarray
    conf_high: np.ndarray
    p_values: np.ndarray
    nobs: np.ndarray

    @property
    def holm(self) -> np.ndarray:
        """P adjusted for having looked at every lag (Holm 1979), shape (k,)."""
        return holm(self.p_values)


def hac_lags(count: int, least: int = 0) -> int:
    """Lags of the HAC standard error: floor(4 (n / 100)^(2/9)), no fewer than ``least``."""
    return max(least, int(4 * (count / 100) ** (2 / 9)))


def long_run_error(scores: np.ndarray, lags: int) -> float:
    """HAC standard error of the mean of scores (n,), Bartlett kernel with so many lags (Newey and West 1987)."""
    from statsmodels.stats.sandwich_covariance import S_hac_simple

    centred = np.asarray(scores - scores.mean(axis=0))
    return float(np.sqrt(max(float(np.squeeze(S_hac_simple(centred, nlags=lags))), 0.0)) / len(centred))


def _pair(leader: np.ndarray, follower: np.ndarray, needed: int) -> tuple[np.ndarray, np.ndarray]:
    """Both series checked: same length, enough rows, and some variation."""
    first, second = checked_array("leader", leader, 1), checked_array("follower", follower, 1)
    same_length("leader", first, "follower", second)
    for name, values in (("leader", first), ("follower", second)):
        if np.isnan(values).any():
            raise WindowError(
                f"{name} holds {int(np.isnan(values).sum())} absent value(s); give adjacent returns only."
            )
        if not vary(values):
            raise WindowError(
                f"{name} does not vary over its {len(values)} rows; a correlation needs returns that differ."
            )
    if len(first) < needed:
        raise WindowError(f"leader and follower have {len(first)} rows in common; at least {needed} are needed.")
    return first, second


def _estimate(lags: np.ndarray, values: np.ndarray, errors: np.ndarray, nobs: np.ndarray, level: float) -> Estimate:
    critical = float(special.ndtri((1 + level) / 2))
    with np.errstate(divide="ignore", invalid="ignore"):
        p_values = 2 * special.ndtr(-np.abs(values / errors))
    return Estimate(lags, values, errors, values - critical * errors, values + critical * errors, p_values, nobs)


def cross_correlations(leader: np.ndarray, follower: np.ndarray, max_lag: int = 3, *, level: float = 0.95) -> Estimate:
    """Correlation of the follower's return with the leader's return some sessions before, on the same row, and after.

    Parameters
    ----------
    leader, follower : numpy.ndarray
        Returns on the same rows, shape (T,), no gaps.
    max_lag : int
        Largest lead and lag.
    level : float
        Of the pointwise intervals.

    Returns
    -------
    Estimate
        Lags -max_lag to max_lag; at lag k the pair is (leader_{t-k}, follower_t).

    Raises
    ------
    WindowError
        Too few rows, another shape, absent or constant returns.

    Notes
    -----
    The standard error of r = mean(x y) is the HAC error of its influence function x_t y_t - r (x_t^2 + y_t^2) / 2, x
    and y standardised: robust to heteroskedasticity and autocorrelation. For independent normal returns it tends to
    (1 - r^2) / sqrt(n).

    References
    ----------
    Newey and West (1987), Econometrica 55:703. Hampel (1974), JASA 69:383, for the influence function.
    """
    if not isinstance(max_lag, int) or max_lag < 0:
        raise WindowError(f"max_lag={max_lag!r} is no number of sessions; give 0, 1, 2 or more.")
    first, second = _pair(leader, follower, MINIMUM_PAIRS + max_lag)
    lags = np.arange(-max_lag, max_lag + 1)
    found = []
    for lag in lags.tolist():
        older, newer = (first[: len(first) - lag], second[lag:]) if lag >= 0 else (first[-lag:], second[:lag])
        x, y = ((values - values.mean()) / values.std() for values in (older, newer))
        value = float((x * y).mean())
        error = long_run_error(x * y - value * (x**2 + y**2) / 2, hac_lags(len(x)))
        found.append((value, error, len(x)))
    values, errors, nobs = (np.array(column) for column in zip(*found, strict=True))
    return _estimate(lags, values, errors, nobs, level)


def dimson_betas(
    leader: np.ndarray, follower: np.ndarray, lags: int = 1, leads: int = 1, *, level: float = 0.95
) -> tuple[Estimate, Estimate]:
    """Betas of the follower on the leader's returns before, on and after the row, and their sum.

    Parameters
    ----------
    leader, follower : numpy.ndarray
        Returns on the same rows, shape (T,), no gaps.
    lags, leads : int
        Rows of the leader taken before and after.
    level : float
        Of the intervals.

    Returns
    -------
    tuple of Estimate
        Each beta, lag ``lags`` (the oldest) first; and their sum, of shape (1,), whose lag is 0.

    Raises
    ------
    WindowError
        Too few rows, another shape, absent or constant returns.

    Notes
    -----
    R_t = a + sum_k b_k M_{t-k} + u_t by least squares, HAC covariance; the sum of the b_k is Dimson's beta.

    References
    ----------
    Dimson (1979), Journal of Financial Economics 7:197.
    """
    from statsmodels.regression.linear_model import OLS

    first, second = _pair(leader, follower, MINIMUM_PAIRS + lags + leads)
    order = np.arange(lags, -leads - 1, -1)
    rows = np.arange(lags, len(first) - leads)
    design = np.column_stack([np.ones(len(rows)), *(first[rows - lag] for lag in order.tolist())])
    fit = OLS(second[rows], design).fit(cov_type="HAC", cov_kwds={"maxlags": hac_lags(len(rows))})
    covariance = np.asarray(fit.cov_params())[1:, 1:]
    values = np.asarray(fit.params)[1:]
    each = _estimate(order, values, np.sqrt(np.diag(covariance)), np.full(len(order), len(rows)), level)
    total = _estimate(
        np.zeros(1, dtype=int), values.sum(keepdims=True), np.sqrt(covariance.sum(keepdims=True).reshape(1)),
        np.array([len(rows)]), level,
    )  # fmt: skip
    return each, total


def synchronised_correlation(leader: np.ndarray, follower: np.ndarray, *, level: float = 0.95) -> Estimate:
    """Correlation of returns as if both closes were struck at one time.

    Parameters
    ----------
    leader, follower : numpy.ndarray
        Returns on the same rows, shape (T,), no gaps; closes of a row less than a day apart.
    level : float
        Of the interval.

    Returns
    -------
    Estimate
        Of shape (1,), lag 0.

    Raises
    ------
    WindowError
        Too few rows, another shape, absent or constant returns.

    Notes
    -----
    Burns, Engle and Mezrich let R_t = e_t + M e_{t-1} and take (I + M) e_t as the synchronised return. Its covariance
    (I + M) V (I + M)' is Gamma(0) + Gamma(1) + Gamma(1)' with Gamma(k) = Cov(R_t, R_{t-k}) of the returns as they are,
    so it needs no fitted M; RiskMetrics uses the same sum. The implied beta, that covariance over the leader's
    synchronised variance, is the one of Scholes and Williams. Standard error: HAC error of the influence function. It
    takes a lagged correlation to be clock; a market that reacts a day late is counted in as well. In few rows it can
    lie outside [-1, 1].

    References
    ----------
    Burns, Engle and Mezrich (1998), Journal of Derivatives 5:7. RiskMetrics Technical Document (1996), section 8.5.
    """
    first, second = _pair(leader, follower, MINIMUM_PAIRS + 1)
    x, y = first - first.mean(), second - second.mean()
    now, before = slice(1, None), slice(None, -1)
    cross = x[now] * y[now] + x[before] * y[now] + x[now] * y[before]
    own_x, own_y = (values[now] ** 2 + 2 * values[now] * values[before] for values in (x, y))
    spread = float(own_x.mean()) * float(own_y.mean())
    nobs = np.array([len(cross)])
    if own_x.mean() <= 0 or own_y.mean() <= 0:  # an autocorrelation below -1/2 leaves no synchronised variance
        nothing = np.full(1, np.nan)
        return Estimate(np.zeros(1, dtype=int), nothing, nothing, nothing, nothing, nothing, nobs)
    value = float(cross.mean() / np.sqrt(spread))
    scores = cross / np.sqrt(spread) - value / 2 * (own_x / own_x.mean() + own_y / own_y.mean())
    error = long_run_error(scores, hac_lags(len(cross), 2))
    return _estimate(np.zeros(1, dtype=int), np.array([value]), np.array([error]), nobs, level)
