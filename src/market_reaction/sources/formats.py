"""Price tables as vendors export them, read into one shape: rows by date; open, high, low, close, volume.

Recognised are exports of Yahoo, Bloomberg, Wind (English and Chinese), Investing.com and Stooq, and any table with a
date and a close. Nothing is guessed: a date, a number or a column that can be read in two ways is refused, and the
message names the file, the line and the value.
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

SUFFIXES = (".csv", ".csv.gz", ".txt", ".txt.gz", ".tsv", ".tsv.gz", ".parquet", ".pq")

# Column names after `_plain`, first choice first.
COLUMNS: dict[str, tuple[str, ...]] = {
    "date": ("date", "dates", "tradedate", "tradingdate", "observationdate", "session", "datadate", "dlycaldt", "day",
             "日期", "交易日期", "交易日", "datetime", "timestamp", "timeutc", "时间", "交易时间"),
    "open": ("open", "pxopen", "openprice", "开盘价", "开盘"),
    "high": ("high", "pxhigh", "highprice", "最高价", "最高"),
    "low": ("low", "pxlow", "lowprice", "最低价", "最低"),
    "close": ("close", "pxlast", "lastprice", "last", "price", "closeprice", "closelast", "pxsettle", "settle",
              "settlement", "prccd", "dlyprc", "收盘价", "收盘", "最新价"),
    "adjusted": ("adjclose", "adjustedclose", "后复权收盘价", "前复权收盘价", "复权收盘价"),
    "volume": ("volume", "vol", "pxvolume", "成交量"),
    "time": ("time",),
    "ticker": ("ticker", "symbol", "tic", "security", "windcode", "tscode", "code", "代码", "证券代码"),
}  # fmt: skip
_FIELDS = {name: field for field, names in COLUMNS.items() for name in names}
_RANK = {name: rank for names in COLUMNS.values() for rank, name in enumerate(names)}

_NUMERIC: tuple[str, ...] = ("open", "high", "low", "close", "adjusted", "volume")
_EMPTY = frozenset(("", "-", "--", ".", "na", "n/a", "nan", "null", "none", "#n/a", "#n/a n/a"))
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
class _Table:
    """Cells of a text table: the header, the rows as text, and the line each row stands on."""

    file: str
    header: list[str]
    rows: list[list[str]]
    lines: list[int]
    delimiter: str

    def column(self, at: int) -> list[str]:
        return [row[at].strip() for row in self.rows]


def refuse(file: str, problem: str) -> NoReturn:
    """Raise the error for a file that cannot be read: what is wrong and what to do."""
    raise DataUnavailableError(f"{file}: {problem}", symbol=file, cause="malformed answer")


def read_bars(path: Path, *, adjusted: bool = False) -> pd.DataFrame:
    """Daily bars of one price file.

    Parameters
    ----------
    path : pathlib.Path
        A CSV or other text table, perhaps gzipped, or a Parquet file.
    adjusted : bool
        Take an adjusted close where the file has one, and scale open, high and low with it.

    Returns
    -------
    pandas.DataFrame
        Rows by tz-naive date in the file's order, duplicates kept; columns among open, high, low, close, volume.

    Raises
    ------
    DataUnavailableError
        The file has no date or no close, intraday rows, several instruments, or a date or number that cannot be
        read in one way only (``cause="malformed answer"``).
    """
    if path.name.lower().endswith((".parquet", ".pq")):
        bars = _read_parquet(path)
    else:
        try:
            bars = _bars_from_cells(_read_cells(path.name, _decode(path)))
        except csv.Error as error:
            refuse(path.name, f"is no text table ({error}). Export it again as CSV.")
    if adjusted and "adjusted" in bars:
        factor = bars["adjusted"] / bars["close"]
        for column in bars.columns.intersection(["open", "high", "low"]):
            bars[column] = bars[column] * factor
        bars["close"] = bars["adjusted"]
    return bars.drop(columns="adjusted", errors="ignore")


def _plain(name: object) -> str:
    """Column name without case, blanks, punctuation and a unit in brackets."""
    text = re.sub(r"(?<=.)[(\uff08].*?[)\uff09]", "", str(name))
    return re.sub(r"[\W_]+", "", text.casefold())


def _fields(header: Sequence[object]) -> dict[str, int]:
    """Position of each recognised field; of two names for one field the one listed first in COLUMNS."""
    found: dict[str, int] = {}
    names = [_plain(name) for name in header]
    for at, name in enumerate(names):
        field = _FIELDS.get(name)
        if field and (field not in found or _RANK[name] < _RANK[names[found[field]]]):
            found[field] = at
    if "date" not in found and "close" in found and names[0] == "":
        found["date"] = 0  # an index that was written without a name
    if "close" not in found and "adjusted" in found:
        found["close"] = found["adjusted"]
    if "date" in found and "close" not in found and len(header) == 2 and found["date"] == 0 and not names[1].isdigit():
        found["close"] = 1  # a date and one other column, as FRED writes it
    return found


def _decode(path: Path) -> str:
    """Text of a file in UTF-8, UTF-16 with a mark, or GB 18030."""
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


def _read_cells(file: str, text: str) -> _Table:
    """Find the header among the first lines and cut the lines below it into cells."""
    lines = text.splitlines()
    for number, line in enumerate(lines[:60]):
        for delimiter in ("\t", ";", ",", "|"):
            header = next(csv.reader([line], delimiter=delimiter), [])
            found = _fields(header) if len(header) > 1 else {}
            if "date" in found and "close" in found and _follows(lines[number + 1 :], delimiter):
                return _body(file, header, lines, number + 1, delimiter)
    shown = next((line for line in lines if line.strip()), "")[:60]
    refuse(
        file,
        f"no line among the first 60 names a date and a close (the first is {shown!r}). Recognised are, for the date: "
        f"{', '.join(COLUMNS['date'][:8])}...; for the close: {', '.join(COLUMNS['close'][:8])}... Rename the columns.",
    )


def _follows(below: list[str], delimiter: str) -> bool:
    """Whether the next line with text begins with a figure: a date stands below a header, not below a title."""
    line = next((line for line in below if line.strip()), "")
    first = next(csv.reader([line], delimiter=delimiter), [""])
    return not line or any(character.isdigit() for cell in first[:4] for character in cell)


def _body(file: str, header: list[str], lines: list[str], start: int, delimiter: str) -> _Table:
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
    return _Table(file, header, rows, at, delimiter)


def _bars_from_cells(table: _Table) -> pd.DataFrame:
    found = _fields(table.header)
    _one_ticker(table.file, table.column(found["ticker"]) if "ticker" in found else [])
    if "time" in found:
        _refuse_times(table, [t for t in table.column(found["time"]) if t.strip("0:.") and t.casefold() not in _EMPTY])
    dates = _dates(table, table.column(found["date"]))
    cells = {field: pd.Series(table.column(found[field]), dtype=str) for field in _NUMERIC if field in found}
    prices = pd.concat([texts for field, texts in cells.items() if field != "volume"], ignore_index=True)
    comma = _decimal_comma(table, prices)
    return pd.DataFrame({field: _numbers(table, field, texts, comma) for field, texts in cells.items()}, index=dates)


def _one_ticker(file: str, tickers: Sequence[object]) -> None:
    distinct = sorted({str(ticker).strip() for ticker in tickers} - {""})
    if len(distinct) > 1:
        refuse(
            file,
            f"holds {len(distinct)} instruments ({', '.join(distinct[:3])}{'...' if len(distinct) > 3 else ''}). "
            "Write one file for each.",
        )


def _refuse_times(table: _Table, times: Sequence[str]) -> None:
    if times:
        refuse(
            table.file,
            f"holds intraday rows (a time of day {times[0].strip()!r}). Only daily bars are read: a session's close "
            "cannot be told from bars with another clock. Export daily data.",
        )


def _bad_row(table: _Table, at: int, column: str, value: str, advice: str) -> NoReturn:
    refuse(table.file, f"line {table.lines[at]} has the {column} {value!r}, which cannot be read. {advice}")


def _dates(table: _Table, texts: list[str]) -> pd.DatetimeIndex:
    """Dates of all rows in the one format the first row has; the order of day and month is decided by the data."""
    column = pd.Series(texts, dtype=str)
    if column.str.contains(r"[:TZC]", regex=True).any():
        clocks = column.str.extract(_CLOCK)["clock"].fillna("")
        _refuse_times(table, [clock for clock in clocks if clock.strip("0:.")])
        column = column.str.replace(_CLOCK, "", regex=True).str.strip()
    kind = next((kind for kind, form in _DATES.items() if form.fullmatch(column[0])), "")
    if not kind:
        _bad_row(table, 0, "date", texts[0], "Write ISO dates such as 2025-06-11, with four digits for the year.")
    parts = column.str.extract(re.compile(_DATES[kind].pattern + r"\Z"))
    matched = column.str.fullmatch(_DATES[kind].pattern).to_numpy(dtype=bool)
    if not matched.all():
        at = int(np.flatnonzero(~matched)[0])
        _bad_row(table, at, "date", texts[at], f"The first row has {texts[0]!r}; write all dates in one form.")
    if kind == "numbers":
        parts = _day_and_month(table, parts, texts)
    if "b" in parts:
        parts["m"] = parts["b"].str[:3].str.lower().map({m: i for i, m in enumerate(_MONTHS, start=1)}).fillna(0)
    numbers = {"year": parts["y"].astype(int), "month": parts["m"].astype(int), "day": parts["d"].astype(int)}
    dates = pd.to_datetime(pd.DataFrame(numbers), errors="coerce")
    if dates.isna().any():
        at = int(np.flatnonzero(dates.isna())[0])
        _bad_row(table, at, "date", texts[at], "There is no such day; correct the row.")
    return pd.DatetimeIndex(dates).as_unit("ns")


def _day_and_month(table: _Table, parts: pd.DataFrame, texts: list[str]) -> pd.DataFrame:
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


def _decimal_comma(table: _Table, every: pd.Series) -> bool:
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


def _numbers(table: _Table, field: str, texts: pd.Series, comma: bool) -> np.ndarray:
    """Column as float64; empty cells are NaN, everything else must be a number."""
    empty = texts.str.casefold().isin(_EMPTY)
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
        _bad_row(table, at, field, texts.iloc[at], "Correct the cell, or leave it empty if there is no value.")
    return np.asarray(values * scale)


def _read_parquet(path: Path) -> pd.DataFrame:
    try:
        frame = pd.read_parquet(path)
    except (OSError, ValueError) as error:
        refuse(path.name, f"is no Parquet file that can be read ({error}). Write it again.")
    if isinstance(frame.columns, pd.MultiIndex):
        _one_ticker(path.name, list(frame.columns.get_level_values(-1)))
        frame.columns = frame.columns.get_level_values(0)
    if not isinstance(frame.index, pd.RangeIndex):
        frame = frame.reset_index()
    found = _fields([name if name != "index" else "" for name in frame.columns])
    if "date" not in found or "close" not in found:
        refuse(path.name, f"its columns {list(frame.columns)} name no date or no close. Rename them.")
    _one_ticker(path.name, list(frame.iloc[:, found["ticker"]].unique()) if "ticker" in found else [])
    wanted = [field for field in _NUMERIC if field in found]
    try:
        data = {f: frame.iloc[:, found[f]].to_numpy(dtype=np.float64, na_value=np.nan) for f in wanted}
    except (TypeError, ValueError) as error:
        refuse(path.name, f"a price column does not hold numbers ({error}). Write it as float64.")
    return pd.DataFrame(data, index=_parquet_dates(path.name, frame.iloc[:, found["date"]]))


def _parquet_dates(file: str, column: pd.Series) -> pd.DatetimeIndex:
    lines = list(range(1, len(column) + 1))
    if not pd.api.types.is_datetime64_any_dtype(column):
        texts = [str(value) for value in column]
        return _dates(_Table(file, [], [], lines, ""), texts)
    stamps = pd.DatetimeIndex(column).tz_localize(None).as_unit("ns")
    table = _Table(file, [], [], lines, "")
    if stamps.isna().any():
        _bad_row(table, int(stamps.isna().argmax()), "date", "NaT", "Write a date in every row.")
    _refuse_times(table, [f"{stamp:%H:%M}" for stamp in stamps[stamps != stamps.normalize()][:1]])
    return stamps
