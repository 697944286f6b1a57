"""How exact the engine is beside a least-squares loop and sums in extended precision."""

from __future__ import annotations

import numpy as np

import engine_baselines as baselines
from engine_timing import Events, Figures, make_events, make_returns, ours


def accuracy() -> Figures:
    """Largest differences to a centred least-squares loop, and to extended precision at levels of a million."""
    returns, market = make_returns()
    events = make_events(2000)
    loop = baselines.lstsq_loop(returns, market, *events)
    figures: Figures = {}
    for kernel in ("gather", "sums"):
        found = ours(returns, market, events, kernel=kernel)
        figures |= {
            f"{kernel}: largest |dCAR| in standard errors": float(
                (np.abs(found.car[:, 0] - loop.car) / loop.std_error).max()
            ),
            f"{kernel}: largest relative error of a standard error": float(
                np.abs(found.car_std_error[:, 0] / loop.std_error - 1).max()
            ),
        }
        lifted = ours(returns + 1e6, market, events, kernel=kernel)
        figures[f"{kernel}: the same at levels of a million, against extended precision"] = _against_extended(
            returns + 1e6, market, events, lifted.car[:, 0], loop.std_error
        )
    plain = baselines.lstsq_loop(returns + 1e6, market, *events)
    figures["lstsq loop at levels of a million"] = _against_extended(
        returns + 1e6, market, events, plain.car, loop.std_error
    )
    return figures


def _against_extended(
    returns: np.ndarray, market: np.ndarray, events: Events, car: np.ndarray, std_error: np.ndarray
) -> float:
    """Largest |dCAR| in standard errors against sums in extended precision, over the first 300 events."""
    worst = 0.0
    for asset, day, value, error in zip(*(part[:300] for part in (*events, car, std_error)), strict=True):
        before = slice(day + baselines.FIRST - baselines.LENGTH, day + baselines.FIRST)
        around = slice(day + baselines.FIRST, day + baselines.LAST + 1)
        x, y = market[before].astype(np.longdouble), returns[asset, before].astype(np.longdouble)
        mean, level = x.mean(), y.mean()
        slope = (x - mean) @ (y - level) / ((x - mean) @ (x - mean))
        exact = (returns[asset, around] - level - slope * (market[around] - mean)).sum()
        worst = max(worst, float(abs(value - exact) / error))
    return worst
