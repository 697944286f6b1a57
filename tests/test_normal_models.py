"""Normal-return models against statsmodels and against one regression with a dummy per event session."""

import numpy as np
import pytest
import statsmodels.api as sm

from market_reaction.errors import WindowError
from market_reaction.normal_models import fit_normal_model, rolling_abnormal

RNG = np.random.default_rng(7)
MARKET = RNG.standard_t(5, 400) * 0.01
ASSET = 0.0002 + 1.2 * MARKET + RNG.standard_t(5, 400) * 0.008
EXACT = 1e-12  # both sides are float64 least squares on 120 rows


@pytest.mark.parametrize("model", ["constant_mean", "market"])
def test_forecast_error_equals_statsmodels_prediction(model: str) -> None:
    inside, outside = slice(100, 220), slice(230, 233)
    fit = fit_normal_model(model, ASSET[inside], MARKET[inside])
    design = np.ones((400, 1)) if model == "constant_mean" else sm.add_constant(MARKET)
    ols = sm.OLS(ASSET[inside], design[inside]).fit()
    predicted = ols.get_prediction(design[outside])
    cov = fit.forecast_covariance(3, MARKET[outside])
    np.testing.assert_allclose(np.sqrt(np.diag(cov)), predicted.se_obs, rtol=EXACT)
    np.testing.assert_allclose(
        fit.abnormal(ASSET[outside], MARKET[outside]), ASSET[outside] - predicted.predicted_mean, atol=EXACT
    )
    assert (fit.df_resid, fit.nobs) == (ols.df_resid, 120)


@pytest.mark.parametrize("model", ["constant_mean", "market"])
def test_one_regression_with_a_dummy_per_event_session_gives_the_same(model: str) -> None:
    rows = np.r_[100:220, 230:236]
    dummies = np.zeros((len(rows), 6))
    dummies[120 + np.arange(6), np.arange(6)] = 1
    base = np.ones((len(rows), 1)) if model == "constant_mean" else sm.add_constant(MARKET[rows])
    joint = sm.OLS(ASSET[rows], np.column_stack([base, dummies])).fit()
    fit = fit_normal_model(model, ASSET[100:220], MARKET[100:220])
    k = base.shape[1]
    np.testing.assert_allclose(fit.abnormal(ASSET[230:236], MARKET[230:236]), joint.params[k:], atol=EXACT)
    np.testing.assert_allclose(
        fit.forecast_covariance(6, MARKET[230:236]), joint.cov_params()[k:, k:], rtol=1e-9, atol=1e-16
    )
    assert fit.df_resid == joint.df_resid
    car = fit.abnormal(ASSET[230:236], MARKET[230:236]).sum()
    error = np.sqrt(fit.forecast_covariance(6, MARKET[230:236]).sum())
    test = joint.t_test(np.r_[np.zeros(k), np.ones(6)])
    assert car / error == pytest.approx(test.tvalue.item(), rel=1e-9)


def test_market_adjusted_has_no_parameter_and_divides_by_l() -> None:
    fit = fit_normal_model("market_adjusted", ASSET[:120], MARKET[:120])
    gap = ASSET[:120] - MARKET[:120]
    assert fit.residual_std == pytest.approx(np.sqrt((gap**2).sum() / 120), rel=EXACT)
    np.testing.assert_allclose(fit.forecast_covariance(2, MARKET[120:122]), fit.residual_std**2 * np.eye(2))


def test_event_window_values_never_change_a_fit() -> None:
    changed = ASSET.copy()
    changed[220:] = 99.0
    assert fit_normal_model("market", ASSET[100:220], MARKET[100:220]).residual_std == (
        fit_normal_model("market", changed[100:220], MARKET[100:220]).residual_std
    )


@pytest.mark.parametrize("model", ["constant_mean", "market", "market_adjusted"])
def test_rolling_abnormal_is_the_fit_of_each_own_window(model: str) -> None:
    asset = ASSET.copy()
    asset[150] = np.nan
    positions = np.array([140, 200, 399, 30])
    got = rolling_abnormal(model, asset, MARKET, positions, (-130, -11))
    for at, value in zip(positions[:3], got[:3], strict=True):
        fit = fit_normal_model(model, asset[at - 130 : at - 10], MARKET[at - 130 : at - 10])
        assert value == pytest.approx(fit.abnormal(asset[at : at + 1], MARKET[at : at + 1])[0], abs=1e-14)
    assert np.isnan(got[3])


@pytest.mark.parametrize(
    ("model", "asset", "benchmark", "says"),
    [
        ("mm", ASSET[:120], None, "normal_model='mm' is not known"),
        ("market", ASSET[:120], None, "needs benchmark returns"),
        ("market", ASSET[:120], np.ones(120), "does not vary over the 120 sessions"),
        ("constant_mean", np.full(120, np.nan), None, "only 0 of 120 sessions"),
    ],
)
def test_a_model_that_cannot_be_fitted_says_why(model, asset, benchmark, says) -> None:
    with pytest.raises(WindowError, match=says):
        fit_normal_model(model, asset, benchmark)
