"""Difference between the means of two groups of events, without equal variances: Welch's t and its interval."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from market_reaction.inference.arrays import present, vary
from market_reaction.inference.power import check_share, t_mde_factor

LEAST_PER_GROUP = 2


@dataclass(frozen=True, slots=True)
class MeanDifference:
    """Mean of a first group minus that of a second.

    Attributes
    ----------
    estimate, std_error : float
        Difference, in the unit of the values, and its standard error.
    statistic, df, p_value : float
        Welch's t, its degrees of freedom, and the two-sided p.
    conf_low, conf_high : float
        Interval of the coverage asked for.
    mde : float
        Difference that the t test finds with 80% power at 5%.
    n_first, n_second : int
        Values in each group.
    note : str
        Why there is no test; empty where there is one.
    """

    estimate: float
    std_error: float
    statistic: float
    df: float
    p_value: float
    conf_low: float
    conf_high: float
    mde: float
    n_first: int
    n_second: int
    note: str = ""


def welch_difference(first: np.ndarray, second: np.ndarray, level: float = 0.95) -> MeanDifference:
    """Welch's t test and interval for the difference between two means.

    Parameters
    ----------
    first, second : numpy.ndarray
        One value per event of each group, shapes (n_1,) and (n_2,); NaN marks an absent one.
    level : float
        Coverage of the interval.

    Returns
    -------
    MeanDifference
        NaN for all but the estimate, and the reason, below 2 values in a group or without spread in both.

    Raises
    ------
    WindowError
        A group that is not one-dimensional or not finite, or a level outside (0, 1).

    Notes
    -----
    t = (mean_1 - mean_2) / sqrt(s_1^2 / n_1 + s_2^2 / n_2), divisors n - 1, with the degrees of freedom of
    Satterthwaite. Approximate for independent normal values; the variances of the groups may differ.

    References
    ----------
    Welch (1947), Biometrika 34:28.
    """
    check_share("level", level)
    one, two = present("first", first), present("second", second)
    counts, nan = (len(one), len(two)), float("nan")
    estimate = float(one.mean() - two.mean()) if min(counts) else nan
    note = _why_not(one, two)
    if note:
        return MeanDifference(estimate, nan, nan, nan, nan, nan, nan, nan, *counts, note)
    terms = one.var(ddof=1) / len(one), two.var(ddof=1) / len(two)
    error = float(np.sqrt(sum(terms)))
    df = float(sum(terms) ** 2 / (terms[0] ** 2 / (len(one) - 1) + terms[1] ** 2 / (len(two) - 1)))
    reach = float(special.stdtrit(df, 0.5 + level / 2)) * error
    p_value = float(2.0 * special.stdtr(df, -abs(estimate / error)))
    return MeanDifference(
        estimate, error, estimate / error, df, p_value, estimate - reach, estimate + reach, t_mde_factor(df) * error,
        *counts,
    )  # fmt: skip


def _why_not(one: np.ndarray, two: np.ndarray) -> str:
    """Why there is no test; empty where there is one."""
    if min(len(one), len(two)) < LEAST_PER_GROUP:
        return f"a difference needs {LEAST_PER_GROUP} values in each group; {len(one)} and {len(two)} given"
    return "" if vary(one) or vary(two) else "the values of both groups do not vary"
