"""What a test could have seen: minimum detectable effects."""

from __future__ import annotations

import numpy as np
from scipy import special

from market_reaction.inference.placebo import MINIMUM_POOL


def t_mde_factor(df: int, level: float = 0.05, power: float = 0.8) -> float:
    """Minimum detectable effect of a two-sided t test, in standard errors.

    Parameters
    ----------
    df : int
        Degrees of freedom.
    level, power : float
        Size of the test, and the power asked for.

    Returns
    -------
    float
        Noncentrality at which the test rejects with ``power``; 2.802 for the normal, 2.825 with 118 degrees of freedom.

    References
    ----------
    MacKinlay (1997), Journal of Economic Literature 35:13, section 7.
    """
    # The tail on the other side adds less than 1e-6 where the power is anywhere near four fifths.
    return float(special.nctdtrinc(df, 1 - power, special.stdtrit(df, 1 - level / 2)))


def placebo_critical_value(pool: np.ndarray, level: float = 0.05) -> float:
    """Value a statistic must exceed for a placebo p of at most ``level``; infinite where the floor is above it.

    Parameters
    ----------
    pool : numpy.ndarray
        Pool statistics, shape (S,).
    level : float
        Size of the two-sided test.
    """
    allowed = int(np.floor(level * (len(pool) + 1) + 1e-9)) - 1  # pool values that may be as large
    if allowed < 0:
        return float("inf")
    return float(np.sort(np.abs(pool))[::-1][allowed])


def placebo_power(shift: np.ndarray, pool: np.ndarray, critical: float) -> np.ndarray:
    """Share of pool days, shifted up or down by ``shift``, whose statistic exceeds the critical value.

    Parameters
    ----------
    shift : numpy.ndarray
        Shifts in units of the statistic, shape (D,).
    pool : numpy.ndarray
        Signed pool statistics, shape (S,).
    critical : float
        Value to exceed.

    Returns
    -------
    numpy.ndarray
        Power averaged over both directions, shape (D,).
    """
    ordered, count = np.sort(pool), len(pool)

    def above(bound: np.ndarray) -> np.ndarray:
        return count - np.searchsorted(ordered, bound, side="right")

    def below(bound: np.ndarray) -> np.ndarray:
        return np.searchsorted(ordered, bound, side="left")

    up = above(critical - shift) + below(-critical - shift)
    down = above(critical + shift) + below(-critical + shift)
    return (up + down) / (2 * count)


def placebo_mde(
    pool: np.ndarray, scale: float, *, level: float = 0.05, power: float = 0.8, minimum: int = MINIMUM_POOL
) -> float:
    """Minimum detectable effect of the volatility-scaled placebo test on day 0.

    Parameters
    ----------
    pool : numpy.ndarray
        Signed pool statistics AR_s / sigma_s, shape (S,).
    scale : float
        Volatility at the event, sigma_0, in the unit of the returns.
    level, power : float
        Size of the two-sided test, and the power asked for.
    minimum : int
        Pool size below which the test gives no p, so that no effect can be detected.

    Returns
    -------
    float
        Smallest effect, in the unit of ``scale``, that is detected with ``power`` when the day's own shock is drawn
        like a pool day's at today's volatility; infinite when the smallest attainable p exceeds ``level``.

    Notes
    -----
    Simulated by shifting every pool day by the effect in both directions; the power changes only where a shifted pool
    value crosses the critical value, so the smallest effect is found exactly among those points.
    """
    critical = placebo_critical_value(pool, level)
    if not np.isfinite(critical) or len(pool) < minimum or not np.isfinite(scale):
        return float("inf")
    crossings = np.sort(np.concatenate([critical - pool, critical + pool]))
    crossings = np.nextafter(crossings[crossings > 0], np.inf)
    reached = placebo_power(crossings, pool, critical) >= power
    return float(crossings[np.argmax(reached)] * scale) if reached.any() else float("inf")
