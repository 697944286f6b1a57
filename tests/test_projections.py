"""Local projections against statsmodels at every horizon, refits, an exhaustive search over dates, and simulation."""

import numpy as np
import pytest
import scipy.stats
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.sandwich_covariance import S_hac_simple

from market_reaction.errors import WindowError
from market_reaction.inference.projections import leave_one_event_out, leave_one_out, local_projections

RNG = np.random.default_rng(21)
TOTAL, LONGEST = 300, 6
LEVELS = np.cumsum(0.01 * RNG.standard_t(5, TOTAL))
EVENTS = np.sort(RNG.choice(np.arange(10, 280), 15, replace=False))
SHOCK = np.zeros(TOTAL)
SHOCK[EVENTS] = RNG.standard_normal(15)
CONTROLS = RNG.standard_normal((TOTAL, 2))
EXACT = 1e-9  # float64 least squares on 300 rows, sums over lags in another order


def by_hand(
    levels: np.ndarray, shock: np.ndarray, controls: np.ndarray, horizon: int, lags: int = 0, without: int = -1
) -> sm.regression.linear_model.OLS:
    """One regression, its rows put together one at a time."""
    rows, target = [], []
    for at in range(1 + lags, len(levels) - horizon):
        past = [shock[at - lag] for lag in range(1, lags + 1)]
        past += [levels[at - lag] - levels[at - lag - 1] for lag in range(1, lags + 1)]
        row = [shock[at], 1.0, *controls[at], *past]
        change = levels[at + horizon] - levels[at - 1]
        if np.isfinite([*row, change]).all() and at != without:
            rows.append(row)
            target.append(change)
    return sm.OLS(np.array(target), np.array(rows))


@pytest.mark.parametrize("controls", [None, CONTROLS])
def test_newey_west_equals_statsmodels_on_scores_divided_by_one_less_leverage(controls: np.ndarray | None) -> None:
    result = local_projections(LEVELS, SHOCK, LONGEST, controls, draws=19)
    columns = np.empty((TOTAL, 0)) if controls is None else controls
    for horizon in range(LONGEST + 1):
        fit = by_hand(LEVELS, SHOCK, columns, horizon).fit()
        scores = fit.model.exog * (fit.resid / (1 - fit.get_influence().hat_matrix_diag))[:, None]
        bread = fit.normalized_cov_params
        std_error = np.sqrt((bread @ S_hac_simple(scores, nlags=horizon + 1) @ bread)[0, 0])
        assert result.coefficients[horizon] == pytest.approx(fit.params[0], rel=EXACT)
        assert result.std_errors[horizon] == pytest.approx(std_error, rel=EXACT)
        assert result.nobs[horizon] == fit.nobs
        expected = scipy.stats.t(14, loc=fit.params[0], scale=std_error)
        assert (result.conf_low[horizon], result.conf_high[horizon]) == pytest.approx(expected.interval(0.95), rel=1e-8)
        assert result.p_values[horizon] == pytest.approx(
            2 * scipy.stats.t.sf(abs(fit.params[0] / std_error), 14), rel=1e-7
        )
    assert (result.n_events.tolist(), result.note) == ([15] * 7, "")


@pytest.mark.parametrize("lags", [1, 3])
def test_lag_augmented_equals_statsmodels(lags: int) -> None:
    result = local_projections(LEVELS, SHOCK, LONGEST, CONTROLS, errors="lag_augmented", lags=lags, draws=19)
    for horizon in range(LONGEST + 1):
        fit = by_hand(LEVELS, SHOCK, CONTROLS, horizon, lags).fit(cov_type="HC3")
        assert result.coefficients[horizon] == pytest.approx(fit.params[0], rel=EXACT)
        assert result.std_errors[horizon] == pytest.approx(fit.bse[0], rel=EXACT)
        assert result.nobs[horizon] == fit.nobs == TOTAL - 1 - lags - horizon


def test_absent_values_leave_out_their_rows() -> None:
    levels, shock, controls = LEVELS.copy(), SHOCK.copy(), CONTROLS.copy()
    levels[40], shock[EVENTS[3]], controls[200, 1] = np.nan, np.nan, np.nan
    result = local_projections(levels, shock, 3, controls, errors="lag_augmented", draws=19)
    for horizon in range(4):
        fit = by_hand(levels, shock, controls, horizon, 1).fit(cov_type="HC3")
        assert result.nobs[horizon] == fit.nobs
        assert result.std_errors[horizon] == pytest.approx(fit.bse[0], rel=EXACT)


def test_simultaneous_band_is_wider_than_pointwise_and_narrower_than_bonferroni() -> None:
    result = local_projections(LEVELS, SHOCK, LONGEST, draws=19)
    bonferroni = local_projections(LEVELS, SHOCK, LONGEST, draws=19, level=1 - 0.05 / (LONGEST + 1))
    assert (result.simultaneous_low < result.conf_low).all()
    assert (result.simultaneous_low >= bonferroni.conf_low - 1e-15).all()
    np.testing.assert_allclose(result.simultaneous_low + result.simultaneous_high, 2 * result.coefficients)


@pytest.mark.parametrize(("errors", "lags"), [("hac", 0), ("lag_augmented", 1)])
def test_random_dates_are_those_of_an_exhaustive_search(errors: str, lags: int) -> None:
    """One event of size 2: p is the share of all 52 possible dates, at 4 standard errors of 4,000 draws."""
    levels, shock, at = LEVELS[:60], np.zeros(60), 30
    shock[at] = 2.0
    result = local_projections(levels, shock, 5, errors=errors, draws=4000)
    for horizon in (0, 5):
        sizes = {}
        for date in range(1 + lags, 55):
            moved = np.zeros(60)
            moved[date] = 2.0
            model = by_hand(levels, moved, np.empty((60, 0)), horizon, lags)
            # lstsq, since the lag of a shock on the last complete date is zero throughout
            sizes[date] = abs(np.linalg.lstsq(model.exog, model.endog, rcond=None)[0][0])
        share = np.mean([size >= sizes[at] - 1e-12 for size in sizes.values()])
        error = np.sqrt(share * (1 - share) / 4000)
        assert result.permutation_p_values[horizon] == pytest.approx(share, abs=4 * error + 1 / 4000)
        ordered = np.sort(list(sizes.values()))
        assert ordered[-6] <= result.permutation_high[horizon] <= ordered[-1] + 1e-12


def test_permutation_band_leaves_out_the_coefficient_exactly_where_p_is_small() -> None:
    levels = LEVELS + 0.008 * np.cumsum(SHOCK)
    result = local_projections(levels, SHOCK, LONGEST, draws=499)
    outside = np.abs(result.coefficients) > result.permutation_high
    np.testing.assert_array_equal(outside, result.permutation_p_values <= 0.05)
    assert outside.any()
    assert not outside.all()
    np.testing.assert_array_equal(result.permutation_low, -result.permutation_high)
    assert result.permutation_joint_p <= 0.05


def test_allowed_dates_only() -> None:
    """A jump on one session that is neither an event nor allowed reaches no draw: all have the coefficient observed."""
    allowed = np.zeros(TOTAL, dtype=bool)
    allowed[np.setdiff1d(np.arange(20, 140), EVENTS)[:15]] = True
    levels = (np.arange(TOTAL) >= 150).astype(float)
    assert 150 not in EVENTS
    result = local_projections(levels, (SHOCK != 0).astype(float), 0, allowed=allowed, draws=99)
    assert result.coefficients[0] == pytest.approx(-1 / (TOTAL - 1 - 15), rel=EXACT)
    np.testing.assert_allclose(result.permutation_high, -result.coefficients, rtol=EXACT)
    anywhere = local_projections(levels, (SHOCK != 0).astype(float), 0, draws=99, level=0.99)
    assert anywhere.permutation_high[0] > 2 * result.permutation_high[0]
    none = local_projections(LEVELS, SHOCK, 2, allowed=np.zeros(TOTAL, dtype=bool), draws=99)
    assert np.isnan(none.permutation_high).all()
    assert np.isnan(none.permutation_joint_p)
    assert none.note == "0 allowed dates for 15 events: no permutation band."
    with pytest.raises(WindowError, match=r"allowed has shape \(300,\) and type float64"):
        local_projections(LEVELS, SHOCK, 2, allowed=SHOCK)


def test_fewer_than_ten_events_have_no_standard_error_but_random_dates() -> None:
    few = np.where(np.arange(TOTAL) <= EVENTS[8], SHOCK, 0.0)
    result = local_projections(LEVELS, few, 2, draws=99)
    assert np.isfinite(result.coefficients).all()
    assert np.isnan([result.std_errors, result.conf_low, result.simultaneous_high, result.p_values]).all()
    assert np.isfinite([result.permutation_low, result.permutation_p_values]).all()
    assert result.note == "Standard errors need at least 10 events at every horizon; 9 given."


def test_events_near_the_end_enter_the_short_horizons_only() -> None:
    shock = SHOCK.copy()
    shock[297] = 1.0
    result = local_projections(LEVELS, shock, LONGEST, draws=49)
    assert result.n_events.tolist() == [16, 16, 16, 15, 15, 15, 15]
    assert result.nobs.tolist() == [299 - horizon for horizon in range(7)]


def test_draws_and_seed() -> None:
    one, again, other = (local_projections(LEVELS, SHOCK, 2, draws=99, seed=seed) for seed in (4, 4, 5))
    np.testing.assert_array_equal(one.permutation_high, again.permutation_high)
    assert (one.permutation_high != other.permutation_high).any()
    np.testing.assert_array_equal(one.conf_low, other.conf_low)


@given(st.floats(0.01, 100), st.floats(-10, 10), st.floats(0.1, 10))
@settings(max_examples=25, deadline=None)
def test_units_of_level_and_shock(scale: float, start: float, size: float) -> None:
    one = local_projections(LEVELS, SHOCK, 2, draws=49)
    other = local_projections(start + scale * LEVELS, size * SHOCK, 2, draws=49)
    factor = scale / size
    for name in ("coefficients", "std_errors", "simultaneous_high", "permutation_high"):
        np.testing.assert_allclose(getattr(other, name), factor * getattr(one, name), rtol=1e-6, atol=1e-9 * factor)
    np.testing.assert_allclose(other.p_values, one.p_values, rtol=1e-5)


@pytest.mark.parametrize("errors", ["hac", "lag_augmented"])
def test_size_with_ten_events_of_different_size(errors: str) -> None:
    """200 runs at 10%: standard error of a rate 2.1 points; usual errors (HC1, Newey-West) reject in 11% at 5%."""
    rng = np.random.default_rng(8)
    pointwise, whole, permuted = np.zeros(3), 0, np.zeros(3)
    for _ in range(200):
        shock = np.zeros(250)
        shock[rng.choice(np.arange(2, 245), 10, replace=False)] = rng.standard_normal(10)
        levels = np.cumsum(rng.standard_normal(250))
        result = local_projections(levels, shock, 2, errors=errors, draws=39, level=0.9)
        pointwise += result.p_values < 0.1
        whole += (result.simultaneous_low > 0).any() or (result.simultaneous_high < 0).any()
        permuted += result.permutation_p_values <= 0.1
    assert (np.abs(pointwise / 200 - 0.1) < 0.065).all()
    assert (np.abs(permuted / 200 - 0.1) < 0.065).all()
    assert abs(whole / 200 - 0.1) < 0.075


@pytest.mark.parametrize(("errors", "lags"), [("hac", 0), ("lag_augmented", 2)])
def test_leaving_one_event_out_is_the_regression_on_the_other_sessions(errors: str, lags: int) -> None:
    result = leave_one_event_out(LEVELS, SHOCK, 3, CONTROLS, errors=errors, lags=lags)
    np.testing.assert_array_equal(result.rows, EVENTS)
    for index, row in enumerate(EVENTS):
        for horizon in range(4):
            refit = by_hand(LEVELS, SHOCK, CONTROLS, horizon, lags, without=int(row)).fit()
            assert result.paths[index, horizon] == pytest.approx(refit.params[0], rel=1e-8, abs=1e-12)
    changes = np.abs(result.paths - result.coefficients)
    assert result.largest_change == changes.max()
    assert changes[result.most_influential].max() == changes.max()


def test_leaving_out_an_only_or_a_late_event() -> None:
    single = np.zeros(TOTAL)
    single[100] = 1.0
    assert np.isnan(leave_one_event_out(LEVELS, single, 1).paths).all()
    late = SHOCK.copy()
    late[298] = 1.0
    result = leave_one_event_out(LEVELS, late, 3)
    assert result.rows[-1] == 298
    np.testing.assert_array_equal(result.paths[-1, 2:], result.coefficients[2:])
    assert (result.paths[-1, :2] != result.coefficients[:2]).all()


@given(st.lists(st.floats(-10, 10), min_size=2, max_size=12))
@settings(max_examples=40, deadline=None)
def test_means_without_each_event(values: list[float]) -> None:
    expected = [np.mean(values[:index] + values[index + 1 :]) for index in range(len(values))]
    np.testing.assert_allclose(leave_one_out(np.array(values)), expected, atol=1e-12)
    with_gap = leave_one_out(np.array([*values, np.nan]))
    np.testing.assert_allclose(with_gap[:-1], expected, atol=1e-12)
    assert np.isnan(with_gap[-1])
    assert np.isnan(leave_one_out(np.array([1.0, np.nan]))).all()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"shock": np.zeros(TOTAL)}, "shock is 0.0 on all 300 sessions"),
        ({"shock": np.ones(TOTAL)}, "shock is 1.0 on all 300 sessions"),
        ({"shock": np.full(TOTAL, np.nan)}, "shock is absent on all 300 sessions"),
        ({"shock": SHOCK[:-1]}, "levels has 300 rows and shock has 299"),
        ({"levels": np.ones(TOTAL)}, "levels does not vary"),
        ({"levels": LEVELS[:, None]}, r"levels has shape \(300, 1\)"),
        ({"controls": CONTROLS[:10]}, "controls has 10"),
        ({"controls": SHOCK[:, None]}, "collinear over the 299 sessions at horizon 0"),
        ({"controls": np.zeros((TOTAL, 1))}, "collinear"),
        ({"shock": np.where(np.arange(TOTAL) == 298, 1.0, 0.0)}, "at horizon 2.*shorten horizons="),
        ({"horizons": -1}, "horizons=-1 is below 0"),
        ({"horizons": 290}, "collinear over the .* sessions at horizon 2.*shorten horizons="),
        (
            {"levels": LEVELS[:22], "shock": np.eye(22)[5]},
            "21 sessions are complete at horizon 0; 2 regressors need at least 22",
        ),
        ({"errors": "HC3"}, "errors='HC3' is not known; choose one of hac, lag_augmented"),
        ({"errors": "lag_augmented", "lags": 0}, "lags=0 adds nothing"),
        ({"level": 95.0}, "level=95"),
        ({"draws": 0}, "draws=0"),
    ],
)
def test_wrong_arguments(change: dict[str, object], says: str) -> None:
    arguments: dict[str, object] = {"levels": LEVELS, "shock": SHOCK, "horizons": 2, "draws": 9}
    with pytest.raises(WindowError, match=says):
        local_projections(**{**arguments, **change})
