"""Options that several commands have, and how their text is read."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from typer import Option

from market_reaction.cli.console import Format

DAY = "YYYY-MM-DD"
FIRST_NOTEBOOK = "01_one_announcement"

Source = StrEnum("Source", ["auto", "yahoo", "bundled", "files"])
Model = StrEnum(  # NORMAL_MODELS, which is not imported here so that help is answered at once
    "Model",
    [
        "constant_mean", "zero_mean", "market_adjusted", "market", "factors", "scholes_williams", "dimson", "garch",
        "gjr_garch", "rolling_mean", "synthetic_control",
    ],
)  # fmt: skip
Returns = StrEnum("Returns", ["log", "simple"])

Markets = Annotated[
    list[str] | None,
    Option("--markets", "-m", metavar="NAMES", help='"CSI 300, S&P 500", or yahoo:TICKER; may be repeated.'),
]
Windows = Annotated[
    str, Option("--windows", "-w", metavar="FIRST:LAST,...", help="Event windows, in sessions from day 0.")
]
From = Annotated[Source | None, Option("--source", help="Where prices come from: auto, or files with --folder.")]
Folder = Annotated[Path | None, Option(metavar="PATH", help="Folder of CSV or Parquet files of your own.")]
AsOf = Annotated[str | None, Option(metavar=DAY, help="Use snapshots of that day, to repeat an old run.")]
History = Annotated[int, Option(min=1, metavar="N", help="Earlier days of the placebo test.")]
Output = Annotated[Format, Option("--format", "-f", help="What goes to stdout.")]


def source_name(source: Source | None, folder: Path | None) -> str:
    """Where prices come from: a folder means files unless another source is named."""
    return (source or (Source.files if folder else Source.auto)).value


def test_names(text: str) -> str | list[str]:
    """The tests asked for: a word for several, or names."""
    return text if text in ("headline", "all") else [name.strip() for name in text.split(",") if name.strip()]


def numbers(text: str | None, option: str) -> Any:
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


def split_names(markets: list[str] | None) -> list[str] | None:
    """Names of a repeated option of comma-separated names; None for the default list."""
    if not markets:
        return None
    names = [name.strip() for text in markets for name in text.split(",") if name.strip()]
    if not names:
        raise typer.BadParameter("no market is named; give names such as 'CSI 300, S&P 500'.", param_hint="'--markets'")
    return names
