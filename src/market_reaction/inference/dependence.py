"""Cases that move together: their mean correlation, and a mean whose standard error allows for clusters."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from market_reaction.inference.arrays import checked_array, same_length, vary
from market_reaction.inference.results import StatisticalTest, not_applicable, t_test

MINIMUM_OVERLAP = 3
FEW_CLUSTERS = 30


def mean_correlation(residuals: ArrayLike) -> float:
    """Mean correlation between the residuals of all pairs of markets.

    Parameters
    ----------
    residuals : array_like
        Estimation residuals, shape (T, N); one row per common calendar date, NaN where a market has none.

    Returns
    -------
    float
        Mean over pairs with at least 3 common dates on which both vary; NaN where there is no such pair.

    Notes
    -----
    Each pair is centred and scaled on the dates the two have in common. Rows must be calendar dates: pairing by place
    in the window gives another, wrong number when events or holidays differ.

    References
    ----------
    Kolari and Pynnonen (2010), Review of Financial Studies 23:3996.
    """
    values = checked_array("residuals", residuals, 2)
    known = ~np.isnan(values)
    mask = known.astype(float)
    counts = mask.sum(axis=0)
    centre = np.where(known, values, 0.0).sum(axis=0) / np.maximum(counts, 1.0)
    filled = np.where(known, values - centre, 0.0)  # a zero adds nothing to a sum; the counts leave absent dates out
    spread = np.sqrt((filled**2).sum(axis=0) / np.maximum(counts, 1.0))
    filled = filled / np.where(spread > 0, spread, 1.0)
    common = np.maximum(mask.T @ mask, 1.0)
    sums, squares = filled.T @ mask, (filled**2).T @ mask
    variance = squares - sums**2 / common
    covariance = filled.T @ filled - sums * sums.T / common
    varies = variance > 1e-12 * common
    usable = (mask.T @ mask >= MINIMUM_OVERLAP) & varies & varies.T
    usable &= ~np.eye(len(counts), dtype=bool)
    if not usable.any():
        return float("nan")
    return float((covariance[usable] / np.sqrt(variance[usable] * variance.T[usable])).mean())


def clustered_t(values: ArrayLike, clusters: ArrayLike, second: ArrayLike | None = None) -> StatisticalTest:
    """Clustered t: a mean over its cluster-robust standard error, one- or two-way.

    Parameters
    ----------
    values : array_like
        Observations, shape (n,); NaN where there is none.
    clusters, second : array_like
        Cluster of each observation, shape (n,): events or dates; ``second`` adds another dimension, such as the market.

    Returns
    -------
    StatisticalTest
        t(M - 1), two-sided, M the (smaller) number of clusters; not applicable below 2 clusters, for equal values, or
        where the two-way variance is not positive.

    Notes
    -----
    Var = M / (M - 1) sum_g (sum_{i in g} (x_i - mean))^2 / n^2; two-way V_1 + V_2 - V_12, each with its own M. This is
    ``vcovCL`` of the R package sandwich with ``type = "HC1"``, whose factor (n - 1) / (n - k) is 1 for a mean.
    Assumes independent clusters; with few of them it rejects too often.

    References
    ----------
    Cameron, Gelbach and Miller (2011), Journal of Business & Economic Statistics 29:238.
    """
    name, null = "clustered_t", "The mean is zero; observations of different clusters independent."
    numbers = checked_array("values", values, 1)
    known = ~np.isnan(numbers)
    given = {"clusters": clusters} if second is None else {"clusters": clusters, "second": second}
    labels = [_codes(argument, item, numbers, known) for argument, item in given.items()]
    smallest = min(len(np.unique(item)) for item in labels)
    if smallest < 2:
        return not_applicable(name, null, smallest, f"needs at least 2 clusters; {smallest} given")
    if not vary(numbers[known]):
        reason = f"needs values that differ; all {int(known.sum())} are {numbers[known][0]:g}"
        return not_applicable(name, null, smallest, reason)
    rest = numbers[known] - numbers[known].mean()
    variance = sum(_cluster_variance(rest, item) for item in labels)
    if second is not None:
        variance -= _cluster_variance(rest, labels[0] * (labels[1].max() + 1) + labels[1])
    if variance <= 0:
        return not_applicable(name, null, smallest, f"the clustered variance is {variance:g}; it must be positive")
    note = f"{smallest} clusters are few: rejects too often" if smallest < FEW_CLUSTERS else ""
    statistic = numbers[known].mean() / np.sqrt(variance)
    return t_test(name, statistic, smallest - 1, null, smallest, "approximate", note)


def _codes(argument: str, labels: ArrayLike, values: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Cluster numbers 0, 1, ... of the present observations."""
    array = np.asarray(labels)
    same_length("values", values, argument, array)
    return np.unique(array[known], return_inverse=True)[1]


def _cluster_variance(rest: np.ndarray, codes: np.ndarray) -> float:
    """Cluster-robust variance of a mean from the deviations."""
    return variance_of_sums(np.bincount(np.unique(codes, return_inverse=True)[1], weights=rest), len(rest))


def variance_of_sums(sums: np.ndarray, count: int) -> float:
    """Cluster-robust variance of a mean of ``count`` values from the sums of deviations of its clusters, shape (M,)."""
    return float(len(sums) / (len(sums) - 1) * (sums @ sums) / count**2)
