"""Residual diagnostics against statsmodels, scipy, plain loops and tabled critical values."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.diagnostic import acorr_ljungbox, breaks_cusumolsresid, het_arch

from market_reaction.errors import WindowError
from market_reaction.inference.diagnostics import (
    arch_lm,
    diagnose,
    influence,
    jarque_bera,
    largest_residual,
    ljung_box,
    variance_break,
    zero_share,
)

NAMES = ("jarque_bera", "ljung_box", "arch_lm", "variance_break", "largest_residual")


def residuals_of(seed: int, rows: int = 120) -> np.ndarray:
    values = 0.01 * np.random.default_rng(seed).standard_t(5, rows)
    return values - values.mean()


@pytest.fixture(params=[0, 1, 2])
def residuals(request) -> np.ndarray:
    return residuals_of(request.param)


def test_normality_is_scipy_s_jarque_bera(residuals) -> None:
    outside, found = stats.jarque_bera(residuals), jarque_bera(residuals)
    assert found.statistic == pytest.approx(outside.statistic, rel=1e-12)
    assert found.p_value == pytest.approx(outside.pvalue, rel=1e-9)
    assert f"skewness {stats.skew(residuals):.2f}" in found.note


@pytest.mark.parametrize("lags", [1, 10])
def test_autocorrelation_is_the_ljung_box_sum(residuals, lags: int) -> None:
    centred = residuals - residuals.mean()
    total = sum(
        (centred[lag:] @ centred[:-lag] / (centred @ centred)) ** 2 / (len(centred) - lag) for lag in range(1, lags + 1)
    )
    found = ljung_box(residuals, lags)
    assert found.statistic == pytest.approx(len(centred) * (len(centred) + 2) * total, rel=1e-10)
    assert found.p_value == pytest.approx(acorr_ljungbox(residuals, lags=[lags])["lb_pvalue"].iloc[0], rel=1e-9)


@pytest.mark.parametrize("lags", [1, 5])
def test_arch_is_engle_s_test_in_statsmodels(residuals, lags: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # about the form of what het_arch returns
        statistic, p_value = het_arch(100 * residuals, nlags=lags)[:2]
    found = arch_lm(residuals, lags)
    assert found.statistic == pytest.approx(statistic, rel=1e-8)
    assert found.p_value == pytest.approx(p_value, rel=1e-8)
    assert found.df == lags


def test_the_variance_break_is_the_cusum_of_centred_squares(residuals) -> None:
    squares = residuals**2
    statistic, p_value, _ = breaks_cusumolsresid(squares - squares.mean())
    found = variance_break(residuals)
    assert found.statistic == pytest.approx(statistic, rel=1e-9)
    assert found.p_value == pytest.approx(p_value, rel=1e-6)


def test_the_variance_break_is_found_where_it_is() -> None:
    values = np.random.default_rng(3).normal(size=120)
    values[70:] *= 3
    values[[10, 90]] = np.nan
    found = variance_break(values)
    known = np.flatnonzero(np.isfinite(values))
    total = np.nansum(values**2)
    gaps = {
        row: abs(np.nansum(values[:row] ** 2) / total - np.searchsorted(known, row) / len(known)) for row in known[1:]
    }
    expected = max(gaps, key=lambda row: gaps[row])
    assert abs(expected - 70) <= 5
    before, after = np.sqrt(np.nanmean(values[:expected] ** 2)), np.sqrt(np.nanmean(values[expected:] ** 2))
    assert found.note == f"largest change at row {expected}: s {before:.4g} before, {after:.4g} from there on"
    assert found.p_value < 0.001 and found.n == 118


def test_the_largest_residual_has_the_tabled_critical_value() -> None:
    """Grubbs' two-sided 5% critical value, computed for L = 100, is 3.384 (NIST handbook formula 1.3.5.17.1)."""
    shape = np.random.default_rng(5).normal(size=99)
    shape = (shape - shape.mean()) / np.abs(shape - shape.mean()).max()

    def with_extreme(size: float) -> np.ndarray:
        return np.append(shape, size)

    t_value = stats.t.ppf(1 - 0.05 / 200, 98)
    critical = 99 / np.sqrt(100) * np.sqrt(t_value**2 / (98 + t_value**2))
    assert critical == pytest.approx(3.384, abs=0.001)
    below = above = 0
    for size in np.linspace(0.9, 3, 60):
        found = largest_residual(with_extreme(size))
        assert (found.p_value < 0.05) == (found.statistic > critical)
        below, above = below + (found.p_value > 0.05), above + (found.p_value < 0.05)
    assert below > 5 and above > 5


def test_influence_leaves_out_the_largest_in_turn() -> None:
    values = np.array([1.0, -1.0, 2.0, np.nan, -2.0, 6.0, -6.5, 0.5])
    found = influence(values, 2)
    known = values[np.isfinite(values)]
    assert found.rows.tolist() == [6, 5]
    squares = (known - known.mean()) ** 2
    np.testing.assert_allclose(found.shares, np.sort(squares)[::-1][:2] / squares.sum(), rtol=1e-12)
    expected = [np.std(known, ddof=1), np.std([1, -1, 2, -2, 6, 0.5], ddof=1), np.std([1, -1, 2, -2, 0.5], ddof=1)]
    np.testing.assert_allclose(found.stds, expected, rtol=1e-12)


def test_the_note_names_the_largest_residual() -> None:
    values = residuals_of(0)
    values[41] = 0.2
    found = largest_residual(values)
    share = (0.2 - values.mean()) ** 2 / np.sum((values - values.mean()) ** 2)
    with_it, without = values.std(ddof=1), np.delete(values, 41).std(ddof=1)
    assert found.note == f"row 41 holds {share:.0%} of s^2; s {with_it:.4g} with it, {without:.4g} without"
    assert found.validity == "conservative" and found.p_value < 1e-6


def test_zero_moves_are_counted_among_those_present() -> None:
    assert zero_share(np.array([0.0, 0.01, np.nan, 0.0, -0.0])) == 0.75
    assert np.isnan(zero_share(np.array([np.nan])))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 1000), st.sampled_from([2.0**-10, 4.0, 2.0**12]))
def test_unit_and_absent_rows_change_nothing(seed: int, unit: float) -> None:
    values = residuals_of(seed)
    holed = np.insert(unit * values, [0, 60, 120], np.nan)
    for found, whole in zip(diagnose(holed), diagnose(values), strict=True):
        assert found.statistic == pytest.approx(whole.statistic, rel=1e-9)
        assert found.p_value == pytest.approx(whole.p_value, rel=1e-9, abs=1e-300)
        assert found.n == whole.n == 120


def test_each_sees_what_it_looks_for_and_normal_draws_pass() -> None:
    rng = np.random.default_rng(12)
    ordinary = diagnose(rng.normal(size=250))
    assert tuple(test.name for test in ordinary) == NAMES
    assert all(0.01 < test.p_value <= 1 for test in ordinary)
    drifting = np.convolve(rng.normal(size=260), np.ones(5), "valid")
    assert ljung_box(drifting).p_value < 1e-6
    clustered = rng.normal(size=250) * np.repeat(np.tile([1.0, 4.0], 5), 25)
    assert arch_lm(clustered).p_value < 0.001
    assert jarque_bera(rng.standard_t(3, 250)).p_value < 0.001


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (np.zeros(120), "the residuals are constant"),
        (residuals_of(0)[:29], "needs at least 30 residuals; 29 given"),
        (np.full(120, np.nan), "needs at least 30 residuals; 0 given"),
    ],
)
def test_what_cannot_be_judged_says_why(values, reason: str) -> None:
    for found in diagnose(values):
        assert not found.applies and found.note == reason


def test_residuals_of_one_size_have_no_variance_to_follow() -> None:
    signs = np.random.default_rng(1).choice([-0.01, 0.01], 120)
    assert variance_break(signs).note == arch_lm(signs).note == "all residuals are of one size"
    assert ljung_box(residuals_of(0)[:40], 20).note == "needs at least 60 residuals; 40 given"


def test_wrong_arguments_are_refused() -> None:
    with pytest.raises(WindowError, match="lags=0 is no number of lags"):
        ljung_box(residuals_of(0), 0)
    with pytest.raises(WindowError, match="residuals holds 1 infinite value"):
        diagnose(np.append(residuals_of(0), np.inf))
    with pytest.raises(WindowError, match="largest=3 of 4 residuals cannot be left out; give 1 to 2"):
        influence(np.array([1.0, 2.0, 3.0, 4.0]))
    with pytest.raises(WindowError, match="largest=0"):
        influence(residuals_of(0), 0)
