"""Synthetic control and the basket effect on it: exact mixes, optimality conditions, examples by hand."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize, nnls

from market_reaction.errors import EstimationError, WindowError
from market_reaction.normal_models import fit_normal_model, rolling_abnormal, simplex_weights
from market_reaction.normal_models.baskets import basket_effect, basket_placebo
from market_reaction.normal_models.donor_groups import DonorFits

RNG = np.random.default_rng(21)
COMMON = RNG.standard_t(5, 150) * 0.01
DONORS = 0.8 * COMMON[:, None] + RNG.standard_t(5, (150, 6)) * 0.01


def test_the_weights_of_an_exact_mix_are_recovered() -> None:
    true = np.array([0.5, 0.0, 0.3, 0.2, 0.0, 0.0])
    np.testing.assert_allclose(simplex_weights(DONORS[:120] @ true, DONORS[:120]), true, atol=1e-12)
    np.testing.assert_array_equal(simplex_weights(DONORS[:120, 2], DONORS[:120]), np.eye(6)[2])


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), count=st.integers(2, 12))
def test_the_weights_meet_the_conditions_of_an_optimum(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    donors = rng.standard_normal((60, count)) + rng.standard_normal((60, 1))
    target = rng.standard_normal(60) + 0.5 * donors[:, 0]
    weights = simplex_weights(target, donors)
    assert (weights >= 0).all() and weights.sum() == pytest.approx(1, abs=1e-12)
    gradient = donors.T @ (donors @ weights - target)
    multiplier = gradient @ weights  # the same for all donors in use, and not larger than any other's
    np.testing.assert_allclose(gradient[weights > 1e-10], multiplier, atol=1e-8 * np.abs(gradient).max())
    assert (gradient >= multiplier - 1e-8 * np.abs(gradient).max()).all()


def test_the_weights_are_those_of_a_general_optimiser() -> None:
    target = 0.6 * COMMON[:120] + RNG.standard_normal(120) * 0.01
    found = minimize(
        lambda w: 1e4 * ((target - DONORS[:120] @ w) ** 2).sum(),
        np.full(6, 1 / 6),
        method="SLSQP",
        bounds=[(0, 1)] * 6,
        constraints={"type": "eq", "fun": lambda w: w.sum() - 1},
        options={"ftol": 1e-14, "maxiter": 1000},
    )
    assert found.success
    np.testing.assert_allclose(simplex_weights(target, DONORS[:120]), found.x, atol=1e-5)


def test_a_fit_holds_the_weights_by_name_and_subtracts_the_mix() -> None:
    target = DONORS @ np.array([0.7, 0.3, 0, 0, 0, 0]) + RNG.standard_normal(150) * 0.002
    names = ("a", "b", "c", "d", "e", "f")
    fit = fit_normal_model("synthetic_control", target[:120], DONORS[:120], names=names)
    assert fit.names == names and fit.params[:2] == pytest.approx([0.7, 0.3], abs=0.06)
    np.testing.assert_allclose(
        fit.abnormal(target[130:135], DONORS[130:135]), target[130:135] - DONORS[130:135] @ fit.params
    )
    active = int((fit.params > 0).sum())
    assert fit.df_resid == 120 - (active - 1) and not fit.exact
    residuals = target[:120] - DONORS[:120] @ fit.params
    assert fit.residual_std == pytest.approx(np.sqrt((residuals**2).sum() / fit.df_resid), rel=1e-12)
    assert (np.diag(fit.forecast_covariance(5, DONORS[130:135])) > fit.residual_std**2).all()


def test_with_two_donors_the_covariance_is_that_of_one_regression_on_their_difference() -> None:
    target = 0.6 * DONORS[:, 0] + 0.4 * DONORS[:, 1] + RNG.standard_normal(150) * 0.002
    fit = fit_normal_model("synthetic_control", target[:120], DONORS[:120, :2])
    gap = DONORS[:, 0] - DONORS[:, 1]
    slope = (gap[:120] @ (target - DONORS[:, 1])[:120]) / (gap[:120] @ gap[:120])
    assert fit.params == pytest.approx([slope, 1 - slope], rel=1e-9)
    variance = fit.residual_std**2
    expected = variance * (np.eye(3) + np.outer(gap[130:133], gap[130:133]) / (gap[:120] @ gap[:120]))
    np.testing.assert_allclose(fit.forecast_covariance(3, DONORS[130:133, :2]), expected, rtol=1e-9, atol=1e-18)


def test_a_mix_of_more_donors_than_the_sessions_bear_is_refused() -> None:
    rng = np.random.default_rng(4)
    donors = rng.standard_normal((60, 30)) + rng.standard_normal((60, 1))
    target = donors.mean(axis=1) + 0.01 * rng.standard_normal(60)
    active = int(np.count_nonzero(simplex_weights(target[:40], donors[:40])))
    assert active == 30
    with pytest.raises(EstimationError, match="mixes 30 donors on 40 sessions that all of them have; at least 49 are"):
        fit_normal_model("synthetic_control", target[:40], donors[:40])
    assert fit_normal_model("synthetic_control", target[:49], donors[:49]).df_resid == 20
    for length, known in ((40, False), (49, True)):
        found = rolling_abnormal("synthetic_control", target, donors, np.array([length + 2]), (-length - 2, -3))
        assert np.isfinite(found[0]) == known


def test_one_donor_is_no_mix() -> None:
    with pytest.raises(EstimationError, match="has 1 donor; a mix needs at least 2"):
        fit_normal_model("synthetic_control", DONORS[:120, 0], DONORS[:120, 1:2])


# A basket worked by hand. Two donors with returns +-1 and +-0.5 that are orthogonal to the noise of each treated asset,
# so that the mixes are half and half; the noise has mean square 0.01 and 0.0025, so s = 0.1 and 0.05.
SIGNS = np.array([[1, 1, 1, 1], [1, 1, -1, -1], [1, -1, 1, -1], [1, -1, -1, 1]], dtype=float).T
PATTERN = np.tile(SIGNS, (30, 1))
PAIR = np.column_stack([PATTERN[:, 1], 0.5 * PATTERN[:, 2]])
HALF = PAIR.mean(axis=1)
TREATED = np.column_stack([HALF + 0.1 * PATTERN[:, 3], HALF + 0.05 * PATTERN[:, 0]])


def test_a_basket_by_hand() -> None:
    donor_event = np.array([[0.10, 0.20], [-0.10, 0.30]])  # mixes: 0.15, 0.10
    event = np.array([[0.20, 0.11], [0.05, 0.16]])  # beyond the mix: 0.05, -0.04; then -0.05, 0.06
    found = basket_effect(TREATED, event, PAIR, donor_event)
    np.testing.assert_allclose(found.weights, [[0.5, 0.5], [0.5, 0.5]], atol=1e-12)
    np.testing.assert_allclose(found.fit_errors, [0.1, 0.05], rtol=1e-10)
    np.testing.assert_allclose(found.cars, [[0.05, -0.04], [0.0, 0.02]], atol=1e-12)
    # phi(0, 0) = (0.05 / 0.1 - 0.04 / 0.05) / (1 / 0.1 + 1 / 0.05) = -0.3 / 30; phi(0, 1) = (0 + 0.4) / 30
    np.testing.assert_allclose(found.phi, [-0.01, 0.4 / 30], atol=1e-12)


def test_an_asset_without_a_return_does_not_count_and_is_no_zero() -> None:
    donor_event = np.array([[0.10, 0.20], [-0.10, 0.30]])
    event = np.array([[0.20, 0.11], [np.nan, 0.16]])
    found = basket_effect(TREATED, event, PAIR, donor_event)
    np.testing.assert_allclose(found.phi, [-0.01, 0.02], atol=1e-12)
    assert np.isnan(basket_effect(TREATED, np.full((2, 2), np.nan), PAIR, donor_event).phi).all()


def test_the_placebo_is_the_rank_among_all_groups_of_donors() -> None:
    treated = DONORS[:, :2] + RNG.standard_normal((150, 2)) * 0.004
    treated[140] += 0.05
    inside, event = slice(0, 120), slice(140, 142)
    found = basket_placebo(treated[inside], treated[event], DONORS[inside], DONORS[event])
    phi = basket_effect(treated[inside], treated[event], DONORS[inside], DONORS[event]).phi[-1]
    groups = [_phi_outside(DONORS[inside], DONORS[event], group) for group in combinations(range(6), 2)]
    as_large = sum(abs(value) >= abs(phi) for value in groups)
    assert found.statistic == pytest.approx(phi) and found.p_value == pytest.approx((1 + as_large) / 16)
    assert found.floor == pytest.approx(1 / 16) and found.note == "15 groups of 2 among 6 donors"


def _phi_outside(estimation: np.ndarray, event: np.ndarray, group: tuple[int, ...]) -> float:
    """phi of a group of donors on those outside it: least squares with a heavily weighted row for the sum of 1."""
    rest = [other for other in range(estimation.shape[1]) if other not in group]
    cars, errors = [], []
    for at in group:
        heavy = np.vstack([estimation[:, rest], np.full(len(rest), 1e3)])
        weights, _ = nnls(heavy, np.append(estimation[:, at], 1e3))
        cars.append((event[:, at] - event[:, rest] @ weights).sum())
        errors.append(np.sqrt(((estimation[:, at] - estimation[:, rest] @ weights) ** 2).mean()))
    precision = 1 / np.array(errors)
    return float(precision @ cars / precision.sum())


def test_no_member_of_a_group_is_a_control_of_another() -> None:
    rng = np.random.default_rng(8)
    twins = np.repeat(rng.standard_normal((150, 4)) * 0.01, 2, axis=1) + rng.standard_normal((150, 8)) * 0.003
    fits = DonorFits(twins[:120], twins[140:142].sum(axis=0))
    for group in combinations(range(8), 3):
        expected = _phi_outside(twins[:120], twins[140:142], group)
        assert fits.effect(np.array(group)) == pytest.approx(expected, abs=1e-7)


def test_the_rank_of_a_quiet_basket_is_seldom_small() -> None:
    """Twelve exchangeable assets, three of them the basket: p at most 0.05 on about 7% of the days with equal weights.

    Nine donors of variance s^2: phi has the variance (1/3 + 1/9) s^2, and groups fitted outside themselves (1/3 + 1/6)
    s^2, with 8 degrees of freedom. Controls that may be mates of the group leave 0.28 s^2: 16% of the days.
    """
    rng, rejected = np.random.default_rng(12), 0
    for _ in range(200):
        moves = 0.01 * (rng.standard_normal((61, 1)) + rng.standard_normal((61, 12)))
        basket, donors = moves[:, :3], moves[:, 3:]
        rejected += basket_placebo(basket[:60], basket[60:], donors[:60], donors[60:]).p_value <= 0.05
    assert rejected <= 22


def test_doubled_donors_are_named() -> None:
    doubled = np.column_stack([DONORS, DONORS[:, 0]])
    treated = DONORS[:, :1] + 0.01 * RNG.standard_normal((150, 1))
    with pytest.raises(EstimationError, match="donor 1 is an exact mix of other donors"):
        basket_placebo(treated[:120], treated[140:141], doubled[:120], doubled[140:141])


def test_random_groups_are_repeatable_and_few_donors_give_no_p() -> None:
    donors = 0.5 * COMMON[:, None] + RNG.standard_normal((150, 20)) * 0.01
    arrays = (donors[:120, :3] + 0.001, donors[140:142, :3], donors[:120, 3:], donors[140:142, 3:])
    once, again, other = (basket_placebo(*arrays, draws=200, seed=seed) for seed in (1, 1, 2))
    assert (once.statistic, once.p_value) == (again.statistic, again.p_value)
    assert once.statistic == other.statistic and once.p_value != other.p_value
    assert once.distribution == "200 draws" and once.note == "680 groups of 3 among 17 donors"
    few = basket_placebo(DONORS[:120, :2], DONORS[140:142, :2], DONORS[:120, 3:6], DONORS[140:142, 3:6])
    assert not few.applies and few.note == "random groups of 2 need at least 4 donors; 3 given"


def test_absent_returns_make_no_small_p_and_smaller_groups() -> None:
    rng = np.random.default_rng(5)
    donors = 0.5 * COMMON[:, None] + rng.standard_normal((150, 8)) * 0.01
    inside, event = donors[:120], donors[140:142].copy()
    treated, controls = inside[:, :2] + 0.001 * rng.standard_normal((120, 2)), (inside[:, 2:], event[:, 2:])
    nothing = basket_placebo(treated, np.full((2, 2), np.nan), *controls)
    assert np.isnan(nothing.p_value) and nothing.note == "no asset has a return on every session of the window"
    one = basket_placebo(treated, np.array([[0.01, 0.02], [np.nan, 0.03]]), *controls)
    alone = basket_placebo(treated[:, 1:], np.array([[0.02], [0.03]]), *controls)
    assert one.note == "6 groups of 1 among 6 donors"
    assert (one.statistic, one.p_value) == (alone.statistic, alone.p_value)
    with pytest.raises(WindowError, match="draws=0 gives nothing to compare with; the bound is 1"):
        basket_placebo(treated, event[:, :2], *controls, draws=0)


def test_donors_that_lack_a_return_are_in_no_group() -> None:
    rng = np.random.default_rng(1)
    inside = np.column_stack([DONORS[:120], -4.0 * COMMON[:120] + 0.03 * rng.standard_normal(120)])
    treated = inside[:, :2].mean(axis=1, keepdims=True) + 0.03 * COMMON[:120, None]
    treated += 0.002 * rng.standard_normal((120, 1))
    event = np.append(DONORS[140:141], [[np.nan]], axis=1)  # the last donor, which the basket spares
    found = basket_placebo(treated, np.array([[0.02]]), inside, event)
    without = basket_placebo(treated, np.array([[0.02]]), inside[:, :6], event[:, :6])
    assert found.n == 6 and found.note == "6 groups of 1 among 6 donors"
    assert (found.p_value, found.floor) == (without.p_value, 1 / 7)


@pytest.mark.parametrize(
    ("arrays", "says"),
    [
        ((DONORS[:120, 0], DONORS[140:, :1], DONORS[:120], DONORS[140:]), r"have the shapes \(120,\), \(10, 1\)"),
        ((DONORS[:119, :1], DONORS[140:, :1], DONORS[:120], DONORS[140:]), r"\(119, 1\)"),
        ((DONORS[:120, :2], DONORS[140:, :2], DONORS[:120], DONORS[140:]), "asset 1 is an exact mix of donors"),
    ],
)
def test_baskets_that_cannot_be_measured_say_why(arrays, says) -> None:
    with pytest.raises(WindowError, match=says):
        basket_effect(*arrays)
