"""How a study is set up, and what its normal-return model takes in each market."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from market_reaction.inference.scales import ewma_volatility
from market_reaction.instruments import ReturnKind
from market_reaction.normal_models import NormalModel, rolling_abnormal, rolling_paths
from market_reaction.prices import PriceData, PriceSeries, moves_between
from market_reaction.rows import shifted_columns
from market_reaction.sessions import SessionClock, sessions_holding
from market_reaction.windows import EWMA_START, EventWindows, Window


@dataclass(frozen=True)
class Design:
    """How a study was set up.

    Attributes
    ----------
    normal_model : str
        Name of the normal-return model.
    returns : str or None
        Return kind asked for; None for each instrument's own.
    regressors : mapping of str to tuple of str
        Benchmark, factors or donors of each market; empty where the model takes none.
    units : mapping of str to str
        Unit of each market's moves: ``"return"``, ``"points"`` or ``"percentage points"``.
    skip : pandas.DataFrame or None
        Other events whose sessions may not enter an estimation window.
    dimson : tuple of int
        Sessions of the benchmark before and after each session that the model ``"dimson"`` takes.
    """

    normal_model: NormalModel
    returns: ReturnKind | None
    regressors: Mapping[str, tuple[str, ...]]
    units: Mapping[str, str]
    skip: pd.DataFrame | None = field(default=None, compare=False)
    dimson: tuple[int, int] = (1, 0)

    def counterfactual(self, series: PriceSeries, prices: PriceData, windows: EventWindows) -> Counterfactual:
        """What the normal-return model takes in one market, session by session."""
        names = self.regressors.get(series.name, ())
        return Counterfactual(
            model=self.normal_model,
            moves=series.returns(self.returns),
            names=names,
            regressors=regressor_moves(series, [prices[name] for name in names], self.returns),
            skipped=None if self.skip is None else skipped_sessions(series, self.skip, windows),
            dimson=self.dimson,
        )


@dataclass(frozen=True, slots=True)
class Counterfactual:
    """Moves of one market and of the markets its normal return is made of, by session of that market.

    Attributes
    ----------
    model : str
        Name of the normal-return model.
    moves : numpy.ndarray
        Returns or differences, shape (T,).
    names : tuple of str
        Benchmark, factors or donors.
    regressors : numpy.ndarray or None
        Their moves over the same sessions, shape (T, q).
    skipped : numpy.ndarray or None
        Sessions that may not enter an estimation window, shape (T,) of bool.
    dimson : tuple of int
        Sessions of the benchmark before and after that ``"dimson"`` takes.
    volatility : numpy.ndarray
        EWMA(0.97) volatility of the moves known the session before, shape (T,); NaN while it starts.
    """

    model: NormalModel
    moves: np.ndarray
    names: tuple[str, ...] = ()
    regressors: np.ndarray | None = None
    skipped: np.ndarray | None = None
    dimson: tuple[int, int] = (1, 0)
    volatility: np.ndarray = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "volatility", ewma_volatility(self.moves, start=EWMA_START))

    def abnormal(self, positions: np.ndarray, estimation: Window) -> np.ndarray:
        """Abnormal return at many positions, each from its own estimation window, shape (S,)."""
        lags, leads = self.dimson
        return rolling_abnormal(
            self.model, self.moves, self.regressors, positions, estimation, skip=self.skipped, lags=lags, leads=leads
        )

    def paths(self, positions: np.ndarray, estimation: Window, taus: np.ndarray) -> np.ndarray:
        """Abnormal returns at offsets from many positions, each with one estimation window, shape (S, m)."""
        lags, leads = self.dimson
        return rolling_paths(
            self.model, self.moves, self.regressors, positions, estimation,
            taus=taus, skip=self.skipped, lags=lags, leads=leads,
        )  # fmt: skip

    def linear_design(self) -> tuple[np.ndarray, np.ndarray] | None:
        """Offset (T,) and regressors (T, k) of the model as one regression; None where it is no single regression."""
        offset, one = np.zeros(len(self.moves)), np.ones((len(self.moves), 1))
        if self.model == "constant_mean":
            return offset, one
        if self.model == "zero_mean":
            return offset, one[:, :0]
        if self.regressors is None or self.model not in ("market_adjusted", "market", "factors", "dimson"):
            return None
        if self.model == "market_adjusted":
            return self.regressors[:, 0], one[:, :0]
        lags, leads = self.dimson if self.model == "dimson" else (0, 0)
        padded = np.pad(self.regressors, ((lags, leads), (0, 0)), constant_values=np.nan)
        return offset, np.column_stack([one, shifted_columns(padded, lags, leads)])


def benchmark_moves(series: PriceSeries, benchmark: PriceSeries, kind: ReturnKind | None) -> np.ndarray:
    """Benchmark move over each session of another series, from the benchmark's closes at that series' session labels.

    Returns
    -------
    numpy.ndarray
        One value a session of ``series``; NaN where the benchmark has no close of either label.
    """
    levels = benchmark.bars["close"].reindex(series.sessions).to_numpy(dtype=float)
    return moves_between(levels, benchmark.instrument.kind_of_moves(kind))


def regressor_moves(
    series: PriceSeries, regressors: Sequence[PriceSeries], kind: ReturnKind | None
) -> np.ndarray | None:
    """Moves of several markets over each session of a series, shape (T, q); None when there are none."""
    if not regressors:
        return None
    return np.column_stack([benchmark_moves(series, market, kind) for market in regressors])


def skipped_sessions(series: PriceSeries, events: pd.DataFrame, windows: EventWindows) -> np.ndarray:
    """Sessions that lie in the event window of one of these events, all possible sessions of each counting as day 0.

    Returns
    -------
    numpy.ndarray
        Shape (T,) of bool.
    """
    held = np.flatnonzero(sessions_holding(SessionClock.of(series), events))
    low, high = windows.span_offsets
    rows = (held[:, None] + np.arange(low, high + 1)).ravel()
    inside = np.zeros(len(series.sessions), dtype=bool)
    inside[rows[(rows >= 0) & (rows < len(inside))]] = True
    return inside
