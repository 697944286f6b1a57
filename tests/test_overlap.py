"""Overlapping events against statsmodels with explicit dummies, the usual forecast-error t, and plain loops."""

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st

from market_reaction.errors import WindowError
from market_reaction.inference.overlap import calendar_time_portfolio, joint_dummy_regression, merge_overlapping
from market_reaction.normal_models import fit_normal_model

RNG = np.random.default_rng(11)
MARKET = RNG.standard_t(5, 160) * 0.01
ASSET = 0.0002 + 1.2 * MARKET + RNG.standard_t(5, 160) * 0.008
DESIGN = np.column_stack([np.ones(160), MARKET])
EXACT = 1e-10


def with_dummies(returns: np.ndarray, design: np.ndarray, rows: np.ndarray) -> sm.regression.linear_model.OLS:
    dummies = np.zeros((len(returns), len(rows)))
    dummies[rows, np.arange(len(rows))] = 1
    return sm.OLS(returns, np.column_stack([design, dummies]))


def test_disjoint_windows_give_the_usual_abnormal_returns_and_car_t() -> None:
    events = [np.arange(120, 123), np.arange(140, 142)]
    joint = joint_dummy_regression(ASSET, DESIGN, events)
    outside = np.setdiff1d(np.arange(160), np.concatenate(events))
    usual = fit_normal_model("market", ASSET[outside], MARKET[outside])
    for index, rows in enumerate(events):
        abnormal = usual.abnormal(ASSET[rows], MARKET[rows])
        error = np.sqrt(usual.forecast_covariance(len(rows), MARKET[rows]).sum())
        np.testing.assert_allclose(joint.effects[np.isin(joint.sessions, rows)], abnormal, atol=EXACT)
        assert joint.car[index] / joint.std_error[index] == pytest.approx(abnormal.sum() / error, rel=EXACT)
    assert (joint.df, joint.note, joint.shared.size) == (usual.df_resid, "", 0)
    assert joint.residual_std == pytest.approx(usual.residual_std, rel=EXACT)
    assert joint.clusters.tolist() == [0, 1]


def test_overlapping_windows_equal_statsmodels_with_one_dummy_per_session() -> None:
    events = [np.arange(100, 104), np.arange(102, 106), np.arange(130, 132)]
    rows = np.r_[100:106, 130:132]
    joint = joint_dummy_regression(ASSET, DESIGN, events)
    ols = with_dummies(ASSET, DESIGN, rows).fit()
    member = np.array([np.isin(rows, event) for event in events], dtype=float)
    contrasts = np.column_stack([np.zeros((3, 2)), member])
    np.testing.assert_allclose(joint.effects, ols.params[2:], atol=EXACT)
    np.testing.assert_allclose(joint.effect_std_errors, ols.bse[2:], rtol=EXACT)
    np.testing.assert_allclose(joint.car, contrasts @ ols.params, atol=EXACT)
    np.testing.assert_allclose(joint.car_covariance, contrasts @ ols.cov_params() @ contrasts.T, rtol=1e-9, atol=1e-15)
    np.testing.assert_allclose(joint.car / joint.std_error, ols.t_test(contrasts).tvalue, rtol=1e-9)
    assert joint.df == ols.df_resid
    assert joint.residual_std == pytest.approx(np.sqrt(ols.scale), rel=EXACT)
    assert joint.shared.tolist() == [102, 103]
    assert joint.clusters.tolist() == [0, 0, 1]
    assert "2 sessions lie in the windows of two or more events (events 0, 1)" in joint.note


def test_a_shared_session_counts_once_and_no_robust_covariance_has_its_noise() -> None:
    """Sharing a window changes no CAR; HC0 of a one-session dummy is s/sqrt(L), a twelfth of what it should be."""
    alone = joint_dummy_regression(ASSET, DESIGN, [np.array([120])])
    twice = joint_dummy_regression(ASSET, DESIGN, [np.array([120]), np.array([120])])
    assert twice.car.tolist() == [alone.car[0]] * 2
    assert twice.df == alone.df
    fitted = with_dummies(ASSET, np.ones((160, 1)), np.array([120])).fit(cov_type="HC0")
    right = joint_dummy_regression(ASSET, np.ones((160, 1)), [np.array([120])]).std_error[0]
    assert fitted.bse[1] / right == pytest.approx(1 / np.sqrt(160), rel=0.01)


@pytest.mark.parametrize("covariance", ["HC0", "HC1", "HC2", "HC3", "HAC", "cluster", "robust"])
def test_other_covariances_are_refused_with_the_reason(covariance: str) -> None:
    with pytest.raises(WindowError, match=rf"covariance='{covariance}'.*leverage is 1.*covariance='classical'"):
        joint_dummy_regression(ASSET, DESIGN, [np.array([120])], covariance)


def test_absent_sessions_are_never_filled() -> None:
    asset = ASSET.copy()
    asset[[5, 121]] = np.nan
    joint = joint_dummy_regression(asset, DESIGN, [np.arange(120, 123), np.array([140])])
    assert np.isnan(joint.effects).tolist() == [False, True, False, False]
    assert np.isnan(joint.car).tolist() == [True, False]
    assert np.isnan(joint.std_error).tolist() == [True, False]
    assert joint.df == 160 - 4 - 1 - 2


def test_market_adjusted_has_no_regressor() -> None:
    gap = ASSET - MARKET
    joint = joint_dummy_regression(gap, np.empty((160, 0)), [np.arange(150, 160)])
    assert joint.car[0] == pytest.approx(gap[150:].sum(), rel=EXACT)
    assert joint.residual_std == pytest.approx(np.sqrt((gap[:150] ** 2).sum() / 150), rel=EXACT)
    assert joint.std_error[0] == pytest.approx(joint.residual_std * np.sqrt(10), rel=EXACT)


@given(st.floats(0.01, 100), st.integers(0, 2**32 - 1))
@settings(max_examples=30, deadline=None)
def test_scale_and_order_of_events(scale: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    events = [np.arange(at, at + 3) for at in rng.integers(0, 150, 5)]
    order = rng.permutation(5)
    one = joint_dummy_regression(ASSET, DESIGN, events)
    other = joint_dummy_regression(scale * ASSET, DESIGN, [events[index] for index in order])
    np.testing.assert_allclose(other.car, scale * one.car[order], rtol=1e-8, atol=1e-12 * scale)
    np.testing.assert_allclose(other.std_error, scale * one.std_error[order], rtol=1e-8)


@pytest.mark.parametrize(
    ("returns", "design", "events", "says"),
    [
        (ASSET, DESIGN[:9], [np.array([1])], r"regressors of shape \(9, 2\)"),
        (ASSET, DESIGN, [], "event_rows is empty"),
        (ASSET, DESIGN, [np.array([159, 160])], r"event_rows\[0\]=\[159, 160\].*between 0 and 159"),
        (ASSET, DESIGN, [np.array([-1])], r"event_rows\[0\]=\[-1\]"),
        (ASSET, DESIGN, [np.array([3, 3])], "distinct"),
        (ASSET, DESIGN, [np.array([3.0])], "whole rows"),
        (ASSET, DESIGN, [np.arange(150)], "10 sessions with a return lie outside.*at least 22"),
        (ASSET, np.ones((160, 2)), [np.array([3])], "collinear"),
    ],
)
def test_wrong_arguments_of_the_joint_regression(
    returns: np.ndarray, design: np.ndarray, events: list[np.ndarray], says: str
) -> None:
    with pytest.raises(WindowError, match=says):
        joint_dummy_regression(returns, design, events)


@given(st.lists(st.integers(-50, 50), min_size=1, max_size=12), st.integers(1, 10))
@settings(max_examples=50, deadline=None)
def test_clusters_are_the_events_linked_by_shared_sessions(positions: list[int], span: int) -> None:
    labels = merge_overlapping(np.array(positions), span)
    reached = np.abs(np.subtract.outer(positions, positions)) < span
    for _ in positions:  # brute force: close the relation "shares a session" by repeated steps
        reached = reached @ reached
    assert ((labels[:, None] == labels) == reached).all()
    in_time = labels[np.argsort(positions, kind="stable")]
    assert in_time[0] == 0
    assert set(np.diff(in_time)) <= {0, 1}


def test_merging_needs_whole_positions_and_a_span() -> None:
    assert merge_overlapping(np.array([], dtype=int), 2).tolist() == []
    assert merge_overlapping(np.array([5, 7]), 2).tolist() == [0, 1]
    with pytest.raises(WindowError, match="span=0"):
        merge_overlapping(np.array([1]), 0)
    with pytest.raises(WindowError, match="float64"):
        merge_overlapping(np.array([1.5]), 2)


def panel(seed: int = 3) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    abnormal = 0.01 * (rng.standard_normal((300, 4)) + 0.8 * rng.standard_normal((300, 1)))
    active = np.zeros((300, 4), dtype=bool)
    for case, start in enumerate([200, 205, 205, 260]):
        active[start : start + 12, case] = True
    estimation = np.zeros((300, 4), dtype=bool)
    estimation[:190] = True
    return abnormal, active, estimation


def test_calendar_time_portfolio_equals_a_loop_over_the_calendar() -> None:
    abnormal, active, estimation = panel()
    abnormal[207, 1] = np.nan
    abnormal[50, 0] = np.nan
    standardized = []
    for session in range(300):
        members = [case for case in range(4) if active[session, case] and np.isfinite(abnormal[session, case])]
        if members:
            history = [
                np.mean([abnormal[row, case] for case in members])
                for row in range(190)
                if all(np.isfinite(abnormal[row, case]) for case in members)
            ]
            mean = np.mean([abnormal[session, case] for case in members])
            standardized.append(mean / np.std(history, ddof=1))
    import scipy.stats

    expected = scipy.stats.ttest_1samp(standardized, 0.0)
    test = calendar_time_portfolio(abnormal, active, estimation)
    assert test.n == 29  # sessions 200 to 216 and 260 to 271, not 48 case-days
    assert test.statistic == pytest.approx(expected.statistic, rel=EXACT)
    assert test.p_value == pytest.approx(expected.pvalue, rel=1e-8)
    assert (test.df, test.validity, test.name) == (28, "approximate", "calendar_time_portfolio")
    assert "variance of the mean up to 1.15 times" in test.note


def test_two_events_on_the_same_sessions_are_one_portfolio() -> None:
    """Event time would count the common sessions twice."""
    abnormal, active, estimation = panel()
    alone = calendar_time_portfolio(abnormal[:, 0], active[:, 0], estimation[:, 0])
    twice = calendar_time_portfolio(abnormal[:, [0, 0]], active[:, [0, 0]], estimation[:, 0])
    assert twice.n == alone.n == 12
    assert twice.statistic == pytest.approx(alone.statistic, rel=EXACT)


@given(st.floats(0.01, 100), st.permutations(range(4)))
@settings(max_examples=20, deadline=None)
def test_calendar_time_ignores_units_and_order(scale: float, order: list[int]) -> None:
    abnormal, active, estimation = panel()
    one = calendar_time_portfolio(abnormal, active, estimation)
    other = calendar_time_portfolio(scale * abnormal[:, order], active[:, order], estimation[:, order])
    assert other.statistic == pytest.approx(one.statistic, rel=1e-8)


def test_calendar_time_keeps_its_size_when_cases_are_correlated() -> None:
    """Mean of five cases with rho 0.5: 2,000 runs, standard error of the rate 0.5 points."""
    rng = np.random.default_rng(5)
    active = np.zeros((200, 5), dtype=bool)
    active[180:, :3] = active[190:, 3:] = True
    rejected = 0
    for _ in range(2000):
        abnormal = rng.standard_normal((200, 5)) + rng.standard_normal((200, 1))
        estimation = np.arange(200) < 170
        rejected += calendar_time_portfolio(abnormal, active, estimation).p_value < 0.05
    assert 0.035 < rejected / 2000 < 0.065


def test_calendar_time_says_why_it_does_not_apply() -> None:
    abnormal, active, estimation = panel()
    nothing = calendar_time_portfolio(abnormal, np.zeros_like(active), estimation)
    assert nothing.note == "no session has an active case"
    one_day = np.zeros(300, dtype=bool)
    one_day[250] = True
    single = calendar_time_portfolio(abnormal[:, 0], one_day, estimation[:, 0])
    assert "at least 2 calendar sessions whose portfolio returns differ; 1 given" in single.note
    short = np.arange(300) < 19
    assert "fewer than 20 sessions" in calendar_time_portfolio(abnormal, active, short).note
    constant = calendar_time_portfolio(np.zeros((300, 4)), active, estimation)
    assert not constant.applies


def test_wrong_arguments_of_the_calendar_time_portfolio() -> None:
    abnormal, active, estimation = panel()
    with pytest.raises(WindowError, match=r"active \(299, 4\)"):
        calendar_time_portfolio(abnormal, active[:-1], estimation)
    with pytest.raises(WindowError, match="boolean"):
        calendar_time_portfolio(abnormal, active.astype(float), estimation)
    with pytest.raises(WindowError, match="share 48 sessions"):
        calendar_time_portfolio(abnormal, active, np.ones(300, dtype=bool))
