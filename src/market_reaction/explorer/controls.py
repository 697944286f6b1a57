"""The controls of the panel: what they are called, what they hold, and the question they make."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html import escape
from typing import Any

import ipywidgets as widgets

from market_reaction.explorer.choices import MarketChoice, event_options
from market_reaction.explorer.question import DEFAULT, Question, windows_text
from market_reaction.instruments import Instrument
from market_reaction.loading import SourceName
from market_reaction.normal_models import NORMAL_MODELS


class Controls:
    """Everything a user can set.

    Parameters
    ----------
    when : str
        What is asked at first: a time, a date or an id of the catalogue.
    choices : dict
        Markets by group, as ``market_choices`` gives them.
    order : list of Instrument
        Markets that come first, in this order.
    source, folder
        As for ``react``.
    changed : callable
        Called without arguments after every change that makes another question.
    """

    def __init__(
        self,
        when: str,
        choices: dict[str, list[MarketChoice]],
        order: list[Instrument],
        source: SourceName,
        folder: str | None,
        changed: Callable[[], None],
    ) -> None:
        self.source, self.folder = source, folder
        self._changed, self._quiet = changed, False
        self._make_event(when)
        self._make_markets(choices, order)
        self._make_model([item.instrument.name for group in choices.values() for item in group if item.available])
        self._make_windows()
        self.box = widgets.Box(
            [
                _column("announcement", self.search, self.event, self.time, self.moved),
                _column("markets-column", self.group, self.markets, self.ticked),
                _column(
                    "design", self.model, self.description, self.benchmark, self.others, self.windows,
                    _heading("Estimation window, sessions"), self.estimation,
                ),
            ]
        )  # fmt: skip
        self.box.add_class("mr-explore-controls")
        self._show_regressors()

    def question(self) -> Question:
        """What the controls ask now."""
        return Question(
            when=self.time.value.strip() or self.event.value or "",
            markets=tuple(self._names[name] for name, tick in self.ticks.items() if tick.value),
            windows=self.windows.value,
            estimation=(self.first.value, self.last.value),
            normal_model=self.model.value,
            benchmark=self.benchmark.value,
            others=tuple(self.others.value),
            selected_because_it_moved=self.moved.value,
            source=self.source,
            folder=self.folder,
        )

    def _make_event(self, when: str) -> None:
        """Search box, list of events, and the field for a time or a date of one's own."""
        self._options = event_options()
        known = {event_id for _, event_id in self._options}
        self.search = widgets.Text(
            description="Search the announcements", placeholder="rare earth 2025-06", continuous_update=False
        )
        self.event = widgets.Select(
            description="Announcement", options=self._options, value=when if when in known else None, rows=9
        )
        self.time = widgets.Text(
            description="Or a time with its zone, or a date", value="" if when in known else when,
            placeholder="2025-06-10 22:50 UTC", continuous_update=False,
        )  # fmt: skip
        self.moved = widgets.Checkbox(
            description="I chose it because the market moved", indent=False, tooltip="Every p is then void."
        )
        for widget, name in ((self.search, "search"), (self.event, "event"), (self.time, "time"), (self.moved, "tick")):
            widget.add_class(f"mr-explore-{name}")
        self.search.observe(self._searched, "value")
        self.event.observe(self._picked, "value")
        self.time.observe(self._typed, "value")
        self.moved.observe(self._other, "value")

    def _make_markets(self, choices: dict[str, list[MarketChoice]], order: list[Instrument]) -> None:
        """A box to tick for every market, one group at a time, and a line that names those ticked."""
        self.ticks: dict[str, widgets.Checkbox] = {}
        self._groups = {name: [self._tick(choice) for choice in group] for name, group in choices.items()}
        first = {item.name: self.ticks[item.name] for item in order if item.name in self.ticks}
        self.ticks = first | self.ticks
        self._names: dict[str, str | Instrument] = {
            choice.instrument.name: choice.instrument.name if choice.listed else choice.instrument
            for group in choices.values()
            for choice in group
        }
        self.group = widgets.Dropdown(description="Markets", options=list(choices))
        self.markets = widgets.VBox()
        self.ticked = widgets.HTML()
        for widget, name in ((self.group, "group"), (self.markets, "markets"), (self.ticked, "quiet")):
            widget.add_class(f"mr-explore-{name}")
        self.group.observe(self._show_group, "value")
        self._show_group()
        self._name_ticked()

    def _tick(self, choice: MarketChoice) -> widgets.Checkbox:
        name = choice.instrument.name
        tick = widgets.Checkbox(
            description=name if choice.available else f"{name} · no data",
            value=choice.ticked,
            disabled=not (choice.available or choice.ticked),
            indent=False,
            tooltip=choice.instrument.quote_note or choice.instrument.unit or name,
        )
        tick.add_class("mr-explore-tick")
        tick.observe(self._ticked, "value")
        self.ticks[name] = tick
        return tick

    def _make_model(self, available: list[str]) -> None:
        """Normal model, and the regressors some of them take."""
        self.model = widgets.Dropdown(
            description="Normal return", options=[(name.replace("_", " "), name) for name in NORMAL_MODELS]
        )
        self.description = widgets.HTML()
        self.benchmark = widgets.Dropdown(
            description="Benchmark", options=[("each market's own", None), *((name, name) for name in available)]
        )
        self.others = widgets.SelectMultiple(options=available, rows=6)
        for widget, name in (
            (self.model, "model"), (self.description, "quiet"), (self.benchmark, "benchmark"), (self.others, "others")
        ):  # fmt: skip
            widget.add_class(f"mr-explore-{name}")
        self.model.observe(self._model_chosen, "value")
        self.benchmark.observe(self._other, "value")
        self.others.observe(self._other, "value")

    def _make_windows(self) -> None:
        """Event windows and estimation window."""
        self.windows = widgets.Text(
            description="Event windows, sessions", value=windows_text(DEFAULT.event), placeholder="0:1, 0:5",
            tooltip="First and last session counted from day 0, such as 0:1, 0:5",
            continuous_update=False,
        )  # fmt: skip
        self.first, self.last = (
            widgets.IntText(description=name, value=bound, continuous_update=False)
            for bound, name in zip(DEFAULT.estimation, ("from", "to"), strict=True)
        )
        self.estimation = widgets.HBox([self.first, self.last])
        self.estimation.add_class("mr-explore-pair")
        for widget, name in ((self.windows, "windows"), (self.first, "estimation"), (self.last, "estimation")):
            widget.add_class(f"mr-explore-{name}")
            widget.observe(self._other, "value")

    @contextmanager
    def _silent(self) -> Iterator[None]:
        """Set controls without asking anything."""
        before, self._quiet = self._quiet, True
        try:
            yield
        finally:
            self._quiet = before

    def _tell(self) -> None:
        if not self._quiet:
            self._changed()

    def _searched(self, change: Any) -> None:
        """Shorten the list; the event that is picked stays so, and no question is asked."""
        found, picked = event_options(change["new"]), self.event.value
        with self._silent():
            self.event.options = found
            self.event.value = picked if picked in {event_id for _, event_id in found} else None
        if picked is not None and self.event.value is None and not self.time.value:
            with self._silent():
                self.time.value = picked  # still asked, though the list does not show it

    def _picked(self, change: Any) -> None:
        if self._quiet or change["new"] is None:
            return
        with self._silent():
            self.time.value = ""
        self._tell()

    def _typed(self, change: Any) -> None:
        if self._quiet:
            return
        if change["new"].strip():
            with self._silent():
                self.event.value = None
        self._tell()

    def _ticked(self, change: Any) -> None:
        self._name_ticked()
        self._tell()

    def _name_ticked(self) -> None:
        """Name what is ticked, also in the groups that are not shown."""
        names = [name for name, tick in self.ticks.items() if tick.value]
        self.ticked.value = f"Ticked: {escape(', '.join(names) or 'none')}"

    def _show_group(self, change: Any = None) -> None:
        self.markets.children = tuple(self._groups[self.group.value])

    def _model_chosen(self, change: Any) -> None:
        self._show_regressors()
        self._tell()

    def _show_regressors(self) -> None:
        """Show only what the model takes."""
        model = NORMAL_MODELS[self.model.value]
        self.description.value = model.description
        takes = model.regressors
        self.benchmark.layout.display = None if takes.startswith("benchmark") else "none"
        self.others.layout.display = None if takes in ("factors", "donors") else "none"
        self.others.description = "Donors" if takes == "donors" else "Factors"

    def _other(self, change: Any) -> None:
        self._tell()


def _heading(text: str) -> widgets.HTML:
    heading = widgets.HTML(text)
    heading.add_class("mr-explore-heading")
    return heading


def _column(name: str, *children: widgets.Widget) -> widgets.VBox:
    column = widgets.VBox(children)
    column.add_class(f"mr-explore-{name}")
    column.add_class("mr-explore-column")
    return column
