"""What is said and drawn of a cross-section."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import plotly.graph_objects as go
import pytest

import market_reaction as mr
from market_reaction import scale
from market_reaction.errors import DataUnavailableError
from market_reaction.scale.whole import CrossSection
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
