"""What tables and sentences say: known strings, hostile text, and every number of the result in its place."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import market_reaction as mr
from helpers import price_data, seeded_closes
from market_reaction import tables, wording
from market_reaction.instruments import find_instrument
from market_reaction.other_news import OtherNews

HOSTILE = '<script>alert("x")</script>\x1b[31m[bold]&'


@pytest.fixture(scope="module")
def london() -> mr.ReactionResult:
    return mr.react("2025-06-10-jt", source="bundled")


@pytest.fixture(scope="module")
def geneva() -> mr.ReactionResult:
    return mr.react("2025-05-12 07:00 UTC", markets=["CSI 300"], source="bundled")


@pytest.fixture(scope="module")
def hostile(london: mr.ReactionResult) -> mr.ReactionResult:
    event = london.event.copy()
    event["title"] = HOSTILE
    news = OtherNews("x", HOSTILE, pd.Timestamp("2025-06-11 01:00", tz="UTC"), "after", "minute", "high")
    rows = tuple(replace(row, other_news=(news,), notes=(HOSTILE,)) for row in london.reactions)
    return replace(london, event=event, reactions=rows, notes=(HOSTILE,))


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.0075, "return", "+0.75%"),
        (-0.00264, "return", "−0.26%"),
        (0.00001, "return", "0.00%"),
        (-0.06, "percentage points", "−6 bp"),
        (0.125, "percentage points", "+12.5 bp"),
        (0.31, "points", "+0.31"),
        (math.nan, "return", "n/a"),
        (math.nan, "percentage points", "n/a"),
    ],
)
def test_a_move_is_written_in_the_form_of_its_unit(value, unit, text) -> None:
    assert wording.move(value, unit) == text


def test_sizes_have_no_sign_and_an_unreachable_effect_is_none() -> None:
    assert wording.size(0.0259, "return") == "2.59%"
    assert wording.size(-0.06, "percentage points") == "6 bp"
    assert wording.size(math.inf, "return") == "no effect"


@pytest.mark.parametrize(
    ("market", "value", "text"),
    [
        ("CSI 300", 3894.6269, "3,894.63"),
        ("USD/CNY", 7.18734, "7.1873"),
        ("USD/JPY", 144.853, "144.85"),
        ("Broad dollar", 120.981, "120.98"),
        ("US 10y", 4.41, "4.41%"),
        ("VIX", 17.26, "17.26"),
        ("WTI spot", -36.98, "−36.98"),
        ("VIX", math.nan, "n/a"),
    ],
)
def test_levels_have_the_decimals_of_their_market(market, value, text) -> None:
    assert wording.level(value, find_instrument(market)) == text


@pytest.mark.parametrize(
    ("value", "text"), [(0.356, "0.36"), (0.0219, "0.022"), (0.09982, "0.10"), (0.002, "0.002"), (math.nan, "n/a")]
)
def test_p_values_have_two_or_three_decimals(value, text) -> None:
    assert wording.p_value(value) == text


def test_a_p_just_above_the_bound_is_not_shown_as_the_bound() -> None:
    assert [wording.p_value(p) for p in (6 / 119, 0.05, 25 / 501, 0.05001, 0.0506)] == [
        "0.0504", "0.050", "0.050", "0.0501", "0.051"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("minutes", "text"), [(160, "2 h 40 min"), (5, "5 min"), (1440, "24 h 00 min"), (4440, "3 d 2 h")]
)
def test_durations_are_written_in_words(minutes, text) -> None:
    assert wording.duration(minutes) == text


def test_the_answer_names_the_first_market_the_unusual_ones_and_the_joint_p(london) -> None:
    assert london.answer() == (
        "CSI 300 rose 0.75% in its session of 2025-06-11 (placebo p 0.36), which is not distinguishable from an "
        "ordinary day; WTI spot (+4.95%, p 0.022) and Brent spot (+4.21%, p 0.034) were unusual "
        "taken alone; the 8 markets together are not (joint p 0.14). Other news shares these returns: p is of the "
        "joint reaction to all listed news."
    )


def test_the_answer_to_an_ambiguous_session_gives_both(geneva) -> None:
    assert "rose 0.15% in its session of 2025-05-13" in geneva.answer()
    assert (
        "The session of CSI 300 is ambiguous, and another one is possible: on 2025-05-12 it rose 1.16% (p 0.26)."
        in geneva.answer()
    )


def test_another_market_whose_other_session_is_unusual_is_named() -> None:
    speech = mr.react("2025-04-02 20:10 UTC", markets=["CSI 300", "VIX", "WTI spot"], source="bundled")
    assert (
        "The session of WTI spot is ambiguous: on 2025-04-03 it fell 6.50% (p 0.002), which would be unusual."
        in speech.answer()
    )
    assert "VIX is ambiguous" not in speech.answer()


def test_a_close_struck_before_anyone_could_trade_is_noted() -> None:
    speech = mr.react("2025-04-02 20:10 UTC", markets=["CSI 300", "VIX"], source="bundled")
    csi, vix = speech.reactions
    assert vix.notes[0] == (
        "the close of 2025-04-02 was struck at 20:15 UTC, 5 min after the news and before the next trading hours, so "
        "day 0 can hold little of it; see the CAR of later days."
    )
    assert not any("struck" in note for note in csi.notes)


def test_the_answer_says_that_the_clock_is_unknown() -> None:
    result = mr.react(date="2025-06-11", markets=["CSI 300", "VIX"], source="bundled")
    assert result.answer().startswith("Clock unknown: CSI 300 rose 0.75%")
    assert "none of the 2 markets tested is distinguishable from an ordinary day" in result.answer()
    assert "2025-06-11, clock unknown" in result._repr_html_()


def test_the_answer_says_why_there_is_no_p() -> None:
    result = mr.react("2025-06-10-jt", markets=["CSI 300"], source="bundled", history=50)
    assert "no placebo p: 50 pseudo-announcements; at least 100 are needed" in result.answer()
    assert "distinguishable" not in result.answer()
    assert "no effect" in tables.move_table(result)  # no effect could be detected


def test_the_answer_to_an_unusual_first_market_says_so() -> None:
    result = mr.react("2018-03-22 16:45 UTC", markets=["S&P 500", "VIX", "CSI 300", "Apple"], source="bundled")
    assert result.answer().startswith(
        "S&P 500 fell 2.52% in its session of 2018-03-22 (placebo p 0.024), which was unusual, "
        "as was CSI 300 (−2.87%, p 0.018)"
    )


def test_the_frame_holds_the_result_unrounded(london) -> None:
    frame = london.to_frame()
    assert frame.index.tolist() == [row.market for row in london.reactions]
    for row in london.reactions:
        cells, found = frame.loc[row.market], row.headline
        assert (cells["session"], cells["close"], cells["change"]) == (found.session, found.close, found.change)
        assert (cells["z"], cells["z_mad"], cells["z_ewma"]) == (found.z, found.z_mad, found.z_ewma)
        assert (cells["placebo_p"], cells["mde"]) == (found.placebo.scaled.p_value, found.placebo.mde)
        assert (cells["car[0,1]"], cells["car_std_error[0,5]"]) == (found.windows[0].car, found.windows[1].std_error)
        assert cells["n_other_news"] == len(row.other_news)
    assert frame.loc["US 10y", "unit"] == "percentage points"


def test_html_shows_every_market_its_unit_and_what_is_missing(london) -> None:
    html = london._repr_html_()
    for text in (
        "3,865.47 → 3,894.63", "+0.75%", "7.1848 → 7.1873", "up = yuan weaker", "4.47% → 4.41%", "−6 bp", "+0.31",
        "0.36 (0.002)", "2 h 40 min (before open)", "E-mini S&amp;P 500", "US consumer price index", "bundled",
        "(5.0% of days, 48% in any market)",
    ):  # fmt: skip
        assert text in html
    assert html.count('class="mr-mark">unusual<') == 2
    assert html == london._repr_html_()


def test_html_lists_both_sessions_of_an_ambiguous_row(geneva) -> None:
    html = tables.move_table(geneva)
    assert html.index("(ambiguous)") < html.index("or <span")
    assert "+0.15%" in html
    assert "+1.16%" in html


def test_the_answer_keeps_words_whole_on_lines_of_a_width(london) -> None:
    lines = london.answer(width=60).split("\n")
    assert max(map(len, lines)) <= 60
    assert " ".join(lines) == london.answer()


def test_high_importance_comes_first_in_other_news(london) -> None:
    noon = pd.Timestamp("2025-06-11 12:00", tz="UTC")
    early = OtherNews("a", "Minor release", noon, "after", "minute", "medium")
    late = OtherNews("b", "Major release", noon + pd.Timedelta(hours=1), "after", "minute", "high")
    html = tables.news_table(replace(london, reactions=(replace(london["CSI 300"], other_news=(early, late)),)))
    assert html.index("Major release") < html.index("Minor release")


def test_hostile_text_is_inert_in_html_and_terminal(hostile) -> None:
    html = hostile._repr_html_()
    assert "<script" not in html
    assert "&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;" in html
    text = tables.reaction_text(hostile, 100)
    assert "\x1b" not in text
    assert "[bold]" in text


def test_hostile_names_of_markets_are_inert_in_the_tables_of_tests(london) -> None:
    found = london.tests(["placebo", "forecast_t"])
    bad = replace(london, battery=found.assign(market=found["market"].replace("CSI 300", HOSTILE), note=HOSTILE))
    html, text = tables.battery_html(bad), tables.reaction_text(bad, 160)
    assert "<script" not in html
    assert "\x1b" not in html + text
    assert html.count("&lt;script&gt;") >= 2  # a heading and a cell


@pytest.mark.parametrize("width", [80, 120, 200])
def test_the_terminal_text_fits_its_width_and_breaks_no_number(london, width) -> None:
    text = tables.reaction_text(london, width)
    assert max(map(len, text.splitlines())) <= width
    for part in (
        "3,865.47",
        "3,894.63",
        "+0.75%",
        "−6 bp",
        "14.5",
        "2025-06-11",
        "0.022",
        "detectable",
        "Not available",
    ):
        assert part in text


def test_study_html_shows_cars_and_escapes_names() -> None:
    closes = seeded_closes(columns=2).set_axis(["<script>a", "b"], axis=1)
    study = mr.event_study(price_data(closes), mr.load_events({"<i>": "2022-06-01 12:00 UTC"}))
    html = study._repr_html_()
    assert "<script" not in html
    assert "&lt;script&gt;a" in html
    estimate = study.car().iloc[1]["estimate"]
    assert f'<td class="mr-number">{wording.per_cent(estimate)}</td>' in html
    assert "Event study: CAR, sessions [0,1]" in html


def test_study_html_of_several_events_is_about_their_mean() -> None:
    events = mr.load_events({"a": "2022-05-03 12:00 UTC", "b": "2022-09-06 12:00 UTC", "c": "2023-02-07 12:00 UTC"})
    study = mr.event_study(price_data(seeded_closes()), events)
    assert "mean CAR over events" in study._repr_html_()
    assert wording.per_cent(float(study.caar()["estimate"].iloc[0])) in study._repr_html_()


def test_missing_numbers_are_said_not_shown_as_nan(geneva) -> None:
    row = geneva.reactions[0]
    bare = replace(row.headline, z=np.nan, change=np.nan, record=None)
    result = replace(geneva, reactions=(replace(row, headline=bare, candidates=(bare,)),))
    assert "has no return" in result.answer()
    assert "nan" not in result._repr_html_().replace("</span", "").replace("<span", "").casefold().replace("finan", "")
