"""``events``: announcements of the catalogue."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from typer import Option

from market_reaction.cli.app import app
from market_reaction.cli.console import Format, say, show_rows
from market_reaction.cli.options import DAY, Output

EventTable = StrEnum("EventTable", ["us_china", "macro_releases", "other_news", "all"])
Direction = StrEnum("Direction", {"escalation": "escalation", "de_escalation": "de-escalation", "mixed": "mixed"})
Values = list[str] | None


@app.command(
    short_help="Show announcements of the catalogue.",
    epilog="""\b
Examples:
  market-reaction events --search rare
  market-reaction events --table macro_releases --since 2025-06-01 --until 2025-06-30
  market-reaction events --instrument tariff --side US --evidence "documented_*" --surprise "not expected*\"""",
)
def events(
    search: Annotated[str, Option("--search", "-s", help="Words that must all occur.")] = "",
    since: Annotated[str | None, Option(metavar=DAY, help="First UTC date.")] = None,
    until: Annotated[str | None, Option(metavar=DAY, help="Last UTC date.")] = None,
    direction: Annotated[Direction | None, Option(help="Direction of the announcement.")] = None,
    side: Annotated[Values, Option(metavar="VALUE", help="US, China or joint; repeat for several.")] = None,
    instrument: Annotated[Values, Option(metavar="VALUE", help="Such as tariff or talks; repeat for several.")] = None,
    evidence: Annotated[Values, Option(metavar="VALUE", help='Such as documented_exact or "documented_*".')] = None,
    surprise: Annotated[Values, Option(metavar="VALUE", help='Such as surprise or "not expected*".')] = None,
    table: Annotated[EventTable, Option(help="Which table.")] = EventTable.us_china,
    output: Output = Format.table,
) -> None:
    """Show announcements of the catalogue; their ids can be given to `react`."""
    from market_reaction.events import search_events

    rows = search_events(
        search, since=since, until=until, direction=direction and direction.value,
        table=None if table == EventTable.all else table.value, side=side, instrument=instrument, evidence=evidence,
        surprise=surprise,
    )  # fmt: skip
    if rows.empty:
        say("No event matches. Use fewer words, other dates, or --table all.")
    if len(rows) or output != Format.table:
        show_rows(rows, output, ["event_id", "announced_utc", "precision", "direction", "importance", "title"])
