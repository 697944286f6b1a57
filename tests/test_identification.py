"""Identification by variance against two-stage least squares, Welch's t at every candidate response, and simulation."""

import numpy as np
import pytest
import scipy.stats
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.sandbox.regression.gmm import IV2SLS

from market_reaction.errors import WindowError
from market_reaction.inference.identification import RigobonSack, rigobon_sack

RESPONSE, FEEDBACK = 0.5, 0.4
Sample = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def draw(seed: int, news: float, other: float = 1.0, n_event: int = 40, n_other: int = 400) -> Sample:
    """y and x that move each other; news variance ``news`` and other variance ``other`` times as large at events."""
    rng = np.random.default_rng(seed)
    series = []
    for count, grown_news, grown_other in ((n_event, news, other), (n_other, 1.0, 1.0)):
        news_shock = 0.01 * np.sqrt(grown_news) * rng.standard_normal(count)
        shock = 0.01 * np.sqrt(grown_other) * rng.standard_normal(count)
        x = (news_shock + FEEDBACK * shock) / (1 - RESPONSE * FEEDBACK)
        series += [RESPONSE * x + shock, x]
    return series[0], series[1], series[2], series[3]


def holds(result: RigobonSack, response: float) -> bool:
    return any(low <= response <= high for low, high in result.conf_set)


def welch_p(sample: Sample, response: float) -> float:
    """p of equal means of the covariance terms, from a plain calculation."""
    terms = []
    for y, x in (sample[:2], sample[2:]):
        residual = (y - y.mean()) - response * (x - x.mean())
        terms.append((x - x.mean()) * residual * len(x) / (len(x) - 1))
    error = np.sqrt(sum(scipy.stats.sem(values) ** 2 for values in terms))
    statistic = (terms[0].mean() - terms[1].mean()) / error
    return float(2 * scipy.stats.t.sf(abs(statistic), min(len(sample[0]), len(sample[2])) - 1))


def test_estimate_is_two_stage_least_squares_and_difference_of_moments() -> None:
    sample = draw(1, 6.0)
    y_in, x_in, y_out, x_out = sample
    result = rigobon_sack(*sample)
    y = np.r_[y_in - y_in.mean(), y_out - y_out.mean()]
    x = np.r_[x_in - x_in.mean(), x_out - x_out.mean()]
    instrument = np.r_[x[:40] / 39, -x[40:] / 399]
    stages = IV2SLS(y, x[:, None], instrument[:, None]).fit()
    assert result.estimate == pytest.approx(stages.params[0], rel=1e-10)
    moments = np.cov(x_in, y_in) - np.cov(x_out, y_out)
    assert result.estimate == pytest.approx(moments[0, 1] / moments[0, 0], rel=1e-10)
    assert result.variance_ratio == pytest.approx(np.var(x_in, ddof=1) / np.var(x_out, ddof=1), rel=1e-12)


def test_event_study_slope_and_error_equal_statsmodels() -> None:
    sample = draw(2, 6.0)
    result = rigobon_sack(*sample)
    ols = sm.OLS(sample[0], sm.add_constant(sample[1])).fit(cov_type="HC3")
    assert result.event_study_ols == pytest.approx(ols.params[1], rel=1e-10)
    assert result.event_study_std_error == pytest.approx(ols.bse[1], rel=1e-10)


@pytest.mark.parametrize(("seed", "news", "intervals"), [(3, 8.0, 1), (0, 1.0, 2), (5, 1.0, 1)])
def test_set_holds_exactly_the_responses_that_welch_t_does_not_reject(seed: int, news: float, intervals: int) -> None:
    sample = draw(seed, news)
    result = rigobon_sack(*sample)
    assert len(result.conf_set) == intervals
    for response in np.r_[np.linspace(-20, 20, 401), np.linspace(0, 1, 101)]:
        assert holds(result, response) == (welch_p(sample, response) >= 0.05)
    for end in np.array(result.conf_set).ravel():
        if np.isfinite(end):
            assert welch_p(sample, end) == pytest.approx(0.05, abs=1e-8)
    assert result.p_value == pytest.approx(welch_p(sample, 0.0), rel=1e-9)
    assert holds(result, result.estimate)


def test_first_stage_decides_whether_the_set_is_bounded() -> None:
    """Bounded exactly when the F, Welch's t of the two variances squared, exceeds the squared critical value."""
    critical = scipy.stats.t.ppf(0.975, 39) ** 2
    seen = set()
    for seed in range(30):
        sample = draw(seed, 2.0)
        result = rigobon_sack(*sample)
        squares = [(x - x.mean()) ** 2 * len(x) / (len(x) - 1) for x in (sample[1], sample[3])]
        welch = scipy.stats.ttest_ind(*squares, equal_var=False).statistic
        assert result.first_stage_f == pytest.approx(welch**2, rel=1e-9)
        assert result.bounded == (result.first_stage_f > critical)
        assert ("unbounded" in result.note) == (not result.bounded)
        seen.add(result.bounded)
    assert seen == {True, False}


def test_first_stage_f_of_least_squares_is_too_large() -> None:
    """Half as large again on average when the variance does not change, since the instrument is made of x."""
    usual, ours = [], []
    for seed in range(400):
        sample = draw(seed, 1.0)
        x_in, x_out = sample[1] - sample[1].mean(), sample[3] - sample[3].mean()
        instrument = np.r_[x_in / 39, -x_out / 399]
        usual.append(float(sm.OLS(np.r_[x_in, x_out], instrument).fit().tvalues[0]) ** 2)
        ours.append(rigobon_sack(*sample).first_stage_f)
    assert np.mean(usual) > 1.4 * np.mean(ours)
    assert np.median(usual) > 1.6 * np.median(ours)


def test_equal_variances_give_an_unbounded_set_and_a_note() -> None:
    result = rigobon_sack(*draw(5, 1.0))
    assert result.conf_set == ((-np.inf, np.inf),)
    assert "so the confidence set is unbounded" in result.note
    assert not result.bounded
    fallen = rigobon_sack(*draw(5, 0.2))
    assert fallen.note.startswith("x varies less on event sessions")
    between = rigobon_sack(*draw(4, 2.5))
    assert between.bounded
    assert "is below 10: read the confidence set" in between.note


def test_recovers_the_response_when_only_the_news_variance_changes() -> None:
    """Median over 200 samples; least squares on event sessions keeps a bias: (a v + b) / (v + b^2), v news variance."""
    results = [rigobon_sack(*draw(seed, 10.0)) for seed in range(200)]
    assert np.median([result.estimate for result in results]) == pytest.approx(RESPONSE, abs=0.015)
    news, shock = 10.0, 1.0
    least_squares = (RESPONSE * news + FEEDBACK * shock) / (news + FEEDBACK**2 * shock)
    assert np.median([result.event_study_ols for result in results]) == pytest.approx(least_squares, abs=0.015)


def test_is_biased_when_the_other_variance_grows_as_well() -> None:
    """All variances times 10: the differences are nine times the ordinary moments, whose ratio is the biased slope."""
    biased = (RESPONSE + FEEDBACK) / (1 + FEEDBACK**2)
    results = [rigobon_sack(*draw(seed, 10.0, 10.0)) for seed in range(200)]
    assert np.median([result.estimate for result in results]) == pytest.approx(biased, abs=0.03)
    assert np.mean([holds(result, RESPONSE) for result in results]) < 0.8


@pytest.mark.parametrize("news", [1.0, 10.0])
def test_set_covers_the_response_with_a_weak_and_a_strong_first_stage(news: float) -> None:
    """1,000 samples: standard error of the rate 0.7 points."""
    covered = np.mean([holds(rigobon_sack(*draw(seed, news)), RESPONSE) for seed in range(1000)])
    assert 0.92 < covered < 0.975


@given(st.floats(0.01, 100), st.floats(0.01, 100), st.floats(-1, 1))
@settings(max_examples=40, deadline=None)
def test_units_and_level_of_the_returns(x_scale: float, y_scale: float, shift: float) -> None:
    y_in, x_in, y_out, x_out = draw(3, 8.0)
    one = rigobon_sack(y_in, x_in, y_out, x_out)
    other = rigobon_sack(y_scale * y_in + shift, -x_scale * x_in, y_scale * y_out, -x_scale * x_out - shift)
    factor = -y_scale / x_scale
    assert other.estimate == pytest.approx(factor * one.estimate, rel=1e-6)
    assert sorted(other.conf_set[0]) == pytest.approx(sorted(factor * end for end in one.conf_set[0]), rel=1e-6)
    assert other.first_stage_f == pytest.approx(one.first_stage_f, rel=1e-6)
    assert other.p_value == pytest.approx(one.p_value, rel=1e-5)


def test_a_wider_level_gives_a_wider_set() -> None:
    narrow, wide = (rigobon_sack(*draw(3, 8.0), level=level) for level in (0.8, 0.99))
    assert wide.conf_set[0][0] < narrow.conf_set[0][0] < narrow.conf_set[0][1] < wide.conf_set[0][1]


def test_sessions_without_both_returns_are_left_out() -> None:
    y_in, x_in, y_out, x_out = draw(3, 8.0)
    y_gap, x_gap = np.r_[y_in, np.nan, 1.0], np.r_[x_in, 1.0, np.nan]
    assert rigobon_sack(y_gap, x_gap, y_out, x_out) == rigobon_sack(y_in, x_in, y_out, x_out)


def test_too_few_sessions_and_wrong_arguments() -> None:
    y_in, x_in, y_out, x_out = draw(3, 8.0)
    few = rigobon_sack(y_in[:9], x_in[:9], y_out, x_out)
    assert np.isnan(few.estimate)
    assert (few.conf_set, few.bounded) == ((), False)
    assert few.note == "Needs at least 10 sessions in each regime; 9 event and 400 others given."
    with pytest.raises(WindowError, match="y_event has 39 rows and x_event has 40"):
        rigobon_sack(y_in[1:], x_in, y_out, x_out)
    with pytest.raises(WindowError, match="level=95"):
        rigobon_sack(y_in, x_in, y_out, x_out, level=95)
    with pytest.raises(WindowError, match="x_other is 0 on all 400 sessions, so that it has no variance"):
        rigobon_sack(y_in, x_in, y_out, np.zeros(400))
