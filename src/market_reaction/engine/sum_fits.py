"""Models fitted from differences of cumulative sums, and how far rounding can spoil them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from market_reaction.engine.design import Design, Fit
from market_reaction.engine.linear import dot, enough, solve, times
from market_reaction.engine.sums import Moments, Sums

if TYPE_CHECKING:
    from market_reaction.engine.panel import Panel

TOLERANCE = 1e-10  # relative error of a standard error, and error of a CAR in standard errors, that is let through
ROUNDING = np.finfo(float).eps / 2


def fit_from_sums(
    panel: Panel,
    design: Design,
    sums: Sums,
    assets: np.ndarray,
    days: np.ndarray,
    estimation: tuple[int, int],
) -> tuple[Fit, np.ndarray]:
    """Fit a model at events whose estimation windows lie inside the panel.

    Returns
    -------
    tuple of Fit and numpy.ndarray
        The fits; and for each event a bound on the squared error of a CAR from rounding, over its variance from the
        estimated coefficients, shape (b,): infinite where the fit itself cannot be trusted.

    Notes
    -----
    A difference of cumulative sums over L sessions is wrong by at most (L + 8) u P, where P is the cumulative sum of
    absolute values at the end of the window, which sums of squares bound. Hence |dSSR| <= (L + 8) u Q^2 with
    Q = sqrt(P_yy) + sum |b_j| sqrt(P_jj) + |a| sqrt(P_n), because the SSR is stationary in the coefficients; and the
    normal equations are wrong by at most (L + 8) u Q sqrt(P_jj), which the inverse carries to the coefficients. The
    code bounds Q^2 by (2 + k) times the sum of the squares, which needs no roots.
    """
    first, length = design.inner(estimation)
    start, length = days + first, max(length, 0)
    moments = sums.window(panel, assets, start, start + length)
    unit = (length + 8) * ROUNDING
    usable = enough(moments.n, estimation[1] - estimation[0] + 1, design.estimated)
    if design.fixed:
        fit = Fit.of_fixed(moments.n.astype(np.int64), moments.yy, design.width)
        bound = np.where(unit * moments.reach_yy <= TOLERANCE * moments.yy, 0.0, np.inf)
    else:
        fit, left, trusted = _solved(design, sums.pairs, moments, panel.centre[assets])
        bound = np.where(trusted, _bound(moments, fit, unit, left), np.inf)
    bound[~usable] = 0.0
    fit.discard(~usable)
    return fit, bound


def _solved(
    design: Design, pairs: tuple[tuple[int, ...], ...], moments: Moments, pivot: np.ndarray
) -> tuple[Fit, np.ndarray, np.ndarray]:
    """Fits by normal equations, their sums of squared residuals, and whether the regressors are surely free."""
    n = np.maximum(moments.n, 1.0)
    means, level = moments.x / n, moments.y / n
    inverse, trusted = _gram(pairs, moments, means), np.ones(len(n), dtype=bool)
    if design.width:
        inverse, free, sure, _ = solve(inverse, moments.n, means + design.centre[:, None])
        trusted = free & sure
    cross = moments.xy - moments.x * level
    slopes = times(inverse, cross)
    left = moments.yy - moments.y * level - dot(slopes, cross)
    counts = moments.n.astype(np.int64)
    df = counts - design.estimated
    std = np.sqrt(np.maximum(left, 0.0) / np.maximum(df, 1))
    return Fit(counts, df, std, pivot, level, slopes, means, inverse), left, trusted


def _bound(moments: Moments, fit: Fit, unit: float, left: np.ndarray) -> np.ndarray:
    """Bound that ``fit_from_sums`` describes."""
    width = len(fit.slopes)
    intercept = fit.level - dot(fit.slopes, fit.means)
    spread = moments.reach_yy + intercept * intercept * moments.reach_n
    gain = moments.reach_n / np.maximum(moments.n, 1.0)
    for at, (slope, reach) in enumerate(zip(fit.slopes, moments.reach_xx, strict=True)):
        spread += slope * slope * reach
        gain += width * fit.inverse[at, at] * reach
    spread *= (2 + width) * unit
    gain *= unit
    poor = ~((spread <= TOLERANCE * left) & (gain <= TOLERANCE))
    bound: np.ndarray = spread * gain * fit.df / np.where(poor, 1.0, left)
    bound[poor] = np.inf
    return bound


def _gram(pairs: tuple[tuple[int, ...], ...], moments: Moments, means: np.ndarray) -> np.ndarray:
    """Centred cross products of the regressors, shape (k, k, b)."""
    width = len(means)
    gram = np.empty((width, width, len(moments.n)))
    for (one, two), total in zip(pairs, moments.xx, strict=True):
        gram[one, two] = gram[two, one] = total - moments.x[one] * means[two]
    return gram
