"""Rules between price series of the same thing or close relatives: wrong closes, lone jumps, dates off by a row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from market_reaction.prices import PriceSeries
from market_reaction.quality_futures import TICKS, expiry_sessions, roll_sessions
from market_reaction.quality_rules import JUMP_SD, SMALLEST_SD, Found, found, robust_sd, size

# Instruments that move together day by day. Two series of one instrument are siblings without being listed.
FAMILIES: tuple[frozenset[str], ...] = tuple(
    frozenset(names)
    for names in (
        ("S&P 500", "E-mini S&P 500", "SPY"),
        ("Nasdaq 100", "E-mini Nasdaq 100", "QQQ"),
        ("Dow Jones", "E-mini Dow"),
        ("Russell 2000", "E-mini Russell 2000"),
        ("PHLX Semiconductor", "SOXX", "SMH"),
        ("CSI 300", "Shanghai Composite", "CSI All Share", "FTSE China A50", "ASHR"),
        ("Hang Seng", "HSCEI", "EWH", "FXI"),
        ("FXI", "MCHI", "KWEB"),
        ("USD/CNH", "USD/CNY"),
        ("Dollar index", "UUP"),
        ("WTI", "WTI spot"),
        ("Brent", "Brent spot"),
        ("WTI", "Brent"),
        ("Gold", "GLD"),
        ("Copper", "CPER"),
        ("Soybeans", "SOYB"),
        ("US 2y", "US 10y"),
    )
)
CASH = {"E-mini S&P 500": ("S&P 500", "SPY"), "E-mini Nasdaq 100": ("Nasdaq 100", "QQQ"),
        "E-mini Dow": ("Dow Jones",), "E-mini Russell 2000": ("Russell 2000",)}  # fmt: skip

LAGS = (-1, 0, 1)
STRETCH = 40  # rows of the stretches in which the lag is looked at apart: dates may be off in winter only
SMALLEST_N = 60
BY_CLOCK = 0.15  # share of a day two bars must have in common for a lag to be explained by their clocks
_TRUST = {"bundled": 3, "files": 2, "yahoo": 1}


def are_siblings(one: PriceSeries, other: PriceSeries) -> bool:
    """Whether two series price the same instrument or close relatives."""
    names = {one.instrument.name, other.instrument.name}
    return len(names) == 1 or any(names <= family for family in FAMILIES)


@dataclass(frozen=True, slots=True)
class RowOffset:
    """Whether the dates of a series are off by a row, seen from a sibling series.

    Attributes
    ----------
    market, sibling : str
        Names of the two series.
    correlations : mapping of int to float
        Correlation of the series' returns with the sibling's at lag -1 (the sibling's row before), 0 and 1.
    overlaps : mapping of int to float
        Share of the series' bar that lies, by the two stated clocks, inside the sibling's bar at each lag.
    best_lag : int
        Lag with the largest correlation.
    n : int
        Returns compared, on the sessions both series have.
    share_off : float
        Share of stretches of 40 rows in which a lag fits best that the clocks do not explain.
    first, last : pandas.Timestamp or None
        First and last session concerned; None where no date is off.
    misdated : bool
        Whether a lag that the clocks do not explain fits clearly better, overall or in at least 15% of the stretches.
    """

    market: str
    sibling: str
    correlations: Mapping[int, float]
    overlaps: Mapping[int, float]
    best_lag: int
    n: int
    share_off: float
    first: pd.Timestamp | None
    last: pd.Timestamp | None
    misdated: bool

    def __str__(self) -> str:
        """Correlations by lag in one phrase."""
        before, same, after = (self.correlations[lag] for lag in LAGS)
        return (
            f"correlation with {self.sibling} {same:.2f} at its own date, {before:.2f} one row back, "
            f"{after:.2f} one row on (n = {self.n:,}; off in {self.share_off:.0%} of the stretches of {STRETCH} rows)"
        )


def row_offset(series: PriceSeries, sibling: PriceSeries) -> RowOffset:
    """Compare the dates of a series with those of a sibling.

    Parameters
    ----------
    series, sibling : PriceSeries
        Two series of one instrument, or of close relatives (index and future, fund and index, onshore and offshore).

    Returns
    -------
    RowOffset
        ``misdated`` is False where fewer than 60 returns can be compared.

    Notes
    -----
    Returns are taken over the sessions both series have, and limited to five robust standard deviations. A lag that
    the stated clocks explain is no defect: a fixing at 14:15 Frankfurt shares 0.3 of its day with New York's next one.
    """
    common = series.sessions.intersection(sibling.sessions)
    one, other = (_moves_over(s, common) for s in (series, sibling))
    n = len(one)
    if n < SMALLEST_N:
        unknown = dict.fromkeys(LAGS, float("nan"))
        return RowOffset(series.name, sibling.name, unknown, unknown, 0, n, 0.0, None, None, False)
    overlaps = {lag: _overlap(series, sibling, common, lag) for lag in LAGS}
    pairs = {lag: _lagged(one, other, lag) for lag in LAGS}
    correlations = {lag: float(_correlation(*(x[None] for x in pairs[lag]))[0]) for lag in LAGS}
    explained = [lag for lag in LAGS if overlaps[lag] >= BY_CLOCK] or [0]
    others = [lag for lag in LAGS if lag not in explained]
    off = _stretches_off(pairs, explained, others)
    best = max(correlations, key=lambda lag: correlations[lag])
    ahead = correlations[best] - max(correlations[lag] for lag in explained)
    overall = best in others and correlations[best] >= 0.35 and ahead >= 0.25
    misdated = overall or bool(off.sum() >= 3 and off.mean() >= 0.15)
    at = np.flatnonzero(off) if not overall else np.array([0, len(off) - 1])
    first = common[at[0] * STRETCH + 1] if misdated else None
    last = common[min(n, (at[-1] + 1) * STRETCH if not overall else n)] if misdated else None
    share = float(off.mean()) if len(off) else 0.0
    return RowOffset(series.name, sibling.name, correlations, overlaps, best, n, share, first, last, misdated)


def _moves_over(series: PriceSeries, common: pd.DatetimeIndex) -> np.ndarray:
    """Returns over the common sessions, limited to five robust standard deviations; no value counts as no move."""
    closes = series.closes[series.sessions.get_indexer(common)]
    if not series.instrument.is_difference:
        closes = np.log(np.where(closes > 0, closes, np.nan))
    moves = np.nan_to_num(np.diff(closes))
    limit = 5 * 1.4826 * np.median(np.abs(moves)) if len(moves) else 0.0
    return np.clip(moves, -limit, limit) if limit > 0 else moves


def _lagged(one: np.ndarray, other: np.ndarray, lag: int) -> tuple[np.ndarray, np.ndarray]:
    """Both series over the rows that every lag can use, the second shifted by ``lag`` rows."""
    return one[1:-1], other[1 + lag : len(other) - 1 + lag]


def _correlation(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Correlation row by row; zero where a row does not vary."""
    one, other = one - one.mean(axis=1, keepdims=True), other - other.mean(axis=1, keepdims=True)
    scale = np.sqrt((one**2).sum(axis=1) * (other**2).sum(axis=1))
    return np.divide((one * other).sum(axis=1), scale, out=np.zeros(len(one)), where=scale > 0)


def _stretches_off(
    pairs: Mapping[int, tuple[np.ndarray, np.ndarray]], explained: list[int], others: list[int]
) -> np.ndarray:
    """Whether, in each stretch of rows, a lag that the clocks do not explain fits clearly best."""
    count = len(pairs[0][0]) // STRETCH
    by_lag = {}
    for lag, (one, other) in pairs.items():
        cut = (x[: count * STRETCH].reshape(count, STRETCH) for x in (one, other))
        by_lag[lag] = _correlation(*cut)
    if not others or not count:
        return np.zeros(count, dtype=bool)
    best = np.max([by_lag[lag] for lag in others], axis=0)
    return np.asarray((best >= 0.6) & (best - np.max([by_lag[lag] for lag in explained], axis=0) >= 0.4))


def _overlap(one: PriceSeries, other: PriceSeries, common: pd.DatetimeIndex, lag: int) -> float:
    """Median share of the first series' bars that lies inside the second's, ``lag`` rows away, by the stated clocks."""
    a = one.close_ns[one.sessions.get_indexer(common)].astype(float)
    b = other.close_ns[other.sessions.get_indexer(common)].astype(float)
    a, b = a[1:-1], b[1 + lag : len(b) - 1 + lag]
    shared = np.minimum(a[1:], b[1:]) - np.maximum(a[:-1], b[:-1])
    return float(np.median(np.maximum(shared, 0.0) / np.diff(a)))


def offsets(markets: Mapping[str, PriceSeries]) -> dict[str, list[Found]]:
    """Series whose dates are off by a row, by market.

    Of a pair that disagrees, the series that disagrees with more siblings is named; where that does not tell, the one
    from the less trusted source (bundled, files, yahoo), then the one with more weekend rows; else both.
    """
    names = list(markets)
    open_pairs = {}
    for i, a in enumerate(names):
        for b in names[i + 1 :]:
            if are_siblings(markets[a], markets[b]) and row_offset(markets[a], markets[b]).misdated:
                open_pairs[a, b] = True
    findings: dict[str, list[Found]] = {}
    pairs = list(open_pairs)
    while pairs:
        rank = {name: (sum(name in p for p in pairs), *_doubt(markets[name])) for p in pairs for name in p}
        worst = [name for name in rank if rank[name] == max(rank.values())]
        for name in worst:
            sibling = next(b if a == name else a for a, b in pairs if name in (a, b))
            findings[name] = _offset_finding(row_offset(markets[name], markets[sibling]), sibling)
        pairs = [p for p in pairs if not set(p) & set(worst)]
    return findings


def _doubt(series: PriceSeries) -> tuple[int, int]:
    weekend = int((series.excluded["reason"] == "weekend row").sum()) if len(series.excluded) else 0
    return -_TRUST.get(series.source, 0), weekend


def _offset_finding(offset: RowOffset, sibling: str) -> list[Found]:
    if offset.first is None or offset.last is None:
        return []
    return found(
        "dates off by a row",
        pd.DatetimeIndex([offset.first]),
        [str(offset).replace(offset.sibling, sibling, 1)],
        "the best lag is one that the two clocks explain",
        "Do not use the series for event dates: its rows carry another day's move (or its stated close is wrong). "
        "Take another source.",
        until=pd.DatetimeIndex([offset.last]),
    )


def lone_jumps(series: PriceSeries, kin: list[PriceSeries]) -> list[Found]:
    """Jumps beyond eight robust standard deviations while no sibling moved three, a row more or less."""
    moves, unit, scale = series.returns(), series.instrument.change_unit, robust_sd(series)
    with np.errstate(invalid="ignore"):
        at = np.flatnonzero(np.abs(moves) > JUMP_SD * scale)
    skip = roll_sessions(series).union(_expiries(series))
    at = at[~series.sessions[at].isin(skip)]
    moved, compared = counterparts(series, series.sessions[at], kin)
    at = at[compared & ~moved]
    values = [size(moves[i], unit) for i in at]
    bounds = [f"{JUMP_SD:g} robust sd = {size(JUMP_SD * scale[i], unit)[1:]}, with a sibling" for i in at]
    advice = f"No sibling ({', '.join(s.name for s in kin)}) moved: the close looks wrong. Compare with another source."
    return found("jump without a counterpart", series.sessions[at], values, bounds, advice)


def counterparts(
    series: PriceSeries, sessions: pd.DatetimeIndex, kin: list[PriceSeries]
) -> tuple[np.ndarray, np.ndarray]:
    """At each session: whether a sibling moved three robust standard deviations, and whether one has rows to tell.

    A sibling moved if it did so on one row, from the row before to the row after, or altogether since the series' own
    session before: after a holiday the series catches up with what its siblings did meanwhile.
    """
    before = series.sessions[np.maximum(series.sessions.get_indexer(sessions) - 1, 0)]
    moved, compared = np.zeros(len(sessions), dtype=bool), np.zeros(len(sessions), dtype=bool)
    for other in kin:
        moves, limit = np.nan_to_num(other.returns()), 3.0 * robust_sd(other)
        large = np.abs(moves) > limit
        near = large.copy()
        near[1:] |= large[:-1]
        near[:-1] |= large[1:]
        path, last = np.cumsum(moves), len(moves) - 1
        at = np.minimum(other.sessions.searchsorted(sessions), last)
        since = np.clip(other.sessions.searchsorted(before, side="right") - 1, 0, last)
        close_by = np.abs(other.sessions[at] - sessions) <= pd.Timedelta(days=4)
        moved |= (near[at] | (np.abs(path[at] - path[since]) > limit[at])) & close_by
        compared |= close_by
    return moved, compared


def _expiries(series: PriceSeries) -> pd.DatetimeIndex:
    if series.instrument.name not in TICKS:
        return series.sessions[:0]
    return expiry_sessions(series.sessions[0], series.sessions[-1])


def copy_differences(name: str, markets: Mapping[str, PriceSeries]) -> list[Found]:
    """Closes of a market that differ from other series of its instrument; not where most of the others side with it."""
    series = markets[name]
    copies = {k: s for k, s in markets.items() if k != name and s.instrument.name == series.instrument.name}
    pairs = [item for key, other in copies.items() for item in differences(series, other, key)]
    if len(copies) < 2 or not pairs:
        return pairs
    against = pd.concat([pd.Series(1, index=item.sessions) for item in pairs]).groupby(level=0).sum()
    told = sum(against.index.isin(other.sessions).astype(int) for other in copies.values())
    cleared = against.index[(told >= 2) & (2 * against.to_numpy() <= told)]
    kept = []
    for item in pairs:
        at = np.flatnonzero(~item.sessions.isin(cleared)).tolist()
        figures = [item.figures[i] for i in at]
        kept += found(item.rule, item.sessions[at], figures, [item.bounds[i] for i in at], item.what_to_do)
    return kept


def differences(series: PriceSeries, other: PriceSeries, sibling: str) -> list[Found]:
    """Closes that differ from another series of the same instrument by more than the two usually do.

    The usual distance (the median of the 21 sessions around, so that adjusted and unadjusted closes compare) is taken
    off. The bound is 10 robust standard deviations of what is left, 25 where the two clocks differ by over half an
    hour, and at least 5 bp.
    """
    common = series.sessions.intersection(other.sessions)
    if len(common) < SMALLEST_N:
        return []
    at, there = series.sessions.get_indexer(common), other.sessions.get_indexer(common)
    one, two, unit = series.closes[at], other.closes[there], series.instrument.change_unit
    with np.errstate(invalid="ignore", divide="ignore"):
        apart = one - two if unit != "return" else np.log(one / two)
    apart = apart - pd.Series(apart).rolling(21, min_periods=1, center=True).median().to_numpy()
    same_clock = np.median(np.abs(series.close_ns[at] - other.close_ns[there])) <= 1800e9
    usual = 1.4826 * float(np.nanmedian(np.abs(apart)))
    bound = max((10 if same_clock else 25) * usual, SMALLEST_SD[unit])
    bad = np.flatnonzero(np.abs(apart) > bound)
    values = [f"{one[i]:g} against {two[i]:g} ({size(apart[i], unit)})" for i in bad]
    advice = "One of the two closes is wrong. Look the session up at the exchange; leave it out until then."
    return found(f"differs from {sibling}", common[bad], values, f"within {size(bound, unit)[1:]}", advice)


def expiry_against_cash(series: PriceSeries, kin: list[PriceSeries]) -> list[Found] | None:
    """Expiry days on the tick grid whose return differs from the cash index's; None where it is not loaded."""
    cash = [s for s in kin if s.instrument.name in CASH.get(series.instrument.name, ())]
    if not cash:
        return None
    common = series.sessions.intersection(cash[0].sessions)
    if len(common) < SMALLEST_N:
        return None
    apart = _log_moves(series, common) - _log_moves(cash[0], common)
    bound = max(JUMP_SD * 1.4826 * float(np.nanmedian(np.abs(apart))), 0.003)
    ratio = series.closes[series.sessions.get_indexer(common)] / TICKS[series.instrument.name]
    on_grid = np.abs(ratio - np.round(ratio)) <= 1e-3
    with np.errstate(invalid="ignore"):
        bad = np.asarray(common.isin(_expiries(series))) & on_grid & (np.abs(apart) > bound)
    values = [f"{move:+.2%} from {cash[0].name}" for move in apart[bad]]
    advice = "The close looks like the final settlement, not the day's close. Leave the session out, or use the index."
    return found("expiry settlement", common[bad], values, f"within {bound:.2%}", advice)


def _log_moves(series: PriceSeries, common: pd.DatetimeIndex) -> np.ndarray:
    closes = series.closes[series.sessions.get_indexer(common)]
    return np.diff(np.log(np.where(closes > 0, closes, np.nan)), prepend=np.nan)
