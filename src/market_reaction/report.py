"""A report in one HTML file: no other file, no request to any server, the same bytes for the same result."""

from __future__ import annotations

import base64
import hashlib
import os
import tempfile
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from market_reaction import display, tables, theme

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from market_reaction.reaction_result import ReactionResult

# Draws each chart from the JSON beside it; those in a folded part when it is opened first.
_DRAW = """
(function () {
  function draw(place) {
    if (place.dataset.drawn) return;
    place.dataset.drawn = "yes";
    var figure = JSON.parse(document.getElementById(place.id + "-data").textContent);
    Plotly.newPlot(place, figure.data, figure.layout, {displaylogo: false, displayModeBar: false, showTips: false});
  }
  document.querySelectorAll(".chart").forEach(function (place) {
    var fold = place.closest("details");
    if (!fold || fold.open) draw(place);
    else fold.addEventListener("toggle", function () { if (fold.open) draw(place); });
  });
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
    """One chart of the report: the id of its place and its JSON, safe inside a script element."""

    id: str
    data: Markup


def write_report(result: ReactionResult, path: str | Path) -> Path:
    """Write a self-contained HTML report.

    Parameters
    ----------
    result : ReactionResult
        As ``react`` gives it.
    path : str or Path
        File to write; its folder is made, and a file that is there is replaced only when the new one is whole.

    Returns
    -------
    pathlib.Path
        Absolute path of the file.

    Raises
    ------
    IsADirectoryError
        ``path`` is a folder.
    """
    target = Path(path).expanduser().absolute()
    if target.is_dir():
        raise IsADirectoryError(
            f"{str(target)!r} is a folder; give a file name in it, such as {str(target / 'report.html')!r}."
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    text = report_html(result)
    handle, draft = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name[:40]}-", suffix=".tmp")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(draft).chmod(0o666 & ~_umask())
        Path(draft).replace(target)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise
    return target


def _umask() -> int:
    """Permissions a new file goes without; ``mkstemp`` would keep the report from every other user."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


def report_html(result: ReactionResult) -> str:
    """Text of the report.

    Parameters
    ----------
    result : ReactionResult
        As ``react`` gives it.
    """
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
    return environment.get_template("report.html.j2").render(
        title=display.title(result),
        when=display.when(result),
        answer=tables.answer(result),
        style=Markup(tables.STYLE),
        moves=Markup(tables.move_table(result)),
        details=Markup(tables.detail_table(result)),
        legend=display.LEGEND,
        battery=Markup(tables.battery_html(result)),
        news=Markup(tables.news_table(result)),
        notes=tables.all_notes(result),
        unavailable=Markup(tables.unavailable_table(result)),
        vintage=Markup(tables.vintage_table(result.prices.vintage)),
        parameters=display.parameters(result),
        limits=LIMITS,
        width=theme.WIDTH,
        event=_event_facts(result),
        version=version("market-reaction"),
        charts=_charts(result),
        library=Markup(library),
        draw=Markup(_DRAW),
        policy=_policy(library, _DRAW),
    )


def _policy(*scripts: str) -> str:
    """Content security policy: only these scripts run, and nothing is fetched."""
    hashes = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts]
    allowed = " ".join(f"'sha256-{digest}'" for digest in hashes)
    return f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data: blob:"


def _charts(result: ReactionResult) -> dict[str, Any]:
    """Charts by place in the report: one of each kind, then CAR and placebo of the other markets."""
    return {
        "reactions": _chart("reactions", result.plot(kind="reactions")),
        "clock": _chart("clock", result.plot(kind="clock")),
        "markets": [
            (
                row.market,
                _chart(f"car-{number}", result.plot(kind="car", market=row.market)),
                _chart(f"placebo-{number}", result.plot(kind="placebo", market=row.market)),
            )
            for number, row in enumerate(result.reactions)
        ],
    }


def _chart(name: str, figure: go.Figure) -> Chart:
    figure.update_layout(width=theme.WIDTH, autosize=False)
    text = figure.to_json()
    for mark in "<>&":
        text = text.replace(mark, f"\\u{ord(mark):04x}")
    return Chart(name, Markup(text))


def _event_facts(result: ReactionResult) -> list[tuple[str, str]]:
    """What the table of events says about the announcement."""
    event = result.event
    facts = [("Announcement", str(event.name)), ("Time", display.when(result))]
    for column in ("description", "source", "evidence", "confidence", "confounders"):
        value = event.get(column)
        if isinstance(value, str) and value:
            facts.append((column.replace("_", " ").capitalize(), value))
    return facts
