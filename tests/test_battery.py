"""The battery on real series: every test by name, why one does not apply, and what was fixed beforehand."""

import warnings
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import market_reaction as mr
from helpers import price_data, seeded_closes
from market_reaction.battery import TESTS, chosen_tests
from market_reaction.battery.many_events import joint_clusters
from market_reaction.battery.registry import EVENTS, MARKETS, ONE_MARKET
from market_reaction.battery.tables import battery_tables
from market_reaction.display import parameters
from market_reaction.errors import OverlappingEventsWarning, UnknownInstrumentError, WindowError
from market_reaction.inference.selection import record_chance
from market_reaction.placebo import MarketMoves, placebo_at
from market_reaction.reaction import _rank_chance
from market_reaction.records import record_of
from market_reaction.report import report_html
from market_reaction.tables import reaction_text

SIX = {f"e{month}": f"2021-{month:02d}-13 12:00 UTC" for month in range(1, 7)}


@pytest.fixture(scope="module")
def london() -> mr.ReactionResult:
    return mr.react("2025-06-10 22:50 UTC", source="bundled", tests="all", signs={"CSI 300": 1, "VIX": -1})


@pytest.fixture(scope="module")
def tests(london) -> pd.DataFrame:
    return london.battery.set_index(["market", "test"])


@pytest.fixture(scope="module")
def catalogue() -> mr.EventStudyResult:
    events = mr.load_events()
    events = events[events["precision"].isin(["minute", "hour"]) & (events["utc_latest"] < "2025-09-01")]
    prices = mr.load_prices(["CSI 300", "VIX"], events=events, source="bundled")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return mr.event_study(prices, events)


def study(when: dict, columns: int = 1, **options) -> mr.EventStudyResult:
    return mr.event_study(price_data(seeded_closes(rows=900, columns=columns)), mr.load_events(when), **options)


def test_every_registered_test_is_in_the_frame_of_one_event(tests) -> None:
    assert set(tests.index.get_level_values("test")) == set(TESTS)
    assert tests.loc[("CSI 300", "placebo"), "p_value"] == pytest.approx(0.36, abs=0.01)
    assert (tests["p_value"].notna() | tests["note"].ne("")).all()
    assert (tests["p_value"].dropna() >= tests.loc[tests["p_value"].notna(), "floor"] - 1e-12).all()
    assert set(tests.loc[tests["p_value"].isna(), "validity"]) == {"not applicable"}


def test_the_joint_p_of_eight_markets_and_its_companions(tests) -> None:
    joint = tests.xs("all 8 markets")
    assert joint.loc["joint_maximum", "p_value"] == pytest.approx(0.14, abs=0.03)
    assert joint.loc["joint_quadratic", "p_value"] == pytest.approx(0.12, abs=0.03)
    assert np.isfinite(joint.loc["joint_signed_mean", "p_value"])
    assert joint.loc["bmp_t", "note"] == "BMP needs at least 10 cases; 8 given"
    assert "GRANK-T needs at least 30 cases; 8 given" in joint.loc["grank_t", "note"]
    assert "different units" in joint.loc["cross_section_t", "note"]
    assert "valid only if the event scales all shocks alike" in joint.loc["kolari_pynnonen_t", "note"]


def test_wti_alone_is_small_and_shares_its_return_with_other_news(tests) -> None:
    oil = tests.loc[("WTI spot", "placebo")]
    assert oil["p_value"] == pytest.approx(0.022, abs=0.004)
    assert oil["p_is_of"] == "joint reaction to all listed news"
    assert tests.loc[("WTI spot", "romano_wolf"), "p_value"] > 0.1


def test_the_bounds_beside_the_p_are_those_of_the_paper_formulas(london, tests) -> None:
    pair = london.study.pairs["2025-06-10 22:50 UTC", "CSI 300"]
    s = pair.fit.residual_std * np.sqrt(1 + 1 / 120)
    row = tests.loc[("CSI 300", "forecast_t")]
    low, high = stats.t.interval(0.95, 119, loc=pair.day_zero, scale=s)
    assert (row["conf_low"], row["conf_high"]) == pytest.approx((low, high), rel=1e-9)
    assert row["mde"] == pytest.approx(2.825 * s, rel=2e-3)
    margin = tests.loc[("CSI 300", "no_reaction"), "smallest_margin"]
    assert margin == pytest.approx(abs(pair.day_zero) + stats.t.ppf(0.95, 119) * s, rel=1e-9)
    conformal = tests.loc[("CSI 300", "conformal_car")]
    assert conformal["conf_low"] < pair.day_zero < conformal["conf_high"]
    residuals = np.append(pair.fit.residuals, pair.day_zero)
    residuals -= residuals.mean()
    assert conformal["p_value"] == pytest.approx(np.mean(np.abs(residuals) >= abs(residuals[-1]) - 1e-15))


def test_adjusted_p_values_are_never_smaller_and_follow_the_raw_ones(tests) -> None:
    raw = tests.xs("placebo", level="test")["p_value"]
    for name in ("romano_wolf", "holm", "benjamini_yekutieli"):
        adjusted = tests.xs(name, level="test")["p_value"]
        assert (adjusted >= raw - 0.02).all()  # the joint pool is not each market's own
    stepped = tests.xs("romano_wolf", level="test").reindex(raw.index)
    assert stepped["p_value"].idxmin() == "WTI spot"
    floors = tests.groupby(level="test")["floor"].first()  # all eight markets at 1/501
    assert floors["romano_wolf"] == pytest.approx(1 / 501)
    assert floors["holm"] == pytest.approx(8 / 501)
    assert floors["benjamini_yekutieli"] == pytest.approx(sum(1 / k for k in range(1, 9)) / 501)


def test_the_clean_pool_leaves_news_out_and_the_release_pool_holds_its_kind(tests) -> None:
    clean = tests.loc[("CSI 300", "placebo_clean")]
    assert clean["n"] == 500
    assert int(clean["note"].split()[0]) > 100
    release = tests.loc[("US 10y", "placebo_same_release")]
    assert "us_cpi" in release["note"]
    assert 19 <= release["n"] < 120
    assert release["floor"] == pytest.approx(1 / (1 + release["n"]))
    assert tests.loc[("CSI 300", "placebo_same_release"), "note"] == "no scheduled release lies inside this return"


def test_three_placebo_days_give_no_p_and_say_why() -> None:
    closes = seeded_closes(rows=400)
    found = mr.event_study(price_data(closes), mr.load_events({"e": "2021-01-13 12:00 UTC"})).tests(history=3)
    row = found.set_index("test").loc["placebo"]
    assert np.isnan(row["p_value"])
    assert row["note"] == "3 pseudo-announcements; at least 100 are needed"


def test_one_market_has_no_test_over_markets() -> None:
    found = study({"e": "2022-01-13 12:00 UTC"}).tests().set_index(["setting", "test"])
    over = found.loc[MARKETS]
    assert over.loc["kolari_pynnonen_t", "p_value"] != over.loc["kolari_pynnonen_t", "p_value"]
    assert "1 given" in over.loc["kolari_pynnonen_t", "note"]
    assert "two markets" in over.loc["joint_maximum", "note"]
    assert over["p_value"].isna().all()
    assert (found.loc[EVENTS, "note"] == "a test over several events; 1 given").all()


def test_a_declared_primary_market_stands_and_the_others_are_adjusted_without_it(london) -> None:
    rest = london.study.tests(["romano_wolf", "holm"], primary="CSI 300").set_index(["market", "test"])
    assert "its own p stands" in rest.loc[("CSI 300", "romano_wolf"), "note"]
    assert rest.loc[("WTI spot", "romano_wolf"), "note"] == "adjusted over 7 markets"
    raw = london["WTI spot"].headline.placebo.scaled.p_value
    assert rest.loc[("WTI spot", "holm"), "p_value"] == pytest.approx(7 * raw)


def test_a_margin_fixed_beforehand_gives_a_verdict(london) -> None:
    wide = london.study.tests(["no_reaction"], margin={"CSI 300": 0.04, "USD/CNY (ECB)": 0.001})
    rows = wide.set_index("market")
    assert rows.loc["CSI 300", "note"] == "no reaction larger than the margin (4.00%)"
    assert rows.loc["CSI 300", "p_value"] < 0.05
    assert rows.loc["USD/CNY (ECB)", "note"].startswith("not shown")
    assert rows.loc["VIX", "note"] == "no margin given beforehand"


def test_a_day_chosen_for_its_move_has_no_p_anywhere() -> None:
    result = mr.react(
        "2025-04-07 02:00 UTC",
        markets=["CSI 300", "VIX"],
        source="bundled",
        selected_because_it_moved=True,
        tests="all",
    )
    csi = result["CSI 300"].headline
    moves = result.prices["CSI 300"].returns("simple")
    at = result.study.pairs["2025-04-07 02:00 UTC", "CSI 300"].position
    counted = int((np.abs(moves[at - 250 : at]) >= abs(moves[at])).sum())
    assert csi.as_large == (counted, 250)
    assert np.isnan(csi.placebo.scaled.p_value)
    void = result.battery
    assert void[["p_value", "conf_low", "conf_high", "smallest_margin"]].isna().all(axis=None)
    assert void.loc[void["test"].eq("placebo"), "mde"].tolist() == [
        row.headline.placebo.mde for row in result.reactions
    ]
    said = f"{counted} of the last 250 sessions moved at least this much"
    own = void[void["market"].eq("CSI 300") & void["note"].str.contains("moved at least")]
    assert len(own) > 10
    assert own["note"].str.endswith(said).all()  # simple returns everywhere: log returns would order days otherwise
    assert result.summary()[["p_value", "conf_low", "conf_high"]].isna().all(axis=None)
    assert any(said in note for note in result["CSI 300"].notes)
    row = result.to_dict()["reactions"][0]
    assert (row["placebo_p"], row["placebo_p_plain"], row["days_as_large"]) == (None, None, counted)
    assert "no p, the day was chosen for its move" in result.plot().layout.title.text
    assert said in result.answer()
    assert any("every p is void" in note for note in result.notes)
    assert all(np.isnan(rank.p_value) for rank in result.placebo.joint["2025-04-07 02:00 UTC"].ranks.values())


def test_a_day_chosen_for_its_move_that_has_no_return_says_so() -> None:
    below_zero = mr.react(
        "2020-04-20 14:00 UTC", markets=["WTI spot", "VIX"], source="bundled", selected_because_it_moved=True
    )
    notes = below_zero.tests(["forecast_t", "garch_rank"]).set_index("market")["note"]
    assert "the event day has no move" in notes["WTI spot"].tolist()
    assert below_zero["WTI spot"].headline.as_large == (0, 0)


def test_the_larger_joint_p_is_reported_for_an_ambiguous_market() -> None:
    both = mr.react("2025-05-12 07:00 UTC", markets=["CSI 300", "VIX", "US 10y"], source="bundled")
    joint = both.placebo.joint["2025-05-12 07:00 UTC"]
    alone = mr.placebo_test(both.study, both.prices).joint["2025-05-12 07:00 UTC"]
    assert "the largest p over 2 choices of session" in joint.note
    for name, rank in joint.ranks.items():
        assert rank.p_value >= alone[name].p_value


def test_the_joint_p_is_the_largest_over_every_instant_the_bounds_allow() -> None:
    markets = ["CSI 300", "VIX", "WTI spot", "Brent spot"]
    result = mr.react("2026-03-26-us", markets=markets[1:], source="bundled")
    event, study = result.event, result.study
    joint = result.placebo.joint["2026-03-26-us"]
    moves = {name: MarketMoves.of(study.prices[name], study, study.prices, None) for name in markets[1:]}
    bounds = event["utc_earliest"].value, event["utc_latest"].value
    largest = dict.fromkeys(joint.ranks, 0.0)
    for instant in np.linspace(*bounds, 97).astype("int64"):
        for side in ("first_closing_after", "last_closing_after"):
            day_zero = {name: int(getattr(item.clock, side)(np.array([instant]))[0]) for name, item in moves.items()}
            other = placebo_at(event, moves, day_zero, study, 500)[1]
            largest = {name: max(p, other[name].p_value) for name, p in largest.items()}
    assert all(joint[name].p_value >= p for name, p in largest.items())
    alone = mr.placebo_test(study, study.prices).joint["2026-03-26-us"]
    assert joint["maximum"].p_value > alone["maximum"].p_value


def test_a_record_of_the_whole_series_is_not_compared_with_days_that_could_not_earn_it() -> None:
    closes = seeded_closes(rows=700)
    closes.iloc[650:] *= 1.5  # the largest gain of all
    series = price_data(closes)["m0"]
    at, moves = 650, series.returns("simple")
    record = record_of(moves, series.sessions, at)
    assert record.since is None
    pool = np.arange(200, 600)
    assert record_chance(series.record_lengths[0][pool], record.sessions) == 0.0  # by construction, not by rarity
    assert _rank_chance(series, record, SimpleNamespace(pool_sessions=series.sessions[pool]), None) is None


def test_ranks_carry_the_share_of_pool_days_that_earn_them(london) -> None:
    csi = london["CSI 300"].headline
    moves = london.prices["CSI 300"].returns("simple")
    at = london.prices["CSI 300"].sessions.get_indexer(csi.placebo.pool_sessions)
    earned = [moves[row] > 0 and (moves[row - 18 : row] < moves[row]).all() for row in at]
    assert csi.rank_chance.own == pytest.approx(np.mean(earned))
    assert csi.rank_chance.any_market > csi.rank_chance.own


def test_many_events_are_tested_over_event_values_with_clusters_merged(catalogue) -> None:
    found = catalogue.tests(signs={"CSI 300": 1, "VIX": -1}).set_index(["market", "test"])
    row = found.loc[("CSI 300", "event_level_t")]
    cars = catalogue.car()["estimate"].xs("CSI 300", level="market")
    at = [catalogue.pairs[name, "CSI 300"].position for name in cars.index]
    table = pd.DataFrame({"car": cars.to_numpy(), "at": at}).sort_values("at", kind="stable")
    merged = table.groupby((table["at"].diff() >= 2).cumsum())["car"].mean()
    expected = stats.ttest_1samp(merged, 0)
    assert (row["statistic"], row["p_value"]) == pytest.approx((expected.statistic, expected.pvalue), rel=1e-9)
    assert row["n"] == len(merged)
    assert f"{len(cars) - len(merged)} of {len(cars)} events merged" in row["note"]
    assert found.loc[("CSI 300", "group_difference"), "p_value"] < 0.05  # escalation against de-escalation
    assert found.loc[("all 2 markets", "event_level_t"), "p_value"] > 0
    assert found.loc[("CSI 300", "romano_wolf"), "p_value"] >= found.loc[("CSI 300", "sign_flip"), "p_value"] - 0.01
    assert set(found.index.get_level_values("test")) == set(TESTS)


def test_drawn_signs_do_not_depend_on_the_order_of_the_events(catalogue) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        shuffled = mr.event_study(catalogue.prices, catalogue.events.sample(frac=1, random_state=2))
    drawn = ["sign_flip", "wild_bootstrap", "romano_wolf"]
    found, other = (
        one.tests(drawn, signs={"CSI 300": 1, "VIX": -1}).set_index(["market", "test"])["p_value"].dropna()
        for one in (catalogue, shuffled)
    )
    assert {"CSI 300", "all 2 markets"} <= set(found.index.get_level_values("market"))
    pd.testing.assert_series_equal(other.reindex(found.index), found, atol=1e-12)


def test_a_primary_market_stands_over_several_events_too() -> None:
    found = study(SIX, columns=3).tests(["romano_wolf"], primary="m1").set_index("market")
    assert found.loc["m1", "note"] == "declared as the primary market: its own p stands unadjusted"
    assert found.loc[["m0", "m2"], "note"].tolist() == ["adjusted over 2 markets"] * 2


def test_events_without_a_complete_window_end_in_reasons() -> None:
    days = seeded_closes(rows=900).index
    last = {f"e{back}": f"{days[-back]:%Y-%m-%d} 12:00 UTC" for back in (1, 3)}
    with pytest.warns(OverlappingEventsWarning):
        result = study(last, windows=mr.EventWindows(event=(0, 5)))
    found = result.tests().set_index("test")
    assert found.loc["joint_dummy_regression", "note"] == "no event has a complete window"
    of_windows = ["event_level_t", "sign_flip", "wild_bootstrap", "bmp_t", "calendar_time_portfolio"]
    assert found.loc[of_windows, "p_value"].isna().all()
    assert found.loc[of_windows, "note"].ne("").all()
    with pytest.raises(WindowError, match="no market has one: a mean over events needs two"):
        result.power()


def test_clusters_are_linked_through_any_chain_of_markets() -> None:
    names = list("abcdef")
    cases = SimpleNamespace(names=tuple(names))
    pairs = [np.array([0, 0, 1, 1, 2, 2]), np.array([0, 1, 1, 2, 2, 3])]
    markets = [SimpleNamespace(clusters=labels, cases=cases) for labels in pairs]
    assert set(joint_clusters(markets, pd.Index(names)).tolist()) == {0}


def test_p_is_of_what_the_window_tested_holds(london) -> None:
    found = london.study.tests(["placebo", "forecast_t", "drift_before"], window=(0, 5)).set_index(["market", "test"])
    assert found.loc[("CSI 300", "drift_before"), "p_is_of"] == "the sessions before the announcement"
    quiet = mr.react("2025-07-22 02:00 UTC", markets=["CSI 300"], source="bundled").study
    rows = quiet.tests(["placebo", "forecast_t"], window=(0, 5)).set_index("test")["p_is_of"]
    assert rows.tolist() == ["the announcement", "joint reaction to all listed news"]


def test_garch_ranks_what_the_other_tests_rank_where_the_model_takes_a_benchmark() -> None:
    apple = mr.react("2018-03-22 16:45 UTC", markets=["Apple"], normal_model="market", source="bundled")
    row = apple.tests(["garch_rank"]).iloc[0]
    assert row["p_is_of"].endswith("relative to S&P 500")
    raw = mr.react("2018-03-22 16:45 UTC", markets=["Apple"], source="bundled").tests(["garch_rank"]).iloc[0]
    assert raw["statistic"] < 0 < row["statistic"]  # Apple fell, and by less than the market explains
    assert row["statistic"] == pytest.approx(apple["Apple"].headline.z_ewma, rel=0.25)


def test_five_events_are_too_few_for_sign_flips_and_nine_for_bmp() -> None:
    found = study(dict(list(SIX.items())[:5])).tests().set_index("test")
    assert "5 given, which attain p = 0.0625 at best" in found.loc["sign_flip", "note"]
    assert found.loc["bmp_t", "note"] == "BMP needs at least 10 cases; 5 given"
    assert np.isfinite(found.loc["event_level_t", "p_value"])
    assert np.isfinite(study(SIX).tests().set_index("test").loc["sign_flip", "p_value"])


def test_joint_dummies_equal_the_usual_t_of_disjoint_events_on_the_same_sessions() -> None:
    result = study(SIX)
    found = result.tests(["joint_dummy_regression"]).set_index("test").loc["joint_dummy_regression"]
    series = result.prices["m0"]
    moves, positions = series.returns(), [pair.position for pair in result.pairs.values()]
    start, stop = min(positions) - 130, max(positions) + 2
    inside = np.concatenate([[at, at + 1] for at in positions])
    rows = np.setdiff1d(np.arange(start, stop), inside)
    mean, s, n = moves[rows].mean(), moves[rows].std(ddof=1), len(rows)
    car = np.mean([moves[at] + moves[at + 1] - 2 * mean for at in positions])
    expected = car / (s * np.sqrt(2 / 6 + 4 / n))
    assert found["statistic"] == pytest.approx(expected, rel=1e-9)
    assert found["df"] == n - 1


def test_the_map_says_what_is_valid_and_why_not(london, catalogue) -> None:
    shown = mr.which_test(london)
    one = shown.frame
    assert one.loc[(ONE_MARKET, "placebo"), "valid"]
    assert one.loc[(ONE_MARKET, "placebo"), "use"] == "headline"
    assert not one.loc[(MARKETS, "patell_z"), "valid"]
    assert one.loc[(MARKETS, "bmp_t"), "use"] == "not here"
    assert one["use"].iloc[0] == "headline"
    assert "bmp_t (one event, several markets): BMP needs at least 10 cases; 8 given" in repr(shown)
    assert "Boehmer, Musumeci and Poulsen (1991)" in shown._repr_html_()
    many = mr.which_test(catalogue).frame
    assert many.loc[(EVENTS, "event_level_t"), "valid"]
    assert "a test of one event" in many.loc[(ONE_MARKET, "placebo"), "why"]


def test_tables_show_each_market_and_the_reasons(london) -> None:
    titles = [table.title for table in battery_tables(london.battery)]
    assert titles == ["Tests of each market", "What this day can show", "Tests over all 8 markets", "Not valid here"]
    text = reaction_text(london, 160)
    for shown in ("0.36 (0.002)", "joint_maximum", "BMP needs at least 10 cases; 8 given", "Smallest margin excluded"):
        assert shown in text
    assert "joint_quadratic" in london._repr_html_()
    assert {row["test"] for row in london.to_dict()["tests"]} == set(TESTS)
    assert "NaN" not in london.to_json()


@pytest.mark.parametrize("width", [80, 100, 120, 150])
def test_no_terminal_is_too_narrow_for_a_market_or_a_figure(london, width) -> None:
    text = reaction_text(london, width)
    block = text[text.index("Tests of each market") : text.index("What this day can show")]
    shown = block.split()
    for market in ("CSI", "USD/CNY", "VIX", "2y", "10y", "Broad", "WTI", "Brent"):
        assert market in shown
    assert {"0.36", "0.66", "0.88", "0.21", "0.022", "0.034"} <= set(shown)
    assert max(map(len, text.splitlines())) <= width


def test_markets_that_move_against_each_other_have_no_mean_without_their_signs(catalogue) -> None:
    together = catalogue.tests(["event_level_t"]).set_index("market").loc["all 2 markets"]
    assert np.isnan(together["p_value"])
    assert "their mean cancels" in together["note"]


def test_a_negative_mean_correlation_counts_as_none_and_is_named() -> None:
    result = mr.react("2018-03-22 16:45 UTC", markets=["S&P 500", "VIX", "Apple"], source="bundled", tests=["patell_z"])
    found = result.tests(["kolari_pynnonen_t", "adjusted_patell_z", "patell_z"]).set_index("test")
    assert found.loc["adjusted_patell_z", "statistic"] == found.loc["patell_z", "statistic"]
    assert "below zero it counts as 0" in found.loc["kolari_pynnonen_t", "note"]


def test_the_answer_begins_with_the_primary_market() -> None:
    result = mr.react("2025-06-10-jt", markets=["CSI 300", "VIX"], source="bundled", primary="VIX")
    assert result.answer().startswith("VIX rose 0.31 points")


def test_headline_tests_alone_are_not_shown_again() -> None:
    plain = mr.react("2025-06-10-jt", markets=["CSI 300"], source="bundled")
    assert plain.battery is None
    assert "tests" not in plain.to_dict()
    assert set(plain.tests("headline")["test"]) == set(chosen_tests("headline"))


def test_what_was_fixed_beforehand_is_answered_whatever_tests_are_shown() -> None:
    result = mr.react(
        "2025-06-10-jt", markets=["CSI 300", "VIX"], source="bundled", margin={"CSI 300": 0.04},
        signs={"CSI 300": 1, "VIX": -1}, primary="VIX",
    )  # fmt: skip
    assert {"no_reaction", "joint_signed_mean", "romano_wolf"} <= set(result.battery["test"])
    assert "signs CSI 300 +1, VIX -1; margin of no reaction CSI 300 0.04; primary market VIX" in parameters(result)
    page = report_html(result)
    assert "no reaction larger than the margin" in page or "not shown" in page
    assert "Tests of each market" in page


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        ({"tests": ["placebos"]}, WindowError, "Did you mean 'placebo'"),
        ({"signs": {"CSI 300": 2}}, WindowError, r"signs\['CSI 300'\]=2 is no direction"),
        ({"signs": {"DAX": 1}}, UnknownInstrumentError, "signs names 'DAX', which is not among the markets"),
        ({"margin": {"CSI 300": -0.01}}, WindowError, "margin=-0.01 for 'CSI 300' is no margin"),
        ({"margin": 0.03}, WindowError, r"margin=0.03 is one number .* 'CSI 300' \(return\), 'VIX' \(points\)"),
        ({"signs": [1, -1]}, WindowError, r"signs=\[1, -1\] names no market"),
        ({"primary": ["VIX"]}, WindowError, r"primary=\['VIX'\] is no name of a market"),
        ({"history": "500"}, WindowError, "history='500' is no pool size"),
        ({"primary": "DAX"}, UnknownInstrumentError, "primary names 'DAX'"),
    ],
)
def test_options_that_cannot_be_meant_are_refused(options, error, says) -> None:
    with pytest.raises(error, match=says):
        mr.react("2025-06-10-jt", markets=["CSI 300", "VIX"], source="bundled", **options)


def test_a_window_beyond_the_study_is_refused(london) -> None:
    with pytest.raises(WindowError, match="reaches beyond the offsets"):
        london.study.tests(window=(0, 20))


def test_compare_sets_models_side_by_side(london) -> None:
    zero = mr.react("2025-06-10 22:50 UTC", markets=["CSI 300"], normal_model="zero_mean", source="bundled")
    table = mr.compare({"mean": london, "zero": zero})
    assert table.loc["CSI 300", ("estimate", "zero")] == zero.study.car((0, 0))["estimate"].iloc[0]
    assert np.isnan(table.loc["VIX", ("estimate", "zero")])
    placebo = mr.compare({"full": mr.placebo_test(london.study, london.prices)})
    assert placebo.loc["CSI 300", ("placebo_p", "full")] == london["CSI 300"].headline.placebo.scaled.p_value
    with pytest.raises(WindowError, match="results is empty"):
        mr.compare({})


def test_bands_hold_the_pointwise_interval_and_more(london, catalogue) -> None:
    band = london.study.bands().query("market == 'CSI 300'")
    frame = london.study.to_frame().query("market == 'CSI 300'")
    np.testing.assert_allclose(band["conf_low"], frame["conf_low"], rtol=1e-9)
    assert (band["simultaneous_low"] < band["conf_low"]).all()
    mean = catalogue.bands().query("market == 'VIX'")
    paths = catalogue.to_frame().query("market == 'VIX'").pivot_table(index="event_id", columns="tau", values="car")
    at = pd.Series({name: pair.position for (name, market), pair in catalogue.pairs.items() if market == "VIX"})
    ordered = paths.loc[at.sort_values(kind="stable").index]
    merged = ordered.groupby((at.sort_values().diff() >= 6).cumsum().to_numpy()).mean()  # six sessions, 0 to 5
    np.testing.assert_allclose(mean["car"], merged.mean(), rtol=1e-9)
    low, _ = stats.t.interval(0.95, len(merged) - 1, loc=merged.mean(), scale=merged.sem())
    np.testing.assert_allclose(mean["conf_low"], low, rtol=1e-9)


def test_the_mean_over_events_counts_overlapping_ones_once(catalogue) -> None:
    mean = catalogue.caar()
    found = catalogue.tests(["event_level_t"]).set_index("market")
    for market in ("CSI 300", "VIX"):
        assert mean.loc[market, "p_value"] == pytest.approx(found.loc[market, "p_value"], rel=1e-12)
        assert mean.loc[market, "n_clusters"] == found.loc[market, "n"] < mean.loc[market, "n_events"]


def test_a_test_of_day_zero_says_so_whatever_window_is_asked(london) -> None:
    found = london.study.tests(["placebo", "forecast_t", "drift_before", "joint_maximum"], window=(0, 5))
    windows = found.drop_duplicates("test").set_index("test")["window"]
    expected = {"placebo": "[0,0]", "forecast_t": "[0,5]", "drift_before": "[-5,-1]", "joint_maximum": "[0,0]"}
    assert windows.to_dict() == expected


def test_diagnostics_name_the_day_that_rules_the_window(london) -> None:
    csi = london.study.diagnostics().reset_index().query("market == 'CSI 300'").set_index("diagnostic")
    assert "2025-04-07" in csi.loc["largest_residual", "note"]
    assert csi.loc["jarque_bera", "p_value"] < 1e-6
    assert 0.5 < csi.loc["influence", "value"] < 0.9


def test_power_rises_to_the_mde_and_says_how_much_a_finding_would_exaggerate(london) -> None:
    row = london.tests(["forecast_t", "placebo"]).set_index(["market", "test"])
    mde = row.loc[("CSI 300", "forecast_t"), "mde"]
    placebo = row.loc[("CSI 300", "placebo"), "mde"]
    table = london.study.power([mde / 4, mde, placebo]).loc["CSI 300"]
    assert table["power_t"].iloc[1] == pytest.approx(0.8, abs=1e-3)
    assert table["power_placebo"].iloc[2] == pytest.approx(0.8, abs=0.01)
    assert table["exaggeration"].iloc[0] > 2
