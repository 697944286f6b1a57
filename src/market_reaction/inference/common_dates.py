"""Mean correlation between many cases, of which only those on one date move together: no matrix of pairs is formed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from market_reaction.errors import WindowError
from market_reaction.inference.arrays import checked_array, same_length
from market_reaction.inference.results import StatisticalTest

_SMALLEST = 1e-12  # spread of residuals, relative to the largest, below which there is none


class DateSums(NamedTuple):
    """Standardised residuals summed over the cases of each date.

    ``dates`` (D,), increasing; ``total`` and ``square`` are sums of the residuals and their squares, and ``known`` the
    cases present, by date and session, (D, L).
    """

    dates: np.ndarray
    total: np.ndarray
    square: np.ndarray
    known: np.ndarray


class DateCorrelations(NamedTuple):
    """Mean correlation between the cases of each date with at least two: ``dates`` and ``correlation``, (D,)."""

    dates: np.ndarray
    correlation: np.ndarray

    def over_pairs(self, dates: np.ndarray) -> float:
        """Mean over all pairs of cases; two on different dates count as uncorrelated.

        Parameters
        ----------
        dates : numpy.ndarray
            Date of each case, shape (n,); one of its own or among ``dates``.

        Returns
        -------
        float
            0 where no two cases share a date; NaN for fewer than two cases, and where cases that share one have no
            session in common.
        """
        n = len(dates)
        if n < 2:
            return float("nan")
        found, sizes = np.unique(dates, return_counts=True)
        found, sizes = found[sizes > 1], sizes[sizes > 1].astype(float)
        place = np.searchsorted(self.dates, found)
        if (place >= len(self.dates)).any() or (self.dates[place] != found).any():
            return float("nan")
        return float((sizes * (sizes - 1) * self.correlation[place]).sum() / (n * (n - 1.0)))


def common_date_correlations(residuals: ArrayLike, dates: ArrayLike) -> DateCorrelations:
    """Mean correlation between the residuals of the cases of each date.

    Parameters
    ----------
    residuals : array_like
        Estimation residuals, shape (N, L), NaN where absent; columns are sessions by their offset from day 0, so that
        those of cases of one date are the same sessions.
    dates : array_like
        Day 0 of each case, shape (N,), numbers in any order.

    Returns
    -------
    DateCorrelations
        Dates with at least two cases whose residuals vary.

    Raises
    ------
    WindowError
        Shapes differ, a date is missing, or a residual is infinite.

    Notes
    -----
    With u_it the residual less its mean over its standard deviation (divisor L_i), both over the case's own sessions,
    r = sum_t [(sum_i u_it)^2 - sum_i u_it^2] / sum_t n_t (n_t - 1), n_t the cases with a residual on session t. Where
    no residual is absent this is the mean over the pairs of their correlations, ``mean_correlation`` in time
    proportional to N; else a mean over the pairs weighted by the sessions they share, each case scaled on its own ones.

    References
    ----------
    Kolari and Pynnonen (2010), Review of Financial Studies 23:3996, for the use of the mean.

    Examples
    --------
    >>> found = common_date_correlations([[1.0, -1, 1, -1], [1, -1, 1, -1], [1, 1, -1, -1], [3, 2, 1, 0]], [7, 7, 7, 9])
    >>> found.dates.tolist(), found.correlation.round(3).tolist()
    ([7.0], [0.333])
    >>> round(found.over_pairs([7, 7, 7, 9]), 3)
    0.167
    """
    values, days = checked_array("residuals", residuals, 2), checked_array("dates", dates, 1)
    same_length("residuals", values, "dates", days)
    if np.isnan(days).any():
        raise WindowError(f"dates holds {np.isnan(days).sum()} missing value(s); give the day 0 of every case.")
    order = np.argsort(days, kind="stable")
    return joined([date_sums(values[order], days[order])])


def date_sums(residuals: np.ndarray, dates: np.ndarray) -> DateSums:
    """Sums over the cases of each date; the dates must not fall."""
    known = ~np.isnan(residuals)
    if known.all():
        scaled = residuals - residuals.mean(axis=1)[:, None]
        count = np.full(len(residuals), float(residuals.shape[1]))
    else:
        count = known.sum(axis=1).astype(float)
        scaled = np.where(known, residuals, 0.0)
        scaled -= (scaled.sum(axis=1) / np.maximum(count, 1.0))[:, None]
        scaled[~known] = 0.0
    spread = np.sqrt(np.einsum("ij,ij->i", scaled, scaled) / np.maximum(count, 1.0))
    constant = spread <= _SMALLEST * np.abs(np.where(known, residuals, 0.0)).max(axis=1, initial=0.0)
    scaled /= np.where(constant, 1.0, spread)[:, None]
    scaled[constant] = 0.0
    known[constant] = False
    found, start = np.unique(dates, return_index=True)
    if not len(found):
        nothing = np.empty((0, residuals.shape[1]))
        return DateSums(found, nothing, nothing, nothing)
    sums = (np.add.reduceat(part, start, axis=0) for part in (scaled, scaled * scaled, known.astype(float)))
    return DateSums(found, *sums)


def joined(blocks: Iterable[DateSums]) -> DateCorrelations:
    """Correlations from the sums of consecutive blocks of cases in order of date; blocks may break a date."""
    dates, values = [], []
    for sums in _whole_dates(blocks):
        shared = np.einsum("ij,ij->i", sums.total, sums.total) - np.einsum("ij->i", sums.square)
        pairs = np.einsum("ij,ij->i", sums.known, sums.known - 1.0)
        several = pairs > 0
        dates.append(sums.dates[several])
        values.append(shared[several] / pairs[several])
    if not dates:
        return DateCorrelations(np.empty(0), np.empty(0))
    return DateCorrelations(np.concatenate(dates), np.clip(np.concatenate(values), -1.0, 1.0))


def _whole_dates(blocks: Iterable[DateSums]) -> Iterator[DateSums]:
    """The same sums with no date in two of them: the last date of a block waits for the next."""
    waiting: DateSums | None = None
    for block in blocks:
        if not len(block.dates):
            continue
        if waiting is not None and waiting.dates[0] == block.dates[0]:
            for mine, theirs in zip(block[1:], waiting[1:], strict=True):
                mine[0] += theirs[0]
        elif waiting is not None:
            yield waiting
        waiting = DateSums(*(part[-1:] for part in block))
        yield DateSums(*(part[:-1] for part in block))
    if waiting is not None:
        yield waiting


def with_correlation(run: Callable[[float], StatisticalTest], correlation: float) -> StatisticalTest:
    """Run a test that takes a mean correlation; below zero it counts as 0, so that none makes a statistic larger."""
    found = run(float(np.maximum(correlation, 0.0)))
    if not (found.applies and correlation < 0):
        return found
    return replace(found, note=f"{found.note}; in fact it is {correlation:.3f}, and below zero it counts as 0")
