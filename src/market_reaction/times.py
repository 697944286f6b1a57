"""Time stamps as people type them: a date, a clock time and a zone that has one meaning."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pandas as pd

from market_reaction.errors import AnnouncementTimeError

CITY_ZONES = {
    "london": "Europe/London", "new york": "America/New_York", "washington": "America/New_York",
    "chicago": "America/Chicago", "beijing": "Asia/Shanghai", "shanghai": "Asia/Shanghai",
    "hong kong": "Asia/Hong_Kong", "tokyo": "Asia/Tokyo", "seoul": "Asia/Seoul", "taipei": "Asia/Taipei",
    "singapore": "Asia/Singapore", "sydney": "Australia/Sydney", "frankfurt": "Europe/Berlin",
    "berlin": "Europe/Berlin", "paris": "Europe/Paris", "brussels": "Europe/Brussels", "geneva": "Europe/Zurich",
    "zurich": "Europe/Zurich", "delhi": "Asia/Kolkata", "mumbai": "Asia/Kolkata",
}  # fmt: skip
SEVERAL_MEANINGS = {
    "CST": ("Asia/Shanghai", "America/Chicago"), "IST": ("Asia/Kolkata", "Europe/Dublin", "Asia/Jerusalem"),
    "EST": ("America/New_York", "-05:00"), "EDT": ("America/New_York", "-04:00"), "ET": ("America/New_York",),
    "CDT": ("America/Chicago", "-05:00"), "PST": ("America/Los_Angeles", "-08:00"),
    "PDT": ("America/Los_Angeles", "-07:00"), "MST": ("America/Denver", "-07:00"),
    "BST": ("Europe/London", "Asia/Dhaka"), "CET": ("Europe/Berlin", "+01:00"), "CEST": ("Europe/Berlin", "+02:00"),
    "EET": ("Europe/Athens", "+02:00"), "HKT": ("Asia/Hong_Kong",), "JST": ("Asia/Tokyo",), "KST": ("Asia/Seoul",),
    "AST": ("America/Halifax", "Asia/Riyadh"),
}  # fmt: skip
FIRST_YEAR, LAST_YEAR = 1990, 2030
_STAMP = re.compile(r"(\d{4}-\d{2}-\d{2})[T ]\s*(\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?)\s*(\S.*)?")
_BARE_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_OFFSET = re.compile(r"(?:UTC|GMT)?([+-])(\d{2}):?(\d{2})")
_EXAMPLE = "'2025-06-10 22:50 UTC', '2025-06-11 06:50 Asia/Shanghai' or '2025-06-10T23:50+01:00'"


def zone(text: str, where: str = "the zone") -> tzinfo:
    """Zone for a spelling this package accepts.

    Parameters
    ----------
    text : str
        ``"UTC"``, ``"GMT"``, ``"Z"``, an offset such as ``"+08:00"``, an IANA name, or one of a few cities.
    where : str
        What the zone belongs to, for the message.

    Raises
    ------
    AnnouncementTimeError
        The spelling has several meanings (``CST``, ``IST``, ``EST``...) or none.
    """
    name = text.strip()
    if name.upper() in ("UTC", "Z", "GMT"):
        return UTC
    offset = _OFFSET.fullmatch(name.upper())
    if offset:
        sign = 1 if offset[1] == "+" else -1
        try:
            return timezone(sign * timedelta(hours=int(offset[2]), minutes=int(offset[3])))
        except ValueError:
            raise AnnouncementTimeError(f"{where} is {name!r}; an offset lies between -23:59 and +23:59.") from None
    if name.upper() in SEVERAL_MEANINGS:
        choices = " or ".join(repr(choice) for choice in SEVERAL_MEANINGS[name.upper()])
        raise AnnouncementTimeError(
            f"{where} is {name!r}, which has more than one meaning or ignores summer time. Write {choices}."
        )
    try:
        return ZoneInfo(CITY_ZONES.get(name.casefold().replace("_", " "), name))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise AnnouncementTimeError(
            f"{where} is {name!r}, which is no zone known here. Write UTC, an offset such as +08:00, "
            "an IANA name such as Asia/Shanghai, or a city such as London."
        ) from None


def parse_instant(value: str | datetime | pd.Timestamp) -> tuple[pd.Timestamp, str]:
    """Read a time stamp that names its zone.

    Parameters
    ----------
    value : str or datetime
        Such as ``"2025-06-10 22:50 UTC"``; an aware datetime is taken as it is.

    Returns
    -------
    tuple of pandas.Timestamp and str
        The instant in UTC, and the zone as typed (an IANA name, ``"UTC"`` or an offset).

    Raises
    ------
    AnnouncementTimeError
        No zone, an ambiguous zone, a bare date, a clock time the zone does not have, or another form.
    """
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise AnnouncementTimeError(
                f"announcement {value} has no time zone. Give one: {value:%Y-%m-%d %H:%M} UTC, or an aware datetime."
            )
        check_year(value.year, str(value))
        return pd.Timestamp(value).tz_convert("UTC"), getattr(value.tzinfo, "key", None) or f"{value:%z}"[:5]
    text = " ".join(str(value).split())
    if _BARE_DATE.fullmatch(text):
        raise AnnouncementTimeError(
            f"announcement {text!r} has no clock time, and the reaction session depends on it. Add time and zone, such "
            f"as '{text} 22:50 UTC'; if the clock is unknown use date='{text}' (command line --date {text}, "
            f'notebooks DATE = "{text}"), which takes each market\'s session of that date.'
        )
    match = _STAMP.fullmatch(text)
    if not match:
        raise AnnouncementTimeError(f"announcement {text!r} is not a time stamp. Write for example {_EXAMPLE}.")
    day, clock, zone_text = match.groups()
    if not zone_text:
        raise AnnouncementTimeError(
            f"announcement {text!r} has no time zone. Add one, such as '{text} UTC', '{text} Asia/Shanghai' "
            f"or '{text} America/New_York'."
        )
    where = zone(zone_text, f"the zone of announcement {text!r}")
    try:
        local = datetime.fromisoformat(f"{day}T{clock.zfill(5) if clock.count(':') == 1 else clock.zfill(8)}")
    except ValueError as error:
        raise AnnouncementTimeError(
            f"announcement {text!r} holds no real date and time ({error}). Write for example {_EXAMPLE}."
        ) from None
    check_year(local.year, text)
    return _to_utc(local, where, text), zone_text.strip()


def check_year(year: int, text: str) -> None:
    """Refuse a year that no calendar covers."""
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise AnnouncementTimeError(
            f"announcement {text!r} lies outside the years {FIRST_YEAR} to {LAST_YEAR} that the calendars cover."
        )


def _to_utc(local: datetime, where: tzinfo, text: str) -> pd.Timestamp:
    """Instant of a wall-clock time; refused where the clocks are put forward or back over it."""
    early = local.replace(tzinfo=where, fold=0)
    if early.utcoffset() != local.replace(tzinfo=where, fold=1).utcoffset():
        raise AnnouncementTimeError(
            f"announcement {text!r} falls into the hour in which the clocks of {where} change, so it has "
            "no single meaning. Write it in UTC."
        )
    return pd.Timestamp(early).tz_convert("UTC")


def parse_date(value: str | date, name: str = "date") -> pd.Timestamp:
    """Read a calendar date ``YYYY-MM-DD`` as a tz-naive midnight.

    Raises
    ------
    AnnouncementTimeError
        The text is no ISO date.
    """
    if isinstance(value, date):
        return pd.Timestamp(value.year, value.month, value.day)
    try:
        return pd.Timestamp(date.fromisoformat(str(value).strip()))
    except ValueError:
        raise AnnouncementTimeError(
            f"{name}={value!r} is no date; write it as YYYY-MM-DD, such as '2025-06-11'."
        ) from None
