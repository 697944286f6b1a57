"""Generalised rank tests: the standardised CAR ranked among the standardised days of the estimation window.

NaN marks an absent value; each case is ranked over its own present days. The statistics come from sums over cases that
add up over blocks of cases, so that many need not be in memory at once.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from market_reaction.inference.arrays import Ranked, checked_array, ranked_rows, ranked_with, same_length, vary
from market_reaction.inference.results import StatisticalTest, normal_test, not_applicable, t_test

GRANK_MINIMUM = 30
SMALL_CORRELATION = 0.1


class GrankSums(NamedTuple):
    """Ranks of the days, summed over cases; those of two blocks of cases add up field by field.

    ``total`` is the sum of U of each day, the event last, and ``known`` its present cases, shape (L + 1,); ``variance``
    is the sum over cases of (T_i - 1) / (12 (T_i + 1)), and ``cases`` their number.
    """

    total: np.ndarray
    known: np.ndarray
    variance: float
    cases: int


def grank_t(scar: ArrayLike, standardized: ArrayLike, correlation: float) -> StatisticalTest:
    """Generalised rank t, for at least 30 cases that are nearly uncorrelated.

    Parameters
    ----------
    scar : array_like
        CAR over forecast standard error of each case, shape (N,).
    standardized : array_like
        Standardised abnormal returns of the estimation window, shape (N, L).
    correlation : float
        Mean pairwise residual correlation; only for the reason and the note.

    Returns
    -------
    StatisticalTest
        t(T - 2), T = days + 1, two-sided; not applicable below 30 cases, with the bound of the statistic as reason.

    Notes
    -----
    Formula in ``grank_statistic``. Simulated size at 5% with 30 cases: 5.3% uncorrelated, 6.9% at correlation 0.1, 7.7%
    at 0.2, 8.4% at 0.7; with 3 and 6 cases 9-18% (Monte Carlo standard error 0.3-0.5 points).

    References
    ----------
    Kolari and Pynnonen (2011), Journal of Empirical Finance 18:953.
    """
    return grank_t_of(_all_sums(scar, standardized), correlation)


def grank_t_of(sums: GrankSums, correlation: float) -> StatisticalTest:
    """``grank_t`` with the ranks summed up over cases."""
    name, null = "grank_t", "The CAR ranks like one more estimation day; cases nearly uncorrelated."
    n = sums.cases
    if n < GRANK_MINIMUM:
        return not_applicable(name, null, n, _grank_reason("GRANK-T", n, correlation))
    statistic, df = _t_statistic(sums)
    if not np.isfinite(statistic):
        return not_applicable(name, null, n, "GRANK-T needs SCARs that differ and estimation days with ranks")
    note = ""
    if correlation > SMALL_CORRELATION:
        note = f"meant for a correlation up to {SMALL_CORRELATION}; here {correlation:.2f}: rejects about 8% at 5%"
    return t_test(name, statistic, df, null, n, "approximate", note)


def grank_z(scar: ArrayLike, standardized: ArrayLike) -> StatisticalTest:
    """Generalised rank z, for at least 30 independent cases.

    Parameters
    ----------
    scar, standardized : array_like
        As ``grank_t``.

    Returns
    -------
    StatisticalTest
        Standard normal, two-sided; not applicable below 30 cases.

    Notes
    -----
    Formula in ``grank_z_statistic``. Never for correlated markets: it rejects 58% with 6 cases at correlation 0.7.

    References
    ----------
    Kolari and Pynnonen (2011), Journal of Empirical Finance 18:953.
    """
    return grank_z_of(_all_sums(scar, standardized))


def grank_z_of(sums: GrankSums) -> StatisticalTest:
    """``grank_z`` with the ranks summed up over cases."""
    name, null = "grank_z", "The CAR ranks like one more estimation day; cases independent."
    n = sums.cases
    if n < GRANK_MINIMUM:
        return not_applicable(name, null, n, _grank_reason("GRANK-Z", n, 0.0))
    statistic = _z_statistic(sums)
    if not np.isfinite(statistic):
        return not_applicable(name, null, n, "GRANK-Z needs SCARs that differ and estimation days with ranks")
    return normal_test(name, statistic, null, n, "approximate", "assumes independent cases")


def grank_statistic(scar: ArrayLike, standardized: ArrayLike) -> tuple[float, int]:
    """GRANK-T and its degrees of freedom for any number of cases.

    Returns
    -------
    tuple of float and int
        t and T - 2; t is NaN when it is not defined.

    Notes
    -----
    The event is one more day, whose value is SCAR_i over the spread of the SCARs (divisor n - 1).
    U_it = rank / (T_i + 1) - 1/2, S^2 = (1/T) sum_t (n_t / n) Ubar_t^2 over the T days with a case, event included,
    Z = Ubar_0 / S, t = Z sqrt((T - 2) / (T - 1 - Z^2)).
    """
    return _t_statistic(_all_sums(scar, standardized))


def grank_z_statistic(scar: ArrayLike, standardized: ArrayLike) -> float:
    """GRANK-Z for any number of cases; NaN when it is not defined.

    Notes
    -----
    Ubar_0 over its standard deviation for independent cases, sqrt(sum_i (T_i - 1) / (12 (T_i + 1))) / n; with one T
    for all this is Ubar_0 sqrt(12 n (T + 1) / (T - 1)).
    """
    return _z_statistic(_all_sums(scar, standardized))


def grank_sums(scaled: np.ndarray, before: Ranked) -> GrankSums:
    """Ranks of the estimation days and the event, summed over the present cases.

    Parameters
    ----------
    scaled : numpy.ndarray
        SCAR of each case over the spread of the SCARs of all cases, shape (b,).
    before : Ranked
        Standardised abnormal returns of the estimation window, shape (b, L), with their ranks.
    """
    known = ~np.isnan(scaled) & (before.days > 0)
    _, ranks, days = ranked_with(before.rows(known), scaled[known, None])
    ranks /= days[:, None] + 1
    ranks -= 0.5
    present = ~np.isnan(ranks)
    if not present.all():
        ranks[~present] = 0.0
    variance = float(((days - 1) / (12 * (days + 1))).sum())
    return GrankSums(ranks.sum(axis=0), present.sum(axis=0), variance, int(known.sum()))


def spread_of(scar: np.ndarray) -> float:
    """Spread of the present SCARs, divisor n - 1; NaN where they do not differ."""
    cases = scar[~np.isnan(scar)]
    return float(cases.std(ddof=1)) if vary(cases) else float("nan")


def _all_sums(scar: ArrayLike, standardized: ArrayLike) -> GrankSums:
    """Sums over all cases; without a spread the event has no ranks."""
    cases, before = checked_array("scar", scar, 1), checked_array("standardized", standardized, 2)
    same_length("scar", cases, "standardized", before)
    known = ~np.isnan(cases) & (~np.isnan(before)).any(axis=1)
    spread = spread_of(cases[known])
    if np.isnan(spread):
        return unranked(before.shape[1], int(known.sum()))
    return grank_sums(cases[known] / spread, ranked_rows(before[known]))


def unranked(length: int, cases: int) -> GrankSums:
    """Sums of cases whose SCARs do not differ, so that there is nothing to rank."""
    return GrankSums(np.zeros(length + 1), np.zeros(length + 1, dtype=int), 0.0, cases)


def _t_statistic(sums: GrankSums) -> tuple[float, int]:
    """GRANK-T and T - 2; NaN when it is not defined."""
    days = int((sums.known > 0).sum())
    if sums.known[-1] == 0 or days < 3:
        return float("nan"), days - 2
    means = sums.total / np.maximum(sums.known, 1)
    spread = np.sqrt((sums.known / sums.cases * means**2).sum() / days)
    z = means[-1] / spread if spread > 0 else np.nan
    room = days - 1 - z**2
    return float(z * np.sqrt((days - 2) / room)) if room > 0 else float("nan"), days - 2


def _z_statistic(sums: GrankSums) -> float:
    """GRANK-Z; NaN when it is not defined."""
    ranked = sums.known[-1] > 0 and sums.variance > 0
    return float(sums.total[-1] / np.sqrt(sums.variance)) if ranked else float("nan")


def _grank_reason(label: str, n: int, correlation: float) -> str:
    """Why there is no GRANK below 30 cases, with the largest statistic that n cases allow."""
    rho = 0.0 if np.isnan(correlation) else correlation
    effect = 1.0 + (n - 1) * rho
    bound = f"; with {n} its |Z| cannot exceed about {np.sqrt(3 * n / effect):.2f}" if n and effect > 0 else ""
    return f"{label} needs at least {GRANK_MINIMUM} cases; {n} given{bound}"
