"""Placebo tests in words and charts: counts made by hand, what has no p with its reason, hostile texts."""

import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import market_reaction as mr
from helpers import price_data, seeded_closes
from market_reaction import theme, wording
from market_reaction.battery.options import CHOSEN
from market_reaction.errors import OverlappingEventsWarning, UnknownInstrumentError
from market_reaction.placebo_result import PlaceboResult

HOSTILE = '<img src=x onerror="alert(1)"> & <b>title</b>'


def placebo_of(closes: pd.DataFrame, events: dict[str, str], history: int = 100) -> PlaceboResult:
    return placebo_after(closes, mr.load_events(events), history)


def placebo_after(closes: pd.DataFrame, events: pd.DataFrame, history: int = 100) -> PlaceboResult:
    prices = price_data(closes)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", OverlappingEventsWarning)  # two events of a day are meant to share a session
        study = mr.event_study(prices, events, windows=mr.EventWindows(event=(0, 0)), on_bad_event="exclude")
    return mr.placebo_test(study, prices, history=history)


@pytest.fixture(scope="module")
def one() -> PlaceboResult:
    return placebo_of(seeded_closes(columns=2), {"a": "2022-05-03 12:00 UTC"})


@pytest.fixture(scope="module")
def several() -> PlaceboResult:
    days = ["2021-06-01", "2021-09-01", "2021-09-01", "2022-02-01", "2022-05-03", "2022-09-06"]
    return placebo_of(seeded_closes(columns=2), {f"e{at}": f"{day} 12:00 UTC" for at, day in enumerate(days)})


def shaken(size: float) -> PlaceboResult:
    """One event in one market that jumps by ``size`` on its day 0."""
    closes = seeded_closes()
    closes.loc["2022-05-03":] *= np.exp(size)
    return placebo_of(closes, {"a": "2022-05-03 12:00 UTC"})


def test_the_answer_of_one_event_counts_the_pool(one) -> None:
    test = one.markets["a", "m0"]
    larger = sum(abs(value) >= abs(test.statistic) for value in test.pool.tolist())
    assert len(test.pool) == 100
    p = f"{(1 + larger) / 101:.2f}"
    closes = seeded_closes(columns=2)["m0"]
    change = closes["2022-05-03"] / closes["2022-05-02"] - 1
    verb = "rose" if change > 0 else "fell"
    head = f"m0 {verb} {abs(change):.2%} in its session of 2022-05-03 (placebo p {p}); none of the 2 markets tested"
    assert one.answer().startswith(head)
    joint = one.joint["a"]
    pool = sum(max(abs(row)) >= max(abs(joint.event)) for row in joint.pool)
    assert f"(joint p over 2 markets {(1 + pool) / 101:.2f})." in one.answer()
    assert "Not unusual: m1 (" in one.answer()
    assert one.answer().endswith("With 100 earlier days no p can be below 0.010.")
    assert max(map(len, one.answer(width=60).splitlines())) <= 60
    assert repr(one) == f"<PlaceboResult: {one.answer()}>"


def test_a_p_at_its_floor_is_said_to_be_there() -> None:
    result = shaken(0.5)
    assert result.markets["a", "m0"].scaled.p_value == 1 / 101
    assert "(placebo p 0.010), which was unusual." in result.answer()
    assert result.answer().endswith("With 100 earlier days no p can be below 0.010, which it is.")


def test_several_events_are_counted_against_chance(several) -> None:
    summary = several.summary()
    low = int((summary["placebo_p"] <= 0.05).sum())
    answer = several.answer()
    assert f"6 events in 2 markets: {low} of 12 reactions" in answer
    assert "; about 0.6 would be by chance alone." in answer
    assert "markets move together and 4 of them share their session with another event" in answer
    joint = several.joint_summary().xs("maximum", level="statistic")["placebo_p"]
    assert f"by the joint p over their markets, {int((joint <= 0.05).sum())} of 6 events" in answer
    event_id, market = summary["placebo_p"].idxmin()
    assert f"{market} after {event_id} (" in answer


def test_events_alone_in_one_market_have_no_ties_to_speak_of() -> None:
    result = placebo_of(seeded_closes(), {"a": "2021-06-01 12:00 UTC", "b": "2022-05-03 12:00 UTC"})
    assert result.answer().startswith("2 events in m0: ")
    assert "That number holds" not in result.answer() and "joint" not in result.answer()


def test_what_has_no_p_is_named_with_its_reason() -> None:
    short = placebo_of(seeded_closes(columns=3), {"a": "2022-05-03 12:00 UTC"}, history=50)
    reason = "50 pseudo-announcements; at least 100 are needed"
    assert f"(no placebo p: {reason})." in short.answer()
    assert short.answer().endswith("The same holds for m1 and m2.")
    assert short.excluded[["market", "reason"]].to_numpy().tolist() == [[f"m{at}", reason] for at in range(3)]
    assert theme.plain_title(short.plot()) == f"m0: no placebo p, because {reason}"
    events = {"a": "2022-05-03 12:00 UTC", "b": "2022-09-06 12:00 UTC"}
    both = placebo_of(seeded_closes(columns=2), events, history=50)
    assert both.answer() == f"None of 4 reactions has a placebo p. No p for m0 (2 events) and m1 (2 events): {reason}."
    assert theme.plain_title(both.plot()) == "Nothing to draw"


def test_a_date_that_was_chosen_for_its_move_has_no_p_in_any_market() -> None:
    asked = {"markets": ["CSI 300", "VIX"], "source": "bundled", "history": 100}
    chosen = mr.react("2025-06-10-jt", selected_because_it_moved=True, **asked).placebo
    assert f"no placebo p: {CHOSEN}; " in chosen.answer()
    assert chosen.answer().endswith("The same holds for VIX.")
    assert "joint" not in chosen.answer()


def test_what_the_study_left_out_is_said_and_listed() -> None:
    closes = seeded_closes(columns=2)
    closes.loc["2022-07-01":, "m1"] = np.nan
    result = placebo_of(closes, {"a": "2022-05-03 12:00 UTC", "b": "2022-09-06 12:00 UTC"})
    assert "2 events in 2 markets: " in result.answer()
    assert "No p for m1: the event has its reaction session after the last row of 'm1'" in result.answer()
    assert result.excluded[["event_id", "market"]].to_numpy().tolist() == [["b", "m1"]]
    assert "Not drawn: 1 without a p." in result.plot().layout.title.text.replace("<br>", " ")
    assert "1 left out" in result._repr_html_()


def test_nothing_tested_gives_an_answer_and_empty_tables() -> None:
    study = placebo_of(seeded_closes(), {"a": "2022-05-03 12:00 UTC"}).study
    result = PlaceboResult({}, {}, 100, replace(study, pairs={}), study.prices)
    assert result.answer() == "Nothing was tested."
    assert result.summary().empty and result.excluded.empty
    assert theme.plain_title(result.plot()) == "Nothing to draw"
    assert "Nothing was tested." in result._repr_html_()
    assert "Nothing was tested." in result.to_latex() and [*result.printed()] == ["Placebo tests"]


def test_a_paper_has_every_reaction_and_the_joint_tests_as_they_are_read(one, several) -> None:
    printed = one.printed()
    assert list(printed) == ["Placebo tests", "All markets together"]
    rank = one.markets["a", "m0"].scaled
    assert printed["Placebo tests"].iloc[0][["Market", "Session", "Placebo p (floor)", "Compared days"]].tolist() == [
        "m0", "2022-05-03", f"{wording.p_value(rank.p_value)} ({wording.p_value(1 / 101)})", "100"]  # fmt: skip
    assert "Event" not in printed["Placebo tests"] and printed["All markets together"]["Over"].eq("2 markets").all()
    assert several.printed()["Placebo tests"]["Event"].nunique() == 6
    assert "Compared days" in one.to_latex()


def test_the_kind_of_chart_follows_what_was_tested(one, several) -> None:
    assert "of 12 reactions" in theme.plain_title(several.plot())
    assert {trace.name for trace in one.plot().data} >= {"smaller move", "move at least as large", "the event"}
    alone = shaken(0.5)
    assert theme.plain_title(alone.plot()) == "m0: placebo p 0.010 (floor 0.010), 0 of 100 days moved as much"
    assert theme.plain_title(several.plot(event="e3", market="m1")).startswith("m1: placebo p ")
    assert list(one.figures()) == ["markets", "placebo m0", "placebo m1"]
    assert list(several.figures()) == ["events"]
    assert list(alone.figures()) == ["placebo m0"]


def test_the_rows_of_one_event_hold_every_placebo_day(one) -> None:
    figure = one.plot(kind="markets")
    smaller, larger, event = (next(t for t in figure.data if t.name == name) for name in (
        "smaller move", "move at least as large", "the event"))  # fmt: skip
    assert list(event.x) == [one.markets["a", name].statistic for name in ("m0", "m1")]
    for place, name in enumerate(("m0", "m1")):
        test = one.markets["a", name]
        count = int((np.round(np.array(larger.y)) == place).sum())
        assert (1 + count) / 101 == pytest.approx(test.scaled.p_value)
    assert len(smaller.x) + len(larger.x) == 200


def test_every_p_of_several_events_is_a_dot(several) -> None:
    figure = several.plot(kind="events")
    summary = several.summary()["placebo_p"]
    for trace in figure.data:
        assert sorted(trace.x) == sorted(summary.xs(trace.name, level="market"))
        filled = [not symbol.endswith("-open") for symbol in trace.marker.symbol]
        assert filled == [p <= 0.05 for p in trace.x]
    assert figure.layout.xaxis.type == "log"
    assert any(note.text == "floor 0.010" for note in figure.layout.annotations)


def test_more_events_than_rows_keep_those_with_the_smallest_p(several, monkeypatch) -> None:
    monkeypatch.setattr("market_reaction.placebo_chart.MOST", 2)
    figure = several.plot()
    smallest = several.summary()["placebo_p"].groupby("event_id").min().sort_values()
    assert len(figure.layout.yaxis.ticktext) == 2
    text = figure.layout.title.text.replace('</span><br><span style="font-size:12px">', " ")
    third = wording.p_value(smallest.iloc[2])
    assert f"The 2 events of 6 with the smallest p; no p of the others is below {third}." in text


@pytest.mark.parametrize("mode", theme.THEMES)
@pytest.mark.parametrize("kind", ["markets", "events", "placebo"])
def test_every_chart_takes_the_ink_of_its_theme(several, kind, mode) -> None:
    layout = several.plot(kind=kind, theme=mode).layout
    assert layout.template.layout.font.color == theme.INK[mode]
    assert "series end" in layout.title.text or "sha256" in layout.title.text


def test_what_cannot_be_drawn_is_refused_by_name(one, several) -> None:
    with pytest.raises(ValueError, match=r"kind='pie' is not known; choose one of markets, events, placebo\."):
        one.plot(kind="pie")
    with pytest.raises(ValueError, match=r"event='x' was not tested; the tests are of e0, e1, e2, e3, e4, e5\."):
        several.plot(event="x")
    with pytest.raises(UnknownInstrumentError, match="'m9'"):
        one.plot(market="m9")
    left = PlaceboResult({("a", "m0"): one.markets["a", "m0"]}, {}, 100, one.study, one.prices)
    with pytest.raises(ValueError, match=r"market='m1' was not tested for 'a'; it has m0\."):
        left.plot(market="m1")


def test_hostile_names_and_titles_stay_text(several) -> None:
    name = '<a href="http://x">y</a>'
    events = several.study.events.assign(title=HOSTILE)
    closes = seeded_closes().set_axis([name], axis=1)
    result = placebo_after(closes, events)
    html = result._repr_html_()
    assert "<a href" not in html and "<img" not in html
    for kind in ("markets", "events", "placebo"):
        drawn = result.plot(kind=kind).to_json().replace("\\u003c", "<")
        assert "<a href" not in drawn and "<img" not in drawn
    single = placebo_after(closes, events.iloc[[0]])
    assert "&lt;img src=x" in single._repr_html_()


def test_the_page_leads_with_the_answer_and_marks_unusual_rows() -> None:
    html = shaken(0.5)._repr_html_()
    assert '<p class="mr-answer">m0 rose ' in html
    assert html.index("mr-answer") < html.index("<table>")
    assert html.count('<tr class="mr-unusual">') == 1
    assert "All markets together" not in html
