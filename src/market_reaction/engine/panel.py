"""Returns of many securities with the factors they share, and the cumulative sums that were built from them."""

from __future__ import annotations

import threading

import numpy as np

from market_reaction.engine.design import Design, make_design
from market_reaction.engine.sums import Sums
from market_reaction.errors import WindowError

_ROWS = 64  # securities with missing returns that are centred at once
_PARTS = 5  # stretches of sessions whose means give the centre of a security


class Panel:
    """A checked panel of returns; what is built from it is kept for the next question.

    Threads may share a panel. A copy, or one sent to another process, leaves its sums behind.

    Parameters
    ----------
    returns : array_like
        Decimal returns, shape (A, T), one row a security; NaN where it did not trade. Do not change it afterwards.
    factors : array_like, optional
        Decimal returns that all securities share, shape (T,) or (T, k); NaN allowed.
    skip : array_like of bool, optional
        Sessions that may not enter an estimation window, shape (T,) or (A, T). They still count in event windows.

    Attributes
    ----------
    returns : numpy.ndarray
        Shape (A, T), C-contiguous float64; the array given where it already is that.
    factors : numpy.ndarray or None
        Shape (T, k).
    skip : numpy.ndarray or None
        As given; None where it leaves out nothing.
    centre : numpy.ndarray
        Typical return of each security, taken off before anything is added up, shape (A,): the median of the means of
        five stretches, which one absurd value does not move.
    dense : numpy.ndarray
        Whether a security has every return and no sessions of its own to skip, shape (A,).

    Raises
    ------
    WindowError
        Shapes do not fit, a return is no number or infinite.

    Examples
    --------
    >>> Panel([[0.01, -0.02, 0.005]], factors=[0.004, -0.01, 0.0])
    Panel(1 securities x 3 sessions, 1 factor, 0 bytes of sums)
    """

    __slots__ = ("_designs", "_lock", "_sums", "centre", "dense", "factors", "returns", "skip")

    def __init__(self, returns: object, factors: object = None, skip: object = None) -> None:
        self.returns = np.ascontiguousarray(_numbers("returns", returns))
        if self.returns.ndim != 2 or not self.returns.size:
            raise WindowError(
                f"returns has shape {self.returns.shape}; give (securities, sessions), none of them zero."
            )
        self.factors = self._checked_factors(factors)
        self.skip = self._checked_skip(skip)
        self.centre, self.dense = self._centres()
        self._designs: dict[tuple[str, int, int], Design] = {}
        self._sums: dict[tuple[str, int, int], Sums] = {}
        self._lock = threading.Lock()

    @property
    def n_assets(self) -> int:
        """Number of securities A."""
        return int(self.returns.shape[0])

    @property
    def n_sessions(self) -> int:
        """Number of sessions T."""
        return int(self.returns.shape[1])

    @property
    def sums_bytes(self) -> int:
        """Bytes of cumulative sums that are kept."""
        return sum(sums.nbytes for sums in list(self._sums.values()))

    def release(self) -> None:
        """Forget the cumulative sums."""
        with self._lock:
            self._sums.clear()

    def design(self, model: str, lags: int = 0, leads: int = 0) -> Design:
        """Regressors of a model, prepared once."""
        key = (model, lags, leads)
        if key not in self._designs:
            self._designs[key] = make_design(model, self.factors, self.n_sessions, lags, leads)
        return self._designs[key]

    def sums(self, design: Design, assets: np.ndarray, threads: int = 1) -> Sums:
        """Cumulative sums for a model, built for the securities that have none yet.

        Parameters
        ----------
        design : Design
            From this panel.
        assets : numpy.ndarray
            Rows that are needed, shape (n,); repeated ones are built once.
        threads : int
            Threads to build with.
        """
        with self._lock:
            found = self._find_sums(design)
            wanted = np.zeros(self.n_assets, dtype=bool)
            wanted[assets] = True
            found.build(self, np.flatnonzero(wanted & ~found.built), threads)
            return found

    def missing_sums(self, design: Design, assets: np.ndarray | None = None) -> int:
        """Number of securities, of all or of some rows, without cumulative sums for a model."""
        wanted = np.ones(self.n_assets, dtype=bool)
        if assets is not None:
            wanted[:] = False
            wanted[assets] = True
        found = self._sums.get((design.model, design.lags, design.leads))
        return int(wanted.sum() if found is None else (wanted & ~found.built).sum())

    def _find_sums(self, design: Design) -> Sums:
        key = (design.model, design.lags, design.leads)
        if key not in self._sums:
            self._sums[key] = Sums(self, design)
        return self._sums[key]

    def _checked_factors(self, factors: object) -> np.ndarray | None:
        """Factors with one column each, of as many sessions as the returns."""
        if factors is None:
            return None
        columns = _numbers("factors", factors)
        columns = columns[:, None] if columns.ndim == 1 else columns
        if columns.ndim != 2 or len(columns) != self.n_sessions or not columns.shape[1]:
            raise WindowError(
                f"factors has shape {columns.shape}; the returns have {self.n_sessions} sessions, so give "
                f"({self.n_sessions},) or ({self.n_sessions}, k)."
            )
        if np.isinf(columns).any():
            raise WindowError(
                f"factors holds {np.isinf(columns).sum()} infinite values; give NaN where one is missing."
            )
        return columns

    def _checked_skip(self, skip: object) -> np.ndarray | None:
        """Mask of sessions to leave out, or None when it leaves out nothing."""
        if skip is None:
            return None
        mask = np.ascontiguousarray(skip)
        if mask.dtype != bool or mask.shape not in ((self.n_sessions,), self.returns.shape):
            raise WindowError(
                f"skip has shape {mask.shape} and type {mask.dtype}; give bool of shape ({self.n_sessions},) or "
                f"{self.returns.shape}."
            )
        return mask if mask.any() else None

    def _centres(self) -> tuple[np.ndarray, np.ndarray]:
        """Centre of each security, and whether none of its sessions is missing or skipped by itself."""
        parts = min(_PARTS, self.n_sessions)
        edges = np.arange(parts + 1) * self.n_sessions // parts
        means = np.add.reduceat(self.returns, edges[:-1], axis=1) / np.diff(edges)
        dense = np.asarray(np.isfinite(means).all(axis=1))
        centre = np.empty(self.n_assets)
        centre[dense] = _middle(means[dense], np.full(dense.sum(), means.shape[1]))
        rows = np.flatnonzero(~dense)
        for at in range(0, len(rows), _ROWS):
            centre[rows[at : at + _ROWS]] = self._centres_of_known(rows[at : at + _ROWS], edges)
        if self.skip is not None and self.skip.ndim == 2:
            dense = dense & ~self.skip.any(axis=1)
        return centre, dense

    def _centres_of_known(self, rows: np.ndarray, edges: np.ndarray) -> np.ndarray:
        """The same for securities with missing returns; zero where all are missing."""
        values = self.returns[rows]
        infinite = np.isinf(values).sum(axis=1)
        if infinite.any():
            first = int(np.flatnonzero(infinite)[0])
            raise WindowError(
                f"returns of security {rows[first]} hold {infinite[first]} infinite values; give NaN where there is no "
                "return."
            )
        known = ~np.isnan(values)
        counts = np.add.reduceat(known.astype(np.int64), edges[:-1], axis=1)
        sums = np.add.reduceat(np.where(known, values, 0.0), edges[:-1], axis=1)
        return _middle(np.where(counts > 0, sums / np.maximum(counts, 1), np.inf), (counts > 0).sum(axis=1))

    def __reduce__(self) -> tuple[type[Panel], tuple[np.ndarray, np.ndarray | None, np.ndarray | None]]:
        return Panel, (self.returns, self.factors, self.skip)

    def __repr__(self) -> str:
        count = 0 if self.factors is None else self.factors.shape[1]
        return (
            f"Panel({self.n_assets} securities x {self.n_sessions} sessions, {count} factor{'s' * (count != 1)}, "
            f"{self.sums_bytes} bytes of sums)"
        )


def _numbers(name: str, values: object) -> np.ndarray:
    """Values as an array of float64, NaN where a masked array hides them."""
    try:
        if isinstance(values, np.ma.MaskedArray):
            return np.ma.filled(values.astype(float), np.nan)
        return np.asarray(values, dtype=float)
    except (TypeError, ValueError) as error:
        raise WindowError(
            f"{name} is no rectangle of numbers ({error}). Give decimal returns, NaN where one is missing; of a frame "
            "with one column a security, frame.to_numpy(dtype=float).T."
        ) from None


def _middle(values: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Median of the smallest ``counts`` values of each row, zero where there are none."""
    ordered, rows = np.sort(values, axis=1), np.arange(len(values))
    low, high = ordered[rows, np.maximum(counts - 1, 0) // 2], ordered[rows, counts // 2]
    return np.where(counts > 0, (low + high) / 2, 0.0)
