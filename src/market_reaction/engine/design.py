"""What a normal-return model regresses on, prepared once for a panel."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from market_reaction.errors import WindowError
from market_reaction.rows import shifted_columns

MODELS = ("constant_mean", "zero_mean", "market_adjusted", "market", "factors", "dimson")
FIXED = ("zero_mean", "market_adjusted")


@dataclass(frozen=True, slots=True, eq=False)
class Design:
    """Regressors of a model over all sessions.

    Attributes
    ----------
    model : str
        One of ``MODELS``.
    columns : numpy.ndarray
        Regressors less ``centre``, shape (k, T); zero where one of the session is missing.
    known : numpy.ndarray or None
        Whether a session has all regressors, shape (T,); None when all have.
    centre : numpy.ndarray
        What was taken off, shape (k,); zero for fixed coefficients.
    lags, leads : int
        Sessions at either end of an estimation window whose regressors would come from outside it.
    """

    model: str
    columns: np.ndarray
    known: np.ndarray | None
    centre: np.ndarray
    lags: int
    leads: int
    _window_sums: dict[tuple[int, int], np.ndarray] = field(default_factory=dict, init=False, repr=False)
    _padded: dict[tuple[int, int], np.ndarray] = field(default_factory=dict, init=False, repr=False)

    @property
    def fixed(self) -> bool:
        """Whether no coefficient is estimated."""
        return self.model in FIXED

    @property
    def width(self) -> int:
        """Number of regressors k, fixed slopes included."""
        return len(self.columns)

    @property
    def estimated(self) -> int:
        """Number of estimated coefficients."""
        return 0 if self.fixed else 1 + self.width

    @property
    def regressors(self) -> np.ndarray:
        """Columns with an estimated slope, shape (k, T) or (0, T)."""
        return self.columns[:0] if self.fixed else self.columns

    def inner(self, estimation: tuple[int, int]) -> tuple[int, int]:
        """First offset of the estimation window whose regressors lie inside it, and the number of such sessions."""
        return estimation[0] + self.lags, estimation[1] - estimation[0] + 1 - self.lags - self.leads

    def padded(self, before: int, after: int) -> np.ndarray:
        """Columns with NaN where unknown and around the panel, shape (k, before + T + after); kept, read-only."""
        found = self._padded.get((before, after))
        if found is None:
            found = np.full((self.width, before + self.columns.shape[1] + after), np.nan)
            inside = found[:, before : before + self.columns.shape[1]]
            inside[...] = self.columns if self.known is None else np.where(self.known, self.columns, np.nan)
            found.flags.writeable = False
            self._padded[before, after] = found
        return found

    def window_sums(self, window: tuple[int, int]) -> np.ndarray:
        """Sum of each column over the event window around every session, (k, T); NaN where incomplete; read-only."""
        found = self._window_sums.get(window)
        if found is None:
            first, last = window
            before = max(0, -first)
            view = sliding_window_view(self.padded(before, max(0, last)), last - first + 1, axis=1)
            found = np.einsum("ktm->kt", view[:, before + first : before + first + self.columns.shape[1]])
            found.flags.writeable = False
            self._window_sums[window] = found
        return found


class Fit(NamedTuple):
    """Models fitted at b events, in the units of the centred returns and columns; NaN where a window cannot be used.

    The normal return of a session is ``pivot`` + ``level`` + sum of ``slopes`` x (column - ``means``), of which the
    pivot is taken off the returns first, so that rounding does not reach the rest. Shapes: ``n``, ``df``, ``std``,
    ``pivot``, ``level`` (b,); ``slopes``, ``means`` (k, b); ``inverse`` (k, k, b) of the centred cross products.
    """

    n: np.ndarray
    df: np.ndarray
    std: np.ndarray
    pivot: np.ndarray
    level: np.ndarray
    slopes: np.ndarray
    means: np.ndarray
    inverse: np.ndarray

    @classmethod
    def room(cls, width: int, count: int) -> Fit:
        """Arrays to write the fits of so many events with so many regressors to."""
        return cls(
            np.empty(count, dtype=np.int64), np.empty(count, dtype=np.int64), np.empty(count), np.empty(count),
            np.empty(count), np.empty((width, count)), np.empty((width, count)), np.empty((width, width, count)),
        )  # fmt: skip

    @classmethod
    def of_nothing(cls, width: int, count: int) -> Fit:
        """Fits of windows that cannot be used, no session of which counts."""
        fit = cls.room(width, count)
        fit.pivot[...] = 0.0
        fit.leave_out(np.ones(count, dtype=bool))
        return fit

    @classmethod
    def of_fixed(cls, n: np.ndarray, squares: np.ndarray, width: int) -> Fit:
        """Fits with slopes of one that nobody estimates, from the squares of the abnormal returns."""
        fit = cls.room(width, len(n))
        fit.n[...] = fit.df[...] = n
        fit.std[...] = np.sqrt(squares / np.maximum(n, 1))
        fit.slopes[...] = 1.0
        for part in (fit.pivot, fit.level, fit.means, fit.inverse):
            part[...] = 0.0
        return fit

    def coefficients(self, centre: np.ndarray) -> np.ndarray:
        """Intercept and slopes on columns of which ``centre`` (k,) was taken off, shape (b, 1 + k)."""
        result = np.empty((len(self.n), 1 + len(centre)))
        result[:, 1:] = self.slopes.T
        result[:, 0] = self.pivot + self.level
        for slope, mean, origin in zip(self.slopes, self.means, centre, strict=True):
            result[:, 0] -= slope * (origin + mean)
        return result

    def coefficient_inverse(self, centre: np.ndarray) -> np.ndarray:
        """(X'X)^-1 of intercept and slopes on columns of which ``centre`` was taken off, shape (b, 1 + k, 1 + k)."""
        means, inverse = self.means.T + centre, self.inverse.transpose(2, 0, 1)
        carried = np.einsum("nij,nj->ni", inverse, means)
        result = np.empty((len(self.n), 1 + len(centre), 1 + len(centre)))
        result[:, 1:, 1:] = inverse
        result[:, 0, 1:] = result[:, 1:, 0] = -carried
        result[:, 0, 0] = 1.0 / np.maximum(self.n, 1) + np.einsum("ni,ni->n", carried, means)
        return result

    def put(self, at: np.ndarray, other: Fit) -> None:
        """Write the fits of some events, by their positions here."""
        for mine, theirs in zip(self, other, strict=True):
            mine[..., at] = theirs

    def discard(self, bad: np.ndarray) -> None:
        """Make the events of a mask NaN, with no degrees of freedom."""
        if not bad.any():
            return
        self.df[bad] = 0
        for part in (self.std, self.level, self.slopes, self.means, self.inverse):
            part[..., bad] = np.nan

    def leave_out(self, outside: np.ndarray) -> None:
        """Discard the events of a mask, of which no session is inside the panel."""
        self.discard(outside)
        self.n[outside] = 0


def make_design(model: str, factors: np.ndarray | None, sessions: int, lags: int, leads: int) -> Design:
    """Check a model against the factors of a panel and prepare its regressors.

    Raises
    ------
    WindowError
        The model is not one of ``MODELS``, has no factor or too many, or takes no lags and leads.
    """
    _check(model, factors, lags, leads)
    if factors is None or model in ("constant_mean", "zero_mean"):
        return Design(model, np.empty((0, sessions)), None, np.empty(0), 0, 0)
    columns = factors
    if lags or leads:
        columns = np.full((sessions, lags + leads + 1), np.nan)
        if sessions > lags + leads:
            columns[lags : sessions - leads] = shifted_columns(factors, lags, leads)
    known = np.isfinite(columns).all(axis=1)
    centre = np.zeros(columns.shape[1])
    if model not in FIXED and known.any():
        centre = np.median(columns[known], axis=0)
    centred = np.ascontiguousarray(np.where(known[:, None], columns - centre, 0.0).T)
    return Design(model, centred, None if known.all() else known, centre, lags, leads)


def _check(model: str, factors: np.ndarray | None, lags: int, leads: int) -> None:
    if model not in MODELS:
        raise WindowError(f"model={model!r} is not one of the engine's; choose one of {', '.join(MODELS)}.")
    if lags < 0 or leads < 0:
        raise WindowError(f"lags={lags} and leads={leads}: give 0 or a positive number of sessions.")
    if (lags or leads) and model != "dimson":
        raise WindowError(f"model={model!r} takes no lags or leads; lags={lags}, leads={leads} given. Use 'dimson'.")
    if model in ("constant_mean", "zero_mean"):
        return
    if factors is None:
        raise WindowError(f"model={model!r} needs factors; give Panel(returns, factors=...) or use 'constant_mean'.")
    if model != "factors" and factors.shape[1] != 1:
        raise WindowError(
            f"model={model!r} takes one factor; the panel has {factors.shape[1]}. Use 'factors', or a panel with one."
        )
