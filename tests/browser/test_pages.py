"""Pages of the gallery opened from disk in a real browser, with the network cut: every chart is drawn."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from market_reaction.gallery import Gallery, build_gallery

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

ROOT = Path(__file__).resolve().parents[2]
DRAWN = """[...document.querySelectorAll('.js-plotly-plot')].map(
  place => ({id: place.id, marks: place.querySelectorAll('.cartesianlayer .trace path').length,
    title: (place.querySelector('.gtitle') || {}).textContent || '',
    inside: place.querySelector('.main-svg').getBoundingClientRect().right
      <= document.documentElement.clientWidth}))"""


@pytest.fixture(scope="module")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> Gallery:
    return build_gallery(
        tmp_path_factory.mktemp("gallery"), notebooks=[ROOT / "notebooks" / "01_one_announcement.ipynb"]
    )


def opened(watched: Callable[..., Any], path: Path, scheme: str = "light", width: int = 900) -> Any:
    """Open a file with the network cut and every fold unfolded."""
    options = {"color_scheme": scheme, "viewport": {"width": width, "height": 1000}, "offline": True}
    seen = watched(path.parent.as_uri(), **options)
    seen.page.goto(path.as_uri())
    seen.page.evaluate("document.querySelectorAll('details').forEach(fold => { fold.open = true })")
    return seen


def drawn(seen: Any, count: int) -> list[dict[str, Any]]:
    """Charts once there are ``count`` of them."""
    seen.page.wait_for_function(f"document.querySelectorAll('.js-plotly-plot .cartesianlayer').length >= {count}")
    return list(seen.page.evaluate(DRAWN))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_page_of_a_notebook(watched: Callable[..., Any], gallery: Gallery, scheme: str) -> None:
    (page,) = gallery.pages
    assert (page.error, page.warnings) == ("", "")
    seen = opened(watched, page.html, scheme, 1000)
    charts = drawn(seen, page.charts)
    assert len(charts) == page.charts == 4
    assert all(chart["marks"] and chart["title"] and chart["inside"] for chart in charts)
    assert "JupyterLab" in seen.page.locator(".jp-Cell", has_text="mr.explore(").inner_text()
    seen.shot(f"gallery_01_{scheme}", full=True)
    assert (seen.asked, seen.errors) == ([], [])


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_page_of_contents(watched: Callable[..., Any], gallery: Gallery, scheme: str) -> None:
    seen = opened(watched, gallery.index, scheme)
    charts = drawn(seen, 1)
    assert len(charts) == 1
    assert charts[0]["marks"]
    assert charts[0]["inside"]
    ink = "getComputedStyle(document.querySelector('.gtitle')).fill === getComputedStyle(document.body).color"
    assert seen.page.evaluate(ink)
    seen.shot(f"gallery_index_{scheme}", full=True)
    assert (seen.asked, seen.errors) == ([], [])
    seen.page.get_by_role("link", name="the whole notebook").click()
    seen.page.wait_for_selector("h1:has-text('Was the reaction to this announcement unusual?')")


def test_contents_fit_a_telephone(watched: Callable[..., Any], gallery: Gallery) -> None:
    seen = opened(watched, gallery.index, width=400)
    drawn(seen, 1)
    assert seen.page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
