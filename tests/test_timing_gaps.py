"""Overnight gap and session move: against the bars themselves, around opens whose clock lies, and without one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import market_reaction as mr
from helpers import seeded_closes
from market_reaction import paths
from market_reaction.instruments import Instrument
from market_reaction.prices import Vintage, build_series
from market_reaction.timing import gap_chart, gaps
from market_reaction.timing.opens import opens_of


@pytest.fixture(scope="module")
def london() -> mr.ReactionResult:
    return mr.react("2025-06-10-jt", source="bundled")


def from_folder(reference: Path, announcement: str, markets: list[str]) -> mr.ReactionResult:
    return mr.react(announcement, markets=markets, source="files", folder=reference / "data" / "series")


def test_the_parts_are_those_of_the_bars_and_add_up(london) -> None:
    bars = pd.read_csv(paths.data_dir() / "bundled" / "csi300.csv", index_col="date")
    before, day = bars.loc["2025-06-10"], bars.loc["2025-06-11"]
    frame = mr.overnight_gaps(london).to_frame().loc["CSI 300"].droplevel("session")
    assert frame.loc["gap", "move"] == pytest.approx(np.log(day["open"] / before["close"]))
    assert frame.loc["session", "move"] == pytest.approx(np.log(day["close"] / day["open"]))
    assert frame["move"].sum() == pytest.approx(np.log1p(london["CSI 300"].headline.change))
    assert frame["abnormal"].sum() == pytest.approx(london["CSI 300"].headline.abnormal)


def test_each_part_has_its_own_placebo(london) -> None:
    series = london["CSI 300"].series
    opened, closed = series.bars["open"].to_numpy(), series.closes
    moves = np.append(np.nan, np.log(opened[1:] / closed[:-1]))
    variance = pd.Series(moves[1:] ** 2)
    start = variance.iloc[:60].mean()
    known = pd.concat([pd.Series([start]), variance.iloc[60:]]).ewm(alpha=0.03, adjust=False).mean().to_numpy()
    sigma = np.append(np.full(61, np.nan), np.sqrt(known))  # row t holds what is known at t - 1
    at = series.sessions.get_loc(pd.Timestamp("2025-06-11"))
    pool = series.sessions.get_indexer(london["CSI 300"].headline.placebo.pool_sessions)
    statistics = [(moves[row] - moves[row - 130 : row - 10].mean()) / sigma[row] for row in [at, *pool]]
    larger = np.sum(np.abs(statistics[1:]) >= abs(statistics[0]))
    found = mr.overnight_gaps(london).to_frame().xs("gap", level="part").iloc[0]
    assert found["statistic"] == pytest.approx(statistics[0])
    assert found["placebo_p"] == pytest.approx((1 + larger) / 501)
    assert found["n_placebo"] == 500


def test_markets_without_an_open_whose_clock_is_known_say_so(london) -> None:
    result = mr.overnight_gaps(london)
    reasons = result.excluded.set_index("market")["reason"]
    assert "fixing is struck once a day" in reasons["USD/CNY (ECB)"]
    assert "clock of its open is not known" in reasons["VIX"]
    assert "yield is struck once a day" in reasons["US 10y"]
    assert reasons["WTI spot"] == "its bundled series holds no open"
    assert {row.market for row in london.reactions} == {*reasons.index, "CSI 300"}


def test_without_any_open_the_answer_and_the_chart_say_why() -> None:
    result = mr.overnight_gaps(mr.react("2025-06-10-jt", markets=["VIX"], source="bundled"))
    assert result.answer().startswith("No market here can be split into overnight gap and session move (VIX: the clock")
    assert "No market here has an open whose clock is known" in result.plot().layout.title.text
    assert result.summary().empty
    assert "Without a split" in result._repr_html_()


def test_the_answer_and_the_charts_tell_where_the_news_fell(london) -> None:
    result = mr.overnight_gaps(london)
    assert result.answer().startswith(
        "CSI 300 rose 0.75% in its session of 2025-06-11: overnight gap +0.13%, placebo p 0.60, then session move +0.6"
    )
    assert "86% of the hours since the close before had passed" in result.answer()  # 15 h 50 min of 18 h 30 min
    assert list(result.to_frame()["news"]) == ["holds it", "after it"]
    assert list(result.summary().columns) == [f"{n}_{p}" for n in ("move", "placebo_p", "news") for p in gaps.PARTS]


@pytest.mark.parametrize(
    ("stamp", "place"),
    [
        ("2025-06-11 01:20 UTC", "gap"),
        ("2025-06-11 01:27 UTC", "either"),  # the open is struck in the auction that ends at 09:25 and shown at 09:30
        ("2025-06-11 01:31 UTC", "session"),
        ("2025-06-11 04:00 UTC", "session"),
    ],
)
def test_news_around_the_open_of_shanghai(stamp, place) -> None:
    result = mr.overnight_gaps(mr.react(stamp, markets=["CSI 300"], source="bundled"))
    told = {"gap": ["holds it", "after it"], "either": ["may hold it"] * 2, "session": ["before it", "holds it"]}
    assert list(result.to_frame()["news"]) == told[place]


def test_lunch_does_not_count_as_time_before_the_news() -> None:
    parts = mr.overnight_gaps(mr.react("2025-06-11 04:00 UTC", markets=["CSI 300"], source="bundled")).to_frame()
    assert parts.xs("session", level="part")["share_before"].iloc[0] == 0.5  # two of four hours, at noon


def test_a_date_without_a_clock_cannot_place_the_news() -> None:
    result = mr.overnight_gaps(mr.react(date="2025-06-11", markets=["CSI 300"], source="bundled"))
    assert set(result.to_frame()["news"]) == {"may hold it"}
    assert "not certain enough" in result.answer()


def test_news_of_which_only_the_day_is_known_bounds_the_share() -> None:
    result = mr.overnight_gaps(mr.react("2018-04-02-cn", markets=["CSI 300"], source="bundled"))
    assert "before the open, at the latest when 49% of the hours" in result.answer()  # 9 h of 18 h 25 min, to midnight
    assert "at most 49% of its time came before" in result._repr_html_()


def test_geneva_came_at_the_close_and_both_sessions_are_split() -> None:
    result = mr.overnight_gaps(mr.react("2025-05-12-jt", markets=["CSI 300"], source="bundled"))
    news = result.to_frame()["news"].to_dict()
    twelfth, thirteenth = pd.Timestamp("2025-05-12"), pd.Timestamp("2025-05-13")
    assert news["CSI 300", twelfth, "gap"] == "before it"
    assert news["CSI 300", thirteenth, "gap"] == "holds it"
    assert "The news came at the close before" in result.answer() and "CSI 300 is ambiguous" in result.answer()
    assert "or 2025-05-12" in result._repr_html_().replace('<span class="mr-fixed">', "")


def test_a_date_chosen_for_its_move_has_no_p() -> None:
    chosen = mr.react("2025-06-10-jt", markets=["CSI 300"], source="bundled", selected_because_it_moved=True)
    frame = mr.overnight_gaps(chosen).to_frame()
    assert frame["placebo_p"].isna().all()
    assert frame["note"].str.contains("chosen because the market moved").all()


def test_opens_that_cannot_be_are_left_out_with_the_reason() -> None:
    closes = seeded_closes(rows=300)["m0"].to_numpy()
    days = pd.DatetimeIndex(
        mr.load_prices(["CSI 300"], "2023-01-01", "2024-12-31", source="bundled")["CSI 300"].sessions
    )
    days = days[:300]
    bars = pd.DataFrame({"open": closes, "high": closes * 1.01, "low": closes * 0.99, "close": closes}, index=days)
    bars.iloc[10, 0], bars.iloc[11, 0], bars.iloc[12, 0] = 2 * closes[10], 0.0, np.nan
    bars.iloc[11, 2] = -1.0  # the low, so that only the open itself is wrong
    vintage = Vintage("frame", "x", None, days[0], days[-1], len(days), "0")
    maker = Instrument("Shares", "equity", calendar="XSHG")
    found = opens_of(build_series(maker, bars, source="frame", price_basis="close", vintage=vintage))
    assert found.excluded.set_index("session")["reason"].to_dict() == {
        days[10]: "open outside low and high",
        days[11]: "open not above zero",
    }
    assert not found.usable[[10, 11, 12]].any()
    assert found.usable.sum() == 297


def test_hostile_names_stay_text(london) -> None:
    series = london["CSI 300"].series
    name = '<b onclick="x">=1+1</b>'
    maker = Instrument(name, "equity", calendar="XSHG")
    built = build_series(maker, series.bars, source="frame", price_basis="close", vintage=series.vintage)
    result = mr.react("2025-06-10-jt", markets=["CSI 300"], source="bundled")
    row = result.reactions[0]
    object.__setattr__(row, "series", built)
    split = mr.overnight_gaps(result)
    assert "<b onclick" not in split._repr_html_()
    assert "<b onclick" not in split.plot().to_json().replace("\\u003c", "<")


def test_a_bar_leaves_its_range_exactly_when_its_p_is_small(london) -> None:
    for stamp in ("2025-06-10-jt", "2025-04-02 20:10 UTC", "2025-10-10 14:57 UTC", "2018-03-22 16:45 UTC"):
        result = mr.overnight_gaps(mr.react(stamp, markets=["CSI 300"], source="bundled"))
        for piece in result.parts:
            assert (abs(piece.test.abnormal) > gap_chart._bound(piece)) == (piece.test.rank.p_value <= 0.05)
    with pytest.raises(ValueError, match="kind='pie' is not known; choose one of parts"):
        result.plot(kind="pie")


def test_tables_and_provenance(london, tmp_path) -> None:
    result = mr.overnight_gaps(london)
    assert next(iter(result.tables())) == "gap and session"
    assert len(result.to_parquet(tmp_path)) == 3
    assert result.provenance().parameters["announcement"] == "2025-06-10-jt"
    assert "CSI 300" in result.provenance().vintage.index
    assert repr(result).startswith("<OvernightGaps: CSI 300 rose 0.75%")


def test_the_printed_parts_are_those_of_the_bars_or_the_reason_for_none(london) -> None:
    result = mr.overnight_gaps(london)
    (lines,) = result.printed().values()
    headings = ["Market", "Session", "Part", "Change", "Placebo p (floor)", "Smallest detectable", "To the news"]
    assert lines.columns.tolist() == headings
    bars = pd.read_csv(paths.data_dir() / "bundled" / "csi300.csv", index_col="date")
    gap = np.log(bars.loc["2025-06-11", "open"] / bars.loc["2025-06-10", "close"])
    assert lines["Change"].tolist()[0] == f"{100 * gap:+.2f}%" == "+0.13%"
    assert lines["Market"].tolist() == ["CSI 300", ""] and lines["Part"].tolist() == ["overnight gap", "session move"]
    page = result._repr_html_()
    assert all(f">{name}</th>" in page for name in headings)
    none = mr.overnight_gaps(mr.react("2025-06-10-jt", markets=["VIX"], source="bundled"))
    (left,) = none.printed().values()
    assert left["Market"].tolist() == ["VIX"] and "clock of its open is not known" in left["Reason"].iloc[0]
    assert "VIX & every one &" in none.to_latex()


@pytest.mark.reference
def test_the_tariff_speech_is_in_the_gap_of_a_future_that_opens_the_evening_before(reference) -> None:
    result = mr.overnight_gaps(from_folder(reference, "2025-04-02 20:10 UTC", ["E-mini S&P 500", "USD/CNH"]))
    gap = result.to_frame().xs("gap", level="part").loc["E-mini S&P 500"].iloc[0]
    assert gap["move"] == pytest.approx(np.log(5550.50 / 5712.25))
    assert (gap["from_utc"], gap["to_utc"]) == (
        pd.Timestamp("2025-04-02 20:00", tz="UTC"),  # settlement
        pd.Timestamp("2025-04-02 22:00", tz="UTC"),  # 18:00 New York
    )
    assert gap["news"] == "holds it"
    assert gap["placebo_p"] < 0.05
    assert "round the clock" in result.excluded["reason"].iloc[0]
    assert "18:00 New York the evening before" in result.notes[0]


@pytest.mark.reference
def test_what_the_future_gained_before_geneva_is_hatched_as_no_reaction(reference) -> None:
    result = mr.overnight_gaps(from_folder(reference, "2025-05-12-jt", ["E-mini S&P 500", "S&P 500", "Nikkei 225"]))
    news = result.to_frame().reset_index().query("part == 'gap'").set_index("market")["news"]
    assert news["E-mini S&P 500"] == "before it"
    assert news["S&P 500"] == "holds it"
    assert any(trace.name == "overnight gap, before the news" for trace in result.plot().data)
    assert any("seems to hold old prices" in note and note.startswith("Nikkei 225") for note in result.notes)
