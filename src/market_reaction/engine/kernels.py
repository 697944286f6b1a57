"""Abnormal returns by either kernel: the choice between them, blocks of events, and threads."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from market_reaction.engine.design import Design, Fit
from market_reaction.engine.job import GATHERED, Job
from market_reaction.engine.panel import Panel
from market_reaction.engine.results import AbnormalReturns
from market_reaction.errors import WindowError, did_you_mean

KERNELS = ("auto", "gather", "sums")
OUTSIDE = ("refuse", "nan")
_BLOCK = 16_384  # events of a block of the sums kernel
_SMALLEST_BLOCK = 4_096  # events below which another thread does not pay
# Seconds, of which only the proportions matter: a session of one cumulative sum; a session of an estimation window, and
# of each regressor there; an event; and what a call of the sums kernel takes more.
_PART, _VALUE, _COLUMN, _ASKED, _CALL = 4.8e-9, 4.2e-9, 5.3e-9, 2e-7, 4e-5


def abnormal_returns(
    panel: Panel,
    assets: np.ndarray,
    days: np.ndarray,
    *,
    model: str = "market",
    estimation: tuple[int, int] = (-130, -11),
    windows: Sequence[tuple[int, int]] | tuple[int, int] = ((0, 1), (0, 5)),
    kernel: str = "auto",
    lags: int = 0,
    leads: int = 0,
    paths: bool = True,
    outside: str = "refuse",
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
        Inclusive offsets of the event windows; one pair alone is accepted too.
    kernel : {"auto", "gather", "sums"}
        How to compute. For a kernel named, the numbers of an event do not depend on what else is asked for.
    lags, leads : int
        Sessions of the factor that ``dimson`` takes before and after each session.
    paths : bool
        Whether to return the abnormal returns of single sessions too.
    outside : {"refuse", "nan"}
        What to do about a day that is no session of the panel: an error, or NaN for that event.
    threads : int, optional
        Threads to work with; the number of processors if None.

    Returns
    -------
    AbnormalReturns
        NaN, with ``df`` 0, where an estimation window reaches before the first session, holds fewer than half its
        returns, too few or ones too large to square, or its factors are collinear; and, with ``outside="nan"``, where
        the day is no session of the panel.

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
    job = _job(panel, assets, days, model, estimation, windows, lags, leads, paths, outside)
    threads = thread_count(threads)
    if kernel not in KERNELS:
        raise WindowError(f"kernel={kernel!r} is not known; {did_you_mean(kernel, KERNELS)}choose one of {KERNELS}.")
    if kernel == "auto":
        kernel = _faster(panel, job.design, len(job.days), panel.missing_sums(job.design, job.assets), job.length)
    if kernel == "sums" and len(job.days):
        job.sums = panel.sums(job.design, job.assets, threads)
    size = max(16, GATHERED // job.length)
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
    holes = 1.0 - float(panel.dense.mean())
    shared, own = 2 + width, 3 + 2 * width + width * (width + 1) // 2
    parts = (1 - holes) * (shared + shared % 2) + holes * (own + own % 2)
    sums = missing * panel.n_sessions * parts * _PART + events * (_ASKED + _ASKED / 2 * width) + _CALL
    gather = events * ((1 + 0.6 * holes) * length * (_VALUE + _COLUMN * width) + _ASKED)
    return "sums" if sums < gather else "gather"


def _job(
    panel: Panel,
    assets: np.ndarray,
    days: np.ndarray,
    model: str,
    estimation: tuple[int, int],
    windows: Sequence[tuple[int, int]] | tuple[int, int],
    lags: int,
    leads: int,
    paths: bool,
    outside: str,
) -> Job:
    """Check the arguments and make room for the results."""
    if outside not in OUTSIDE:
        raise WindowError(f"outside={outside!r} is not known; {did_you_mean(outside, OUTSIDE)}choose one of {OUTSIDE}.")
    windows, span = _checked_windows(estimation, windows)
    assets, days = _checked_events(panel, assets, days, outside)
    design = panel.design(model, lags, leads)
    n, taus = len(days), np.arange(span[0], span[1] + 1)
    shape = (n, len(windows))
    return Job(
        panel, design, assets, days, (int(estimation[0]), int(estimation[1])), windows, taus, Fit.room(design.width, n),
        np.zeros(n, dtype=bool), np.empty((n, len(taus))) if paths else None, np.empty(shape), np.empty(shape),
        np.empty(shape, dtype=np.int64), [design.window_sums(window) for window in windows],
        design.padded(0, int(taus[-1])),
    )  # fmt: skip


def as_windows(windows: Sequence[tuple[int, int]] | tuple[int, int]) -> tuple[tuple[int, int], ...]:
    """Event windows as a tuple, one bare pair too; their edges are not checked."""
    try:
        given = tuple(windows)
        bare = len(given) == 2 and not any(isinstance(part, Iterable) for part in given)
        pairs = (given,) if bare else tuple(tuple(pair) for pair in given)  # type: ignore[arg-type]
    except TypeError:
        raise WindowError(f"windows={windows!r} holds no pairs; give offsets such as [(0, 1), (0, 5)].") from None
    return pairs  # type: ignore[return-value]


def _checked_windows(
    estimation: tuple[int, int], windows: Sequence[tuple[int, int]] | tuple[int, int]
) -> tuple[tuple[tuple[int, int], ...], tuple[int, int]]:
    """Windows as a tuple of pairs, and the offsets they and day 0 span."""
    windows = as_windows(windows)
    if not windows:
        raise WindowError("windows holds no window; give at least one pair such as (0, 1).")
    for name, window in (("estimation", estimation), *(("windows", pair) for pair in windows)):
        if len(window) != 2 or window[0] > window[1]:
            raise WindowError(f"{name}={window} is no window; give (first, last) with first <= last.")
        if not all(isinstance(edge, int | np.integer) for edge in window):
            raise WindowError(f"{name}={window} is not in whole sessions; give two integers.")
    pairs = tuple((int(first), int(last)) for first, last in windows)
    span = min(0, *(pair[0] for pair in pairs)), max(0, *(pair[1] for pair in pairs))
    if estimation[1] >= span[0]:
        raise WindowError(
            f"estimation={tuple(estimation)} and the event window from {span[0]} share session {estimation[1]}. "
            f"End estimation at {span[0] - 1} or earlier."
        )
    return pairs, span


def _checked_events(panel: Panel, assets: np.ndarray, days: np.ndarray, outside: str) -> tuple[np.ndarray, np.ndarray]:
    """Events as integer rows and columns of the panel; sessions outside it pass where they are to give NaN."""
    rows, columns = np.asarray(assets), np.asarray(days)
    if rows.ndim != 1 or rows.shape != columns.shape:
        raise WindowError(f"assets has shape {rows.shape} and days {columns.shape}; give one of each for every event.")
    for name, values in (("assets", rows), ("days", columns)):
        if values.size and values.dtype.kind not in "iu":
            raise WindowError(f"{name} is of type {values.dtype}; give integers, rows and sessions of the panel.")
    rows, columns = rows.astype(np.intp), columns.astype(np.intp)  # the result keeps them: copies
    if len(rows) and (rows.min() < 0 or rows.max() >= panel.n_assets):
        wrong = rows[(rows < 0) | (rows >= panel.n_assets)]
        raise WindowError(
            f"{len(wrong)} events name securities outside the panel, first {wrong[0]}; it has rows 0 to "
            f"{panel.n_assets - 1}."
        )
    wrong = columns[(columns < 0) | (columns >= panel.n_sessions)]
    if len(wrong) and outside == "refuse":
        raise WindowError(
            f"{len(wrong)} events have a day outside the panel, first {wrong[0]}; it has sessions 0 to "
            f"{panel.n_sessions - 1}. Leave them out, or pass outside='nan' to abnormal_returns."
        )
    return rows, columns


def thread_count(threads: int | None) -> int:
    """Threads to work with: as asked for, or one a processor up to 8."""
    if threads is None:
        return min(8, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)
    if threads < 1:
        raise WindowError(f"threads={threads}: give 1 or more, or None for the number of processors.")
    return int(threads)
