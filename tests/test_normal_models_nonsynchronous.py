"""Scholes-Williams and Dimson betas against brute force and statsmodels."""

import numpy as np
import pytest
import statsmodels.api as sm

from market_reaction.errors import EstimationError
from market_reaction.normal_models import fit_normal_model

RNG = np.random.default_rng(11)
NEWS = RNG.standard_normal(2001) * 0.01
# The benchmark closes late: a share of a session's news reaches the asset a session later. The true beta is 1.
MARKET = NEWS
ASSET = np.append(0.0, 0.6 * NEWS[1:] + 0.4 * NEWS[:-1]) + RNG.standard_normal(2001) * 0.002


def test_scholes_williams_by_three_regressions() -> None:
    window = slice(300, 420)
    y, m = ASSET[window], MARKET[window]
    middle = np.arange(1, 119)
    betas = [np.polyfit(m[middle + by], y[middle], 1)[0] for by in (-1, 0, 1)]
    rho = np.corrcoef(m[middle], m[middle - 1])[0, 1]
    beta = sum(betas) / (1 + 2 * rho)
    alpha = y[middle].mean() - beta * m[middle].mean()
    residuals = y[middle] - alpha - beta * m[middle]
    fit = fit_normal_model("scholes_williams", y, m)
    assert dict(zip(fit.names, fit.params, strict=True)) == pytest.approx(
        {
            "intercept": alpha, "slope": beta, "slope_1_before": betas[0], "slope_same": betas[1],
            "slope_1_after": betas[2], "autocorrelation": rho,
        },
        rel=1e-10,
    )  # fmt: skip
    assert (fit.nobs, fit.df_resid, fit.exact) == (118, 116, False)
    assert fit.residual_std == pytest.approx(np.sqrt((residuals**2).sum() / 116), rel=1e-12)
    later = slice(430, 432)
    np.testing.assert_allclose(
        fit.abnormal(ASSET[later], MARKET[later]), ASSET[later] - alpha - beta * MARKET[later], atol=1e-15
    )


def test_dimson_is_one_regression_with_the_lag_and_its_beta_the_sum() -> None:
    window = np.arange(300, 420)
    inner = window[1:]
    design = sm.add_constant(np.column_stack([MARKET[inner - 1], MARKET[inner]]))
    ols = sm.OLS(ASSET[inner], design).fit()
    fit = fit_normal_model("dimson", ASSET[window], MARKET[window])
    assert fit.names == ("intercept", "slope", "slope_1_before", "slope_same")
    np.testing.assert_allclose(fit.params[[0, 2, 3]], ols.params, rtol=1e-10)
    assert fit.params[1] == pytest.approx(ols.params[1:].sum(), rel=1e-12)
    ahead = np.arange(430, 433)
    predicted = ols.get_prediction(np.column_stack([np.ones(3), MARKET[ahead - 1], MARKET[ahead]]))
    np.testing.assert_allclose(
        fit.abnormal(ASSET[ahead], MARKET[429:433]), ASSET[ahead] - predicted.predicted_mean, atol=1e-15
    )
    np.testing.assert_allclose(
        np.sqrt(np.diag(fit.forecast_covariance(3, MARKET[429:433]))), predicted.se_obs, rtol=1e-10
    )
    assert not fit.exact and "session before is taken off too" in fit.note


def test_both_find_the_slope_that_the_market_model_misses() -> None:
    slopes = {
        model: dict(zip(fit.names, fit.params, strict=True))["slope"]
        for model in ("market", "dimson", "scholes_williams")
        for fit in [fit_normal_model(model, ASSET, MARKET)]
    }
    assert slopes["market"] == pytest.approx(0.6, abs=0.02)
    assert slopes["dimson"] == pytest.approx(1.0, abs=0.02)
    assert slopes["scholes_williams"] == pytest.approx(1.0, abs=0.03)


def test_dimson_with_leads_uses_nothing_beyond_the_window() -> None:
    fit = fit_normal_model("dimson", ASSET[300:420], MARKET[300:420], lags=2, leads=1)
    inner = np.arange(302, 419)
    design = sm.add_constant(np.column_stack([MARKET[inner + by] for by in (-2, -1, 0, 1)]))
    np.testing.assert_allclose(fit.coefficients, sm.OLS(ASSET[inner], design).fit().params, rtol=1e-9)
    assert fit.nobs == 117 and not fit.used[[0, 1, 119]].any()


def test_without_lag_and_lead_dimson_is_the_market_model() -> None:
    market = fit_normal_model("market", ASSET[:120], MARKET[:120])
    dimson = fit_normal_model("dimson", ASSET[:120], MARKET[:120], lags=0)
    np.testing.assert_array_equal(market.coefficients, dimson.coefficients)


def test_a_benchmark_that_swings_back_and_forth_has_no_scholes_williams_slope() -> None:
    swing = 0.01 * (-1.0) ** np.arange(120) + RNG.standard_normal(120) * 1e-4
    with pytest.raises(EstimationError, match=r"autocorrelation over the estimation window is -1.00.*above -0.5"):
        fit_normal_model("scholes_williams", ASSET[:120], swing)
