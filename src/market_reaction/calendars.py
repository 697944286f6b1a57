"""Exchange calendars as plain arrays: sessions, opens, closes, lunch breaks.

A thin layer over ``exchange_calendars``, which by default reaches back 20 years only; here start and end are explicit.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd

from market_reaction.errors import InstrumentTableError, did_you_mean

FIRST, LAST = "1990-01-02", "2030-12-31"

# Where trading ends on its own clock, for calendars that count the pause for maintenance after it to the session.
_ENDS = {"CMES": ("America/Chicago", pd.Timedelta(hours=16))}


@dataclass(frozen=True, slots=True)
class Hours:
    """Trading hours of one exchange.

    Attributes
    ----------
    code : str
        Calendar code, such as ``"XSHG"``.
    sessions : pandas.DatetimeIndex
        Session labels, tz-naive midnights, in order.
    opens, closes, break_starts, break_ends : pandas.DatetimeIndex
        UTC instants of the same length as ``sessions``; NaT where a session has no lunch break. CME sessions end at
        16:00 Chicago, an hour before the next one opens (until 18 September 2015 they ended at 16:15).
    early : pandas.Series
        By session label, how much earlier than usual a short session closes (timedelta); short sessions only.
    """

    code: str
    sessions: pd.DatetimeIndex
    opens: pd.DatetimeIndex
    closes: pd.DatetimeIndex
    break_starts: pd.DatetimeIndex
    break_ends: pd.DatetimeIndex
    early: pd.Series

    @property
    def last(self) -> pd.Timestamp:
        """Last session the calendar is published to."""
        return self.sessions[-1]

    def is_session(self, sessions: pd.DatetimeIndex) -> np.ndarray:
        """Tell which labels are sessions; labels outside the calendar's range count as sessions."""
        outside = (sessions < self.sessions[0]) | (sessions > self.sessions[-1])
        return sessions.isin(self.sessions) | outside

    def session_after(self, session: pd.Timestamp, count: int) -> pd.Timestamp | None:
        """Session ``count`` sessions after ``session``, or None beyond the calendar's published end."""
        at = int(self.sessions.searchsorted(session, side="right")) - 1 + count
        return self.sessions[at] if 0 <= at < len(self.sessions) else None


@cache
def hours(code: str) -> Hours:
    """Trading hours of the exchange with this ``exchange_calendars`` code.

    Parameters
    ----------
    code : str
        For example ``"XSHG"``, ``"XHKG"``, ``"XNYS"``, ``"CMES"``.

    Raises
    ------
    InstrumentTableError
        The code is not known to ``exchange_calendars``.
    """
    import exchange_calendars as xcals

    try:
        factory = xcals.calendar_utils.global_calendar_dispatcher.get_calendar
        kind = type(factory(code, start="2024-01-02", end="2024-12-31"))
    except xcals.errors.InvalidCalendarName:
        names = xcals.get_calendar_names()
        raise InstrumentTableError(
            f"calendar {code!r} is not known to exchange_calendars. {did_you_mean(code, names)}"
            "Leave the calendar empty for markets without one."
        ) from None
    first = max(pd.Timestamp(FIRST), kind.bound_min() or pd.Timestamp(FIRST))
    last = min(pd.Timestamp(LAST), kind.bound_max() or pd.Timestamp(LAST))
    calendar = xcals.get_calendar(code, start=first, end=last)
    schedule = calendar.schedule
    closes = _without_maintenance(code, pd.DatetimeIndex(schedule["close"]))
    return Hours(
        code=code,
        sessions=pd.DatetimeIndex(schedule.index).as_unit("ns"),
        opens=pd.DatetimeIndex(schedule["open"]).as_unit("ns"),
        closes=closes.as_unit("ns"),
        break_starts=pd.DatetimeIndex(schedule["break_start"]).as_unit("ns"),
        break_ends=pd.DatetimeIndex(schedule["break_end"]).as_unit("ns"),
        early=_early_by(calendar, code, closes),
    )


def _without_maintenance(code: str, closes: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """Closes, no later than trading ends on its own clock."""
    if code not in _ENDS:
        return closes
    zone, end = _ENDS[code]
    local = closes.tz_convert(zone)
    after = local.tz_localize(None) - local.tz_localize(None).normalize() - end
    return closes.where(after <= pd.Timedelta(0), closes - after)


def _early_by(calendar: object, code: str, closes: pd.DatetimeIndex) -> pd.Series:
    """How much earlier than the regular close of its day each short session ends."""
    short = calendar.early_closes  # type: ignore[attr-defined]
    local = closes.tz_convert(calendar.tz)[calendar.schedule.index.get_indexer(short)]  # type: ignore[attr-defined]
    clock = local.tz_localize(None) - local.tz_localize(None).normalize()
    regular = pd.Series(pd.NaT, index=short, dtype="timedelta64[ns]")
    for valid_from, time in calendar.close_times:  # type: ignore[attr-defined]
        held = short >= (valid_from or short.min()) if len(short) else []
        regular[held] = pd.Timedelta(hours=time.hour, minutes=time.minute)
    if code in _ENDS:
        end = _ENDS[code][1]
        regular = regular.mask(regular > end, end)
    return regular - pd.Series(clock, index=short)
