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
    return mr.react("2025-06-10-jt", source="bundled")


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
    monkeypatch.setattr(report, "report_html", lambda result: "\ud800")  # cannot be encoded
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
    for part in ("prefers-color-scheme: dark", "@media print", "size: A4", ".chart svg text {fill: var(--ink)"):
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
