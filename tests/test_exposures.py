"""Slopes of reactions on exposures: against statsmodels, by hand, on real shares, and by simulated size."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

import market_reaction as mr
from helpers import price_data
from market_reaction.errors import EventTableError, MarketReactionError, UnknownInstrumentError, WindowError
from market_reaction.exposures.measures import earlier_events, rolling_slopes
from market_reaction.exposures.pool import ShareHistory, slope_placebo
from market_reaction.exposures.slopes import (
    cross_section_slopes,
    hat_values,
    hc3_rejection_rate,
    hc3_std_errors,
)
from market_reaction.instruments import Instrument
from market_reaction.prices import PriceData

SHARES = [
    "Apple", "AMD", "Best Buy", "Home Depot", "Walmart", "General Electric", "Microsoft", "Pfizer", "Coca-Cola",
    "JPMorgan Chase", "Chevron", "Merck",
]  # fmt: skip
EVENT = "2019-08-01-us"


@pytest.fixture(scope="module")
def found() -> mr.ExposureRegression:
    return mr.exposure_regression(EVENT, "earlier_reactions", shares=SHARES, source="bundled")


# Formulas.


def test_slopes_and_hc3_errors_are_those_of_statsmodels() -> None:
    rng = np.random.default_rng(3)
    reactions, exposure = rng.normal(size=(6, 9)), rng.normal(size=9)
    slopes, intercepts = cross_section_slopes(reactions, exposure)
    errors = hc3_std_errors(reactions, exposure)
    for day in range(6):
        fit = sm.OLS(reactions[day], sm.add_constant(exposure)).fit(cov_type="HC3")
        np.testing.assert_allclose([intercepts[day], slopes[day]], fit.params, rtol=1e-10)
        assert errors[day] == pytest.approx(fit.bse[1], rel=1e-10)
    influence = sm.OLS(reactions[0], sm.add_constant(exposure)).fit().get_influence()
    np.testing.assert_allclose(hat_values(exposure), influence.hat_matrix_diag, rtol=1e-10)


def test_a_slope_is_the_return_of_a_portfolio_that_costs_nothing() -> None:
    """By hand: exposures 0, 1, 2, 3 have the weights -0.3, -0.1, 0.1, 0.3."""
    slopes, intercepts = cross_section_slopes(np.array([[0.01, 0.03, 0.02, 0.06]]), np.arange(4.0))
    assert slopes[0] == pytest.approx(-0.3 * 0.01 - 0.1 * 0.03 + 0.1 * 0.02 + 0.3 * 0.06)
    assert intercepts[0] == pytest.approx(0.03 - 1.5 * slopes[0])


def test_exposures_may_differ_by_day_and_equal_ones_give_no_slope() -> None:
    rng = np.random.default_rng(4)
    reactions, exposure = rng.normal(size=(3, 5)), rng.normal(size=(3, 5))
    each = [cross_section_slopes(reactions[[day]], exposure[day])[0][0] for day in range(3)]
    np.testing.assert_allclose(cross_section_slopes(reactions, exposure)[0], each)
    assert np.isnan(cross_section_slopes(reactions, np.full(5, 0.3))[0]).all()
    with pytest.raises(WindowError, match=r"reactions \(3, 5\) and exposure \(4,\) do not belong together"):
        cross_section_slopes(reactions, np.ones(4))
    with pytest.raises(WindowError, match="3 shares; a slope across shares needs at least 4"):
        cross_section_slopes(np.ones((2, 3)), np.arange(3.0))


def test_shares_that_move_with_their_exposure_break_the_robust_test_and_not_the_placebo() -> None:
    """A factor that exposure loads on: HC3 rejects far more than 5% of ordinary days, the placebo about 5%."""
    rng = np.random.default_rng(5)
    days, exposure = 700, np.linspace(-1, 1, 15)
    rejected = []
    for _ in range(150):
        reactions = rng.normal(size=(days, 1)) * exposure + rng.normal(size=(days, 15))
        rows = np.arange(days)
        early = rows < days - 11
        histories = [
            ShareHistory(rows[:-1], one[:-1], one[:-1], np.full(days - 1, x), early[:-1], np.ones(days - 1, bool))
            for one, x in zip(reactions.T, exposure, strict=True)
        ]
        rejected.append(slope_placebo(histories, reactions[-1], exposure, 500).scaled.p_value <= 0.05)
    assert hc3_rejection_rate(reactions, exposure) > 0.3
    assert np.mean(rejected) < 0.1


def test_the_pool_is_ranked_as_by_hand_and_leaves_days_out() -> None:
    rng = np.random.default_rng(6)
    days, exposure = 400, np.arange(5.0)
    reactions = rng.normal(size=(days, 5))
    rows, clean = np.arange(days), np.ones(days, bool)
    clean[[300, 310]] = False
    histories = [
        ShareHistory(rows, one, one, np.full(days, x), rows < 380, clean)
        for one, x in zip(reactions.T, exposure, strict=True)
    ]
    test = slope_placebo(histories, np.array([1.0, 2.0, 2.0, 4.0, 5.0]), exposure, 150)
    slopes = cross_section_slopes(reactions, exposure)[0]
    variance = np.mean(slopes[:60] ** 2)
    for value in slopes[60:]:
        variance = 0.97 * variance + 0.03 * value**2
    assert test.slope == 1.0 and test.sigma == pytest.approx(np.sqrt(variance))
    pool = [day for day in range(379, 0, -1) if day not in (300, 310)][:150]
    np.testing.assert_allclose(test.slopes, slopes[pool])
    assert test.plain.p_value == (1 + np.count_nonzero(np.abs(slopes[pool]) >= 1)) / 151
    assert test.n_left_out == 2 and test.scaled.floor == 1 / 151


# Exposures.


def test_the_slope_on_the_market_is_least_squares_before_the_estimation_window() -> None:
    beta = mr.exposure_regression(EVENT, "beta", shares=SHARES[:5], source="bundled", history=120)
    prices = mr.load_prices(["Apple", "S&P 500"], events=mr.load_events().loc[[EVENT]], source="bundled")
    frame = pd.concat({name: prices[name].bars["close"] for name in ("Apple", "S&P 500")}, axis=1).dropna()
    moves = np.log(frame).diff()
    day_zero = moves.index.get_loc("2019-08-01")
    inside = moves.iloc[day_zero - 130 - 250 : day_zero - 130]
    fit = sm.OLS(inside["Apple"], sm.add_constant(inside["S&P 500"])).fit()
    row = beta.to_frame().loc["Apple"]
    assert row["exposure"] == pytest.approx(fit.params["S&P 500"], rel=1e-9)
    assert row["exposure_last"] == inside.index[-1] and row["exposure_n"] == 250


def test_a_sensitivity_holds_the_benchmark_fixed() -> None:
    prices = mr.load_prices(["Apple", "S&P 500", "CSI 300"], "2017-01-01", "2019-08-30", source="bundled")
    at = np.array([prices["Apple"].sessions.get_loc("2019-08-01")])
    slope = rolling_slopes(prices["Apple"], prices["S&P 500"], prices["CSI 300"], at, -130, 250)[0]
    frame = pd.DataFrame(
        {name: prices[name].bars["close"].reindex(prices["Apple"].sessions) for name in ("Apple", "S&P 500", "CSI 300")}
    )
    inside = np.log(frame).diff().iloc[at[0] - 380 : at[0] - 130].dropna()
    fit = sm.OLS(inside["Apple"], sm.add_constant(inside[["CSI 300", "S&P 500"]])).fit()
    assert slope == pytest.approx(fit.params["CSI 300"], rel=1e-8)
    own = rolling_slopes(prices["Apple"], prices["S&P 500"], prices["S&P 500"], at, -130, 250)[0]
    assert own == pytest.approx(rolling_slopes(prices["Apple"], prices["S&P 500"], None, at, -130, 250)[0])


@pytest.mark.filterwarnings("ignore::market_reaction.errors.MarketReactionWarning")
def test_earlier_reactions_are_means_of_market_model_reactions_before_the_estimation_window(
    found: mr.ExposureRegression,
) -> None:
    begins = pd.Timestamp("2019-01-25")  # 130 sessions before 1 August 2019
    used = found.exposure.used_events
    assert (used["direction"].eq("escalation") & used["instrument"].eq("tariff")).all()
    assert (found.to_frame()["exposure_last"] < begins).all() and len(used) >= 5
    prices = mr.load_prices(["Apple", "S&P 500"], events=used, source="bundled")
    past = mr.event_study(
        prices, used, markets=["Apple"], normal_model="market", windows=mr.EventWindows(event=(0, 0)),
    )  # fmt: skip
    by_session = {pair.position: pair.day_zero for pair in past.pairs.values()}
    assert found.shares.at["Apple", "exposure"] == pytest.approx(np.mean(list(by_session.values())), rel=1e-12)
    late = found.exposure.excluded
    assert "2019-05-05-us" in set(late["event_id"]) and late["reason"].str.contains("not before the estimation").all()


def test_days_of_earlier_announcements_are_no_placebo_days(found: mr.ExposureRegression) -> None:
    days = pd.DatetimeIndex(found.pool.index)
    assert not days.isin(["2018-03-22", "2018-06-19", "2018-09-18"]).any()
    assert days.max() < pd.Timestamp("2019-07-18") and len(days) == 500
    assert any("days are left out of the pool" in note for note in found.notes)


def test_earlier_announcements_by_id_by_class_and_not_known() -> None:
    event = mr.load_events().loc[EVENT]
    assert earlier_events(event, ["2018-03-22-us", "2025-06-10-jt"]).index.tolist() == ["2018-03-22-us"]
    typed = mr.load_events("2019-08-01 17:26 UTC").iloc[0]
    assert earlier_events(typed, None).index.tolist() == earlier_events(event, None).index.tolist()
    assert earlier_events(mr.load_events("2019-07-17 17:26 UTC").iloc[0], None) is None
    with pytest.raises(
        EventTableError, match=r"earlier names '2018-03-22-usa', which is no id of the catalogue\. Did you"
    ):
        earlier_events(event, ["2018-03-22-usa"])
    unknown = mr.exposure_regression("2019-07-17 17:26 UTC", shares=SHARES[:5], source="bundled")
    assert unknown.answer().startswith("No slope on the exposure: the class of this announcement is not known")


def test_numbers_of_the_user_and_shares_without_one() -> None:
    numbers = {"apple": 0.2, "AMD": 0.3, "Best Buy": 0.1, "WMT": 0.0, "Coca-Cola": 0.05}
    result = mr.exposure_regression(
        EVENT, numbers, shares=[*SHARES[:5], "Coca-Cola"], label="sales in China", source="bundled", history=120
    )
    assert result.shares["exposure"].to_dict() == {
        "Apple": 0.2, "AMD": 0.3, "Best Buy": 0.1, "Walmart": 0.0, "Coca-Cola": 0.05,
    }  # fmt: skip
    assert result.excluded.to_dict("records") == [{"share": "Home Depot", "reason": "no exposure was given for it"}]
    assert "exposure (sales in China)" in result.answer()
    assert "one standard deviation more of it (0.12) goes with" in result.answer()
    assert any(note.startswith("Only 5 shares: one of them can make the slope") for note in result.notes)
    reaction, exposure = (result.shares[name].to_numpy() for name in ("reaction", "exposure"))
    assert result.test.slope == pytest.approx(np.polyfit(exposure, reaction, 1)[0])
    without = result.shares.index != "AMD"
    slope = np.polyfit(exposure[without], reaction[without], 1)[0]
    assert result.shares.at["AMD", "slope_without"] == pytest.approx(slope)
    own_step = np.std([0.2, 0.1, 0.0, 0.05], ddof=1)  # of the shares left
    assert result.shares.at["AMD", "per_std_without"] == pytest.approx(slope * own_step)
    assert result.shares.at["AMD", "change"] == pytest.approx(slope * own_step - result.test.slope * result.step)


def test_a_market_of_a_sensitivity_that_is_the_benchmark_or_a_share_or_not_at_hand() -> None:
    own = mr.exposure_regression(EVENT, "sensitivity", to="S&P 500", shares=SHARES[:5], source="bundled", history=120)
    assert own.answer().startswith(
        "No slope on the exposure: no shares have both a reaction and an exposure (no slope on S&P 500 with the "
        "benchmark held fixed: S&P 500 is its own benchmark); a slope needs at least 4."
    )
    part = mr.exposure_regression(EVENT, "sensitivity", to="Apple", shares=SHARES[:6], source="bundled", history=120)
    assert part.excluded.to_dict("records") == [
        {"share": "Apple", "reason": "no slope on Apple with the benchmark held fixed: Apple is the share itself"}
    ]
    assert len(part.shares) == 5
    gone = mr.exposure_regression(EVENT, "sensitivity", to="Gold", shares=SHARES[:5], source="bundled", history=120)
    assert gone.answer().startswith("No slope on the exposure: Gold, the market of the sensitivity, could not be had: ")


def test_no_window_of_a_placebo_day_reaches_the_event_or_holds_an_announcement_left_out() -> None:
    """Over 21 sessions the latest placebo day lies 21 sessions before day 0, and 21 days go for each announcement."""
    numbers = dict(zip(SHARES[:5], (0.1, 0.2, 0.3, 0.5, 0.4), strict=True))
    other = mr.load_events({"x": "2019-04-10 16:00 UTC"})
    result = mr.exposure_regression(
        EVENT, numbers, shares=SHARES[:5], window=(0, 20), exclude=other, source="bundled", history=150
    )
    sessions = result.prices["Apple"].sessions
    zero, news = (sessions.get_loc(day) for day in ("2019-08-01", "2019-04-10"))
    rows = sessions.get_indexer(result.pool.index)
    assert rows.max() == zero - 21
    assert not np.isin(rows, np.arange(news - 20, news + 1)).any() and {news - 21, news + 1} <= set(rows)
    assert result.test.n_left_out == 21
    assert any(note.startswith("Windows of neighbouring earlier days overlap") for note in result.notes)


# The whole.


def test_american_shares_on_1_august_2019(found: mr.ExposureRegression) -> None:
    row = found.summary().iloc[0]
    assert row["n_shares"] == 12 and row["n_placebo"] == 500 and row["placebo_p_floor"] == pytest.approx(1 / 501)
    assert row["placebo_p"] > 0.05 and row["mde_per_std"] > abs(row["per_std"])
    assert found.shares.at["Best Buy", "reaction"] == pytest.approx(-0.1044, abs=5e-5)
    assert found.answer().startswith("Across 12 shares, no link between reaction and exposure (mean abnormal return on")
    assert "This depends most on " in found.answer() and found.answer().endswith(").")
    assert row["hc3_validity"] == "not valid here: shares move together" and 0 < row["hc3_rejects"] < 1
    assert list(found.tables())[:2] == ["Shares", "Slope"]
    provenance = found.provenance()
    assert provenance.parameters["exposure"] == "earlier_reactions" and "Apple" in provenance.vintage.index


def test_printed_tables_are_the_slope_and_the_shares(found: mr.ExposureRegression) -> None:
    slope, shares = found.printed().values()
    assert slope.columns.tolist() == [
        "Shares", "One std. deviation of exposure", "Response to it", "Usual day", "Placebo p (floor)",
        "Smallest detectable", "Compared days", "R²", "HC3 std. error",
    ]  # fmt: skip
    row, figures = slope.iloc[0], found.summary().iloc[0]
    assert (row["Shares"], row["Compared days"]) == ("12", "500")
    assert row["Response to it"] == f"{100 * figures['per_std']:+.2f}%".replace("-", "−")
    assert row["Placebo p (floor)"] == f"{figures['placebo_p']:.2f} (0.002)"
    assert shares.columns.tolist() == [
        "Share", "Session", "Exposure", "CAR[0,0]", "On the line", "Response without it", "p",
    ]  # fmt: skip
    assert shares.set_index("Share").at["Best Buy", "CAR[0,0]"] == "−10.44%"
    page, text = found._repr_html_(), found.to_latex()
    assert all(f">{name}</th>" in page for name in (*slope.columns, *shares.columns))
    assert text.index(r"{Response\\to it}") < text.index("Best Buy & 2019-08-01") and "per_std" not in text


def test_too_few_shares_give_a_reason_and_no_number() -> None:
    result = mr.exposure_regression(
        EVENT, {"Apple": 1, "AMD": 2, "Walmart": 3}, shares=[*SHARES[:3], "Walmart"], source="bundled"
    )
    assert result.answer() == (
        "No slope on the exposure: 3 shares have both a reaction and an exposure; a slope needs at least 4. "
        "Left out: Best Buy."
    )
    assert np.isnan(result.summary()["slope"].iloc[0])
    same = mr.exposure_regression(EVENT, dict.fromkeys(SHARES[:4], 1.0), shares=SHARES[:4], source="bundled")
    assert "all shares have the same exposure" in same.answer()
    for kind in ("shares", "placebo", "influence"):
        assert "No slope" in same.plot(kind=kind).layout.title.text
    assert "No slope" in same._repr_html_()
    none = mr.exposure_regression("2025-06-10-jt", "beta", shares=["MP Materials"], source="bundled")
    assert none.answer().startswith(
        "No slope on the exposure: none of the shares has a reaction. Left out: MP Materials."
    )


def test_shares_on_two_clocks_keep_their_own_sessions_and_markets() -> None:
    """News between the closes of Shanghai and New York: day 0 is the next session there and the same day here."""
    rng = np.random.default_rng(8)
    days = pd.bdate_range("2018-01-01", periods=1100)
    closes = pd.DataFrame(
        100 * np.exp(rng.normal(0, 0.01, (1100, 6)).cumsum(axis=0)), days, ["cn", "c1", "c2", "us", "u1", "u2"]
    )
    clocks = {"c": "15:00 Asia/Shanghai", "u": "16:00 America/New_York"}
    instruments = {
        name: Instrument(name, "equity", bar_close=clocks[name[0]], benchmark={"c": "cn", "u": "us"}[name[0]])
        for name in closes
    }
    prices = PriceData.from_frame(closes, instruments)
    result = mr.exposure_regression(
        "2022-02-16 12:00 UTC", {"c1": 1, "c2": 2, "u1": 3, "u2": 5},
        shares=[instruments[name] for name in ("c1", "c2", "u1", "u2")], prices=prices,
    )  # fmt: skip
    sessions = result.shares["session"].dt.strftime("%Y-%m-%d").to_dict()
    assert sessions == {"c1": "2022-02-17", "c2": "2022-02-17", "u1": "2022-02-16", "u2": "2022-02-16"}
    assert len(result.pool) == 500 and 0 < result.test.scaled.p_value <= 1


def test_a_share_with_a_short_history_is_left_out_with_its_count() -> None:
    rng = np.random.default_rng(9)
    days = pd.bdate_range("2019-01-01", periods=900)
    closes = pd.DataFrame(100 * np.exp(rng.normal(0, 0.01, (900, 7)).cumsum(axis=0)), days, ["m0", *"abcdef"])
    closes.loc[closes.index[:700], "f"] = np.nan
    prices = price_data(closes, benchmark="m0")
    shares = [prices[name].instrument for name in "abcdef"]
    when = f"{days[880]:%Y-%m-%d} 12:00 UTC"
    result = mr.exposure_regression(
        when, dict(zip("abcdef", range(6), strict=True)), shares=shares, prices=prices, history=200
    )
    assert result.excluded.to_dict("records") == [
        {"share": "f", "reason": "its series has 50 comparable days before the announcement; at least 160 are needed"}
    ]
    assert list(result.shares.index) == list("abcde")


def test_charts_show_shares_placebo_days_and_influence(found: mr.ExposureRegression) -> None:
    figure = found.plot(kind="shares", theme="light")
    (points,) = [trace for trace in figure.data if trace.name == "a share"]
    np.testing.assert_allclose(points.y, found.shares["reaction"])
    placebo = found.plot(kind="placebo")
    assert sum(len(trace.x) for trace in placebo.data) == 500
    assert len(found.plot(kind="influence", theme="dark").data[0].x) == 12
    with pytest.raises(MarketReactionError, match="kind='bars' is not known; choose one of shares, placebo, influence"):
        found.plot(kind="bars")


def test_hostile_titles_and_labels_are_shown_as_text() -> None:
    result = mr.exposure_regression(
        EVENT, dict(zip(SHARES[:5], (0.1, 0.2, 0.3, 0.5, 0.4), strict=True)), shares=SHARES[:5],
        label="<script>alert(1)</script>", source="bundled", history=120,
    )  # fmt: skip
    assert "<script>" not in result._repr_html_() and "&lt;script&gt;" in result._repr_html_()
    assert "<script>" not in result.plot().layout.xaxis.title.text


def test_mistakes_are_named() -> None:
    def run(exposure: object = "beta", **changes: object) -> mr.ExposureRegression:
        return mr.exposure_regression(EVENT, exposure, **{"shares": SHARES[:4], "source": "bundled"} | changes)

    with pytest.raises(
        WindowError, match="exposure='size' is not known; choose one of beta, sensitivity, earlier_reactions"
    ):
        run("size")
    with pytest.raises(WindowError, match=r"exposure\['Apple'\]='high' is no finite number"):
        run({"Apple": "high"})
    with pytest.raises(WindowError, match="exposure names Apple twice, the second time as 'AAPL'"):
        run({"Apple": 1.0, "AAPL": 2.0})
    with pytest.raises(UnknownInstrumentError, match=r"'Aple' is not in the catalogue\. Did you mean 'Apple'"):
        run({"Aple": 1.0})
    with pytest.raises(WindowError, match=r"exposure=0.3 names no share; give a mapping such as"):
        run(0.3)
    with pytest.raises(UnknownInstrumentError, match=r"exposure names 'Pfizer', which is not among shares="):
        run({"Pfizer": 1.0})
    with pytest.raises(WindowError, match="exposure='sensitivity' needs to=, the market it is a slope on"):
        run("sensitivity")
    with pytest.raises(WindowError, match="to='CSI 300' belongs to exposure='sensitivity' only"):
        run("beta", to="CSI 300")
    with pytest.raises(WindowError, match="normal_model='synthetic_control' is not for an exposure regression; use"):
        run(normal_model="synthetic_control")


@pytest.mark.reference
def test_rare_earth_shares_of_both_countries_in_june_2025(reference: object) -> None:
    shares = [
        "China Northern Rare Earth", "Shenghe Resources", "Zhongke Sanhuan", "Rising Nonferrous", "Xiamen Tungsten",
        "Baotou Steel", "MP Materials", "Energy Fuels", "Lynas",
    ]  # fmt: skip
    result = mr.exposure_regression(
        "2025-06-10-jt", "beta", shares=shares, source="files", folder=f"{reference}/data/series", history=300
    )
    assert len(result.shares) == 8 and result.test.scaled.n_placebo == 300
    assert result.excluded["share"].tolist() == ["Lynas"]
    assert result.exposure.label == "slope on its own market"
    assert any(note.startswith("Only 8 shares") for note in result.notes)
