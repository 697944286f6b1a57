"""``react``: what markets did after one announcement."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from typer import Argument, Option

from market_reaction.cli.app import app
from market_reaction.cli.console import Format, say, show, show_csv, show_json, warnings_said
from market_reaction.cli.options import (
    DAY,
    FIRST_NOTEBOOK,
    AsOf,
    Folder,
    From,
    History,
    Markets,
    Model,
    Output,
    Returns,
    Windows,
    numbers,
    source_name,
    split_names,
    test_names,
)  # fmt: skip

if TYPE_CHECKING:
    from market_reaction.reaction_result import ReactionResult


@app.command(
    short_help="Measure what markets did after one announcement.",
    epilog="""\b
Examples:
  market-reaction react 2025-06-10-jt
  market-reaction react "2025-05-12 07:00 UTC" --markets "CSI 300"
  market-reaction react "2018-03-22 12:45 New York" -m "S&P 500, VIX" --windows 0:0,0:5
  market-reaction react 2025-06-10-jt --folder my_exports --report
  market-reaction react 2025-06-10-jt --tests all
  market-reaction react --date 2025-06-11 --format csv > reaction.csv""",
)
def react(
    announcement: Annotated[
        str | None,
        Argument(metavar="TIME|EVENT_ID", help='Time and zone, "2025-06-10 22:50 UTC", or an id `events` shows.'),
    ] = None,
    date: Annotated[str | None, Option(metavar=DAY, help="Instead: a date whose clock time is unknown.")] = None,
    markets: Markets = None,
    windows: Windows = "0:1,0:5",
    model: Annotated[Model, Option(help="What the market would have done otherwise.")] = Model.constant_mean,
    returns: Annotated[Returns | None, Option(help="Kind of return; each market's own when left out.")] = None,
    benchmark: Annotated[str | None, Option(metavar="NAME", help="Benchmark of the market models.")] = None,
    factors: Annotated[list[str] | None, Option(metavar="NAMES", help="Markets that --model factors takes.")] = None,
    donors: Annotated[
        list[str] | None, Option(metavar="NAMES", help="Markets that --model synthetic_control mixes.")
    ] = None,
    source: From = None,
    folder: Folder = None,
    as_of: AsOf = None,
    refresh: Annotated[bool, Option("--refresh", help="Ask Yahoo again although a snapshot would do.")] = False,
    history: History = 500,
    clean_pool: Annotated[
        bool, Option("--clean-pool", help="Keep catalogue events and high-importance releases out of the placebo pool.")
    ] = False,
    skip_events: Annotated[
        bool, Option("--skip-events", help="Leave sessions with catalogue events out of the estimation window.")
    ] = False,
    tests: Annotated[
        str, Option(metavar="NAMES", help="headline, all, or names such as placebo,conformal_car,garch_rank.")
    ] = "headline",
    margin: Annotated[
        str | None,
        Option(
            metavar="MOVE", help='Largest move that counts as none, fixed beforehand: 0.02, or "CSI 300=0.02,VIX=3".'
        ),
    ] = None,
    signs: Annotated[
        str | None, Option(metavar="NAME=+1,...", help="Direction expected of markets, fixed beforehand.")
    ] = None,
    primary: Annotated[
        str | None, Option(metavar="NAME", help="Market the question is about; the others are adjusted.")
    ] = None,
    selected: Annotated[
        bool, Option("--selected-because-it-moved", help="The date was chosen for its move, which voids every p.")
    ] = False,
    output: Output = Format.table,
    report: Annotated[bool, Option("--report", help="Write report and executed notebook 01 to build/.")] = False,
    report_path: Annotated[
        Path | None, Option("--report-path", metavar="PATH", help="The same, with the report there.")
    ] = None,
) -> None:
    """Measure what markets did after one announcement, and say whether it was unusual."""
    from market_reaction.events import load_events
    from market_reaction.other_news import notable_news
    from market_reaction.reaction import react as measure
    from market_reaction.windows import EventWindows

    chosen = EventWindows.parse(windows)
    settings: dict[str, Any] = {
        "date": date, "markets": split_names(markets), "normal_model": model.value, "benchmark": benchmark,
        "returns": returns.value if returns else None, "factors": split_names(factors) or (),
        "donors": split_names(donors) or (), "source": source_name(source, folder),
        "folder": folder and folder.resolve(), "as_of": as_of, "history": history, "tests": test_names(tests),
        "margin": numbers(margin, "--margin"), "signs": numbers(signs, "--signs"), "primary": primary,
        "selected_because_it_moved": selected,
    }  # fmt: skip
    with warnings_said():
        result = measure(
            announcement, **settings, windows=chosen, refresh=refresh,
            exclude=notable_news() if clean_pool else None, skip=load_events() if skip_events else None,
        )  # fmt: skip
    _show_result(result, output)
    if clean_pool:
        say(_left_out(result))
    if report or report_path:
        pools = {"WINDOWS": chosen.event, "CLEAN_POOL": clean_pool, "SKIP_EVENTS": skip_events}
        _write_report(result, report_path, {"ANNOUNCEMENT": announcement, **_for_notebook(settings), **pools})


def _for_notebook(settings: dict[str, Any]) -> dict[str, object]:
    """Parameters of notebook 01; its own lists of markets and tests where none was named."""
    own = [name for name, default in (("markets", None), ("tests", "headline")) if settings[name] == default]
    values = {name.upper(): value for name, value in settings.items() if name not in own}
    return values | {"FOLDER": str(settings["folder"]) if settings["folder"] else None}


def _left_out(result: ReactionResult) -> str:
    counts = ", ".join(f"{row.market} {row.headline.placebo.n_left_out}" for row in result.reactions)
    return (
        f"Clean pool: {result.parameters['excluded_events']} events and high-importance releases are kept out. "
        f"Sessions left out of the placebo pools: {counts}."
    )


def _show_result(result: ReactionResult, output: Format) -> None:
    """Write a result to stdout; where its form has no room for notes they go to stderr."""
    if output == Format.json:
        show_json(result.to_dict())
        return
    if output == Format.csv:
        show_csv(result.to_frame())
        notes = [*result.notes, *(f"{row.market}: {note}" for row in result.reactions for note in row.notes)]
        missing = [f"{row.market} is not available: {row.reason}" for row in result.prices.unavailable.itertuples()]
        tests = ["the tests asked for are in --format table and json"] if result.battery is not None else []
        for note in (*notes, *missing, *tests):
            say(f"Note: {note}")
        return
    from market_reaction.tables import reaction_renderables

    show(*reaction_renderables(result))


def _write_report(result: ReactionResult, path: Path | None, settings: dict[str, object]) -> None:
    """Write the report and the executed notebook, and say where they are and what comes next."""
    from market_reaction import paths
    from market_reaction.notebooks import find_notebook, run_notebook

    name = re.sub(r"[^A-Za-z0-9.-]+", "_", str(result.event.name)).strip("._")[:80] or "report"
    target = path or paths.build_dir() / f"{name}.html"
    target.parent.mkdir(parents=True, exist_ok=True)
    say(f"Report: {result.report(target)}")
    say(f"Running notebook {FIRST_NOTEBOOK} ...")
    executed = run_notebook(find_notebook(FIRST_NOTEBOOK), settings)
    say(f"Notebook with results: {executed.notebook}\nThe same as a page: {executed.html}")
    start = "make lab" if Path.cwd() == paths.checkout() else "market-reaction lab"
    say(f"Next: open the report in a browser, or run `{start}` to change the announcement in JupyterLab.")
