"""The order in which closes were struck, ambiguous sessions, and what daily closes cannot say."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import market_reaction as mr
from market_reaction import theme


@pytest.fixture(scope="module")
def london() -> mr.ReactionResult:
    return mr.react("2025-06-10-jt", source="bundled")


def test_closes_come_in_order_with_the_first_tradable_moment(london) -> None:
    order = mr.order_of_closes(london)
    frame = order.to_frame().droplevel("session")
    assert frame["close_utc"].is_monotonic_increasing
    assert list(frame.index[:2]) == ["CSI 300", "USD/CNY (ECB)"]
    assert frame.loc["CSI 300", "close_utc"] == pd.Timestamp("2025-06-11 07:00", tz="UTC")
    assert frame.loc["CSI 300", "first_trade_utc"] == pd.Timestamp("2025-06-11 01:30", tz="UTC")
    assert frame.loc["VIX", "closes_before_first_trade"] == ("CSI 300", "USD/CNY (ECB)")
    assert pd.isna(frame.loc["USD/CNY (ECB)", "phase"])  # a fixing has no trading hours
    assert frame.loc["CSI 300", "change"] == london["CSI 300"].headline.change


def test_a_close_whose_clock_is_an_interval_is_later_only_when_all_of_it_is(london) -> None:
    before = mr.order_of_closes(london).to_frame().droplevel("session")["closes_before"]
    assert before["WTI spot"] == ("CSI 300", "USD/CNY (ECB)")  # from 12:00 New York: the noon dollar is not before it
    assert "Brent spot" in before["VIX"] and "WTI spot" not in before["VIX"]
    assert any("WTI spot" in note and "not known to the minute" in note for note in mr.order_of_closes(london).notes)


def test_the_answer_does_not_claim_a_first_mover(london) -> None:
    answer = mr.order_of_closes(london).answer()
    assert "The first close certain to hold it was CSI 300's, 11 Jun 07:00 UTC, 8 h 10 min later (+0.75%" in answer
    assert "The first unusual one was Brent spot's" in answer
    assert answer.endswith("only whose close held the news first.")


def test_a_close_between_the_news_and_the_next_open_has_no_first_trade() -> None:
    order = mr.order_of_closes(mr.react("2025-04-02 20:10 UTC", markets=["VIX", "CSI 300"], source="bundled"))
    frame = order.to_frame().droplevel("session")
    assert frame.loc["VIX", "close_utc"] == pd.Timestamp("2025-04-02 20:15", tz="UTC")  # shares closed at 20:00
    assert pd.isna(frame.loc["VIX", "first_trade_utc"])
    assert frame.loc["CSI 300", "closes_before_first_trade"] == ("VIX",)


def test_an_unknown_clock_says_so() -> None:
    order = mr.order_of_closes(mr.react(date="2025-06-11", markets=["CSI 300", "VIX"], source="bundled"))
    assert order.answer().startswith("Clock unknown. The first close taken to hold it was")
    assert order.to_frame()["minutes_to_close"].isna().all()
    assert "start of the day" in order.plot().layout.xaxis.title.text


def test_a_day_without_an_hour_counts_from_its_end() -> None:
    order = mr.order_of_closes(mr.react("2018-04-02-cn", markets=["CSI 300", "VIX"], source="bundled"))
    frame = order.to_frame()
    assert frame["ambiguous"].any()
    assert "The session is ambiguous in " in order.answer()
    assert "end of the day" in order.plot().layout.xaxis.title.text


def test_the_chart_marks_every_close_and_its_moment(london) -> None:
    order = mr.order_of_closes(london)
    figure = order.plot()
    marks = next(trace for trace in figure.data if trace.name == "close on the news")
    hours = [(item.close_utc - london.event["announced_utc"]).total_seconds() / 3600 for item in order.closes]
    assert list(marks.x) == hours
    assert theme.plain_title(figure).startswith("First close certain to hold the news: CSI 300, 11 Jun 07:00 UTC")
    with pytest.raises(ValueError, match="kind='clock' is not known; choose one of order"):
        order.plot(kind="clock")


def test_tables_are_text_where_they_hold_lists(london, tmp_path) -> None:
    order = mr.order_of_closes(london)
    tables = order.tables()
    assert len(order.to_parquet(tmp_path)) == 2
    assert tables["order of closes"]["closes_before"].map(type).eq(str).all()
    assert set(tables["not available"]["market"]) == {"E-mini S&P 500", "USD/CNH", "S&P 500", "Hang Seng", "Gold"}
    assert order.provenance().parameters["announcement"] == "2025-06-10-jt"
    page = order._repr_html_()
    assert "Closes known at its first trade" in page
    assert "up = yuan weaker" in page and "+0.31 points" in page


def test_the_printed_order_has_words_units_and_zones(london) -> None:
    ((caption, lines),) = mr.order_of_closes(london).printed().items()
    assert caption.startswith(
        "Closes in the order they were struck after 2025-06-10 22:50 UTC (bounds 2025-06-10 22:15"
    )
    headings = ["Market", "Session", "News to first trade", "Close (UTC)", "Change", "Placebo p (floor)"]
    assert lines.columns.tolist() == headings
    assert lines.iloc[0].tolist() == [
        "CSI 300", "2025-06-11", "2 h 40 min", "2025-06-11 07:00", "+0.75%", "0.36 (0.002)",
    ]  # fmt: skip
    changes = lines.set_index("Market")["Change"]
    assert changes["VIX (up = more expected volatility)"] == "+0.31 points"
    assert changes["US 10y (up = lower bond prices)"] == "−6 bp"
    assert "USD/CNY (ECB) (up = yuan weaker)" in changes.index


@pytest.mark.reference
def test_geneva_is_ambiguous_in_shanghai_and_certain_in_hong_kong(reference: Path) -> None:
    folder = reference / "data" / "series"
    result = mr.react("2025-05-12-jt", markets=["CSI 300", "Hang Seng"], source="files", folder=folder)
    order = mr.order_of_closes(result)
    frame = order.to_frame()
    twelfth, thirteenth = pd.Timestamp("2025-05-12"), pd.Timestamp("2025-05-13")
    assert [*frame.index] == [("CSI 300", twelfth), ("Hang Seng", twelfth), ("CSI 300", thirteenth)]
    assert list(frame["ambiguous"]) == [True, False, True]
    assert list(frame["headline"]) == [False, True, True]
    assert frame.loc[("Hang Seng", twelfth), "change"] == pytest.approx(0.0298, abs=5e-5)
    answer = order.answer()
    assert "The first close certain to hold it was Hang Seng's, 12 May 08:00 UTC, 1 h 00 min later (+2.98%" in answer
    assert "The session is ambiguous in CSI 300; also possible: CSI 300 on 2025-05-12 (+1.16%" in order.answer()
    assert any(trace.name == "other possible close" for trace in order.plot().data)


@pytest.mark.reference
def test_round_the_clock_markets_could_move_at_once(reference: Path) -> None:
    markets = ["E-mini S&P 500", "USD/CNH", "Dollar index", "Nikkei 225", "CSI 300"]
    result = mr.react("2025-06-10-jt", markets=markets, source="files", folder=reference / "data" / "series")
    order = mr.order_of_closes(result)
    frame = order.to_frame().droplevel("session")
    assert frame.loc[["E-mini S&P 500", "USD/CNH", "Dollar index"], "minutes_to_first_trade"].eq(0).all()
    assert frame.loc["E-mini S&P 500", "change"] == pytest.approx(6029 / 6045 - 1)
    assert order.closes[0].market == "Nikkei 225"
    assert "were open when the news came. The first close certain to hold it was Nikkei 225's" in order.answer()
