"""What is said and drawn of a cross-section."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pandas as pd
import plotly.graph_objects as go
import pytest

import market_reaction as mr
from market_reaction import scale
from market_reaction.errors import (
    AnnouncementTimeError,
    DataUnavailableError,
    EventTableError,
    ScaleError,
    UnknownInstrumentError,
    WindowError,
)
from market_reaction.scale.cross_sections import CrossSection
from market_reaction.theme import plain_title

DATES = ["2018-03-22-us", "2018-04-10-cn", "2019-05-05-us", "2019-08-01-us", "2019-08-05-us", "2019-10-11-jt"]


@pytest.fixture(scope="module")
def result() -> CrossSection:
    events = mr.load_events()
    return scale.cross_section(scale.bundled_panel(), events.loc[[name for name in DATES if name in events.index]])


def test_the_answer_names_directions_and_chance(result: CrossSection) -> None:
    answer = result.answer()
    assert answer.startswith("20 securities over sessions [0,1] after 4 escalations (4 separate dates): mean abnormal")
    assert (
        "sessions had an unusual mean (placebo p at most 0.05; chance alone gives about 0.3): 2018-03-22 (−4.27%"
        in answer
    )
    assert all(len(line) <= 60 for line in result.answer(width=60).splitlines())


def test_a_mean_beyond_the_market_is_called_so() -> None:
    events = mr.load_events().loc[DATES[:2]]
    found = scale.cross_section(scale.bundled_panel(), events, model="market", history=120)
    assert "after 1 escalation (1 separate date): mean move beyond S&P 500 " in found.answer()
    assert "no test over dates" in found.answer()


def test_the_largest_fall_is_that_of_the_s_and_p(result: CrossSection) -> None:
    """On 22 and 23 March 2018 the S&P 500 fell 2.5 and 2.1%; the twenty shares fell about as much."""
    frame = result.to_frame()
    assert -0.05 < frame.at["2018-03-22-us", "mean_car"] < -0.04
    assert frame.at["2018-03-22-us", "share_positive"] == 0.0
    assert frame.loc["2018-03-22-us", "placebo_p"] < 0.05 < frame.loc["2018-03-22-us", "placebo_p_floor"] * 100


def test_summary_has_the_test_over_dates(result: CrossSection) -> None:
    summary, tests = result.summary(), result.rows.tests(events=result.classes()["escalation"])
    assert summary.at["escalation", "p_value"] == tests.at["event_level_t", "p_value"]
    assert summary.at["escalation", "n_clusters"] == 4  # 1 and 5 August 2019 are two sessions apart
    assert list(result.tables())[:3] == ["Events", "Classes", "Tests"]


def test_survivors_and_ambiguous_announcements_are_named(result: CrossSection) -> None:
    assert any("returns at the end of the panel (2022-12-28)" in note and "survivors" in note for note in result.notes)
    days = pd.bdate_range("2018-01-02", "2021-06-30")
    shares = pd.DataFrame(dict.fromkeys("AB", 100 + pd.Series(range(len(days)), index=days) % 7), dtype=float)
    shares.loc["2021-01-04":, "B"] = float("nan")  # delisted
    events = mr.load_events({"near": "2020-03-05 21:00 UTC"})
    found = scale.cross_section(scale.write_panel(shares, market="S&P 500"), events, history=120)
    assert not any("survivors" in note for note in found.notes)
    assert any(note.startswith("1 announcement may belong to another session as well") for note in found.notes)


def test_chance_alone_is_unusual_one_time_in_twenty() -> None:
    """500 days of a panel without effects: 5% of the placebo p are at most 5%, with a standard error of 1%."""
    panel = scale.random_panel(None, 20, 3600, seed=1)
    places = range(1050, 3550, 5)
    events = pd.DataFrame({"event_id": [f"e{at}" for at in places], "session": panel.sessions[list(places)]})
    found = scale.run_placebo(panel, events, windows=[(0, 1), (0, 4)], count=500)
    for window in found.windows:
        p_value = found.to_frame(window)["placebo_p"]
        assert len(p_value) == 500 and 0.025 < p_value.le(0.05).mean() < 0.085
        assert 0.07 < p_value.le(0.10).mean() < 0.14


def test_single_cases_on_days_of_their_own_are_independent() -> None:
    """One security an event, windows apart: the cross-section t is the event-level t, and is not called wrong."""
    panel = scale.random_panel(None, 6, 500, missing=0.0)
    events = pd.DataFrame(
        {"event_id": list("abcdef"), "asset": list(panel.assets.index), "session": panel.sessions[200:500:50]}
    )
    tests = scale.run(panel, events).tests()
    assert tests.at["cross_section_t", "p_value"] == pytest.approx(tests.at["event_level_t", "p_value"], rel=1e-9)
    assert tests.at["cross_section_t", "valid"] == "as event_level_t: no two cases share a session"


def test_html_is_escaped_and_names_what_is_not_valid() -> None:
    panel = scale.random_panel(None, 12, 500)
    events = pd.DataFrame(
        {"event_id": ["<b>x</b>", "y"], "session": panel.sessions[[300, 400]], "title": ["<script>", "b"]}
    )
    found = scale.cross_section(panel, events, history=120, windows=[(0, 1)])
    html = found._repr_html_()
    assert "<script>" not in html and "&lt;script&gt;" in html and "not valid here" in html
    assert "generated and come from no market" in html
    assert found.answer().startswith("Generated returns, no market: 12 generated securities")
    for figure in found.figures(theme="dark").values():
        assert "<script>" not in figure.to_json().replace("\\u003c", "<")


@pytest.mark.parametrize(("kind", "words"), [("events", "chance gives about"), ("path", "by session +5"),
                                             ("securities", "of 20 securities fell on average")])  # fmt: skip
def test_charts_state_the_finding(result: CrossSection, kind: str, words: str) -> None:
    figure = result.plot(kind=kind)
    assert isinstance(figure, go.Figure) and words in plain_title(figure)
    assert "bundled US shares, to 2022-12-28" in figure.layout.title.text.replace("<br>", " ").replace(
        '<span style="font-size:12px">', ""
    ).replace("</span>", "")


def test_the_path_says_why_it_has_fewer_dates_than_the_answer(result: CrossSection) -> None:
    figure = result.plot(kind="path")
    text = re.sub(r"(<[^>]+>|\s)+", " ", figure.layout.title.text)
    assert "Sessions [0,5], so that more dates merge than over [0,1]." in text
    assert figure.data[-1].name != "escalations, 4 separate dates"  # 1 and 5 August 2019 are two sessions apart


def test_unknown_charts_and_missing_folders(result: CrossSection) -> None:
    with pytest.raises(ValueError, match="kind='pie' is not known; choose one of events, path, securities"):
        result.plot(kind="pie")
    with pytest.raises(DataUnavailableError, match="no folder was named"):
        scale.cross_section(None, result.rows.events)


def test_many_securities_are_counted_in_bars() -> None:
    panel = scale.random_panel(None, 60, 420)
    events = pd.DataFrame({"event_id": ["a", "b"], "session": panel.sessions[[300, 350]]})
    figure = scale.cross_section(panel, events, history=120).plot(kind="securities")
    assert figure.data[0].type == "histogram" and "60 generated securities fell" in plain_title(figure)


def test_results_are_kept_and_exported(result: CrossSection, tmp_path: Path) -> None:
    panel = scale.random_panel(tmp_path / "panel", 12, 500)
    events = pd.DataFrame({"event_id": ["x"], "session": panel.sessions[[300]]})
    first = scale.cross_section(tmp_path / "panel", events, tmp_path / "out", history=120)
    again = scale.cross_section(tmp_path / "panel", events, tmp_path / "out", history=120)
    pd.testing.assert_frame_equal(first.to_frame(), again.to_frame(), check_exact=True)
    (path, *_) = first.to_parquet(tmp_path / "tables")
    assert pd.read_parquet(path)["mean_car"].iloc[0] == first.to_frame()["mean_car"].iloc[0]
    facts = dict(first.provenance().facts())
    assert facts["kernel"] in ("gather", "sums") and "generated" in first.provenance().series()[0]
    assert "caption" in result.to_latex()


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"model": "markt"}, ScaleError, "model='markt' is not known; Did you mean 'market'"),
        ({"windows": [(1, 0)]}, WindowError, r"windows=\(1, 0\) is no window"),
        ({"windows": []}, WindowError, "windows holds none; give at least one pair"),
        ({"windows": 5}, WindowError, "windows=5 with estimation=.* are no windows; give pairs"),
        ({"windows": ["now"]}, WindowError, "are no windows; give pairs"),
        ({"history": 0}, WindowError, "history=0 is no pool size"),
        ({"events": {"talks": "soon"}}, AnnouncementTimeError, "soon"),
        (
            {"events": pd.DataFrame({"when": [1]})},
            EventTableError,
            "the events lack event_id and session; they have when",
        ),
        ({"market": None}, ScaleError, "market= is missing: the price files in .* do not say when"),
        ({"market": "S&P 50"}, UnknownInstrumentError, "S&P 50"),
    ],
)
def test_arguments_are_checked_before_files_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: dict[str, Any], error: type[Exception], message: str
) -> None:
    def read(*_: object, **__: object) -> None:
        raise AssertionError("files were read")

    monkeypatch.setattr("market_reaction.scale.cross_sections.write_panel", read)
    given = {"events": {"talks": "2020-03-05 16:00 UTC"}, "market": "S&P 500"} | options
    with pytest.raises(error, match=message):
        scale.cross_section(tmp_path, **given)


def test_events_may_be_given_as_to_load_events() -> None:
    panel = scale.random_panel(None, 12, 500)
    own = {"talks": "2022-09-05 16:00 UTC"}
    options: dict[str, Any] = {"history": 120, "windows": [(0, 1)]}
    found, same = scale.cross_section(panel, own, **options), scale.cross_section(panel, mr.load_events(own), **options)
    pd.testing.assert_frame_equal(found.to_frame(), same.to_frame())


def test_securities_that_do_not_enter_are_named(tmp_path: Path) -> None:
    """Four files: a date given twice, returns that end before the event, nothing at all, and no prices."""
    days = pd.bdate_range("2018-01-02", "2020-12-30")
    closes = pd.DataFrame({"Date": days, "Close": 100.0 + pd.Series(range(len(days))) % 7})
    pd.concat([closes, closes.tail(1)]).to_csv(tmp_path / "whole.csv", index=False)
    closes.head(300).to_csv(tmp_path / "ended.csv", index=False)
    (tmp_path / "empty.csv").write_text("")
    (tmp_path / "other.csv").write_text("no,prices\nhere,at all\n")
    found = scale.cross_section(tmp_path, {"talks": "2020-03-05 16:00 UTC"}, market="S&P 500", history=120)
    answer = found.answer()
    assert answer.startswith("1 security over sessions [0,1] after 1 event")
    assert answer.endswith(
        "2 of 4 securities left out: empty, other. 1 security has no abnormal return over [0,1] of any event and is "
        "not counted: ended."
    )
    reasons = found.panel.excluded.set_index("asset")["reason"]
    assert reasons["empty"] == "empty.csv: the file is empty."
    notes = " ".join(found.notes)
    assert "empty was left out: empty.csv: the file is empty." in notes and "other was left out: other.csv: no" in notes
    assert "date given twice; the last row is kept (1)" in notes
    assert "not counted: ended" in found._repr_html_()
