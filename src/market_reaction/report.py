"""A report in one file: no other file, no request to any server, the same bytes for the same result.

HTML is written here; PDF is the same page, printed by a browser. Either is written only once it is known to hold every
chart it was asked for.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import unescape
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from market_reaction import display, tables, theme
from market_reaction.errors import ExportError
from market_reaction.exports.files import target_file, write_text, write_whole
from market_reaction.exports.pdf import print_pdf

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from market_reaction.exports import Reportable
    from market_reaction.reaction_result import ReactionResult

TALLEST = 940  # pixels of a chart that stands on one page of A4 with its heading

# Draws each chart from the JSON beside it; those in a folded part when it is opened first, all before printing.
_DRAW = """
(function () {
  var all = Array.prototype.slice.call(document.querySelectorAll(".chart"));
  function failed(place, error) { place.textContent = "This chart could not be drawn: " + error; }
  function draw(place) {
    if (place.dataset.drawn) return;
    place.dataset.drawn = "yes";
    try {
      var figure = JSON.parse(document.getElementById(place.id + "-data").textContent);
      var options = {displaylogo: false, displayModeBar: false, showTips: false};
      Plotly.newPlot(place, figure.data, figure.layout, options).catch(function (error) { failed(place, error); });
    } catch (error) { failed(place, error); }
  }
  all.forEach(function (place) {
    var fold = place.closest("details");
    if (!fold || fold.open) draw(place);
    else fold.addEventListener("toggle", function () { if (fold.open) draw(place); });
  });
  var folded = [];
  window.addEventListener("beforeprint", function () {
    folded = Array.prototype.slice.call(document.querySelectorAll("details:not([open])"));
    folded.forEach(function (fold) { fold.open = true; });
    all.forEach(draw);
  });
  window.addEventListener("afterprint", function () { folded.forEach(function (fold) { fold.open = false; }); });
})();
"""

LIMITS = (
    "A return from close to close holds everything that happened between the two closes. The other news listed cannot "
    "be told apart from this announcement by these figures.",
    "The placebo p asks how often an ordinary day moved at least as much for its time. It can never be below its "
    "floor, and it is one p for each market: among twenty markets one is expected to be unusual by chance. The joint "
    "p allows for that.",
    "A move that is not unusual is not a move of zero: effects below the smallest detectable one go unseen more often "
    "than one time in five.",
    "CARs add the sessions that follow, with all their news; their standard errors grow with each session.",
)


@dataclass(frozen=True, slots=True)
class Chart:
    """One chart of a report: the id of its place and its JSON, safe inside a script element."""

    id: str
    data: Markup


@dataclass(slots=True)
class Page:
    """What a report shows: its template, the values of it, and the charts it must hold.

    Attributes
    ----------
    template : str
        File in ``templates``.
    values : dict
        What the template shows; ``Markup`` for HTML that is safe already.
    figures : dict of str to plotly.graph_objects.Figure
        By the id of their place.
    paper : bool
        Whether it is for printing: its folded parts are open, and bars are outlined, not hatched.
    """

    template: str
    paper: bool = False
    values: dict[str, Any] = field(default_factory=dict)
    figures: dict[str, go.Figure] = field(default_factory=dict)

    def chart(self, name: str, figure: go.Figure) -> Chart:
        """Add a chart, as wide as a page of A4 and no taller, and give its place in the template."""
        height = min(int(figure.layout.height or TALLEST), TALLEST)
        figure.update_layout(width=theme.WIDTH, height=height, autosize=False)
        if self.paper:
            _outline_hatched(figure)
        text = figure.to_json()
        for mark in "<>&":
            text = text.replace(mark, f"\\u{ord(mark):04x}")
        self.figures[name] = figure
        return Chart(name, Markup(text))  # no mark of HTML is left in it


def _outline_hatched(figure: go.Figure) -> None:
    """Draw a line around hatched bars instead: browsers print every hatched bar as a picture of its own."""
    for trace in figure.data:
        marker = getattr(trace, "marker", None)
        if marker is not None and "pattern" in marker and marker.pattern.shape:
            marker.update(pattern={"shape": ""}, line={"color": "#000000", "width": 1.5})


def write_report(result: Reportable, path: str | Path) -> Path:
    """Write a self-contained report as HTML, or as PDF where the name ends in ``.pdf``.

    Parameters
    ----------
    result : ReactionResult or EventStudyResult
        As ``react`` or ``event_study`` gives it.
    path : str or Path
        File to write; its folder is made, and a file that is there is replaced only when the new one is whole.

    Returns
    -------
    pathlib.Path
        Absolute path of the file.

    Raises
    ------
    ExportError
        Another ending, a chart that is not in the page, or no browser that can print PDF.
    IsADirectoryError
        ``path`` is a folder.
    """
    target = target_file(path, (".html", ".htm", ".pdf"), "report")
    page = page_of(result, paper=target.suffix.casefold() == ".pdf")
    text = html_of(page)
    if page.paper:
        return write_whole(target, lambda draft: print_pdf(text, draft, len(page.figures)))
    return write_text(target, text)


def page_of(result: Reportable, *, paper: bool = False) -> Page:
    """Content of the report of a reaction, or of a study, for a screen or for paper."""
    from market_reaction.reaction_result import ReactionResult
    from market_reaction.study_report import study_page
    from market_reaction.study_result import EventStudyResult

    if isinstance(result, ReactionResult):
        return reaction_page(result, Page("reaction.html.j2", paper))
    assert isinstance(result, EventStudyResult)
    return study_page(result, Page("study.html.j2", paper))


def report_html(result: Reportable) -> str:
    """Text of the report.

    Parameters
    ----------
    result : ReactionResult or EventStudyResult
        As ``react`` or ``event_study`` gives it.
    """
    return html_of(page_of(result))


def html_of(page: Page) -> str:
    """Text of a page, once it is known to hold its charts."""
    from plotly.offline import get_plotlyjs

    library = get_plotlyjs()
    environment = Environment(
        loader=PackageLoader("market_reaction"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    # Markup: these strings are made here, or escaped by tables.
    text = environment.get_template(page.template).render(
        style=Markup(tables.STYLE),
        width=theme.WIDTH,
        version=version("market-reaction"),
        opened=page.paper,
        library=Markup(library),
        draw=Markup(_DRAW),
        policy=_policy(library, _DRAW),
        **page.values,
    )
    check_charts(text, page.figures)
    return text


def _policy(*scripts: str) -> str:
    """Content security policy: only these scripts run, and nothing is fetched."""
    hashes = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts]
    allowed = " ".join(f"'sha256-{digest}'" for digest in hashes)
    return f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data: blob:"


def charts_in(html: str) -> dict[str, int]:
    """Charts that a page holds whole, with a place and the data to draw it: number of traces by id."""
    places = re.findall(r'<div class="chart" id="([^"]+)"></div>', html)
    data = dict(re.findall(r'<script type="application/json" id="([^"]+)-data">([^<]+)</script>', html))
    return {unescape(name): len(json.loads(data[name])["data"]) for name in places if name in data}


def check_charts(html: str, figures: Mapping[str, go.Figure]) -> None:
    """Refuse a page that lacks a chart.

    Parameters
    ----------
    html : str
        The page.
    figures : mapping of str to plotly.graph_objects.Figure
        Charts asked for, by id.

    Raises
    ------
    ExportError
        A chart without a place, without data, with fewer traces than asked for, or no script to draw it.
    """
    found = charts_in(html)
    lost = [name for name, figure in figures.items() if found.get(name) != len(figure.data)]
    if lost:
        raise ExportError(
            f"the report would hold {len(figures) - len(lost)} of {len(figures)} charts; missing: {', '.join(lost)}. "
            "Nothing was written. Report this with the call that led to it."
        )
    if "Plotly.newPlot(" not in html.rpartition("<script>")[2] and figures:
        raise ExportError("the report lacks the script that draws its charts. Nothing was written; reinstall plotly.")


def reaction_page(result: ReactionResult, page: Page) -> Page:
    """Fill the report of a reaction: one chart of each kind, then CAR and placebo of the other markets."""
    page.values = {
        "title": display.title(result),
        "when": display.when(result),
        "answer": tables.answer(result),
        "moves": Markup(tables.move_table(result)),
        "details": Markup(tables.detail_table(result)),
        "legend": display.LEGEND,
        "battery": Markup(tables.battery_html(result)),
        "news": Markup(tables.news_table(result)),
        "notes": tables.all_notes(result),
        "unavailable": Markup(tables.unavailable_table(result)),
        "vintage": Markup(tables.vintage_table(result.prices.vintage)),
        "parameters": display.parameters(result),
        "limits": LIMITS,
        "event": _event_facts(result),
        "reactions": page.chart("reactions", result.plot(kind="reactions")),
        "clock": page.chart("clock", result.plot(kind="clock")),
        "markets": [
            (
                row.market,
                page.chart(f"car-{number}", result.plot(kind="car", market=row.market)),
                page.chart(f"placebo-{number}", result.plot(kind="placebo", market=row.market)),
            )
            for number, row in enumerate(result.reactions)
        ],
    }
    return page


def _event_facts(result: ReactionResult) -> list[tuple[str, str]]:
    """What the table of events says about the announcement."""
    event = result.event
    facts = [("Announcement", str(event.name)), ("Time", display.when(result))]
    for column in ("description", "source", "evidence", "confidence", "confounders"):
        value = event.get(column)
        if isinstance(value, str) and value:
            facts.append((column.replace("_", " ").capitalize(), value))
    return facts
