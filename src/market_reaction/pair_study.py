"""One event in one market: the normal-return fit, abnormal returns around day 0, and their forecast error."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from market_reaction.design import Counterfactual
from market_reaction.errors import WindowError
from market_reaction.inference.arrays import sum_or_zero
from market_reaction.inference.scales import mad_std
from market_reaction.normal_models import NormalFit, fit_normal_model, trailing_mean
from market_reaction.prices import PriceSeries
from market_reaction.rows import rows_or_nan
from market_reaction.windows import EventWindows, Window


@dataclass(frozen=True, slots=True)
class PairStudy:
    """One event in one market, day 0 given.

    Attributes
    ----------
    position : int
        Row of day 0 in the series.
    taus : numpy.ndarray
        Session offsets covered, shape (m,).
    actual, abnormal : numpy.ndarray
        Returns at those offsets, shape (m,); NaN beyond the data.
    forecast_cov : numpy.ndarray
        Covariance of the abnormal returns, shape (m, m).
    fit : NormalFit
        The normal-return model.
    mad_std, ewma_std : float
        Robust spread of the estimation residuals, and EWMA(0.97) volatility known at the close before day 0.
    n_skipped : int
        Sessions of the estimation window left out because other events fall into them.
    """

    position: int
    taus: np.ndarray
    actual: np.ndarray
    abnormal: np.ndarray
    forecast_cov: np.ndarray
    fit: NormalFit
    mad_std: float
    ewma_std: float
    n_skipped: int = 0

    def at(self, tau: int) -> int:
        """Index of a session offset in the arrays."""
        return tau - int(self.taus[0])

    def estimation_rows(self, estimation: Window) -> np.ndarray:
        """Rows of the series whose returns entered the fit, shape (n,)."""
        return self.position + estimation[0] + np.flatnonzero(self.fit.used)

    def rows(self, window: Window) -> slice:
        """Rows of a window in the arrays."""
        return slice(self.at(window[0]), self.at(window[1]) + 1)

    @property
    def day_zero(self) -> float:
        """Abnormal return of day 0."""
        return float(self.abnormal[self.at(0)])

    def z_values(self) -> tuple[float, float, float]:
        """Day-0 abnormal return over three scales.

        Returns
        -------
        tuple of float
            Over the forecast standard deviation; over the robust spread with the same forecast-error factor; over the
            EWMA volatility known the session before. NaN where a scale is zero.
        """
        forecast = float(np.sqrt(self.forecast_cov[self.at(0), self.at(0)]))
        factor = forecast / self.fit.residual_std if self.fit.residual_std > 0 else float("nan")
        scales = (forecast, self.mad_std * factor, self.ewma_std)
        return tuple(self.day_zero / s if s > 0 else float("nan") for s in scales)  # type: ignore[return-value]

    def car(self, window: Window) -> tuple[float, float]:
        """CAR over a window and its standard error; NaN when the window is incomplete.

        Notes
        -----
        Var(CAR) = w' C w, with C the forecast covariance and w ones over the window.
        """
        rows = self.rows(window)
        inside = self.abnormal[rows]
        total = float(sum_or_zero(inside.sum(), np.abs(inside).sum()))
        error = float(np.sqrt(self.forecast_cov[rows, rows].sum()))
        return (total, error) if np.isfinite(total) else (float("nan"), float("nan"))


def study_pair(
    event_id: str, series: PriceSeries, position: int, windows: EventWindows, counterfactual: Counterfactual
) -> PairStudy:
    """Fit the normal-return model and take abnormal returns around one day 0.

    Parameters
    ----------
    event_id : str
        Named in messages.
    series : PriceSeries
        The market.
    position : int
        Row of day 0.
    windows : EventWindows
        Estimation and event windows.
    counterfactual : Counterfactual
        Moves of the market and of what its normal return is made of, as ``Design.counterfactual`` gives them.

    Raises
    ------
    WindowError
        Day 0 lies beyond the data, the estimation window before the first return, or ``skip`` leaves less than half of
        it; the message gives the bound.
    EstimationError
        The model cannot be fitted on the estimation window.
    """
    _check_reach(event_id, series, position, windows)
    first, last = windows.estimation
    low, high = windows.span_offsets
    returns, n_skipped = _without_skipped(event_id, series, position, windows, counterfactual)
    inputs = counterfactual.regressors
    inside = None if inputs is None else rows_or_nan(inputs, position + np.arange(first, last + 1))
    lags, leads = counterfactual.dimson
    try:
        fit = fit_normal_model(
            counterfactual.model, returns, inside, names=counterfactual.names, lags=lags, leads=leads
        )
    except WindowError as error:
        raise type(error)(f"event {event_id!r} in {series.name!r}: {error}") from None
    if counterfactual.model == "rolling_mean":
        inputs = trailing_mean(counterfactual.moves, windows.estimation, counterfactual.skipped)

    def around(start: int, stop: int) -> tuple[np.ndarray, np.ndarray | None]:
        """Moves and regressors of the offsets from start to stop."""
        moves = rows_or_nan(counterfactual.moves, position + np.arange(start, stop + 1))
        rows = position + np.arange(start - fit.lags, stop + fit.leads + 1)
        return moves, None if inputs is None else rows_or_nan(inputs, rows)

    fit = fit.through(*around(last + 1, low - 1))
    actual, market = around(low, high)
    return PairStudy(
        position=position,
        taus=np.arange(low, high + 1),
        actual=actual,
        abnormal=fit.abnormal(actual, market),
        forecast_cov=fit.forecast_covariance(len(actual), market),
        fit=fit,
        mad_std=mad_std(fit.residuals),
        ewma_std=float(counterfactual.volatility[position]),
        n_skipped=n_skipped,
    )


def _check_reach(event_id: str, series: PriceSeries, position: int, windows: EventWindows) -> None:
    """Refuse a day 0 beyond the data, or an estimation window before the first return."""
    first = windows.estimation[0]
    if position >= len(series.sessions):
        raise WindowError(
            f"event {event_id!r} has its reaction session after the last row of {series.name!r} "
            f"({series.sessions[-1]:%Y-%m-%d}, {series.source}). Load a source that reaches further, or wait "
            f"for the close."
        )
    if position + first < 1:
        raise WindowError(
            f"event {event_id!r} needs {1 - first} sessions before {series.sessions[position]:%Y-%m-%d} for "
            f"{series.name!r}, but its prices start {series.sessions[0]:%Y-%m-%d} ({position} sessions, "
            f"{series.source}). "
            f"Load earlier prices, or shorten estimation={windows.estimation}."
        )


def _without_skipped(
    event_id: str, series: PriceSeries, position: int, windows: EventWindows, counterfactual: Counterfactual
) -> tuple[np.ndarray, int]:
    """Returns of the estimation window, NaN where other events are, and how many sessions that takes away."""
    inside = slice(position + windows.estimation[0], position + windows.estimation[1] + 1)
    returns = counterfactual.moves[inside]
    if counterfactual.skipped is None:
        return returns, 0
    skipped = counterfactual.skipped[inside]
    count, least = int(skipped.sum()), -(-windows.length // 2)
    if windows.length - count < least:
        raise WindowError(
            f"event {event_id!r} in {series.name!r}: skip= takes away {count} of the {windows.length} sessions of the "
            f"estimation window; at least {least} must be left. Name fewer events in skip=, shorten the event windows, "
            "or lengthen estimation=."
        )
    return np.where(skipped, np.nan, returns), count
