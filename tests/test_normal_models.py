"""Normal-return models against statsmodels and against one regression with a dummy per event session."""

from typing import get_args

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st

from market_reaction.errors import EstimationError, WindowError
from market_reaction.least_squares import has_full_rank
from market_reaction.normal_models import (
    NORMAL_MODELS,
    NormalModel,
    fit_normal_model,
    rolling_abnormal,
    rolling_paths,
    trailing_mean,
)
from market_reaction.rows import rows_or_nan

RNG = np.random.default_rng(7)
FACTORS = RNG.standard_t(5, (400, 3)) * np.array([0.01, 0.02, 1.5])  # two returns and a difference in points
MARKET = FACTORS[:, 0]
ASSET = 0.0002 + 1.2 * MARKET - 0.1 * FACTORS[:, 1] + 0.001 * FACTORS[:, 2] + RNG.standard_t(5, 400) * 0.008
EXACT = 1e-12  # both sides are float64 least squares on 120 rows
OLS = {
    "constant_mean": np.ones((400, 1)),
    "market": sm.add_constant(MARKET),
    "factors": sm.add_constant(FACTORS),
}


def inputs(model: str) -> np.ndarray | None:
    """Regressors a model takes from the panel above."""
    kind = NORMAL_MODELS[model].regressors
    return {"none": None, "factors": FACTORS, "donors": FACTORS[:, :2]}.get(kind, MARKET)


def one_by_one(
    model: str,
    asset: np.ndarray,
    regressors: np.ndarray | None,
    at: int,
    taus: np.ndarray,
    skip: np.ndarray,
    estimation: tuple[int, int] = (-130, -11),
) -> np.ndarray:
    """Abnormal returns around one position from a fit of its own."""
    window = slice(at + estimation[0], at + estimation[1] + 1)
    masked = np.where(skip, np.nan, asset)
    fit = fit_normal_model(model, masked[window], None if regressors is None else regressors[window])
    around = slice(at + taus[0] - fit.lags, at + taus[-1] + fit.leads + 1)
    given = None if regressors is None else regressors[around]
    if model == "rolling_mean":
        given = trailing_mean(asset, estimation, skip)[around]
    return fit.abnormal(asset[at + taus], given)


@pytest.mark.parametrize("model", OLS)
def test_forecast_error_equals_statsmodels_prediction(model: str) -> None:
    inside, outside = slice(100, 220), slice(230, 233)
    x = inputs(model)
    fit = fit_normal_model(model, ASSET[inside], None if x is None else x[inside])
    ols = sm.OLS(ASSET[inside], OLS[model][inside]).fit()
    predicted = ols.get_prediction(OLS[model][outside])
    event = None if x is None else x[outside]
    np.testing.assert_allclose(np.sqrt(np.diag(fit.forecast_covariance(3, event))), predicted.se_obs, rtol=EXACT)
    np.testing.assert_allclose(
        fit.abnormal(ASSET[outside], event), ASSET[outside] - predicted.predicted_mean, atol=EXACT
    )
    np.testing.assert_allclose(fit.params, ols.params, rtol=1e-10)
    np.testing.assert_allclose(np.sqrt(np.diag(fit.coefficient_cov)), ols.bse, rtol=1e-10)
    assert (fit.df_resid, fit.nobs, fit.exact) == (ols.df_resid, 120, True)


@pytest.mark.parametrize("model", OLS)
def test_one_regression_with_a_dummy_per_event_session_gives_the_same(model: str) -> None:
    rows, event = np.r_[100:220, 230:236], slice(230, 236)
    dummies = np.zeros((len(rows), 6))
    dummies[120 + np.arange(6), np.arange(6)] = 1
    joint = sm.OLS(ASSET[rows], np.column_stack([OLS[model][rows], dummies])).fit()
    x = inputs(model)
    fit = fit_normal_model(model, ASSET[100:220], None if x is None else x[100:220])
    k = OLS[model].shape[1]
    abnormal = fit.abnormal(ASSET[event], None if x is None else x[event])
    covariance = fit.forecast_covariance(6, None if x is None else x[event])
    np.testing.assert_allclose(abnormal, joint.params[k:], atol=EXACT)
    np.testing.assert_allclose(covariance, joint.cov_params()[k:, k:], rtol=1e-9, atol=1e-16)
    assert fit.df_resid == joint.df_resid
    test = joint.t_test(np.r_[np.zeros(k), np.ones(6)])
    assert abnormal.sum() / np.sqrt(covariance.sum()) == pytest.approx(test.tvalue.item(), rel=1e-9)


@pytest.mark.parametrize(("model", "gap"), [("market_adjusted", ASSET - MARKET), ("zero_mean", ASSET)])
def test_models_without_a_parameter_divide_by_l(model: str, gap: np.ndarray) -> None:
    fit = fit_normal_model(model, ASSET[:120], MARKET[:120])
    assert fit.residual_std == pytest.approx(np.sqrt((gap[:120] ** 2).sum() / 120), rel=EXACT)
    np.testing.assert_allclose(fit.forecast_covariance(2, MARKET[120:122]), fit.residual_std**2 * np.eye(2))
    np.testing.assert_allclose(fit.abnormal(ASSET[120:122], MARKET[120:122]), gap[120:122], atol=1e-17)
    assert fit.df_resid == 120 and fit.exact and not len(fit.params)


def test_the_rolling_mean_moves_with_the_session() -> None:
    result = rolling_paths("rolling_mean", ASSET, None, np.array([300]), (-130, -11), taus=np.array([0, 1, 5]))[0]
    own = [ASSET[at] - ASSET[at - 130 : at - 10].mean() for at in (300, 301, 305)]
    np.testing.assert_allclose(result, own, atol=1e-16)
    base = fit_normal_model("constant_mean", ASSET[170:290])
    fit = fit_normal_model("rolling_mean", ASSET[170:290])
    np.testing.assert_allclose(
        fit.forecast_covariance(3, np.zeros(3)), base.forecast_covariance(3), rtol=EXACT, atol=1e-20
    )
    assert not fit.exact


@pytest.mark.parametrize("model", NORMAL_MODELS)
def test_event_window_values_never_change_a_fit(model: str) -> None:
    x = inputs(model)
    changed = ASSET.copy()
    changed[220:] = 99.0
    other = None if x is None else np.where(np.arange(400).reshape(-1, *[1] * (x.ndim - 1)) >= 220, 99.0, x)
    first = fit_normal_model(model, ASSET[100:220], None if x is None else x[100:220])
    second = fit_normal_model(model, changed[100:220], None if other is None else other[100:220])
    np.testing.assert_array_equal(first.coefficients, second.coefficients)
    at = np.array([230])
    kept, moved = ASSET.copy(), ASSET.copy()
    moved[231:] = 99.0
    # Before adding up, the engine takes off the mean of the whole series, which moves the last digits.
    np.testing.assert_allclose(
        rolling_abnormal(model, kept, x, at, (-130, -11)),
        rolling_abnormal(model, moved, x, at, (-130, -11)),
        atol=1e-13,
    )


@pytest.mark.parametrize("model", NORMAL_MODELS)
def test_every_pseudo_event_has_the_model_of_its_own_window(model: str) -> None:
    asset = ASSET.copy()
    asset[[150, 260]] = np.nan
    x = inputs(model)
    if x is not None:
        x = x.copy()
        x[205] = np.nan
    skip = np.zeros(400, dtype=bool)
    skip[180:187] = True
    positions = np.array([140, 200, 271, 397, 399, 30])
    taus = np.array([0, 1, 2])
    got = rolling_paths(model, asset, x, positions, (-130, -11), taus=taus, skip=skip)
    for at, values in zip(positions[:4], got[:4], strict=True):
        np.testing.assert_allclose(values, one_by_one(model, asset, x, at, taus, skip), atol=1e-14)
    assert np.isfinite(got[:4]).all()
    assert np.isfinite(got[4, 0]) and np.isnan(got[4, 1:]).all() and np.isnan(got[5]).all()
    np.testing.assert_array_equal(got[:, 0], rolling_abnormal(model, asset, x, positions, (-130, -11), skip=skip))


@settings(max_examples=25, deadline=None)
@given(scale=st.floats(1e-4, 1e4), seed=st.integers(0, 100), model=st.sampled_from(list(NORMAL_MODELS)))
def test_scaling_returns_and_regressors_scales_abnormal_returns(scale: float, seed: int, model: str) -> None:
    panel = np.random.default_rng(seed).standard_normal((160, 4)) * 0.01
    kind = NORMAL_MODELS[model].regressors
    x = None if kind == "none" else panel[:, 1:] if kind in ("factors", "donors") else panel[:, 1]
    at = np.array([140, 150])
    base = rolling_abnormal(model, panel[:, 0], x, at, (-130, -11))
    scaled = rolling_abnormal(model, scale * panel[:, 0], None if x is None else scale * x, at, (-130, -11))
    np.testing.assert_allclose(scaled, scale * base, rtol=1e-8)


def test_windows_with_too_few_or_collinear_rows_are_nan_in_the_rolling_form() -> None:
    positions = np.array([200, 300])
    gone = ASSET.copy()
    gone[75:140] = np.nan  # 65 of the 120 rows before 200
    assert np.isnan(rolling_abnormal("constant_mean", gone, None, positions, (-130, -11))).tolist() == [True, False]
    flat = MARKET.copy()
    flat[60:195] = 0.01
    assert np.isnan(rolling_abnormal("market", ASSET, flat, positions, (-130, -11))).tolist() == [True, False]
    twice = FACTORS.copy()
    twice[60:195, 1] = 2 * twice[60:195, 0]
    assert np.isnan(rolling_abnormal("factors", ASSET, twice, positions, (-130, -11))).tolist() == [True, False]


def test_the_names_are_those_of_the_type_and_each_has_a_sentence() -> None:
    assert set(NORMAL_MODELS) == set(get_args(NormalModel))
    for entry in NORMAL_MODELS.values():
        assert entry.description.endswith(".") and entry.description.count(". ") == 0
    exact = {name for name, entry in NORMAL_MODELS.items() if entry.exact}
    assert exact == {"constant_mean", "zero_mean", "market_adjusted", "market", "factors"}


@pytest.mark.parametrize("model", NORMAL_MODELS)
def test_a_fit_says_whether_its_forecast_error_is_exact(model: str) -> None:
    x = inputs(model)
    fit = fit_normal_model(model, ASSET[:120], None if x is None else x[:120])
    assert fit.exact == NORMAL_MODELS[model].exact
    assert len(fit.names) == len(fit.params) and fit.nobs == fit.used.sum() == len(fit.residuals)


COLLINEAR = np.column_stack([MARKET, FACTORS[:, 1], 2 * MARKET - FACTORS[:, 1], FACTORS[:, 2]])[:120]


@pytest.mark.parametrize(
    ("model", "asset", "regressors", "says"),
    [
        ("mm", ASSET[:120], None, "normal_model='mm' is not known; choose one of constant_mean, zero_mean"),
        ("markets", ASSET[:120], None, "Did you mean 'market'"),
        ("market", ASSET[:120], None, "needs benchmark returns; name a benchmark"),
        ("factors", ASSET[:120], None, "needs factors returns"),
        ("market", ASSET[:120], FACTORS[:120], "takes one benchmark; 3 columns given. Use 'factors'"),
        ("market", ASSET[:120], MARKET[:119], "120 returns and 119 rows of regressors"),
        ("market", ASSET[:120], np.ones(120), "the benchmark does not vary over the 120 sessions"),
        ("scholes_williams", ASSET[:120], np.zeros(120), "does not vary over the 118 sessions"),
        ("constant_mean", np.full(120, np.nan), None, "only 0 of 120 sessions of the estimation window have a return"),
        ("garch", np.full(120, np.nan), None, "only 0 of 120 sessions"),
        ("synthetic_control", np.full(120, np.nan), FACTORS[:120], "only 0 of 120 sessions"),
        ("constant_mean", np.full(120, 0.0004), None, "returns of the estimation window are all 0.0004: a constant"),
        ("zero_mean", np.zeros(120), None, "all 0: a constant series has no spread"),
        ("market", np.zeros(120), MARKET[:120], "all 0: a constant series"),
        (
            "market",
            0.001 + 2 * MARKET[:120],
            MARKET[:120],
            "120 returns .* are exactly what 'market' says: nothing is left",
        ),
        (
            "market_adjusted",
            MARKET[:120],
            MARKET[:120],
            "exactly what 'market_adjusted' says: .* Name another benchmark",
        ),
        ("factors", ASSET[:120], COLLINEAR, "oil, gold and rates are collinear over the 120 sessions .* rates is a"),
    ],
)
def test_a_model_that_cannot_be_fitted_says_why(model, asset, regressors, says) -> None:
    names = ("oil", "gold", "rates", "dollar") if regressors is COLLINEAR else ()
    with pytest.raises(WindowError, match=says):
        fit_normal_model(model, asset, regressors, names=names)


def test_errors_of_the_fit_are_told_from_wrong_arguments() -> None:
    with pytest.raises(EstimationError):
        fit_normal_model("constant_mean", np.zeros(120))
    fit = fit_normal_model("market", ASSET[:120], MARKET[:120])
    with pytest.raises(WindowError, match="'market' needs the returns of its regressors over the same sessions"):
        fit.abnormal(ASSET[120:122])
    with pytest.raises(WindowError, match=r"shape \(3, 1\); 'market' was fitted on 1 column\(s\) and needs 2 rows"):
        fit.abnormal(ASSET[120:122], MARKET[120:123])
    with pytest.raises(WindowError, match="'market' needs benchmark returns; give regressors"):
        rolling_abnormal("market", ASSET, None, np.array([200]), (-130, -11))


def test_a_trailing_mean_leaves_out_what_is_skipped_and_what_is_missing() -> None:
    values = np.arange(10.0)
    values[3] = np.nan
    skip = np.zeros(10, dtype=bool)
    skip[5] = True
    got = trailing_mean(values, (-4, -1), skip)
    expected = [np.nan] * 4 + [(0 + 1 + 2) / 3, (1 + 2 + 4) / 3, (2 + 4) / 2, (4 + 6) / 2, (4 + 6 + 7) / 3, 7.0]
    expected[9] = (6 + 7 + 8) / 3
    np.testing.assert_allclose(got, expected)
    assert np.isnan(trailing_mean(values[:4], (-4, -1))).all()


def test_rows_that_a_series_does_not_have_are_nan_and_never_wrap_around() -> None:
    values = np.array([[1.0, 2.0], [3.0, 4.0]])
    found = rows_or_nan(values, np.array([[-1, 0], [1, 2]]))
    np.testing.assert_array_equal(found, [[[np.nan] * 2, [1.0, 2.0]], [[3.0, 4.0], [np.nan] * 2]])


def test_full_rank_does_not_depend_on_units() -> None:
    line = np.arange(5.0)
    assert has_full_rank(np.column_stack([np.ones(5), 1e-12 * line])) and has_full_rank(np.empty((5, 0)))
    assert not has_full_rank(np.column_stack([np.ones(5), line, 1e6 * (line - 2)]))
    assert not has_full_rank(np.column_stack([np.ones(5), np.zeros(5)]))
