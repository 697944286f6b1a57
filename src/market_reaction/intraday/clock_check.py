"""Is the clock of a file the one it states? Its busiest step should be the New York open, its bars within sessions.

Platforms often write the server's wall clock and call it UTC. Prices do not show it; volume does: in instruments that
follow US shares and trade most of the day the largest rise comes at 09:30 New York time, whatever the file says. Where
volume says nothing, the bars are laid against the sessions of the exchange: a clock is wrong where many bars lie
outside and one shift of all of them puts them inside.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from market_reaction import calendars
from market_reaction.errors import DataQualityWarning
from market_reaction.instruments import Instrument

NEW_YORK_OPEN = 9 * 60 + 30  # minutes after midnight, New York
US_CALENDARS = ("XNYS", "XNAS", "CMES")
MINIMUM_DAYS = 3
MINIMUM_STEP = 0.5  # mean volumes by which the hour after the step exceeds the hour before
CLEAR = 1.25  # times the largest step elsewhere in the day
MINIMUM_COVER = 12 * 60  # minutes of the day with bars; in shorter days volume rises by itself at open and close
MINIMUM_OUTSIDE = 0.07  # share of bars outside the sessions from which on a shift is looked for
REMAINING = 0.25  # of that share, at most, may be left by the shift
WORSE = 0.05  # more of the bars outside the sessions speaks against a shift found in the volume
_SHIFTS = tuple(range(-14 * 60, 14 * 60 + 1, 30))
_HOUR = 60
_DAY = 1440


class BarClockWarning(DataQualityWarning):
    """The clock a file states is not the one its bars keep."""


@dataclass(frozen=True, slots=True)
class ClockCheck:
    """What the bars say about their own clock.

    Attributes
    ----------
    decided : bool
        Whether the bars allow a verdict.
    shift_minutes : int
        Minutes by which the clock of the bars runs ahead of the one they were read by; 0 when it is right.
    evidence : str
        What was found, in words; the reason where nothing is decided.
    n_days : int
        Days that were compared.
    """

    decided: bool
    shift_minutes: int
    evidence: str
    n_days: int

    @property
    def wrong(self) -> bool:
        """Whether the bars contradict the clock they were read by."""
        return self.decided and self.shift_minutes != 0


def volume_steps(minute: np.ndarray, day: np.ndarray, volume: np.ndarray, bar_minutes: int) -> np.ndarray:
    """Systematic rise of volume at each time of day.

    Parameters
    ----------
    minute : numpy.ndarray
        Minute of the day at which each bar begins, shape (T,), integers from 0 to 1439.
    day : numpy.ndarray
        Any label of the day, shape (T,).
    volume : numpy.ndarray
        Volume of each bar, shape (T,).
    bar_minutes : int
        Length of a bar.

    Returns
    -------
    numpy.ndarray
        One value for each bar of a day, shape (1440 // bar_minutes,): the median over days of volume in the hour from
        there on less volume in the hour before, each by the mean of the bars it has, in mean bars of that day; NaN
        where fewer than three days have bars in half of both hours.
    """
    slots = _DAY // bar_minutes
    wide = max(1, _HOUR // bar_minutes)
    _, rows = np.unique(day, return_inverse=True)
    grid = np.full((rows.max() + 1, slots), np.nan)
    grid[rows, (minute // bar_minutes).clip(0, slots - 1)] = volume
    known = np.isfinite(grid)
    total = np.cumsum(np.concatenate([np.zeros((len(grid), 1)), np.where(known, grid, 0.0)], axis=1), axis=1)
    count = np.cumsum(np.concatenate([np.zeros((len(grid), 1)), known], axis=1), axis=1)
    steps = np.full(grid.shape, np.nan)
    at = np.arange(wide, slots - wide + 1)
    bars_after, bars_before = count[:, at + wide] - count[:, at], count[:, at] - count[:, at - wide]
    full = (bars_after >= wide / 2) & (bars_before >= wide / 2)
    with np.errstate(invalid="ignore", divide="ignore"):
        after = (total[:, at + wide] - total[:, at]) / bars_after
        before = (total[:, at] - total[:, at - wide]) / bars_before
        steps[:, at] = np.where(full, (after - before) / (total[:, -1:] / count[:, -1:]), np.nan)
    enough = np.isfinite(steps).sum(axis=0) >= MINIMUM_DAYS
    found = np.full(slots, np.nan)
    if enough.any():
        found[enough] = np.nanmedian(steps[:, enough], axis=0)
    return found


def check_clock(
    instrument: Instrument, starts: pd.DatetimeIndex, volume: np.ndarray | None, bar_minutes: int
) -> ClockCheck:
    """Compare the largest rise of volume with the New York open, else the bars with the sessions of the exchange.

    Parameters
    ----------
    instrument : Instrument
        Only those that follow US shares have a busiest step that is known: calendar XNYS, XNAS or CMES.
    starts : pandas.DatetimeIndex
        Begin of each bar (UTC) as the file was read, shape (T,).
    volume : numpy.ndarray or None
        Volume of each bar, shape (T,).
    bar_minutes : int
        Length of a bar in minutes.

    Notes
    -----
    With bars of an hour the open at 09:30 falls into the bar that begins at 09:00, and the clock is known to the hour;
    a verdict needs three days, a step of half a mean hour, and one a quarter larger than any more than an hour away.
    Volume that is zero or constant, and days with under twelve hours of bars, say nothing. Then a clock is wrong where
    7% of the bars or more begin outside the sessions and one shift leaves a quarter of them or less: bars of extended
    hours stay outside whatever the shift.
    """
    if instrument.calendar in US_CALENDARS:
        found = _volume_check(starts, volume, bar_minutes)
        if found.wrong and _leaves_sessions(instrument, starts, -found.shift_minutes, bar_minutes):
            found = replace(found, decided=False, shift_minutes=0, evidence=f"{found.evidence}, but bars fit as read")
        if found.decided:
            return found
        by_hours = _hours_check(instrument, starts, bar_minutes)
        return by_hours if by_hours.decided else replace(found, evidence=f"{found.evidence}; {by_hours.evidence}")
    return _hours_check(instrument, starts, bar_minutes)


def _volume_check(starts: pd.DatetimeIndex, volume: np.ndarray | None, bar_minutes: int) -> ClockCheck:
    """Look for the New York open in the volume; undecided where volume carries no such signal."""
    if volume is None or not np.nansum(volume) > 0:
        return ClockCheck(False, 0, "no volume, so the New York open cannot be looked for", 0)
    if np.nanmin(volume) == np.nanmax(volume):
        return ClockCheck(False, 0, "volume is the same in every bar, so the New York open cannot be looked for", 0)
    if bar_minutes > _HOUR:
        return ClockCheck(False, 0, f"bars of {bar_minutes} minutes are too long to find the New York open", 0)
    local = starts.tz_convert("America/New_York")
    minute = (local.hour * 60 + local.minute).to_numpy()
    day = local.normalize().to_numpy()
    days = len(np.unique(day))
    if len(np.unique(minute // bar_minutes)) * bar_minutes < MINIMUM_COVER:
        return ClockCheck(False, 0, "too few hours of the day have bars to find the New York open in the volume", days)
    steps = volume_steps(minute, day, volume, bar_minutes)
    if not np.isfinite(steps).any():
        return ClockCheck(False, 0, f"only {days} days, and {MINIMUM_DAYS} with full hours are needed", days)
    best = int(np.nanargmax(steps))
    away = np.abs(np.arange(len(steps)) - best) * bar_minutes > _HOUR
    second = float(np.nanmax(steps[away])) if np.isfinite(steps[away]).any() else 0.0
    if steps[best] < MINIMUM_STEP or steps[best] < CLEAR * second:
        return ClockCheck(False, 0, "no rise of volume stands out in the day", days)
    expected = NEW_YORK_OPEN // bar_minutes * bar_minutes
    shift = best * bar_minutes - expected
    shift = 0 if abs(shift) < min(bar_minutes, 30) else int(round(shift / 30) * 30)
    clock = f"{best * bar_minutes // 60:02d}:{best * bar_minutes % 60:02d}"
    evidence = (
        f"the largest rise of volume comes in the bar of {clock} New York time as read (median over {days} days), and "
        f"the New York open is 09:30"
    )
    return ClockCheck(True, shift, evidence, days)


def _hours_check(instrument: Instrument, starts: pd.DatetimeIndex, bar_minutes: int) -> ClockCheck:
    """Look for a shift that puts bars outside the sessions of the exchange inside."""
    if not instrument.calendar:
        return ClockCheck(False, 0, "the market has no opening hours to compare with", 0)
    hours = calendars.hours(instrument.calendar)
    days = len(np.unique(starts.normalize()))
    if days < MINIMUM_DAYS:
        return ClockCheck(False, 0, f"only {days} days, and {MINIMUM_DAYS} are needed", days)
    if bar_minutes > _HOUR:
        return ClockCheck(False, 0, f"bars of {bar_minutes} minutes are too long to compare with sessions", days)
    outside = {shift: _outside(hours, starts, shift, bar_minutes) for shift in _SHIFTS}
    least = min(outside.values())
    fitting = [shift for shift in _SHIFTS if outside[shift] <= least + 0.005]
    best = min(fitting, key=lambda shift: (_from_opening(hours, starts, shift), abs(shift)))
    read = f"as read {outside[0]:.0%} of the bars begin outside the sessions of {instrument.calendar} ({days} days)"
    if outside[0] < MINIMUM_OUTSIDE:
        return ClockCheck(True, 0, read, days)
    if best == 0 or outside[best] > REMAINING * outside[0]:
        return ClockCheck(False, 0, f"{read}, and no shift of the clock puts them inside", days)
    way = "later" if best > 0 else "earlier"
    evidence = f"{read}, and {outside[best]:.0%} if all are {abs(best)} minutes {way}"
    return ClockCheck(True, -best, evidence, days)


def _ns(instants: pd.DatetimeIndex, minutes: int = 0) -> np.ndarray:
    """Nanoseconds since 1970 UTC, moved by minutes."""
    return np.asarray(instants.as_unit("ns").asi8 + minutes * 60 * 10**9)


def _outside(hours: calendars.Hours, starts: pd.DatetimeIndex, shift: int, bar_minutes: int) -> float:
    """Share of bars that, moved by minutes, overlap no session; the print at the close counts as inside."""
    begin = _ns(starts, shift)
    at = _ns(hours.closes).searchsorted(begin, side="left").clip(max=len(hours.closes) - 1)
    return float(np.mean(begin + bar_minutes * 60 * 10**9 <= _ns(hours.opens)[at]))


def _leaves_sessions(instrument: Instrument, starts: pd.DatetimeIndex, shift: int, bar_minutes: int) -> bool:
    """Whether a shift takes bars out of the sessions, so that the clock as read is the better one."""
    hours = calendars.hours(instrument.calendar)
    as_read, moved = (_outside(hours, starts, by, bar_minutes) for by in (0, shift))
    return moved > as_read + WORSE


def _from_opening(hours: calendars.Hours, starts: pd.DatetimeIndex, shift: int) -> float:
    """Median distance in minutes of the first bar of each session, moved by minutes, from its opening."""
    begin = np.sort(_ns(starts, shift))
    at = _ns(hours.closes).searchsorted(begin, side="left").clip(max=len(hours.closes) - 1)
    which, first = np.unique(at, return_index=True)
    return float(np.median(np.abs(begin[first] - _ns(hours.opens)[which])) / (60 * 10**9))


def clock_message(file: str, market: str, clock: str, check: ClockCheck, at: pd.Timestamp) -> str:
    """Sentence that names the file, the clock stated, the one found and the argument to set."""
    from market_reaction import times

    offset = times.zone(clock, "clock").utcoffset(at.to_pydatetime()) if " and " not in clock else None
    minutes = round(offset.total_seconds() / 60) if offset is not None else 0
    found = minutes + check.shift_minutes
    sign = "-" if found < 0 else "+"
    text = f"{sign}{abs(found) // 60:02d}:{abs(found) % 60:02d}"
    return (
        f"{file} ({market}) was read by the clock {clock}, and its bars keep {text}: {check.evidence}. "
        f"Every window is {abs(check.shift_minutes)} minutes off. Set zone='{text}' (or the IANA zone of the server)."
    )
