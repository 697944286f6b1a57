"""Abnormal returns of many events with their standard errors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from market_reaction.engine.design import Design
from market_reaction.engine.gather import stretches
from market_reaction.engine.linear import dot, times


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class AbnormalReturns:
    """What ``abnormal_returns`` finds for n events; decimal returns, NaN where an event has no usable window.

    Attributes
    ----------
    taus : numpy.ndarray
        Session offsets of ``ar`` from day 0, shape (m,).
    windows : tuple of tuple of int
        Event windows, inclusive offsets.
    coefficients : numpy.ndarray
        Intercept and slopes, fixed ones included, shape (n, 1 + k).
    residual_std : numpy.ndarray
        s = sqrt(SSR / df), shape (n,); 0 where nothing but rounding is left over.
    df : numpy.ndarray
        Residual degrees of freedom, 0 where the model cannot be fitted, shape (n,).
    n_used : numpy.ndarray
        Sessions of the estimation window that count, shape (n,); 0 where it reaches outside the panel.
    ar : numpy.ndarray or None
        Abnormal returns, shape (n, m); None when they were not asked for.
    car, car_std_error : numpy.ndarray
        Sums over the windows and their forecast standard errors, shape (n, w); NaN where a session of the window has no
        abnormal return.
    n_known : numpy.ndarray
        Sessions of each window that have an abnormal return, shape (n, w).
    kernel : str
        ``"gather"`` or ``"sums"``.
    fell_back : numpy.ndarray
        Events of the ``sums`` kernel that were computed by ``gather``, because cancellation could have spoilt them,
        shape (n,) of bool.
    means, inverse : numpy.ndarray
        Means of the centred regressors over the estimation window, shape (n, k), and the inverse of their centred cross
        products, shape (n, k, k).
    days : numpy.ndarray
        Session of day 0, shape (n,).
    design : Design
        Regressors of the model over all sessions.

    Notes
    -----
    Var(CAR) = s^2 [m + x_W'(X'X)^-1 x_W], with x_W the sum of the regressor rows of the window. Models without
    estimated coefficients have the first term alone.

    References
    ----------
    MacKinlay (1997), Journal of Economic Literature 35:13, section 5.
    """

    taus: np.ndarray
    windows: tuple[tuple[int, int], ...]
    coefficients: np.ndarray
    residual_std: np.ndarray
    df: np.ndarray
    n_used: np.ndarray
    ar: np.ndarray | None
    car: np.ndarray
    car_std_error: np.ndarray
    n_known: np.ndarray
    kernel: str
    fell_back: np.ndarray
    means: np.ndarray
    inverse: np.ndarray
    days: np.ndarray
    design: Design
    estimation: tuple[int, int]

    @property
    def ar_std_error(self) -> np.ndarray:
        """Forecast standard error of each abnormal return, s sqrt(1 + x0'(X'X)^-1 x0), shape (n, m); computed anew."""
        result = np.repeat(self.residual_std[:, None], len(self.taus), axis=1)
        if not self.design.fixed and len(self.days):
            result *= np.sqrt(1.0 + self._leverage())
        if self.ar is not None:
            result[np.isnan(self.ar)] = np.nan
        return result

    @property
    def sar(self) -> np.ndarray | None:
        """Abnormal returns over their standard errors, shape (n, m), NaN without a spread; None without ``ar``."""
        return None if self.ar is None else _in_standard_errors(self.ar, self.ar_std_error)

    @property
    def scar(self) -> np.ndarray:
        """CAR over its standard error, shape (n, w); NaN where the estimation window has no spread."""
        return _in_standard_errors(self.car, self.car_std_error)

    @property
    def none_usable(self) -> str:
        """Why not one event is usable; empty where one is, and where there are no events."""
        if not len(self) or (self.df > 0).any():
            return ""
        sessions, needed = self.design.columns.shape[1], -self.estimation[0]
        if sessions <= needed:
            return (
                f"no estimation window fits: {sessions} sessions, {needed} needed before day 0; "
                "is the panel transposed?"
            )
        inside = self.days[(self.days >= 0) & (self.days < sessions)]
        if not len(inside):
            return f"every day lies outside the panel, which has sessions 0 to {sessions - 1}"
        if inside.max() < needed:
            return f"no estimation window fits: {inside.max()} sessions before the latest day 0, {needed} needed"
        return "the estimation windows hold too few returns, or their factors are collinear"

    def _leverage(self) -> np.ndarray:
        """x0'(X'X)^-1 x0 of every event and session, shape (n, m)."""
        count, width = len(self.taus), self.design.width
        sessions = self.design.columns.shape[1]
        before, after = max(0, -int(self.taus[0])), max(0, int(self.taus[-1]))
        start = np.clip(self.days + self.taus[0], -before, sessions - 1 + after - count + 1) + before
        columns = [stretches(row, start, count) for row in self.design.padded(before, after)]
        leverage = np.repeat(1.0 / np.maximum(self.n_used, 1)[:, None], count, axis=1)
        gaps = [columns[at] - self.means[:, at : at + 1] for at in range(width)]
        for one in range(width):
            for two in range(width):
                leverage += gaps[one] * gaps[two] * self.inverse[:, one, two][:, None]
        return leverage

    def __len__(self) -> int:
        return len(self.days)

    def __repr__(self) -> str:
        usable = int((self.df > 0).sum())
        why = f"; {self.none_usable}" if self.none_usable else ""
        return (
            f"AbnormalReturns({len(self)} events, {usable} usable, {len(self.windows)} windows, "
            f"kernel={self.kernel!r}, {int(self.fell_back.sum())} fell back{why})"
        )


def _in_standard_errors(values: np.ndarray, errors: np.ndarray) -> np.ndarray:
    result = np.full(values.shape, np.nan)
    np.divide(values, errors, out=result, where=errors > 0)
    return result


def leverages(n: np.ndarray, means: np.ndarray, inverse: np.ndarray, sums: np.ndarray, length: int) -> np.ndarray:
    """x_W'(X'X)^-1 x_W of one window at b events; ``sums`` (k, b) are of the centred regressors."""
    gaps = sums - length * means
    value: np.ndarray = length * length / np.maximum(n, 1) + dot(times(inverse, gaps), gaps)
    return value
