"""A chart that changes in place: the widget stays, its traces and its layout are replaced in one go."""

from __future__ import annotations

from itertools import takewhile
from pathlib import Path
from typing import Any

import anywidget
import plotly.graph_objects as go
import traitlets

_QUIET = {"displaylogo": False, "responsive": True}
_SCRIPT = Path(__file__).with_name("charts.js").read_text(encoding="utf-8")


class Library(anywidget.AnyWidget):
    """The script of plotly, brought to the page once for all charts.

    Attributes
    ----------
    source : str
        The script.
    """

    _esm = _SCRIPT
    source = traitlets.Unicode(str(go.FigureWidget._esm)).tag(sync=True)


class _Widget(go.FigureWidget):
    """Figure that takes plotly from the library, and that announces itself to the page when it is whole.

    plotly announces an empty figure and sends the rest after it; a page that is still busy misses that, and shows empty
    axes for good.
    """

    _config: dict[str, Any]
    _esm = _SCRIPT
    _whole = False

    def open(self) -> None:
        """Announce the widget, unless the figure is not in it yet."""
        if self._whole:
            super().open()

    def announce(self, config: dict[str, Any], css_class: str) -> None:
        """Take the last settings and appear."""
        self._config = self._config | config
        self.add_class(css_class)
        self._whole = True
        self.open()


class LiveChart:
    """One ``FigureWidget`` that shows one figure after the other.

    Parameters
    ----------
    css_class : str
        Class of the widget on the page.

    Attributes
    ----------
    widget : plotly.graph_objects.FigureWidget or None
        What is shown; made with the first figure, and the same object from then on.
    """

    def __init__(self, css_class: str) -> None:
        self.widget: go.FigureWidget | None = None
        self._class = css_class
        self._shown: dict[str, Any] = {}

    def show(self, figure: go.Figure) -> None:
        """Show a figure.

        Parameters
        ----------
        figure : plotly.graph_objects.Figure
            It is not changed.
        """
        layout = figure.layout.to_plotly_json()
        if self.widget is None:
            self.widget = _Widget(figure)
            self.widget.announce(_QUIET, self._class)
        else:
            self._change(self.widget, figure, layout)
        self._shown = layout

    def _change(self, widget: go.FigureWidget, figure: go.Figure, layout: dict[str, Any]) -> None:
        pairs = zip(widget.data, figure.data, strict=False)
        kept = sum(1 for _ in takewhile(lambda pair: pair[0].type == pair[1].type, pairs))  # traces that only change
        if kept < len(widget.data):
            widget.data = widget.data[:kept]
        with widget.batch_update():
            for place, trace in zip(widget.data, figure.data, strict=False):
                place.update(_changed(trace.to_plotly_json(), place.to_plotly_json()), overwrite=True)
            widget.layout.update(_changed(layout, self._shown), overwrite=True)
        if kept < len(figure.data):
            widget.add_traces(figure.data[kept:])
        # Changes reach a page as messages, which one that is loaded again later has not had. This sets the state such a
        # page starts from.
        widget._repr_mimebundle_()


def _changed(new: dict[str, Any], old: dict[str, Any]) -> dict[str, Any]:
    """Properties that differ from what is shown; None for those that are gone."""
    gone = {name: None for name in old if name not in new and name != "uid"}
    return gone | {name: value for name, value in new.items() if name != "type" and not _equal(value, old.get(name))}


def _equal(new: Any, old: Any) -> bool:
    """Whether two properties are the same; arrays are compared by identity alone and sent again."""
    try:
        return bool(new == old)
    except ValueError:
        return False
