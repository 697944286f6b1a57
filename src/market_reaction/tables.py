"""Results as frames and as HTML: rounding and escaping happen here, no statistic is computed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

import pandas as pd

from market_reaction import display, reaction_notes, wording
from market_reaction.battery.tables import battery_tables
from market_reaction.wording import answer

if TYPE_CHECKING:
    from market_reaction.reaction_result import MarketReaction, ReactionResult
    from market_reaction.study_result import EventStudyResult

__all__ = [
    "answer",
    "reaction_frame",
    "reaction_html",
    "reaction_renderables",
    "reaction_text",
    "study_html",
]

NEWS_SHOWN = 8  # in a notebook; the rest is folded away

# Every selector starts with the class of the result, so that nothing else on the page changes. Colours come from
# JupyterLab where it has them, else from the text around.
STYLE = """
.mr-result {font-size: 13px; line-height: 1.45; color: var(--jp-ui-font-color1, currentColor)}
.mr-result h3 {margin: 0 0 2px; font-size: 16px; font-weight: 600}
.mr-result h4 {margin: 14px 0 4px; font-size: 13px; font-weight: 600}
.mr-result p {margin: 2px 0}
.mr-result .mr-answer {font-size: 14px; margin: 8px 0 10px; padding-left: 10px; border-left: 3px solid #0072b2}
.mr-result .mr-quiet {color: var(--jp-ui-font-color2, inherit); opacity: .85; font-size: 12px}
.mr-result .mr-wide {overflow-x: auto; max-width: 100%}
.mr-result table {border-collapse: collapse; margin: 4px 0; color: inherit; font-size: 12px; width: auto;
  table-layout: auto}
.mr-result tr, .mr-result tbody tr:nth-child(even), .mr-result tbody tr:hover {background: transparent}
/* JupyterLab aligns every cell to the right, with a stronger selector */
.mr-result th, .mr-result td {text-align: left !important; vertical-align: top; padding: 3px 10px 3px 0; border: 0;
  border-bottom: 1px solid var(--jp-border-color2, rgba(128, 128, 128, .35)); max-width: 460px; white-space: normal}
.mr-result th {font-weight: 600; vertical-align: bottom}
.mr-result .mr-number {text-align: right !important; font-variant-numeric: tabular-nums}
.mr-result td.mr-number, .mr-result td.mr-fixed, .mr-result span.mr-fixed {white-space: nowrap}
.mr-result .mr-unusual td {font-weight: 600}
.mr-result .mr-mark {border: 1px solid currentColor; border-radius: 3px; padding: 0 4px; font-size: 11px;
  font-weight: 600; white-space: nowrap}
.mr-result ul {margin: 2px 0; padding-left: 18px}
.mr-result details summary {cursor: pointer}
"""
PLACEBO = "Placebo p (floor)"
_NUMBERS = {"Close", "Change", "Usual day", "Usual days", PLACEBO, "Smallest detectable", "z", "z robust",
            "z EWMA", "Compared days", "Statistic", "p (floor)", "CAR",
            "Std. error", "95% interval", "t p", "Events", "Excluded", "Rows",
            "Response", "Interval", "Band of the path", "Random dates", "Without one event", "p"}  # fmt: skip
_DATE = re.compile(r"\b\d{4}-\d{2}-\d{2}\b")
_FIXED = {"Session", "Time (UTC)", "First", "Last", "Window"}


def reaction_frame(result: ReactionResult) -> pd.DataFrame:
    """Turn a result into one row a market, unrounded.

    Parameters
    ----------
    result : ReactionResult
        As ``react`` gives it.

    Returns
    -------
    pandas.DataFrame
        Indexed by market. Moves are decimals in the unit named by ``unit``; for each event window there are the columns
        ``car[0,1]`` and ``car_std_error[0,1]``.
    """
    return pd.DataFrame([_frame_row(row) for row in result.reactions]).set_index("market")


def _frame_row(row: MarketReaction) -> dict[str, Any]:
    found, placebo = row.headline, row.headline.placebo
    cars: dict[str, Any] = {}
    for window in found.windows:
        cars[f"car[{window.start},{window.end}]"] = window.car
        cars[f"car_std_error[{window.start},{window.end}]"] = window.std_error
    return {
        "market": row.market,
        "source": row.series.source,
        "session": found.session,
        "ambiguous": row.ambiguous,
        "previous_close": found.previous_close,
        "close": found.close,
        "change": found.change,
        "unit": row.series.instrument.change_unit,
        "abnormal": found.abnormal,
        "z": found.z,
        "z_mad": found.z_mad,
        "z_ewma": found.z_ewma,
        "placebo_p": placebo.scaled.p_value,
        "placebo_p_floor": placebo.scaled.floor,
        "placebo_n": placebo.scaled.n_placebo,
        "mde": placebo.mde,
        "days_as_large": found.as_large.days,
        "days_compared": found.as_large.sessions,
        **cars,
        "rank": "" if found.record is None else found.record.text,
        "phase": row.where.phase,
        "minutes_to_first_trade": row.where.minutes_to_first_trade,
        "n_other_news": len(row.other_news),
    }


def cell(text: object) -> str:
    """Plain text as HTML; dates are kept on one line."""
    return _DATE.sub(r'<span class="mr-fixed">\g<0></span>', escape(wording.clean(text)))


def html_table(headings: Sequence[str], rows: Iterable[Sequence[str]], classes: Sequence[str] = ()) -> str:
    """HTML table of strings that are HTML already; ``classes`` names the class of each row."""

    def kind(heading: str) -> str:
        if heading in _NUMBERS or heading.startswith("CAR[") or heading.endswith("% interval"):
            return ' class="mr-number"'
        return ' class="mr-fixed"' if heading in _FIXED else ""

    kinds = [kind(heading) for heading in headings]
    head = "".join(f"<th{mark}>{escape(wording.clean(text))}</th>" for mark, text in zip(kinds, headings, strict=True))
    body = []
    for number, cells in enumerate(rows):
        name = classes[number] if number < len(classes) else ""
        inside = "".join(f"<td{mark}>{text}</td>" for mark, text in zip(kinds, cells, strict=True))
        body.append(f'<tr class="{name}">{inside}</tr>' if name else f"<tr>{inside}</tr>")
    return f'<div class="mr-wide"><table><thead><tr>{head}</tr></thead><tbody>{"".join(body)}</tbody></table></div>'


def lines_table(lines: pd.DataFrame, marked: Sequence[bool] = ()) -> str:
    """HTML of a table that is text already; empty where it has no row. Marked rows say "unusual" beside their p."""
    rows = [[cell(text) for text in row] for row in lines.to_numpy().tolist()]
    for row, unusual in zip(rows, marked, strict=False):
        row[list(lines.columns).index(PLACEBO)] += ' <span class="mr-mark">unusual</span>' if unusual else ""
    return (
        html_table(list(lines.columns), rows, ["mr-unusual" if unusual else "" for unusual in marked]) if rows else ""
    )


def move_table(result: ReactionResult) -> str:
    """HTML of the reaction table."""
    shown = display.lines(result)
    rows = []
    for line in shown:
        cells = [cell(column(line)) for _, column in display.MOVE_COLUMNS]
        if line.headline:
            cells[0] = _market_cell(line)
        if line.unusual:
            cells[5] += ' <span class="mr-mark">unusual</span>'
        rows.append(cells)
    headings = [heading for heading, _ in display.MOVE_COLUMNS]
    return html_table(headings, rows, ["mr-unusual" if line.unusual else "" for line in shown])


def _market_cell(line: display.Line) -> str:
    instrument = line.row.series.instrument
    notes = [text for text in (wording.direction_note(instrument), _basis(line)) if text]
    small = f'<br><span class="mr-quiet">{cell("; ".join(notes))}</span>' if notes else ""
    return f"{cell(line.row.market)}{small}"


def _basis(line: display.Line) -> str:
    basis = line.row.series.price_basis
    return "" if basis in ("close", "yield") else basis


def detail_table(result: ReactionResult) -> str:
    """HTML of the second table: clock, z values, CARs, source."""
    columns = display.detail_columns(result)
    rows = [[cell(column(line)) for _, column in columns] for line in display.lines(result)]
    return html_table([heading for heading, _ in columns], rows)


def news_table(result: ReactionResult, first: int = 0, count: int | None = None) -> str:
    """HTML of the other news, high importance first; empty when there is none."""
    news = display.news_lines(result)[first : None if count is None else first + count]
    if not news:
        return ""
    rows = [
        [line.time, line.title, line.news.importance, line.news.side, display.shared_by(line, result)] for line in news
    ]
    headings = ["Time (UTC)", "News", "Importance", "To the announcement", "Inside the return of"]
    return html_table(headings, [[cell(text) for text in row] for row in rows])


def vintage_table(vintage: pd.DataFrame) -> str:
    """HTML of the provenance of every series."""
    headings = ["Market", "Source", "Symbol", "Retrieved", "First", "Last", "Rows", "SHA-256", "Detail"]
    rows = [
        [
            str(row["market"]), row["source"], row["symbol"], wording.day(row["retrieved_utc"]),
            wording.day(row["first"]), wording.day(row["last"]), f"{row['rows']:,}", row["sha256"][:12], row["detail"],
        ]
        for row in vintage.reset_index().to_dict("records")
    ]  # fmt: skip
    return html_table(headings, [[cell(text) for text in row] for row in rows])


def unavailable_table(result: ReactionResult) -> str:
    """HTML of the markets that could not be had; empty when there is none."""
    rows = result.prices.unavailable.itertuples(index=False)
    cells = [[cell(row.market), cell(row.reason)] for row in rows]
    return html_table(["Market", "Reason"], cells) if cells else ""


def bullets(items: Sequence[str]) -> str:
    """HTML list of plain texts."""
    return f"<ul>{''.join(f'<li>{cell(item)}</li>' for item in items)}</ul>" if items else ""


def all_notes(result: ReactionResult) -> list[str]:
    """Notes on the announcement, the loading and each market."""
    return [*result.notes, *(f"{market}: {note}" for market, note in display.row_notes(result))]


def battery_html(result: ReactionResult) -> str:
    """HTML of the tests asked for; empty where only the headline was."""
    return "" if result.battery is None else tests_html(result.battery)


def tests_html(frame: pd.DataFrame) -> str:
    """HTML of a battery of tests.

    Parameters
    ----------
    frame : pandas.DataFrame
        Rows of ``ReactionResult.tests`` or ``EventStudyResult.tests``.
    """
    parts = []
    for table in battery_tables(frame):
        body = html_table(table.headings, [[cell(text) for text in row] for row in table.rows])
        legend = f'<p class="mr-quiet">{escape(table.legend)}</p>' if table.legend else ""
        parts.append(section(table.title, body + legend))
    return "".join(parts)


def map_html(frame: pd.DataFrame) -> str:
    """HTML of the map of tests.

    Parameters
    ----------
    frame : pandas.DataFrame
        Rows of ``which_test``.
    """
    here = frame["use"].ne("not here")
    elsewhere = frame[~here]
    return wrapped(
        [
            _map_table(frame[here]),
            folded(f"{len(elsewhere)} more do not apply here, each with the reason", _map_table(elsewhere)),
        ]
    )


def _map_table(frame: pd.DataFrame) -> str:
    if frame.empty:
        return ""
    rows = [
        [row["test"], row["setting"], row["use"], "yes" if row["valid"] else "no", row["why"], row["valid_when"],
         row["reference"]]
        for row in frame.reset_index().to_dict("records")
    ]  # fmt: skip
    headings = ["Test", "Setting", "Use", "Valid", "Why", "Valid when", "Reference"]
    return html_table(headings, [[cell(text) for text in row] for row in rows])


def section(heading: str, body: str) -> str:
    """HTML under a heading of plain text; empty where the body is."""
    return f"<h4>{escape(wording.clean(heading))}</h4>{body}" if body else ""


def folded(summary: str, body: str) -> str:
    """HTML that opens on a click; empty where the body is."""
    return f"<details><summary>{escape(summary)}</summary>{body}</details>" if body else ""


def sources(vintage: pd.DataFrame) -> str:
    """Folded table of where the series come from."""
    return folded("Where the figures come from", vintage_table(vintage))


def left_out(reasons: pd.Series) -> str:
    """Folded table of the events that do not count, by id, with the reason of each; empty where there is none."""
    rows = [[cell(event_id), cell(reason)] for event_id, reason in reasons.items()]
    return folded(f"{len(rows)} left out", html_table(["Event", "Reason"], rows)) if rows else ""


def left_out_of_markets(excluded: pd.DataFrame) -> str:
    """Folded table of events left out of a market, or of all where none is named; empty where there is none."""
    rows = [
        [cell(row["event_id"]), cell(row["market"] or "all"), cell(row["reason"])]
        for row in excluded.to_dict("records")
    ]
    return folded(f"{len(rows)} left out", html_table(["Event", "Market", "Reason"], rows)) if rows else ""


def reaction_html(result: ReactionResult) -> str:
    """HTML of a result for notebooks: the answer, the tables, what else happened, where the figures come from.

    Parameters
    ----------
    result : ReactionResult
        As ``react`` gives it.
    """
    rest = len(display.news_lines(result)) - NEWS_SHOWN
    more = folded(f"{rest} more", news_table(result, NEWS_SHOWN)) if rest > 0 else ""
    parts = [
        f"<h3>{escape(display.title(result))}</h3>",
        f'<p class="mr-quiet">{escape(display.when(result))}</p>',
        f'<p class="mr-answer">{escape(answer(result))}</p>',
        move_table(result),
        section("Clock, z values and windows", detail_table(result)),
        f'<p class="mr-quiet">{escape(display.LEGEND)}</p>',
        battery_html(result),
        section("Other news inside these returns", news_table(result, 0, NEWS_SHOWN) + more),
        section("Notes", bullets(all_notes(result))),
        section("Not available", unavailable_table(result)),
        folded(
            "Where the figures come from", vintage_table(result.prices.vintage) + bullets([display.parameters(result)])
        ),
    ]
    return wrapped(parts)


def wrapped(parts: Iterable[str]) -> str:
    """HTML of a result from its parts, with the style they need."""
    from market_reaction.theme import INK_STYLE

    return f'<div class="mr-result"><style>{STYLE}{INK_STYLE}</style>{"".join(parts)}</div>'


def study_html(result: EventStudyResult) -> str:
    """HTML of an event study for notebooks: CARs, counts, what was left out, vintage.

    Parameters
    ----------
    result : EventStudyResult
        As ``event_study`` gives it.
    """
    low, high = result.windows.event[0]
    single = len(result.events) == 1
    kind = "CAR" if single else "mean CAR over events"
    summary = result.summary()
    last = (
        "t intervals hold for normal errors of constant variance; for one event the placebo p leads (placebo_test)."
        if single
        else "t test over the event values, K - 1 degrees of freedom; n/a with fewer than two events."
    )
    parts = [
        f"<h3>Event study: {kind}, sessions [{low},{high}]</h3>",
        f'<p class="mr-quiet">{len(result.events)} event(s), {summary.shape[0]} market(s), normal model '
        f"{escape(result.design.normal_model)}, estimation {result.windows.estimation}.</p>",
        summary_table(summary, result.design.units),
        f'<p class="mr-quiet">{escape(last)}</p>',
        *(f'<p class="mr-quiet">{escape(text)}</p>' for text in reaction_notes.on_study(result)),
        folded(f"{len(result.excluded)} left out", excluded_table(result.excluded)) if len(result.excluded) else "",
        sources(result.vintage),
    ]
    return wrapped(parts)


def summary_table(summary: pd.DataFrame, units: Mapping[str, str]) -> str:
    """HTML of the rows of ``EventStudyResult.summary``."""
    rows = []
    for row in summary.reset_index().to_dict("records"):
        unit = units[row["market"]]
        low, high = wording.move(row["conf_low"], unit), wording.move(row["conf_high"], unit)
        cells = [
            row["market"], wording.move(row["estimate"], unit), wording.size(row["std_error"], unit),
            f"{low} to {high}", wording.p_value(row["p_value"]), wording.size(row["mde"], unit), row["n_events"],
            row["n_excluded"],
        ]  # fmt: skip
        rows.append([cell(text) for text in cells])
    headings = ["Market", "CAR", "Std. error", "95% interval", "t p", "Smallest detectable", "Events", "Excluded"]
    return html_table(headings, rows)


def excluded_table(excluded: pd.DataFrame) -> str:
    """HTML of what a study left out, and why."""
    rows = [
        [row["event_id"], row["market"], wording.day(row["session"]), row["reason"]]
        for row in excluded.to_dict("records")
    ]
    return html_table(["Event", "Market", "Session", "Reason"], [[cell(text) for text in row] for row in rows])


def reaction_renderables(result: ReactionResult) -> list[Any]:
    """Rich renderables of a result for the terminal, in the order to print them."""
    from market_reaction import terminal

    return terminal.reaction_renderables(result)


def reaction_text(result: ReactionResult, width: int = 120) -> str:
    """Plain text of a result as a terminal of this width shows it, without colours."""
    from market_reaction import terminal

    return terminal.reaction_text(result, width)
