"""Text tables as vendors export them, cut into cells: encoding, footer, dates, decimal comma, numbers.

Shared by daily files and by bars shorter than a day. A date or a number that can be read in two ways is refused, and
the message names the file, the line and the value.
"""

from __future__ import annotations

import csv
import gzip
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import numpy as np
import pandas as pd

from market_reaction.errors import DataUnavailableError

EMPTY = frozenset(("", "-", "--", ".", "na", "n/a", "nan", "null", "none", "#n/a", "#n/a n/a"))
_FOOTER = re.compile(r"\s*(数据来源|资料来源|source\b|data source|copyright|©)", re.IGNORECASE)
_SCALE = {"k": 1e3, "m": 1e6, "b": 1e9, "t": 1e12, "万": 1e4, "亿": 1e8}
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_CLOCK = re.compile(r"[T ](?P<clock>\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?)?\s*(?:Z|UTC|[+-]\d{2}:?\d{2})?$")
_DATES = {
    "iso": re.compile(r"(?P<y>\d{4})(?:-|/|\.|年)(?P<m>\d{1,2})(?:-|/|\.|月)(?P<d>\d{1,2})日?"),
    "digits": re.compile(r"(?P<y>(?:19|20)\d{2})(?P<m>\d{2})(?P<d>\d{2})"),
    "month first": re.compile(r"(?P<b>[A-Za-z]{3,9})\.? (?P<d>\d{1,2}),? (?P<y>\d{4})"),
    "day first": re.compile(r"(?P<d>\d{1,2})[- ](?P<b>[A-Za-z]{3,9})\.?[- ](?P<y>\d{4})"),
    "numbers": re.compile(r"(?P<p>\d{1,2})[-/.](?P<q>\d{1,2})[-/.](?P<y>\d{4})"),
}


@dataclass(frozen=True, slots=True)
class Table:
    """Cells of a text table.

    Attributes
    ----------
    file : str
        Name of the file, for messages.
    header : list of str
        Names of the columns.
    rows : list of list of str
        Cells as text.
    lines : list of int
        Line of the file each row stands on.
    delimiter : str
        What separates the cells.
    """

    file: str
    header: list[str]
    rows: list[list[str]]
    lines: list[int]
    delimiter: str

    def column(self, at: int) -> list[str]:
        """Cells of one column without blanks around them."""
        return [row[at].strip() for row in self.rows]


def refuse(file: str, problem: str) -> NoReturn:
    """Raise the error for a file that cannot be read: what is wrong and what to do."""
    raise DataUnavailableError(f"{file}: {problem}", symbol=file, cause="malformed answer")


def plain_name(name: object) -> str:
    """Column name without case, blanks, punctuation and a unit in brackets."""
    text = re.sub(r"(?<=.)[(\uff08].*?[)\uff09]", "", str(name))
    return re.sub(r"[\W_]+", "", text.casefold())


def decoded(path: Path) -> str:
    """Text of a file, perhaps gzipped, in UTF-8, UTF-16 with a mark, or GB 18030; any other is refused."""
    raw = path.read_bytes()
    if path.name.lower().endswith(".gz"):
        try:
            raw = gzip.decompress(raw)
        except (OSError, EOFError):
            refuse(path.name, "the gzip archive is damaged or cut off. Export or copy the file again.")
    encodings = ("utf-16",) if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else ("utf-8-sig", "gb18030")
    for encoding in encodings:
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    refuse(path.name, "its text is neither UTF-8 nor GB 18030. Save it as UTF-8.")


def table_below(file: str, header: list[str], lines: list[str], start: int, delimiter: str) -> Table:
    """Rows below the header; blank lines and the vendor's footer are passed over, rows of another width refused."""
    rows, at = [], []
    reader = csv.reader(io.StringIO("\n".join(lines[start:])), delimiter=delimiter)
    width = len(header)
    for row in reader:
        number = start + reader.line_num
        if not any(cell.strip() for cell in row):
            continue
        if _FOOTER.match(row[0]) and not any(cell.strip() for cell in row[1:]):
            continue
        if len(row) < width or any(cell.strip() for cell in row[width:]):
            refuse(
                file,
                f"line {number} has {len(row)} cells where the header has {width}: the line is cut off, or a figure "
                f"holds the separator {delimiter!r} without quotes. Export the file again.",
            )
        rows.append(row[:width])
        at.append(number)
    if not rows:
        refuse(file, f"no rows below the header on line {start}. Export the file again.")
    return Table(file, header, rows, at, delimiter)


def refuse_times(table: Table, times: Sequence[str]) -> None:
    """Refuse rows with a time of day where daily ones are wanted."""
    if times:
        refuse(
            table.file,
            f"holds intraday rows (a time of day {times[0].strip()!r}). Only daily bars are read: a session's close "
            "cannot be told from bars with another clock. Export daily data.",
        )


def bad_row(table: Table, at: int, column: str, value: str, advice: str) -> NoReturn:
    """Raise the error for one cell: its line, its column, its value and what to do."""
    refuse(table.file, f"line {table.lines[at]} has the {column} {value!r}, which cannot be read. {advice}")


def read_dates(table: Table, texts: list[str]) -> pd.DatetimeIndex:
    """Dates of all rows in the one format the first row has; the order of day and month is decided by the data."""
    column = pd.Series(texts, dtype=str)
    if column.str.contains(r"[:TZC]", regex=True).any():
        clocks = column.str.extract(_CLOCK)["clock"].fillna("")
        refuse_times(table, [clock for clock in clocks if clock.strip("0:.")])
        column = column.str.replace(_CLOCK, "", regex=True).str.strip()
    kind = next((kind for kind, form in _DATES.items() if form.fullmatch(column[0])), "")
    if kind == "iso" and column.str.len().eq(10).all():  # as most files write them
        quick = pd.to_datetime(column, format="%Y-%m-%d", errors="coerce")
        if quick.dt.year.between(1700, 2200).all():
            return pd.DatetimeIndex(quick).as_unit("ns")
    if not kind:
        bad_row(table, 0, "date", texts[0], "Write ISO dates such as 2025-06-11, with four digits for the year.")
    parts = column.str.extract(re.compile(_DATES[kind].pattern + r"\Z"))
    matched = column.str.fullmatch(_DATES[kind].pattern).to_numpy(dtype=bool)
    if not matched.all():
        at = int(np.flatnonzero(~matched)[0])
        bad_row(table, at, "date", texts[at], f"The first row has {texts[0]!r}; write all dates in one form.")
    if kind == "numbers":
        parts = _day_and_month(table, parts, texts)
    if "b" in parts:
        parts["m"] = parts["b"].str[:3].str.lower().map({m: i for i, m in enumerate(_MONTHS, start=1)}).fillna(0)
    numbers = {"year": parts["y"].astype(int), "month": parts["m"].astype(int), "day": parts["d"].astype(int)}
    dates = pd.to_datetime(pd.DataFrame(numbers), errors="coerce")
    if dates.isna().any():
        at = int(np.flatnonzero(dates.isna())[0])
        bad_row(table, at, "date", texts[at], "There is no such day; correct the row.")
    return pd.DatetimeIndex(dates).as_unit("ns")


def _day_and_month(table: Table, parts: pd.DataFrame, texts: list[str]) -> pd.DataFrame:
    """Tell 11/06/2025 from 06/11/2025 by a number above 12 somewhere in the file."""
    first, second = parts["p"].astype(int) > 12, parts["q"].astype(int) > 12
    if first.any() == second.any():
        why = (
            f"line {table.lines[int(first.argmax())]} can only be day/month and line "
            f"{table.lines[int(second.argmax())]} only month/day"
            if first.any()
            else f"no date has a number above 12, so {texts[0]!r} may be day/month or month/day"
        )
        refuse(table.file, f"the order of day and month cannot be told: {why}. Write ISO dates such as 2025-06-11.")
    return parts.rename(columns={"p": "d", "q": "m"} if first.any() else {"p": "m", "q": "d"})


def decimal_comma(table: Table, every: pd.Series) -> bool:
    """Whether the prices of a file have a decimal comma; refuse what may be read both ways."""
    texts = every[every.str.contains(",", regex=False)]
    if texts.empty:
        return False
    comma = texts[texts.str.contains(r",(?:\d{1,2}|\d{4,})$|\.\d{3},|^[-−]?0,")]
    point = every[every.str.contains(r"\.(?:\d{1,2}|\d{4,})$|,\d{3}\.|,\d{3},")]
    if len(comma) and len(point):
        refuse(
            table.file,
            f"prices are written with a decimal comma ({comma.iloc[0]!r}) and with a decimal point "
            f"({point.iloc[0]!r}). Export the file with a decimal point.",
        )
    if not len(comma) and not len(point) and table.delimiter != ",":
        text = texts.iloc[0]
        refuse(
            table.file,
            f"the price {text!r} may be {text.replace(',', '')} or {text.replace(',', '.')}. "
            "Export the file with a decimal point and no thousands separator.",
        )
    return len(comma) > 0


def read_numbers(table: Table, field: str, texts: pd.Series, comma: bool) -> np.ndarray:
    """Column as float64; empty cells are NaN, everything else must be a number."""
    if not comma:  # most files hold plain numbers, which need no more work
        quick = pd.to_numeric(texts, errors="coerce").to_numpy(dtype=float)
        if np.isfinite(quick).all():
            return np.asarray(quick)
    empty = texts.str.casefold().isin(EMPTY)
    plain = texts.mask(empty, "nan").str.replace(r"[\s\u00a0\u202f']|" + (r"\." if comma else ","), "", regex=True)
    plain = plain.str.replace("−", "-", regex=False)
    if comma:
        plain = plain.str.replace(",", ".", regex=False)
    scale: np.ndarray = np.ones(len(plain))
    if field == "volume":
        unit = plain.where(~empty, "").str.extract(r"\d([kmbtKMBT万亿])$")[0].str.lower().map(_SCALE)
        plain = plain.where(unit.isna(), plain.str[:-1])
        scale = unit.fillna(1.0).to_numpy(dtype=float)
    values = pd.to_numeric(plain, errors="coerce").to_numpy(dtype=float)
    bad = ~np.isfinite(values) & ~empty.to_numpy(dtype=bool)
    if bad.any():
        at = int(np.flatnonzero(bad)[0])
        bad_row(table, at, field, texts.iloc[at], "Correct the cell, or leave it empty if there is no value.")
    return np.asarray(values * scale)
