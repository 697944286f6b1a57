"""Random panels for the tests of the engine, and the slow way to the same numbers."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from market_reaction.engine import Panel
from market_reaction.errors import EstimationError
from market_reaction.normal_models import fit_normal_model, rolling_paths
from market_reaction.rows import rows_or_nan

MODELS = ("constant_mean", "zero_mean", "market_adjusted", "market", "factors", "dimson")


class Case(NamedTuple):
    """A panel and events on it."""

    panel: Panel
    assets: np.ndarray
    days: np.ndarray


def make_case(
    seed: int = 0, assets: int = 6, sessions: int = 420, factors: int = 1, events: int = 120, missing: float = 0.05
) -> Case:
    """Returns with holes in every other security, and events everywhere, at both edges too."""
    rng = np.random.default_rng(seed)
    columns = rng.normal(0, 0.01, (sessions, factors))
    returns = rng.normal(0, 0.02, (assets, sessions)) + rng.normal(0.5, 0.4, (assets, factors)) @ columns.T
    holes = rng.random(returns.shape) < missing
    holes[::2] = False
    returns[holes] = np.nan
    panel = Panel(returns, factors=columns)
    return Case(panel, rng.integers(0, assets, events), rng.integers(0, sessions + 2, events))


def factors_of(panel: Panel, model: str) -> np.ndarray | None:
    """What the models of one event take."""
    return None if model in ("constant_mean", "zero_mean") else panel.factors


def slow_paths(case: Case, model: str, estimation: tuple[int, int], taus: np.ndarray, **shifts: int) -> np.ndarray:
    """Abnormal returns by ``rolling_paths``, security by security."""
    panel = case.panel
    result = np.full((len(case.days), len(taus)), np.nan)
    for asset in range(panel.n_assets):
        mine = np.flatnonzero(case.assets == asset)
        skip = panel.skip if panel.skip is None or panel.skip.ndim == 1 else panel.skip[asset]
        result[mine] = rolling_paths(
            model, panel.returns[asset], factors_of(panel, model), case.days[mine], estimation, taus=taus, skip=skip,
            **shifts,
        )  # fmt: skip
    return result


def slow_fit(
    panel: Panel, asset: int, day: int, model: str, estimation: tuple[int, int], window: tuple[int, int],
    lags: int = 0, leads: int = 0,
) -> dict[str, object] | None:  # fmt: skip
    """CAR, standard error and the rest by ``fit_normal_model``; None where it refuses."""
    first, last = estimation
    if day + first < 0 or day >= panel.n_sessions:
        return None
    rows = slice(day + first, day + last + 1)
    returns = panel.returns[asset, rows].copy()
    if panel.skip is not None:
        returns[(panel.skip if panel.skip.ndim == 1 else panel.skip[asset])[rows]] = np.nan
    factors = factors_of(panel, model)
    names = [] if factors is None else [f"f{at}" for at in range(factors.shape[1])]
    shifts = {"lags": lags, "leads": leads} if model == "dimson" else {}
    try:
        fit = fit_normal_model(model, returns, None if factors is None else factors[rows], names=names, **shifts)
    except EstimationError:
        return None
    if fit.nobs * 2 < last - first + 1:
        return None
    at = day + np.arange(window[0], window[1] + 1)
    around = day + np.arange(window[0] - fit.lags, window[1] + fit.leads + 1)
    ahead = None if factors is None else rows_or_nan(factors, around)
    abnormal = fit.abnormal(rows_or_nan(panel.returns[asset], at), ahead)
    cov = fit.forecast_covariance(len(at), ahead)
    return {
        "coefficients": fit.coefficients,
        "residual_std": fit.residual_std,
        "df": fit.df_resid,
        "n_used": fit.nobs,
        "ar": abnormal,
        "ar_std_error": np.sqrt(np.diag(cov)),
        "car": abnormal.sum(),
        "car_std_error": np.sqrt(cov.sum()),
    }
