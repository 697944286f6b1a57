"""Which session of a market saw the news first.

The reaction session is the first session whose close lies after the announcement. Where the bounds of the announcement,
or an uncertain close, straddle a close, more than one session is possible: all are given and the row is marked
ambiguous;
the headline is the session of ``announced_utc`` (for day precision that of ``utc_latest``), an uncertain close counting
at its end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from market_reaction import calendars
from market_reaction.clocks import close_instants
from market_reaction.errors import WindowError
from market_reaction.event_filters import check_events
from market_reaction.instruments import Instrument, find_instrument
from market_reaction.prices import PriceData, PriceSeries

_NS_PER_MINUTE = 60 * 10**9


@dataclass(frozen=True, slots=True)
class SessionClock:
    """Sessions of one market with the bounds of each close.

    Attributes
    ----------
    name : str
        Name shown.
    sessions : pandas.DatetimeIndex
        Session labels: the observed rows of a series, or a calendar's sessions when no series is given.
    close_earliest_ns, close_ns : numpy.ndarray
        Earliest and latest instant of each close, nanoseconds since 1970 UTC.
    hours : Hours or None
        Exchange calendar, where one exists.
    round_the_clock : bool
        Whether the market trades from Sunday 17:00 to Friday 17:00 New York time (spot FX that is no fixing).
    zone : str
        Zone of the closing clock.
    """

    name: str
    sessions: pd.DatetimeIndex
    close_earliest_ns: np.ndarray
    close_ns: np.ndarray
    hours: calendars.Hours | None
    round_the_clock: bool
    zone: str

    @classmethod
    def of(cls, market: PriceSeries | Instrument) -> SessionClock:
        """Clock of a series from its observed rows, or of an instrument from its calendar (else weekdays)."""
        if isinstance(market, PriceSeries):
            instrument, source = market.instrument, market.source
            sessions, name = market.sessions, market.name
            earliest, latest = market.close_earliest_ns, market.close_ns
        else:
            instrument, source, name = market, "*", market.name
            sessions = (
                calendars.hours(instrument.calendar).sessions
                if instrument.calendar
                else pd.bdate_range(calendars.FIRST, calendars.LAST).as_unit("ns")
            )
            instants = close_instants(sessions, instrument.bar_closes(source))
            earliest, latest = (side.as_unit("ns").asi8 for side in instants)
        return cls(
            name=name,
            sessions=sessions,
            close_earliest_ns=earliest,
            close_ns=latest,
            hours=calendars.hours(instrument.calendar) if instrument.calendar else None,
            round_the_clock=instrument.asset_class == "fx" and bool(instrument.yahoo) and source != "bundled",
            zone=instrument.bar_closes(source)[-1].zone,
        )

    def first_closing_after(self, instants_ns: np.ndarray) -> np.ndarray:
        """Position of the first session whose close (at its end, if uncertain) lies after each instant."""
        return np.searchsorted(self.close_ns, instants_ns, side="right")

    def last_closing_after(self, instants_ns: np.ndarray) -> np.ndarray:
        """Position of the last session that may be the first to close after each instant (uncertain closes: start)."""
        return np.searchsorted(self.close_earliest_ns, instants_ns, side="right")

    def of_dates(self, dates: np.ndarray) -> np.ndarray:
        """Position of the session of each date, or of the next one where it is no session."""
        return np.searchsorted(self.sessions.as_unit("ns").asi8, dates, side="left")


class Reaction(NamedTuple):
    """Where one announcement falls in one market's sessions.

    Attributes
    ----------
    position : int
        Row of the headline reaction session; equal to the number of rows when it lies beyond the data.
    candidates : tuple of int
        Every possible row, in order; one when the session is certain.
    phase : str or None
        ``"before open"``, ``"in session"``, ``"lunch"``, ``"after close"``, ``"closed day"``; None where the market
        has no trading hours (fixings, yields, spot assessments) or the clock is unknown.
    minutes_to_first_trade : float or None
        From the announcement to the first tradable moment; 0 in session.
    without_row : tuple of pandas.Timestamp
        Calendar sessions that closed after the news and before day 0 but have no row in the series.
    """

    position: int
    candidates: tuple[int, ...]
    phase: str | None
    minutes_to_first_trade: float | None
    without_row: tuple[pd.Timestamp, ...]


def locate(clock: SessionClock, event: pd.Series) -> Reaction:
    """Find the reaction session of one event in one market.

    Parameters
    ----------
    clock : SessionClock
        Sessions and closes of the market.
    event : pandas.Series
        Row of an event table.
    """
    if event["precision"] == "date":
        position = int(clock.of_dates(np.array([event["session_date"].value]))[0])
        return Reaction(position, (position,), None, None, _without_row(clock, position, event["session_date"]))
    instant = event["utc_latest"] if event["precision"] == "day" else event["announced_utc"]
    position = int(clock.first_closing_after(np.array([instant.value]))[0])
    first = int(clock.first_closing_after(np.array([event["utc_earliest"].value]))[0])
    last = int(clock.last_closing_after(np.array([event["utc_latest"].value]))[0])
    phase, minutes = (None, None) if event["precision"] == "day" else _phase(clock, instant)
    return Reaction(position, tuple(range(first, last + 1)), phase, minutes, _without_row(clock, position, instant))


def _without_row(clock: SessionClock, position: int, since: pd.Timestamp) -> tuple[pd.Timestamp, ...]:
    """Calendar sessions from the news up to day 0 for which the series has no row."""
    if clock.hours is None or position >= len(clock.sessions):
        return ()
    hours = clock.hours
    day_zero = clock.sessions[position]
    start = (
        hours.sessions.searchsorted(since) if since.tzinfo is None else int(hours.closes.searchsorted(since, "right"))
    )
    passed = hours.sessions[start : hours.sessions.searchsorted(day_zero)]
    return tuple(passed[~passed.isin(clock.sessions)])


def _phase(clock: SessionClock, instant: pd.Timestamp) -> tuple[str | None, float | None]:
    if clock.round_the_clock:
        return _phase_of_spot_fx(instant)
    hours = clock.hours
    if hours is None:
        return None, None
    observed = hours.sessions.isin(clock.sessions) | (hours.sessions > clock.sessions[-1])
    opens, closes, labels = hours.opens[observed], hours.closes[observed], hours.sessions[observed]
    at = int(closes.searchsorted(instant, side="right"))
    if at >= len(opens):
        return None, None
    if opens[at] <= instant:
        pause, resume = hours.break_starts[observed][at], hours.break_ends[observed][at]
        if pd.notna(pause) and pause <= instant < resume:
            return "lunch", (resume - instant).total_seconds() / 60
        return "in session", 0.0
    today = instant.tz_convert(clock.zone).tz_localize(None).normalize()
    wait = (opens[at] - instant).total_seconds() / 60
    if labels[at] == today:
        return "before open", wait
    return ("after close" if at and labels[at - 1] == today else "closed day"), wait


def _phase_of_spot_fx(instant: pd.Timestamp) -> tuple[str, float]:
    """Spot FX trades from Sunday 17:00 to Friday 17:00 New York time."""
    local = instant.tz_convert("America/New_York")
    hours_in_week = local.day_of_week * 24 + local.hour + local.minute / 60
    if hours_in_week < 4 * 24 + 17 or hours_in_week >= 6 * 24 + 17:
        return "in session", 0.0
    sunday = (local.tz_localize(None).normalize() + pd.Timedelta(days=6 - local.day_of_week, hours=17)).tz_localize(
        "America/New_York"
    )
    return "closed day", (sunday - local).total_seconds() / 60


def sessions_holding(clock: SessionClock, events: pd.DataFrame | None) -> np.ndarray:
    """Rows of a market whose close-to-close return may hold one of the events, as a boolean array."""
    changes = np.zeros(len(clock.sessions) + 2, dtype=int)
    if events is not None:
        timed = events[events["utc_earliest"].notna()]
        on = clock.of_dates(_nanoseconds(events.loc[events["utc_earliest"].isna(), "session_date"]))
        first = clock.first_closing_after(_nanoseconds(timed["utc_earliest"].dt.tz_localize(None)))
        last = clock.last_closing_after(_nanoseconds(timed["utc_latest"].dt.tz_localize(None)))
        np.add.at(changes, np.concatenate([on, first]), 1)
        np.add.at(changes, np.concatenate([on, last]) + 1, -1)
    return changes.cumsum()[:-2] > 0


def _nanoseconds(instants: pd.Series) -> np.ndarray:
    return instants.astype("datetime64[ns]").astype("int64").to_numpy()


def reaction_sessions(events: pd.DataFrame, markets: PriceData | Sequence[str | Instrument]) -> pd.DataFrame:
    """Reaction session of every event in every market.

    Parameters
    ----------
    events : pandas.DataFrame
        As ``load_events`` gives it.
    markets : PriceData or sequence of str or Instrument
        Loaded series, whose observed rows are the sessions; or names, for which the calendar's sessions stand in.

    Returns
    -------
    pandas.DataFrame
        Indexed by (event_id, market): session, candidates (tuple of sessions), ambiguous, phase,
        minutes_to_first_trade, without_row (calendar sessions passed over because the series has no row for them).
        ``session`` is NaT where it lies beyond the data.

    Raises
    ------
    EventTableError
        No event table as ``load_events`` gives it, or one without a row.
    WindowError
        Names were given and an event lies beyond the published calendar of one.

    Examples
    --------
    >>> import market_reaction as mr
    >>> geneva = mr.load_events({"geneva": "2025-05-12 07:00 UTC"})
    >>> mr.reaction_sessions(geneva, ["CSI 300", "Hang Seng"])["session"].astype(str).tolist()
    ['2025-05-13', '2025-05-12']
    """
    check_events(events)
    items = markets if isinstance(markets, PriceData) else [find_instrument(market) for market in markets]
    clocks = [SessionClock.of(item) for item in items]
    labels = {clock.name: clock.sessions.append(pd.DatetimeIndex([pd.NaT])) for clock in clocks}
    rows = []
    for event_id, event in events.iterrows():
        for clock in clocks:
            found = locate(clock, event)
            if found.position >= len(clock.sessions) and not isinstance(markets, PriceData):
                raise WindowError(
                    f"event {event_id!r} lies beyond {clock.sessions[-1]:%Y-%m-%d}, the last session published for "
                    f"{clock.name!r}. Load prices that reach it, or update exchange_calendars."
                )
            rows.append(
                {
                    "event_id": event_id,
                    "market": clock.name,
                    "session": labels[clock.name][min(found.position, len(clock.sessions))],
                    "candidates": tuple(clock.sessions[at] for at in found.candidates if at < len(clock.sessions)),
                    "ambiguous": len(found.candidates) > 1,
                    "phase": found.phase,
                    "minutes_to_first_trade": found.minutes_to_first_trade,
                    "without_row": found.without_row,
                }
            )
    return pd.DataFrame(rows).set_index(["event_id", "market"])
