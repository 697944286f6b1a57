"""What the report of an event study shows: mean paths, every event, tests, what was left out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd
from markupsafe import Markup

from market_reaction import reaction_notes, study_words, tables, wording
from market_reaction.exports.plain import said
from market_reaction.exports.study_tables import every_event, heat_maps, mean_paths, study_provenance, window_name
from market_reaction.progress import progress
from market_reaction.report import Chart, Page
from market_reaction.tables import cell, html_table

if TYPE_CHECKING:
    from market_reaction.event_classes.result import ClassStudies
    from market_reaction.study_result import EventStudyResult

PER_BLOCK = 5  # markets side by side in the table of every event
LONGEST_ID = 20  # characters on one line
OPEN_ROWS = 12  # longer tables are folded

LIMITS = (
    "A mean over events holds everything that happened in their windows. It is of the announcements together with "
    "all other news of those sessions.",
    "The list of events decides the answer. A list made by looking at what markets did shows what it was made for.",
    "Events whose windows overlap count as one value, their mean; with few of those the interval is wide and rests on "
    "their values being near normal.",
    "The placebo p of each event is one of many: about one reaction in twenty is unusual by chance.",
    "A mean that cannot be told from zero is not zero: effects below the smallest detectable one go unseen more often "
    "than one time in five.",
)


def study_page(result: EventStudyResult, page: Page) -> Page:
    """Fill the report of a study of one event or several."""
    parts = {
        "paths": lambda: _paths(page, result),
        "tests": lambda: Markup(tables.tests_html(result.tests("all"))),
        "every": lambda: _every_event(page, result),
    }
    page.values = {name: make() for name, make in progress(parts.items(), "writing the report", len(parts))}
    asked = {name: value for name, value in study_provenance(result).parameters.items() if name != "events"}
    page.values |= {
        "title": study_words.study_title(result),
        "when": _when(result),
        "answer": study_words.study_answer(result),
        "single": len(result.events) == 1,
        "summaries": [
            (window_name(window), Markup(tables.summary_table(result.summary(window), result.design.units)))
            for window in result.windows.event
        ],
        "up": _up(result),
        "events": Markup(_events(result.events)),
        "n_events": len(result.events),
        "excluded": Markup(tables.excluded_table(result.excluded) if len(result.excluded) else ""),
        "n_excluded": len(result.excluded),
        "open_rows": OPEN_ROWS,
        "notes": [*reaction_notes.on_study(result), *result.prices.notes],
        "unavailable": Markup(_unavailable(result.prices.unavailable)),
        "limits": LIMITS,
        "event": [],
        "vintage": Markup(tables.vintage_table(result.vintage)),
        "parameters": "; ".join(f"{name.replace('_', ' ')} {said(value)}" for name, value in asked.items()),
    }
    return page


def _when(result: EventStudyResult) -> str:
    """How much was measured, by which model."""
    count, markets = len(result.studied_events), dict.fromkeys(market for _, market in result.pairs)
    return (
        f"{count} of {len(result.events)} event{'s' * (len(result.events) != 1)} measured in {len(markets)} "
        f"market{'s' * (len(markets) != 1)}; normal model {result.design.normal_model}, estimation "
        f"{window_name(result.windows.estimation)}"
    )


def _up(result: EventStudyResult) -> str:
    """What "up" means in the markets that need saying."""
    notes = [(series.name, wording.direction_note(series.instrument)) for series in result.prices]
    return "; ".join(f"{name} {note}" for name, note in notes if note and name in result.design.units)


def _paths(page: Page, result: EventStudyResult) -> list[tuple[str, Chart]]:
    """Chart of the path of each market with its bands."""
    drawn = mean_paths(result, "auto")
    return [(market, page.chart(f"path-{at}", figure)) for at, (market, figure) in enumerate(drawn.items())]


def _every_event(page: Page, result: EventStudyResult) -> dict[str, Any]:
    """Charts and table of every event in every market."""
    classes = every_event(result)
    drawn = heat_maps(classes, "auto") if len(result.studied_events) > 1 else {}
    charts = [page.chart(f"events-{at}", figure) for at, figure in enumerate(drawn.values())]
    return {"charts": charts, "table": Markup("".join(_event_tables(classes, result)))}


def _event_tables(classes: ClassStudies, result: EventStudyResult) -> list[str]:
    """Tables of every event: move of day 0 with its placebo p and CARs, some markets at a time."""
    frame = classes.to_frame()
    windows = [window_name(window) for window in result.windows.event]
    blocks = [classes.markets[at : at + PER_BLOCK] for at in range(0, len(classes.markets), PER_BLOCK)]
    return [_block(frame, markets, windows[0]) for markets in blocks]


def _block(frame: pd.DataFrame, markets: Sequence[str], window: str) -> str:
    """One table: a row an event, a column a market."""
    rows = []
    for event_id, part in frame.groupby("event_id", sort=False):
        found = {row["market"]: row for row in part.to_dict("records")}
        rows.append([_whole(event_id), *(_reaction(found[market], window) for market in markets)])
    return html_table(["Event", *markets], rows)


def _reaction(row: dict[Any, Any], window: str) -> str:
    """Move of day 0 (placebo p), and below it the CAR; n/a where it was not measured."""
    if not math.isfinite(row["abnormal"]):
        return cell(wording.NOT_AVAILABLE)
    unit, p = row["unit"], row["placebo_p"]
    text = f"{wording.move(row['change'], unit)} ({wording.p_value(p)})"
    strong = f"<strong>{cell(text)}</strong>" if p <= wording.UNUSUAL else cell(text)
    unsure = " *" if row["ambiguous"] else ""
    car = cell(wording.move(row[f"car{window}"], unit))
    return f'<span class="mr-fixed">{strong}{unsure}</span><br><span class="mr-quiet mr-fixed">{car}</span>'


def _events(events: pd.DataFrame) -> str:
    """Table of the announcements: when, how well that is known, what, and where it is from."""
    rows = []
    for event_id, row in events.iterrows():
        when = wording.day(row["session_date"]) if row["precision"] == "date" else wording.instant(row["announced_utc"])
        texts = [when, row["precision"], row["title"], _text(row, "direction"), _text(row, "source")]
        rows.append([_whole(event_id), *(cell(text) for text in texts)])
    headings = ["Event", "Time (UTC)", "Known to the", "Announcement", "Direction", "Source"]
    keep = [at for at in range(len(headings)) if any(row[at] for row in rows)]
    return html_table([headings[at] for at in keep], [[row[at] for at in keep] for row in rows])


def _whole(event_id: object) -> str:
    """Id of an event, on one line unless it is long."""
    text = cell(event_id)
    return f'<span class="mr-fixed">{text}</span>' if len(str(event_id)) <= LONGEST_ID else text


def _text(row: pd.Series, column: str) -> str:
    value = row.get(column)
    return value if isinstance(value, str) else ""


def _unavailable(frame: pd.DataFrame) -> str:
    rows = [[cell(row["market"]), cell(row["reason"])] for row in frame.to_dict("records")]
    return html_table(["Market", "Reason"], rows) if rows else ""
