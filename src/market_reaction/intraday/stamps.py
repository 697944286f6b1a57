"""Times of intraday files as text, turned into UTC instants; no zone is ever assumed."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from market_reaction import times
from market_reaction.sources import cells

_STAMP = (
    r"^(?P<day>.*?\d)[T ]+(?P<clock>\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?|\d{6}|\d{4})\s*(?P<half>[AaPp][Mm])?"
    r"\s*(?P<offset>Z|UTC|GMT|[+-]\d{2}:?\d{2})?$"
)
_TWICE = "its clock time occurs twice or not at all in the zone, where summer time begins or ends"


class Stamps(NamedTuple):
    """Instants of the rows of a file.

    Attributes
    ----------
    utc : pandas.DatetimeIndex
        Instant of each row; NaT where the clock time has no single meaning in the zone.
    clock : str
        The clock the times were read by: a zone or an offset.
    stated : str
        The offset or zone the file itself states; empty for none.
    """

    utc: pd.DatetimeIndex
    clock: str
    stated: str

    @property
    def overridden(self) -> bool:
        """Whether the file states another clock than the one used."""
        return bool(self.stated) and self.stated != self.clock


def read_stamps(
    file: str, texts: list[str], lines: list[int], *, zone: str | None = None, header_says_utc: bool = False
) -> Stamps:
    """Instants of text times.

    Parameters
    ----------
    file : str
        Name of the file, for messages.
    texts : list of str
        Date and time of each row, perhaps with an offset; or seconds or milliseconds since 1970.
    lines : list of int
        Line of each row.
    zone : str, optional
        Clock of the file, as ``market_reaction.times.zone`` reads it; goes before whatever offset the times state.
    header_says_utc : bool
        Whether the name of the column says UTC.

    Raises
    ------
    DataUnavailableError
        A time that cannot be read, rows without a time of day, or no zone anywhere.
    AnnouncementTimeError
        ``zone`` has several meanings or none.
    """
    column = pd.Series(texts, dtype=str)
    if column.str.fullmatch(r"\d{10}").all() or column.str.fullmatch(r"\d{13}").all():  # since 1970
        milliseconds = column.astype("int64").to_numpy() * (1 if len(texts[0]) == 13 else 1000)
        utc = pd.DatetimeIndex(milliseconds.astype("datetime64[ms]"), tz="UTC").as_unit("ns")
        return _in_zone(utc.tz_localize(None), zone, "UTC") if zone else Stamps(utc, "UTC", "UTC")
    parts = column.str.extract(_STAMP)
    _refuse_unread(file, column, parts["day"].isna().to_numpy(dtype=bool), lines)
    local = _days(file, parts["day"], lines) + pd.to_timedelta(_clock(parts["clock"], parts["half"]))
    offsets = parts["offset"].fillna("").str.replace(r"^(Z|UTC|GMT)$", "+00:00", regex=True)
    stated = sorted(set(offsets) - {""})
    if not stated and header_says_utc:
        stated, offsets = ["+00:00"], pd.Series("+00:00", index=offsets.index)
    said = " and ".join(stated)
    if zone is not None:
        return _in_zone(pd.DatetimeIndex(local), zone, said)
    if not stated or (offsets == "").any():
        cells.refuse(
            file,
            f"its times, such as {texts[0]!r}, name no zone. State the clock of the file: zone='Asia/Shanghai' or "
            "zone='+03:00', or a column zone in files.csv.",
        )
    minutes = offsets.map({text: _offset_minutes(text) for text in stated}).to_numpy(dtype=np.int64)
    utc = pd.DatetimeIndex(local) - pd.to_timedelta(minutes, unit="min")
    return Stamps(utc.tz_localize("UTC").as_unit("ns"), said, said)


def aware_stamps(stamps: pd.DatetimeIndex, zone: str | None, file: str) -> Stamps:
    """Instants of times that are times already, as Parquet files and frames have them."""
    if stamps.tz is None:
        if zone is None:
            cells.refuse(file, f"its times, such as {stamps[0]}, name no zone. State zone='+03:00' or an IANA name.")
        return _in_zone(stamps, zone, "")
    stated = str(stamps.tz)
    if zone is None:
        return Stamps(stamps.tz_convert("UTC").as_unit("ns"), stated, stated)
    return _in_zone(stamps.tz_localize(None), zone, stated)


def ambiguous_reason() -> str:
    """Why a row has no instant."""
    return _TWICE


def _in_zone(local: pd.DatetimeIndex, zone: str, stated: str) -> Stamps:
    where = times.zone(zone, "zone")
    utc = local.tz_localize(where, ambiguous="NaT", nonexistent="NaT").tz_convert("UTC").as_unit("ns")
    return Stamps(utc, zone.strip(), stated)


def _refuse_unread(file: str, column: pd.Series, unread: np.ndarray, lines: list[int]) -> None:
    if not unread.any():
        return
    at = int(np.flatnonzero(unread)[0])
    if unread.all() and not column.str.contains(":", regex=False).any():
        cells.refuse(
            file,
            f"its rows, such as {column[at]!r}, have no time of day: they are daily. Bars shorter than a day are "
            "needed here; load_prices reads daily files.",
        )
    cells.refuse(
        file,
        f"line {lines[at]} has the time {column[at]!r}, which cannot be read. Write ISO times such as "
        "2025-06-11 09:30 or 2025-06-11T01:30Z.",
    )


def _days(file: str, days: pd.Series, lines: list[int]) -> pd.DatetimeIndex:
    """Dates by the rules of daily files; each distinct date is read once."""
    distinct, first, back = np.unique(days.to_numpy(dtype=str), return_index=True, return_inverse=True)
    order = np.argsort(first)
    table = cells.Table(file, [], [], [lines[first[at]] for at in order], "")
    read = cells.read_dates(table, [str(distinct[at]) for at in order])
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    return read[place[back]]


def _clock(clock: pd.Series, half: pd.Series) -> pd.Series:
    """Time of day as hh:mm:ss; "am" and "pm" are taken into account."""
    text = clock.str.replace(r"^(\d{2})(\d{2})(\d{2})$", r"\1:\2:\3", regex=True)
    text = text.str.replace(r"^(\d{2})(\d{2})$", r"\1:\2", regex=True)
    text = text.where(text.str.count(":") == 2, text + ":00")
    day = pd.to_timedelta(text)
    said = half.fillna("").str.lower()
    hour = day.dt.total_seconds() // 3600
    day = day.where(~((said == "am") & (hour == 12)), day - pd.Timedelta(hours=12))
    return day.where(~((said == "pm") & (hour < 12)), day + pd.Timedelta(hours=12))


def _offset_minutes(text: str) -> int:
    sign = -1 if text.startswith("-") else 1
    digits = text[1:].replace(":", "")
    return sign * (60 * int(digits[:2]) + int(digits[2:]))
