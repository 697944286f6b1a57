"""Power and minimum detectable effects against simulation, scipy, published figures and plain counting."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from market_reaction.errors import WindowError
from market_reaction.inference.exaggeration import exaggeration_ratio
from market_reaction.inference.placebo import placebo_rank
from market_reaction.inference.power import (
    design_effect,
    mde,
    mean_std_error,
    placebo_critical_value,
    placebo_mde,
    placebo_power,
    placebo_power_curve,
    power_curve,
    scale_nodes,
    t_mde_factor,
)

NORMAL = np.inf  # degrees of freedom at which t is the normal


@pytest.mark.parametrize("size", [119, 500])
def test_the_critical_value_is_the_smallest_that_earns_the_level(size: int) -> None:
    pool = np.random.default_rng(size).standard_t(5, size)
    critical = placebo_critical_value(pool)
    assert placebo_rank(critical * (1 + 1e-9), pool).p_value <= 0.05
    assert placebo_rank(critical, pool).p_value > 0.05


def test_the_minimum_detectable_effect_is_the_smallest_with_four_fifths_power() -> None:
    pool = np.random.default_rng(5).standard_t(5, 500)
    mde = placebo_mde(pool, 0.01)
    critical = placebo_critical_value(pool)
    brute = [
        np.mean([np.abs(pool + sign * shift) > critical for sign in (1, -1)])
        for shift in (mde / 0.01 + 1e-9, mde / 0.01 - 1e-9)
    ]
    assert brute[0] >= 0.8 > brute[1]
    assert placebo_power(np.array([0.0]), pool, critical)[0] == pytest.approx(np.mean(np.abs(pool) > critical))
    assert placebo_mde(pool, 0.02) == pytest.approx(2 * mde)
    assert placebo_mde(pool, 0.01, level=0.999) == np.inf


# methods.md 9: K events have K - 1 degrees of freedom
@pytest.mark.parametrize(
    ("df", "errors"), [(NORMAL, 2.80), (118, 2.825), (4, 3.76), (5, 3.52), (7, 3.27), (9, 3.15), (19, 2.96), (59, 2.85)]
)
def test_the_detectable_effect_of_a_t_test_in_standard_errors(df: int, errors: float) -> None:
    assert t_mde_factor(df) == pytest.approx(errors, abs=0.0065)
    assert mde(0.01, df) == pytest.approx(0.01 * t_mde_factor(df), rel=1e-15)


def test_the_detectable_effect_is_where_the_noncentral_t_has_the_power() -> None:
    for df, level, power in ((8, 0.9, 0.75), (118, 0.99, 0.9), (30, 0.95, 0.8)):
        critical, effect = stats.t.ppf((1 + level) / 2, df), t_mde_factor(df, level, power)
        assert stats.nct.sf(critical, df, effect) + stats.nct.sf(critical, df, -effect) == pytest.approx(
            power, abs=1e-4
        )
        assert power_curve(np.array([effect]), 1.0, df, level)[0] == pytest.approx(power, abs=1e-4)


def test_published_figures_for_daily_index_returns() -> None:
    """methods.md 9: with s = 1.2% one day shows 3.4% or more, and sixty events 0.43%."""
    one_day = 0.012 * np.sqrt(1 + 1 / 120)
    assert mde(one_day, 119) == pytest.approx(0.034, abs=0.0005)
    assert mde(mean_std_error(0.012, 1, 0.0, 60), NORMAL) == pytest.approx(0.0043, abs=0.00005)


def test_nothing_is_detectable_where_the_smallest_p_exceeds_the_size() -> None:
    assert mde(0.01, 4, floor=0.0625) == np.inf
    assert mde(0.01, 5, floor=0.03125) == mde(0.01, 5)
    assert mde(0.01, 18, floor=1 / 20) == mde(0.01, 18)
    assert mde(0.01, 4, level=0.9, floor=0.0625) == mde(0.01, 4, level=0.9)


def test_the_power_curve_is_the_noncentral_t() -> None:
    shifts = np.array([-0.05, -0.01, 0.0, 0.004, 0.03])
    for df in (1, 2, 3, 9, 119):
        critical, delta = stats.t.ppf(0.975, df), np.abs(shifts) / 0.012
        expected = stats.nct.sf(critical, df, delta) + stats.nct.sf(critical, df, -delta)
        np.testing.assert_allclose(power_curve(shifts, 0.012, df), expected, atol=3e-5)
    critical = stats.norm.ppf(0.975)
    normal = stats.norm.cdf(np.abs(shifts) / 0.012 - critical) + stats.norm.cdf(-np.abs(shifts) / 0.012 - critical)
    np.testing.assert_allclose(power_curve(shifts, 0.012, NORMAL), normal, rtol=1e-12)  # methods.md 9
    assert t_mde_factor(NORMAL) == pytest.approx(stats.norm.ppf(0.975) + stats.norm.ppf(0.8), abs=2e-5)


@settings(max_examples=40, deadline=None)
@given(st.floats(0.001, 0.1), st.integers(1, 500), st.floats(0.001, 1000), st.floats(0.6, 0.99))
def test_power_depends_on_the_size_of_the_effect_in_standard_errors(effect, df, unit, level) -> None:
    shifts = np.array([-effect, effect, 2 * effect, 0.0])
    found = power_curve(shifts, 0.02, df, level)
    assert found[0] == pytest.approx(found[1], rel=1e-12)
    assert found[3] == pytest.approx(1 - level, abs=1e-4)
    assert found[2] >= found[1] >= found[3] - 1e-12
    np.testing.assert_allclose(power_curve(unit * shifts, unit * 0.02, df, level), found, rtol=1e-9)


@pytest.mark.parametrize("df", [1, 2, 7, 119, 10**5])
def test_the_nodes_average_over_a_scaled_chi(df: int) -> None:
    nodes, weights = scale_nodes(df)
    assert weights.sum() == pytest.approx(1, abs=1e-12)
    assert weights @ nodes**2 == pytest.approx(1, abs=1e-5)
    assert weights @ nodes == pytest.approx(stats.chi(df).mean() / np.sqrt(df), abs=1e-5)


def test_the_placebo_power_curve_counts_shifted_pool_days() -> None:
    pool = np.random.default_rng(8).standard_t(5, 300)
    shifts = np.array([0.0, 0.01, 0.035])
    critical = placebo_critical_value(pool)
    expected = [
        np.mean([abs(value + sign * shift / 0.012) > critical for value in pool for sign in (1, -1)])
        for shift in shifts
    ]
    np.testing.assert_allclose(placebo_power_curve(shifts, pool, 0.012), expected, atol=1e-12)
    effect = placebo_mde(pool, 0.012)
    at, below = placebo_power_curve(np.array([effect * (1 + 1e-9), effect * (1 - 1e-6)]), pool, 0.012)
    assert at >= 0.8 > below


def test_the_placebo_has_no_power_where_it_gives_no_p() -> None:
    pool = np.random.default_rng(8).normal(size=120)
    assert placebo_power_curve(np.array([9.0]), pool[:99], 0.01).tolist() == [0.0]
    assert placebo_power_curve(np.array([9.0]), pool, 0.01, level=0.995).tolist() == [0.0]
    assert placebo_power_curve(np.array([9.0]), pool[:19], 0.01, minimum=19).tolist() == [1.0]


def test_six_correlated_markets_carry_the_information_of_one_and_a_third() -> None:
    """methods.md 1: N about 6 and rho about 0.7 give a design effect of 4.5 and 1.3 markets of information."""
    assert design_effect(6, 0.7) == pytest.approx(4.5, abs=1e-12)
    assert 6 / design_effect(6, 0.7) == pytest.approx(1.3, abs=0.04)
    assert design_effect(2, -1.0) == 0.0
    assert design_effect(1, 0.9) == 1.0
    covariance = 0.012**2 * (np.full((6, 6), 0.7) + 0.3 * np.eye(6))
    mean = np.full(6, 1 / 6)
    assert mean_std_error(0.012, 6, 0.7, 5) == pytest.approx(np.sqrt(mean @ covariance @ mean / 5), rel=1e-12)


def test_exaggeration_reproduces_published_examples() -> None:
    """Gelman and Carlin (2014): 2 points with s.e. 8.1: power 0.06, type S 24%, ratio 9.7 (from 10,000 draws, so 9.5).

    And 0.1 points with s.e. 3.28: power 0.05, type S 46%, ratio 78 (from draws; 77).
    """
    found = exaggeration_ratio(2, 8.1, NORMAL)
    assert (round(found.power, 2), round(found.wrong_sign, 2)) == (0.06, 0.24)
    assert found.ratio == pytest.approx(9.7, abs=0.2)
    found = exaggeration_ratio(0.1, 3.28, NORMAL)
    assert (round(found.power, 2), round(found.wrong_sign, 2)) == (0.05, 0.46)
    assert found.ratio == pytest.approx(78, abs=2)


@pytest.mark.parametrize(("effect", "df", "level"), [(0.5, 5, 0.95), (-1.0, 20, 0.9), (3.0, 119, 0.95)])
def test_exaggeration_is_what_simulation_gives(effect: float, df: int, level: float) -> None:
    rng = np.random.default_rng(11)
    estimates = rng.normal(effect, 1, 400_000)
    errors = np.sqrt(rng.chisquare(df, len(estimates)) / df)
    significant = np.abs(estimates) > stats.t.ppf((1 + level) / 2, df) * errors
    found = exaggeration_ratio(effect, 1.0, df, level)
    assert found.power == pytest.approx(significant.mean(), abs=0.003)
    wrong = np.mean(np.sign(estimates[significant]) != np.sign(effect))
    assert found.wrong_sign == pytest.approx(wrong, abs=0.006)
    assert found.ratio == pytest.approx(np.abs(estimates[significant]).mean() / abs(effect), rel=0.01)


@settings(max_examples=30, deadline=None)
@given(st.floats(0.1, 6), st.floats(2, 300), st.floats(0.001, 1000))
def test_exaggeration_shrinks_with_power_and_does_not_depend_on_the_unit(effect, df, unit) -> None:
    found, larger = exaggeration_ratio(effect, 1.0, df), exaggeration_ratio(effect * 1.5, 1.0, df)
    assert larger.ratio <= found.ratio * (1 + 1e-9) and larger.power >= found.power
    assert 0 <= found.wrong_sign <= 0.5
    assert exaggeration_ratio(-effect * unit, unit, df).ratio == pytest.approx(found.ratio, rel=1e-9)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: t_mde_factor(10, level=95), "level=95 is no share"),
        (lambda: mde(0.01, 10, power=1.0), "power=1.0 is no share"),
        (lambda: power_curve(np.zeros(1), 0.0, 10), "std_error=0.0 is no standard error"),
        (lambda: power_curve(np.zeros(1), 1.0, 0), "df=0 is no number of degrees of freedom; give a number above 0"),
        (lambda: exaggeration_ratio(1.0, 1.0, np.nan), "df=nan is no number of degrees of freedom"),
        (lambda: placebo_power_curve(np.zeros(1), np.zeros(200), np.nan), "std_error=nan is no standard error"),
        (lambda: placebo_critical_value(np.zeros(200), 5), "level=5 is no share"),
        (lambda: exaggeration_ratio(0.0, 1.0, 10), "effect=0.0 cannot be exaggerated"),
        (lambda: design_effect(3, -0.6), "3 cases cannot have a mean correlation of -0.6.*from -0.5 to 1"),
        (lambda: design_effect(0, 0.0), "0 cases"),
        (lambda: mean_std_error(0.01, 6, 0.7, 0), "n_events=0"),
    ],
)
def test_wrong_arguments_are_refused(call, message: str) -> None:
    with pytest.raises(WindowError, match=message):
        call()
