"""The battery as tables of plain strings, the same for terminal, notebook and report: rounding happens here."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from market_reaction import wording
from market_reaction.battery.registry import MARKETS, ONE_MARKET, TESTS

NOT_VALID = "–"
SMALLEST_SHOWN = 0.0005  # a floor below this is no limit
_BOUNDS = (
    ("Smallest detectable, placebo", "placebo", "mde"),
    ("Smallest detectable, t", "forecast_t", "mde"),
    ("95% interval, conformal", "conformal_car", "interval"),
    ("95% interval, t", "forecast_t", "interval"),
    ("Smallest margin excluded", "no_reaction", "smallest_margin"),
    ("Smallest detectable mean, t", "event_level_t", "mde"),
    ("95% interval of the mean, t", "event_level_t", "interval"),
)


@dataclass(frozen=True, slots=True)
class TextTable:
    """A table of strings.

    Attributes
    ----------
    title : str
        Heading.
    headings : tuple of str
        Names of the columns.
    rows : tuple of tuple of str
        Cells.
    legend : str
        What the cells mean; empty where the headings say it.
    """

    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    legend: str = ""


def battery_tables(frame: pd.DataFrame) -> list[TextTable]:
    """Tables of the rows of ``ReactionResult.tests``: p by market, tests over markets, and what does not apply.

    Parameters
    ----------
    frame : pandas.DataFrame
        As ``study_tests`` gives it for one event.
    """
    tables = [_by_market(frame), _bounds(frame), _over_markets(frame), _not_valid(frame)]
    return [table for table in tables if table.rows]


def _markets(frame: pd.DataFrame) -> list[str]:
    return list(frame.loc[frame["unit"].ne(""), "market"].unique())


def _by_market(frame: pd.DataFrame) -> TextTable:
    markets = _markets(frame)
    own = frame[frame["market"].isin(markets)]
    cells: dict[tuple[str, ...], list[str]] = {}  # tests that agree everywhere share a line
    valid = own[own["p_value"].notna()]
    for test in [name for name in TESTS if name in set(valid["test"])]:
        part = valid[valid["test"].eq(test)]
        found = {row["market"]: row for row in part.to_dict("records")}
        line = (part["role"].iloc[0], *(_p_and_floor(found.get(market)) for market in markets))
        cells.setdefault(line, []).append(test)
    rows = tuple((", ".join(names), *line) for line, names in cells.items())
    legend = (
        "p, and in brackets the smallest p the test can give where that is not zero. "
        f"{NOT_VALID}: not valid for this market; the reason is below."
    )
    return TextTable("Tests of each market", ("Test", "Role", *markets), rows, legend)


def _bounds(frame: pd.DataFrame) -> TextTable:
    found = {(row["market"], row["test"]): row for row in frame.to_dict("records")}
    markets = _markets(frame)
    shown = [bound for bound in _BOUNDS if any((market, bound[1]) in found for market in markets)]
    rows = [(market, *(_bound(found[market, test], kind) for _, test, kind in shown)) for market in markets]
    many = any(test == "event_level_t" for _, test, _ in shown)
    title = "What these events can show" if many else "What this day can show"
    headings = ("Market", *(heading for heading, _, _ in shown))
    return TextTable(title, headings, tuple(rows) if shown else ())


def _bound(row: Mapping[Any, Any], kind: str) -> str:
    if kind != "interval":
        return NOT_VALID if math.isnan(row[kind]) else wording.size(row[kind], row["unit"])
    if not math.isfinite(row["conf_low"]):
        return NOT_VALID
    return f"{wording.move(row['conf_low'], row['unit'])} to {wording.move(row['conf_high'], row['unit'])}"


def _p_and_floor(row: Mapping[Any, Any] | None) -> str:
    if row is None or not math.isfinite(row["p_value"]):
        return NOT_VALID
    floor = f" ({wording.p_value(row['floor'])})" if row["floor"] >= SMALLEST_SHOWN else ""
    return f"{wording.p_value(row['p_value'])}{floor}"


def _over_markets(frame: pd.DataFrame) -> TextTable:
    over = frame[~frame["market"].isin(_markets(frame)) & frame["p_value"].notna()]
    rows = tuple(
        (row["test"], row["role"], wording.signed(row["statistic"]), _p_and_floor(row), row["validity"], row["note"])
        for row in over.to_dict("records")
    )
    labels = over["market"].unique()
    title = f"Tests over {labels[0]}" if len(labels) else "Tests over the markets"
    return TextTable(title, ("Test", "Role", "Statistic", "p (floor)", "Validity", "Note"), rows)


def _not_valid(frame: pd.DataFrame) -> TextTable:
    missing = frame[frame["p_value"].isna()]
    elsewhere = missing["setting"].where(~missing["setting"].isin((ONE_MARKET, MARKETS)), "")
    grouped = missing.groupby([elsewhere, "note"], sort=False)
    markets = _markets(frame)
    rows = []
    for (setting, note), part in grouped:
        names = ", ".join(part["test"].unique())
        where = [market for market in part["market"].unique() if market in markets]
        whose = "" if not where or len(where) == len(markets) else ", ".join(where)
        rows.append((names, str(setting) or whose, str(note)))
    return TextTable("Not valid here", ("Test", "Where", "Reason"), tuple(rows))
