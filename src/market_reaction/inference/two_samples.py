"""Difference between the means of two groups of events, without equal variances: Welch's t, and permuted labels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from market_reaction.inference.arrays import present, vary
from market_reaction.inference.permutations import DRAWS, share_as_large, subsets
from market_reaction.inference.power import check_share, t_mde_factor
from market_reaction.inference.results import StatisticalTest, not_applicable

LEAST_PER_GROUP = 2
PERMUTATION_NULL = "The two groups have the same distribution, so that their labels could be exchanged."


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


def label_permutation(first: np.ndarray, second: np.ndarray, *, draws: int = DRAWS, seed: int = 0) -> StatisticalTest:
    """Permutation test of the difference between two means: |t| of Welch over the ways to hand out the labels.

    Parameters
    ----------
    first, second : numpy.ndarray
        One value per event of each group, shapes (n_1,) and (n_2,); NaN marks an absent one.
    draws, seed : int
        Random permutations, and their seed; all are used where there are no more than that.

    Returns
    -------
    StatisticalTest
        ``"label_permutation"``, two-sided; its floor is 1 over the number of ways. Not applicable where
        ``welch_difference`` is not.

    Raises
    ------
    WindowError
        As ``welch_difference``; no draw.

    Notes
    -----
    Exact where the groups have one distribution and, because the statistic is studentised, valid for equal means alone
    in large samples.

    References
    ----------
    Janssen (1997), Statistics and Probability Letters 36:9; Chung and Romano (2013), Annals of Statistics 41:484.

    Examples
    --------
    >>> found = label_permutation(np.array([1.0, 2.0, 3.0]), np.array([4.0, 6.0, 8.0, 10.0]))
    >>> round(found.p_value, 4), round(found.floor, 4)  # 2 and 1 of 35 ways
    (0.0571, 0.0286)
    """
    one, two = present("first", first), present("second", second)
    values = np.concatenate([one, two])
    reason = _why_not(one, two)
    if reason:
        return not_applicable("label_permutation", PERMUTATION_NULL, len(values), reason)
    members, all_of_them = subsets(len(values), len(two), draws, seed)
    in_second = np.zeros((len(members), len(values)), dtype=bool)
    np.put_along_axis(in_second, members, True, axis=1)
    statistics = _welch_statistics(values, in_second, len(one), len(two))
    ways = len(members)
    return StatisticalTest(
        "label_permutation", float(statistics[0]), share_as_large(np.abs(statistics)), float("nan"), PERMUTATION_NULL,
        f"all {ways} ways to hand out the labels" if all_of_them else f"{ways - 1} permutations of the labels",
        len(values), "exact", "", 1.0 / ways,
    )  # fmt: skip


def _welch_statistics(values: np.ndarray, in_second: np.ndarray, n_first: int, n_second: int) -> np.ndarray:
    """Welch's t for each row of labels, shape (P, n) to (P,); 0 where neither the means differ nor the values vary."""
    means, variances = [], []
    for mask, count in ((~in_second, n_first), (in_second, n_second)):
        mean = np.where(mask, values, 0.0).sum(axis=1) / count
        variances.append((np.where(mask, values - mean[:, None], 0.0) ** 2).sum(axis=1) / (count - 1) / count)
        means.append(mean)
    with np.errstate(divide="ignore", invalid="ignore"):
        statistics = (means[0] - means[1]) / np.sqrt(variances[0] + variances[1])
    return np.where(np.isnan(statistics), 0.0, statistics)
