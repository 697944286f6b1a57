"""When the close of a daily bar was set: dated rules per (instrument, source), turned into UTC instants.

The close belongs to the pair, never to the instrument alone: the ECB fixes USD/CNY at 14:15 Frankfurt, Yahoo ends its
FX days at midnight London. A close that is not known to the minute is an interval.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import pandas as pd

from market_reaction import calendars, paths
from market_reaction.errors import InstrumentTableError

_CLOCK = re.compile(r"(\d{1,2}):(\d{2})")
_STATED = re.compile(r"\s*(\d{1,2}:\d{2})(?:\s*-\s*(\d{1,2}:\d{2}))?\s+(\S+)\s*")


@dataclass(frozen=True, slots=True)
class BarClose:
    """Close of a bar between two dates.

    Attributes
    ----------
    minute_from, minute_to : int
        Earliest and latest local minute of the day of the close; equal when the close is known. 1440 is midnight
        at the end of the day.
    zone : str
        IANA zone of the clock.
    early_close : str
        Calendar whose short sessions move this close by as much as they are short; empty for none.
    valid_from, valid_to : datetime.date or None
        Inclusive session labels the rule holds for.
    """

    minute_from: int
    minute_to: int
    zone: str
    early_close: str = ""
    valid_from: date | None = None
    valid_to: date | None = None

    def __str__(self) -> str:
        """The form ``15:00 Asia/Shanghai`` or ``15:00-16:00 America/New_York``."""
        first, last = (f"{m // 60:02d}:{m % 60:02d}" for m in (self.minute_from, self.minute_to))
        return f"{first if first == last else f'{first}-{last}'} {self.zone}"

    def same_clock(self, other: BarClose) -> bool:
        """Whether both rules name the same clock time and zone, whatever the dates."""
        return (self.minute_from, self.minute_to, self.zone) == (other.minute_from, other.minute_to, other.zone)


def parse_bar_close(text: str, where: str = "bar_close") -> BarClose:
    """Read ``"15:00 Asia/Shanghai"`` or, where only an interval is known, ``"15:00-16:00 America/New_York"``.

    Raises
    ------
    InstrumentTableError
        The text has another form, or the zone is not an IANA name.
    """
    match = _STATED.fullmatch(text)
    if not match:
        raise InstrumentTableError(
            f"{where} is {text!r}; write a local time and an IANA zone, such as '15:00 Asia/Shanghai' "
            "or '15:00-16:00 America/New_York'."
        )
    first, last, zone = match.groups()
    return _rule(first, last or first, zone, "", None, None, where)


def _minute(text: str, where: str) -> int:
    match = _CLOCK.fullmatch(text.strip())
    minute = int(match[1]) * 60 + int(match[2]) if match else -1
    if not match or int(match[2]) > 59 or not 0 <= minute <= 1440:
        raise InstrumentTableError(f"{where} has the clock time {text!r}; write hh:mm between 00:00 and 24:00.")
    return minute


def _rule(first: str, last: str, zone: str, early: str, start: date | None, end: date | None, where: str) -> BarClose:
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError):
        raise InstrumentTableError(
            f"{where} has the zone {zone!r}, which is no IANA name; write for example 'Asia/Shanghai'."
        ) from None
    low, high = _minute(first, where), _minute(last, where)
    if low > high:
        raise InstrumentTableError(f"{where} has close_from {first} after close_to {last}; swap them.")
    return BarClose(low, high, zone, early, start, end)


@cache
def _table(path: Path) -> dict[tuple[str, str], tuple[BarClose, ...]]:
    rows: list[dict[str, str]] = pd.read_csv(path, dtype=str, keep_default_na=False).to_dict("records")  # type: ignore[assignment]
    rules: dict[tuple[str, str], list[BarClose]] = {}
    for number, row in enumerate(rows, start=2):
        where = f"{path.name} line {number} ({row['scope']}, {row['source']})"
        start, end = (date.fromisoformat(row[key]) if row[key] else None for key in ("from", "to"))
        rule = _rule(row["close_from"], row["close_to"], row["zone"], row["early_close"], start, end, where)
        rules.setdefault((row["scope"], row["source"]), []).append(rule)
    return {key: tuple(value) for key, value in rules.items()}


def bar_close_rules(name: str, asset_class: str, calendar: str, source: str) -> tuple[BarClose, ...]:
    """Dated rules for an instrument from one source: its own row first, then its calendar's, then its class's.

    Parameters
    ----------
    name, asset_class, calendar : str
        As in the instrument table.
    source : str
        ``"yahoo"``, ``"bundled"`` or ``"files"``; rows for ``*`` hold where the source has none of its own.

    Raises
    ------
    InstrumentTableError
        No row applies; the message says what to add.
    """
    table = _table(paths.data_dir() / "bar_closes.csv")
    for scope in (name, f"calendar:{calendar}", f"class:{asset_class}"):
        for asked in (source, "*"):
            if (scope, asked) in table:
                return table[scope, asked]
    raise InstrumentTableError(
        f"no bar close is known for {name!r} (class {asset_class!r}, calendar {calendar or 'none'!r}) from {source!r}. "
        "State it: bar_close='16:00 America/New_York' in Instrument(...) or in the bar_close column of the table."
    )


def close_instants(
    sessions: pd.DatetimeIndex, rules: tuple[BarClose, ...]
) -> tuple[pd.DatetimeIndex, pd.DatetimeIndex]:
    """Earliest and latest UTC instant of each session's close.

    Parameters
    ----------
    sessions : pandas.DatetimeIndex
        Session labels, tz-naive midnights.
    rules : tuple of BarClose
        Dated rules; together they must hold for every session.

    Returns
    -------
    tuple of pandas.DatetimeIndex
        Two UTC indexes of the length of ``sessions``; equal where the close is known to the minute.

    Raises
    ------
    InstrumentTableError
        No rule holds for some session.
    """
    first = np.full(len(sessions), np.datetime64("NaT"), dtype="datetime64[ns]")
    last = first.copy()
    for rule in rules:
        held = np.ones(len(sessions), dtype=bool)
        if rule.valid_from:
            held &= sessions >= pd.Timestamp(rule.valid_from)
        if rule.valid_to:
            held &= sessions <= pd.Timestamp(rule.valid_to)
        days = sessions[held]
        early = _early_by(days, rule.early_close)
        for target, minute in ((first, rule.minute_from), (last, rule.minute_to)):
            local = days + pd.Timedelta(minutes=minute) - early
            utc = local.tz_localize(rule.zone, ambiguous=False, nonexistent="shift_forward").tz_convert("UTC")
            target[held] = utc.tz_localize(None).as_unit("ns").to_numpy()
    if np.isnat(first).any():
        missing = sessions[np.isnat(first)][0]
        raise InstrumentTableError(
            f"the bar-close rules leave out {missing:%Y-%m-%d}; make the dated rows of bar_closes.csv meet."
        )
    return pd.DatetimeIndex(first, tz="UTC"), pd.DatetimeIndex(last, tz="UTC")


def _early_by(days: pd.DatetimeIndex, code: str) -> pd.TimedeltaIndex:
    if not code:
        return pd.TimedeltaIndex(np.zeros(len(days), dtype="timedelta64[ns]"))
    return pd.TimedeltaIndex(calendars.hours(code).early.reindex(days).fillna(pd.Timedelta(0)))
