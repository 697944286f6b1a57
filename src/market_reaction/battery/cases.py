"""Several cases as the arrays the classical tests take: the markets of one event, or the events of one market."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from market_reaction.inference.parametric import mean_correlation
from market_reaction.pair_study import PairStudy
from market_reaction.study_result import EventStudyResult
from market_reaction.windows import Window


@dataclass(frozen=True, slots=True)
class Cases:
    """N cases, one row each.

    Attributes
    ----------
    names : tuple of str
        Markets or events.
    car, std_error : numpy.ndarray
        CAR over the window tested and its forecast standard error, shape (N,); NaN where incomplete.
    df_resid : numpy.ndarray
        Degrees of freedom of each fit, shape (N,).
    residual_std : numpy.ndarray
        Residual standard deviation of each fit, shape (N,).
    residuals : numpy.ndarray
        Estimation residuals, shape (N, L): by calendar date for markets, by session offset for events.
    abnormal : numpy.ndarray
        Abnormal returns of the window tested, shape (N, m).
    unit : str
        Unit of the moves where all cases have the same; empty where they differ.
    constant_mean : bool
        Whether the normal return is a constant mean, for which alone some forecast errors are exact.
    """

    names: tuple[str, ...]
    car: np.ndarray
    std_error: np.ndarray
    df_resid: np.ndarray
    residual_std: np.ndarray
    residuals: np.ndarray
    abnormal: np.ndarray
    unit: str
    constant_mean: bool

    def chosen(self, rows: np.ndarray) -> Cases:
        """Some of the cases, by row."""
        return Cases(
            names=tuple(self.names[at] for at in rows.tolist()),
            car=self.car[rows],
            std_error=self.std_error[rows],
            df_resid=self.df_resid[rows],
            residual_std=self.residual_std[rows],
            residuals=self.residuals[rows],
            abnormal=self.abnormal[rows],
            unit=self.unit,
            constant_mean=self.constant_mean,
        )

    @property
    def scar(self) -> np.ndarray:
        """CAR over forecast standard error, shape (N,)."""
        return self.car / self.std_error

    @property
    def standardized(self) -> np.ndarray:
        """Estimation residuals over their standard deviation, shape (N, L)."""
        return self.residuals / self.residual_std[:, None]

    @property
    def with_window(self) -> np.ndarray:
        """Estimation residuals, then the abnormal returns of the window, shape (N, L + m)."""
        return np.column_stack([self.residuals, self.abnormal])

    @property
    def window_columns(self) -> slice:
        """Columns of ``with_window`` that are the window."""
        return slice(self.residuals.shape[1], None)

    @property
    def correlation(self) -> float:
        """Mean pairwise correlation of the residuals over common columns."""
        return mean_correlation(self.residuals.T)


def _stacked(names: list[str], pairs: list[PairStudy], window: Window, residuals: np.ndarray, unit: str) -> Cases:
    totals = np.array([pair.car(window) for pair in pairs])
    return Cases(
        names=tuple(names),
        car=totals[:, 0],
        std_error=totals[:, 1],
        df_resid=np.array([pair.fit.df_resid for pair in pairs], dtype=float),
        residual_std=np.array([pair.fit.residual_std for pair in pairs]),
        residuals=residuals,
        abnormal=np.array([pair.abnormal[pair.rows(window)] for pair in pairs]),
        unit=unit,
        constant_mean=all(pair.fit.model == "constant_mean" for pair in pairs),
    )


def cases_of_markets(study: EventStudyResult, pairs: Mapping[str, PairStudy], window: Window) -> Cases:
    """Markets of one event; their residuals are paired by calendar date, never by place in the window."""
    by_date = pd.concat(
        {
            market: pd.Series(
                pair.fit.residuals,
                index=study.prices[market].sessions[pair.estimation_rows(study.windows.estimation)],
            )
            for market, pair in pairs.items()
        },
        axis=1,
        sort=True,
    )
    units = {study.design.units[market] for market in pairs}
    unit = units.pop() if len(units) == 1 else ""
    return _stacked(list(pairs), list(pairs.values()), window, by_date.to_numpy().T, unit)


def cases_of_events(study: EventStudyResult, market: str, window: Window) -> Cases:
    """Events of one market; their residuals are placed by session offset, for the events lie on different dates."""
    pairs = {event_id: pair for (event_id, name), pair in study.pairs.items() if name == market}
    first, last = study.windows.estimation
    residuals = np.full((len(pairs), last - first + 1), np.nan)
    for row, pair in zip(residuals, pairs.values(), strict=True):
        row[pair.fit.used] = pair.fit.residuals
    return _stacked(list(pairs), list(pairs.values()), window, residuals, study.design.units[market])
