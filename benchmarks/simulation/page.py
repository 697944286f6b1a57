"""The page docs/size_and_power.md, made from the results alone."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from simulation import charts, tables
from simulation.lookup import Lookup, RealLookup

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = DOCS / "size_and_power.md"


def write(results: pd.DataFrame, real: pd.DataFrame) -> None:
    """Write the page and its charts."""
    charts.write(results, DOCS)
    PAGE.write_text(text(results, real), encoding="utf-8")


def text(results: pd.DataFrame, real: pd.DataFrame) -> str:
    """The page as Markdown."""
    folder = FileSystemLoader(Path(__file__).parent)
    templates = Environment(loader=folder, undefined=StrictUndefined, autoescape=False, keep_trailing_newline=True)
    made = {name: make(results) for name, make in tables.OF_RESULTS.items()}
    heats = {name: tables.heat_table(table) for name, table in charts.heat_tables(results).items()}
    return templates.get_template("page.md.jinja").render(
        at=Lookup(results),
        real=RealLookup(real),
        tables=made | heats | {"real": tables.real_returns(real)},
        instants=f"{int(real['instants'].iloc[0]):,}",
        seed=int(results["seed"].iloc[0]),
    )
