"""Permutations that several tests share: subsets, signs, weights, and the share of statistics as large as observed."""

from __future__ import annotations

from itertools import combinations, product
from math import comb

import numpy as np

from market_reaction.errors import WindowError
from market_reaction.inference.arrays import tie_slack

DRAWS = 9999
ALL_SIGNS_UP_TO = 14


def check_draws(draws: int, name: str = "draws") -> None:
    """Raise ``WindowError``, naming the argument, unless there is at least one draw."""
    if draws < 1:
        raise WindowError(f"{name}={draws} gives nothing to compare with; the bound is 1. Pass 999 or more.")


def share_as_large(values: np.ndarray) -> float:
    """Share of values that are at least as large as the first, which is the observed one and counts itself.

    Parameters
    ----------
    values : numpy.ndarray
        Statistics for which large speaks against the null, shape (P,); infinite values are allowed.

    Notes
    -----
    With P - 1 random draws behind the observed value this is (1 + number as large) / (1 + draws). Values that differ
    from the first by rounding alone count as equal.

    Examples
    --------
    >>> share_as_large(np.array([2.0, 1.0, 2.0, 3.0]))
    0.75
    """
    observed, slack = values[0], 0.0
    if np.isfinite(observed):
        slack = float(tie_slack(observed, np.median(values[np.isfinite(values)])))
    return float(np.count_nonzero(values >= observed - slack) / len(values))


def random_subsets(total: int, size: int, draws: int, seed: int) -> np.ndarray:
    """Random subsets of ``range(total)``, each of ``size`` members drawn without replacement.

    Returns
    -------
    numpy.ndarray
        Members of each subset, shape (draws, size), integer.

    Notes
    -----
    Floyd's algorithm for all draws at once: the j-th step draws from the first j + 1 numbers and takes j itself when
    the number drawn is a member already, so that every subset has the same probability.

    References
    ----------
    Bentley and Floyd (1987), Communications of the ACM 30:754.
    """
    rng = np.random.default_rng(seed)
    members = np.empty((draws, size), dtype=np.int64)
    for step, last in enumerate(range(total - size, total)):
        drawn = rng.integers(0, last + 1, size=draws)
        taken = (members[:, :step] == drawn[:, None]).any(axis=1)
        members[:, step] = np.where(taken, last, drawn)
    return members


def subsets(total: int, size: int, draws: int, seed: int) -> tuple[np.ndarray, bool]:
    """Subsets of ``range(total)``, the last ``size`` numbers first.

    Parameters
    ----------
    total, size : int
        Number of cases, and how many are in a subset.
    draws : int
        Number of random subsets. All subsets are used instead when there are no more than that (or than ``total``).
    seed : int
        Seed of the random subsets.

    Returns
    -------
    tuple of numpy.ndarray and bool
        Members, shape (P, size); and whether these are all subsets.
    """
    check_draws(draws)
    if comb(total, size) <= max(draws, total):
        return np.array(list(combinations(range(total), size)))[::-1], True
    observed = np.arange(total - size, total)
    return np.concatenate([observed[None, :], random_subsets(total, size, draws, seed)]), False


def sign_vectors(count: int, draws: int, seed: int) -> tuple[np.ndarray, bool]:
    """Vectors of signs for a statistic that is the same when all signs are reversed, no change first.

    Parameters
    ----------
    count : int
        Number of signs in a vector.
    draws : int
        Number of random vectors where ``count`` is above 14; up to 14 all are used.
    seed : int
        Seed of the random vectors.

    Returns
    -------
    tuple of numpy.ndarray and bool
        Signs of shape (P, count); and whether these stand for all 2^count vectors. As v and -v give the same
        statistic, the half with a plus in the first place has the same share of large values as the whole.
    """
    check_draws(draws)
    if count > ALL_SIGNS_UP_TO:
        flips = np.random.default_rng(seed).integers(0, 2, size=(draws, count))
        return 1.0 - 2.0 * np.concatenate([np.zeros((1, count)), flips]), False
    codes = np.arange(2 ** max(count - 1, 0))
    return 1.0 - 2.0 * (codes[:, None] >> np.arange(count) & 1)[:, ::-1], True


def webb_weights(count: int, draws: int, seed: int) -> tuple[np.ndarray, bool]:
    """Vectors of Webb's six-point weights +-sqrt(1/2), +-1, +-sqrt(3/2), all ones first.

    Parameters
    ----------
    count : int
        Number of weights in a vector.
    draws : int
        Number of random vectors; all 6^count are used instead when they are no more than that.
    seed : int
        Seed of the random vectors.

    Returns
    -------
    tuple of numpy.ndarray and bool
        Weights of shape (P, count); and whether these are all vectors.

    References
    ----------
    Webb (2014), Queen's Economics Department working paper 1315.
    """
    check_draws(draws)
    points = np.sqrt([1.0, 0.5, 1.5, 1.0, 0.5, 1.5]) * [1, 1, 1, -1, -1, -1]
    if 6**count <= draws:
        return np.array(list(product(points, repeat=count))), True
    drawn = np.random.default_rng(seed).choice(points, size=(draws, count))
    return np.concatenate([np.ones((1, count)), drawn]), False
