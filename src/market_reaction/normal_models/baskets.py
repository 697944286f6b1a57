"""One effect for a basket of treated assets, each against its own synthetic control, good matches weighing more."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations
from math import comb

import numpy as np

from market_reaction.errors import EstimationError, WindowError
from market_reaction.inference.permutations import check_draws
from market_reaction.inference.results import StatisticalTest, not_applicable, rank_test
from market_reaction.normal_models.donor_groups import DonorFits
from market_reaction.normal_models.synthetic import fit_synthetic_control

NULL = "The basket moves like a random group of as many donors."


@dataclass(frozen=True, slots=True)
class BasketEffect:
    """Effect of an event on a basket.

    Attributes
    ----------
    phi : numpy.ndarray
        phi(0, k) for k = 0, ..., m - 1, shape (m,), in the unit of the returns.
    cars : numpy.ndarray
        Cumulative return of each asset beyond its synthetic control, shape (m, N).
    fit_errors : numpy.ndarray
        s_i, root mean squared estimation residual of each asset, shape (N,).
    weights : numpy.ndarray
        Donor weights of each asset, shape (N, J).
    """

    phi: np.ndarray
    cars: np.ndarray
    fit_errors: np.ndarray
    weights: np.ndarray


def basket_effect(
    estimation: np.ndarray, event: np.ndarray, donor_estimation: np.ndarray, donor_event: np.ndarray
) -> BasketEffect:
    """Precision-weighted mean of the treated assets' CARs against their synthetic controls.

    Parameters
    ----------
    estimation, event : numpy.ndarray
        Returns of the N treated assets in the estimation and the event window, shapes (L, N) and (m, N).
    donor_estimation, donor_event : numpy.ndarray
        Returns of the J donors over the same sessions, shapes (L, J) and (m, J).

    Returns
    -------
    BasketEffect
        An asset that lacks a return on any of the sessions 0, ..., k does not count in phi(0, k).

    Raises
    ------
    WindowError
        Shapes that do not belong together.
    EstimationError
        Fewer than two donors, too few returns, or an asset that is an exact mix of donors.

    Notes
    -----
    phi(0, k) = [sum_i CAR_i(0, k) / s_i] / [sum_i 1 / s_i], s_i^2 the mean squared estimation residual, divisor L.

    References
    ----------
    Acemoglu, Johnson, Kermani, Kwak and Mitton (2016), Journal of Financial Economics 121:368, section 3.
    """
    _check_shapes(estimation, event, donor_estimation, donor_event)
    fits = [fit_synthetic_control(column, donor_estimation) for column in estimation.T]
    errors = np.array([np.sqrt(np.mean(fit.residuals**2)) for fit in fits])
    if (errors <= 1e-10 * np.nanstd(estimation, axis=0)).any():
        at = int(np.argmin(errors))
        raise EstimationError(
            f"treated asset {at + 1} is an exact mix of donors, so its weight in the basket is unbounded. Is it among "
            "the donors? Leave it out of one of the two."
        )
    weights = np.array([fit.params for fit in fits])
    cars = np.cumsum(event - _mixed(donor_event, weights), axis=0)
    return BasketEffect(_weighted(cars, errors), cars, errors, weights)


def basket_placebo(
    estimation: np.ndarray,
    event: np.ndarray,
    donor_estimation: np.ndarray,
    donor_event: np.ndarray,
    *,
    draws: int = 1000,
    seed: int = 0,
) -> StatisticalTest:
    """Rank of the basket's effect among random groups of as many donors.

    Parameters
    ----------
    estimation, event, donor_estimation, donor_event : numpy.ndarray
        As ``basket_effect`` takes them.
    draws : int
        Number of random groups; all groups once where there are no more than that.
    seed : int
        Seed of the draws.

    Returns
    -------
    StatisticalTest
        ``basket_placebo``: statistic phi over the whole event window; two-sided p on its absolute value; n is the
        number of donors. Not applicable where no asset has all its returns in the event window, or with fewer than
        N + 2 donors.

    Raises
    ------
    WindowError
        ``draws`` below 1, and as ``basket_effect``.
    EstimationError
        As ``basket_effect``.

    Notes
    -----
    A group of donors stands in for the basket, and is fitted as the basket is: no member is a control of another. The
    synthetic control of each member is made of the donors outside its group, so it has N donors fewer than that of a
    treated asset and fits a little worse. N counts the treated assets that have a return beyond their synthetic control
    on every event session: groups are as large as the basket that is ranked. Donors without a return on one of those
    sessions are in no group, and in no synthetic control of a group.

    Assumes that donors and treated assets are exchangeable without the event, and that the event does not reach the
    donors.

    References
    ----------
    Acemoglu, Johnson, Kermani, Kwak and Mitton (2016), Journal of Financial Economics 121:368, section 3, who rank the
    treated firms among random groups of as many others. Abadie, Diamond and Hainmueller (2010), JASA 105:493, fit each
    placebo unit as the treated one.
    """
    check_draws(draws)
    _check_shapes(estimation, event, donor_estimation, donor_event)
    size, count = estimation.shape[1], donor_estimation.shape[1]
    if count < size + 2:
        return not_applicable("basket_placebo", NULL, count, _few_donors(size, count))
    effect = basket_effect(estimation, event, donor_estimation, donor_event)
    size = int(np.isfinite(effect.cars[-1]).sum())
    if not size:
        return not_applicable("basket_placebo", NULL, count, "no asset has a return on every session of the window")
    complete = np.isfinite(donor_event).all(axis=0)
    count = int(complete.sum())
    if count < size + 2:
        return not_applicable("basket_placebo", NULL, count, _few_donors(size, count))
    fits = DonorFits(donor_estimation[:, complete], donor_event[:, complete].sum(axis=0))
    found = np.array([fits.effect(group) for group in _groups(count, size, draws, seed)])
    as_large = int(np.count_nonzero(np.abs(found) >= abs(effect.phi[-1])))
    note = f"{comb(count, size)} groups of {size} among {count} donors"
    return rank_test("basket_placebo", effect.phi[-1], as_large, len(found), NULL, count, "approximate", note)


def _few_donors(size: int, count: int) -> str:
    """Why a basket cannot be ranked among groups of donors."""
    return f"random groups of {size} need at least {size + 2} donors; {count} given"


def _groups(count: int, size: int, draws: int, seed: int) -> Iterable[np.ndarray]:
    """All groups of a size among count donors, or random ones where there are more than draws."""
    if comb(count, size) <= draws:
        return (np.array(group) for group in combinations(range(count), size))
    rng = np.random.default_rng(seed)
    return (rng.choice(count, size, replace=False) for _ in range(draws))


def _weighted(cars: np.ndarray, errors: np.ndarray) -> np.ndarray:
    """Mean of each row over the assets present, weighted by 1 / s_i; NaN where there is none."""
    precision = np.isfinite(cars) / errors
    totals = precision.sum(axis=1)
    sums = (np.nan_to_num(cars) * precision).sum(axis=1)
    return np.divide(sums, totals, out=np.full(len(sums), np.nan), where=totals > 0)


def _mixed(donor_event: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Event returns of each asset's synthetic control, shape (m, N); NaN only where a donor it uses has no return."""
    missing = ~np.isfinite(donor_event)
    normal = np.where(missing, 0.0, donor_event) @ weights.T
    return np.where(missing.astype(float) @ (weights > 0).T > 0, np.nan, normal)


def _check_shapes(
    estimation: np.ndarray, event: np.ndarray, donor_estimation: np.ndarray, donor_event: np.ndarray
) -> None:
    shapes = [np.shape(part) for part in (estimation, event, donor_estimation, donor_event)]
    fits = all(len(shape) == 2 for shape in shapes) and (
        shapes[0][0] == shapes[2][0]
        and shapes[1][0] == shapes[3][0]
        and shapes[0][1] == shapes[1][1]
        and shapes[2][1] == shapes[3][1]
    )
    if not fits:
        raise WindowError(
            f"estimation, event, donor_estimation and donor_event have the shapes {', '.join(map(str, shapes))}; give "
            "(L, N), (m, N), (L, J) and (m, J)."
        )
