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
    start = days + first
    moments = sums.window(panel, assets, start, start + max(length, 0))
    full = estimation[1] - estimation[0] + 1
    n = np.maximum(moments.n, 1.0)
    unit = (max(length, 0) + 8) * ROUNDING
    counts = moments.n.astype(np.int64)
    usable = enough(moments.n, full, design.estimated)
    if design.fixed:
        fit = Fit.of_fixed(counts, moments.yy, design.width)
        poor = usable & ~(unit * moments.reach_yy <= TOLERANCE * moments.yy)
        fit.discard(~usable)
        return fit, np.where(poor, np.inf, 0.0)
    means, level = moments.x / n, moments.y / n
    gram = _gram(sums.pairs, moments, means, n)
    cross = moments.xy - moments.x * level
    inverse, trusted = gram, usable
    if design.width:
        inverse, free, sure, _ = solve(gram, moments.n, means + design.centre[:, None])
        trusted = free & sure
    slopes = times(inverse, cross)
    left = moments.yy - moments.y * level - dot(slopes, cross)
    df = counts - design.estimated
    fit = Fit(
        counts,
        df,
        np.sqrt(np.maximum(left, 0.0) / np.maximum(df, 1)),
        panel.centre[assets],
        level,
        slopes,
        means,
        inverse,
    )
    bound = _bound(moments, fit, unit, left, df)
    bound[~trusted] = np.inf
    bound[~usable] = 0.0
    fit.discard(~usable)
    return fit, bound


def _bound(moments: Moments, fit: Fit, unit: float, left: np.ndarray, df: np.ndarray) -> np.ndarray:
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
    bound: np.ndarray = spread * gain * df / np.where(poor, 1.0, left)
    bound[poor] = np.inf
    return bound


def _gram(pairs: tuple[tuple[int, ...], ...], moments: Moments, means: np.ndarray, n: np.ndarray) -> np.ndarray:
    """Centred cross products of the regressors, shape (k, k, b)."""
    width = len(means)
    gram = np.empty((width, width, len(n)))
    for (one, two), total in zip(pairs, moments.xx, strict=True):
        gram[one, two] = gram[two, one] = total - moments.x[one] * means[two]
    return gram
