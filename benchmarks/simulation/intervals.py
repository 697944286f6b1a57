"""Coverage and length of the intervals of one event and of the bands around its path, where there is no effect."""

from __future__ import annotations

import numpy as np
from scipy import special

from market_reaction.inference import conformal, multiple
from market_reaction.inference.scales import ewma_volatility
from market_reaction.normal_models import rolling_paths
from market_reaction.windows import EWMA_START
from simulation import cases, panels, placebos
from simulation.cells import COVERAGE, Cell, Outcomes

SIMULATED_PATHS = 5_000


def covering(cell: Cell, rng: np.random.Generator, runs: int) -> Outcomes:
    """Forecast t and conformal intervals of the CAR; with several sessions also the bands of its path."""
    panel = panels.ending_with_event(cell, rng, runs, placebos.DAY_ZERO)
    moves = panel.returns[:, 0]
    fitted = cases.study(moves, placebos.DAY_ZERO, cell.window)
    outcomes = Outcomes(volatility=panel.volatility[:, 0, placebos.DAY_ZERO].tolist())
    for run in range(runs):
        both = fitted.both[run]
        before, inside = both[: panels.LENGTH], both[panels.LENGTH :]
        for level in COVERAGE:
            half = float(special.stdtrit(cases.DF, (1 + level) / 2)) * fitted.std_error[run]
            _keep(outcomes, "forecast_t", level, fitted.car[run] - half, fitted.car[run] + half)
            found = conformal.conformal_interval(before, inside, level, "car", "cyclic")
            _keep(outcomes, "conformal_car", level, found.conf_low, found.conf_high)
        if cell.window > 1:
            _bands(outcomes, fitted.only(run), moves[run], run)
    return outcomes


def by_path(cell: Cell, rng: np.random.Generator, runs: int) -> Outcomes:
    """Conformal interval of the path statistic, which is searched for on a grid: fewer runs."""
    panel = panels.ending_with_event(cell, rng, runs, cases.BEFORE)
    fitted = cases.study(panel.returns[:, 0], cases.BEFORE, cell.window)
    outcomes = Outcomes(volatility=panel.volatility[:, 0, cases.BEFORE].tolist())
    for both in fitted.both:
        before, inside = both[: panels.LENGTH], both[panels.LENGTH :]
        for level in COVERAGE:
            found = conformal.conformal_interval(before, inside, level, "path", "cyclic")
            _keep(outcomes, "conformal_path", level, found.conf_low, found.conf_high)
    return outcomes


def _bands(outcomes: Outcomes, fitted: cases.Cases, moves: np.ndarray, seed: int) -> None:
    """Bands of the CAR path from the forecast covariance, and from the scaled paths of the pool days."""
    sessions = fitted.abnormal.shape[-1]
    summed = np.tril(np.ones((sessions, sessions)))
    covariance = fitted.residual_std**2 * summed @ (np.eye(sessions) + 1 / panels.LENGTH) @ summed.T
    path, pool = fitted.abnormal.cumsum(), pool_paths(moves, sessions)
    for level in COVERAGE:
        band = multiple.simultaneous_band(
            path, covariance=covariance, level=level, df=cases.DF, simulations=SIMULATED_PATHS, seed=seed
        )
        _keep(outcomes, "pointwise band, whole path", level, band.pointwise_low, band.pointwise_high)
        _keep(outcomes, "sup_t band", level, band.conf_low, band.conf_high)
        drawn = multiple.simultaneous_band(path, draws=pool, level=level)
        _keep(outcomes, "sup_t band, scaled pool paths", level, drawn.conf_low, drawn.conf_high)


def pool_paths(moves: np.ndarray, sessions: int) -> np.ndarray:
    """CAR paths from the pool days, each by the volatility before it and times the volatility before the event."""
    sigma = ewma_volatility(moves, start=EWMA_START)
    taus = np.arange(sessions)
    paths = rolling_paths("constant_mean", moves, None, placebos.ROWS[1:], cases.ESTIMATION, taus=taus).cumsum(axis=1)
    return paths / sigma[placebos.ROWS[1:], None] * sigma[placebos.DAY_ZERO]


def _keep(outcomes: Outcomes, name: str, level: float, low: np.ndarray | float, high: np.ndarray | float) -> None:
    covered = bool(np.all((np.asarray(low) <= 0) & (np.asarray(high) >= 0)))
    outcomes.add_interval(name, level, covered, float(np.mean(np.asarray(high) - np.asarray(low))) / panels.DAILY)
