"""How charts look: one template, with ink for light, for dark, and for pages that may be either.

Colours are of Okabe and Ito's set, told apart by colour-blind readers and visible on white and on black; the blue is a
little lighter than theirs, for dark pages. No colour means up or down: red is up in China and down elsewhere.
"""

from __future__ import annotations

import math
import textwrap
from functools import cache
from html import escape
from typing import Literal, get_args

import plotly.graph_objects as go

from market_reaction import wording

Theme = Literal["auto", "light", "dark"]
THEMES = get_args(Theme)

BLUE, VERMILLION, GREEN, PURPLE, ORANGE = "#0a7fc4", "#d55e00", "#009e73", "#cc79a7", "#e69f00"
LINES = (BLUE, VERMILLION, GREEN, PURPLE, ORANGE, "#56b4e9")
GREY, PALE, GRID = "#808080", "rgba(128, 128, 128, 0.22)", "rgba(128, 128, 128, 0.25)"
BLUE_BAND, PALE_BLUE_BAND = "rgba(0, 114, 178, 0.24)", "rgba(0, 114, 178, 0.10)"
# "auto" is the grey with nearly the same contrast on white (4.3) and on JupyterLab's dark page (4.4); no other chart
# has exactly this one, so that INK_STYLE can give text of this grey the ink of the page.
INK = {"auto": "#7a7a7b", "light": "#222222", "dark": "#e0e0e0"}
INK_STYLE = """
.js-plotly-plot svg text[style*="fill: rgb(122, 122, 123)"] {fill: var(--jp-ui-font-color1, currentColor) !important}
"""
WIDTH = 660  # pixels in a report; in a notebook charts take the width there is
_FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
_TITLE, _SUBTITLE = 15, 12
_LINE = 1.3 * _TITLE  # pixels of a line of the title, and of the subtitle too: Plotly spaces both by the larger font
_TITLE_CHARS, _SUBTITLE_CHARS = 58, 86  # fit 570 pixels in DejaVu, the widest of the fonts
# Tick labels with a sign have none at zero.
_ZERO = {f"+{zero}{unit}": f"0{unit}" for zero in ("0", "0.0", "0.00") for unit in ("", "%", " bp", " pts")}
_BUTTONS_LEFT_OUT = ["zoom", "pan", "select", "lasso", "zoomin", "zoomout", "autoscale", "resetscale"]


def hatched(colour: str) -> dict[str, object]:
    """Marker of bars that colour alone must not tell: hatched in white over their colour."""
    pattern = {
        "shape": "/",
        "fillmode": "overlay",
        "fgcolor": "#ffffff",
        "fgopacity": 0.85,
        "size": 7,
        "solidity": 0.22,
    }
    return {"color": colour, "line": {"width": 0}, "pattern": pattern}


def faded(colour: str, alpha: float) -> str:
    """A colour such as ``#0a7fc4`` with an opacity."""
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, {alpha})"


def label(text: object) -> str:
    """Text as Plotly shows it literally: its own tags are not read in names and titles."""
    return escape(wording.clean(text), quote=False)


def wrapped(text: str, width: int) -> list[str]:
    """Lines of at most ``width`` characters, each safe for Plotly."""
    return [label(line) for line in wording.on_lines(text, width)] or [""]


def shortened(text: str, width: int) -> str:
    """First words of a text, with an ellipsis where some are left out."""
    return textwrap.shorten(wording.clean(text), width, placeholder="…")


@cache
def template(theme: Theme = "auto") -> go.layout.Template:
    """Template of every chart: transparent, muted grid, one ink. It is made once; figures take copies.

    Parameters
    ----------
    theme : {"auto", "light", "dark"}
        Ink for a light page, for a dark one, or a grey that can be read on both.
    """
    if theme not in THEMES:
        raise ValueError(f"theme={theme!r} is not known; choose one of {', '.join(THEMES)}.")
    ink = INK[theme]
    axis = {
        "gridcolor": GRID, "zeroline": False, "linecolor": GRID, "tickcolor": GRID, "automargin": True,
        "title": {"font": {"size": 12}}, "tickfont": {"size": 12}, "labelalias": _ZERO,
    }  # fmt: skip
    layout = go.Layout(
        paper_bgcolor="rgba(0, 0, 0, 0)",
        plot_bgcolor="rgba(0, 0, 0, 0)",
        colorway=LINES,
        font={"family": _FONT, "size": 12, "color": ink},
        xaxis=axis,
        yaxis=axis,
        hoverlabel={"bgcolor": "#222222", "bordercolor": "#222222", "font": {"color": "#ffffff", "size": 12}},
        legend={"orientation": "h", "x": 0, "xanchor": "left", "xref": "container", "y": 0, "yanchor": "bottom",
                "yref": "container", "bgcolor": "rgba(0, 0, 0, 0)", "font": {"size": 12}},
        # Few buttons, which leave the title free; dragging zooms and a double click takes it back.
        modebar={"remove": _BUTTONS_LEFT_OUT, "bgcolor": "rgba(0, 0, 0, 0)", "color": GREY, "activecolor": ink},
        separators=".,",
    )  # fmt: skip
    return go.layout.Template(layout=layout)


def finish(
    figure: go.Figure, *, finding: str, method: str, body: int, theme: Theme = "auto", legend: int = 1, bottom: int = 56
) -> go.Figure:
    """Give a figure its title, which states the finding, a subtitle with method and source, and its height.

    Parameters
    ----------
    figure : plotly.graph_objects.Figure
        Changed in place and returned.
    finding, method : str
        Plain texts; wrapped here.
    body : int
        Height of the plotting area in pixels.
    theme : {"auto", "light", "dark"}
        As in ``template``.
    legend : int
        Lines of the legend below the axis; 0 for none.
    bottom : int
        Pixels below the plotting area for tick labels and axis title.
    """
    head, sub = wrapped(finding, _TITLE_CHARS), wrapped(method, _SUBTITLE_CHARS)
    text = "<br>".join(f"<b>{line}</b>" for line in head)
    text += "".join(f'<br><span style="font-size:{_SUBTITLE}px">{line}</span>' for line in sub)
    top = 42 + math.ceil(_LINE * (len(head) + len(sub)))
    bottom += 8 + 20 * legend if legend else 0
    figure.update_layout(
        template=template(theme),
        title={"text": text, "font": {"size": _TITLE}, "x": 0, "xref": "container", "xanchor": "left",
               "y": 1, "yref": "container", "yanchor": "top", "pad": {"t": 20, "l": 8}, "automargin": False},
        margin={"t": top, "b": bottom, "l": 16, "r": 16, "pad": 4},
        height=top + body + bottom,
        autosize=True,
        showlegend=legend > 0,
    )  # fmt: skip
    return figure


def plain_title(figure: go.Figure) -> str:
    """Title of a figure without its tags and without the subtitle."""
    lines = str(figure.layout.title.text).split("<br>")
    head = [line.removeprefix("<b>").removesuffix("</b>") for line in lines if line.startswith("<b>")]
    return " ".join(head).replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
