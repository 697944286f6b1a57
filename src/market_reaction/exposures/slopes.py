"""Slopes of reactions on an exposure across shares, on many days at once. Arrays in, arrays out."""

from __future__ import annotations

import numpy as np
from scipy import special

from market_reaction.errors import WindowError
from market_reaction.inference.power import check_share

FEWEST_SHARES = 4  # two parameters, and two degrees of freedom


def cross_section_slopes(reactions: np.ndarray, exposure: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Least-squares slope and intercept of the reactions of N shares on their exposure, day by day.

    Parameters
    ----------
    reactions : numpy.ndarray
        Abnormal returns, shape (S, N).
    exposure : numpy.ndarray
        Exposure of each share, shape (N,), or of each share on each day, shape (S, N).

    Returns
    -------
    tuple of numpy.ndarray
        Slopes and intercepts, shape (S,); NaN on a day where a share lacks a value or all have one exposure.

    Raises
    ------
    WindowError
        Shapes that do not belong together.

    Notes
    -----
    b_t = sum_i w_i AR_it with w_i = (x_i - mean x) / sum_j (x_j - mean x)^2: the return of a portfolio that costs
    nothing and has one unit of exposure. The correlation of the shares is in its variance over days.

    References
    ----------
    Sefcik and Thompson (1986), Journal of Accounting Research 24:316.
    """
    reactions, exposure = _matching(reactions, exposure)
    centred, squares = _spread(exposure)
    slopes = (centred * reactions).sum(axis=1) / squares
    return slopes, reactions.mean(axis=1) - slopes * exposure.mean(axis=1)


def hc3_std_errors(reactions: np.ndarray, exposure: np.ndarray) -> np.ndarray:
    """Heteroskedasticity-robust (HC3) standard error of the slope, day by day.

    Parameters
    ----------
    reactions, exposure : numpy.ndarray
        As in ``cross_section_slopes``.

    Returns
    -------
    numpy.ndarray
        Shape (S,). It supposes shares that are independent of each other, which shares on one day are not.

    References
    ----------
    MacKinnon and White (1985), Journal of Econometrics 29:305.
    """
    reactions, exposure = _matching(reactions, exposure)
    slopes, intercepts = cross_section_slopes(reactions, exposure)
    centred, squares = _spread(exposure)
    residuals = reactions - intercepts[:, None] - slopes[:, None] * exposure
    kept = 1.0 - hat_values(exposure)
    scaled = np.divide(residuals, kept, out=np.full(residuals.shape, np.nan), where=kept > 1e-12)
    return np.asarray(np.sqrt(((centred * scaled) ** 2).sum(axis=1)) / squares)


def hat_values(exposure: np.ndarray) -> np.ndarray:
    """Leverage of each share, 1/N + (x_i - mean x)^2 / sum_j (x_j - mean x)^2, shape of ``exposure``."""
    rows = np.atleast_2d(exposure)
    centred, squares = _spread(rows)
    found = 1.0 / rows.shape[1] + centred**2 / squares[:, None]
    return np.asarray(found.reshape(np.shape(exposure)))


def hc3_rejection_rate(reactions: np.ndarray, exposure: np.ndarray, level: float = 0.95) -> float:
    """Share of days on which the HC3 t test calls a slope different from zero, although the days are ordinary.

    Parameters
    ----------
    reactions, exposure : numpy.ndarray
        As in ``cross_section_slopes``, on days without an effect.
    level : float
        One minus the nominal size of the two-sided test with N - 2 degrees of freedom.

    Returns
    -------
    float
        To be compared with 1 - level; NaN without a day.
    """
    check_share("level", level)
    if not len(reactions):
        return float("nan")
    slopes, _ = cross_section_slopes(reactions, exposure)
    critical = special.stdtrit(np.shape(reactions)[1] - 2, (1 + level) / 2)
    return float(np.mean(np.abs(slopes) > critical * hc3_std_errors(reactions, exposure)))


def _matching(reactions: np.ndarray, exposure: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both as (S, N) of float."""
    days = np.atleast_2d(np.asarray(reactions, dtype=float))
    known = np.atleast_2d(np.asarray(exposure, dtype=float))
    if known.shape[1] != days.shape[1] or known.shape[0] not in (1, days.shape[0]):
        raise WindowError(
            f"reactions {np.shape(reactions)} and exposure {np.shape(exposure)} do not belong together; give (S, N) "
            "and (N,) or (S, N)."
        )
    if days.shape[1] < FEWEST_SHARES:
        raise WindowError(f"{days.shape[1]} shares; a slope across shares needs at least {FEWEST_SHARES}.")
    return days, np.broadcast_to(known, days.shape)


def _spread(exposure: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Exposure less its mean over shares (S, N), and its sum of squares (S,), NaN where all have one exposure."""
    centred = exposure - exposure.mean(axis=1, keepdims=True)
    squares = (centred**2).sum(axis=1)
    smallest = 1e-24 * (exposure**2).sum(axis=1)
    return centred, np.where(squares > smallest, squares, np.nan)
