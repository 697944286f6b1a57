"""``report``: what one announcement did, or what many did on average, as files that can be sent."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer import Argument, Option

from market_reaction.cli.app import app
from market_reaction.cli.console import say, warnings_said
from market_reaction.cli.options import AsOf, Folder, From, History, Markets, Windows, source_name, split_names
from market_reaction.errors import ExportError, did_you_mean

if TYPE_CHECKING:
    import pandas as pd

    from market_reaction.reaction_result import ReactionResult
    from market_reaction.study_result import EventStudyResult

# Ending of the file of each format; a folder where it is empty.
ENDINGS = {"html": ".html", "pdf": ".pdf", "xlsx": ".xlsx", "latex": ".tex", "parquet": "", "png": "", "svg": ""}
PICTURES = ("png", "svg")
_FROM_ENDING = {".htm": "html", ".parquet": "parquet"} | {end: name for name, end in ENDINGS.items() if end}


@app.command(
    short_help="Write a report of one announcement, or of many together.",
    epilog="""\b
Examples:
  market-reaction report 2025-06-10-jt
  market-reaction report 2025-06-10-jt --to london.pdf
  market-reaction report "2018-03-22 16:45 UTC" 2018-06-15-us 2019-05-05-us -m "CSI 300, S&P 500" --each
  market-reaction report my_events.csv --format html,xlsx,latex,png --to out/""",
)
def report(
    events: Annotated[
        list[str],
        Argument(metavar="EVENT", help="Time stamps with zone, ids that `events` shows, or one CSV file of events."),
    ],
    to: Annotated[
        Path | None, Option(metavar="PATH", help="A file such as x.pdf, or a folder; build/ when left out.")
    ] = None,
    formats: Annotated[
        list[str] | None,
        Option("--format", "-f", metavar="NAMES", help=f"Some of {','.join(ENDINGS)}; html when left out."),
    ] = None,
    each: Annotated[
        bool, Option("--each", help="With several events: a report of the reaction to each as well.")
    ] = False,
    markets: Markets = None,
    windows: Windows = "0:1,0:5",
    source: From = None,
    folder: Folder = None,
    as_of: AsOf = None,
    history: History = 500,
) -> None:
    """Write files that can be sent: one event gives the report of its reaction, several that of their event study.

    With several events the report holds the mean reaction of every market, every event beside it, and all tests; --each
    adds the reaction report of every event. What was written is listed on stdout.
    """
    from market_reaction.exports.files import file_names

    wanted, target = _formats(formats, to), _target(to)
    asked: dict[str, Any] = {
        "markets": split_names(markets), "windows": _windows(windows), "source": source_name(source, folder),
        "folder": folder and folder.resolve(), "as_of": as_of, "history": history,
    }  # fmt: skip
    table = _table(events)
    if to is not None and target is None and table is not None and each:
        raise typer.BadParameter(
            f"{str(to)!r} is one file, and --each writes several; name a folder.", param_hint="'--to'"
        )
    with warnings_said():
        results: dict[str, ReactionResult | EventStudyResult] = {}
        if table is None:
            results[events[0]] = _reaction(events[0], asked)
        else:
            results[_study_name(events, table)] = _study(table, asked)
            if each:
                results |= {event: _reaction(event, asked) for event in _each(events, table)}
    failed = []
    pictures = tuple(form for form in wanted if form in PICTURES)
    forms = [form for form in wanted if form not in pictures[1:]]  # all pictures are drawn at once
    for name, result in zip(file_names(results, "report"), results.values(), strict=True):
        for form in forms:
            path = to if to is not None and target is None else _place(target, name, form)
            try:
                typer.echo("\n".join(map(str, _write(result, form, path, pictures))))
            except ExportError as error:
                failed.append(f"{form}: {error}")
    if failed:
        raise ExportError("\n".join(dict.fromkeys(failed)))


def _formats(given: list[str] | None, to: Path | None) -> list[str]:
    """Formats asked for: by name, else by the ending of the file."""
    names = [name.strip().casefold() for text in given or [] for name in text.split(",") if name.strip()]
    for name in names:
        if name not in ENDINGS:
            raise typer.BadParameter(
                f"{name!r} is not known. {did_you_mean(name, ENDINGS)}Choose some of {', '.join(ENDINGS)}.",
                param_hint="'--format'",
            )
    ending = to.suffix.casefold() if to is not None and not _is_folder(to) else ""
    if not ending:
        return list(dict.fromkeys(names)) or ["html"]
    if ending not in _FROM_ENDING or (names and names != [_FROM_ENDING[ending]]):
        asked = ", ".join(names) or f"one of {', '.join(_FROM_ENDING)}"
        raise typer.BadParameter(f"{to and to.name!r} cannot hold {asked}; name a folder.", param_hint="'--to'")
    return [_FROM_ENDING[ending]]


def _is_folder(path: Path) -> bool:
    return path.is_dir() or not path.suffix


def _target(to: Path | None) -> Path | None:
    """Folder to write to; None where ``to`` is a file."""
    from market_reaction import paths

    if to is None:
        return paths.build_dir()
    return to if _is_folder(to) else None


def _windows(text: str) -> Any:
    from market_reaction.windows import EventWindows

    return EventWindows.parse(text)


def _table(events: list[str]) -> pd.DataFrame | None:
    """Event table of several events or of a CSV file; None for a single event."""
    from market_reaction.events import load_events

    if len(events) == 1:
        return load_events(events[0]) if events[0].casefold().endswith(".csv") else None
    files = [event for event in events if event.casefold().endswith(".csv")]
    twice = [event for event in dict.fromkeys(events) if events.count(event) > 1]
    if files or twice:
        wrong = f"{files[0]!r} is a file, and stands alone" if files else f"{twice[0]!r} is given twice; name it once"
        raise typer.BadParameter(f"{wrong}.", param_hint="'EVENT...'")
    return load_events({event: event for event in events})


def _each(events: list[str], table: pd.DataFrame) -> list[str]:
    """Events that ``react`` can read one by one: as typed, or the ids and times of a file."""
    if len(events) > 1:
        return events
    from market_reaction.events import all_news

    known, readable = all_news().index, []
    for event, row in zip(map(str, table.index), table.to_dict("records"), strict=True):
        if event in known:
            readable.append(event)
        elif row["precision"] == "minute":
            readable.append(f"{row['announced_utc']:%Y-%m-%d %H:%M} UTC")
        else:
            say(f"Note: no report of {event!r} alone: it is known to the {row['precision']}, and `react` takes a time.")
    return readable


def _reaction(event: str, asked: dict[str, Any]) -> ReactionResult:
    from market_reaction.reaction import react

    return react(event, **asked)


def _study(table: pd.DataFrame, asked: dict[str, Any]) -> EventStudyResult:
    from market_reaction.loading import load_prices
    from market_reaction.study import event_study

    prices = load_prices(events=table, **asked)
    return event_study(prices, table, windows=asked["windows"], on_bad_event="exclude")


def _study_name(events: list[str], table: pd.DataFrame) -> str:
    """Name of the report of several events: that of their file, else how many and from when to when."""
    if len(events) == 1:
        return Path(events[0]).stem
    times = table["announced_utc"].sort_values()
    return f"{len(table)}_events_{times.iloc[0]:%Y-%m-%d}_{times.iloc[-1]:%Y-%m-%d}"


def _place(folder: Path | None, name: str, form: str) -> Path:
    """Where a form of a result goes: a file, or a folder of tables or charts."""
    assert folder is not None
    if ENDINGS[form]:
        return folder / f"{name}{ENDINGS[form]}"
    return folder / f"{name}_{'tables' if form == 'parquet' else 'charts'}"


def _write(result: ReactionResult | EventStudyResult, form: str, path: Path, pictures: tuple[str, ...]) -> list[Path]:
    """Write a result in one form; the files written."""
    if form == "latex":
        result.to_latex(path)
        return [path.absolute()]
    write: dict[str, Callable[[], Path | list[Path]]] = {
        "html": lambda: result.report(path),
        "pdf": lambda: result.report(path),
        "xlsx": lambda: result.to_excel(path),
        "parquet": lambda: result.to_parquet(path),
    }
    written = write[form]() if form in write else result.save_plots(path, formats=pictures)
    return [written] if isinstance(written, Path) else written
