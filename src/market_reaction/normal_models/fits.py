"""The one form every fitted normal-return model takes: coefficients, residuals, and a forecast-error covariance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from market_reaction.errors import EstimationError, WindowError
from market_reaction.least_squares import MINIMUM_DF
from market_reaction.rows import as_columns, shifted_columns


@dataclass(frozen=True, slots=True)
class VarianceForecast:
    """Variance of the sessions ahead; with only ``first`` given it is the same for all of them.

    Attributes
    ----------
    first : float
        Variance of the next session, h_1.
    constant, arch, asymmetry, garch : float
        h_{t+1} = constant + (arch + asymmetry 1[e_t < 0]) e_t^2 + garch h_t.
    centre : float
        Mean that is taken off a residual to give e_t.
    """

    first: float
    constant: float = 0.0
    arch: float = 0.0
    asymmetry: float = 0.0
    garch: float = 1.0
    centre: float = 0.0

    @property
    def persistence(self) -> float:
        """Share of a variance that is expected to last to the next session; errors are taken as symmetric."""
        return self.arch + self.asymmetry / 2 + self.garch

    def path(self, count: int) -> np.ndarray:
        """Expected variances h_1, ..., h_count, shape (count,)."""
        values = np.empty(count)
        ahead = self.first
        for step in range(count):
            values[step] = ahead
            ahead = self.constant + self.persistence * ahead
        return values

    def after(self, residuals: np.ndarray) -> VarianceForecast:
        """Forecast once these residuals have been seen; a NaN counts as its expectation."""
        ahead = self.first
        for error in residuals - self.centre:
            square = ahead * self.persistence if np.isnan(error) else self._carried(error, ahead)
            ahead = self.constant + square
        return replace(self, first=float(ahead))

    def _carried(self, error: float, variance: float) -> float:
        return (self.arch + self.asymmetry * (error < 0)) * error**2 + self.garch * variance


@dataclass(frozen=True, slots=True)
class NormalFit:
    """A normal-return model fitted on one estimation window.

    Attributes
    ----------
    model : str
        One of ``NORMAL_MODELS``.
    names : tuple of str
        Names of the parameters.
    params : numpy.ndarray
        Parameters, shape (len(names),).
    coefficients : numpy.ndarray
        Intercept and one slope a regressor column, shape (1 + k,); fixed ones included.
    coefficient_cov : numpy.ndarray
        Covariance of the coefficients, shape (1 + k, 1 + k); zero for those that are not estimated.
    used : numpy.ndarray
        Which rows of the estimation window entered, shape (L,).
    residuals : numpy.ndarray
        Residuals of those rows, shape (n,).
    residual_std : float
        s = sqrt(SSR / df_resid), in the unit of the returns.
    df_resid : int
        n less the number of estimated coefficients.
    variance : VarianceForecast
        Variance of the sessions ahead.
    exact : bool
        Whether ``forecast_covariance`` is exact under independent normal errors of one variance; elsewhere p should
        come from the placebo test.
    note : str
        What to bear in mind; empty when there is nothing to say.
    lags, leads : int
        Regressor rows that ``abnormal`` needs before and after the sessions asked for.
    """

    model: str
    names: tuple[str, ...]
    params: np.ndarray
    coefficients: np.ndarray
    coefficient_cov: np.ndarray
    used: np.ndarray
    residuals: np.ndarray
    residual_std: float
    df_resid: int
    variance: VarianceForecast
    exact: bool
    note: str = ""
    lags: int = 0
    leads: int = 0

    @property
    def nobs(self) -> int:
        """Number of sessions used, n."""
        return len(self.residuals)

    def abnormal(self, returns: np.ndarray, regressors: np.ndarray | None = None) -> np.ndarray:
        """Abnormal returns, actual minus normal.

        Parameters
        ----------
        returns : numpy.ndarray
            Actual returns, shape (m,).
        regressors : numpy.ndarray, optional
            Returns of the regressors over the same sessions, shape (m,) or (m, q), with ``lags`` rows before and
            ``leads`` rows after them. For ``rolling_mean`` the ``trailing_mean`` of those sessions.

        Returns
        -------
        numpy.ndarray
            Shape (m,); NaN where something is missing.
        """
        return returns - self._design(len(returns), regressors) @ self.coefficients

    def forecast_covariance(self, count: int, regressors: np.ndarray | None = None) -> np.ndarray:
        """Covariance of ``count`` out-of-sample abnormal returns in a row, shape (count, count).

        Notes
        -----
        diag(h) + X0 V X0', with X0 the regressor rows of the event window and V the covariance of the coefficients.
        For least squares that is s^2 (I + X0 (X'X)^-1 X0'); summed over m sessions s^2 [m + x_W'(X'X)^-1 x_W], x_W the
        sum of those rows; with a constant mean s^2 (m + m^2 / n).

        References
        ----------
        MacKinlay (1997), Journal of Economic Literature 35:13, section 5.
        """
        design = self._design(count, regressors)
        return np.diag(self.variance.path(count)) + design @ self.coefficient_cov @ design.T

    def through(self, returns: np.ndarray, regressors: np.ndarray | None = None) -> NormalFit:
        """The same fit, its variance forecast brought up to date with sessions after the estimation window.

        Parameters
        ----------
        returns, regressors : numpy.ndarray
            As ``abnormal`` takes them, from the session after the estimation window to the one before the event window.
            They change nothing where the variance is constant.
        """
        return replace(self, variance=self.variance.after(self.abnormal(returns, regressors)))

    def _design(self, count: int, regressors: np.ndarray | None) -> np.ndarray:
        """Rows (1, regressors), shape (count, 1 + k)."""
        width = len(self.coefficients) - 1
        if not width:
            return np.ones((count, 1))
        columns = as_columns(regressors)
        if columns is None:
            raise WindowError(
                f"normal_model={self.model!r} needs the returns of its regressors over the same sessions."
            )
        shifted = shifted_columns(columns, self.lags, self.leads)
        if shifted.shape != (count, width):
            raise WindowError(
                f"the regressors have shape {columns.shape}; {self.model!r} was fitted on "
                f"{width // (self.lags + self.leads + 1)} column(s) and needs "
                f"{count + self.lags + self.leads} rows for {count} returns."
            )
        return np.column_stack([np.ones(count), shifted])


def check_returns(model: str, returns: np.ndarray, usable: np.ndarray, estimated: int) -> None:
    """Refuse an estimation window with too few returns, or with returns that are all the same."""
    count = int(usable.sum())
    if count - estimated < MINIMUM_DF:
        raise EstimationError(
            f"only {count} of {len(returns)} sessions of the estimation window have a return for {model!r}; at least "
            f"{MINIMUM_DF + estimated} are needed. Lengthen estimation= or load another source."
        )
    known = returns[usable]
    if np.ptp(known) <= 1e-10 * np.abs(known).max():
        raise EstimationError(
            f"the {count} returns of the estimation window are all {known[0]:g}: a constant series has no spread to "
            "measure a move against. Check the source, or leave this market out."
        )


def check_spread(model: str, residual_std: float, count: int) -> None:
    """Refuse a fit that leaves nothing over: the market moves exactly as its regressors do."""
    if residual_std <= 0:
        raise EstimationError(
            f"the {count} returns of the estimation window are exactly what {model!r} says: nothing is left over to "
            "measure a move against. Name another benchmark, or use 'constant_mean'."
        )


def check_rank(design: np.ndarray, labels: Sequence[str], model: str) -> None:
    """Refuse regressors of which one is a combination of the others; the message names them.

    Parameters
    ----------
    design : numpy.ndarray
        Usable rows, intercept first, shape (n, 1 + k).
    labels : sequence of str
        Names of the k regressors.
    """
    norms = np.linalg.norm(design, axis=0)
    scaled = design / np.where(norms > 0, norms, 1.0)
    free = np.abs(np.diag(np.linalg.qr(scaled, mode="r")))
    bad = np.flatnonzero(free < 1e-6)
    if not len(bad):
        return
    last = int(bad[0])
    weights = np.linalg.lstsq(scaled[:, :last], scaled[:, last], rcond=None)[0]
    others = [labels[at - 1] for at in range(1, last) if abs(weights[at]) > 1e-6]
    if not others:
        raise EstimationError(
            f"{labels[last - 1]} does not vary over the {len(design)} sessions of the estimation window, so {model!r} "
            "has no slope on it; use another one or 'constant_mean'."
        )
    raise EstimationError(
        f"{', '.join(others)} and {labels[last - 1]} are collinear over the {len(design)} sessions of the estimation "
        f"window: {labels[last - 1]} is a combination of the others. Leave one of them out."
    )
