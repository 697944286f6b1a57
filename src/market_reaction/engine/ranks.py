"""Sums over the estimation windows of many events that tests of the cross-section take: ranks, signs, correlations.

Events go by in blocks of one size in order of date, so that memory does not grow with them and the sums do not depend
on the number of threads.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

import numpy as np

from market_reaction.engine.gather import known_sessions, rows_of, stretches
from market_reaction.engine.panel import Panel
from market_reaction.engine.results import AbnormalReturns
from market_reaction.inference.arrays import Ranked, ranked_rows, ranked_with
from market_reaction.inference.common_dates import DateCorrelations, DateSums, date_sums, joined
from market_reaction.inference.day_scores import DAY_SCORES, DayScores, day_scores
from market_reaction.inference.generalized_rank import GrankSums, grank_sums, spread_of, unranked
from market_reaction.inference.rank import positive_shares

_BLOCK = 131_072  # values of the estimation windows of a block
_SHORT = 10  # sessions of a window up to which comparing is faster than sorting anew
_AHEAD = 4  # blocks that one thread may be ahead of the sums
_Sums = TypeVar("_Sums", DayScores, GrankSums, "Shares")


class Shares(NamedTuple):
    """Sums over cases that add up field by field.

    ``positive`` is the sum of the shares of positive residuals of ``cases`` cases; ``residual`` (L,) is the sum of the
    residuals, and ``car`` (w,) of the CARs, of the ``complete`` cases that lack no session.
    """

    positive: float
    cases: int
    residual: np.ndarray
    car: np.ndarray
    complete: int


@dataclass(frozen=True, slots=True, eq=False)
class CrossSectionSums:
    """Sums over all events.

    Attributes
    ----------
    shares : Shares
        Signs of the residuals, and the equal-weight portfolio of the complete events.
    scores : tuple of dict
        ``DayScores`` of each test of ``DAY_SCORES`` asked for, one mapping a window.
    grank : tuple of GrankSums
        One a window; empty when not asked for.
    correlations : DateCorrelations
        Mean correlation of the residuals of the events of one date.
    columns : tuple of numpy.ndarray
        Columns of the event window behind the estimation window, one array a window.
    """

    shares: Shares
    scores: tuple[dict[str, DayScores], ...]
    grank: tuple[GrankSums, ...]
    correlations: DateCorrelations
    columns: tuple[np.ndarray, ...]


class _Block(NamedTuple):
    shares: Shares
    scores: list[dict[str, DayScores]]
    grank: list[GrankSums]
    dates: DateSums


@dataclass(frozen=True, slots=True, eq=False)
class _Pass:
    """One pass over the estimation windows of the usable events."""

    panel: Panel
    found: AbnormalReturns
    assets: np.ndarray
    estimation: tuple[int, int]
    shared: np.ndarray
    spreads: np.ndarray
    names: Sequence[str]

    def block(self, events: np.ndarray) -> _Block:
        """Sums over some events."""
        with np.errstate(all="ignore"):  # NaN marks what is absent
            residuals = estimation_residuals(self.panel, self.found, self.assets, self.estimation, events)
            wanted = [name for name in self.names if name in DAY_SCORES]
            before = ranked_rows(residuals) if self.names else None
            scores, grank = [], []
            for at in range(len(self.found.windows)):
                if before is not None and wanted:
                    around = self.window(events, at)
                    columns = np.arange(residuals.shape[1], residuals.shape[1] + around.shape[1])
                    scores.append(day_scores(_ranked_around(before, around), columns, wanted))
                if before is not None and "grank" in self.names:
                    grank.append(self.ranked(events, at, before))
            shared = self.shared[events]
            return _Block(
                self.signs(events, residuals),
                scores,
                grank,
                date_sums(residuals[shared], self.found.days[events][shared]),
            )

    def ranked(self, events: np.ndarray, at: int, before: Ranked) -> GrankSums:
        """Generalised ranks of a block for one window; standardised residuals have the ranks of the residuals."""
        scar = self.found.car[events, at] / self.found.car_std_error[events, at]
        if np.isnan(self.spreads[at]):
            return unranked(before.values.shape[1], int((~np.isnan(scar)).sum()))
        standardized = before.values / self.found.residual_std[events][:, None]
        return grank_sums(scar / self.spreads[at], before._replace(values=standardized))

    def window(self, events: np.ndarray, at: int) -> np.ndarray:
        """Abnormal returns of one window, shape (b, m)."""
        assert self.found.ar is not None
        first, last = self.found.windows[at]
        start = int(self.found.taus[0])
        return self.found.ar[events, first - start : last - start + 1]

    def signs(self, events: np.ndarray, residuals: np.ndarray) -> Shares:
        """Shares of positive residuals, and the sums over the complete events."""
        car = self.found.car[events]
        sums = residuals.sum(axis=1) + car.sum(axis=1)
        complete = ~np.isnan(sums)
        positive, cases = positive_shares(residuals)
        return Shares(positive, cases, residuals[complete].sum(axis=0), car[complete].sum(axis=0), int(complete.sum()))


def sums_over_events(
    panel: Panel,
    found: AbnormalReturns,
    assets: np.ndarray,
    estimation: tuple[int, int],
    usable: np.ndarray,
    *,
    names: Sequence[str] = ("corrado_rank", "corrado_zivney_rank", "corrado_zivney_sign", "grank"),
    threads: int = 1,
) -> CrossSectionSums:
    """Sum up what the tests take of the estimation windows.

    Parameters
    ----------
    panel, found, assets, estimation
        What ``abnormal_returns`` was given, and what it found, with ``ar``.
    usable : numpy.ndarray
        Events that count, shape (n,) of bool; their models must have been fitted.
    names : sequence of str
        Names of ``DAY_SCORES``, and ``"grank"``; a rank that nobody asks for is not computed.
    threads : int
        Threads to work with; the sums do not depend on it.
    """
    events = np.flatnonzero(usable)
    events = events[np.argsort(found.days[events], kind="stable")]
    _, place, sizes = np.unique(found.days[events], return_inverse=True, return_counts=True)
    shared = np.zeros(len(found.days), dtype=bool)
    shared[events] = sizes[place] > 1
    scar = found.car[events] / found.car_std_error[events]
    spreads = np.array([spread_of(values) for values in scar.T])
    work = _Pass(panel, found, assets, estimation, shared, spreads, names)
    length = max(found.design.inner(estimation)[1], 1)
    size = max(16, _BLOCK // length)
    blocks = [events[at : at + size] for at in range(0, len(events), size)] or [events]
    sums: list[_Block] = []

    def dates() -> Iterator[DateSums]:
        """Sums by date of each block as it comes; the rest is added to what came before."""
        for block in _in_order(work, blocks, threads):
            sums[:] = [_added(sums[0], block) if sums else block]
            yield block.dates

    correlations = joined(dates())
    total = sums[0]
    columns = tuple(np.arange(length, length + last - first + 1) for first, last in found.windows)
    return CrossSectionSums(total.shares, tuple(total.scores), tuple(total.grank), correlations, columns)


def estimation_residuals(
    panel: Panel, found: AbnormalReturns, assets: np.ndarray, estimation: tuple[int, int], events: np.ndarray
) -> np.ndarray:
    """Returns of the estimation window less the fitted ones, shape (b, L); NaN on sessions that did not count.

    Parameters
    ----------
    events : numpy.ndarray
        Positions of events whose models were fitted, shape (b,).

    Notes
    -----
    L leaves out the sessions at either end whose lags or leads lie outside the estimation window.
    """
    design = found.design
    first, length = design.inner(estimation)
    own, start = assets[events], found.days[events] + first
    if panel.n_sessions < length or not len(events):
        return np.empty((len(events), length))
    residuals = rows_of(panel.returns, own, start, length)
    known = known_sessions(panel, design, own, start, residuals)
    coefficients = found.coefficients[events]
    residuals -= (coefficients[:, 0] + np.einsum("ij,j->i", coefficients[:, 1:], design.centre))[:, None]
    for column, slope in zip(design.columns, coefficients[:, 1:].T, strict=True):
        residuals -= slope[:, None] * stretches(column, start, length)
    if known is not None:
        residuals[~known] = np.nan
    return residuals


def _ranked_around(before: Ranked, around: np.ndarray) -> Ranked:
    """Residuals and a window behind them with their ranks: compared session by session while the window is short."""
    if around.shape[1] <= _SHORT:
        return ranked_with(before, around)
    return ranked_rows(np.column_stack([before.values, around]))


def _in_order(work: _Pass, blocks: Sequence[np.ndarray], threads: int) -> Iterable[_Block]:
    """Sums of the blocks in their order, a few at a time."""
    if threads == 1 or len(blocks) == 1:
        yield from map(work.block, blocks)
        return
    with ThreadPoolExecutor(threads) as pool:
        for at in range(0, len(blocks), _AHEAD * threads):
            yield from pool.map(work.block, blocks[at : at + _AHEAD * threads])


def _added(one: _Block, two: _Block) -> _Block:
    """Sums of two blocks, those by date left out."""
    scores = [
        {name: _plus(mine[name], theirs[name]) for name in mine}
        for mine, theirs in zip(one.scores, two.scores, strict=True)
    ]
    grank = [_plus(mine, theirs) for mine, theirs in zip(one.grank, two.grank, strict=True)]
    return _Block(_plus(one.shares, two.shares), scores, grank, two.dates)


def _plus(one: _Sums, two: _Sums) -> _Sums:
    """Sums over two sets of cases, field by field."""
    fields: Iterable[tuple[Any, Any]] = zip(one, two, strict=True)
    return type(one)(*(mine + theirs for mine, theirs in fields))
