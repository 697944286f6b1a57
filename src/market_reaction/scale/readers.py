"""What a panel is written from, one security at a time: frames, price data, files, or anything that yields them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from market_reaction import calendars
from market_reaction.errors import DataUnavailableError, ScaleError
from market_reaction.instruments import Instrument
from market_reaction.prices import PriceData, PriceSeries, Vintage, build_series
from market_reaction.progress import progress
from market_reaction.sources.cells import plain_name
from market_reaction.sources.formats import COLUMNS, SUFFIXES, read_bars

Values = Literal["close", "return"]
_NAMES = {
    "asset": ("asset", "name", "permno", *COLUMNS["ticker"]),
    "session": COLUMNS["date"],
    "close": (*COLUMNS["adjusted"], *COLUMNS["close"]),
    "return": ("return", "ret", "returns", "dlyret", "收益率"),
}


@dataclass(frozen=True, slots=True)
class Row:
    """One security as it is read.

    Attributes
    ----------
    name : str
        Its identifier.
    days : numpy.ndarray
        Sessions with a value, ``datetime64[D]``, increasing.
    numbers : numpy.ndarray
        Closes or returns on them.
    left_out : dict of str to int
        Number of rows of the source that are no session here, by reason; the whole security where there is no day.
    """

    name: str
    days: np.ndarray
    numbers: np.ndarray
    left_out: dict[str, int]


def read_rows(source: object, values: Values, market: Instrument | None, adjusted: bool) -> Iterator[Row]:
    """Go through the securities of a source, as ``write_panel`` describes them."""
    if isinstance(source, PriceData):
        yield from (_of_series(series) for series in source)
    elif isinstance(source, pd.DataFrame):
        yield from _of_frame(source, values)
    elif isinstance(source, (str, Path)):
        yield from _of_path(Path(source).expanduser(), values, market, adjusted)
    elif isinstance(source, Iterable):
        for item in source:
            yield from _of_item(item, values)
    else:
        raise ScaleError(
            f"source is of type {type(source).__name__}; give a frame, price data, a folder of files, a file, or an "
            "iterable of frames or of pairs (name, series)."
        )


def _of_item(item: object, values: Values) -> Iterator[Row]:
    """One piece of an iterable: a row, a long frame of whole securities, or a pair of name and series."""
    if isinstance(item, Row):
        yield item
    elif isinstance(item, pd.DataFrame):
        yield from _of_frame(item, values)
    elif isinstance(item, tuple) and len(item) == 2 and isinstance(item[1], pd.Series):
        yield _row(str(item[0]), pd.DatetimeIndex(item[1].index), _numbers(item[1].rename(item[0])))
    else:
        raise ScaleError(
            f"the iterable gave {type(item).__name__}; it may give long frames, each with all rows of its securities, "
            "or pairs (name, series by session)."
        )


def _of_series(series: PriceSeries) -> Row:
    """A loaded series."""
    reasons = series.excluded["reason"].value_counts() if len(series.excluded) else pd.Series(dtype=int)
    days = series.sessions.to_numpy().astype("datetime64[D]")
    return Row(series.name, days, series.closes, {str(name): int(count) for name, count in reasons.items()})


def _of_frame(frame: pd.DataFrame, values: Values) -> Iterator[Row]:
    """Securities of a long frame, or of a wide one with a column each and sessions as its index."""
    asset = _column(frame, "asset")
    if asset is None and isinstance(frame.index, pd.DatetimeIndex):
        for at, name in enumerate(frame.columns):
            yield _row(str(name), frame.index, _numbers(frame.iloc[:, at]))
        return
    session, column = _column(frame, "session"), _column(frame, values)
    named = {"a security (asset)": asset, "a session (date)": session, f"a {values}": column}
    lacking = [what for what, found in named.items() if found is None]
    if lacking:
        raise ScaleError(
            f"the frame has no column for {' and '.join(lacking)}; it has {', '.join(map(str, frame.columns))}. Rename "
            "the columns to asset, session and close (or return, with values='return'), or give sessions as the "
            "index and a column for each security."
        )
    days, numbers = _dates(frame[session]), _numbers(frame[column])
    codes, names = pd.factorize(frame[asset], sort=True)
    order = np.argsort(codes, kind="stable")
    ends = np.searchsorted(codes[order], np.arange(len(names) + 1))  # rows without a name come first
    if ends[0]:
        yield Row("", np.empty(0, "datetime64[D]"), np.empty(0), {"rows that name no security": int(ends[0])})
    for name, first, last in zip(names, ends[:-1], ends[1:], strict=True):
        rows = order[first:last]
        yield _row(str(name), days[rows], numbers[rows])


def _column(frame: pd.DataFrame, field: str) -> object | None:
    """Column of a frame that holds a field, by the first of its names that is there."""
    names = {plain_name(column): column for column in frame.columns}
    return next((names[name] for name in _NAMES[field] if name in names), None)


def _dates(cells: pd.Series) -> pd.DatetimeIndex:
    """Sessions of a long frame; whole numbers are dates such as 20250611."""
    whole = pd.api.types.is_integer_dtype(cells)
    try:
        return pd.DatetimeIndex(pd.to_datetime(cells.astype(str), format="%Y%m%d") if whole else pd.to_datetime(cells))
    except (ValueError, TypeError) as error:
        raise ScaleError(
            f"column {cells.name!r} holds what is no date ({error}). Write dates such as 2025-06-11."
        ) from None


def _numbers(cells: pd.Series) -> np.ndarray:
    """Closes or returns of one column."""
    try:
        return cells.to_numpy(dtype=float)
    except (ValueError, TypeError) as error:
        raise ScaleError(
            f"column {cells.name!r} holds what is no number ({error}). Turn it into numbers, such as with "
            "pd.to_numeric(..., errors='coerce'), which leaves such rows out."
        ) from None


def on_open_days(rows: Iterable[Row], market: Instrument | None) -> Iterator[Row]:
    """Leave out rows on days on which the market's calendar is closed, where it has one."""
    if market is None or not market.calendar:
        yield from rows
        return
    hours = calendars.hours(market.calendar)
    for row in rows:
        days = pd.DatetimeIndex(row.days.astype("datetime64[s]")).as_unit("ns")
        open_day = np.asarray(hours.is_session(days))
        if open_day.all():
            yield row
            continue
        left_out = row.left_out | {f"closed day of {market.calendar}": int((~open_day).sum())}
        yield Row(row.name, row.days[open_day], row.numbers[open_day], left_out)


def _row(name: str, days: pd.DatetimeIndex, values: np.ndarray) -> Row:
    """A security with its rows in order, without those that hold no number."""
    if days.tz is not None:
        raise ScaleError(f"sessions of {name!r} have the time zone {days.tz}; give dates, such as tz_localize(None).")
    labels = days.to_numpy().astype("datetime64[D]")
    known = np.isfinite(values) & ~np.isnat(labels)
    reasons = {"no number in the row": int((~known).sum())} if not known.all() else {}
    labels, values = labels[known], values[known]
    order = np.argsort(labels, kind="stable")
    labels, values = labels[order], values[order]
    twice = labels[1:][labels[1:] == labels[:-1]]
    if len(twice):
        raise ScaleError(f"{name!r} has {len(twice)} sessions twice, first {twice[0]}. Keep one row for each session.")
    return Row(name, labels, values, reasons)


def _of_path(path: Path, values: Values, market: Instrument | None, adjusted: bool) -> Iterator[Row]:
    """Securities of a folder, one file each, or of one long table."""
    if path.is_dir():
        files = sorted(f for f in path.iterdir() if f.is_file() and f.name.lower().endswith(SUFFIXES))
        files = [f for f in files if f.name.lower() != "files.csv" and not f.name.startswith((".", "~$"))]
        if not files:
            raise ScaleError(f"the folder {str(path)!r} has no price file ({', '.join(SUFFIXES)}). Name another one.")
        if values != "close":
            raise ScaleError("a folder of price files holds closes; leave out values, or give the returns as a frame.")
        for file in progress(files, "Reading files"):
            yield _of_file(file, market, adjusted)
        return
    if not path.is_file():
        raise ScaleError(f"{str(path)!r} does not exist. Name a folder with one price file for each security.")
    parquet = path.name.lower().endswith((".parquet", ".pq"))
    yield from _of_frame(pd.read_parquet(path) if parquet else pd.read_csv(path), values)


def _of_file(path: Path, market: Instrument | None, adjusted: bool) -> Row:
    """A price file, read as every other file of a user is; the whole security is left out where that fails."""
    name = next(path.name[: -len(end)] for end in sorted(SUFFIXES, key=len)[::-1] if path.name.lower().endswith(end))
    instrument = Instrument(
        name, "equity", calendar=market.calendar if market else "", bar_close="16:00 UTC"
    )  # the clock is that of the market; closes of a panel have none of their own
    try:
        if not path.stat().st_size:
            raise DataUnavailableError(f"{path.name}: the file is empty.", symbol=path.name, cause="malformed answer")
        bars = read_bars(path, adjusted=adjusted)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        vintage = Vintage("files", path.name, None, bars.index.min(), bars.index.max(), len(bars), digest)
        series = build_series(instrument, bars, source="files", price_basis="close", vintage=vintage)
    except DataUnavailableError as error:
        return Row(name, np.empty(0, "datetime64[D]"), np.empty(0), {str(error): 0})
    return _of_series(series)
