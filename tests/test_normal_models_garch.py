"""GARCH normal-return models against arch and a recursion written out."""

import numpy as np
import pytest
from arch import arch_model

from market_reaction.errors import EstimationError
from market_reaction.normal_models import VarianceForecast, fit_normal_model


def simulated(count: int, seed: int = 3) -> np.ndarray:
    """Returns of a GARCH(1,1) with t(6) errors, persistence 0.95."""
    rng = np.random.default_rng(seed)
    shocks = rng.standard_t(6, count) * np.sqrt(4 / 6)
    returns, variance = np.empty(count), 1e-4
    for at, shock in enumerate(shocks):
        returns[at] = 0.0005 + np.sqrt(variance) * shock
        variance = 5e-6 + 0.1 * (returns[at] - 0.0005) ** 2 + 0.85 * variance
    return returns


RETURNS = simulated(800)
MARKET = simulated(800, seed=4)


@pytest.mark.parametrize(("model", "asymmetric"), [("garch", 0), ("gjr_garch", 1)])
def test_the_variance_is_that_of_arch_on_the_residuals(model: str, asymmetric: int) -> None:
    fit = fit_normal_model(model, RETURNS[:600])
    residuals = 100 * (RETURNS[:600] - RETURNS[:600].mean())
    outside = arch_model(residuals, mean="Constant", p=1, o=asymmetric, q=1, dist="t", rescale=False).fit(disp="off")
    ours, theirs = dict(zip(fit.names, fit.params, strict=True)), outside.params
    # the same likelihood in other units: the optimiser stops within its own tolerance
    assert ours["arch"] == pytest.approx(theirs["alpha[1]"], abs=2e-3)
    assert ours["garch"] == pytest.approx(theirs["beta[1]"], abs=2e-3)
    assert ours["omega"] * 1e4 == pytest.approx(theirs["omega"], rel=0.02)
    assert ours["degrees_of_freedom"] == pytest.approx(theirs["nu"], rel=0.02)
    assert ("asymmetry" in ours) == bool(asymmetric)
    forecast = outside.forecast(horizon=20, method="analytic").variance.to_numpy()[-1] / 1e4
    np.testing.assert_allclose(fit.variance.path(20), forecast, rtol=5e-3)


@pytest.mark.parametrize("model", ["garch", "gjr_garch"])
def test_the_forecast_starts_from_the_sessions_before_the_event(model: str) -> None:
    fit = fit_normal_model(model, RETURNS[:600]).through(RETURNS[600:610])
    p = dict(zip(fit.names, fit.params, strict=True))
    centre, variance = fit.variance.centre, fit_normal_model(model, RETURNS[:600]).variance.first
    for error in RETURNS[600:610] - p["intercept"] - centre:
        variance = p["omega"] + (p["arch"] + p.get("asymmetry", 0) * (error < 0)) * error**2 + p["garch"] * variance
    covariance = fit.forecast_covariance(2)
    mean_error = fit.residual_std**2 / 600
    ahead = p["omega"] + (p["arch"] + p.get("asymmetry", 0) / 2 + p["garch"]) * variance
    np.testing.assert_allclose(np.diag(covariance), [variance + mean_error, ahead + mean_error], rtol=1e-12)
    assert covariance[0, 1] == pytest.approx(mean_error, rel=1e-12)
    assert not fit.exact


def test_a_shock_in_the_gap_widens_the_forecast_and_the_event_itself_does_not() -> None:
    fit = fit_normal_model("garch", RETURNS[:600])
    calm, wild = RETURNS[600:610].copy(), RETURNS[600:610].copy()
    wild[-1] = -0.12
    assert fit.through(wild).variance.first > 3 * fit.through(calm).variance.first
    assert fit.through(calm).variance.first == fit.through(RETURNS[600:610]).variance.first


def test_abnormal_returns_are_those_of_least_squares() -> None:
    for model in ("garch", "gjr_garch"):
        mean, market = (fit_normal_model(model, RETURNS[:600], x) for x in (None, MARKET[:600]))
        np.testing.assert_array_equal(
            mean.abnormal(RETURNS[610:613]), fit_normal_model("constant_mean", RETURNS[:600]).abnormal(RETURNS[610:613])
        )
        np.testing.assert_array_equal(
            market.coefficients, fit_normal_model("market", RETURNS[:600], MARKET[:600]).coefficients
        )


def test_few_sessions_are_said_and_too_few_refused() -> None:
    assert fit_normal_model("garch", RETURNS[:150]).note == "GARCH on 150 sessions; 500 give stable parameters"
    assert fit_normal_model("garch", RETURNS[:600]).note == ""
    with pytest.raises(
        EstimationError, match="99 returns in the estimation window; 'garch' needs at least 100, and 500"
    ):
        fit_normal_model("garch", RETURNS[:99])


def test_a_likelihood_that_was_not_maximised_is_refused_with_the_next_step(monkeypatch) -> None:
    stopped = (9, "Iteration limit reached", np.ones(5), np.ones(600))  # what arch says when it gives up
    monkeypatch.setattr("market_reaction.inference.volatility._maximise_likelihood", lambda *_: stopped)
    says = r"'garch' on 600 returns: .*not converge \(optimiser flag 9.*Lengthen estimation= to 500.*'constant_mean'"
    with pytest.raises(EstimationError, match=says):
        fit_normal_model("garch", RETURNS[:600])


def test_a_variance_forecast_of_one_value_stays_what_it_is() -> None:
    constant = VarianceForecast(2.5)
    np.testing.assert_array_equal(constant.path(3), [2.5, 2.5, 2.5])
    assert constant.after(np.array([9.0, np.nan, -7.0])) == constant
    moving = VarianceForecast(first=2.0, constant=0.1, arch=0.1, asymmetry=0.2, garch=0.7)
    assert moving.after(np.array([np.nan])).first == pytest.approx(0.1 + (0.1 + 0.1 + 0.7) * 2.0)
    assert moving.after(np.array([-3.0])).first == pytest.approx(0.1 + 0.3 * 9 + 0.7 * 2.0)
    assert moving.after(np.array([3.0])).first == pytest.approx(0.1 + 0.1 * 9 + 0.7 * 2.0)
