"""Is the clock of a file the one it states? The busiest step of the day should be the New York open.

Platforms often write the server's wall clock and call it UTC. Prices do not show it; volume does: in instruments that
follow US shares the largest rise of the day comes at 09:30 New York time, whatever the file says.
"""

from __future__ import annotations

from dataclasses import dataclass

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
        there on less volume in the hour before, in mean hours of that day; NaN where fewer than three days have bars in
        both hours.
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
    after, before = total[:, at + wide] - total[:, at], total[:, at] - total[:, at - wide]
    full = (count[:, at + wide] - count[:, at] >= wide / 2) & (count[:, at] - count[:, at - wide] >= wide / 2)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean_hour = wide * total[:, -1:] / count[:, -1:]
        steps[:, at] = np.where(full, (after - before) / mean_hour, np.nan)
    enough = np.isfinite(steps).sum(axis=0) >= MINIMUM_DAYS
    found = np.full(slots, np.nan)
    if enough.any():
        found[enough] = np.nanmedian(steps[:, enough], axis=0)
    return found


def check_clock(
    instrument: Instrument, starts: pd.DatetimeIndex, volume: np.ndarray | None, bar_minutes: int
) -> ClockCheck:
    """Compare the largest rise of volume in the day with the New York open.

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
    """
    if instrument.calendar not in US_CALENDARS:
        return _opening_check(instrument, starts, bar_minutes)
    if volume is None or not np.nansum(volume) > 0:
        return ClockCheck(False, 0, "no volume, so the New York open cannot be looked for", 0)
    if bar_minutes > _HOUR:
        return ClockCheck(False, 0, f"bars of {bar_minutes} minutes are too long to find the New York open", 0)
    local = starts.tz_convert("America/New_York")
    minute = (local.hour * 60 + local.minute).to_numpy()
    day = local.normalize().to_numpy()
    steps = volume_steps(minute, day, volume, bar_minutes)
    days = len(np.unique(day))
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


def _opening_check(instrument: Instrument, starts: pd.DatetimeIndex, bar_minutes: int) -> ClockCheck:
    """Compare the first bar of each session with the opening of the exchange, where there is one with opening hours."""
    if not instrument.calendar:
        return ClockCheck(False, 0, "the market has no opening hours to compare with", 0)
    hours = calendars.hours(instrument.calendar)
    first = pd.Series(starts, index=starts.normalize()).groupby(level=0).min()
    open_day = hours.opens.normalize()
    opens = pd.Series(hours.opens, index=open_day)
    opens = opens[~opens.index.duplicated()].reindex(first.index).dropna()
    if len(opens) < MINIMUM_DAYS:
        return ClockCheck(False, 0, f"only {len(opens)} sessions, and {MINIMUM_DAYS} are needed", len(opens))
    late = ((first[opens.index] - opens).dt.total_seconds() / 60).to_numpy()
    shift = int(np.median(late))
    steady = np.mean(np.abs(late - shift) <= max(bar_minutes, 5)) > 0.5
    evidence = f"the first bar of a session begins {shift:+d} minutes from the opening ({len(opens)} sessions)"
    if not steady or abs(shift) < max(bar_minutes, 15):
        return ClockCheck(bool(steady) and abs(shift) < 15, 0, evidence, len(opens))
    return ClockCheck(True, shift, evidence, len(opens))


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
