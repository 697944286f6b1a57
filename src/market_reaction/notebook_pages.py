"""Executed notebooks as HTML pages that need no network, with proof that every chart is in them.

nbconvert leaves the JupyterLab form of a plotly chart out without a word, and asks other hosts for the scripts of live
widgets; so charts are turned into HTML first, and live panels, which need a kernel, into a sentence.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from market_reaction.errors import MarketReactionError
from market_reaction.theme import INK_STYLE

PLOTLY = "application/vnd.plotly.v1+json"
WIDGET = "application/vnd.jupyter.widget-view+json"
HTML = "text/html"
_CHART = "chart-{}"

# Nothing but what is in the page, or in files beside it, is ever loaded.
POLICY = (
    "default-src 'none'; script-src 'unsafe-inline' 'self' file:; style-src 'unsafe-inline'; img-src data: blob:; "
    "font-src data:"
)
_PAGE_STYLE = """
html, body {background: var(--jp-layout-color0)}
main {max-width: 1000px; margin: 0 auto; padding: 0 12px}
.jp-OutputArea-output {overflow-x: auto}
@media print {.jp-InputArea {display: none} .plotly-graph-div, tr {break-inside: avoid}}
"""


class PageError(MarketReactionError):
    """A page that would lack a chart of its notebook."""


def charts_of(notebook: Any) -> list[dict[str, Any]]:
    """Every plotly chart among the outputs of a notebook, in order, as JSON with data and layout.

    Parameters
    ----------
    notebook : nbformat.NotebookNode
        The executed notebook.
    """
    return [data[PLOTLY] for data in _bundles(notebook) if PLOTLY in data]


def _bundles(notebook: Any) -> Iterator[Any]:
    """Outputs by media type; a saved notebook has a picture beside each chart, which says nothing new."""
    for cell in notebook["cells"]:
        for output in cell.get("outputs", []):
            if "data" in output:
                yield output["data"]


def to_html(notebook: Any, *, title: str | None = None, script: str | None = None) -> str:
    """One HTML page of an executed notebook: charts included, nothing loaded from any host, for light and dark.

    Parameters
    ----------
    notebook : nbformat.NotebookNode
        The executed notebook; it is not changed.
    title : str, optional
        Title of the page; the first heading of the notebook when left out.
    script : str, optional
        Relative path of a file with the plotly script; the page holds the script itself, 5 MB, when left out.

    Returns
    -------
    str

    Raises
    ------
    PageError
        A chart of the notebook is not in the page.
    """
    from nbconvert import HTMLExporter

    copied = copy.deepcopy(notebook)
    _draw_charts(copied, True if script is None else script)
    _leave_out_widgets(copied)
    copied["metadata"]["title"] = title or question_of(notebook)
    exporter = HTMLExporter(mathjax_url="", require_js_url="", jquery_url="", mermaid_js_url="")
    body, _ = exporter.from_notebook_node(copied)
    page = re.sub(r'<script src="">\s*</script>', "", str(body))
    page = re.sub(r'<script type="module">(?:(?!</script>).)*mermaid.*?</script>', "", page, count=1, flags=re.DOTALL)
    policy = f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
    scheme = '<meta name="color-scheme" content="light dark">'
    page = page.replace("<head>", f"<head>\n{policy}\n{scheme}", 1)
    page = page.replace("</head>", f"<style>{_dark_style()}{_PAGE_STYLE}{INK_STYLE}</style>\n</head>", 1)
    prove_charts(page, len(charts_of(notebook)))
    return page


def question_of(notebook: Any) -> str:
    """First heading of a notebook."""
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown" and (found := re.search(r"^# +(.+)$", cell["source"], re.MULTILINE)):
            return found[1].strip()
    return "Notebook"


def prove_charts(page: str, count: int) -> None:
    """See that a page holds the place and the drawing of every chart.

    Parameters
    ----------
    page : str
        HTML as ``to_html`` makes it.
    count : int
        Charts the notebook has.

    Raises
    ------
    PageError
        One is missing; the message names its number.
    """
    names = [_CHART.format(number) for number in range(count)]
    lost = [
        number
        for number, name in enumerate(names, start=1)
        if f'id="{name}"' not in page or not re.search(rf'Plotly\.newPlot\(\s*"{name}"', page)
    ]
    if lost:
        raise PageError(
            f"the page lacks {len(lost)} of the {count} charts of its notebook: number {', '.join(map(str, lost))}. "
            "Look at the outputs in JupyterLab, and report it: a page must show what the notebook shows."
        )


def _draw_charts(notebook: Any, script: bool | str) -> None:
    """Replace every chart by HTML that draws it; the first brings the plotly script for all."""
    from plotly.io import to_html as chart_html

    drawn = (data for data in _bundles(notebook) if PLOTLY in data)
    for number, data in enumerate(drawn):
        figure = {key: value for key, value in data[PLOTLY].items() if key in ("data", "layout", "frames")}
        html = chart_html(
            figure, full_html=False, include_plotlyjs=script, validate=False, div_id=_CHART.format(number),
            config={"displaylogo": False, "responsive": True},
        )  # fmt: skip
        data.clear()
        data[HTML] = html
        script = False


def _leave_out_widgets(notebook: Any) -> None:
    """Keep what a live panel says to pages that cannot run it; drop progress bars, and the states of all widgets."""
    notebook["metadata"].pop("widgets", None)
    for data in _bundles(notebook):
        if data.pop(WIDGET, None) is not None:
            html = data.get(HTML, "")
            data.clear()
            data[HTML] = html


@cache
def _dark_style() -> str:
    """Colours of JupyterLab's dark theme, for screens that ask for dark."""
    from jupyter_core.paths import jupyter_path

    found = [Path(folder, "nbconvert", "templates", "lab", "static", "theme-dark.css") for folder in jupyter_path()]
    for path in found:
        if path.is_file():
            return f"@media screen and (prefers-color-scheme: dark) {{\n{path.read_text(encoding='utf-8')}\n}}\n"
    return ""
