"""Outcomes besides returns: buy-and-hold, volume and range, each against its own past and with a placebo p."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from market_reaction.design import Counterfactual
from market_reaction.engine.buy_and_hold import buy_and_hold as buy_and_hold
from market_reaction.errors import WindowError
from market_reaction.pair_study import PairStudy
from market_reaction.placebo import HISTORY, MarketMoves, placebo_at
from market_reaction.placebo_result import MarketPlacebo
from market_reaction.prices import PriceSeries
from market_reaction.rows import rows_or_nan
from market_reaction.sessions import SessionClock, sessions_holding
from market_reaction.study_result import EventStudyResult
from market_reaction.windows import Window

Outcome = Literal["bhar", "volume", "range", "garman_klass"]
OUTCOMES: Mapping[str, str] = {
    "bhar": "Buy-and-hold return of the window less that of the normal return, from simple returns.",
    "volume": "Log volume less its mean over the estimation window.",
    "range": "Log of log(high / low), which is Parkinson's volatility but for a constant, less its mean.",
    "garman_klass": "Log of the Garman-Klass volatility from open, high, low and close, less its mean.",
}
APPROXIMATE = "std_error takes sessions as independent and is approximate; p is the placebo's"


@dataclass(frozen=True, slots=True)
class _WindowMean(Counterfactual):
    """Mean over a window of a session's value less its estimation mean."""

    window: Window = (0, 0)

    def abnormal(self, positions: np.ndarray, estimation: Window) -> np.ndarray:
        """Mean of the abnormal values over the window from each position."""
        return self.paths(positions, estimation, _offsets(self.window)).mean(axis=1)


@dataclass(frozen=True, slots=True)
class _BuyAndHold(Counterfactual):
    """Compounded return over a window less the compounded normal return."""

    window: Window = (0, 0)

    def abnormal(self, positions: np.ndarray, estimation: Window) -> np.ndarray:
        """Buy-and-hold abnormal return over the window from each position."""
        taus = _offsets(self.window)
        actual = rows_or_nan(self.moves, positions[:, None] + taus)
        return buy_and_hold(actual, actual - self.paths(positions, estimation, taus))


def abnormal_outcome(
    study: EventStudyResult,
    outcome: Outcome,
    *,
    window: Window = (0, 0),
    history: int = HISTORY,
    exclude: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Another outcome than the return, for every event and market of a study.

    Parameters
    ----------
    study : EventStudyResult
        Gives the series, sessions and estimation window; for ``"bhar"`` the normal-return model too, and it must have
        been run with ``returns="simple"``.
    outcome : {"bhar", "volume", "range", "garman_klass"}
        What is measured; ``OUTCOMES`` says a sentence on each.
    window : tuple of int
        Inclusive session offsets; day 0 alone by default. Volume and range are averaged over it.
    history : int
        Size of the placebo pool.
    exclude : pandas.DataFrame, optional
        Events whose sessions are left out of the pool.

    Returns
    -------
    pandas.DataFrame
        Indexed by (event_id, market): outcome, window, estimate, std_error (approximate), statistic (the estimate over
        its scale), times_usual (exp of a log estimate), placebo_p, placebo_p_floor, n_placebo, placebo_p_plain, note.
        The estimate of ``"bhar"`` is a decimal return, of the others a log ratio to the usual level. NaN with the
        reason where a series does not have the outcome.

    Raises
    ------
    WindowError
        Unknown outcome, a window that is reversed or too long for the pool, or ``"bhar"`` from log returns.

    Notes
    -----
    The placebo test is that of returns: the same pseudo-announcements, the same statistic at each from its own
    estimation window, and p = (1 + #{T_s >= T_0}) / (S + 1). T is the estimate over s sqrt(1/m + 1/L), with s the
    estimation window's standard deviation; for ``"bhar"`` over the EWMA volatility known the session before.

    References
    ----------
    Barber and Lyon (1997), Journal of Financial Economics 43:341, for buy-and-hold returns; Parkinson (1980) and Garman
    and Klass (1980), Journal of Business 53:61 and 53:67; Alizadeh, Brandt and Diebold (2002), Journal of Finance
    57:1047, for the log range.
    """
    _check(study, outcome, window)
    markets: dict[str, MarketMoves] = {}
    missing: dict[str, str] = {}
    for market in dict.fromkeys(market for _, market in study.pairs):
        found = _moves(study, study.prices[market], outcome, window, exclude)
        if isinstance(found, str):
            missing[market] = found
        else:
            markets[market] = found
    rows: list[dict[str, object]] = []
    for event_id, event in study.events.iterrows():
        pairs = {market: pair for (key, market), pair in study.pairs.items() if key == event_id}
        placed = {market: pair.position for market, pair in pairs.items() if market in markets}
        shown = {market: markets[market] for market in placed}
        tests = placebo_at(event, shown, placed, study, history)[0] if placed else {}
        for market, pair in pairs.items():
            key = {"event_id": event_id, "market": market, "outcome": outcome, "window": window}
            if market in missing:
                rows.append(key | {"note": missing[market]})
            else:
                estimate, error = _estimate(study, pair, markets[market], outcome, window)
                rows.append(key | _figures(estimate, error, outcome, tests[market]))
    columns = [
        "event_id", "market", "outcome", "window", "estimate", "std_error", "statistic", "times_usual", "placebo_p",
        "placebo_p_floor", "n_placebo", "placebo_p_plain", "note",
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=columns).set_index(["event_id", "market"])


def log_volume(bars: pd.DataFrame) -> np.ndarray:
    """Natural log of the volume of each bar, shape (T,); NaN where it is zero or missing."""
    return _log(bars["volume"].to_numpy(dtype=float))


def log_range(bars: pd.DataFrame) -> np.ndarray:
    """Log of log(high / low) of each bar, shape (T,); NaN where the bar has no range.

    References
    ----------
    Parkinson (1980), Journal of Business 53:61; Alizadeh, Brandt and Diebold (2002), Journal of Finance 57:1047.
    """
    return _log(_log(bars["high"].to_numpy(dtype=float)) - _log(bars["low"].to_numpy(dtype=float)))


def log_garman_klass(bars: pd.DataFrame) -> np.ndarray:
    """Log of the Garman-Klass volatility of each bar, shape (T,); NaN where the variance is not above zero.

    Notes
    -----
    v = 0.5 log(high / low)^2 - (2 log 2 - 1) log(close / open)^2, and the value is 0.5 log v.

    References
    ----------
    Garman and Klass (1980), Journal of Business 53:67, equation 20.
    """
    first, high, low, last = (_log(bars[name].to_numpy(dtype=float)) for name in ("open", "high", "low", "close"))
    return 0.5 * _log(0.5 * (high - low) ** 2 - (2.0 * np.log(2.0) - 1.0) * (last - first) ** 2)


_VALUES: Mapping[str, tuple[tuple[str, ...], Callable[[pd.DataFrame], np.ndarray]]] = {
    "volume": (("volume",), log_volume),
    "range": (("high", "low"), log_range),
    "garman_klass": (("open", "high", "low", "close"), log_garman_klass),
}


def _log(values: np.ndarray) -> np.ndarray:
    return np.log(np.where(values > 0, values, np.nan))


def _offsets(window: Window) -> np.ndarray:
    return np.arange(window[0], window[1] + 1)


def _check(study: EventStudyResult, outcome: str, window: Window) -> None:
    if outcome not in OUTCOMES:
        raise WindowError(f"outcome={outcome!r} is not known; choose one of {', '.join(OUTCOMES)}.")
    gap = -study.windows.estimation[1]
    if len(window) != 2 or window[0] > window[1]:
        raise WindowError(f"window={window} is no window; give (first, last) with first <= last.")
    if window[1] - window[0] >= gap or window[0] <= study.windows.estimation[1]:
        raise WindowError(
            f"window={window} holds {window[1] - window[0] + 1} sessions, and the estimation window ends {gap} before "
            f"day 0: the pool's windows would reach into the event's own. Give at most {gap} sessions after "
            f"{study.windows.estimation[1]}, or end estimation= earlier."
        )
    low, high = study.windows.span_offsets
    if outcome == "bhar":
        if study.design.returns != "simple":
            raise WindowError("outcome='bhar' compounds simple returns; run event_study with returns='simple'.")
        if not low <= window[0] <= window[1] <= high:
            raise WindowError(
                f"window={window} reaches beyond the offsets {low} to {high} of this study. Run event_study with a "
                "larger event window."
            )


def _moves(
    study: EventStudyResult, series: PriceSeries, outcome: str, window: Window, exclude: pd.DataFrame | None
) -> MarketMoves | str:
    """What the placebo test takes of a market; a sentence where it has no such outcome."""
    if outcome == "bhar":
        if series.instrument.is_difference:
            return f"{series.name!r} moves in {series.instrument.change_unit}, which do not compound"
        base = MarketMoves.of(series, study, study.prices, exclude)
        own = base.counterfactual
        held = _BuyAndHold(own.model, own.moves, own.names, own.regressors, own.skipped, own.dimson, window=window)
        return MarketMoves(base.clock, base.moves, held, base.sigma, base.usable)
    needed, values_of = _VALUES[outcome]
    absent = [name for name in needed if name not in series.bars]
    if absent:
        return f"the {series.source} series of {series.name!r} has no {' and no '.join(absent)}"
    values = values_of(series.bars)
    skipped = study.design.counterfactual(series, study.prices, study.windows).skipped
    clock = SessionClock.of(series)
    return MarketMoves(
        clock,
        values,
        _WindowMean("constant_mean", values, skipped=skipped, window=window),
        _scale(values, study.windows.estimation, window, skipped),
        ~sessions_holding(clock, exclude),
    )


def _scale(values: np.ndarray, estimation: Window, window: Window, skipped: np.ndarray | None) -> np.ndarray:
    """Forecast standard deviation of the window's mean at every session, s sqrt(1/m + 1/n), shape (T,)."""
    first, last = estimation
    scale = np.full(len(values), np.nan)
    if len(values) <= -first:
        return scale
    usable = values if skipped is None else np.where(skipped, np.nan, values)
    windows = np.lib.stride_tricks.sliding_window_view(usable, last - first + 1)[: len(values) + first]
    known = np.isfinite(windows)
    counts = known.sum(axis=1)
    enough = counts > 1
    sums = np.where(known, windows, 0.0).sum(axis=1)
    gaps = np.where(known, windows - (sums / np.maximum(counts, 1))[:, None], 0.0)
    spread = np.sqrt((gaps**2).sum(axis=1) / np.maximum(counts - 1, 1))
    spread = np.where(enough & (spread > 0), spread, np.nan)
    scale[-first:] = spread * np.sqrt(1 / (window[1] - window[0] + 1) + 1 / np.maximum(counts, 1))
    return scale


def _estimate(
    study: EventStudyResult, pair: PairStudy, moves: MarketMoves, outcome: str, window: Window
) -> tuple[float, float]:
    """Outcome at the event, and its approximate standard error."""
    estimate = float(moves.counterfactual.abnormal(np.array([pair.position]), study.windows.estimation)[0])
    if outcome != "bhar":
        return estimate, float(moves.sigma[pair.position])
    rows = pair.rows(window)
    growth = 1.0 + pair.actual[rows] - pair.abnormal[rows]
    weights = growth.prod() / growth
    return estimate, float(np.sqrt(weights @ pair.forecast_cov[rows, rows] @ weights))


def _figures(estimate: float, error: float, outcome: str, test: MarketPlacebo) -> dict[str, object]:
    """Columns of one row that has the outcome."""
    return {
        "estimate": estimate,
        "std_error": error,
        "statistic": test.statistic,
        "times_usual": float("nan") if outcome == "bhar" else float(np.exp(estimate)),
        "placebo_p": test.scaled.p_value,
        "placebo_p_floor": test.scaled.floor,
        "n_placebo": test.scaled.n_placebo,
        "placebo_p_plain": test.plain.p_value,
        "note": "; ".join(text for text in (APPROXIMATE, test.scaled.note) if text),
    }
