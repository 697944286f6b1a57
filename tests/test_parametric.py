"""Parametric tests against scipy, statsmodels, printed figures and plain loops."""

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from market_reaction.errors import WindowError
from market_reaction.inference import parametric
from market_reaction.inference.arrays import checked_array
from market_reaction.inference.parametric import (
    adjusted_patell_z,
    bmp_t,
    cross_section_t,
    event_level_t,
    forecast_t,
    kolari_pynnonen_t,
    patell_z,
    portfolio_t,
    skewness_adjusted_t,
)

EXACT = 1e-10
NAN = float("nan")
SCAR = np.random.default_rng(5).standard_t(5, 14) + 0.4
DF = np.arange(118, 104, -1)
CASES = st.integers(3, 40)
SEEDS = st.integers(0, 10_000)

# CARs of five German car makers around 24 July 2017 as EventStudyTools printed them, 4 decimals; first three VW Group.
CAR_MAKERS = np.array([-0.0428, -0.014, -0.0346, -0.0347, -0.0418])

ONE_SAMPLE = {
    "event_level_t": event_level_t,
    "cross_section_t": cross_section_t,
    "bmp_t": lambda values: bmp_t(values, minimum=2),
    "kolari_pynnonen_t": lambda values: kolari_pynnonen_t(values, 0.3),
    "skewness_adjusted_t": lambda values: skewness_adjusted_t(values, minimum=3),
    "patell_z": lambda values: patell_z(values, np.full(len(values), 118.0)),
    "adjusted_patell_z": lambda values: adjusted_patell_z(values, np.full(len(values), 118.0), 0.3),
}


def dummies(returns: np.ndarray, count: int) -> tuple[float, float, float]:
    """Sum of the last ``count`` effects, its t and its df from one regression with a dummy for each of them."""
    design = np.zeros((len(returns), 1 + count))
    design[:, 0] = 1
    design[np.arange(-count, 0), np.arange(1, count + 1)] = 1
    found = sm.OLS(returns, design).fit().t_test(np.r_[0, np.ones(count)])
    return found.effect.item(), found.tvalue.item(), found.df_denom


@pytest.mark.parametrize("count", [1, 4])
def test_forecast_and_portfolio_t_are_those_of_a_regression_with_dummies(count: int) -> None:
    returns = np.random.default_rng(2).normal(0.001, 0.01, 100 + count)
    car, t, df = dummies(returns, count)
    before = returns[:100] - returns[:100].mean()
    error = np.sqrt(before @ before / 99 * (count + count**2 / 100))
    for found in (forecast_t(car, error, 99), portfolio_t(car, before, count)):
        assert found.statistic == pytest.approx(t, rel=EXACT)
        assert found.p_value == pytest.approx(2 * stats.t.sf(abs(t), df), rel=EXACT)
        assert (found.df, found.validity) == (df, "exact")


@pytest.mark.parametrize("name", ["event_level_t", "cross_section_t", "bmp_t"])
def test_one_sample_t_equals_scipy(name: str) -> None:
    outside = stats.ttest_1samp(SCAR, 0)
    found = ONE_SAMPLE[name](SCAR)
    assert found.statistic == pytest.approx(outside.statistic, rel=EXACT)
    assert found.p_value == pytest.approx(outside.pvalue, rel=EXACT)
    assert (found.name, found.df, found.n) == (name, 13, 14)


def test_patell_in_plain_loops() -> None:
    total, variance = 0.0, 0.0
    for scar, df in zip(SCAR, DF, strict=True):
        total, variance = total + scar, variance + stats.t(df).var()
    plain, adjusted = patell_z(SCAR, DF), adjusted_patell_z(SCAR, DF, 0.25)
    assert plain.statistic == pytest.approx(total / variance**0.5, rel=EXACT)
    assert plain.p_value == pytest.approx(2 * stats.norm.sf(abs(total / variance**0.5)), rel=EXACT)
    assert adjusted.statistic == pytest.approx(total / (variance * (1 + 13 * 0.25)) ** 0.5, rel=EXACT)
    assert plain.note == "baseline: assumes independent cases and unchanged variance"


def test_kolari_pynnonen_divides_by_the_standard_error_of_correlated_scars() -> None:
    # Of n values with common variance v and correlation r, the mean has variance v (1 + (n-1) r) / n and the sample
    # variance has expectation v (1 - r): the t below is that mean over its standard error, v estimated.
    rho, n = 0.45, 14
    covariance = np.full((n, n), rho) + (1 - rho) * np.eye(n)
    centring = np.eye(n) - 1 / n
    v = SCAR @ centring @ SCAR / np.trace(centring @ covariance)
    expected = SCAR.mean() / np.sqrt(v * covariance.sum() / n**2)
    found = kolari_pynnonen_t(SCAR, rho)
    assert found.statistic == pytest.approx(expected, rel=EXACT)
    assert found.p_value == pytest.approx(2 * stats.t.sf(abs(expected), 13), rel=EXACT)
    assert found.distribution == "t(13)"


def test_printed_figures_of_eventstudytools() -> None:
    # Cross-section t -3.5563 and skewness-corrected t -1.3731 of the three VW Group events; from rounded CARs here.
    assert cross_section_t(CAR_MAKERS[:3]).statistic == pytest.approx(-3.5563, abs=0.02)
    assert skewness_adjusted_t(CAR_MAKERS[:3], minimum=3).statistic == pytest.approx(-1.3731, abs=0.02)
    # Cross-section t -10.7746 of the other two; the engine prints nothing for their skewness.
    assert cross_section_t(CAR_MAKERS[3:]).statistic == pytest.approx(-10.7746, abs=0.02)
    assert (
        skewness_adjusted_t(CAR_MAKERS[3:], minimum=2).note == "the skewness-adjusted t needs at least 3 cases; 2 given"
    )


def test_skewness_adjusted_t_uses_the_unbiased_skewness() -> None:
    values = np.random.default_rng(8).exponential(size=25) - 0.7
    g, size, n = stats.skew(values, bias=False), values.mean() / values.std(ddof=1), 25
    expected = n**0.5 * (size + g * size**2 / 3 + g**2 * size**3 / 27 + g / (6 * n))
    found = skewness_adjusted_t(values)
    assert found.statistic == pytest.approx(expected, rel=EXACT)
    assert found.p_value == pytest.approx(2 * stats.t.sf(abs(expected), 24), rel=EXACT)
    assert f"sample skewness {g:.2f}" in found.note
    assert f"sample skewness {g:.2f}" in event_level_t(values).note


def test_skewness_adjusted_t_of_symmetric_values_is_the_plain_t() -> None:
    values = np.array([-1.0, 0.0, 1.0]) + 0.3
    assert skewness_adjusted_t(values, 3).statistic == pytest.approx(cross_section_t(values).statistic, rel=EXACT)


SAME = np.tile([0.1 + 0.2, 0.3, 3 * 0.1], 5)  # equal but for the last digit, which once gave p = 1e-64
REASONS = [
    (event_level_t(SAME), "needs events that differ; all 15 are 0.3"),
    (bmp_t(SAME), "BMP needs cases that differ; all 15 are 0.3"),
    (skewness_adjusted_t(SAME), "needs cases that differ; all are 0.3"),
    (portfolio_t(0.1, SAME, 1), "needs at least 2 residuals that differ; 15 given"),
    (event_level_t([0.1]), "the event-level t needs at least 2 events; 1 given"),
    (cross_section_t([0.1, NAN]), "the cross-section t needs at least 2 cases; 1 given"),
    (cross_section_t([0.1, 0.1]), "the cross-section t needs cases that differ; all 2 are 0.1"),
    (bmp_t([1.0]), "BMP needs at least 10 cases; 1 given"),
    (bmp_t(np.append(SCAR[:9], NAN)), "BMP needs at least 10 cases; 9 given"),
    (bmp_t(np.ones(12)), "BMP needs cases that differ; all 12 are 1"),
    (kolari_pynnonen_t([1.0], NAN), "KP needs several markets; 1 given"),
    (kolari_pynnonen_t([NAN, NAN], 0.2), "KP needs several markets; 0 given"),
    (kolari_pynnonen_t([1.0, 2.0], 0.2), "KP needs at least 3 markets; 2 given"),
    (kolari_pynnonen_t(SCAR[:4], -0.5), "KP needs 1 + (n-1) rho above 0; it is -0.5 with n=4"),
    (kolari_pynnonen_t(SCAR, 1.0), "KP needs a mean residual correlation below 1"),
    (kolari_pynnonen_t(SCAR, NAN), "KP needs the mean residual correlation; there is none between 14 case(s)"),
    (kolari_pynnonen_t(np.ones(5), 0.2), "KP needs markets that differ; all 5 are 1"),
    (skewness_adjusted_t([1.0, 2.0]), "needs at least 10 cases; 2 given"),
    (skewness_adjusted_t([2.0, 2.0, 2.0], minimum=3), "needs cases that differ; all are 2"),
    (patell_z([NAN], [118]), "Patell needs at least 1 case; 0 given"),
    (patell_z([1.0, 1.0], [118, 2]), "Patell needs more than 2 degrees of freedom; 2 given"),
    (adjusted_patell_z([1.0, 2.0, 3.0], [9, 9, 9], -0.6), "Patell needs 1 + (n-1) rho above 0; it is -0.2 with n=3"),
    (forecast_t(NAN, 0.1, 119), "the event window has no abnormal return"),
    (forecast_t(0.1, 0.0, 119), "needs a standard error above 0 and at least 1 degree of freedom; 0 and 119 given"),
    (portfolio_t(NAN, SCAR, 1), "the event window has no abnormal return"),
    (portfolio_t(0.1, [0.2], 1), "needs at least 2 residuals that differ; 1 given"),
]


@pytest.mark.parametrize(("found", "reason"), REASONS)
def test_a_test_that_does_not_hold_gives_the_reason(found: parametric.StatisticalTest, reason: str) -> None:
    assert reason in found.note
    assert not found.applies
    assert np.isnan(found.statistic)
    assert found.validity == "not applicable"


def test_kolari_pynnonen_prints_its_condition_and_warns_below_ten_markets() -> None:
    condition = "valid only if the event scales all shocks alike"
    assert condition in kolari_pynnonen_t(SCAR, 0.2).note
    assert "few" not in kolari_pynnonen_t(SCAR, 0.2).note
    assert f"{condition}; mean residual correlation 0.200; 6 markets are few" in kolari_pynnonen_t(SCAR[:6], 0.2).note


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: patell_z([1.0, 2.0], [118]), "scar has 2 rows and df_resid has 1"),
        (lambda: bmp_t([[1.0, 2.0]]), r"scar has shape \(1, 2\); give an array of 1 dimension"),
        (lambda: cross_section_t([1.0, np.inf]), r"car holds 1 infinite value\(s\)"),
        (lambda: kolari_pynnonen_t(SCAR, 1.2), "correlation=1.2 is not a correlation"),
        (lambda: portfolio_t(0.1, SCAR, 0), "count=0 sessions in the event window; give at least 1"),
        (lambda: checked_array("residuals", SCAR, 2), r"residuals has shape \(14,\); give an array of 2 dimension"),
    ],
)
def test_wrong_arguments_are_refused(call: object, message: str) -> None:
    with pytest.raises(WindowError, match=message):
        call()


@pytest.mark.parametrize("name", ONE_SAMPLE)
def test_absent_cases_count_nowhere(name: str) -> None:
    run = ONE_SAMPLE[name]
    found, holes = run(SCAR), run(np.insert(SCAR, [0, 5, 14], NAN))
    assert (holes.statistic, holes.p_value, holes.n) == (found.statistic, found.p_value, found.n)


@given(SEEDS, CASES)
@settings(max_examples=30, deadline=None)
def test_flipping_all_signs_flips_the_statistic_and_order_does_not_matter(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    values = rng.standard_t(4, n) + 0.2
    for run in ONE_SAMPLE.values():
        found, flipped, shuffled = run(values), run(-values), run(rng.permutation(values))
        assert flipped.statistic == pytest.approx(-found.statistic, rel=1e-9)
        assert flipped.p_value == pytest.approx(found.p_value, rel=1e-8)
        assert shuffled.statistic == pytest.approx(found.statistic, rel=1e-9)


@given(SEEDS, st.floats(1e-3, 1e3))
@settings(max_examples=30, deadline=None)
def test_one_scale_for_all_cases_cancels_in_the_cross_section(seed: int, scale: float) -> None:
    values = np.random.default_rng(seed).standard_t(4, 12) + 0.2
    for name in ("event_level_t", "cross_section_t", "bmp_t", "kolari_pynnonen_t", "skewness_adjusted_t"):
        assert ONE_SAMPLE[name](scale * values).statistic == pytest.approx(ONE_SAMPLE[name](values).statistic, rel=1e-9)


@given(SEEDS, CASES, st.floats(0, 0.99))
@settings(max_examples=50, deadline=None)
def test_kolari_pynnonen_is_bmp_at_zero_and_nearer_to_zero_above(seed: int, n: int, rho: float) -> None:
    values = np.random.default_rng(seed).standard_t(4, n)
    plain, patell = bmp_t(values, minimum=2), patell_z(values, np.full(n, 118))
    assert kolari_pynnonen_t(values, 0.0).statistic == plain.statistic
    assert kolari_pynnonen_t(values, 0.0).p_value == plain.p_value
    assert abs(kolari_pynnonen_t(values, rho).statistic) <= abs(plain.statistic)
    assert abs(adjusted_patell_z(values, np.full(n, 118), rho).statistic) <= abs(patell.statistic)


@given(SEEDS, st.integers(0, 11), st.floats(0.01, 100))
@settings(max_examples=30, deadline=None)
def test_the_unit_of_one_market_does_not_matter_once_it_is_standardised(seed: int, which: int, scale: float) -> None:
    returns = np.random.default_rng(seed).standard_t(5, (12, 61)) * 0.01
    rescaled = returns.copy()
    rescaled[which] *= scale

    def scar(panel: np.ndarray) -> np.ndarray:
        before = panel[:, :60]
        return (panel[:, 60] - before.mean(axis=1)) / (before.std(axis=1, ddof=1) * np.sqrt(1 + 1 / 60))

    for name in ("patell_z", "adjusted_patell_z", "bmp_t", "kolari_pynnonen_t"):
        run = ONE_SAMPLE[name]
        assert run(scar(rescaled)).statistic == pytest.approx(run(scar(returns)).statistic, rel=1e-8, abs=1e-10)
