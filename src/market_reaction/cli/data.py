"""``fetch``, ``instruments``, ``doctor``: the data at hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from typer import Argument, Option

from market_reaction.cli.app import app
from market_reaction.cli.console import Format, clean, say, show, show_rows
from market_reaction.cli.options import DAY, Output, split_names
from market_reaction.errors import MarketReactionError

if TYPE_CHECKING:
    import pandas as pd

    from market_reaction.instruments import Instrument
    from market_reaction.prices import PriceSeries


@app.command(
    short_help="Download daily prices from Yahoo.",
    epilog='\b\nExample:\n  market-reaction fetch "CSI 300" "USD/CNH" yahoo:MP --start 2015-01-01',
)
def fetch(
    markets: Annotated[
        list[str] | None, Argument(metavar="[MARKETS]...", help="Names or yahoo:TICKER; the default list if none.")
    ] = None,
    start: Annotated[str | None, Option(metavar=DAY, help="First date; ten years before the end if left out.")] = None,
    end: Annotated[str | None, Option(metavar=DAY, help="Last date; today when left out.")] = None,
) -> None:
    """Download daily prices from Yahoo and keep them as snapshots."""
    import pandas as pd

    from market_reaction import paths, times
    from market_reaction.instruments import DEFAULT_MARKETS, find_instrument

    asked = [find_instrument(name) for name in split_names(markets) or DEFAULT_MARKETS]
    last = times.parse_date(end, "end") if end else pd.Timestamp.now("UTC").tz_localize(None).normalize()
    first = times.parse_date(start, "start") if start else last - pd.DateOffset(years=10)
    if first > last:
        raise MarketReactionError(f"start={first:%Y-%m-%d} lies after end={last:%Y-%m-%d}; swap them.")
    arrived, problems = _download(asked, first, last)
    if arrived:
        fields = ["symbol", "first", "last", "rows", "sha256"]
        rows = [{"market": item.name} | {field: getattr(item.vintage, field) for field in fields} for item in arrived]
        table = pd.DataFrame(rows).set_index("market")
        days = {name: table[name].dt.strftime("%Y-%m-%d") for name in ("first", "last")}
        show_rows(table.assign(**days), Format.table, ["market", *fields[:-1]])
    for problem in problems:
        say(f"Not downloaded: {problem}")
    say(f"{len(arrived)} of {len(asked)} series were downloaded to {paths.snapshots_dir()}.")
    if not arrived:
        raise typer.Exit(1)


def _download(asked: list[Instrument], first: pd.Timestamp, last: pd.Timestamp) -> tuple[list[PriceSeries], list[str]]:
    """Series that came, and what is to be said of the others."""
    from market_reaction import paths
    from market_reaction.snapshot_store import SnapshotStore
    from market_reaction.sources.yahoo import YahooSource

    listed = [instrument for instrument in asked if instrument.yahoo]
    problems = [f"{item.name}: Yahoo does not offer it." for item in asked if not item.yahoo]
    yahoo = YahooSource(SnapshotStore(paths.snapshots_dir()))
    if listed and not yahoo.reachable():
        names = ", ".join(item.name for item in listed)
        return [], [*problems, f"{names}: Yahoo cannot be reached. Try again with a network; `react` works without."]
    arrived, failed = yahoo.fetch_many(listed, first, last, progress=True)
    return arrived, [*problems, *map(str, failed)]


@app.command(
    short_help="Show the markets of the catalogue.",
    epilog='\b\nExample:\n  market-reaction instruments --search "rare earth"',
)
def instruments(
    search: Annotated[str, Option("--search", "-s", help="Words that must all occur.")] = "",
    asset_class: Annotated[str | None, Option("--class", help="Such as index, future, fx, equity, etf.")] = None,
    output: Output = Format.table,
) -> None:
    """Show the markets of the catalogue; any other Yahoo ticker works as yahoo:TICKER."""
    from market_reaction.instruments import ASSET_CLASSES, list_instruments

    if asset_class is not None and asset_class not in ASSET_CLASSES:
        raise typer.BadParameter(
            f"{asset_class!r} is not a class; choose one of {', '.join(ASSET_CLASSES)}.", param_hint="'--class'"
        )
    rows = list_instruments()
    text = rows.reset_index().astype(str).agg(" ".join, axis=1).str.casefold()
    keep = [all(word in line for word in search.casefold().split()) for line in text]
    rows = rows[keep]
    if asset_class is not None:
        rows = rows[rows["class"].eq(asset_class)]
    if rows.empty:
        say("No instrument matches. Use fewer words; any Yahoo ticker works as yahoo:TICKER.")
    if len(rows) or output != Format.table:
        show_rows(rows, output, ["name", "class", "yahoo", "bundled", "calendar", "unit", "quote_note"])


@app.command(short_help="Check what is installed and on disk.")
def doctor() -> None:
    """Say what is installed and on disk, and whether Yahoo answers; exit code 0 if the suite is usable."""
    from rich.table import Table
    from rich.text import Text

    from market_reaction.doctor import examine, usable

    checks = examine()
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    for number, check in enumerate(checks):
        name = check.name if number == 0 or checks[number - 1].name != check.name else ""
        table.add_row(name, check.status, Text(clean(check.text), overflow="fold"))
    show(table)
    if not usable(checks):
        say("Something is missing; see the lines marked problem.")
        raise typer.Exit(1)
    say("The suite is usable.")
