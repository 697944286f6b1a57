"""Estimates and scales of many specifications at many sessions of one market: arrays in, arrays out.

An abnormal return depends on the counterfactual, the estimation window and the kind of returns alone, so each is
computed once; event windows and scales follow from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.lib.stride_tricks import sliding_window_view

from market_reaction.engine import AbnormalReturns, Panel, abnormal_returns
from market_reaction.inference.scales import mad_std_rows

FITTED_BY = ["counterfactual", "returns", "contaminated", "session", "length", "gap"]
DIMSON = (1, 0)  # sessions of the benchmark before and after, as event_study takes them
_LEVEL_ONLY = ("constant_mean", "zero_mean")  # their residuals differ by a constant, which MAD does not see


@dataclass(slots=True)
class MarketArrays:
    """One market session by session, with the panels built from it.

    Attributes
    ----------
    moves : mapping of str to numpy.ndarray
        Moves by kind, shape (T,).
    columns : mapping of (counterfactual, kind) to numpy.ndarray or None
        Regressors, shape (T, k).
    sigma : mapping of str to numpy.ndarray
        Volatility known at the close before each session by kind, shape (T,).
    skipped : numpy.ndarray
        Sessions that ``"out"`` takes from estimation windows, shape (T,) of bool.
    """

    moves: Mapping[str, np.ndarray]
    columns: Mapping[tuple[str, str], np.ndarray | None]
    sigma: Mapping[str, np.ndarray]
    skipped: np.ndarray
    panels: dict[tuple[str, bool, bool], Panel] = field(default_factory=dict)

    def panel(self, model: str, kind: str, out: bool) -> Panel:
        """Panel of a kind of returns, kept so that its sums are built once; benchmark models share one."""
        columns = self.columns[model, kind]
        key = (kind, out, False) if columns is None else (f"{kind} {model == 'factors'}", out, True)
        if key not in self.panels:
            self.panels[key] = Panel(self.moves[kind][None], columns, self.skipped if out else None)
        return self.panels[key]


class Estimates(NamedTuple):
    """K specifications at n sessions.

    Attributes
    ----------
    car, std_error : numpy.ndarray
        Sum of the abnormal returns over the window and what it is divided by, shape (n, K).
    df : numpy.ndarray
        Degrees of freedom of the reference distribution, shape (n, K); infinite for the normal one.
    sigma : numpy.ndarray
        Current volatility, known at the close before day 0, shape (n, K).
    """

    car: np.ndarray
    std_error: np.ndarray
    df: np.ndarray
    sigma: np.ndarray

    def at(self, rows: slice | np.ndarray) -> Estimates:
        """Some of the sessions."""
        return Estimates(*(part[rows] for part in self))

    def of(self, chosen: np.ndarray) -> Estimates:
        """Some of the specifications."""
        return Estimates(*(part[:, chosen] for part in self))


def estimate(arrays: MarketArrays, table: pd.DataFrame, sessions: np.ndarray, offsets: Mapping[str, int]) -> Estimates:
    """Measure every specification at every session.

    Parameters
    ----------
    arrays : MarketArrays
        The market.
    table : pandas.DataFrame
        Specifications, one row each, with the choices as columns.
    sessions : numpy.ndarray
        Rows to treat as the headline session, shape (n,).
    offsets : mapping of str to int
        Sessions from the headline to the one each level of ``"session"`` takes.

    Returns
    -------
    Estimates
        NaN where something is missing.

    Notes
    -----
    With q = m + x_W'(X'X)^-1 x_W: ``residual`` s sqrt(q), t with L - k degrees of freedom; ``mad`` 1.4826 MAD of the
    residuals times sqrt(q), ``ewma`` sigma_t sqrt(m), both against the normal distribution, which is approximate.
    """
    shape = (len(sessions), len(table))
    found = Estimates(*(np.full(shape, np.nan) for _ in Estimates._fields))
    mads: dict[tuple[object, ...], np.ndarray] = {}
    for group in fitted_alike(table):
        days = sessions + offsets[group.session]
        panel = arrays.panel(group.model, group.kind, group.out)
        lags, leads = DIMSON if group.model == "dimson" else (0, 0)
        fit = abnormal_returns(
            panel, np.zeros(len(days), dtype=np.intp), days, model=group.model, estimation=group.estimation,
            windows=group.windows, lags=lags, leads=leads, paths=False, outside="nan", threads=1,
        )  # fmt: skip
        spread = fit.residual_std
        if "mad" in group.scaling:
            name = ("level" if group.model in _LEVEL_ONLY else group.model, *group[1:6])
            if name not in mads:
                mads[name] = residual_mad(panel, fit, days, group.estimation)
            spread = mads[name]
        sigma = _at(arrays.sigma[group.kind], days)
        robust = spread / np.where(fit.residual_std > 0, fit.residual_std, np.nan)
        for at, number, scaling in zip(group.columns, group.numbers, group.scaling, strict=True):
            found.car[:, at] = fit.car[:, number]
            found.sigma[:, at] = sigma
            found.df[:, at] = fit.df if scaling == "residual" else np.inf
            if scaling == "ewma":
                first, last = group.windows[number]
                found.std_error[:, at] = sigma * np.sqrt(last - first + 1)
            else:
                error = fit.car_std_error[:, number]
                found.std_error[:, at] = error if scaling == "residual" else error * robust
    found.std_error[~(found.std_error > 0)] = np.nan
    return found


class Alike(NamedTuple):
    """Specifications with the same fitted model: its choices, their rows, and for each its window and scale."""

    model: str
    kind: str
    out: bool
    session: str
    length: int
    gap: int
    windows: tuple[tuple[int, int], ...]
    columns: tuple[int, ...]
    numbers: tuple[int, ...]
    scaling: tuple[str, ...]

    @property
    def estimation(self) -> tuple[int, int]:
        """Offsets of the estimation window."""
        return -self.gap - self.length, -self.gap - 1


def fitted_alike(table: pd.DataFrame) -> list[Alike]:
    """Specifications by fitted model, those of one model and kind of returns after each other."""
    rows = zip(*(table[name].tolist() for name in (*FITTED_BY, "window", "scaling")), strict=True)
    groups: dict[tuple[Any, ...], list[tuple[int, tuple[int, int], str]]] = {}
    for at, (*key, window, scaling) in enumerate(rows):
        groups.setdefault(tuple(key), []).append((at, window, scaling))
    result = []
    for (model, kind, contaminated, session, length, gap), members in groups.items():
        windows = tuple(dict.fromkeys(window for _, window, _ in members))
        columns, found, scaling = zip(*members, strict=True)
        numbers = tuple(windows.index(window) for window in found)
        result.append(
            Alike(model, kind, contaminated == "out", session, length, gap, windows, columns, numbers, scaling)
        )
    return result


def _at(values: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Values at some rows, NaN outside."""
    inside = (rows >= 0) & (rows < len(values))
    return np.where(inside, values[np.where(inside, rows, 0)], np.nan)


def residual_mad(panel: Panel, fit: AbnormalReturns, days: np.ndarray, estimation: tuple[int, int]) -> np.ndarray:
    """Robust spread of the residuals of each estimation window, shape (n,).

    Parameters
    ----------
    panel : Panel
        Of one security.
    fit : AbnormalReturns
        The models fitted at ``days`` with this estimation window.
    """
    design = fit.design
    first, length = design.inner(estimation)
    usable = panel.returns[0] if panel.skip is None else np.where(panel.skip, np.nan, panel.returns[0])
    usable = usable if design.known is None else np.where(design.known, usable, np.nan)
    start = days + first
    inside = (start >= 0) & (start + length <= panel.n_sessions)
    result = np.full(len(days), np.nan)
    if not inside.any():
        return result
    residuals = sliding_window_view(usable, length)[start[inside]]
    for column, slope in zip(design.columns, fit.coefficients[inside, 1:].T, strict=True):
        residuals -= slope[:, None] * sliding_window_view(column, length)[start[inside]]
    result[inside] = mad_std_rows(residuals)
    return result
