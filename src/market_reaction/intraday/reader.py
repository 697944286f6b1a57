"""Files of bars shorter than a day, as vendors and trading platforms export them."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from market_reaction.errors import did_you_mean
from market_reaction.intraday.stamps import Stamps, aware_stamps, read_stamps
from market_reaction.sources import cells, formats

# Names of a column that holds the whole time, first choice first, after `cells.plain_name`.
TIME_COLUMNS = (
    "timeutc", "timestamputc", "datetimeutc", "utc", "datetime", "timestamp", "gmttime", "localtime", "opentime",
    "bartime", "time", "date", "dates", "日期时间", "交易时间", "时间", "日期",
)  # fmt: skip
_BARE_CLOCK = re.compile(r"\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?|\d{6}|\d{4}")  # a time of day beside a date column
_PRICES = ("open", "high", "low", "close")
_TICKS = ("tickvolume", "tickvol", "ticks")


class FileBars(NamedTuple):
    """Rows of a file before they are sorted out.

    Attributes
    ----------
    stamps : Stamps
        Instant of each row's label.
    prices : pandas.DataFrame
        Columns among open, high, low, close, volume in the file's order.
    volume : str
        What the volume counts: ``"volume"``, ``"ticks"`` or empty.
    """

    stamps: Stamps
    prices: pd.DataFrame
    volume: str


def read_bar_file(path: Path, *, zone: str | None = None, time_column: str | None = None) -> FileBars:
    """Read one file of bars.

    Parameters
    ----------
    path : pathlib.Path
        A CSV or other text table, perhaps gzipped, or a Parquet file: a time (or a date and a time), a close, and if
        there are any open, high, low, volume or tick volume.
    zone : str, optional
        Clock of the file; goes before whatever offset its times state.
    time_column : str, optional
        Name of the column with the times, where the file has several.

    Raises
    ------
    DataUnavailableError
        No time or close column, rows that are daily, no zone, or a cell that cannot be read (``cause="malformed
        answer"``).
    """
    if path.name.lower().endswith((".parquet", ".pq")):
        return _from_parquet(path, zone, time_column)
    lines = cells.decoded(path).splitlines()
    for number, line in enumerate(lines[:60]):
        for delimiter in ("\t", ";", ",", "|"):
            header = next(csv.reader([line], delimiter=delimiter), [])
            names = [cells.plain_name(name) for name in header]
            if len(header) > 1 and _column(names, "close") is not None and any(name in TIME_COLUMNS for name in names):
                table = cells.table_below(path.name, header, lines, number + 1, delimiter)
                return _from_table(table, names, zone, time_column)
    cells.refuse(
        path.name,
        "no line among the first 60 names a time and a close. Recognised are, for the time: "
        f"{', '.join(TIME_COLUMNS[:8])}... or date and time; for the close: {', '.join(formats.COLUMNS['close'][:6])}"
        "... Rename the columns.",
    )


def _column(names: list[str], field: str) -> int | None:
    """Position of a price column; of two the one listed first."""
    found = [at for at, name in enumerate(names) if name in formats.COLUMNS[field]]
    return min(found, key=lambda at: formats.COLUMNS[field].index(names[at])) if found else None


def _time_at(file: str, header: list[str], names: list[str], time_column: str | None) -> int:
    if time_column is None:
        return min((at for at, name in enumerate(names) if name in TIME_COLUMNS), key=lambda at: _rank(names[at]))
    wanted = cells.plain_name(time_column)
    if wanted not in names:
        near = did_you_mean(time_column, header)
        cells.refuse(file, f"has no column {time_column!r}. {near}Its columns are {', '.join(header)}.")
    return names.index(wanted)


def _rank(name: str) -> int:
    return TIME_COLUMNS.index(name)


def _from_table(table: cells.Table, names: list[str], zone: str | None, time_column: str | None) -> FileBars:
    at = _time_at(table.file, table.header, names, time_column)
    texts = table.column(at)
    date = _column(names, "date")
    if date is not None and date != at and all(_BARE_CLOCK.fullmatch(text) for text in texts[:3]):
        texts = [f"{day} {clock}" for day, clock in zip(table.column(date), texts, strict=True)]
    says_utc = any(word in names[at] for word in ("utc", "gmt")) or "(utc)" in table.header[at].casefold()
    stamps = read_stamps(table.file, texts, table.lines, zone=zone, header_says_utc=says_utc)
    texts_of = {field: table.column(i) for field in _PRICES if (i := _column(names, field)) is not None}
    every = pd.Series([text for column in texts_of.values() for text in column], dtype=str)
    comma = cells.decimal_comma(table, every)
    prices = pd.DataFrame({field: _numbers(table, field, column, comma) for field, column in texts_of.items()})
    volume, counts = _volume(table, names, comma)
    if volume is not None:
        prices["volume"] = volume
    return FileBars(stamps, prices, counts)


def _numbers(table: cells.Table, field: str, texts: list[str], comma: bool) -> np.ndarray:
    """Column as float64: at once where every cell is a plain number, else by the rules of daily files."""
    column = pd.Series(texts, dtype=str)
    plain = pd.to_numeric(column, errors="coerce").to_numpy(dtype=float)
    return plain if np.isfinite(plain).all() else cells.read_numbers(table, field, column, comma)


def _volume(table: cells.Table, names: list[str], comma: bool) -> tuple[np.ndarray | None, str]:
    """Traded volume; where there is none or it is zero throughout, the number of ticks."""
    at = _column(names, "volume")
    if at is not None:
        volume = _numbers(table, "volume", table.column(at), comma)
        if np.nansum(volume) > 0:
            return volume, "volume"
    ticks = next((i for i, name in enumerate(names) if name in _TICKS), None)
    return (None, "") if ticks is None else (_numbers(table, "volume", table.column(ticks), comma), "ticks")


def _from_parquet(path: Path, zone: str | None, time_column: str | None) -> FileBars:
    try:
        frame = pd.read_parquet(path)
    except (OSError, ValueError) as error:
        cells.refuse(path.name, f"is no Parquet file that can be read ({error}). Write it again.")
    if not isinstance(frame.index, pd.RangeIndex):
        frame = frame.reset_index()
    header = [str(name) for name in frame.columns]
    names = [cells.plain_name(name) if name != "index" else "time" for name in header]
    close = _column(names, "close")
    if close is None or not any(name in TIME_COLUMNS for name in names):
        cells.refuse(path.name, f"its columns {header} name no time or no close. Rename them.")
    at = _time_at(path.name, header, names, time_column)
    column = frame.iloc[:, at]
    if pd.api.types.is_datetime64_any_dtype(column):
        stamps = aware_stamps(pd.DatetimeIndex(column), zone, path.name)
    else:
        lines = list(range(1, len(column) + 1))
        says_utc = any(word in names[at] for word in ("utc", "gmt"))
        stamps = read_stamps(path.name, [str(v) for v in column], lines, zone=zone, header_says_utc=says_utc)
    fields = {field: i for field in (*_PRICES, "volume") if (i := _column(names, field)) is not None}
    prices = pd.DataFrame({field: frame.iloc[:, i].to_numpy(dtype=np.float64) for field, i in fields.items()})
    return FileBars(stamps, prices, "volume" if "volume" in fields else "")
