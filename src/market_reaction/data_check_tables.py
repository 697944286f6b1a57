"""Tables of a data check, as HTML."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from market_reaction import tables, wording

if TYPE_CHECKING:
    from market_reaction.data_check import DataCheck

_SHOWN = 30  # rows of a table; the latest ones


@dataclass(frozen=True, slots=True, repr=False)
class Section:
    """One table of a data check, as a notebook shows it.

    Attributes
    ----------
    frame : pandas.DataFrame
        All its rows, unrounded.
    html : str
        The latest of them.
    """

    frame: pd.DataFrame
    html: str

    def __repr__(self) -> str:
        """The rows as text."""
        return str(self.frame.to_string(index=False)) if len(self.frame) else "none"

    def _repr_html_(self) -> str:
        return tables.wrapped([self.html])


def section(check: DataCheck, name: str) -> Section:
    """One table of a check by name."""
    frame, headings, rows = _PARTS[name](check)
    if not len(frame):
        return Section(frame, '<p class="mr-quiet">none</p>')
    shown = list(rows)[-_SHOWN:]
    cells = [[tables.cell(text) for text in row] for row in shown]
    html = tables.html_table(headings, cells)
    if len(frame) > len(shown):
        html += f'<p class="mr-quiet">The latest {len(shown)} of {len(frame)} rows.</p>'
    return Section(frame, html)


def check_html(check: DataCheck) -> str:
    """HTML of a data check: the answer, coverage by market, and where the figures come from."""
    parts = [
        f'<p class="mr-answer">{escape(check.answer())}</p>',
        section(check, "coverage").html,
        tables.folded("Where the figures come from", tables.vintage_table(check.prices.vintage)),
    ]
    return tables.wrapped(parts)


def coverage_lines(check: DataCheck) -> pd.DataFrame:
    """Coverage by market as it is read."""
    _, headings, rows = _coverage(check)
    return pd.DataFrame(rows, columns=headings).astype(str)


_Part = tuple[pd.DataFrame, list[str], Iterable[list[object]]]


def _coverage(check: DataCheck) -> _Part:
    total = check.coverage.groupby("market", sort=False).agg({"against": "first", "expected": "sum", "held": "sum"})
    ends, found = check.prices.vintage, check.findings["market"].value_counts()
    rows = [
        [
            name, row["against"], f"{row['held']:,} of {row['expected']:,}", wording.day(ends.loc[name, "first"]),
            wording.day(ends.loc[name, "last"]), found.get(name, 0),
        ]
        for name, row in zip(total.index.astype(str), total.to_dict("records"), strict=True)
    ]  # fmt: skip
    return check.coverage, ["Market", "Calendar", "Sessions held", "First", "Last", "Findings"], rows


def _vintage(check: DataCheck) -> _Part:
    frame = check.prices.vintage.reset_index()
    rows = [
        [
            row["market"], row["source"], row["symbol"], wording.day(row["retrieved_utc"]), wording.day(row["first"]),
            wording.day(row["last"]), f"{row['rows']:,}", str(row["sha256"])[:12],
        ]
        for row in frame.to_dict("records")
    ]  # fmt: skip
    return frame, ["Market", "Source", "Symbol", "Retrieved", "First", "Last", "Rows", "SHA-256"], rows


def _unavailable(check: DataCheck) -> _Part:
    frame = check.prices.unavailable
    return frame, ["Market", "Reason"], frame.to_numpy().tolist()


def _findings(check: DataCheck) -> _Part:
    frame = check.findings.sort_values("session", ignore_index=True)
    rows = [
        [row["market"], wording.day(row["session"]), row["rule"], row["value"], row["bound"], row["what_to_do"]]
        for row in frame.to_dict("records")
    ]
    return frame, ["Market", "Session", "Rule", "Value", "Bound", "What to do"], rows


def _rolls(check: DataCheck) -> _Part:
    frame = check.roll_days
    rows = [
        [
            row["market"], wording.day(row["last_trade"]), wording.day(row["session"]),
            wording.move(row["move"], row["unit"]), _usual(row["usual_days"]),
        ]
        for row in frame.to_dict("records")
    ]  # fmt: skip
    return frame, ["Market", "Last trade", "Session", "Move", "In usual days"], rows


def _usual(value: float) -> str:
    return wording.NOT_AVAILABLE if np.isnan(value) else wording.signed(value, 1)


def _excluded(check: DataCheck) -> _Part:
    frame = check.excluded
    counts = frame.groupby(["market", "reason"], sort=False)["session"].agg(["count", "min", "max"]).reset_index()
    rows = [
        [row["market"], row["reason"], row["count"], wording.day(row["min"]), wording.day(row["max"])]
        for row in counts.to_dict("records")
    ]
    return frame, ["Market", "Reason", "Rows", "First", "Last"], rows


_PARTS = {
    "coverage": _coverage,
    "vintage": _vintage,
    "unavailable": _unavailable,
    "findings": _findings,
    "rolls": _rolls,
    "excluded": _excluded,
}
SECTIONS = tuple(_PARTS)
