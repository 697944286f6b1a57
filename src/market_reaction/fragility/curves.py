"""What a whole curve of specifications says, day by day: pure functions of arrays."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import special

STATISTICS = {
    "median": "median estimate",
    "share": "share significant with the dominant sign",
    "mean_z": "mean z (Stouffer)",
}
LEVEL = 0.05
_SAME = 1e-9  # spread of values, relative to the largest, up to which they differ by rounding


def normal_scores(statistics: np.ndarray, df: np.ndarray) -> np.ndarray:
    """Standard normal values with the same two-sided p as t statistics, sign kept.

    Parameters
    ----------
    statistics : numpy.ndarray
        Of any shape.
    df : numpy.ndarray
        Degrees of freedom, broadcast to it; infinite where the reference is normal already.
    """
    df = np.broadcast_to(df, statistics.shape)
    finite = np.isfinite(df)
    scores = np.array(statistics, dtype=float)
    tails = special.stdtr(df[finite], -np.abs(statistics[finite]))
    scores[finite] = np.copysign(-special.ndtri(tails), statistics[finite])
    return scores


def curve_statistics(estimates: np.ndarray, scores: np.ndarray, level: float = LEVEL) -> dict[str, np.ndarray]:
    """The three statistics of a specification curve on each of n days.

    Parameters
    ----------
    estimates, scores : numpy.ndarray
        Estimates and their normal scores, shape (n, K).
    level : float
        Two-sided p up to which an estimate counts as significant.

    Returns
    -------
    dict of str to numpy.ndarray
        Shape (n,) each. ``"median"``: median estimate. ``"share"``: share of specifications that are significant with
        the dominant sign, which is that of the median; signed by it. ``"mean_z"``: mean of the scores, which is
        Stouffer's z over the root of K.

    References
    ----------
    Simonsohn, Simmons and Nelson (2020), Nature Human Behaviour 4:1208.
    """
    middle = np.median(estimates, axis=1)
    sign = np.sign(middle)
    beyond = scores * sign[:, None] >= -special.ndtri(level / 2)
    return {"median": middle, "share": sign * beyond.mean(axis=1), "mean_z": scores.mean(axis=1)}


def same_sign(estimates: np.ndarray) -> float:
    """Share of estimates (K,) with the sign of their median; NaN where that is zero."""
    sign = np.sign(np.median(estimates))
    return float(np.mean(np.sign(estimates) == sign)) if sign else float("nan")


def variance_share(values: np.ndarray, levels: pd.Series) -> float:
    """Share of the variance of values (K,) that lies between the levels of one choice.

    Notes
    -----
    sum over levels of n_l (mean_l - mean)^2 over sum (value - mean)^2; NaN where the values differ by rounding alone.
    Shares of several choices need not add up to one: the rest comes from their combinations, and combinations that do
    not exist unbalance them a little.
    """
    centred = values - values.mean()
    total = float(centred @ centred)
    if not np.abs(centred).max() > _SAME * np.abs(values).max():
        return float("nan")
    frame = pd.DataFrame({"value": centred, "level": levels.to_numpy()})
    means = frame.groupby("level", sort=False)["value"].agg(["mean", "size"])
    return float((means["size"] * means["mean"] ** 2).sum() / total)


def sorted_band(estimates: np.ndarray, coverage: float = 0.9) -> np.ndarray:
    """Where sorted curves lie on n days: lower and upper quantile at each place of the order alone, shape (K, 2)."""
    ordered = np.sort(estimates, axis=1)
    edges = ((1 - coverage) / 2, (1 + coverage) / 2)
    found: np.ndarray = np.quantile(ordered, edges, axis=0).T
    return found
