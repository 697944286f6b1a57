"""Price tables as vendors export them, read into one shape: rows by date; open, high, low, close, volume.

Recognised are exports of Yahoo, Bloomberg, Wind (English and Chinese), Investing.com and Stooq, and any table with a
date and a close. Nothing is guessed: a date, a number or a column that can be read in two ways is refused, and the
message names the file, the line and the value.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from market_reaction.sources.cells import (
    EMPTY,
    Table,
    bad_row,
    decimal_comma,
    decoded,
    plain_name,
    read_dates,
    read_numbers,
    refuse,
    refuse_times,
    table_below,
)

SUFFIXES = (".csv", ".csv.gz", ".txt", ".txt.gz", ".tsv", ".tsv.gz", ".parquet", ".pq")

# Column names after `cells.plain_name`, first choice first.
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
            bars = _bars_from_cells(_read_cells(path.name, decoded(path)))
        except csv.Error as error:
            refuse(path.name, f"is no text table ({error}). Export it again as CSV.")
    if adjusted and "adjusted" in bars:
        factor = bars["adjusted"] / bars["close"]
        for column in bars.columns.intersection(["open", "high", "low"]):
            bars[column] = bars[column] * factor
        bars["close"] = bars["adjusted"]
    return bars.drop(columns="adjusted", errors="ignore")


def _fields(header: Sequence[object]) -> dict[str, int]:
    """Position of each recognised field; of two names for one field the one listed first in COLUMNS."""
    found: dict[str, int] = {}
    names = [plain_name(name) for name in header]
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


def _read_cells(file: str, text: str) -> Table:
    """Find the header among the first lines and cut the lines below it into cells."""
    lines = text.splitlines()
    for number, line in enumerate(lines[:60]):
        for delimiter in ("\t", ";", ",", "|"):
            header = next(csv.reader([line], delimiter=delimiter), [])
            found = _fields(header) if len(header) > 1 else {}
            if "date" in found and "close" in found and _follows(lines[number + 1 :], delimiter):
                return table_below(file, header, lines, number + 1, delimiter)
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


def _bars_from_cells(table: Table) -> pd.DataFrame:
    found = _fields(table.header)
    _one_ticker(table.file, table.column(found["ticker"]) if "ticker" in found else [])
    if "time" in found:
        refuse_times(table, [t for t in table.column(found["time"]) if t.strip("0:.") and t.casefold() not in EMPTY])
    dates = read_dates(table, table.column(found["date"]))
    cells = {field: pd.Series(table.column(found[field]), dtype=str) for field in _NUMERIC if field in found}
    prices = pd.concat([texts for field, texts in cells.items() if field != "volume"], ignore_index=True)
    comma = decimal_comma(table, prices)
    return pd.DataFrame(
        {field: read_numbers(table, field, texts, comma) for field, texts in cells.items()}, index=dates
    )


def _one_ticker(file: str, tickers: Sequence[object]) -> None:
    distinct = sorted({str(ticker).strip() for ticker in tickers} - {""})
    if len(distinct) > 1:
        refuse(
            file,
            f"holds {len(distinct)} instruments ({', '.join(distinct[:3])}{'...' if len(distinct) > 3 else ''}). "
            "Write one file for each.",
        )


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
        return read_dates(Table(file, [], [], lines, ""), texts)
    stamps = pd.DatetimeIndex(column).tz_localize(None).as_unit("ns")
    table = Table(file, [], [], lines, "")
    if stamps.isna().any():
        bad_row(table, int(stamps.isna().argmax()), "date", "NaT", "Write a date in every row.")
    refuse_times(table, [f"{stamp:%H:%M}" for stamp in stamps[stamps != stamps.normalize()][:1]])
    return stamps
