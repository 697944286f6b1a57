"""What a test could have seen: power curves and minimum detectable effects."""

from __future__ import annotations

import numpy as np
from scipy import special

from market_reaction.errors import WindowError
from market_reaction.inference.placebo import MINIMUM_POOL


def check_share(name: str, value: float) -> None:
    """Refuse a level or power that is no share between 0 and 1."""
    if not 0 < value < 1:
        raise WindowError(f"{name}={value} is no share; give a number between 0 and 1, such as 0.95.")


def check_std_error(std_error: float) -> None:
    """Refuse a standard error that is not positive and finite."""
    if not (np.isfinite(std_error) and std_error > 0):
        raise WindowError(f"std_error={std_error} is no standard error; give a positive number.")


def t_mde_factor(df: float, level: float = 0.95, power: float = 0.8) -> float:
    """Minimum detectable effect of a two-sided t test, in standard errors.

    Parameters
    ----------
    df : float
        Degrees of freedom.
    level : float
        One minus the size of the test.
    power : float
        The power asked for.

    Returns
    -------
    float
        Noncentrality at which the test rejects with ``power``; 2.802 for infinite df, 2.825 with 118. NaN where ``df``
        is not above 0.

    Raises
    ------
    WindowError
        ``level`` or ``power`` is no share.

    References
    ----------
    MacKinlay (1997), Journal of Economic Literature 35:13, section 7.
    """
    check_share("level", level)
    check_share("power", power)
    # The tail on the other side adds less than 1e-6 where the power is anywhere near four fifths.
    return float(special.nctdtrinc(df, 1 - power, special.stdtrit(df, (1 + level) / 2)))


def mde(std_error: float, df: float, level: float = 0.95, power: float = 0.8, *, floor: float = 0.0) -> float:
    """Minimum detectable effect of a two-sided t test.

    Parameters
    ----------
    std_error : float
        Standard error of the estimate, forecast error included; the result has its unit.
    df : float
        Degrees of freedom.
    level, power : float
        One minus the size of the test, and the power asked for.
    floor : float
        Smallest p that the test can give with its number of cases, as ``StatisticalTest.floor``.

    Returns
    -------
    float
        Infinite when ``floor`` exceeds the size of the test: then no effect can be detected.
    """
    return float("inf") if floor > 1 - level + 1e-12 else t_mde_factor(df, level, power) * std_error


def power_curve(shifts: np.ndarray, std_error: float, df: float, level: float = 0.95) -> np.ndarray:
    """Power of a two-sided t test at each effect.

    Parameters
    ----------
    shifts : numpy.ndarray
        Effects in the unit of ``std_error``, shape (D,).
    std_error : float
        Standard error of the estimate.
    df : float
        Degrees of freedom.
    level : float
        One minus the size of the test.

    Returns
    -------
    numpy.ndarray
        P(|t| > t_crit) with t noncentral, noncentrality shift / std_error, shape (D,).

    Raises
    ------
    WindowError
        ``level`` is no share, or ``std_error`` or ``df`` is not above 0.
    """
    check_std_error(std_error)
    check_share("level", level)
    critical = special.stdtrit(df, (1 + level) / 2)
    nodes, weights = scale_nodes(df)
    noncentrality = np.asarray(shifts, dtype=float)[..., None] / std_error
    tails = special.ndtr(noncentrality - critical * nodes) + special.ndtr(-noncentrality - critical * nodes)
    return np.asarray(tails @ weights)


def scale_nodes(df: float, count: int = 2001) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights to average over an estimated standard deviation relative to the true one.

    Parameters
    ----------
    df : float
        Degrees of freedom of the estimate, above 0.
    count : int
        Number of nodes.

    Returns
    -------
    tuple of numpy.ndarray
        Values of S with df S^2 chi-squared with df degrees of freedom, and weights that sum to one, shape (count,); the
        value 1 alone for infinite df, where the standard deviation is known.

    Raises
    ------
    WindowError
        ``df`` is not above 0.
    """
    if not df > 0:
        raise WindowError(f"df={df} is no number of degrees of freedom; give a number above 0, such as L - k.")
    if np.isinf(df):
        return np.ones(1), np.ones(1)
    reach = 12.0 / np.sqrt(2.0 * df)
    nodes = np.linspace(max(1.0 - reach, 0.0), 1.0 + reach, count)
    density = np.exp(special.xlogy(df - 1.0, nodes) - df * (nodes**2 - 1.0) / 2.0)
    density[[0, -1]] /= 2.0
    return nodes, density / density.sum()


def design_effect(count: int, correlation: float) -> float:
    """How many times correlation raises the variance of a mean: 1 + (count - 1) correlation.

    Raises
    ------
    WindowError
        No case, or a correlation that no ``count`` cases can share.

    References
    ----------
    Kish (1965), Survey Sampling.
    """
    if count < 1 or not -1 <= correlation <= 1 or 1 + (count - 1) * correlation < 0:
        least = -1.0 / (count - 1) if count > 1 else -1.0
        raise WindowError(
            f"{count} cases cannot have a mean correlation of {correlation}; give at least one case and a correlation "
            f"from {least:g} to 1."
        )
    return 1.0 + (count - 1) * correlation


def mean_std_error(std_error: float, n_cases: int, correlation: float, n_events: int = 1) -> float:
    """Standard error of the mean of correlated cases over independent events.

    Parameters
    ----------
    std_error : float
        Standard error of one case, the same for all.
    n_cases : int
        Cases in each event.
    correlation : float
        Mean correlation between the cases of an event.
    n_events : int
        Independent events.

    Returns
    -------
    float
        std_error sqrt((1 + (n_cases - 1) correlation) / (n_cases n_events)); pass it to ``mde``.

    Raises
    ------
    WindowError
        As ``design_effect``; or no event.
    """
    if n_events < 1:
        raise WindowError(f"n_events={n_events} is no number of events; give 1 or more.")
    return float(std_error * np.sqrt(design_effect(n_cases, correlation) / (n_cases * n_events)))


def placebo_critical_value(pool: np.ndarray, level: float = 0.95) -> float:
    """Value a statistic must exceed for a placebo p of at most 1 - ``level``; infinite where the floor is above it.

    Parameters
    ----------
    pool : numpy.ndarray
        Pool statistics, shape (S,).
    level : float
        One minus the size of the two-sided test.
    """
    check_share("level", level)
    allowed = int(np.floor((1 - level) * (len(pool) + 1) + 1e-9)) - 1  # pool values that may be as large
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


def placebo_power_curve(
    shifts: np.ndarray, pool: np.ndarray, scale: float, *, level: float = 0.95, minimum: int = MINIMUM_POOL
) -> np.ndarray:
    """Power of the volatility-scaled placebo test on day 0 at each effect.

    Parameters
    ----------
    shifts : numpy.ndarray
        Effects in the unit of the returns, shape (D,).
    pool : numpy.ndarray
        Signed pool statistics AR_s / sigma_s, shape (S,).
    scale : float
        Volatility at the event, sigma_0, in the unit of the returns.
    level : float
        One minus the size of the two-sided test.
    minimum : int
        Pool size below which the test gives no p.

    Returns
    -------
    numpy.ndarray
        Share of pool days that would be found after a shift up or down, shape (D,); 0 where the test gives no p or its
        smallest p exceeds the size.

    Raises
    ------
    WindowError
        ``scale`` is not positive.
    """
    check_std_error(scale)
    critical = placebo_critical_value(pool, level) if len(pool) >= minimum else float("inf")
    return placebo_power(np.asarray(shifts, dtype=float) / scale, pool, critical)


def placebo_mde(
    pool: np.ndarray, scale: float, *, level: float = 0.95, power: float = 0.8, minimum: int = MINIMUM_POOL
) -> float:
    """Minimum detectable effect of the volatility-scaled placebo test on day 0.

    Parameters
    ----------
    pool : numpy.ndarray
        Signed pool statistics AR_s / sigma_s, shape (S,).
    scale : float
        Volatility at the event, sigma_0, in the unit of the returns.
    level, power : float
        One minus the size of the two-sided test, and the power asked for.
    minimum : int
        Pool size below which the test gives no p, so that no effect can be detected.

    Returns
    -------
    float
        Smallest effect, in the unit of ``scale``, that is detected with ``power`` when the day's own shock is drawn
        like a pool day's at today's volatility; infinite when the smallest attainable p exceeds the size of the test.

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
