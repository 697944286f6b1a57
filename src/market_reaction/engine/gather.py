"""The kernel that copies the estimation window of every event, and the windows around the events."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from market_reaction.engine.design import Design, Fit
from market_reaction.engine.linear import enough, free_of_collinearity, solve, times

if TYPE_CHECKING:
    from market_reaction.engine.panel import Panel

_FAR_MEAN = 100.0  # spreads that a mean may lie from zero before rounding begins to matter
_NO_SPREAD = 1e-13  # share of the returns below which what is left over is rounding: there is no spread
_REFINED = 1e-4  # share of the variance left over, or square of the smallest eigenvalue, below which slopes are refined


def fit_gathered(
    panel: Panel,
    design: Design,
    assets: np.ndarray,
    days: np.ndarray,
    estimation: tuple[int, int],
    pivot: np.ndarray | None = None,
) -> Fit:
    """Fit a model at events whose estimation windows lie inside the panel, by centred normal equations.

    Parameters
    ----------
    assets, days : numpy.ndarray
        Rows and columns of the panel, shape (b,).
    pivot : numpy.ndarray, optional
        What to take off the returns before their mean, shape (b,); the centre of each security if None. An event whose
        mean is then still far from zero is fitted once more from that mean.
    """
    first, length = design.inner(estimation)
    full = estimation[1] - estimation[0] + 1
    if length < 1:
        return Fit.of_nothing(design.width, len(days))
    start = days + first
    target = rows_of(panel.returns, assets, start, length)
    columns = [stretches(column, start, length) for column in design.columns]
    known = known_sessions(panel, design, assets, start, target)
    if design.fixed:
        return _fixed(target, columns, known, full)
    origin = panel.centre[assets] if pivot is None else pivot
    fit = fit_rows(target, columns, known, origin, design.centre, full)
    far = np.flatnonzero(np.abs(fit.level) > _FAR_MEAN * fit.std)
    if pivot is None and len(far):
        again = (origin + fit.level)[far]
        fit.put(far, fit_gathered(panel, design, assets[far], days[far], estimation, again))
    return fit


def fit_rows(
    target: np.ndarray,
    columns: list[np.ndarray],
    known: np.ndarray | None,
    pivot: np.ndarray,
    centre: np.ndarray,
    full: int,
) -> Fit:
    """Regress each row of the target on an intercept and the same row of each column; overwrites both.

    Parameters
    ----------
    target : numpy.ndarray
        Returns, shape (b, L).
    columns : list of numpy.ndarray
        Regressors less ``centre`` (k,), each of shape (b, L).
    known : numpy.ndarray or None
        Which of the values count, shape (b, L); None when all do.
    pivot : numpy.ndarray
        What to take off the target before its mean, shape (b,).
    full : int
        Sessions of the estimation window, of which half must count.
    """
    count, estimated = len(target), 1 + len(columns)
    n = np.full(count, float(target.shape[1])) if known is None else known.sum(axis=1).astype(float)
    target -= pivot[:, None]
    level = take_off_mean(target, known, n)
    means = np.empty((len(columns), count))
    for row, column in zip(means, columns, strict=True):
        row[...] = take_off_mean(column, known, n)
    total = np.einsum("ij,ij->i", target, target)
    slopes, inverse, free = _regress(target, columns, total, n, means + centre[:, None])
    df = np.maximum(n - estimated, 1)
    std = np.sqrt(np.einsum("ij,ij->i", target, target) / df)
    std[std < _NO_SPREAD * (np.abs(pivot) + np.abs(level) + np.sqrt(total / df))] = 0.0
    whole = n.astype(np.int64)
    fit = Fit(whole, whole - estimated, std, pivot, level, slopes, means, inverse)
    fit.discard(~(enough(n, full, estimated) & free & np.isfinite(std)))
    return fit


def fit_window(target: np.ndarray, columns: np.ndarray) -> tuple[Fit, np.ndarray]:
    """Regress one window (L,) on an intercept and columns (L, k), all rows of which count; and the columns' centre."""
    centre = columns.mean(axis=0)
    parts = list(np.ascontiguousarray((columns - centre).T)[:, None])
    with np.errstate(all="ignore"):
        return fit_rows(target[None].copy(), parts, None, target.mean(keepdims=True), centre, len(target)), centre


def take_off_mean(values: np.ndarray, known: np.ndarray | None, n: np.ndarray) -> np.ndarray:
    """Take the mean over the known sessions off in place, leave zero elsewhere, and give the means."""
    if known is not None:
        values[~known] = 0.0
    means: np.ndarray = values.sum(axis=1) / np.maximum(n, 1)
    values -= means[:, None]
    if known is not None:
        values[~known] = 0.0
    return means


def rows_of(values: np.ndarray, assets: np.ndarray, start: np.ndarray, length: int) -> np.ndarray:
    """Copies of ``length`` values from a start in each row of (A, T), shape (b, length); all must lie inside."""
    return stretches(values.reshape(-1), assets * values.shape[1] + start, length)


def stretches(values: np.ndarray, start: np.ndarray, length: int) -> np.ndarray:
    """Copies of ``length`` neighbouring values from each start, shape (b, length).

    Each stretch is read as one item of ``length`` values, which numpy copies several times faster than so many items.
    """
    size = values.itemsize
    items = np.ndarray(
        (len(values) - length + 1,), dtype=f"V{size * length}", buffer=values.data, strides=(size,)
    )  # fmt: skip
    return items[start].view(values.dtype).reshape(len(start), length)


def known_sessions(
    panel: Panel, design: Design, assets: np.ndarray, start: np.ndarray, target: np.ndarray
) -> np.ndarray | None:
    """Which sessions of the windows count, shape (b, L); None when all do."""
    length = target.shape[1]
    if panel.skip is None and design.known is None and panel.dense[assets].all():
        return None
    known = ~np.isnan(target)
    if design.known is not None:
        known &= stretches(design.known, start, length)
    if panel.skip is not None:
        if panel.skip.ndim == 1:
            known &= ~stretches(panel.skip, start, length)
        else:
            known &= ~rows_of(panel.skip, assets, start, length)
    return known


def _regress(
    target: np.ndarray, columns: list[np.ndarray], total: np.ndarray, n: np.ndarray, means: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Slopes, inverse cross products and whether they are free of collinearity; ``target`` becomes the residuals.

    ``total`` are the squares of the target, shape (b,), and ``means`` those of the columns before centring.
    """
    count = len(columns)
    gram = np.empty((count, count, len(n)))
    moments = np.empty((count, len(n)))
    if not count:
        return moments, gram, np.ones(len(n), dtype=bool)
    for one in range(count):
        moments[one] = np.einsum("ij,ij->i", columns[one], target)
        for two in range(one + 1):
            gram[one, two] = gram[two, one] = np.einsum("ij,ij->i", columns[one], columns[two])
    inverse, free, sure, smallest = solve(gram, n, means)
    if not sure.all():
        free[~sure] = free_of_collinearity(gram[:, :, ~sure])
    slopes = times(inverse, moments)
    for column, slope in zip(columns, slopes, strict=True):
        target -= slope[:, None] * column
    left = np.einsum("ij,ij->i", target, target)
    weak = (left < _REFINED * total) | (smallest < _REFINED**0.5)
    at = np.flatnonzero(weak & free)
    if len(at):
        _refine(target, columns, slopes, inverse, at)
    return slopes, inverse, free


def _refine(
    target: np.ndarray, columns: list[np.ndarray], slopes: np.ndarray, inverse: np.ndarray, at: np.ndarray
) -> None:
    """Two steps of iterative refinement of the slopes of some events; their residuals follow."""
    left = target[at]
    parts = [column[at] for column in columns]
    for _ in range(2):
        rest = np.stack([np.einsum("ij,ij->i", part, left) for part in parts])
        change = times(inverse[:, :, at], rest)
        slopes[:, at] += change
        for part, step in zip(parts, change, strict=True):
            left -= step[:, None] * part
    target[at] = left


def _fixed(target: np.ndarray, columns: list[np.ndarray], known: np.ndarray | None, full: int) -> Fit:
    """Spread around coefficients that are not estimated."""
    for column in columns:
        target -= column
    n = np.full(len(target), target.shape[1])
    if known is not None:
        target[~known] = 0.0
        n = known.sum(axis=1)
    fit = Fit.of_fixed(n, np.einsum("ij,ij->i", target, target), len(columns))
    fit.discard(~(enough(n, full, 0) & np.isfinite(fit.std)))
    return fit
