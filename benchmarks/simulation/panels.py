"""Simulated returns: one common factor, GARCH(1,1) volatility in each market, and events whose shocks may be larger.

Shocks are sqrt(rho) * factor + sqrt(1 - rho) * own, each part with mean 0 and variance 1, so that the correlation of
two markets on one day is rho. Every run has paths of its own; no day serves two runs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulation.cells import Cell

LENGTH, GAP = 120, 10  # estimation sessions, and sessions between their end and day 0
ARCH, GARCH = 0.07, 0.90  # persistence 0.97
DAILY = 0.01  # unconditional standard deviation
SKEWED_DF = 4  # chi-squared shocks, skewness sqrt(8 / 4)
BURN_IN = 200
TWICE = {"none": (1.0, 1.0), "all": (2.0, 2.0), "factor": (2.0, 1.0)}  # what multiplies (factor, own) at an event


@dataclass(frozen=True, slots=True)
class Panel:
    """Returns and the volatility they were drawn with, both of shape (runs, N, T)."""

    returns: np.ndarray
    volatility: np.ndarray


def shocks(rng: np.random.Generator, kind: str, shape: tuple[int, ...]) -> np.ndarray:
    """Independent draws with mean 0 and variance 1; ``"t"`` and ``"garch_t"`` are t with 5 degrees of freedom."""
    if kind in ("t", "garch_t"):
        return rng.standard_t(5, size=shape) * np.sqrt(3 / 5)
    if kind == "skewed":
        return (rng.chisquare(SKEWED_DF, size=shape) - SKEWED_DF) / np.sqrt(2 * SKEWED_DF)
    return rng.standard_normal(shape)


def draw(
    rng: np.random.Generator,
    runs: int,
    markets: int,
    sessions: int,
    *,
    rho: float = 0.0,
    errors: str = "garch_t",
    event_rows: np.ndarray | None = None,
    larger: str = "none",
) -> Panel:
    """Draw panels of independent runs.

    Parameters
    ----------
    rng : numpy.random.Generator
        Where the draws come from.
    runs, markets, sessions : int
        Shape of the panels.
    rho : float
        Correlation of two markets on one day, 0 to 1.
    errors : {"garch_t", "t", "normal", "skewed"}
        GARCH(1,1) with t(5) shocks, or independent t(5), normal or chi-squared(4) shocks of one variance.
    event_rows : numpy.ndarray, optional
        Sessions of the events.
    larger : {"none", "all", "factor"}
        Which shocks have four times their variance on those sessions.
    """
    before = BURN_IN if errors == "garch_t" else 0
    factor_by, own_by = (np.ones(before + sessions) for _ in range(2))
    if event_rows is not None:
        factor_by[before + event_rows], own_by[before + event_rows] = TWICE[larger]
    factor = shocks(rng, errors, (before + sessions, runs, 1)) * (factor_by * np.sqrt(rho))[:, None, None]
    own = shocks(rng, errors, (before + sessions, runs, markets)) * (own_by * np.sqrt(1 - rho))[:, None, None]
    returns, volatility = _garch(factor + own) if errors == "garch_t" else _constant(factor + own)
    return Panel(*(np.ascontiguousarray(np.moveaxis(part[before:], 0, 2)) for part in (returns, volatility)))


def ending_with_event(cell: Cell, rng: np.random.Generator, runs: int, day_zero: int) -> Panel:
    """Panels of a cell that end with its event window, all of whose sessions may have larger shocks."""
    return draw(
        rng, runs, cell.markets, day_zero + cell.window,
        rho=cell.rho, errors=cell.errors, event_rows=day_zero + np.arange(cell.window), larger=cell.larger,
    )  # fmt: skip


def _constant(shock: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return shock * DAILY, np.full_like(shock, DAILY)


def _garch(shock: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Run h_t = omega + a r_{t-1}^2 + b h_{t-1} along the first axis, from the unconditional variance."""
    returns, volatility = np.empty_like(shock), np.empty_like(shock)
    variance = np.full(shock.shape[1:], DAILY**2)
    for row, today in enumerate(shock):
        volatility[row] = np.sqrt(variance)
        returns[row] = volatility[row] * today
        variance = DAILY**2 * (1 - ARCH - GARCH) + ARCH * returns[row] ** 2 + GARCH * variance
    return returns, volatility
