"""A chart that changes in place: the widget stays, its traces and its layout are replaced in one go."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go

_QUIET = {"displaylogo": False, "responsive": True}


class LiveChart:
    """One ``FigureWidget`` that shows one figure after the other.

    Parameters
    ----------
    css_class : str
        Class of the widget on the page.

    Attributes
    ----------
    widget : plotly.graph_objects.FigureWidget
        What is shown; the same object all along.
    """

    def __init__(self, css_class: str) -> None:
        self.widget = go.FigureWidget()
        self.widget._config = self.widget._config | _QUIET
        self.widget.add_class(css_class)
        self._shown: dict[str, Any] = {}

    def show(self, figure: go.Figure) -> None:
        """Show a figure.

        Parameters
        ----------
        figure : plotly.graph_objects.Figure
            It is not changed.
        """
        widget, layout = self.widget, figure.layout.to_plotly_json()
        same_kinds = [trace.type for trace in figure.data] == [trace.type for trace in widget.data]
        with widget.batch_update():
            if same_kinds:
                for place, trace in zip(widget.data, figure.data, strict=True):
                    place.update(_changed(trace.to_plotly_json(), place.to_plotly_json()), overwrite=True)
            widget.layout.update(_changed(layout, self._shown), overwrite=True)
        if not same_kinds:
            widget.data = ()
            widget.add_traces(figure.data)
        self._shown = layout


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
