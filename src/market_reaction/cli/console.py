"""What the commands write: results to stdout as table, JSON or CSV, remarks to stderr."""

from __future__ import annotations

import io
import json
import os
import re
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import typer

from market_reaction.errors import MarketReactionWarning

if TYPE_CHECKING:
    import pandas as pd

PIPE_WIDTH = 150  # columns when stdout is no terminal
_UNSAFE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")

Format = StrEnum("Format", ["table", "json", "csv"])


def say(text: str) -> None:
    """Write one paragraph to stderr, without control characters that a title may hold."""
    typer.echo(clean("\n".join(line for line in text.strip().splitlines() if line.strip())), err=True)


def clean(text: str) -> str:
    """Text with its control characters replaced."""
    return _UNSAFE.sub("\N{REPLACEMENT CHARACTER}", text)


@contextmanager
def warnings_said() -> Iterator[None]:
    """Turn the warnings of this package into paragraphs on stderr."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", MarketReactionWarning)
        yield
    for warning in caught:
        if issubclass(warning.category, MarketReactionWarning):
            say(f"Warning: {warning.message}")


def show(*renderables: Any) -> None:
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


def show_json(content: Any) -> None:
    """Write plain dictionaries and lists as JSON."""
    typer.echo(json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False))


def show_csv(frame: pd.DataFrame) -> None:
    """Write a frame as CSV; text that a spreadsheet would run as a formula gets an apostrophe in front."""
    from market_reaction.exports.plain import harmless

    typer.echo(frame.reset_index().map(harmless).to_csv(index=False), nl=False)


def show_rows(rows: pd.DataFrame, output: Format, columns: list[str]) -> None:
    """Write a frame as a table of some columns, or all of it as JSON or CSV."""
    if output == Format.json:
        show_json(json.loads(rows.reset_index().to_json(orient="records", date_format="iso", date_unit="s")))
    elif output == Format.csv:
        show_csv(rows)
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
        show(table)


def _cell(value: Any) -> str:
    import pandas as pd

    if isinstance(value, pd.Timestamp):
        return f"{value:%Y-%m-%d %H:%M}"
    return "" if value is None or value is pd.NaT or value != value else clean(str(value))
