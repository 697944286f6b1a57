"""The panel's widgets: setting a value in Python shows what react gives, in the same widgets."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

import market_reaction as mr
from market_reaction import theme as themes
from market_reaction.errors import MarketReactionError, UnknownInstrumentError
from market_reaction.explorer import state, view
from market_reaction.explorer.charts import Library, LiveChart
from market_reaction.explorer.panel import Explorer
from market_reaction.reaction_result import ReactionResult

MARKETS = ["CSI 300", "VIX"]


@pytest.fixture(scope="module")
def _warm() -> None:
    """Calendars and series once, before the tests are timed."""
    mr.react("2025-06-10-jt", markets=MARKETS, source="bundled")


@pytest.fixture
def panel(_warm: None) -> Explorer:
    return mr.explore(markets=MARKETS, source="bundled")


def plain(figure: go.Figure) -> dict[str, Any]:
    """What is drawn: without the ids of traces and without what is empty."""

    def full(value: Any) -> Any:
        if isinstance(value, dict):
            kept = {name: full(item) for name, item in value.items() if name != "uid"}
            return {name: item for name, item in kept.items() if item not in ({}, [], None)}
        if isinstance(value, np.ndarray):
            return [full(item) for item in value.tolist()]
        if isinstance(value, list | tuple):
            return [full(item) for item in value]
        return "nan" if isinstance(value, float) and np.isnan(value) else value

    return full(figure.to_plotly_json())


def shown(panel: Explorer, name: str) -> go.FigureWidget:
    widget = {"main": panel._main, "placebo": panel._placebo, "clock": panel._clock}[name].widget
    assert widget is not None
    return widget


def check_charts(panel: Explorer, result: ReactionResult, market: str, main: str = "reactions") -> None:
    for name, kind in (("main", main), ("placebo", "placebo"), ("clock", "clock")):
        assert plain(shown(panel, name)) == plain(result.plot(kind=kind, market=market)), name  # type: ignore[arg-type]


def test_the_first_answer_is_there_at_once(panel: Explorer) -> None:
    expected = mr.react("2025-06-10-jt", markets=MARKETS, source="bundled")
    assert panel.result is not None
    pd.testing.assert_frame_equal(panel.result.to_frame(), expected.to_frame())
    assert "CSI 300 rose 0.75%" in panel.table.value
    assert "Up to date" in panel.status.value
    assert panel.error.value == ""
    assert panel.controls.event.value == "2025-06-10-jt"
    check_charts(panel, expected, "CSI 300")


CHANGES: dict[str, tuple[Callable[[Explorer], None], dict[str, Any]]] = {
    "event": (lambda p: setattr(p.controls.event, "value", "2025-05-12-jt"), {"announcement": "2025-05-12-jt"}),
    "time": (
        lambda p: setattr(p.controls.time, "value", "2025-05-12 07:00 UTC"),
        {"announcement": "2025-05-12 07:00 UTC"},
    ),
    "date": (lambda p: setattr(p.controls.time, "value", "2025-05-12"), {"date": "2025-05-12"}),
    "market": (lambda p: setattr(p.controls.ticks["US 10y"], "value", True), {"markets": [*MARKETS, "US 10y"]}),
    "fewer": (lambda p: setattr(p.controls.ticks["CSI 300"], "value", False), {"markets": ["VIX"]}),
    "model": (lambda p: setattr(p.controls.model, "value", "zero_mean"), {"normal_model": "zero_mean"}),
    "windows": (lambda p: setattr(p.controls.windows, "value", "-2:2"), {"windows": [(-2, 2)]}),
    "estimation": (
        lambda p: setattr(p.controls.first, "value", -90),
        {"windows": mr.EventWindows(estimation=(-90, -11))},
    ),
    "moved": (lambda p: setattr(p.controls.moved, "value", True), {"selected_because_it_moved": True}),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_shows_what_react_gives(panel: Explorer, name: str) -> None:
    change, arguments = CHANGES[name]
    before = [shown(panel, chart) for chart in ("main", "placebo", "clock")]
    change(panel)
    if "date" not in arguments:
        arguments = {"announcement": "2025-06-10-jt"} | arguments
    expected = mr.react(**({"markets": MARKETS, "source": "bundled"} | arguments))
    assert panel.error.value == ""
    assert panel.result is not None
    pd.testing.assert_frame_equal(panel.result.to_frame(), expected.to_frame())
    check_charts(panel, expected, expected.reactions[0].market)
    assert before == [shown(panel, chart) for chart in ("main", "placebo", "clock")]
    assert panel.code_area.value == panel.copy.text == panel.code
    space: dict[str, Any] = {}
    exec(panel.code, space)
    pd.testing.assert_frame_equal(space["result"].to_frame(), expected.to_frame())


def test_a_time_leaves_the_list_and_an_event_clears_the_time(panel: Explorer) -> None:
    panel.controls.time.value = "2025-05-12 07:00 UTC"
    assert panel.controls.event.value is None
    panel.controls.event.value = "2025-05-12-jt"
    assert panel.controls.time.value == ""
    assert panel.answer.question.when == "2025-05-12-jt"


def test_searching_asks_nothing(panel: Explorer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state, "react", lambda *args, **options: pytest.fail("a question was asked"))
    panel.controls.search.value = "London"
    assert 0 < len(panel.controls.event.options) < 20
    assert panel.controls.event.value == "2025-06-10-jt"
    panel.controls.search.value = "solar panels"
    assert panel.controls.event.value is None
    assert panel.controls.question().when == "2025-06-10-jt"


def test_an_error_is_shown_and_the_last_answer_dimmed(panel: Explorer) -> None:
    table = panel.table.value
    panel.controls.time.value = "2025-05-12 15:00 <b>CST</b>"
    assert "&lt;b&gt;CST&lt;/b&gt;" in panel.error.value
    assert "<b>" not in panel.error.value
    assert "Traceback" not in panel.error.value
    assert "The dimmed answer below is the last one" in panel.error.value
    assert panel.table.value == table
    assert "mr-explore-stale" in panel.table._dom_classes
    assert "mr-explore-stale" in panel.charts._dom_classes
    assert panel.save.disabled
    panel.controls.time.value = "2025-05-12 07:00 UTC"
    assert panel.error.value == ""
    assert "mr-explore-stale" not in panel.table._dom_classes
    assert not panel.save.disabled


def test_an_error_at_first_leaves_nothing_to_dim_and_can_be_mended(_warm: None) -> None:
    panel = mr.explore("2025-05-12", markets=["Apple"], source="bundled")
    assert panel.result is None
    assert "no market could be had" in panel.error.value
    assert "dimmed" not in panel.error.value
    assert panel.charts.children == ()
    panel.controls.event.value = "2018-03-22-us"
    assert panel.error.value == ""
    assert len(panel.charts.children) == 3


def test_a_fault_while_drawing_is_a_sentence(panel: Explorer, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: object) -> None:
        raise KeyError("tau")

    monkeypatch.setattr(LiveChart, "show", broken)
    panel.controls.event.value = "2025-05-12-jt"
    assert "fault of the program (KeyError: 'tau')" in panel.error.value.replace("&#x27;", "'")


def test_warnings_are_shown_escaped(panel: Explorer, monkeypatch: pytest.MonkeyPatch) -> None:
    real = mr.react

    def warned(*args: Any, **options: Any) -> ReactionResult:
        warnings.warn("<img> is no price", UserWarning, stacklevel=1)
        return real(*args, **options)

    monkeypatch.setattr(state, "react", warned)
    panel.controls.event.value = "2025-05-12-jt"
    assert "&lt;img&gt; is no price" in panel.warned.value
    assert "<img>" not in panel.warned.value


def test_path_and_market_of_the_charts(panel: Explorer) -> None:
    result = panel.result
    assert result is not None
    panel.kind.value = "car"
    check_charts(panel, result, "CSI 300", "car")
    panel.market.value = "VIX"
    check_charts(panel, result, "VIX", "car")
    panel.controls.event.value = "2025-05-12-jt"
    assert panel.market.value == "VIX"
    assert panel.result is not None
    check_charts(panel, panel.result, "VIX", "car")
    panel.controls.ticks["VIX"].value = False
    assert panel.market.value == "CSI 300"


def test_models_show_what_they_take(panel: Explorer) -> None:
    controls = panel.controls
    assert controls.benchmark.layout.display == controls.others.layout.display == "none"
    controls.model.value = "market"
    assert controls.benchmark.layout.display is None
    assert "no default benchmark" in panel.error.value or panel.result is not None
    controls.benchmark.value = "Broad dollar"
    assert panel.result is not None
    assert panel.result.parameters["benchmark"] == "Broad dollar"
    controls.model.value = "factors"
    assert controls.others.layout.display is None
    assert "needs factors=" in panel.error.value
    controls.others.value = ("US 10y", "WTI spot")
    assert panel.error.value == ""
    assert panel.result.parameters["factors"] == ["US 10y", "WTI spot"]


def test_several_questions_are_counted(panel: Explorer) -> None:
    assert "questions were asked" not in panel.table.value
    panel.controls.event.value = "2025-05-12-jt"
    panel.controls.event.value = "2025-06-10-jt"
    assert "2 questions were asked in this panel" in panel.table.value


def test_hostile_titles_are_text(panel: Explorer, monkeypatch: pytest.MonkeyPatch) -> None:
    real = mr.react

    def renamed(*args: Any, **options: Any) -> ReactionResult:
        result = real(*args, **options)
        event = result.event.copy()
        event["title"] = "<script>alert(1)</script>"
        return replace(result, event=event)

    monkeypatch.setattr(state, "react", renamed)
    panel.controls.event.value = "2025-05-12-jt"
    assert "&lt;script&gt;" in panel.table.value
    assert "<script>" not in panel.table.value


def test_the_report_is_written_and_named(panel: Explorer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("market_reaction.paths.build_dir", lambda: tmp_path / "a <b> & c")
    panel.save.click()
    path = tmp_path / "a <b> & c" / "2025-06-10-jt.html"
    assert "CSI 300" in path.read_text(encoding="utf-8")
    assert "a &lt;b&gt; &amp; c/2025-06-10-jt.html" in panel.saved.value
    monkeypatch.setattr("market_reaction.paths.build_dir", lambda: path)
    panel.save.click()
    assert "the report was not written" in panel.saved.value


def test_a_page_without_widgets_gets_a_sentence(panel: Explorer) -> None:
    bundle = panel._repr_mimebundle_()
    assert "needs a running kernel" in bundle["text/html"]
    assert "needs a running kernel" in bundle["text/plain"]
    assert bundle["application/vnd.jupyter.widget-view+json"]["model_id"] == panel.model_id
    assert repr(panel).startswith("<Explorer: <ReactionResult: CSI 300 rose")


def test_a_page_of_the_notebook_holds_the_sentence_and_asks_no_host(panel: Explorer) -> None:
    import nbformat

    from market_reaction.notebook_pages import to_html

    bundle = panel._repr_mimebundle_()
    state_kept = {panel.model_id: {"model_name": "VBoxModel", "model_module": "@jupyter-widgets/controls", "state": {}}}
    output = nbformat.v4.new_output("execute_result", bundle, execution_count=1)
    cell = nbformat.v4.new_code_cell("mr.explore()", execution_count=1, outputs=[output])
    notebook = nbformat.v4.new_notebook(cells=[cell])
    kept = {"state": state_kept, "version_major": 2, "version_minor": 0}
    notebook.metadata["widgets"] = {"application/vnd.jupyter.widget-state+json": kept}
    page = to_html(notebook)
    assert "needs a running kernel" in page
    assert "unpkg" not in page


def test_classes_for_style_and_tests_are_there(panel: Explorer) -> None:
    found: set[str] = set()

    def visit(widget: Any) -> None:
        found.update(getattr(widget, "_dom_classes", ()))
        for child in getattr(widget, "children", ()):
            visit(child)

    visit(panel)
    names = "event search time group markets model windows table error status code copy save saved kind market"
    for name in (*names.split(), "chart-main", "chart-placebo", "chart-clock"):
        assert f"mr-explore-{name}" in found
    assert "mr-explore" in found


def test_plotly_comes_once_and_charts_are_announced_whole(panel: Explorer) -> None:
    libraries = [child for child in panel.children if isinstance(child, Library)]
    assert len(libraries) == 1
    assert len(libraries[0].source) > 1_000_000
    for name in ("main", "placebo", "clock"):
        widget = shown(panel, name)
        assert len(widget.get_state("_esm")["_esm"]) < 5_000
        state_sent = widget.get_state(["_widget_data", "_widget_layout"])
        assert len(state_sent["_widget_data"]) == len(widget.data)
    panel.controls.event.value = "2025-05-12-jt"  # a page that is loaded again starts from the state
    title = shown(panel, "main").get_state("_widget_layout")["_widget_layout"]["title"]["text"]
    assert title == shown(panel, "main").layout.title.text


def test_groups_are_shown_one_at_a_time(panel: Explorer) -> None:
    controls = panel.controls
    assert controls.group.options[0] == "Indexes"
    assert controls.ticks["CSI 300"] in controls.markets.children
    controls.group.value = "Yields and volatility"
    assert [tick.description for tick in controls.markets.children] == ["VIX", "US 2y", "US 10y"]
    assert controls.ticked.value == "Ticked: CSI 300, VIX"
    assert controls.ticks["USD/CNH"].disabled
    assert "no data" in controls.ticks["USD/CNH"].description


def test_a_figure_that_is_not_announced_yet_sends_nothing() -> None:
    live = LiveChart("x")
    assert live.widget is None
    live.show(go.Figure(go.Scatter(y=[1, 2])))
    first = live.widget
    assert first is not None
    assert first.comm is not None
    live.show(go.Figure([go.Bar(y=[1]), go.Bar(y=[2])], layout={"title": {"text": "two"}}))
    assert live.widget is first
    assert [trace.type for trace in first.data] == ["bar", "bar"]
    live.show(go.Figure(go.Scatter(y=[3])))
    assert first.layout.title.text is None


def test_typing_waits_for_enter(panel: Explorer) -> None:
    for widget in (panel.controls.search, panel.controls.time, panel.controls.windows, panel.controls.first):
        assert widget.continuous_update is False


def test_a_key_held_down_asks_once(panel: Explorer, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    real = mr.react
    monkeypatch.setattr(state, "react", lambda *args, **options: asked.append(args) or real(*args, **options))

    async def hold() -> None:
        for event_id in ("2025-05-12-jt", "2025-04-04-cn", "2025-04-02-us"):
            panel.controls.event.value = event_id
            assert "Working" in panel.status.value
            await asyncio.sleep(0)
        await asyncio.sleep(0.3)

    asyncio.run(hold())
    assert len(asked) == 1
    assert panel.answer.question.when == "2025-04-02-us"
    assert "Up to date" in panel.status.value


def test_themes_reach_the_charts(_warm: None) -> None:
    panel = mr.explore(markets=["CSI 300"], source="bundled", theme="dark")
    assert shown(panel, "main").layout.template.layout.font.color == themes.INK["dark"]
    with pytest.raises(ValueError, match="theme='pink' is not known"):
        mr.explore(theme="pink")  # type: ignore[arg-type]


def test_what_the_panel_cannot_mend_is_raised() -> None:
    with pytest.raises(UnknownInstrumentError, match="Did you mean 'CSI 300'"):
        mr.explore(markets=["CSI 30"], source="bundled")
    with pytest.raises(MarketReactionError, match="a folder is needed for source='files'"):
        mr.explore(source="files")
    with pytest.raises(MarketReactionError, match="does not exist"):
        mr.explore(source="files", folder="no such folder")


def test_the_scripts_ask_no_server(panel: Explorer) -> None:
    from market_reaction.explorer import clipboard

    text = Path(clipboard.__file__).with_name("clipboard.js").read_text(encoding="utf-8")
    drawing = Path(clipboard.__file__).with_name("charts.js").read_text(encoding="utf-8")
    for source in (text, drawing, view.STYLE):
        assert "http" not in source
        assert "url(" not in source
