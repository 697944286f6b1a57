"""What a person does in JupyterLab, done in a real browser: a new date, Run All, the live panel, light and dark."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from market_reaction.notebook_pages import PLOTLY, charts_of, to_html
from market_reaction.notebooks import read_notebook

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

NOTEBOOK = "01_one_announcement.ipynb"
VIEW = {"width": 1440, "height": 1500}
CHART = ".jp-RenderedPlotly"  # a figure among the outputs, as opposed to a live one in the panel
LIVE = ".mr-explore .js-plotly-plot"
GIVEN_UP = "[anywidget] Failed to initialize model."


def wait_for_charts(page: Any, selector: str, count: int, limit: float = 120_000) -> list[str]:
    """Titles of the charts at a selector, once ``count`` of them are drawn with marks and title."""
    drawn = (
        "([selector, count]) => { const found = [...document.querySelectorAll(selector)]; "
        "return found.length === count && found.every(place => place.querySelector('.gtitle') "
        "&& place.querySelector('.cartesianlayer .trace path')) && found.map(place => "
        "[...place.querySelectorAll('.gtitle .line')].map(line => line.textContent).join(' ')) }"
    )
    return list(page.wait_for_function(drawn, arg=[selector, count], timeout=limit).json_value())


def wait_for_text(page: Any, selector: str, text: str) -> None:
    page.locator(selector, has_text=text).first.wait_for()


def parameters_with(path: Path, old: str, new: str) -> str:
    """Source of the parameters cell with one value changed."""
    (cell,) = [cell for cell in read_notebook(path).cells if "parameters" in cell.metadata.get("tags", [])]
    assert cell.source.count(old) == 2  # the value, and none but the comment beside it
    return str(cell.source.replace(old, new, 1))


def run_all(page: Any) -> None:
    page.locator(".lm-MenuBar-itemLabel", has_text=re.compile("^Run$")).click()
    page.locator('li[data-command="runmenu:run-all"]').click()


def choose_theme(page: Any, name: str) -> None:
    page.locator(".lm-MenuBar-itemLabel", has_text=re.compile("^Settings$")).click()
    page.locator(".lm-Menu-itemLabel", has_text=re.compile("^Theme$")).hover()
    page.locator('li[data-command="apputils:change-theme"]', has_text=re.compile(f"^{name}$")).click()
    page.wait_for_selector(f"body[data-jp-theme-name='{name}']", state="attached")


@pytest.fixture(scope="module")
def session(watched: Callable[..., Any], lab: Any) -> Any:
    """Notebook 01 in JupyterLab, its announcement changed to the tariff speech of 2 April 2025, and run."""
    seen = watched(lab.address, viewport=VIEW)
    page = seen.page
    page.goto(lab.url(NOTEBOOK))
    page.wait_for_selector(".jp-Notebook .jp-CodeCell")
    lab.wait_for_kernel(page)
    page.wait_for_selector('.jp-Notebook-ExecutionIndicator[data-status="idle"]')
    page.locator(".jp-CodeCell", has_text="ANNOUNCEMENT =").first.locator(".cm-content").click()
    page.keyboard.press("Control+A")
    page.keyboard.insert_text(
        parameters_with(lab.folder / "notebooks" / NOTEBOOK, '"2025-06-10', '"2025-04-02 20:10 UTC"  # was "2025-06-10')
    )
    run_all(page)
    return seen


def test_a_new_date_in_the_first_cell(session: Any) -> None:
    page = session.page
    table = page.locator(".jp-OutputArea-output .mr-result").first
    table.wait_for()
    # CSI 300: 3,884.39 on 2 April, 3,861.50 on 3 April 2025, the session after the speech.
    assert re.search(r"CSI 300\s+2025-04-03\s+3,884\.39 → 3,861\.50\s+−0\.59%", table.inner_text())
    titles = wait_for_charts(page, CHART, 4)
    assert titles[0].startswith("VIX closed first on the news, 02 Apr 20:15 UTC, 5 min later")
    assert page.locator(".jp-RenderedText[data-mime-type='application/vnd.jupyter.stderr']").count() == 0
    page.locator(CHART).first.scroll_into_view_if_needed()
    session.shot("lab_light")
    assert (session.asked, [error for error in session.errors if error != GIVEN_UP]) == ([], [])


def open_panel(session: Any) -> None:
    """Wait for the charts of the panel; run its cell again where anywidget gave up on a model.

    anywidget allows a model two seconds to load. Three at once, each with the plotly script, may need more while the
    machine runs other tests; such a chart is drawn and then stays as it is.
    """
    page = session.page
    for attempt in range(5):
        if attempt:
            session.errors[:] = [error for error in session.errors if error != GIVEN_UP]
            page.locator(".jp-CodeCell", has_text="mr.explore(").locator(".cm-content").click()
            page.keyboard.press("Control+Enter")
            page.wait_for_timeout(5000)
        wait_for_charts(page, LIVE, 3)
        page.wait_for_timeout(2500)
        if GIVEN_UP not in session.errors:
            return


def ask(page: Any, time: str) -> None:
    """Type a time into the panel."""
    field = page.locator(".mr-explore-time input")
    field.fill(time)
    field.press("Tab")


def test_the_live_panel(session: Any) -> None:
    page = session.page
    open_panel(session)
    wait_for_text(page, ".mr-explore-table", "2025-04-03")
    ask(page, "2025-05-12 07:00 UTC")
    wait_for_text(page, ".mr-explore-table", "2025-05-13")
    # Geneva came out as Shanghai closed: two sessions are possible, and both are shown.
    wait_for_text(page, ".mr-explore-table", "or 2025-05-12")
    for title in ("Unusual: USD/CNY (ECB) −0.51%", "CSI 300: placebo p 0.86", "ambiguous: CSI 300"):
        wait_for_text(page, f"{LIVE} .gtitle", title)
    assert "2025-05-12 07:00 UTC" in page.locator(".mr-explore-code textarea").input_value()
    page.set_viewport_size(VIEW | {"height": 2800})  # the whole panel: its table and all of its charts
    page.locator(".mr-explore").evaluate("panel => panel.scrollIntoView()")
    session.shot("explorer_light")
    page.set_viewport_size(VIEW)
    ask(page, "2025-05-12 07:00 CST")
    wait_for_text(page, ".mr-explore-error", "CST")
    session.shot("explorer_error")
    ask(page, "2018-03-22 16:45 UTC")
    wait_for_text(page, ".mr-explore-table", "2018-03-23")
    for title in ("Unusual: CSI 300 −2.87%", "CSI 300: placebo p 0.018"):
        wait_for_text(page, f"{LIVE} .gtitle", title)
    assert "CST" not in page.locator(".mr-explore-error").inner_text()
    assert (session.asked, session.errors) == ([], [])


def test_the_dark_theme(session: Any) -> None:
    page = session.page
    choose_theme(page, "JupyterLab Dark")
    wait_for_charts(page, CHART, 4)
    ink = f"getComputedStyle(document.querySelector('{CHART} .gtitle')).fill"
    page.wait_for_function(f"{ink} === getComputedStyle(document.querySelector('.mr-result')).color")
    page.locator(CHART).nth(1).scroll_into_view_if_needed()
    session.shot("lab_dark")
    page.set_viewport_size(VIEW | {"height": 2800})
    page.locator(".mr-explore").evaluate("panel => panel.scrollIntoView()")
    session.shot("explorer_dark")
    page.set_viewport_size(VIEW)
    assert (session.asked, session.errors) == ([], [])


def test_the_buttons_of_a_chart_leave_its_title_free(session: Any) -> None:
    page = session.page
    chart = page.locator(CHART).nth(1)
    chart.hover()
    buttons = chart.locator(".modebar").bounding_box()
    title = chart.locator(".gtitle").bounding_box()
    assert buttons["x"] > title["x"] + title["width"]


def test_what_jupyterlab_saves_still_becomes_a_page_with_every_chart(session: Any, lab: Any) -> None:
    page, path = session.page, lab.folder / "notebooks" / NOTEBOOK
    page.locator(".jp-Notebook .jp-MarkdownCell").first.click()
    page.keyboard.press("Control+S")
    page.wait_for_function("!document.querySelector('.jp-mod-current.jp-mod-dirty')")
    limit = 100
    while not charts_of(saved := read_notebook(path)) and limit:
        page.wait_for_timeout(200)
        limit -= 1
    bundles = [output["data"] for cell in saved.cells for output in cell.get("outputs", []) if "data" in output]
    assert ["image/png" in data for data in bundles if PLOTLY in data] == [True] * 4
    assert to_html(saved, script="plotly.min.js").count('class="plotly-graph-div"') == 4
