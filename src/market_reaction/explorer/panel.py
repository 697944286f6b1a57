"""The panel: controls on top, the answer and its charts below."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import ipywidgets as widgets

from market_reaction import paths
from market_reaction import theme as themes
from market_reaction.explorer import view
from market_reaction.explorer.charts import Library, LiveChart
from market_reaction.explorer.choices import market_choices
from market_reaction.explorer.clipboard import CopyButton
from market_reaction.explorer.controls import Controls
from market_reaction.explorer.state import Answer, Answers, fault
from market_reaction.instruments import DEFAULT_MARKETS, Instrument, find_instruments
from market_reaction.loading import SourceName, check_source
from market_reaction.reaction_result import ReactionResult
from market_reaction.theme import Theme

START = "2025-06-10-jt"  # shown when nothing is asked for: the London framework, as in notebook 01
_PAUSE = 0.015  # seconds of quiet before a question is asked, so that a key held down asks once


def explore(
    announcement: str | datetime | date | None = None,
    *,
    markets: Sequence[str | Instrument] | None = None,
    source: SourceName = "auto",
    folder: str | Path | None = None,
    theme: Theme = "auto",
) -> Explorer:
    """Open a live panel in JupyterLab: pick an announcement, markets, model and windows; table and charts follow.

    Parameters
    ----------
    announcement : str, datetime or date, optional
        What is shown at first: a time with its zone, a date whose clock is unknown, or an id of the catalogue; the
        London framework of June 2025 when left out.
    markets : sequence of str or Instrument, optional
        Markets that are ticked at first; when left out, those of the default list that the source has.
    source : {"auto", "yahoo", "bundled", "files"}
        Where prices come from.
    folder : str or Path, optional
        Folder of files for ``source="files"``.
    theme : {"auto", "light", "dark"}
        Ink of the charts; ``"auto"`` is readable on a light and on a dark page.

    Returns
    -------
    Explorer
        A widget. Errors and warnings appear inside it; ``result`` is the answer shown and ``code`` its cell.

    Raises
    ------
    UnknownInstrumentError
        A market that is not known.
    MarketReactionError
        A source that is not known, or a folder that cannot be read.

    Examples
    --------
    >>> import market_reaction as mr
    >>> panel = mr.explore("2025-06-10-jt", markets=["CSI 300"], source="bundled")
    >>> panel.result["CSI 300"].headline.session
    Timestamp('2025-06-11 00:00:00')
    >>> panel.controls.time.value = "2025-05-12 07:00 UTC"
    >>> panel.result["CSI 300"].ambiguous
    True
    """
    themes.template(theme)
    check_source(source, folder)
    where = None if folder is None else str(Path(folder).expanduser())
    choices = market_choices(markets, source=source, folder=where)
    order = find_instruments(DEFAULT_MARKETS if markets is None else markets)
    return Explorer(_typed(announcement), choices, order, source, where, theme)


def _typed(announcement: str | datetime | date | None) -> str:
    """Announcement as it would be typed."""
    if announcement is None:
        return START
    if isinstance(announcement, datetime):
        return f"{announcement:%Y-%m-%d %H:%M:%S} {announcement:%z}"
    return f"{announcement:%Y-%m-%d}" if isinstance(announcement, date) else announcement.strip()


class Explorer(widgets.VBox):
    """The live panel that ``explore`` opens.

    Attributes
    ----------
    controls : Controls
        What can be set; each control is a widget whose ``value`` may be set from Python too.
    answer : Answer
        Answer to the question the controls ask.
    result : ReactionResult or None
        What is shown: the last answer that could be given.
    """

    def __init__(
        self,
        when: str,
        choices: dict[str, Any],
        order: list[Instrument],
        source: SourceName,
        folder: str | None,
        theme: Theme,
    ) -> None:
        super().__init__()
        self.add_class("mr-explore")
        self.result: ReactionResult | None = None
        self._answers, self._theme = Answers(), theme
        self._waiting: asyncio.TimerHandle | None = None
        self.controls = Controls(when, choices, order, source, folder, self._asked)
        self._make_messages()
        self._make_charts()
        self._make_code()
        results = _box(
            "results", self.status, self.error, self.warned, self.table, self.chosen, self.charts, self.code_area,
            self.actions, self.saved,
        )  # fmt: skip
        style = widgets.HTML(f"<style>{view.STYLE}{themes.INK_STYLE}</style>", layout={"display": "none"})
        self.children = (Library(), style, self.controls.box, results)
        self._ask(progress=True)

    def __repr__(self) -> str:
        """Say what is shown."""
        shown = "nothing yet" if self.result is None else repr(self.result)
        return f"<Explorer: {shown}>"

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        """Give the live view, and a sentence for pages that cannot run it."""
        live = {"version_major": 2, "version_minor": 0, "model_id": self.model_id}
        return {
            "application/vnd.jupyter.widget-view+json": live,
            "text/html": view.static_html(),
            "text/plain": view.STATIC,
        }

    @property
    def code(self) -> str:
        """The question as a cell of a notebook; empty where it cannot be read."""
        return self.answer.code

    def _make_messages(self) -> None:
        self.status, self.error, self.warned, self.table, self.saved = (widgets.HTML() for _ in range(5))
        for name in ("status", "error", "warned", "table", "saved"):
            getattr(self, name).add_class(f"mr-explore-{name}")

    def _make_charts(self) -> None:
        """Two selectors and three charts."""
        self.kind = widgets.ToggleButtons(
            options=[("Reactions", "reactions"), ("CAR path", "car")],
            tooltips=["Moves of all markets in usual days", "Cumulated abnormal return of one market"],
        )
        self.market = widgets.Dropdown(description="Market of the path and of the earlier days", options=[])
        self.market.style.description_width = "initial"
        self.chosen = _box("chosen", self.kind, self.market)
        self.kind.add_class("mr-explore-kind")
        self.market.add_class("mr-explore-market")
        self._main, self._placebo, self._clock = (
            LiveChart(f"mr-explore-chart-{name}") for name in ("main", "placebo", "clock")
        )
        self.charts = _box("charts")
        self.kind.observe(lambda change: self._draw(("main",)), "value")
        self.market.observe(self._market_chosen, "value")

    def _make_code(self) -> None:
        """The cell, and what can be done with it."""
        self.code_area = widgets.Textarea(description="The same as a cell of a notebook", rows=8)
        self.copy = CopyButton()
        self.save = widgets.Button(description="Save the report", tooltip="Write the answer and its charts as one page")
        self.actions = _box("actions", self.copy, self.save)
        for widget, name in (
            (self.code_area, "code"),
            (self.copy, "copy"),
            (self.save, "save"),
            (self.actions, "chosen"),
        ):
            widget.add_class(f"mr-explore-{name}")
        self.save.on_click(lambda button: self._save())

    def _asked(self) -> None:
        """Take note of a change; ask at once without an event loop, else after the changes that are on their way."""
        self.status.value = view.status_html("Working", working=True)
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self._ask()
            return
        if self._waiting is not None:
            self._waiting.cancel()
        self._waiting = loop.call_later(_PAUSE, self._ask)

    def _ask(self, *, progress: bool = False) -> None:
        self._waiting = None
        self.answer = self._answers.answer(self.controls.question(), progress=progress)
        try:
            self._show(self.answer)
        except Exception as problem:
            self._show_error(fault(problem))

    def _show(self, answer: Answer) -> None:
        """Show an answer; where there is none the last one stays, dimmed."""
        self.code_area.value = self.copy.text = answer.code
        self.saved.value = ""
        self.warned.value = view.warnings_html(answer.warnings)
        if answer.result is None:
            self._show_error(answer.error)
            return
        self.error.value = ""
        self.result = answer.result
        self.table.value = view.answer_html(self.result, self._answers.asked)
        self._offer_markets([row.market for row in self.result.reactions])
        self._draw(("main", "placebo", "clock"))
        self._dim(False)
        self.status.value = view.status_html("Up to date")

    def _show_error(self, text: str) -> None:
        self.error.value = view.error_html(text, self.result)
        self._dim(True)
        self.status.value = view.status_html("No answer to this question")

    def _dim(self, stale: bool) -> None:
        """Mark what is shown as the answer to another question, or no longer."""
        self.save.disabled = stale
        for part in (self.table, self.charts):
            (part.add_class if stale else part.remove_class)("mr-explore-stale")

    def _offer_markets(self, markets: list[str]) -> None:
        """Offer the markets of the result for the path, and keep the one chosen where it is among them."""
        kept = self.market.value if self.market.value in markets else markets[0]
        self.market.unobserve(self._market_chosen, "value")
        if list(self.market.options) != markets:
            self.market.options = markets
        self.market.value = kept
        self.market.observe(self._market_chosen, "value")

    def _market_chosen(self, change: Any) -> None:
        self._draw(("main", "placebo") if self.kind.value == "car" else ("placebo",))

    def _draw(self, names: Sequence[str]) -> None:
        """Draw charts of the result shown."""
        if self.result is None:
            return
        kinds = {"main": self.kind.value, "placebo": "placebo", "clock": "clock"}
        lives = {"main": self._main, "placebo": self._placebo, "clock": self._clock}
        for name in names:
            lives[name].show(self.result.plot(kind=kinds[name], market=self.market.value, theme=self._theme))
        if not self.charts.children:
            self.charts.children = tuple(live.widget for live in lives.values())

    def _save(self) -> None:
        """Write the report of what is shown, and say where it is."""
        if self.result is None:
            return
        self.saved.value = view.status_html("Writing the report", working=True)
        name = re.sub(r"[^A-Za-z0-9.-]+", "_", str(self.result.event.name)).strip("._")[:80] or "report"
        try:
            path = self.result.report(paths.build_dir() / f"{name}.html")
        except Exception as problem:
            self.saved.value = view.error_html(f"the report was not written: {problem}", None)
            return
        self.saved.value = view.saved_html(path)


def _box(name: str, *children: widgets.Widget) -> widgets.Box:
    """Box with a class of its own."""
    box = widgets.Box(children) if name in ("charts", "chosen", "actions") else widgets.VBox(children)
    box.add_class(f"mr-explore-{name}")
    return box
