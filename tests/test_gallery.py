"""The gallery: notebooks run in kernels of their own, pages prove their charts, the page of contents is inert."""

from __future__ import annotations

import copy
import re
from pathlib import Path
from typing import Any

import nbformat
import pandas as pd
import plotly.graph_objects as go
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

import market_reaction as mr
from helpers import price_data, seeded_closes
from market_reaction import gallery
from market_reaction.gallery import build_gallery, vintages
from market_reaction.notebook_pages import (
    HTML,
    PLOTLY,
    WIDGET,
    PageError,
    charts_of,
    prove_charts,
    question_of,
    to_html,
)
from market_reaction.notebooks import NotebookError

HOSTILE = "</script><script>alert(1)</script>"


def executed(*bundles: dict[str, Any]) -> nbformat.NotebookNode:
    """Notebook as if executed, one cell an output."""
    cells = [new_code_cell("1", outputs=[new_output("display_data", data=data)]) for data in bundles]
    return new_notebook(cells=[new_markdown_cell("# Is it drawn?"), *cells])


def chart(title: str = "a chart") -> dict[str, Any]:
    figure = go.Figure(go.Bar(y=[1.0, 2.0]), layout={"title": {"text": title}})
    return {PLOTLY: figure.to_plotly_json() | {"config": {"plotlyServerURL": "https://example.org"}}}


def loaded(page: str) -> list[str]:
    """Addresses a page would load."""
    return re.findall(r"<(?:script|link|img|iframe)\b[^>]*\b(?:src|href)=\"(?!data:)([^\"]*)\"", page)


def test_every_chart_is_in_the_page_once_and_one_script_serves_all() -> None:
    notebook = executed(chart(), {"text/plain": "no chart"}, chart("another"))
    before = copy.deepcopy(notebook)
    page = to_html(notebook, script="plotly.min.js")
    assert [page.count(f'id="chart-{number}"') for number in range(3)] == [1, 1, 0]
    assert loaded(page) == ["plotly.min.js"]
    assert "example.org" not in page
    assert len(page) < 500_000
    assert notebook == before


def test_a_page_of_its_own_loads_nothing() -> None:
    page = to_html(executed(chart()))
    assert loaded(page) == []
    assert "mermaid@" not in page  # a script that nbconvert would have from elsewhere
    assert "Content-Security-Policy" in page
    assert len(page) > 3_000_000  # the plotly script


def test_the_picture_that_jupyterlab_saves_beside_a_chart_is_not_shown_instead_of_it() -> None:
    png = {"image/png": "iVBORw0KGgoSaved", "text/html": "<p>a saved copy</p>"}
    page = to_html(executed(chart() | png), script="plotly.min.js")
    assert 'id="chart-0"' in page
    assert "iVBORw0KGgoSaved" not in page
    assert "a saved copy" not in page


def test_a_missing_chart_is_an_error_that_names_it() -> None:
    page = to_html(executed(chart(), chart()), script="plotly.min.js")
    with pytest.raises(PageError, match=r"lacks 1 of the 3 charts of its notebook: number 3"):
        prove_charts(page, 3)
    with pytest.raises(PageError, match=r"lacks 1 of the 2 charts of its notebook: number 2"):
        prove_charts(page.replace('"chart-1",', '"elsewhere",'), 2)


def test_live_panels_become_their_sentence_and_progress_bars_nothing() -> None:
    view = {WIDGET: {"model_id": "a", "version_major": 2, "version_minor": 0}}
    notebook = executed(view | {HTML: "<p>needs a kernel</p>"}, view | {"text/plain": "50%|bar"})
    notebook.metadata["widgets"] = {"application/vnd.jupyter.widget-state+json": {"state": {"a": {}}}}
    page = to_html(notebook, script="plotly.min.js")
    assert "needs a kernel" in page
    assert "50%|bar" not in page
    assert "widget-view" not in page
    assert loaded(page) == []


def test_question_is_the_first_heading() -> None:
    assert question_of(executed()) == "Is it drawn?"
    assert question_of(new_notebook(cells=[new_markdown_cell("no heading")])) == "Notebook"


def test_charts_of_a_notebook_are_read_in_order() -> None:
    found = charts_of(executed(chart("first"), {HTML: "<p>"}, chart("second")))
    assert [figure["layout"]["title"]["text"] for figure in found] == ["first", "second"]


def test_vintages_come_from_prices_and_results_each_series_once() -> None:
    prices = price_data(seeded_closes(rows=300))
    (row,) = vintages({"prices": prices, "again": prices, "check": mr.check_data(prices), "other": 3})
    assert row["market"] == "m0"
    assert row["source"] == "frame"
    assert row["last"] == f"{prices['m0'].sessions[-1]:%Y-%m-%d}"
    assert row["retrieved_utc"] == ""
    assert len(row["sha256"]) == 64


def written(folder: Path, name: str, *codes: str, title: str = "A question?") -> Path:
    cells = [new_markdown_cell(f"# {title}"), new_code_cell("NAME = 'x'", metadata={"tags": ["parameters"]})]
    for number, code in enumerate(codes):
        cells.append(new_code_cell(code, id="answer" if number == 0 else f"c{number}"))
    path = folder / f"{name}.ipynb"
    nbformat.write(new_notebook(cells=cells), path)
    return path


def test_build_gallery(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MARKET_REACTION_OFFLINE", raising=False)
    sound = written(
        tmp_path,
        "01_sound",
        f"import os\nprint('offline', os.environ.get('MARKET_REACTION_OFFLINE'), {HOSTILE!r})",
        f"import plotly.graph_objects as go\ngo.Figure(go.Bar(y=[1]), layout={{'title': {{'text': {HOSTILE!r}}}}})",
        title="<script>alert(2)</script> sound?",
    )
    broken = written(tmp_path, "02_broken", "print('begun')", "1 / 0", "print('never')")
    target = tmp_path / "pages"
    target.mkdir()
    (target / "09_old.html").write_text("of an earlier run", encoding="utf-8")
    (target / "notes.html").write_text("of the user", encoding="utf-8")

    built = build_gallery(target, notebooks=[sound, broken])

    assert [page.name for page in built.pages] == ["01_sound", "02_broken"]
    first, second = built.pages
    assert (first.error, first.charts, first.warnings) == ("", 1, "")
    assert first.answer.startswith("offline 1 ")
    assert second.error == "ZeroDivisionError: division by zero"
    assert second.answer == "begun"
    assert "ZeroDivisionError" in second.html.read_text(encoding="utf-8")
    assert re.search(r"<pre>[^<]*never", second.html.read_text(encoding="utf-8")) is None
    assert built.failed == (second,)
    assert list(built.to_frame().index) == ["01_sound", "02_broken"]
    assert sorted(path.name for path in target.iterdir()) == [
        "01_sound.html", "02_broken.html", "index.html", "notes.html", "plotly.min.js",
    ]  # fmt: skip
    index = built.index.read_text(encoding="utf-8")
    assert "<script>alert" not in index
    assert "It stopped: ZeroDivisionError" in index
    assert loaded(index) == ["plotly.min.js"]
    assert "gallery.vintages" not in first.html.read_text(encoding="utf-8")


def test_mistakes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NotebookError, match=r"jobs=0 runs nothing; give 1 or more\."):
        build_gallery(tmp_path, jobs=0)
    monkeypatch.setattr(gallery.paths, "notebooks_dir", lambda: tmp_path)
    with pytest.raises(NotebookError, match="there is no notebook in"):
        build_gallery(tmp_path)


def test_answer_without_vintage_is_a_cell_without_text() -> None:
    assert [gallery._cell(value) for value in (None, pd.NaT, float("nan"))] == ["", "", ""]
    assert gallery._cell(pd.Timestamp("2025-06-11", tz="UTC")) == "2025-06-11"


def test_command_prints_the_seconds_and_fails_where_a_notebook_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from typer.testing import CliRunner

    from market_reaction.cli.app import app

    asked: dict[str, Any] = {}

    def page(name: str, error: str) -> gallery.GalleryPage:
        return gallery.GalleryPage(name, tmp_path / name, "?", "Yes.", 3.25, 2, None, {}, (), error, "")

    def build(folder: Path | None, **options: Any) -> gallery.Gallery:
        asked.update(options, folder=folder)
        pages = (page("01_sound", ""), page("02_broken", "ValueError: [red]no[/red]"))
        return gallery.Gallery(tmp_path / "index.html", pages, 6.5)

    monkeypatch.setattr(gallery, "build_gallery", build)
    result = CliRunner().invoke(app, ["gallery", "--to", str(tmp_path), "--jobs", "1"])
    assert result.exit_code == 1
    assert asked == {"folder": tmp_path, "jobs": 1, "offline": True}
    rows = [line.split() for line in result.stdout.splitlines() if line.strip()]
    assert ["01_sound", "3.2", "2", "ran"] in rows
    assert ["02_broken", "3.2", "2", "ValueError:", "[red]no[/red]"] in rows
    assert ["all", "6.5", "4"] in rows
    assert str(tmp_path / "index.html") in result.stdout
    assert "1 of 2 notebooks stopped" in result.stderr
