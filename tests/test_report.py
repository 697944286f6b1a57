"""The report: one file that asks nobody for anything, holds every chart, and runs no text of others."""

import base64
import hashlib
import json
import re
import stat
from dataclasses import replace
from html.parser import HTMLParser

import pandas as pd
import pytest

import market_reaction as mr
from market_reaction import report
from market_reaction.errors import ExportError
from market_reaction.exports import browser, pdf
from market_reaction.other_news import OtherNews


class Reader(HTMLParser):
    """Collects tags with their attributes, and the text of scripts and of the rest."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.words: list[str] = []
        self._open = ""

    def handle_starttag(self, tag, attrs) -> None:
        self.tags.append((tag, dict(attrs)))
        self._open = tag
        if tag == "script":
            self.scripts.append("")

    def handle_endtag(self, tag) -> None:
        self._open = ""

    def handle_data(self, data) -> None:
        if self._open == "script":
            self.scripts[-1] += data
        elif self._open != "style":
            self.words.append(data)


def read(text: str) -> Reader:
    reader = Reader()
    reader.feed(text)
    return reader


@pytest.fixture(scope="module")
def london() -> mr.ReactionResult:
    return mr.react("2025-06-10-jt", markets=["CSI 300", "VIX", "E-mini S&P 500"], source="bundled")


@pytest.fixture(scope="module")
def text(london) -> str:
    return report.report_html(london)


def test_the_file_is_whole_small_and_the_same_every_time(london, text, tmp_path) -> None:
    path = london.report(tmp_path / "new" / "folder" / "report.html")
    assert path.is_absolute()
    assert path.read_text(encoding="utf-8") == text
    assert path.stat().st_size < 8e6
    assert [item.name for item in path.parent.iterdir()] == ["report.html"]
    assert path.stat().st_mode & stat.S_IRUSR


def test_a_failure_leaves_the_old_report_alone(london, tmp_path, monkeypatch) -> None:
    path = tmp_path / "report.html"
    path.write_text("old")
    monkeypatch.setattr(report, "html_of", lambda page: "\ud800")  # cannot be encoded
    with pytest.raises(UnicodeEncodeError):
        london.report(path)
    assert path.read_text() == "old"
    assert [item.name for item in tmp_path.iterdir()] == ["report.html"]


def test_a_folder_is_refused(london, tmp_path) -> None:
    with pytest.raises(IsADirectoryError, match="is a folder; give a file name in it"):
        london.report(tmp_path)


def test_nothing_is_fetched(text) -> None:
    page = read(text)
    assert not {"link", "iframe", "img", "object", "embed", "base"} & {tag for tag, _ in page.tags}
    for tag, attributes in page.tags:
        assert not {"src", "href", "srcset", "action"} & set(attributes), tag
    own = "".join(script for script in page.scripts if len(script) < 1_000_000)
    style = "".join(re.findall(r"<style>(.*?)</style>", text, flags=re.S))
    for part in (own, style):
        assert not re.search(r"\bcdn[.-]", part)
        assert not re.search(r"https?:|@import|url\(", part)
    assert sum(len(script) > 1_000_000 for script in page.scripts) == 1  # plotly.js, once


def test_the_policy_lets_only_the_two_scripts_run(text) -> None:
    page = read(text)
    policy = next(attributes["content"] for tag, attributes in page.tags if attributes.get("http-equiv"))
    assert "default-src 'none'" in policy
    kinds = [attributes.get("type") for tag, attributes in page.tags if tag == "script"]
    runnable = [script for kind, script in zip(kinds, page.scripts, strict=True) if kind is None]
    hashes = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in runnable]
    assert len(hashes) == 2
    assert all(f"'sha256-{digest}'" in policy for digest in hashes)


def test_all_charts_are_there_and_fit_a_page(london, text) -> None:
    page = read(text)
    places = [attributes["id"] for _, attributes in page.tags if attributes.get("class") == "chart"]
    count = len(london.reactions)
    expected = ["reactions", "clock", *(f"{kind}-{i}" for i in range(count) for kind in ("car", "placebo"))]
    assert places == expected
    data = [script for script in page.scripts if script.startswith("{")]
    assert len(data) == len(expected)
    for script in data:
        figure = json.loads(script)
        assert figure["data"]
        assert figure["layout"]["width"] <= 680
    assert json.loads(data[0])["layout"]["title"]["text"] == london.plot().layout.title.text


def test_it_says_what_was_found_what_is_missing_and_where_it_comes_from(london, text) -> None:
    words = " ".join(" ".join(read(text).words).split())
    for part in (
        london.answer(), "What this does not show", "Other news inside these returns", "US consumer price index",
        "E-mini S&P 500", "estimation (-130, -11)", f"market_reaction {mr.__version__}", "Confounders",
        london.reactions[0].series.vintage.sha256[:12],
    ):  # fmt: skip
        assert part in words


def test_it_is_made_for_light_dark_and_paper(text) -> None:
    for part in ("prefers-color-scheme: dark", "@media print", "size: A4", ".chart svg text {fill: var(--ink)",
                 "table:has(th:nth-child(14)) {font-size: 8px}"):  # fmt: skip
        assert part in text


def test_hostile_text_stays_text(london) -> None:
    bad = '</script><script>alert(1)</script><!--{{ 7 * 7 }}"><img src=x onerror=alert(1)>'
    event = london.event.copy()
    event["title"], event["description"] = bad, bad
    news = OtherNews("x", bad, pd.Timestamp("2025-06-11 01:00", tz="UTC"), "after", "minute", "high")
    rows = tuple(replace(row, other_news=(news,), notes=(bad,)) for row in london.reactions)
    text = report.report_html(replace(london, event=event, reactions=rows, notes=(bad,)))
    page = read(text)
    assert "img" not in {tag for tag, _ in page.tags}
    assert len(page.scripts) == 2 + 2 + 2 * len(london.reactions)
    assert bad in " ".join(page.words)
    assert all("alert" not in script for script in page.scripts if not script.startswith("{") and len(script) < 1e6)


# Charts are proved


def test_the_writer_counts_the_charts_of_the_page_itself(london, text, tmp_path, monkeypatch) -> None:
    figures = {f"chart-{i}": london.plot() for i in range(2)}
    assert report.charts_in(text) == {name: len(figure.data) for name, figure in report.page_of(london).figures.items()}
    with pytest.raises(ExportError, match=r"0 of 2 charts; missing: chart-0, chart-1. Nothing was written"):
        report.check_charts(text, figures)
    with pytest.raises(ExportError, match="lacks the script that draws"):
        report.check_charts(text.replace("Plotly.newPlot(", ""), report.page_of(london).figures)
    whole = report.Page.chart

    def without_traces(page: report.Page, name: str, figure) -> report.Chart:
        kept = whole(page, name, figure)
        return kept if name != "clock" else replace(kept, data=report.Markup('{"data": [], "layout": {}}'))

    monkeypatch.setattr(report.Page, "chart", without_traces)
    with pytest.raises(ExportError, match="missing: clock"):
        london.report(tmp_path / "x.html")
    assert list(tmp_path.iterdir()) == []


def test_a_chart_taller_than_a_page_is_made_to_fit(london) -> None:
    figure = london.plot().update_layout(height=5000)
    report.Page("reaction.html.j2").chart("tall", figure)
    assert figure.layout.height <= 269 / 25.4 * 96  # an A4 page less its margins, in pixels
    assert figure.layout.width <= 182 / 25.4 * 96


def test_another_ending_is_refused(london, tmp_path) -> None:
    with pytest.raises(ExportError, match=r"'x.docx' does not end in .html or .htm or .pdf, and a report does"):
        london.report(tmp_path / "x.docx")


# Studies


@pytest.fixture(scope="module")
def study() -> mr.EventStudyResult:
    events = mr.search_events("tariff", since="2018-06-01", until="2019-06-01")
    prices = mr.load_prices(["CSI 300", "VIX", "USD/CNY (ECB)"], events=events, source="bundled")
    with pytest.warns(UserWarning):
        return mr.event_study(prices, events, on_bad_event="exclude")


@pytest.fixture(scope="module")
def study_text(study) -> str:
    return report.report_html(study)


def test_a_study_report_holds_means_every_event_tests_and_sources(study, study_text) -> None:
    page = read(study_text)
    words = " ".join(" ".join(page.words).split())
    for part in (
        study.answer(), "Mean CAR over events, sessions [0,1]", "Mean CAR over events, sessions [0,5]", "event_level_t",
        "What this does not show", "romano_wolf", "USD/CNY (ECB) up = yuan weaker",
        f"market_reaction {mr.__version__}", study.vintage["sha256"]["CSI 300"][:12],
    ):  # fmt: skip
        assert part in words
    assert all(event in "".join(words.split()) for event in study.events.index)
    assert list(report.charts_in(study_text)) == ["path-0", "path-1", "path-2", "events-0"]


def test_the_answer_of_a_study_says_what_its_summary_says(study) -> None:
    row = study.summary().loc["CSI 300"]
    assert f"mean CAR of {int(row['n_events'])} events" in study.answer()
    low, high = (f"{100 * row[side]:+.2f}%".replace("-", "−") for side in ("conf_low", "conf_high"))
    assert f"95% interval {low} to {high}" in study.answer()
    assert ("cannot be told from zero" in study.answer()) == (row["conf_low"] <= 0 <= row["conf_high"])
    assert max(map(len, study.answer(60).splitlines())) <= 60


def test_a_mean_over_opposite_directions_says_so(study) -> None:
    found = study.events.loc[[name for name, market in study.pairs if market == "CSI 300"], "direction"]
    bad, good = int(found.eq("escalation").sum()), int(found.eq("de-escalation").sum())
    assert (bad, good) == (15, 1)
    said = "The mean mixes 15 escalations with 1 de-escalation; mr.by_class or notebook 02 takes them apart."
    assert said in study.answer()
    alone = replace(study, events=study.events.assign(direction="escalation"))
    assert "mixes" not in alone.answer()


def test_a_study_of_one_event_is_reported_too(tmp_path) -> None:
    events = mr.load_events("2025-06-10-jt")
    prices = mr.load_prices(["CSI 300"], events=events, source="bundled")
    text = mr.event_study(prices, events).report(tmp_path / "one.html").read_text(encoding="utf-8")
    assert list(report.charts_in(text)) == ["path-0"]
    assert "<h1>London framework to implement Geneva</h1>" in text
    assert "the placebo p leads" in text


def test_what_was_left_out_of_a_study_is_said(study) -> None:
    left = pd.DataFrame([{"event_id": "x", "market": "<b>VIX</b>", "session": pd.NaT, "reason": "=no <i>rows</i>"}])
    words = " ".join(read(report.report_html(replace(study, excluded=left))).words)
    assert "1 left out, each with the reason" in words
    assert "=no <i>rows</i>" in words


def test_a_long_list_of_events_is_drawn_in_parts_that_fit_a_page(study) -> None:
    from market_reaction.exports import study_tables

    before, study_tables.PER_MAP = study_tables.PER_MAP, 5
    try:
        drawn = study_tables.heat_maps(study_tables.every_event(study), "light")
    finally:
        study_tables.PER_MAP = before
    rows = [sum(len(trace.y) for trace in figure.data if trace.showscale) for figure in drawn.values()]
    assert len(drawn) == -(-len(study.events) // 5)
    assert max(rows) - min(rows) <= 1


# PDF


def test_pdf_without_a_browser_says_what_to_install(london, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(pdf, "find_browser", lambda: None)
    with pytest.raises(ExportError, match=r"no browser was found, and PDF needs one. Install Chromium.*\.html report"):
        london.report(tmp_path / "x.pdf")
    assert list(tmp_path.iterdir()) == []


def test_the_browser_named_is_the_one_used(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv(browser.VARIABLE, str(tmp_path / "none"))
    with pytest.raises(ExportError, match=r"MARKET_REACTION_BROWSER='.*none' is no program that can be run"):
        browser.find_browser()
    program = tmp_path / "browser"
    program.write_text("#!/bin/sh\necho seen\n")
    program.chmod(0o755)
    monkeypatch.setenv(browser.VARIABLE, str(program))
    assert browser.find_browser() == str(program)
    assert browser.run_browser(str(program), [], tmp_path) == "seen\n"


@pytest.mark.parametrize(
    ("body", "said"), [("sleep 60", "did not finish within 0.5"), ("echo lost >&2; exit 3", "code 3: lost")]
)
def test_a_browser_that_hangs_or_fails_is_named(body, said, tmp_path) -> None:
    program = tmp_path / "browser"
    program.write_text(f"#!/bin/sh\n{body}\n")
    program.chmod(0o755)
    with pytest.raises(ExportError, match=said):
        browser.run_browser(str(program), [], tmp_path, timeout=0.5)


def test_a_browser_that_draws_too_little_prints_nothing(london, tmp_path, monkeypatch) -> None:
    program = tmp_path / "browser"
    program.write_text("#!/bin/sh\necho '<div class=\"chart\"></div>'\n")
    program.chmod(0o755)
    monkeypatch.setenv(browser.VARIABLE, str(program))
    with pytest.raises(ExportError, match=r"the browser drew 0 of \d+ charts, so nothing was printed"):
        london.report(tmp_path / "x.pdf")
    assert [item.name for item in tmp_path.iterdir()] == ["browser"]


@pytest.mark.browser
def test_a_pdf_holds_every_chart_on_pages_of_a4(tmp_path) -> None:
    if browser.find_browser() is None:
        pytest.skip("There is no chromium on the path; install it, for example with apt-get install chromium.")
    found = mr.react("2025-06-10-jt", markets=["CSI 300", "VIX"], source="bundled")
    path = found.report(tmp_path / "london.pdf")
    content = path.read_bytes()
    assert content.startswith(b"%PDF-")
    assert [item.name for item in tmp_path.iterdir()] == ["london.pdf"]
    boxes = {tuple(map(float, box.split())) for box in re.findall(rb"/MediaBox \[([\d. ]+)\]", content)}
    assert len(boxes) == 1
    _, _, width, height = boxes.pop()
    assert (width, height) == pytest.approx((595, 842), abs=1)  # A4 in points
    assert len(re.findall(rb"/Type /Page\b", content)) >= 4
    assert len(content) < 2e6
