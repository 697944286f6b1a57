"""The kernel of cumulative sums: an event costs the same whatever the length of its estimation window."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import combinations_with_replacement
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from market_reaction.engine.design import Design

if TYPE_CHECKING:
    from market_reaction.engine.panel import Panel

_BLOCK = 8  # securities whose sums are built at once: their products stay in the cache


class Sums:
    """Cumulative sums of centred returns, their squares and their products with the regressors.

    Securities that have every return share the sums of the regressors; the others have their own, over their sessions.

    Attributes
    ----------
    built : numpy.ndarray
        Which securities have their sums, shape (A,).
    reach : numpy.ndarray
        Bound on the cumulative sum of the target of each security at any session, shape (A,).
    """

    __slots__ = ("_columns", "_dense", "_known", "_shared", "_sparse", "_whole", "built", "design", "pairs", "reach")

    def __init__(self, panel: Panel, design: Design) -> None:
        self.design = design
        width = len(design.regressors)
        self.pairs = tuple(combinations_with_replacement(range(width), 2))
        self.built = np.zeros(panel.n_assets, dtype=bool)
        self.reach = np.zeros(panel.n_assets)
        self._whole = panel.dense
        self._dense = _table(panel, 2 + width, bool(panel.dense.any()))
        self._sparse = _table(panel, 3 + 2 * width + len(self.pairs), not bool(panel.dense.all()))
        known = np.ones(panel.n_sessions) if design.known is None else design.known.astype(float)
        if panel.skip is not None and panel.skip.ndim == 1:
            known[panel.skip] = 0.0
        self._known = None if known.all() else known
        self._shared = np.zeros((1 + width + len(self.pairs), panel.n_sessions + 1))
        with np.errstate(all="ignore"):
            products = [design.regressors[one] * design.regressors[two] for one, two in self.pairs]
            self._columns = [*design.regressors, *products]
            for row, column in zip(self._shared, [known, *self._columns], strict=True):
                np.cumsum(column if column is known else column * known, out=row[1:])

    @property
    def nbytes(self) -> int:
        """Bytes of the sums that were built."""
        rows = ((self._dense, self.built & self._whole), (self._sparse, self.built & ~self._whole))
        return int(self._shared.nbytes + sum(at.sum() * table.strides[0] for table, at in rows))

    def build(self, panel: Panel, assets: np.ndarray, threads: int = 1) -> None:
        """Add up the returns of some securities, in ascending order."""
        dense = panel.dense[assets]
        jobs = [(rows, True) for rows in _blocks(assets[dense])] + [(rows, False) for rows in _blocks(assets[~dense])]

        def work(mine: list[tuple[np.ndarray, bool]]) -> None:
            buffer = np.empty((_BLOCK, panel.n_sessions), dtype=complex)
            with np.errstate(all="ignore"):  # sums that overflow send their events to the other kernel
                for rows, whole in mine:
                    self._build(panel, rows, whole, buffer)

        if threads > 1 and len(jobs) > 1:
            with ThreadPoolExecutor(threads) as pool:
                list(pool.map(work, [jobs[at::threads] for at in range(threads)]))
        else:
            work(jobs)
        self.built[assets] = True

    def _target(self, panel: Panel, rows: np.ndarray) -> np.ndarray:
        """Returns less what is taken off before adding up, shape (rows, T)."""
        target = panel.returns[rows]
        if not self.design.fixed:
            target -= panel.centre[rows, None]
        for column in self.design.columns if self.design.fixed else ():
            target -= column
        return target

    def _build(self, panel: Panel, rows: np.ndarray, whole: bool, buffer: np.ndarray) -> None:
        """Sums of a few securities; of the target alone where they share those of the regressors."""
        target = self._target(panel, rows)
        table, known = self._dense, self._known
        if not whole:
            table, known = self._sparse, self._own_known(panel, rows, target)
        if known is not None:
            target *= known
        factors = [(target, None), (target, target), *((target, column) for column in self.design.regressors)]
        if not whole:
            assert known is not None
            factors += [(known, None), *((known, column) for column in self._columns)]
        _accumulate(table, rows, factors, buffer[: len(target)])
        self.reach[rows] = np.sqrt(panel.n_sessions * table[rows, -1, 1])

    def _own_known(self, panel: Panel, rows: np.ndarray, target: np.ndarray) -> np.ndarray:
        """One where a session counts for a security, else zero; missing returns become zero."""
        missing = np.isnan(target)
        np.copyto(target, 0.0, where=missing)
        known: np.ndarray = np.subtract(1.0, missing)
        if self._known is not None:
            known *= self._known
        if panel.skip is not None and panel.skip.ndim == 2:
            known[panel.skip[rows]] = 0.0
        return known

    def window(self, panel: Panel, assets: np.ndarray, first: np.ndarray, last: np.ndarray) -> Moments:
        """Sums over sessions first, ..., last - 1 of each event, and how far the cumulative sums behind them reach."""
        dense = panel.dense[assets]
        if dense.all():
            return self._window_dense(panel, assets, first, last)
        parts = Moments(*(np.empty((*shape, len(assets))) for shape in self._shapes()))
        for whole in (True, False):
            at = np.flatnonzero(dense == whole)
            if len(at):
                found = (self._window_dense if whole else self._window_sparse)(panel, assets[at], first[at], last[at])
                for mine, theirs in zip(parts, found, strict=True):
                    mine[..., at] = theirs
        return parts

    def _shapes(self) -> list[tuple[int, ...]]:
        width = len(self.design.regressors)
        return [(), (width,), (len(self.pairs),), (), (), (width,), (), (width,), ()]

    def upto(self, panel: Panel, assets: np.ndarray, session: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Sum of the target, and sessions that count, before a session of each security, shape (b,)."""
        count = 2 + len(self.design.regressors)
        dense = panel.dense[assets]
        at = assets * self._dense.shape[1] + session
        if dense.all():
            return self._column(self._dense, 0, at), self._shared[0].take(session)
        target = np.empty(len(assets))
        known = np.empty(len(assets))
        target[dense], known[dense] = self._column(self._dense, 0, at[dense]), self._shared[0].take(session[dense])
        target[~dense] = self._column(self._sparse, 0, at[~dense])
        known[~dense] = self._column(self._sparse, count, at[~dense])
        return target, known

    @staticmethod
    def _column(table: np.ndarray, part: int, at: np.ndarray) -> np.ndarray:
        column: np.ndarray = table.reshape(-1, table.shape[2])[:, part][at]
        return column

    def _window_dense(self, panel: Panel, assets: np.ndarray, first: np.ndarray, last: np.ndarray) -> Moments:
        width = len(self.design.regressors)
        own, reach = _differences(self._dense, assets, first, last)
        high = self._shared.take(last, axis=1, mode="clip")
        return _moments(own, reach, high - self._shared.take(first, axis=1, mode="clip"), high, width)

    def _window_sparse(self, panel: Panel, assets: np.ndarray, first: np.ndarray, last: np.ndarray) -> Moments:
        width = len(self.design.regressors)
        own, reach = _differences(self._sparse, assets, first, last)
        return _moments(own, reach, own[2 + width :], reach[2 + width :], width)


class Moments(NamedTuple):
    """Sums over b windows: count, regressors (k,), their products, target, squares, cross products (k,); then reaches.

    The last three are the cumulative count, squares of each regressor and squares of the target up to the end of the
    window, which bound what rounding can do to the differences.
    """

    n: np.ndarray
    x: np.ndarray
    xx: np.ndarray
    y: np.ndarray
    yy: np.ndarray
    xy: np.ndarray
    reach_n: np.ndarray
    reach_xx: np.ndarray
    reach_yy: np.ndarray


def _moments(own: np.ndarray, reach: np.ndarray, shared: np.ndarray, high: np.ndarray, width: int) -> Moments:
    """Name the rows of the differences: target, squares, cross products; count, regressors, their products."""
    squares = [1 + width + sum(width - at for at in range(column)) for column in range(width)]
    return Moments(
        shared[0], shared[1 : 1 + width], shared[1 + width : 1 + width + width * (width + 1) // 2],
        own[0], own[1], own[2 : 2 + width], high[0], high[squares], reach[1],
    )  # fmt: skip


def _differences(
    table: np.ndarray, assets: np.ndarray, first: np.ndarray, last: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Sums between two sessions of each security, and those up to the second, shape (q, b)."""
    count = table.shape[1]
    flat = table.reshape(-1, table.shape[2])
    base = assets * count
    high = flat.take(base + last, axis=0, mode="clip")
    low = flat.take(base + first, axis=0, mode="clip")
    high_by_part = np.ascontiguousarray(high.T)
    return high_by_part - low.T, high_by_part


def _table(panel: Panel, parts: int, needed: bool) -> np.ndarray:
    """Room for cumulative sums, an even number of parts beside each other; memory is taken only where it is written."""
    return np.empty((panel.n_assets if needed else 0, panel.n_sessions + 1, parts + parts % 2))


def _accumulate(
    table: np.ndarray, rows: np.ndarray, factors: list[tuple[np.ndarray, np.ndarray | None]], buffer: np.ndarray
) -> None:
    """Cumulative sums of products into rows of a table, zero before the first session.

    Two are added up at a time as real and imaginary part, which takes the processor no longer than one.
    """
    paired = table.view(complex)
    for at in range(0, len(factors), 2):
        for part, (one, two) in zip((buffer.real, buffer.imag), factors[at : at + 2], strict=False):
            if two is None:
                part[...] = one
            else:
                np.multiply(one, two, out=part)
        if at + 1 == len(factors):
            buffer.imag = 0.0
        paired[rows, 0, at // 2] = 0.0
        for row, values in zip(rows, buffer, strict=True):
            np.add.accumulate(values, out=paired[row, 1:, at // 2])  # of one dimension: other threads may run


def _blocks(assets: np.ndarray) -> list[np.ndarray]:
    """Rows by so many that their products stay in the cache."""
    return [assets[at : at + _BLOCK] for at in range(0, len(assets), _BLOCK)]
