"""A report opened from disk in Chromium: nothing is asked of anybody, nothing hostile runs, every chart is drawn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import market_reaction as mr
from market_reaction import report
from market_reaction.other_news import OtherNews

pytestmark = [pytest.mark.browser]
BAD = '=HYPERLINK("x")<script>alert(1)</script><img src=x onerror=alert(2)>'
A4_WIDTH, A4_HEIGHT = 182 / 25.4 * 96, 269 / 25.4 * 96  # pixels between the margins


@pytest.fixture(scope="module")
def hostile() -> mr.ReactionResult:
    found = mr.react("2025-06-10-jt", markets=["CSI 300", "VIX", "US 10y"], source="bundled")
    event = found.event.copy()
    event["title"], event["description"] = BAD, BAD
    news = OtherNews("x", BAD, pd.Timestamp("2025-06-11 01:00", tz="UTC"), "after", "minute", "high")
    rows = tuple(replace(row, other_news=(news,), notes=(BAD,)) for row in found.reactions)
    return replace(found, event=event, reactions=rows, notes=(BAD,))


@pytest.fixture(scope="module")
def path(hostile: mr.ReactionResult, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return hostile.report(tmp_path_factory.mktemp("report") / "hostile.html")


def opened(watched: Callable[..., Any], path: Path, **options: Any) -> tuple[Any, list[str]]:
    """The report in a browser without a network, and the dialogs it opens."""
    seen = watched(path.as_uri(), offline=True, **options)
    dialogs: list[str] = []
    seen.page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    seen.page.goto(path.as_uri())
    seen.page.wait_for_function("document.querySelector('#clock .main-svg')")
    return seen, dialogs


def drawn(page: Any) -> list[str]:
    """Ids of the charts in which Plotly has drawn something."""
    return page.evaluate(
        "[...document.querySelectorAll('.chart.js-plotly-plot')]"
        ".filter(c => c.querySelector('.main-svg .plot, .main-svg .infolayer')).map(c => c.id)"
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_chart_is_drawn_and_nothing_hostile_runs(watched, path, hostile, scheme) -> None:
    seen, dialogs = opened(watched, path, color_scheme=scheme)
    wanted = list(report.page_of(hostile).figures)
    assert drawn(seen.page) == ["reactions", "clock", "car-0", "placebo-0"]
    folded = seen.page.locator("details:not([open]) summary")
    while folded.count():
        folded.first.click()
    seen.page.wait_for_function(f"document.querySelectorAll('.js-plotly-plot').length == {len(wanted)}")
    assert drawn(seen.page) == wanted
    assert seen.page.title() == BAD
    assert seen.page.locator("h1").inner_text() == BAD
    assert seen.page.locator("img, script[src], a[href]").count() == 0
    assert (dialogs, seen.errors, seen.asked) == ([], [], [])
    seen.shot(f"report-{scheme}", full=True)
    seen.page.context.close()


def test_on_paper_all_folds_are_open_and_every_part_fits(watched, path, hostile) -> None:
    seen, _ = opened(watched, path, viewport={"width": int(A4_WIDTH), "height": int(A4_HEIGHT)})
    page = seen.page
    page.emulate_media(media="print")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    wanted = list(report.page_of(hostile).figures)
    page.wait_for_function(f"document.querySelectorAll('.js-plotly-plot').length == {len(wanted)}")
    assert page.locator("details:not([open])").count() == 0
    sizes = page.evaluate(
        "[...document.querySelectorAll('.chart, table')]"
        ".map(e => [e.scrollWidth, e.tagName == 'TABLE' ? 0 : e.scrollHeight])"
    )
    assert len(sizes) > len(wanted)
    assert max(width for width, _ in sizes) <= A4_WIDTH + 1
    assert max(height for _, height in sizes) <= A4_HEIGHT
    assert page.evaluate("getComputedStyle(document.querySelector('.chart')).breakInside") == "avoid"
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert page.locator("details:not([open])").count() == len(hostile.reactions) - 1
    page.context.close()
