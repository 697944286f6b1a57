"""Difference between the means of two groups of events: Welch's t, and the same t over permutations of the labels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from market_reaction.errors import WindowError
from market_reaction.inference.arrays import present, vary
from market_reaction.inference.permutations import DRAWS, share_as_large, subsets
from market_reaction.inference.results import StatisticalTest, not_applicable, t_test

WELCH_NULL = "The two groups have the same mean; their variances may differ, and the cases are independent."
PERMUTATION_NULL = "The two groups have the same distribution, so that their labels could be exchanged."
FEWEST = 2  # cases in each group


@dataclass(frozen=True, slots=True)
class MeanDifference:
    """Difference of two means with its interval and two tests.

    Attributes
    ----------
    estimate : float
        Mean of the first group less mean of the second, in the unit of the values.
    std_error : float
        sqrt(s1^2 / n1 + s2^2 / n2).
    conf_low, conf_high : float
        Interval of Welch's t.
    level : float
        Coverage of the interval.
    welch, permutation : StatisticalTest
        The tests; both not applicable with fewer than two cases in a group.
    """

    estimate: float
    std_error: float
    conf_low: float
    conf_high: float
    level: float
    welch: StatisticalTest
    permutation: StatisticalTest


def difference_of_means(
    first: ArrayLike, second: ArrayLike, *, level: float = 0.95, draws: int = DRAWS, seed: int = 0
) -> MeanDifference:
    """Compare the means of two groups of independent cases.

    Parameters
    ----------
    first, second : array_like
        Values of the cases, shapes (n1,) and (n2,); NaN is left out.
    level : float
        Coverage of the interval.
    draws, seed : int
        Random permutations, and their seed; all are used where there are no more than that.

    Returns
    -------
    MeanDifference

    Raises
    ------
    WindowError
        A group without a value, a level outside (0, 1), or no draw.

    Notes
    -----
    t = (mean1 - mean2) / sqrt(s1^2 / n1 + s2^2 / n2) with Satterthwaite's degrees of freedom. The permutation test
    compares |t| with its values over the ways to hand out the labels. It is exact where the two groups have one
    distribution and, because the statistic is studentised, holds for equal means alone in large samples.

    References
    ----------
    Welch (1947), Biometrika 34:28; Janssen (1997), Statistics and Probability Letters 36:9; Chung and Romano (2013),
    Annals of Statistics 41:484.

    Examples
    --------
    >>> found = difference_of_means([1.0, 2.0, 3.0], [4.0, 6.0, 8.0, 10.0])
    >>> round(found.estimate, 3), round(found.welch.statistic, 3), round(found.welch.df, 3)
    (-5.0, -3.536, 4.075)
    >>> round(found.permutation.p_value, 4), round(found.permutation.floor, 4)  # 2 of 35 ways
    (0.0571, 0.0286)
    """
    if not 0 < level < 1:
        raise WindowError(f"level={level} is no coverage; give a share between 0 and 1, such as 0.95.")
    one, other = present("first", first), present("second", second)
    for name, values in (("first", one), ("second", other)):
        if not len(values):
            raise WindowError(f"{name} holds no value, so there is nothing to compare; give at least one case.")
    estimate, nan = float(one.mean() - other.mean()), float("nan")
    count = len(one) + len(other)
    reason = _reason(one, other)
    if reason:
        return MeanDifference(
            estimate, nan, nan, nan, level,
            not_applicable("welch", WELCH_NULL, count, reason),
            not_applicable("label_permutation", PERMUTATION_NULL, count, reason),
        )  # fmt: skip
    terms = [values.var(ddof=1) / len(values) for values in (one, other)]
    error = float(np.sqrt(sum(terms)))
    df = float(sum(terms) ** 2 / sum(term**2 / (len(v) - 1) for term, v in zip(terms, (one, other), strict=True)))
    reach = float(special.stdtrit(df, 0.5 + level / 2)) * error
    welch = t_test("welch", estimate / error, df, WELCH_NULL, count, "approximate")
    permutation = _permutation(one, other, estimate / error, draws, seed)
    return MeanDifference(estimate, error, estimate - reach, estimate + reach, level, welch, permutation)


def _reason(one: np.ndarray, other: np.ndarray) -> str:
    """Why no test applies; empty where one does."""
    if min(len(one), len(other)) < FEWEST:
        return f"each group needs {FEWEST} cases; they have {len(one)} and {len(other)}"
    return "" if vary(one) or vary(other) else "the values do not vary within the groups"


def _permutation(one: np.ndarray, other: np.ndarray, statistic: float, draws: int, seed: int) -> StatisticalTest:
    """Permutation test of the studentised difference; the observed labels are the first subset."""
    values = np.concatenate([one, other])
    members, all_of_them = subsets(len(values), len(other), draws, seed)
    chosen = np.zeros((len(members), len(values)), dtype=bool)
    np.put_along_axis(chosen, members, True, axis=1)
    groups = [np.where(mask, values, 0.0) for mask in (~chosen, chosen)]
    counts = (len(one), len(other))
    means = [group.sum(axis=1) / n for group, n in zip(groups, counts, strict=True)]
    spreads = [
        (np.where(mask, values - mean[:, None], 0.0) ** 2).sum(axis=1) / (n - 1) / n
        for mask, mean, n in zip((~chosen, chosen), means, counts, strict=True)
    ]
    with np.errstate(divide="ignore", invalid="ignore"):
        statistics = np.abs(means[0] - means[1]) / np.sqrt(spreads[0] + spreads[1])
    p_value = share_as_large(np.where(np.isnan(statistics), 0.0, statistics))
    ways = len(members)
    return StatisticalTest(
        "label_permutation", statistic, p_value, float("nan"), PERMUTATION_NULL,
        f"all {ways} ways to hand out the labels" if all_of_them else f"{ways - 1} permutations of the labels",
        len(values), "exact", "", 1.0 / ways,
    )  # fmt: skip
