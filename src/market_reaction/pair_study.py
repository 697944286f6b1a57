"""One event in one market: the normal-return fit, abnormal returns around day 0, and their forecast error."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from market_reaction.errors import WindowError
from market_reaction.inference.scales import ewma_volatility, mad_std
from market_reaction.instruments import ReturnKind
from market_reaction.normal_models import NormalFit, NormalModel, fit_normal_model
from market_reaction.prices import PriceSeries, moves_between
from market_reaction.windows import EWMA_START, EventWindows, Window


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
    """

    position: int
    taus: np.ndarray
    actual: np.ndarray
    abnormal: np.ndarray
    forecast_cov: np.ndarray
    fit: NormalFit
    mad_std: float
    ewma_std: float

    def at(self, tau: int) -> int:
        """Index of a session offset in the arrays."""
        return tau - int(self.taus[0])

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
        rows = slice(self.at(window[0]), self.at(window[1]) + 1)
        total = float(self.abnormal[rows].sum())
        error = float(np.sqrt(self.forecast_cov[rows, rows].sum()))
        return (total, error) if np.isfinite(total) else (float("nan"), float("nan"))


def benchmark_moves(series: PriceSeries, benchmark: PriceSeries, kind: ReturnKind | None) -> np.ndarray:
    """Benchmark move over each session of another series, from the benchmark's closes at that series' session labels.

    Returns
    -------
    numpy.ndarray
        One value a session of ``series``; NaN where the benchmark has no close of either label.
    """
    levels = benchmark.bars["close"].reindex(series.sessions).to_numpy(dtype=float)
    return moves_between(levels, benchmark.instrument.kind_of_moves(kind))


def study_pair(
    event_id: str,
    series: PriceSeries,
    position: int,
    windows: EventWindows,
    normal_model: NormalModel = "constant_mean",
    returns: ReturnKind | None = None,
    benchmark: PriceSeries | None = None,
) -> PairStudy:
    """Fit the normal-return model and take abnormal returns around one day 0.

    Raises
    ------
    WindowError
        Day 0 lies beyond the data, or the estimation window before the first return; the message gives the bound.
    """
    first, last = windows.estimation
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
    moves = series.returns(returns)
    market = benchmark_moves(series, benchmark, returns) if benchmark is not None else None
    inside = slice(position + first, position + last + 1)
    fit = fit_normal_model(normal_model, moves[inside], None if market is None else market[inside])
    low, high = windows.span_offsets
    taus = np.arange(low, high + 1)
    actual, market_at = (_rows(values, position + taus) for values in (moves, market))
    assert actual is not None
    return PairStudy(
        position=position,
        taus=taus,
        actual=actual,
        abnormal=fit.abnormal(actual, market_at),
        forecast_cov=fit.forecast_covariance(len(taus), market_at),
        fit=fit,
        mad_std=mad_std(fit.residuals),
        ewma_std=float(ewma_volatility(moves[: position + 1], start=EWMA_START)[-1]),
    )


def _rows(values: np.ndarray | None, at: np.ndarray) -> np.ndarray | None:
    """Values at some rows, NaN beyond the last."""
    if values is None:
        return None
    return np.append(values, np.nan)[np.minimum(at, len(values))]
