"""Specification curves: against event_study one by one, the headline placebo, planted effects and hand counts."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import market_reaction as mr
from helpers import price_data, seeded_closes
from market_reaction.errors import MarketReactionWarning, UnknownInstrumentError, WindowError
from market_reaction.fragility.curves import (
    curve_statistics,
    normal_scores,
    same_sign,
    sorted_band,
    variance_share,
)  # fmt: skip
from market_reaction.fragility.grid import CHOICES
from market_reaction.inference.scales import mad_std_rows

LONDON = "2025-06-10-jt"
APPLE = "2018-03-22 16:45 UTC"
ONE = {
    "counterfactual": "constant_mean", "length": 120, "gap": 10, "window": (0, 0), "scaling": "ewma", "returns": "log",
    "contaminated": "in",
}  # fmt: skip


@pytest.fixture(scope="module")
def london() -> mr.SpecificationCurve:
    return mr.specification_curve(LONDON, markets=["CSI 300", "VIX", "WTI spot"], source="bundled")


@pytest.fixture(scope="module")
def shares() -> mr.PriceData:
    events = mr.load_events({"announcement": APPLE})
    return mr.load_prices(["Apple", "S&P 500", "VIX"], events=events, source="bundled")


def one_by_one(prices: mr.PriceData, row: dict[str, object], **options: object) -> tuple[float, float, float]:
    """Estimate, standard error and degrees of freedom of one specification, through event_study."""
    low, high = (int(bound) for bound in str(row["window"]).strip("[]").split(","))
    windows = mr.EventWindows((-row["gap"] - row["length"], -row["gap"] - 1), ((low, high),))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MarketReactionWarning)
        study = mr.event_study(
            prices, mr.load_events({"a": APPLE}), markets=[row["market"]], windows=windows,
            normal_model=row["counterfactual"], returns=row["returns"], **options,
        )  # fmt: skip
    pair = study.pairs["a", row["market"]]
    estimate, error = pair.car((low, high))
    if row["scaling"] == "mad":
        return estimate, error * pair.mad_std / pair.fit.residual_std, np.inf
    if row["scaling"] == "ewma":
        return estimate, pair.ewma_std * np.sqrt(high - low + 1), np.inf
    return estimate, error, pair.fit.df_resid


def test_every_specification_equals_event_study_run_alone(shares: mr.PriceData) -> None:
    grid = mr.Grid(
        counterfactual=("constant_mean", "zero_mean", "market_adjusted", "market", "factors", "dimson"),
        length=(60, 120), gap=(5, 10), window=((0, 0), (-2, 3)), contaminated="in",
    )  # fmt: skip
    curve = mr.specification_curve(
        APPLE, markets=["Apple"], prices=shares, grid=grid, factors=["S&P 500", "VIX"], history=60
    )
    frame = curve.to_frame()
    assert len(frame) == 6 * 2 * 2 * 2 * 3 * 2 - 2 * 3 * 2 * 2  # less the doubles of two fixed models scaled by EWMA
    for row in frame.sample(40, random_state=1).to_dict("records"):
        factors = {"factors": ["S&P 500", "VIX"]} if row["counterfactual"] == "factors" else {}
        estimate, error, df = one_by_one(shares, row, **factors)
        assert row["estimate"] == pytest.approx(estimate, rel=1e-9, abs=1e-13), row
        assert row["std_error"] == pytest.approx(error, rel=1e-9), row
        assert row["df"] == df
        reference = stats.t(df) if np.isfinite(df) else stats.norm
        assert row["p_value"] == pytest.approx(2 * reference.sf(abs(estimate / error)), rel=1e-7)


@pytest.mark.parametrize("returns", ["log", "simple"])
def test_a_market_in_differences_takes_the_returns_of_its_benchmark(shares: mr.PriceData, returns: str) -> None:
    models = ("market", "market_adjusted", "dimson", "factors")
    grid = ONE | {"counterfactual": models, "returns": returns, "scaling": "residual"}
    curve = mr.specification_curve(
        APPLE, markets=["VIX"], prices=shares, grid=grid, benchmark="S&P 500", factors=["Apple"], history=60
    )
    found = curve.to_frame()
    assert set(found["counterfactual"]) == set(models)
    for row in found.to_dict("records"):
        named = {"factors": ["Apple"]} if row["counterfactual"] == "factors" else {"benchmark": "S&P 500"}
        alone = one_by_one(shares, row | {"returns": returns}, **named)
        assert (row["estimate"], row["std_error"], row["df"]) == pytest.approx(alone, rel=1e-9), row


def test_sessions_with_other_events_leave_the_estimation_window(shares: mr.PriceData) -> None:
    others = mr.load_events({"b": "2018-01-23 14:00 UTC", "c": "2018-02-05 14:00 UTC", "d": "2017-12-01 14:00 UTC"})
    grid = {"counterfactual": ["constant_mean", "market"], "gap": 10, "window": (0, 0), "length": (60, 120)}
    curve = mr.specification_curve(APPLE, markets=["Apple"], prices=shares, grid=grid, skip=others, history=60)
    out = curve.to_frame().query("contaminated == 'out'")
    assert len(out) == 24
    for row in out.to_dict("records"):  # one session an event, as its own window is day 0 alone
        assert (row["estimate"], row["std_error"], row["df"]) == pytest.approx(one_by_one(shares, row, skip=others))
    dates = mr.specification_curve(
        APPLE, markets=["Apple"], prices=shares, grid=grid, skip=("2018-02-01", "2018-02-09"), history=60
    )
    assert dates.to_frame().query("contaminated == 'out' and scaling == 'residual' and length == 60")["df"].max() == 52


def test_one_specification_on_day_zero_is_the_headline_placebo() -> None:
    names = ["CSI 300", "VIX", "US 10y"]
    react = mr.react(LONDON, markets=names, source="bundled")
    curve = mr.specification_curve(LONDON, markets=names, source="bundled", grid=ONE)
    headline = react.placebo.summary().droplevel("event_id")
    summary = curve.summary()
    for name in names:
        assert summary.at[name, "placebo_p_median"] == pytest.approx(headline.at[name, "placebo_p"])
        assert summary.at[name, "placebo_p_mean_z"] == pytest.approx(headline.at[name, "placebo_p"])
        assert summary.at[name, "plain_p_median"] == pytest.approx(headline.at[name, "placebo_p_plain"])
        assert summary.at[name, "mde"] == pytest.approx(headline.at[name, "mde"])
        assert summary.at[name, "n_specifications"] == 1 and summary.at[name, "main_choice"] == ""
    joint = react.placebo.joint_summary().droplevel("event_id")
    assert curve.joint_summary().at[("median", "maximum"), "placebo_p"] == pytest.approx(
        joint.at["maximum", "placebo_p"]
    )
    assert "one specification gives +0.75%. Among 500 placebo days it has p 0.36 (floor 0.002)" in curve.answer()
    assert " ".join(curve.plot().layout.title.text.split("<br>")).startswith(
        "<b>CSI 300: one specification gives +0.75%"
    )


def test_the_finding_of_the_london_framework(london: mr.SpecificationCurve) -> None:
    csi = london["CSI 300"]
    assert csi.placebo.event["median"] == np.median(csi.specifications["estimate"])
    # day 0 is the published +0.75% (3,865.47 to 3,894.63) under no normal return at all
    zero = london.to_frame().query("market == 'CSI 300' and counterfactual == 'zero_mean' and window == '[0,0]'")
    assert zero.query("returns == 'simple'")["estimate"].unique() == pytest.approx([3894.63 / 3865.47 - 1], abs=2e-6)
    assert not csi.specifications["significant"].any()
    text = " ".join(london.answer(96).split())
    assert text.startswith("CSI 300: the sign (+) holds in") and "does not depend on these choices" in text
    assert "none is significant" in text and "event window" in text and "in WTI spot" in text


def test_choices_that_cannot_exist_are_named(london: mr.SpecificationCurve) -> None:
    left = london.excluded.set_index(["market", "choice", "level"])["reason"]
    assert "has no default benchmark" in left["CSI 300", "counterfactual", "market"]
    assert "differences" in left["VIX", "returns", "simple"]
    assert left["CSI 300", "session", "possible one before"] == "its reaction session is certain"
    assert london.excluded.groupby("market")["n_specifications"].sum().add(
        london.summary()["n_specifications"]
    ).eq(london.grid.size).all()  # fmt: skip
    assert set(london.to_frame().query("market == 'VIX'")["returns"]) == {"difference"}


def test_other_possible_sessions_of_an_ambiguous_market_are_specifications() -> None:
    # Geneva came out at 15:00 Beijing, at the close: 12 and 13 May 2025 are possible, the headline is the 13th
    grid = ONE | {"session": ("headline", "earlier", "later", "next open"), "counterfactual": "zero_mean"}
    curve = mr.specification_curve("2025-05-12 07:00 UTC", markets=["CSI 300"], source="bundled", grid=grid)
    frame = curve.to_frame().set_index("session")
    assert frame["session_date"].astype(str).to_dict() == {"earlier": "2025-05-12", "headline": "2025-05-13"}
    react = mr.react("2025-05-12 07:00 UTC", markets=["CSI 300"], source="bundled", returns="log")
    for found in react["CSI 300"].candidates:
        row = frame[frame["session_date"].eq(found.session)].iloc[0]
        assert row["estimate"] == pytest.approx(np.log1p(found.change))
    assert any("possible are 2025-05-12 and 2025-05-13" in note for note in curve.notes)


def test_no_estimation_window_reaches_a_session_that_may_have_seen_the_news() -> None:
    grid = ONE | {
        "session": ("headline", "earlier"),
        "gap": (0, 1),
        "counterfactual": "zero_mean",
        "scaling": "residual",
    }
    curve = mr.specification_curve("2025-05-12 07:00 UTC", markets=["CSI 300"], source="bundled", grid=grid, history=60)
    found = curve.to_frame()[["session", "gap"]].apply(tuple, axis=1)
    assert set(found) == {("headline", 1), ("earlier", 0), ("earlier", 1)}
    assert curve.excluded["reason"].tolist() == [
        "the estimation window would hold a session that may have seen the news"
    ]


def test_after_a_bare_date_the_next_session_is_possible() -> None:
    grid = ONE | {"session": ("headline", "earlier", "later")}
    curve = mr.specification_curve(date="2025-06-11", markets=["CSI 300"], source="bundled", grid=grid, history=60)
    days = curve.to_frame().set_index("session")["session_date"].astype(str)
    assert days.to_dict() == {"headline": "2025-06-11", "later": "2025-06-12"}
    assert curve.excluded["reason"].tolist() == ["no possible session earlier than the headline"]
    assert any("the clock is unknown; possible are 2025-06-11 and 2025-06-12" in note for note in curve.notes)


def test_rises_and_falls_are_counted_apart() -> None:
    closes = seeded_closes(7, rows=900, columns=1)
    closes.iloc[860:] *= 1.1  # a rise on the date, and a fall on the day after it
    closes.iloc[861:] *= 0.8
    grid = ONE | {"session": ("headline", "later"), "scaling": ("residual", "ewma"), "window": [(0, 0), (0, 1)]}
    curve = mr.specification_curve(date=closes.index[860], prices=price_data(closes), grid=grid, history=120)
    rows = curve.to_frame()
    assert {-1.0, 1.0} <= set(np.sign(rows.loc[rows["significant"], "estimate"]))
    found = curve.levels().loc["m0"]
    for session in ("headline", "later"):
        part = rows[rows["session"].eq(session)]
        for sign, name in ((1, "significant_rise_share"), (-1, "significant_fall_share")):
            by_hand = (part["significant"] & (sign * part["estimate"] > 0)).mean()
            assert found.loc[("session", {"later": "possible one after"}.get(session, session)), name] == by_hand
    whole = curve.summary().loc["m0"]
    assert whole["significant_rise_share"] + whole["significant_fall_share"] == pytest.approx(
        rows["significant"].mean()
    )
    html = curve._repr_html_()
    assert html.count("<th>Significant rises</th>") == html.count("<th>Significant falls</th>") == 2
    assert "significant_share" not in found


@pytest.mark.parametrize(
    ("time", "said"),
    [
        # China had closed: the S&P 500 traded the news on 3 January, China on the 4th
        ("2019-01-03 14:00 UTC", "its day 0 is 2019-01-04, that of S&P 500 2019-01-03"),
        ("2019-01-03 23:00 UTC", "CSI 300 and S&P 500 close at different times"),
    ],
)
def test_a_benchmark_on_another_clock_is_named(time: str, said: str) -> None:
    prices = mr.load_prices(["CSI 300", "S&P 500"], "2016-01-04", "2019-02-28", source="bundled")
    grid = ONE | {"counterfactual": ("market", "zero_mean")}
    curve = mr.specification_curve(time, markets=["CSI 300"], benchmark="S&P 500", prices=prices, grid=grid, history=60)
    assert any(said in note for note in curve.notes)


def test_a_planted_effect_gets_the_smallest_p_and_a_day_without_one_does_not() -> None:
    closes = seeded_closes(7, rows=900, columns=2)
    day = closes.index[860]
    planted = closes.copy()
    planted.loc[planted.index >= day, "m0"] *= np.exp(0.15)
    grid = {"counterfactual": ["constant_mean", "zero_mean"], "length": (60, 120), "contaminated": "in"}
    curve = mr.specification_curve(f"{day:%Y-%m-%d} 14:00 UTC", prices=price_data(planted), grid=grid, history=400)
    summary = curve.summary()
    assert summary.loc["m0", ["placebo_p_median", "placebo_p_mean_z"]].tolist() == [1 / 401] * 2
    assert summary.at["m0", "placebo_p_share"] < 0.01  # a share of one can be tied
    assert summary.at["m0", "significant_share"] == 1 and summary.at["m1", "placebo_p_median"] > 0.05
    assert curve.joint_summary().query("statistic != 'share'")["placebo_p"].max() <= 2 / 401
    plain = mr.specification_curve(f"{day:%Y-%m-%d} 14:00 UTC", prices=price_data(closes), grid=grid, history=400)
    before, after = (
        found.to_frame().query("market == 'm0' and returns == 'log'").set_index([*CHOICES])["estimate"]
        for found in (plain, curve)
    )
    assert (after - before).to_numpy() == pytest.approx(0.15)


def test_the_event_moves_neither_its_scales_nor_its_pool_and_the_future_nothing() -> None:
    closes = seeded_closes(11, rows=700)
    day = closes.index[640]
    grid = {"counterfactual": ["constant_mean", "zero_mean"], "length": (60, 120), "contaminated": "in", "gap": (0, 10)}

    def run(changed: pd.DataFrame) -> mr.SpecificationCurve:
        return mr.specification_curve(f"{day:%Y-%m-%d} 14:00 UTC", prices=price_data(changed), grid=grid, history=150)

    before = run(closes)
    name = before.markets[0]
    moved = closes.copy()
    moved.loc[moved.index >= day, name] *= 1.2
    found = run(moved)
    errors = [curve[name].specifications.set_index([*CHOICES])["std_error"].sort_index() for curve in (before, found)]
    assert errors[1].to_numpy() == pytest.approx(errors[0].to_numpy(), rel=1e-9)
    assert found[name].placebo.pool["median"] == pytest.approx(before[name].placebo.pool["median"], rel=1e-9)
    later = closes.copy()
    later.iloc[647:] *= 1.5  # behind the last event window
    pd.testing.assert_frame_equal(run(later).summary(), before.summary())


def test_joint_p_of_ordinary_days_has_the_right_size() -> None:
    prices = mr.load_prices(["CSI 300", "S&P 500"], "2006-01-06", "2022-05-20", source="bundled")
    days = prices["CSI 300"].sessions[700:]
    days = days[days < "2022-05-01"]
    grid = ONE | {"counterfactual": ("constant_mean", "zero_mean"), "window": ((0, 0), (0, 1)), "scaling": "residual"}
    p = []
    for day in np.random.default_rng(4).choice(days.to_numpy(), 60, replace=False):
        found = mr.specification_curve(f"{str(day)[:10]} 15:30 UTC", prices=prices, grid=grid, history=119)
        p.append(found.joint_summary().query("statistic != 'share'")["placebo_p"].astype(float).tolist())
    for column in np.array(p).T:  # pools of near days overlap, so only the tail is tested
        assert stats.binomtest(int((column <= 0.1).sum()), len(p), 0.1).pvalue > 0.01
        assert 0.3 < np.median(column) < 0.7


def test_p_of_ordinary_days_is_uniform() -> None:
    rng = np.random.default_rng(3)
    prices = mr.load_prices(["CSI 300"], "2006-01-06", "2025-06-30", source="bundled")
    days = prices["CSI 300"].sessions
    grid = {"length": (60, 120), "gap": 10, "window": ((0, 0), (0, 1)), "returns": "log", "contaminated": "in",
            "counterfactual": ("constant_mean", "zero_mean")}  # fmt: skip
    p = []
    for at in rng.choice(np.arange(700, len(days) - 5), 60, replace=False):
        found = mr.specification_curve(f"{days[at]:%Y-%m-%d} 04:00 UTC", prices=prices, grid=grid, history=199)
        p.append(found.summary().iloc[0][["placebo_p_median", "placebo_p_mean_z"]].astype(float).tolist())
    for column in np.array(p).T:
        assert stats.kstest(column, "uniform").pvalue > 0.01
        assert stats.binomtest(int((column <= 0.1).sum()), len(p), 0.1).pvalue > 0.01


# Numbers


def test_the_statistics_of_a_curve_by_hand() -> None:
    estimates = np.array([[0.01, 0.02, 0.03, -0.01], [-0.02, -0.01, -0.03, 0.04], [0.0, 0.0, 0.0, 0.01]])
    scores = np.array([[1.0, 2.0, 3.0, -3.0], [-2.5, -1.0, -1.97, 4.0], [0.0, 0.0, 0.0, 5.0]])
    found = curve_statistics(estimates, scores)
    assert found["median"] == pytest.approx([0.015, -0.015, 0.0])
    assert found["share"].tolist() == [0.5, -0.5, 0.0]  # the -3 goes against the dominant sign
    assert found["mean_z"] == pytest.approx([0.75, -0.3675, 1.25])
    assert same_sign(estimates[0]) == 0.75 and np.isnan(same_sign(estimates[2]))


def test_normal_scores_keep_the_p_of_t() -> None:
    t, df = np.array([[-2.0, 0.0, 3.0, 40.0]]), np.array([5.0, 30.0, np.inf, 60.0])
    scores = normal_scores(t, df)
    assert 2 * stats.norm.sf(np.abs(scores[0, [0, 3]])) == pytest.approx(2 * stats.t.sf([2.0, 40.0], [5, 60]), rel=1e-9)
    assert scores[0, 2] == 3.0 and scores[0, 0] < 0 and scores[0, 1] == 0


def test_shares_of_variance_are_those_of_a_one_way_table() -> None:
    values, levels = np.array([1.0, 2.0, 3.0, 5.0, 5.0]), pd.Series(["a", "a", "b", "b", "b"])
    between = 2 * (1.5 - 3.2) ** 2 + 3 * (13 / 3 - 3.2) ** 2
    assert variance_share(values, levels) == pytest.approx(between / ((values - 3.2) ** 2).sum())
    assert np.isnan(variance_share(np.ones(4), pd.Series(list("aabb"))))
    rounding = np.array([0.1 + 0.2, 0.3, 0.3, 0.3])  # the first differs in the last digit
    assert rounding[0] != 0.3 and np.isnan(variance_share(rounding, pd.Series(list("aabb"))))


def test_the_band_is_of_sorted_curves_and_mad_is_that_of_scipy() -> None:
    values = np.random.default_rng(1).normal(size=(201, 3))
    band = sorted_band(values)
    assert band[:, 0] == pytest.approx(np.quantile(np.sort(values, axis=1), 0.05, axis=0))
    values[0, 1] = values[5, 0] = np.nan
    expected = stats.median_abs_deviation(values.T, axis=1, nan_policy="omit", scale=1 / 1.4826)
    assert mad_std_rows(values.T) == pytest.approx(expected)
    assert np.isnan(mad_std_rows(np.full((1, 3), np.nan))).all()


# Mistakes


@pytest.mark.parametrize(
    ("grid", "said"),
    [
        ({"counterfactual": "marked"}, "Did you mean 'market'"),
        ({"windows": [(0, 1)]}, "'windows' is no choice of a grid. Did you mean 'window'"),
        ({}, r"grid=\{\} names no choice; leave grid out for the default one"),
        ({"length": ()}, "no level of 'length'"),
        ({"length": 10}, "length=10 is no number of sessions; give whole numbers of at least 30"),
        ({"gap": -1}, "gap=-1"),
        ({"window": (1, 0)}, r"window=\(1, 0\) is no event window"),
        ({"window": "0:1"}, "no event window"),
        ({"scaling": ["mad", "mad"]}, "names a level of 'scaling' twice"),
        ({"returns": "difference"}, "returns='difference' is not known"),
        ({"length": range(30, 200)}, r"146,880 combinations; at most 50,000 .* of 'length' \(170\)"),
    ],
)
def test_a_grid_that_cannot_be_is_refused(grid: dict[str, object], said: str) -> None:
    with pytest.raises(WindowError, match=said):
        mr.specification_curve(LONDON, markets=["CSI 300"], source="bundled", grid=grid)


def test_what_cannot_be_measured_says_why(shares: mr.PriceData) -> None:
    with pytest.raises(WindowError, match=r"no specification of this grid.*no default benchmark.*Widen the grid, load"):
        mr.specification_curve(APPLE, markets=["VIX"], prices=shares, grid={"counterfactual": "market"})
    with pytest.raises(WindowError, match="neither an event table nor a pair of dates"):
        mr.specification_curve(APPLE, prices=shares, skip="2025-04-01")
    with pytest.raises(WindowError, match="history=0"):
        mr.specification_curve(APPLE, prices=shares, history=0)
    grid = ONE | {"window": ((-5, -1), (0, 0)), "gap": (3, 10)}
    curve = mr.specification_curve(APPLE, markets=["Apple"], prices=shares, grid=grid, history=60)
    reasons = curve.excluded.query("choice == 'gap'")
    assert reasons["reason"].tolist() == ["the estimation window would end inside the event window"]
    assert reasons["n_specifications"].tolist() == [1]  # its other sessions cannot exist for a reason of their own
    assert curve.summary()["note"].tolist() == ["60 pseudo-announcements; at least 100 are needed"]
    assert "No placebo p: 60 pseudo-announcements" in curve.answer()
    with pytest.raises(UnknownInstrumentError, match=r"'Aple' has no curve. Did you mean 'Apple'"):
        curve["Aple"]
    with pytest.raises(ValueError, match="kind='bars' is not known"):
        curve.plot(kind="bars")


def test_a_market_without_a_curve_is_named(shares: mr.PriceData) -> None:
    grid = ONE | {"counterfactual": ("market", "dimson")}
    curve = mr.specification_curve(APPLE, markets=["Apple", "VIX"], prices=shares, grid=grid, history=60)
    assert curve.markets == ("Apple",)
    assert not any("close at different times" in note or "its day 0 is" in note for note in curve.notes)
    assert any("VIX has no curve: 'VIX' has no default benchmark" in note for note in curve.notes)
    assert any("(and 1 more reason)" in note for note in curve.notes)


def test_a_short_series_keeps_what_it_can() -> None:
    closes = seeded_closes(5, rows=330)
    day = closes.index[200]
    curve = mr.specification_curve(
        f"{day:%Y-%m-%d} 14:00 UTC", prices=price_data(closes), grid={"contaminated": "in"}, history=20
    )
    assert set(curve.to_frame()["length"]) == {60, 120}
    assert "the series starts" in curve.excluded.query("choice == 'length'")["reason"].iloc[0]


def test_excluded_events_leave_the_pool(shares: mr.PriceData) -> None:
    days = mr.specification_curve(APPLE, markets=["Apple"], prices=shares, grid=ONE, history=110).placebo_days()
    known = mr.load_events({"x": f"{days['session'].iloc[7]:%Y-%m-%d} 16:45 UTC"})
    again = mr.specification_curve(APPLE, markets=["Apple"], prices=shares, grid=ONE, history=110, exclude=known)
    assert days["session"].iloc[7] not in set(again.placebo_days()["session"])
    assert again["Apple"].placebo.n_left_out == 1
    assert any("1 placebo day(s) hold an excluded event" in note for note in again.notes)


def test_placebo_days_without_a_specification_are_made_up_for_by_earlier_ones() -> None:
    closes = seeded_closes(9, rows=1200, columns=2)
    gone = np.random.default_rng(0).random(1200) < 0.09  # of the benchmark, and with them two in five windows
    gone[1090:1120] = False
    closes.loc[gone, "m1"] = np.nan
    curve = mr.specification_curve(
        f"{closes.index[1100]:%Y-%m-%d} 14:00 UTC", prices=price_data(closes), markets=["m0"], benchmark="m1",
        grid={"length": 60, "contaminated": "in"}, history=200,
    )  # fmt: skip
    assert curve.summary()["n_placebo"].tolist() == [200] and curve["m0"].placebo.n_incomplete > 100


# What people see


def with_verdicts(curve: mr.SpecificationCurve, moves: list[float], significant: list[bool]) -> mr.SpecificationCurve:
    """The same result with other estimates in its first market."""
    first = curve.curves[0]
    rows = first.specifications.iloc[: len(moves)].assign(estimate=moves, significant=significant, p_value=0.5)
    middle = float(np.median(moves))
    along = np.mean((np.sign(moves) == np.sign(middle)) & np.array(significant)) if middle else 0.0
    event = {**first.placebo.event, "median": middle, "share": np.sign(middle) * along}
    changed = replace(first, specifications=rows, placebo=replace(first.placebo, event=event))
    return replace(curve, curves=(changed,), joint={})


def test_the_answer_says_no_more_than_the_verdicts(london: mr.SpecificationCurve) -> None:
    def said(moves: list[float], significant: list[bool]) -> str:
        return with_verdicts(london, moves, significant).answer()

    none = said([0.01] * 10, [False] * 10)
    assert "holds in all 10 specifications" in none and "none is significant at 5%" in none
    assert "does not depend on these choices: every specification finds no significant move" in none
    against = said([-0.03] + [0.01] * 9, [True] + [False] * 9)
    assert "none is significant at 5% with that sign, 10% with the other" in against
    assert "hardly depends on these choices: 90% find no significant move and 10% find a significant fall" in against
    both = said([-0.03] + [0.01] * 18 + [0.02], [True] + [False] * 18 + [True])
    assert "answer depends on these choices: 90% find" in both  # rises and falls to choose from
    assert "5.0% are significant at 5% with that sign and 5.0% with the other" in both
    zero = said([-0.03, 0.0, 0.0, 0.02], [True, False, False, True])
    assert "the median of 4 specifications is zero" in zero and "50% are significant at 5%." in zero
    own = said([0.01] * 10, [True] * 10)
    assert "every specification finds a significant rise. That is by their own p" in own
    split = said([-0.01] * 4 + [0.01] * 6, [False] * 10)
    assert "The sign depends on these choices, whether it is significant does not: every specification" in split
    nearly = said([-0.001] + [0.01] * 299, [False] * 300)
    assert "holds in over 99% of 300 specifications" in nearly


def test_one_tested_market_of_several_and_no_joint_p(london: mr.SpecificationCurve) -> None:
    lost = london.curves[1].placebo.scaled["median"].void("too few")
    second = replace(london.curves[1], placebo=replace(london.curves[1].placebo, scaled={
        name: lost for name in ("median", "share", "mean_z")
    }))  # fmt: skip
    alone = replace(london, curves=(london.curves[0], second), joint={})
    assert alone.answer().endswith("Of 2 markets only CSI 300 has a placebo p.")
    void = {kind: rank.void("it does not vary") for kind, rank in london.joint["median"].items()}
    assert "(no joint p: it does not vary)" in replace(london, joint={"median": void}).answer()


def test_hostile_names_are_text() -> None:
    bad = "<script>alert(1)</script>"
    closes = seeded_closes(4, rows=500, columns=1).set_axis([bad], axis=1)
    day = closes.index[450]
    found = mr.specification_curve(f"{day:%Y-%m-%d} 14:00 UTC", prices=price_data(closes), grid=ONE, history=120)
    assert "<script>" not in found._repr_html_() and "&lt;script&gt;" in found._repr_html_()
    assert "<script>" not in found.plot().to_json() and "<script>" not in found.plot(kind="placebo").to_json()


def test_frames_tables_and_charts(london: mr.SpecificationCurve, tmp_path) -> None:
    assert next(iter(london.tables())) == "Specification curve"
    frame = london.to_frame()
    assert frame.groupby("market")["estimate"].is_monotonic_increasing.all()
    assert frame.groupby("market")["rank"].max().eq(london.summary()["n_specifications"]).all()
    windows = london.levels().xs(("CSI 300", "window"), level=("market", "choice"))
    assert windows["n_specifications"].sum() == len(london["CSI 300"].specifications)
    chosen = london.choices()
    assert chosen.loc["CSI 300"]["estimate_share"].idxmax() == "window"
    assert chosen["estimate_share"].dropna().between(0, 1).all()
    assert london.placebo_days().groupby("market").size().eq(500).all()
    figure = london.plot(market="VIX", theme="dark")
    heat = next(trace for trace in figure.data if trace.type == "heatmap")
    shown = np.array(heat.z, dtype=float)
    assert np.nansum(shown[:3], axis=0) == pytest.approx(1.0)  # every specification has one event window
    assert set(london.figures()) == {"curve CSI 300", "curve VIX", "curve WTI spot", "placebo"}
    assert london.to_excel(tmp_path / "curve.xlsx").exists()
    assert "spec" in repr(london) and "0x" not in repr(london)
    assert "What the choices change" in london.to_latex()
    assert london.parameters["grid"]["length"] == [60, 120, 250]


def test_regressors_that_are_the_same_count_once(shares: mr.PriceData) -> None:
    grid = ONE | {"counterfactual": ("market", "factors")}
    curve = mr.specification_curve(APPLE, markets=["Apple"], prices=shares, grid=grid, factors=["S&P 500"], history=60)
    assert curve.to_frame()["counterfactual"].tolist() == ["market"]
    assert "the only factor is the benchmark" in curve.excluded.query("level == 'factors'")["reason"].iloc[0]
