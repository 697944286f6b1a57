"""Placebo-in-time: the rank of one statistic among the same statistic on other days."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from market_reaction.inference.arrays import tie_slack

MINIMUM_POOL = 100


@dataclass(frozen=True, slots=True)
class PlaceboRank:
    """Rank of the event's statistic in a pool.

    Attributes
    ----------
    statistic : float
        Absolute statistic at the event.
    p_value : float
        (1 + number of pool values at least as large) / (1 + pool size); NaN when the pool is too small.
    floor : float
        Smallest attainable p, 1 / (1 + pool size).
    n_placebo : int
        Pool size.
    note : str
        Why p_value is NaN, else empty.
    """

    statistic: float
    p_value: float
    floor: float
    n_placebo: int
    note: str = ""

    def void(self, reason: str) -> PlaceboRank:
        """The same without its p, and the reason."""
        return replace(self, p_value=float("nan"), note=reason)


def as_large(pool: np.ndarray, statistic: float) -> np.ndarray:
    """Which pool days count against the event: those at least as large in absolute value, equal but for rounding too.

    Parameters
    ----------
    pool : numpy.ndarray
        Statistics at the pseudo-announcements, shape (S,); NaN is not as large.
    statistic : float
        The same statistic at the event.

    Returns
    -------
    numpy.ndarray of bool
        Shape (S,).

    Examples
    --------
    >>> as_large(np.array([0.3, -0.1, 0.05]), 0.1 + 0.2 - 0.2)
    array([ True,  True, False])
    """
    sizes, least = np.abs(pool), abs(float(statistic))
    usual = float(np.median(sizes[np.isfinite(sizes)])) if np.isfinite(sizes).any() else 0.0
    return np.asarray(sizes >= least - tie_slack(least, usual))


def placebo_rank(statistic: float, pool: np.ndarray, minimum: int = MINIMUM_POOL) -> PlaceboRank:
    """Two-sided placebo p of a statistic: the share of pool days whose absolute value is at least as large.

    Parameters
    ----------
    statistic : float
        Value at the event; its absolute value is used.
    pool : numpy.ndarray
        The same statistic at the pseudo-announcements, shape (S,), finite.
    minimum : int
        Pool size below which no p is given.

    Notes
    -----
    Valid if the event day is exchangeable with the pool days under the null "this day is drawn like the pool days".

    References
    ----------
    Abadie, Diamond and Hainmueller (2010), JASA 105:493, for placebo ranks; Phipson and Smyth (2010) for the added one.
    """
    count = len(pool)
    value = abs(float(statistic))
    floor = 1.0 / (1.0 + count)
    if not np.isfinite(value):
        return PlaceboRank(value, float("nan"), floor, count, "the event day has no statistic")
    if count < minimum:
        note = f"{count} pseudo-announcements; at least {minimum} are needed"
        return PlaceboRank(value, float("nan"), floor, count, note)
    larger = int(np.count_nonzero(as_large(pool, value)))
    return PlaceboRank(value, (1.0 + larger) / (1.0 + count), floor, count)


def latest_distinct(values: np.ndarray, count: int) -> np.ndarray:
    """First ``count`` distinct rows of ``values`` in their order; 1-D values or rows of a 2-D array.

    Examples
    --------
    >>> latest_distinct(np.array([9, 8, 8, 7]), 2).tolist()
    [9, 8]
    """
    _, first = np.unique(values, axis=0, return_index=True)
    return values[np.sort(first)[:count]]


def joint_statistics(
    event: np.ndarray, pool: np.ndarray, scale: np.ndarray, signs: np.ndarray | None = None
) -> dict[str, tuple[float, np.ndarray]]:
    """Statistics over several markets, each market divided by its own pool's standard deviation first.

    Parameters
    ----------
    event : numpy.ndarray
        Signed statistic of each market at the event, shape (N,).
    pool : numpy.ndarray
        The same at joint pseudo-announcements, shape (S, N).
    scale : numpy.ndarray
        Standard deviation of each market's pool, shape (N,).
    signs : numpy.ndarray, optional
        Direction expected of each market, +1 or -1, or 0 to leave it out, fixed before looking; shape (N,).

    Returns
    -------
    dict of str to tuple of float and numpy.ndarray
        ``"maximum"``: largest absolute value over the markets; ``"quadratic"``: sum of squares; with signs also
        ``"signed_mean"``: mean of the signed values. Event value and pool values, shape (S,).
    """
    at_event, in_pool = event / scale, pool / scale
    statistics = {
        "maximum": (float(np.abs(at_event).max()), np.abs(in_pool).max(axis=1)),
        "quadratic": (float((at_event**2).sum()), (in_pool**2).sum(axis=1)),
    }
    if signs is not None and np.any(signs):
        weights = signs / np.abs(signs).sum()
        statistics["signed_mean"] = (float(at_event @ weights), in_pool @ weights)
    return statistics
