"""Mistakes that event-study programs make, one test each: its name says the mistake that is not made here."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats

from helpers import price_data, seeded_closes
from market_reaction import events
from market_reaction.battery.cases import cases_of_events, cases_of_markets
from market_reaction.errors import WindowError
from market_reaction.inference import parametric, rank
from market_reaction.inference.multiple import simultaneous_band
from market_reaction.inference.scales import ewma_volatility
from market_reaction.normal_models import fit_normal_model
from market_reaction.placebo import placebo_test
from market_reaction.prices import PriceData
from market_reaction.study import EventStudyResult, event_study
from market_reaction.windows import EventWindows

RNG = np.random.default_rng(20250611)
LENGTH, COUNT = 120, 5
MARKET = 0.01 * RNG.standard_t(5, LENGTH + COUNT)
ASSET = 0.0003 + 1.1 * MARKET + 0.008 * RNG.standard_t(5, LENGTH + COUNT)
CLOSES = seeded_closes(rows=700, columns=2)
WEDNESDAY = {"one": "2022-02-02 12:00 UTC"}


def study(closes: pd.DataFrame = CLOSES, when: dict | None = None, **options: object) -> EventStudyResult:
    return event_study(price_data(closes), events.load_events(when or WEDNESDAY), **options)


def test_car_variance_without_the_covariance_of_forecast_errors() -> None:
    """One regression over both windows with a dummy per event day gives the variance of the sum of its dummies."""
    fit = fit_normal_model("market", ASSET[:LENGTH], MARKET[:LENGTH])
    covariance = fit.forecast_covariance(COUNT, MARKET[LENGTH:])
    dummies = np.vstack([np.zeros((LENGTH, COUNT)), np.eye(COUNT)])
    joint = sm.OLS(ASSET, np.column_stack([np.ones(LENGTH + COUNT), MARKET, dummies])).fit()
    weights = np.concatenate([[0, 0], np.ones(COUNT)])
    assert covariance.sum() == pytest.approx((joint.t_test(weights).sd.item()) ** 2, rel=1e-10)
    assert covariance.sum() > np.trace(covariance) > COUNT * fit.residual_std**2


def test_degrees_of_freedom_l_minus_1_for_a_model_with_two_parameters() -> None:
    result = event_study(
        price_data(CLOSES), events.load_events(WEDNESDAY), markets=["m0"], normal_model="market", benchmark="m1"
    )
    row = result.car().loc[("one", "m0")]
    assert row["df"] == 118
    assert row["p_value"] == pytest.approx(2 * stats.t.sf(abs(row["statistic"]), 118), rel=1e-10)


def test_one_sided_quantile_on_a_two_sided_interval() -> None:
    row = study().car(level=0.90).loc[("one", "m0")]
    half = (row["conf_high"] - row["conf_low"]) / 2 / row["std_error"]
    assert half == pytest.approx(stats.t.ppf(0.95, row["df"]), rel=1e-9)
    band = simultaneous_band(np.zeros(1), covariance=np.eye(1), level=0.90)
    assert band.pointwise_high[0] == pytest.approx(stats.norm.ppf(0.95), rel=1e-9)


def test_constant_mean_variance_taken_over_the_event_window_too() -> None:
    wild = CLOSES.copy()
    at = wild.index.get_loc("2022-02-02")
    wild.iloc[at : at + 6] *= 1.05 ** np.arange(1, 7)[:, None]
    calm, shaken = study().car(), study(wild).car()
    assert (calm["estimate"] != shaken["estimate"]).all()
    np.testing.assert_array_equal(calm["std_error"], shaken["std_error"])


def test_calendar_days_counted_as_sessions() -> None:
    """Day +1 of a Friday is the Monday, and two sessions have the variance of two, not of four."""
    result = study(when={"one": "2022-02-04 12:00 UTC"})
    pair = result.pairs["one", "m0"]
    moves = np.log(CLOSES["m0"]).diff()
    assert pair.actual[:2] == pytest.approx(moves[["2022-02-04", "2022-02-07"]].to_numpy(), rel=1e-12)
    assert pair.fit.nobs == 120
    assert result.car((0, 1))["std_error"].iloc[0] == pytest.approx(pair.fit.residual_std * np.sqrt(2 + 4 / 120))


def test_two_events_of_one_market_pooled() -> None:
    """A second event changes no number of the first; each is a case with its own estimation window."""
    both = study(when={"one": "2022-02-02 12:00 UTC", "two": "2021-06-02 12:00 UTC"})
    alone = study().to_frame().query("market == 'm0'")
    first = both.to_frame().query("event_id == 'one' and market == 'm0'")
    pd.testing.assert_frame_equal(first.reset_index(drop=True), alone.reset_index(drop=True))
    cases = cases_of_events(both, "m0", (0, 1))
    assert cases.names == ("one", "two")
    assert cases.residual_std[0] != cases.residual_std[1]


def test_missing_price_counted_as_a_zero_return() -> None:
    """The day is no session: the next return spans the gap, and the estimation window has no zero in it."""
    gap = CLOSES[["m0"]].copy()
    missing = gap.index.get_loc("2021-10-06")
    gap.iloc[missing] = np.nan
    result = study(gap)
    pair = result.pairs["one", "m0"]
    used = pair.actual
    assert np.isfinite(used).all()
    returns = result.prices["m0"].returns()
    assert len(returns) == len(gap) - 1
    assert not (returns[1:] == 0).any()
    assert returns[missing] == pytest.approx(
        np.log(gap["m0"].iloc[missing + 1] / gap["m0"].iloc[missing - 1]), rel=1e-9
    )
    holed = ASSET[:LENGTH].copy()
    holed[7] = np.nan
    fit = fit_normal_model("constant_mean", holed)
    assert (fit.nobs, fit.params[0]) == (LENGTH - 1, pytest.approx(np.nanmean(holed)))


def test_missing_price_filled_from_another_series() -> None:
    gap = CLOSES.copy()
    day = pd.Timestamp("2022-02-02")
    gap.loc[day, "m0"] = np.nan
    result = study(gap)
    assert day not in result.prices["m0"].sessions
    assert day in result.prices["m1"].sessions
    assert result.sessions["session"].tolist() == [day + pd.Timedelta(days=1), day]


def test_missing_assets_rescaled_by_their_full_number() -> None:
    """Three of seven present, all up: z is sqrt(3), not 6.35; W+ is 6, not 14; the mean t has 2 degrees of freedom."""
    day = np.array([0.03, np.nan, 0.01, np.nan, np.nan, 0.02, np.nan])
    assert rank.sign_test(day).statistic == pytest.approx(np.sqrt(3))
    assert rank.wilcoxon(day).statistic == 6
    assert parametric.cross_section_t(day).df == 2
    scar = day / 0.01
    assert parametric.patell_z(scar, np.full(7, 100.0)).statistic == pytest.approx(6 / np.sqrt(3 * 100 / 98))


def test_weekend_event_moved_backward() -> None:
    result = study(when={"one": "2022-02-05 12:00 UTC"})  # a Saturday
    assert set(result.sessions["session"]) == {pd.Timestamp("2022-02-07")}


def test_correlation_of_residuals_paired_by_position() -> None:
    """Two markets with the same moves on each date, one with ten holidays: by date 1, by place far below."""
    base = np.log(CLOSES["m0"]).diff().fillna(0.0)
    holidays = base.index[base.index.get_loc("2022-02-02") - np.arange(20, 120, 10)]
    moves = pd.DataFrame({"a": base, "b": base + 1e-6 * np.random.default_rng(1).standard_normal(len(base))})
    # On the days around a holiday neither moves, so that only the pairing can take the correlation away.
    around = holidays.append(holidays + pd.offsets.BDay(1))
    moves.loc[moves.index.isin(around)] = 0.0
    closes = 100 * np.exp(moves.cumsum())
    closes.loc[holidays, "b"] = np.nan
    result = study(closes)
    pairs = {market: result.pairs["one", market] for market in ("a", "b")}
    by_place = np.corrcoef([pair.fit.residuals for pair in pairs.values()])[0, 1]
    assert abs(by_place) < 0.5
    assert cases_of_markets(result, pairs, (0, 0)).correlation == pytest.approx(1.0, abs=1e-3)


def test_kolari_pynnonen_against_the_normal() -> None:
    test = parametric.kolari_pynnonen_t(np.array([1.2, 2.0, 3.1]), 0.4)
    assert test.distribution == "t(2)"
    assert test.p_value == pytest.approx(2 * stats.t.sf(abs(test.statistic), 2), rel=1e-10)
    assert test.p_value > 2 * stats.norm.sf(abs(test.statistic)) + 0.05


def test_rank_statistic_of_the_first_day_repeated_for_all() -> None:
    panel = np.random.default_rng(3).standard_normal((12, LENGTH + COUNT))
    ranks = stats.rankdata(panel, axis=1) - (LENGTH + COUNT + 1) / 2
    means = ranks.mean(axis=0)
    expected = means[LENGTH:] / np.sqrt((means**2).mean())
    found = [rank.corrado_rank(panel, at).statistic for at in range(LENGTH, LENGTH + COUNT)]
    np.testing.assert_allclose(found, expected, rtol=1e-10)
    assert len(set(found)) == COUNT


@pytest.mark.parametrize("count", [1, 6])
def test_grank_reported_where_it_cannot_reject(count: int) -> None:
    """A move of 50 standard deviations in all of 6 markets that correlate at 0.7 would not reach the 1% level."""
    rng, scar = np.random.default_rng(6), np.linspace(50.0, 60.0, count)
    days = np.sqrt(0.7) * rng.standard_normal(LENGTH) + np.sqrt(0.3) * rng.standard_normal((count, LENGTH))
    test = rank.grank_t(scar, days, 0.7)
    assert not test.applies
    assert "at least 30" in test.note
    assert "cannot exceed" in test.note
    if count > 1:
        statistic, df = rank.grank_statistic(scar, days)
        assert 1.5 < statistic < stats.t.ppf(0.995, df)


def test_rounding_before_testing() -> None:
    """Moves of a hundredth of a basis point give the t of the same moves in full, and stay unrounded in the frame."""
    small = pd.DataFrame(100 * np.exp(1e-4 * np.log(CLOSES / 100)), index=CLOSES.index)
    np.testing.assert_allclose(study(small).car()["statistic"], study().car()["statistic"], rtol=1e-6)
    shown = study(small).to_frame()["abnormal_return"]
    assert (shown.abs() < 1e-5).all()
    assert (shown != shown.round(8)).all()


def test_first_abnormal_return_left_out_of_the_car() -> None:
    result = study()
    pair = result.pairs["one", "m0"]
    assert result.car((0, 1))["estimate"].iloc[0] == pytest.approx(pair.abnormal[0] + pair.abnormal[1], rel=1e-12)
    path = result.to_frame().query("market == 'm0'")["car"]
    assert path.iloc[0] == pytest.approx(pair.abnormal[0], rel=1e-12)


def test_estimation_and_event_window_sharing_day_0() -> None:
    with pytest.raises(WindowError, match="share session 0"):
        EventWindows(estimation=(-250, 0), event=(0, 20))


def two_clocks() -> tuple[PriceData, pd.DataFrame]:
    """One series that closes at 15:00 and one at 16:10, and an announcement between the two."""
    early = price_data(CLOSES[["m0"]], bar_close="15:00 Asia/Shanghai")
    late = price_data(CLOSES[["m1"]], bar_close="16:10 Asia/Hong_Kong")
    event = events.load_events({"one": "2022-06-08 15:30 Asia/Shanghai"})
    return PriceData({**early.series, **late.series}), event


def test_placebo_vector_from_the_same_row_of_markets_on_different_clocks() -> None:
    prices, event = two_clocks()
    result = event_study(prices, event)
    positions = placebo_test(result, prices, history=150).joint["one"].positions
    zero = [result.pairs["one", market].position for market in ("m0", "m1")]
    assert zero[0] == zero[1] + 1
    assert (positions[:, 0] == positions[:, 1] + 1).all()


def test_volatility_of_the_event_day_used_to_scale_or_match_it() -> None:
    """The volatility of a day is known at the close before; the day's own move, like its VIX, is an outcome."""
    moves = 0.01 * np.random.default_rng(4).standard_normal(300)
    shaken = moves.copy()
    shaken[200] = 0.5
    before, after = ewma_volatility(moves), ewma_volatility(shaken)
    np.testing.assert_array_equal(before[:201], after[:201])
    assert (after[201:] > before[201:]).all()
    wild = CLOSES.copy()
    wild.loc["2022-02-02":] *= 1.4
    assert study(wild).pairs["one", "m0"].ewma_std == study().pairs["one", "m0"].ewma_std
