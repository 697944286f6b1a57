"""The main job on the bundled series: the announcements the project starts from, and what a user may do wrong."""

import numpy as np
import pandas as pd
import pytest

import market_reaction as mr
from market_reaction.errors import AnnouncementTimeError, DataUnavailableError, UnknownInstrumentError, WindowError


@pytest.fixture(scope="module")
def london() -> mr.ReactionResult:
    return mr.react("2025-06-10-jt", source="bundled")


def test_eight_markets_work_without_a_network_and_the_others_are_named(london) -> None:
    assert [row.market for row in london.reactions] == [
        "CSI 300", "USD/CNY (ECB)", "VIX", "US 2y", "US 10y", "Broad dollar", "WTI spot", "Brent spot",
    ]  # fmt: skip
    assert london.prices.unavailable["market"].tolist() == ["E-mini S&P 500", "USD/CNH", "S&P 500", "Hang Seng", "Gold"]


def test_the_london_framework_day(london) -> None:
    csi = london["CSI 300"].headline
    assert (f"{csi.session:%Y-%m-%d}", round(csi.change, 4)) == ("2025-06-11", 0.0075)
    assert csi.record.since == pd.Timestamp("2025-05-14")
    assert csi.record.text == "largest one-day gain since 2025-05-14, 19 sessions earlier (1 day in 19 by chance)"
    assert csi.z == pytest.approx(0.70, abs=0.005)
    assert csi.z_ewma == pytest.approx(0.79, abs=0.005)
    assert csi.placebo.scaled.p_value == pytest.approx(0.36, abs=0.01)
    assert london["USD/CNY"].headline.change == pytest.approx(0.0003, abs=5e-5)
    vix = london["VIX"].headline
    assert (vix.previous_close, vix.close) == (16.95, 17.26)
    assert london["US 10y"].headline.change == pytest.approx(-0.06)
    assert london["WTI spot"].headline.change == pytest.approx(0.0495, abs=5e-5)


def test_the_other_news_of_that_day_stand_beside_each_return(london) -> None:
    csi = {news.id: news.side for news in london["CSI 300"].other_news}
    assert csi == {"2025-06-10-us": "overlaps"}
    oil = {news.id: news.side for news in london["WTI spot"].other_news}
    assert oil["2025-06-11-us-baghdad"] == oil["2025-06-11-us-cpi"] == oil["2025-06-11-us"] == "after"
    assert "2025-06-10-jt" not in oil
    typed = mr.react("2025-06-10 22:50 UTC", markets=["WTI spot"], source="bundled")
    assert "2025-06-10-jt" not in {news.id for news in typed["WTI spot"].other_news}
    assert any("2025-06-10-jt" in note for note in typed.notes)


def test_geneva_has_two_candidates_and_says_why() -> None:
    row = mr.react("2025-05-12 07:00 UTC", markets=["CSI 300"], source="bundled")["CSI 300"]
    assert row.ambiguous
    assert [f"{found.session:%m-%d}" for found in row.candidates] == ["05-12", "05-13"]
    assert row.headline is row.candidates[1]
    assert row.candidates[0].change == pytest.approx(0.0116, abs=5e-5)
    assert any("straddle the close of 2025-05-12 at 07:00 UTC" in note for note in row.notes)
    assert any(news.utc < pd.Timestamp("2025-05-12", tz="UTC") for news in row.other_news)  # inside the first return
    assert row.candidates[0].placebo.scaled.p_value != row.candidates[1].placebo.scaled.p_value


def test_each_candidate_is_measured_as_if_it_were_day_zero() -> None:
    both = mr.react("2025-05-12 07:00 UTC", markets=["CSI 300"], source="bundled")["CSI 300"]
    before = mr.react("2025-05-12 06:30 UTC", markets=["CSI 300"], source="bundled")["CSI 300"].headline
    first = both.candidates[0]
    assert (first.change, first.z, first.z_ewma, first.windows) == (
        before.change,
        before.z,
        before.z_ewma,
        before.windows,
    )


def test_the_tariff_memorandum_of_march_2018() -> None:
    result = mr.react("2018-03-22 16:45 UTC", markets=["S&P 500", "VIX", "CSI 300", "Apple"], source="bundled")
    sp = result["S&P 500"].headline
    assert (f"{sp.session:%Y-%m-%d}", round(sp.change, 4)) == ("2018-03-22", -0.0252)
    vix = result["VIX"].headline
    assert (f"{vix.session:%Y-%m-%d}", vix.previous_close, vix.close) == ("2018-03-22", 17.86, 23.34)
    assert f"{result['CSI 300'].headline.session:%Y-%m-%d}" == "2018-03-23"


def test_a_bare_date_is_marked_clock_unknown() -> None:
    result = mr.react(date="2025-06-11", markets=["CSI 300"], source="bundled")
    assert any(note.startswith("clock unknown") for note in result.notes)
    assert result.to_dict()["announcement"]["clock_known"] is False
    assert f"{result['CSI 300'].headline.session:%Y-%m-%d}" == "2025-06-11"
    closed = mr.react(date="2025-10-01", markets=["CSI 300"], source="bundled")["CSI 300"]
    assert f"{closed.headline.session:%Y-%m-%d}" == "2025-10-09"
    assert any("2025-10-01 is no session of this market" in note for note in closed.notes)


def test_windows_that_are_not_over_are_null_and_say_when() -> None:
    result = mr.react("2025-12-22 12:00 UTC", markets=["US 10y"], windows=[(0, 1), (0, 10)], source="bundled")
    done, waiting = result["US 10y"].headline.windows
    assert done.complete_on is None and np.isfinite(done.car)
    assert np.isnan(waiting.car)
    assert waiting.complete_on > pd.Timestamp("2025-12-30")
    assert result.to_dict()["reactions"][0]["windows"][1]["car"] is None


def test_the_json_contract(london) -> None:
    got = london.to_dict()
    assert set(got) >= {"schema_version", "announcement", "parameters", "unavailable", "reactions"}
    assert set(got["announcement"]) >= {"text", "utc", "utc_earliest", "utc_latest", "event_id"}
    row = got["reactions"][0]
    assert set(row) >= {
        "market", "source", "vintage", "price_basis", "unit", "session", "ambiguous", "candidates", "phase",
        "minutes_to_first_trade", "previous_close", "close", "change", "abnormal", "z", "z_mad", "z_ewma", "placebo_p",
        "placebo_p_floor", "placebo_n", "mde", "windows", "rank", "other_news", "notes",
    }  # fmt: skip
    assert set(row["candidates"][0]) == {
        "session", "previous_close", "close", "change", "abnormal", "z", "z_mad", "z_ewma", "placebo_p",
        "placebo_p_floor", "mde", "days_as_large", "days_compared", "windows", "rank",
    }  # fmt: skip
    assert set(row["windows"][0]) == {"start", "end", "car", "std_error", "complete_on"}
    assert set(row["rank"]) == {
        "direction", "since", "sessions", "chance", "pool_share", "pool_share_any_market", "text",
    }  # fmt: skip
    assert [r["unit"] for r in got["reactions"]][:5] == [
        "return", "return", "points", "percentage points", "percentage points",
    ]  # fmt: skip
    assert "NaN" not in london.to_json()


def test_the_market_model_is_relative_to_its_benchmark() -> None:
    options = {"markets": ["Apple", "Microsoft"], "benchmark": "S&P 500", "source": "bundled"}
    result = mr.react("2018-03-22 16:45 UTC", normal_model="market_adjusted", **options)
    sp = mr.react("2018-03-22 16:45 UTC", markets=["S&P 500"], source="bundled")["S&P 500"]
    apple = result["Apple"].headline
    assert apple.abnormal == pytest.approx(np.log1p(apple.change) - np.log1p(sp.headline.change))
    assert [row.market for row in result.reactions] == ["Apple", "Microsoft"]
    assert any(note.startswith("relative effect") and "S&P 500" in note for note in result["Apple"].notes)


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        ({}, AnnouncementTimeError, "got neither"),
        ({"announcement": "2025-06-10-jt", "date": "2025-06-11"}, AnnouncementTimeError, "got both"),
        ({"announcement": "2025-06-11"}, AnnouncementTimeError, "--date 2025-06-11"),
        ({"announcement": "2025-06-11 09:00 CST"}, AnnouncementTimeError, "more than one meaning"),
        (
            {"announcement": "2025-06-10-jt", "markets": ["NOPE"]},
            UnknownInstrumentError,
            "'NOPE' is not in the catalogue",
        ),
        (
            {"announcement": "2026-11-01 12:00 UTC", "markets": ["CSI 300"]},
            DataUnavailableError,
            r"bundled data run from .* to 2025",
        ),
        (
            {"announcement": "2006-03-01 12:00 UTC", "markets": ["CSI 300"]},
            DataUnavailableError,
            "do not hold the estimation window",
        ),
        ({"announcement": "2025-06-10-jt", "windows": [(5, 0)]}, WindowError, "is no window"),
    ],
)
def test_wrong_use_says_what_is_wrong_and_what_to_do(arguments, error, says) -> None:
    with pytest.raises(error, match=says):
        mr.react(**({"source": "bundled"} | arguments))


def test_the_article_on_the_real_series(reference) -> None:
    folder = reference / "data" / "series"
    markets = ["E-mini S&P 500", "USD/CNH", "CSI 300", "Hang Seng", "China Northern Rare Earth", "MP Materials"]
    result = mr.react("2025-06-10-jt", markets=markets, source="files", folder=folder, windows=[(0, 7)])
    levels = {
        row.market: (row.headline.previous_close, row.headline.close, round(row.headline.change, 4))
        for row in result.reactions
    }
    assert levels["E-mini S&P 500"] == (6045.0, 6029.0, -0.0026)
    assert levels["USD/CNH"] == (7.1889, 7.1983, 0.0013)
    assert [levels[name][2] for name in markets[2:]] == [0.0075, 0.0084, 0.0345, -0.0584]
    assert any("2025-06-20" in note and "settlement" in note for note in result["E-mini S&P 500"].notes)
    speech = mr.react("2025-04-02 20:10 UTC", markets=markets[:1], source="files", folder=folder)["E-mini S&P 500"]
    assert f"{speech.headline.session:%Y-%m-%d}" == "2025-04-03"
    assert speech.headline.change == pytest.approx(-0.0489, abs=5e-5)


def test_markets_the_model_cannot_measure_are_named_and_the_rest_measured() -> None:
    result = mr.react(
        "2018-03-22 16:45 UTC", markets=["Apple", "CSI 300", "S&P 500"], normal_model="market", source="bundled"
    )
    assert [row.market for row in result.reactions] == ["Apple"]
    reasons = result.prices.unavailable.set_index("market")["reason"]
    assert list(reasons.index) == ["CSI 300", "S&P 500"]
    assert reasons.str.contains("no default benchmark").all()


def test_a_benchmark_on_holiday_is_named() -> None:
    row = mr.react(
        "2021-10-04 12:00 UTC", markets=["Apple"], normal_model="market", benchmark="CSI 300", source="bundled"
    )["Apple"]
    assert np.isnan(row.headline.abnormal)
    assert any("CSI 300 has no close" in note and "2021-10-04" in note for note in row.notes)


def test_a_release_typed_by_its_time_is_not_its_own_other_news() -> None:
    result = mr.react("2025-06-11 12:30 UTC", markets=["US 10y"], source="bundled")
    assert "2025-06-11-us-cpi" not in {news.id for news in result["US 10y"].other_news}
    assert any("2025-06-11-us-cpi" in note for note in result.notes)
