"""The command line, ``market-reaction``: results go to stdout, everything said about them to stderr.

Modules that load pandas are imported inside the commands, so that help and mistakes are answered at once.
"""

from __future__ import annotations

import errno
import io
import json
import os
import re
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer import Argument, Option
from typer.core import TyperCommand, TyperGroup

from market_reaction.errors import MarketReactionError, MarketReactionWarning

if TYPE_CHECKING:
    import pandas as pd

    from market_reaction.instruments import Instrument
    from market_reaction.prices import PriceSeries
    from market_reaction.reaction_result import ReactionResult

CLICK_ERROR: type[Exception] = typer.BadParameter.__mro__[2]  # ClickException, whoever ships click
FAILED, INTERRUPTED = 2, 130
FIRST_NOTEBOOK = "01_one_announcement"
DAY = "YYYY-MM-DD"
PIPE_WIDTH = 150  # columns when stdout is no terminal
_UNSAFE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")

Format = StrEnum("Format", ["table", "json", "csv"])
Source = StrEnum("Source", ["auto", "yahoo", "bundled", "files"])
Model = StrEnum(  # NORMAL_MODELS, which is not imported here so that help is answered at once
    "Model",
    [
        "constant_mean", "zero_mean", "market_adjusted", "market", "factors", "scholes_williams", "dimson", "garch",
        "gjr_garch", "rolling_mean", "synthetic_control",
    ],
)  # fmt: skip
Returns = StrEnum("Returns", ["log", "simple"])
EventTable = StrEnum("EventTable", ["us_china", "macro_releases", "other_news", "all"])
Direction = StrEnum("Direction", {"escalation": "escalation", "de_escalation": "de-escalation", "mixed": "mixed"})


class _Group(TyperGroup):
    """Commands whose errors are one paragraph on stderr and an exit code, never a traceback."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        """Run the command line and leave with its exit code."""
        try:
            code = super().main(args, prog_name, complete_var, False, windows_expand_args, **extra)
        except MarketReactionError as error:
            code = _refuse(str(error))
        except CLICK_ERROR as error:
            code = _refuse(_usage(error))
        except OSError as error:
            if error.errno == errno.EPIPE:
                raise
            code = _refuse(
                f"{error.filename or 'a file'}: {error.strerror or error}. Choose another place, or mend it."
            )
        except typer.Abort:
            code = INTERRUPTED
        code = code if isinstance(code, int) else 0
        return sys.exit(code) if standalone_mode else code


class _PairsCommand(TyperCommand):
    """Command whose ``-p NAME VALUE`` takes two words, which typer cannot say of a repeated option."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Join the two words to one."""
        joined, rest = [], list(args)
        while rest:
            word = rest.pop(0)
            joined.append(word)
            if word in ("-p", "--parameter") and len(rest) > 1 and "=" not in rest[0]:
                joined.append(f"{rest.pop(0)}={rest.pop(0)}")
        return super().parse_args(ctx, joined)


def _refuse(message: str) -> int:
    _say(f"Error: {message}")
    return FAILED


def _usage(error: Any) -> str:
    """What typer says about a mistake, as full sentences."""
    text = error.format_message().replace("Value error, ", "").rstrip(".")
    path = error.ctx.command_path if getattr(error, "ctx", None) else "market-reaction"
    return f"{text}{'' if text.endswith('?') else '.'} `{path} --help` shows what it takes."


def _say(text: str) -> None:
    """Write one paragraph to stderr, without control characters that a title may hold."""
    typer.echo(_clean("\n".join(line for line in text.strip().splitlines() if line.strip())), err=True)


def _clean(text: str) -> str:
    return _UNSAFE.sub("\N{REPLACEMENT CHARACTER}", text)


app = typer.Typer(
    cls=_Group,
    name="market-reaction",
    help="How markets reacted to an announcement, and whether that was unusual.",
    epilog="""\b
Examples:
  market-reaction react 2025-06-10-jt --report
  market-reaction react "2018-03-22 16:45 UTC" --markets "S&P 500, VIX, CSI 300"
  market-reaction react --date 2025-06-11 --format json
  market-reaction events --search rare
  market-reaction lab""",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"market-reaction {version('market-reaction')}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def _start(
    ctx: typer.Context,
    version: Annotated[bool, Option("--version", callback=_version, is_eager=True, help="Show the version.")] = False,
) -> None:
    if ctx.invoked_subcommand is None:
        typer.echo(ctx.get_help())


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
    markets: Annotated[
        list[str] | None,
        Option("--markets", "-m", metavar="NAMES", help='"CSI 300, S&P 500", or yahoo:TICKER; may be repeated.'),
    ] = None,
    windows: Annotated[
        str, Option("--windows", "-w", metavar="FIRST:LAST,...", help="Event windows, in sessions from day 0.")
    ] = "0:1,0:5",
    model: Annotated[Model, Option(help="What the market would have done otherwise.")] = Model.constant_mean,
    returns: Annotated[Returns | None, Option(help="Kind of return; each market's own when left out.")] = None,
    benchmark: Annotated[str | None, Option(metavar="NAME", help="Benchmark of the market models.")] = None,
    factors: Annotated[list[str] | None, Option(metavar="NAMES", help="Markets that --model factors takes.")] = None,
    donors: Annotated[
        list[str] | None, Option(metavar="NAMES", help="Markets that --model synthetic_control mixes.")
    ] = None,
    source: Annotated[Source | None, Option(help="Where prices come from: auto, or files with --folder.")] = None,
    folder: Annotated[Path | None, Option(metavar="PATH", help="Folder of CSV or Parquet files of your own.")] = None,
    as_of: Annotated[str | None, Option(metavar=DAY, help="Use snapshots of that day, to repeat an old run.")] = None,
    refresh: Annotated[bool, Option("--refresh", help="Ask Yahoo again although a snapshot would do.")] = False,
    history: Annotated[int, Option(min=1, metavar="N", help="Earlier days of the placebo test.")] = 500,
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
    output: Annotated[Format, Option("--format", "-f", help="What goes to stdout.")] = Format.table,
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

    asked = _split(markets)
    inputs = {"factors": _split(factors) or (), "donors": _split(donors) or ()}
    chosen = EventWindows.parse(windows)
    where = (source or (Source.files if folder else Source.auto)).value
    settings: dict[str, Any] = {
        "date": date, "markets": asked, "windows": chosen, "normal_model": model.value, "benchmark": benchmark,
        "source": where, "folder": folder and folder.resolve(), "as_of": as_of, "history": history,
    }  # fmt: skip
    with _warnings_said():
        result = measure(
            announcement, **settings, **inputs, returns=returns.value if returns else None,  # type: ignore[arg-type]
            refresh=refresh, exclude=notable_news() if clean_pool else None, tests=_test_names(tests),
            margin=_numbers(margin, "--margin"), signs=_numbers(signs, "--signs"),
            primary=primary, selected_because_it_moved=selected, skip=load_events() if skip_events else None,
        )  # fmt: skip
    _show_result(result, output)
    if clean_pool:
        _say(_left_out(result))
    if report or report_path:
        own = settings | {"normal_model": Model.constant_mean.value} if any(inputs.values()) else settings
        _write_report(result, report_path, _for_notebook(announcement, own))
        options = {
            "--returns": returns, "--clean-pool": clean_pool, "--factors": factors, "--donors": donors,
            "--tests": tests != "headline", "--margin": margin, "--signs": signs, "--primary": primary,
            "--selected-because-it-moved": selected, "--skip-events": skip_events,
        }  # fmt: skip
        beyond = [name for name, given in options.items() if given]
        if beyond:
            _say(f"Note: the notebook has no setting for {', '.join(beyond)}; it shows the default.")


def _for_notebook(announcement: str | None, settings: dict[str, Any]) -> dict[str, object]:
    """Parameters of notebook 01 for the same question; its own list of markets when none was named."""
    values = {name.upper(): value for name, value in settings.items() if name != "markets" or value}
    folder = settings["folder"]
    own = {"WINDOWS": settings["windows"].event, "FOLDER": str(folder) if folder else None}
    return {"ANNOUNCEMENT": announcement, **values, **own}


def _test_names(text: str) -> str | list[str]:
    """The tests asked for: a word for several, or names."""
    return text if text in ("headline", "all") else [name.strip() for name in text.split(",") if name.strip()]


def _numbers(text: str | None, option: str) -> Any:
    """One number for every market, or numbers by market from ``NAME=NUMBER,...``; None when nothing was given."""
    if text is None:
        return None
    pairs = [part.rpartition("=") for part in text.split(",")]
    try:
        if len(pairs) == 1 and not pairs[0][1]:
            return float(text)
        return {name.strip(): float(number) for name, _, number in pairs}
    except ValueError:
        raise typer.BadParameter(
            f"{text!r} is neither a number nor NAME=NUMBER,...; write for example 0.02, or 'CSI 300=0.02,VIX=3'.",
            param_hint=f"'{option}'",
        ) from None


def _split(markets: list[str] | None) -> list[str] | None:
    """Names of a repeated option of comma-separated names; None for the default list."""
    if not markets:
        return None
    names = [name.strip() for text in markets for name in text.split(",") if name.strip()]
    if not names:
        raise typer.BadParameter("no market is named; give names such as 'CSI 300, S&P 500'.", param_hint="'--markets'")
    return names


@contextmanager
def _warnings_said() -> Iterator[None]:
    """Turn the warnings of this package into paragraphs on stderr."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", MarketReactionWarning)
        yield
    for warning in caught:
        if issubclass(warning.category, MarketReactionWarning):
            _say(f"Warning: {warning.message}")


def _left_out(result: ReactionResult) -> str:
    counts = ", ".join(f"{row.market} {row.headline.placebo.n_left_out}" for row in result.reactions)
    return (
        f"Clean pool: {result.parameters['excluded_events']} events and high-importance releases are kept out. "
        f"Sessions left out of the placebo pools: {counts}."
    )


def _show_result(result: ReactionResult, output: Format) -> None:
    """Write a result to stdout; where its form has no room for notes they go to stderr."""
    if output == Format.json:
        _show_json(result.to_dict())
        return
    if output == Format.csv:
        _show_csv(result.to_frame())
        notes = [*result.notes, *(f"{row.market}: {note}" for row in result.reactions for note in row.notes)]
        missing = [f"{row.market} is not available: {row.reason}" for row in result.prices.unavailable.itertuples()]
        tests = ["the tests asked for are in --format table and json"] if result.battery is not None else []
        for note in (*notes, *missing, *tests):
            _say(f"Note: {note}")
        return
    from market_reaction.tables import reaction_renderables

    _show(*reaction_renderables(result))


def _show(*renderables: Any) -> None:
    """Print renderables; without the blanks that fill up lines when stdout is no terminal."""
    from rich.console import Console

    options: dict[str, Any] = {"markup": False, "highlight": False, "emoji": False}
    if sys.stdout.isatty():
        for part in renderables:
            Console(**options).print(part)
        return
    width = int(os.environ["COLUMNS"]) if os.environ.get("COLUMNS", "").isdecimal() else PIPE_WIDTH
    console = Console(file=io.StringIO(), width=width, color_system=None, **options)
    for part in renderables:
        console.print(part)
    lines = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    typer.echo("\n".join(line.rstrip() for line in lines))


def _show_json(content: Any) -> None:
    typer.echo(json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False))


def _show_csv(frame: pd.DataFrame) -> None:
    """Write a frame as CSV; text that a spreadsheet would run as a formula gets an apostrophe in front."""

    def harmless(value: object) -> object:
        return f"'{value}" if isinstance(value, str) and value.startswith(("=", "@", "\t", "\r")) else value

    typer.echo(frame.reset_index().map(harmless).to_csv(index=False), nl=False)


def _show_rows(rows: pd.DataFrame, output: Format, columns: list[str]) -> None:
    """Write a frame as a table of some columns, or all of it as JSON or CSV."""
    if output == Format.json:
        _show_json(json.loads(rows.reset_index().to_json(orient="records", date_format="iso", date_unit="s")))
    elif output == Format.csv:
        _show_csv(rows)
    else:
        from rich import box
        from rich.table import Table
        from rich.text import Text

        cells = rows.reset_index()
        named = [column for column in columns if column in cells]
        table = Table(*named, box=box.SIMPLE_HEAD, pad_edge=False)
        table.columns[0].overflow = "fold"
        table.columns[0].no_wrap = bool(rows.index.str.len().max() < 40) if len(rows) else False
        for row in cells[named].to_dict("records"):
            table.add_row(*(Text(_cell(row[column])) for column in named))
        _show(table)


def _cell(value: Any) -> str:
    import pandas as pd

    if isinstance(value, pd.Timestamp):
        return f"{value:%Y-%m-%d %H:%M}"
    return "" if value is None or value is pd.NaT or value != value else _clean(str(value))


def _write_report(result: ReactionResult, path: Path | None, settings: dict[str, object]) -> None:
    """Write the report and the executed notebook, and say where they are and what comes next."""
    from market_reaction import paths
    from market_reaction.notebooks import find_notebook, run_notebook

    name = re.sub(r"[^A-Za-z0-9.-]+", "_", str(result.event.name)).strip("._")[:80] or "report"
    target = path or paths.build_dir() / f"{name}.html"
    target.parent.mkdir(parents=True, exist_ok=True)
    _say(f"Report: {result.report(target)}")
    _say(f"Running notebook {FIRST_NOTEBOOK} ...")
    executed = run_notebook(find_notebook(FIRST_NOTEBOOK), settings)
    _say(f"Notebook with results: {executed.notebook}\nThe same as a page: {executed.html}")
    start = "make lab" if Path.cwd() == paths.checkout() else "market-reaction lab"
    _say(f"Next: open the report in a browser, or run `{start}` to change the announcement in JupyterLab.")


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

    asked = [find_instrument(name) for name in _split(markets) or DEFAULT_MARKETS]
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
        _show_rows(table.assign(**days), Format.table, ["market", *fields[:-1]])
    for problem in problems:
        _say(f"Not downloaded: {problem}")
    _say(f"{len(arrived)} of {len(asked)} series were downloaded to {paths.snapshots_dir()}.")
    if not arrived:
        raise typer.Exit(1)


def _download(asked: list[Instrument], first: pd.Timestamp, last: pd.Timestamp) -> tuple[list[PriceSeries], list[str]]:
    """Series that came, and what is to be said of the others."""
    from market_reaction import paths
    from market_reaction.snapshots import SnapshotStore
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
    short_help="Show announcements of the catalogue.",
    epilog="""\b
Examples:
  market-reaction events --search rare
  market-reaction events --table macro_releases --since 2025-06-01 --until 2025-06-30""",
)
def events(
    search: Annotated[str, Option("--search", "-s", help="Words that must all occur.")] = "",
    since: Annotated[str | None, Option(metavar=DAY, help="First UTC date.")] = None,
    until: Annotated[str | None, Option(metavar=DAY, help="Last UTC date.")] = None,
    direction: Annotated[Direction | None, Option(help="Direction of the announcement.")] = None,
    table: Annotated[EventTable, Option(help="Which table.")] = EventTable.us_china,
    output: Annotated[Format, Option("--format", "-f", help="What goes to stdout.")] = Format.table,
) -> None:
    """Show announcements of the catalogue; their ids can be given to `react`."""
    from market_reaction.events import search_events

    rows = search_events(
        search, since=since, until=until, direction=direction and direction.value,
        table=None if table == EventTable.all else table.value,
    )  # fmt: skip
    if rows.empty:
        _say("No event matches. Use fewer words, other dates, or --table all.")
    if len(rows) or output != Format.table:
        _show_rows(rows, output, ["event_id", "announced_utc", "precision", "direction", "importance", "title"])


@app.command(
    short_help="Show the markets of the catalogue.",
    epilog='\b\nExample:\n  market-reaction instruments --search "rare earth"',
)
def instruments(
    search: Annotated[str, Option("--search", "-s", help="Words that must all occur.")] = "",
    asset_class: Annotated[str | None, Option("--class", help="Such as index, future, fx, equity, etf.")] = None,
    output: Annotated[Format, Option("--format", "-f", help="What goes to stdout.")] = Format.table,
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
        _say("No instrument matches. Use fewer words; any Yahoo ticker works as yahoo:TICKER.")
    if len(rows) or output != Format.table:
        _show_rows(rows, output, ["name", "class", "yahoo", "bundled", "calendar", "unit", "quote_note"])


@app.command(
    cls=_PairsCommand,
    short_help="Execute a notebook with parameters.",
    epilog="""\b
Examples:
  market-reaction run 01 -p ANNOUNCEMENT "2025-04-02 20:10 UTC" -p MARKETS "S&P 500, VIX"
  market-reaction run 01 -p WINDOWS 0:0,0:10 --to build/april.ipynb""",
)
def run(
    notebook: Annotated[str, Argument(help="Number, name or path, such as 01.")],
    parameter: Annotated[
        list[str] | None,
        Option("--parameter", "-p", metavar="NAME VALUE", help="Set a name of the parameters cell; may be repeated."),
    ] = None,
    to: Annotated[
        Path | None, Option(help="Where the executed notebook goes; build/ when left out.", metavar="PATH")
    ] = None,
) -> None:
    """Execute a notebook with parameters; the result goes to build/, with a page that works offline."""
    from market_reaction.notebooks import find_notebook, read_parameters, run_notebook

    path = find_notebook(notebook)
    pairs = [text.partition("=") for text in parameter or []]
    for name, equals, _ in pairs:
        if not equals:
            raise typer.BadParameter(f"{name!r} has no value; write -p {name} VALUE.", param_hint="'-p'")
    values = read_parameters(path, {name: value for name, _, value in pairs})
    _say(f"Running notebook {path.stem} ...")
    executed = run_notebook(path, values, to)
    typer.echo(f"{executed.notebook}\n{executed.html}")


@app.command(
    short_help="Open JupyterLab on a notebook.",
    context_settings={"ignore_unknown_options": True},
    epilog="\b\nExamples:\n  market-reaction lab 00\n  market-reaction lab 01 --no-browser --port 8890",
)
def lab(
    arguments: Annotated[
        list[str] | None,
        Argument(metavar="[NOTEBOOK] [JUPYTERLAB OPTIONS]...", help="01 when no notebook is named."),
    ] = None,
) -> None:
    """Open JupyterLab on a notebook; from an installed package the notebooks are copied to ./notebooks first."""
    from market_reaction.notebooks import open_lab, working_copy

    rest = list(arguments or [])
    name = rest.pop(0) if rest and not rest[0].startswith("-") else FIRST_NOTEBOOK
    notebook, root = working_copy(name)
    _say(f"Opening {notebook} in JupyterLab; stop it with Ctrl-C.")
    raise typer.Exit(open_lab(notebook, root, rest))


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
        table.add_row(name, check.status, Text(_clean(check.text), overflow="fold"))
    _show(table)
    if not usable(checks):
        _say("Something is missing; see the lines marked problem.")
        raise typer.Exit(1)
    _say("The suite is usable.")


def main() -> None:
    """Run the command line: the entry point ``market-reaction``."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace", **({} if stream.isatty() else {"encoding": "utf-8"}))
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


if __name__ == "__main__":
    main()
