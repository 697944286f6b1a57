"""Abnormal returns by either kernel: the choice between them, blocks of events, and threads."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from market_reaction.engine.design import Design, Fit
from market_reaction.engine.gather import empty_fit, fit_gathered, rows_of, stretches
from market_reaction.engine.linear import dot
from market_reaction.engine.panel import Panel
from market_reaction.engine.results import AbnormalReturns, leverages
from market_reaction.engine.sums import ROUNDING, TOLERANCE, Sums, fit_from_sums
from market_reaction.errors import WindowError, did_you_mean
from market_reaction.rows import rows_or_nan

KERNELS = ("auto", "gather", "sums")
_BLOCK = 16_384  # events of a block of the sums kernel
_SMALLEST_BLOCK = 4_096  # events below which another thread does not pay
_FAR = (
    1e4  # spreads from zero beyond which a mean return is taken off by itself, before what rounding would mix it with
)
_BUILD_COST, _GATHER_COST, _QUERY_COST = 3.6e-9, 4.0e-9, 1.5e-7  # seconds; only what they are to each other matters
_GATHERED = 262_144  # values of one estimation array of a block of the gather kernel


def abnormal_returns(
    panel: Panel,
    assets: np.ndarray,
    days: np.ndarray,
    *,
    model: str = "market",
    estimation: tuple[int, int] = (-130, -11),
    windows: Sequence[tuple[int, int]] = ((0, 1), (0, 5)),
    kernel: str = "auto",
    lags: int = 0,
    leads: int = 0,
    paths: bool = True,
    threads: int | None = None,
) -> AbnormalReturns:
    """Abnormal returns, CAR and forecast standard errors of many events on a panel.

    Parameters
    ----------
    panel : Panel
        Returns, factors and sessions to leave out of estimation windows.
    assets, days : array_like of int
        Security and session of day 0 of each event, shape (n,).
    model : {"constant_mean", "zero_mean", "market_adjusted", "market", "factors", "dimson"}
        Normal-return model, as ``NORMAL_MODELS`` defines it.
    estimation : tuple of int
        Inclusive offsets of the estimation window; it ends before the event windows and day 0.
    windows : sequence of tuple of int
        Inclusive offsets of the event windows.
    kernel : {"auto", "gather", "sums"}
        How to compute. For a kernel named, the numbers of an event do not depend on what else is asked for.
    lags, leads : int
        Sessions of the factor that ``dimson`` takes before and after each session.
    paths : bool
        Whether to return the abnormal returns of single sessions too.
    threads : int, optional
        Threads to work with; the number of processors if None.

    Returns
    -------
    AbnormalReturns
        NaN, with ``df`` 0, where an estimation window reaches before the first session, holds fewer than half its
        returns or too few, or its factors are collinear.

    Raises
    ------
    WindowError
        Windows overlap or are reversed, the events are no rows and columns of the panel, or an argument is not known.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(1)
    >>> market = rng.normal(0, 0.01, 400)
    >>> panel = Panel(market + rng.normal(0, 0.02, (3, 400)), factors=market)
    >>> abnormal_returns(panel, [0, 2], [300, 350], windows=[(0, 1)]).car.shape
    (2, 1)
    """
    job = _job(panel, assets, days, model, estimation, windows, lags, leads, paths)
    threads = _threads(threads)
    if kernel not in KERNELS:
        raise WindowError(f"kernel={kernel!r} is not known; {did_you_mean(kernel, KERNELS)}choose one of {KERNELS}.")
    if kernel == "auto":
        kernel = _faster(panel, job.design, len(job.days), panel.missing_sums(job.design, job.assets), job.length)
    if kernel == "sums" and len(job.days):
        job.sums = panel.sums(job.design, job.assets, threads)
    size = max(16, _GATHERED // job.length)
    if kernel == "sums":
        size = min(_BLOCK, max(_SMALLEST_BLOCK, -(-len(job.days) // threads)))
    blocks = [slice(at, at + size) for at in range(0, len(job.days), size)]
    if threads > 1 and len(blocks) > 1:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(job.work, blocks))
    else:
        for block in blocks:
            job.work(block)
    return job.result(kernel)


def choose_kernel(
    panel: Panel,
    events: int,
    *,
    model: str = "market",
    estimation: tuple[int, int] = (-130, -11),
    lags: int = 0,
    leads: int = 0,
) -> str:
    """Kernel that is expected to be faster for a number of events, sums that are kept on the panel taken into account.

    Returns
    -------
    str
        ``"gather"`` or ``"sums"``.
    """
    design = panel.design(model, lags, leads)
    asked = -panel.n_assets * np.expm1(-events / panel.n_assets)  # securities among so many random events
    missing = asked * panel.missing_sums(design) / panel.n_assets
    return _faster(panel, design, events, missing, estimation[1] - estimation[0] + 1)


def _faster(panel: Panel, design: Design, events: int, missing: float, length: int) -> str:
    """Kernel with the lower cost, from the seconds that a value takes."""
    width = len(design.regressors)
    build = missing * panel.n_sessions * (2 + width + width % 2) * _BUILD_COST
    gather = events * length * (1 + width) * _GATHER_COST
    return "sums" if build + events * _QUERY_COST < gather else "gather"


@dataclass(slots=True, eq=False)
class _Job:
    """One call: its arguments, and the arrays that blocks of events are written to."""

    panel: Panel
    design: Design
    assets: np.ndarray
    days: np.ndarray
    estimation: tuple[int, int]
    windows: tuple[tuple[int, int], ...]
    taus: np.ndarray
    fit: Fit
    fell_back: np.ndarray
    ar: np.ndarray | None
    car: np.ndarray
    car_std_error: np.ndarray
    n_known: np.ndarray
    x_windows: np.ndarray
    padded: np.ndarray
    sums: Sums | None = None

    @property
    def length(self) -> int:
        """Sessions of the estimation window."""
        return self.estimation[1] - self.estimation[0] + 1

    def work(self, rows: slice) -> None:
        """Compute one block of events."""
        with np.errstate(all="ignore"):  # NaN marks what cannot be computed
            self._work(rows)

    def _work(self, rows: slice) -> None:
        assets, days = self.assets[rows], self.days[rows]
        sessions = self.panel.n_sessions
        inside = (days + self.estimation[0] >= 0) & (days < sessions)
        if not inside.any():
            self._write(rows, empty_fit(self.design, np.zeros(len(days))))
            self._blank(rows)
            return
        days = np.where(inside, days, -self.estimation[0])
        fit, errors = self._fit(rows, assets, days, inside)
        self._write(rows, fit)
        self.car_std_error[rows] = errors
        self._sum_up(rows, assets, days, fit)

    def _fit(self, rows: slice, assets: np.ndarray, days: np.ndarray, inside: np.ndarray) -> tuple[Fit, np.ndarray]:
        """Fits and standard errors of a block, those that cancellation could spoil by ``gather``."""
        if self.sums is None:
            fit = fit_gathered(self.panel, self.design, assets, days, self.estimation)
            fit.leave_out(~inside)
            return fit, self._std_errors(fit, days)[0]
        fit, bound = fit_from_sums(self.panel, self.design, self.sums, assets, days, self.estimation)
        fit.leave_out(~inside)
        errors, share = self._std_errors(fit, days)
        spoilt = np.flatnonzero(~(bound * share <= TOLERANCE**2 / 4) & (fit.df > 0))
        for at in np.array_split(spoilt, max(1, len(spoilt) * self.length // _GATHERED)):
            if len(at):
                again = fit_gathered(self.panel, self.design, assets[at], days[at], self.estimation)
                fit.put(at, again)
                errors[at] = self._std_errors(again, days[at])[0]
        self.fell_back[rows][spoilt] = True
        return fit, errors

    def _std_errors(self, fit: Fit, days: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Standard error of every CAR, shape (b, w), and the largest share that the coefficients have in one."""
        errors = np.empty((len(days), len(self.windows)))
        largest = np.zeros(len(days))
        for at, (first, last) in enumerate(self.windows):
            length = last - first + 1
            if self.design.fixed:
                errors[:, at] = fit.std * np.sqrt(length)
                continue
            leverage = leverages(fit.n, fit.means, fit.inverse, self.x_windows[at][:, days], length)
            errors[:, at] = fit.std * np.sqrt(length + leverage)
            np.fmax(largest, leverage / (length + leverage), out=largest)
        return errors, largest

    def _sum_up(self, rows: slice, assets: np.ndarray, days: np.ndarray, fit: Fit) -> None:
        """Sums of the abnormal returns over the windows; from the cumulative sums where nobody asks for the path."""
        if self.ar is None and self.sums is not None and self.panel.skip is None:
            at = self._from_sums(rows, assets, days, fit)
            if len(at):
                self.fell_back[rows][at] = True
                part = Fit(*(values[..., at] for values in fit))
                car, known = self._from_path(self._path(assets[at], days[at], part, None))
                self.car[rows][at], self.n_known[rows][at] = car, known
        else:
            path = self._path(assets, days, fit, None if self.ar is None else self.ar[rows])
            self.car[rows], self.n_known[rows] = self._from_path(path)
        np.copyto(self.car_std_error[rows], np.nan, where=np.isnan(self.car[rows]))

    def _from_path(self, path: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """CAR and sessions with an abnormal return, shape (b, w)."""
        car = np.empty((len(path), len(self.windows)))
        known = np.empty(car.shape, dtype=np.int64)
        for at, (first, last) in enumerate(self.windows):
            part = path[:, first - self.taus[0] : last - self.taus[0] + 1]
            car[:, at] = np.einsum("ij->i", part)
            known[:, at] = last - first + 1
            partial = np.flatnonzero(np.isnan(car[:, at]))
            known[partial, at] = (~np.isnan(part[partial])).sum(axis=1)
        return car, known

    def _from_sums(self, rows: slice, assets: np.ndarray, days: np.ndarray, fit: Fit) -> np.ndarray:
        """CAR and counts of a block from cumulative sums; gives the events of which rounding could spoil the CAR."""
        assert self.sums is not None
        sessions = self.panel.n_sessions
        offsets = sorted({edge for first, last in self.windows for edge in (first, last + 1)})
        reached = {edge: self.sums.upto(self.panel, assets, np.minimum(days + edge, sessions)) for edge in offsets}
        reach = self.sums.reach[assets]
        spoilt = np.zeros(len(days), dtype=bool)
        usable = fit.df > 0
        for at, (first, last) in enumerate(self.windows):
            length = last - first + 1
            (total, known), (before, earlier) = reached[last + 1], reached[first]
            car = total - before
            if not self.design.fixed:
                car -= length * fit.level
                car -= dot(fit.slopes, self.x_windows[at][:, days] - length * fit.means)
            count = np.where(usable, known - earlier, 0)
            car[count < length] = np.nan
            spoilt |= (length + 8) * ROUNDING * reach > TOLERANCE / 2 * self.car_std_error[rows, at]
            self.car[rows, at], self.n_known[rows, at] = car, count
        return np.flatnonzero(spoilt & usable)

    def _path(self, assets: np.ndarray, days: np.ndarray, fit: Fit, out: np.ndarray | None) -> np.ndarray:
        """Abnormal returns (b, m): returns less level and slopes."""
        count = len(self.taus)
        start = days + self.taus[0]
        path = self._actual(assets, start)
        out = path if out is None else out
        level = fit.level - dot(fit.slopes, fit.means)
        centre = self.panel.centre[assets] if not self.design.fixed else np.zeros(len(days))
        far = np.flatnonzero(np.abs(centre) > _FAR * fit.std)
        path[far] -= centre[far, None]
        centre[far] = 0.0
        np.subtract(path, (level + centre)[:, None], out=out)
        for column, slope in zip(self.padded, fit.slopes, strict=True):
            part = stretches(column, start, count)
            part *= slope[:, None]
            out -= part
        return out

    def _actual(self, assets: np.ndarray, start: np.ndarray) -> np.ndarray:
        """Returns of the sessions around each event, shape (b, m); NaN beyond the panel."""
        count, sessions = len(self.taus), self.panel.n_sessions
        if sessions < count:
            late, path = np.arange(len(start)), np.empty((len(start), count))
        else:
            late = np.flatnonzero(start + count > sessions)
            path = rows_of(self.panel.returns, assets, np.minimum(start, sessions - count), count)
        for at in late:
            path[at] = rows_or_nan(self.panel.returns[assets[at]], start[at] + np.arange(count))
        return path

    def _write(self, rows: slice, fit: Fit) -> None:
        for mine, theirs in zip(self.fit, fit, strict=True):
            mine[..., rows] = theirs

    def _blank(self, rows: slice) -> None:
        """No abnormal returns at all."""
        for part in (self.ar, self.car, self.car_std_error):
            if part is not None:
                part[rows] = np.nan
        self.n_known[rows] = 0

    def result(self, kernel: str) -> AbnormalReturns:
        """The arrays as a result, coefficients in the units of the panel."""
        fit, design = self.fit, self.design
        coefficients = np.empty((len(self.days), 1 + design.width))
        coefficients[:, 1:] = fit.slopes.T
        coefficients[:, 0] = fit.level
        if not design.fixed:
            coefficients[:, 0] += self.panel.centre[self.assets]
        for at in range(design.width):
            coefficients[:, 0] -= fit.slopes[at] * (design.centre[at] + fit.means[at])
        if design.fixed:
            coefficients[:, 0] = np.where(np.isnan(fit.std), np.nan, 0.0)
        return AbnormalReturns(
            self.taus, self.windows, coefficients, fit.std, fit.df, fit.n, self.ar, self.car, self.car_std_error,
            self.n_known, kernel, self.fell_back, fit.means.T, fit.inverse.transpose(2, 0, 1), self.days, design,
        )  # fmt: skip


def _job(
    panel: Panel,
    assets: np.ndarray,
    days: np.ndarray,
    model: str,
    estimation: tuple[int, int],
    windows: Sequence[tuple[int, int]],
    lags: int,
    leads: int,
    paths: bool,
) -> _Job:
    """Check the arguments and make room for the results."""
    windows, span = _checked_windows(estimation, windows)
    assets, days = _checked_events(panel, assets, days)
    design = panel.design(model, lags, leads)
    n, width, taus = len(days), design.width, np.arange(span[0], span[1] + 1)
    fit = Fit(
        np.empty(n, dtype=np.int64), np.empty(n, dtype=np.int64), np.empty(n), np.empty(n), np.empty((width, n)),
        np.empty((width, n)), np.empty((width, width, n)),
    )  # fmt: skip
    shape = (n, len(windows))
    return _Job(
        panel, design, assets, days, (int(estimation[0]), int(estimation[1])), windows, taus, fit,
        np.zeros(n, dtype=bool), np.empty((n, len(taus))) if paths else None, np.empty(shape), np.empty(shape),
        np.empty(shape, dtype=np.int64), design.window_sums(windows), design.padded(0, int(taus[-1])),
    )  # fmt: skip


def _checked_windows(
    estimation: tuple[int, int], windows: Sequence[tuple[int, int]]
) -> tuple[tuple[tuple[int, int], ...], tuple[int, int]]:
    """Windows as a tuple of pairs, and the offsets they and day 0 span."""
    if not len(windows):
        raise WindowError("windows holds no window; give at least one pair such as (0, 1).")
    for name, window in (("estimation", estimation), *(("windows", pair) for pair in windows)):
        if len(window) != 2 or window[0] > window[1]:
            raise WindowError(f"{name}={window} is no window; give (first, last) with first <= last.")
    pairs = tuple((int(first), int(last)) for first, last in windows)
    span = min(0, *(pair[0] for pair in pairs)), max(0, *(pair[1] for pair in pairs))
    if estimation[1] >= span[0]:
        raise WindowError(
            f"estimation={tuple(estimation)} and the event window from {span[0]} share session {estimation[1]}. "
            f"End estimation at {span[0] - 1} or earlier."
        )
    return pairs, span


def _checked_events(panel: Panel, assets: np.ndarray, days: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Events as integer rows and columns; a row outside the panel is refused, a session outside it gives NaN later."""
    rows, columns = np.asarray(assets), np.asarray(days)
    if rows.ndim != 1 or rows.shape != columns.shape:
        raise WindowError(f"assets has shape {rows.shape} and days {columns.shape}; give one of each for every event.")
    for name, values in (("assets", rows), ("days", columns)):
        if values.size and values.dtype.kind not in "iu":
            raise WindowError(f"{name} is of type {values.dtype}; give integers, rows and sessions of the panel.")
    rows, columns = rows.astype(np.intp, copy=False), columns.astype(np.intp, copy=False)
    if len(rows) and (rows.min() < 0 or rows.max() >= panel.n_assets):
        wrong = rows[(rows < 0) | (rows >= panel.n_assets)]
        raise WindowError(
            f"{len(wrong)} events name securities outside the panel, first {wrong[0]}; it has rows 0 to "
            f"{panel.n_assets - 1}."
        )
    return rows, columns


def _threads(threads: int | None) -> int:
    if threads is None:
        return min(8, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)
    if threads < 1:
        raise WindowError(f"threads={threads}: give 1 or more, or None for the number of processors.")
    return int(threads)
