"""Random panels for the tests of the engine, and the slow way to the same numbers."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from market_reaction.engine import Panel

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
    owners, days = rng.integers(0, assets, events), rng.integers(0, sessions + 2, events)
    return Case(panel, owners, np.minimum(days, sessions - 1))


def slow_paths(case: Case, model: str, estimation: tuple[int, int], taus: np.ndarray, **shifts: int) -> np.ndarray:
    """Abnormal returns (n, m), event by event."""
    window = int(taus[0]), int(taus[-1])
    result = np.full((len(case.days), len(taus)), np.nan)
    for row, asset, day in zip(result, case.assets, case.days, strict=True):
        slow = slow_fit(case.panel, asset, day, model, estimation, window, **shifts)
        if slow is not None:
            row[...] = slow["ar"]
    return result


def slow_fit(
    panel: Panel, asset: int, day: int, model: str, estimation: tuple[int, int], window: tuple[int, int],
    lags: int = 0, leads: int = 0,
) -> dict[str, object] | None:  # fmt: skip
    """CAR, standard error and the rest by ``numpy.linalg.lstsq`` alone; None where a window cannot be used."""
    first, last = estimation
    if day + first < 0 or day >= panel.n_sessions:
        return None
    design, returns = slow_design(panel, model, lags, leads), panel.returns[asset]
    rows = np.arange(day + first + lags, day + last - leads + 1)
    used = np.isfinite(returns[rows]) & np.isfinite(design[rows]).all(axis=1)
    if panel.skip is not None:
        used &= ~np.broadcast_to(panel.skip, panel.returns.shape)[asset, rows]
    x, y, n = design[rows[used]], returns[rows[used]], int(used.sum())
    fixed = model in ("zero_mean", "market_adjusted")
    df = n if fixed else n - x.shape[1]
    norms = np.linalg.norm(x, axis=0)
    if n * 2 < last - first + 1 or df < 20 or (not fixed and np.linalg.matrix_rank(x / norms) < x.shape[1]):
        return None
    given = np.append(0.0, np.ones(x.shape[1] - 1))
    coefficients = given if fixed else np.linalg.lstsq(x / norms, y, rcond=None)[0] / norms
    root = np.zeros_like(x) if fixed else np.linalg.pinv(x / norms).T / norms
    std = np.sqrt(((y - x @ coefficients) ** 2).sum() / df)
    around = day + np.arange(window[0], window[1] + 1)
    beyond, at = around >= panel.n_sessions, np.minimum(around, panel.n_sessions - 1)
    ahead, actual = np.where(beyond[:, None], np.nan, design[at]), np.where(beyond, np.nan, returns[at])
    abnormal = actual - ahead @ coefficients
    cov = std**2 * (np.eye(len(ahead)) + ahead @ (root.T @ root) @ ahead.T)
    return {
        "coefficients": coefficients,
        "residual_std": std,
        "df": df,
        "n_used": n,
        "ar": abnormal,
        "ar_std_error": np.sqrt(np.diag(cov)),
        "car": abnormal.sum(),
        "car_std_error": np.sqrt(cov.sum()),
    }


def slow_design(panel: Panel, model: str, lags: int, leads: int) -> np.ndarray:
    """One and the regressors of every session, shape (T, 1 + k); NaN where a lag or lead lies outside the panel."""
    count = panel.n_sessions
    if model in ("constant_mean", "zero_mean"):
        return np.ones((count, 1))
    shifted = np.full((count, lags + leads + 1, panel.factors.shape[1]), np.nan)
    for session in range(count):
        for number, at in enumerate(range(session - lags, session + leads + 1)):
            if 0 <= at < count:
                shifted[session, number] = panel.factors[at]
    return np.column_stack([np.ones(count), shifted.reshape(count, -1)])
