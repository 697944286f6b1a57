"""Which session of a panel each event is, and for which securities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from market_reaction import calendars
from market_reaction.clocks import close_instants
from market_reaction.errors import EventTableError, WindowError, did_you_mean
from market_reaction.event_filters import PLACED, check_not_empty
from market_reaction.scale.dataset import PanelDataset
from market_reaction.sessions import SessionClock, locate, sessions_holding

OnBadEvent = Literal["raise", "exclude"]
_KEPT = ("title", "direction", "side", "instrument")
_HINTS = 20  # unknown securities for which near names are looked for


def event_days(events: pd.DataFrame, panel: PanelDataset) -> pd.DataFrame:
    """Session of every announcement: the first of the panel that closed after it.

    Parameters
    ----------
    events : pandas.DataFrame
        As ``load_events`` gives it.
    panel : PanelDataset
        Written with ``market=...``, whose closing clock all its securities have.

    Returns
    -------
    pandas.DataFrame
        Columns event_id, session (NaT beyond the panel), ambiguous (the bounds of its time allow more than one session;
        the stated time gives the one here, the last instant where only a day is stated) and, where the table has
        them, title, direction, side, instrument.

    Raises
    ------
    ScaleError
        The panel does not name its market.
    """
    check_not_empty(events)
    clock = _clock(panel)
    found = [locate(clock, event) for _, event in events.iterrows()]
    labels = clock.sessions.append(pd.DatetimeIndex([pd.NaT]))
    table = pd.DataFrame(
        {
            "event_id": events.index.astype(str),
            "session": labels[[min(reaction.position, len(clock.sessions)) for reaction in found]],
            "ambiguous": [len(reaction.candidates) > 1 for reaction in found],
        }
    )
    stamps = events["utc_latest"].dt.tz_localize(None).fillna(events["session_date"])
    table.loc[(stamps < clock.sessions[0]).to_numpy(), "session"] = pd.NaT  # the panel began later
    for name in (name for name in _KEPT if name in events):
        table[name] = events[name].to_numpy()
    return table


def days_holding(events: pd.DataFrame | None, panel: PanelDataset) -> np.ndarray:
    """Places of the sessions that may hold one of the events: all possible ones of an ambiguous announcement."""
    if events is None:
        return np.empty(0, dtype=int)
    if all(name in events for name in PLACED):
        return np.flatnonzero(sessions_holding(_clock(panel), events))
    if "session" not in events:
        raise EventTableError(
            f"the events to leave out lack session; they have {', '.join(map(str, events.columns))}. Give a frame with "
            "session, or pass them through mr.load_events."
        )
    days = panel.sessions.get_indexer(pd.DatetimeIndex(_labels(events["session"])))
    return np.unique(days[days >= 0])


def _clock(panel: PanelDataset) -> SessionClock:
    """Sessions of the panel with the closes of its market."""
    market = panel.market
    earliest, latest = close_instants(panel.sessions, market.bar_closes("*"))
    return SessionClock(
        name=market.name,
        sessions=panel.sessions,
        close_earliest_ns=earliest.as_unit("ns").asi8,
        close_ns=latest.as_unit("ns").asi8,
        hours=calendars.hours(market.calendar) if market.calendar else None,
        round_the_clock=False,
        zone=market.bar_closes("*")[-1].zone,
    )


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Events as the engine takes them.

    Attributes
    ----------
    table : pandas.DataFrame
        One row an event that all securities share, or an event and security: event_id, session, day (place of the
        session), event (number of the event), asset and row (place of the security; -1 where all share the event).
    excluded : pandas.DataFrame
        Columns event_id, asset, session, reason.
    """

    table: pd.DataFrame
    excluded: pd.DataFrame

    @property
    def shared(self) -> bool:
        """Whether every event is one of all securities."""
        return bool((self.table["row"] < 0).all())

    @property
    def ids(self) -> list[str]:
        """Events by their number."""
        return [str(name) for name in dict.fromkeys(self.table["event_id"])]


def place_events(events: pd.DataFrame, panel: PanelDataset, before: int, after: int, on_bad_event: OnBadEvent) -> Pairs:
    """Find every event in a panel.

    Parameters
    ----------
    events : pandas.DataFrame
        An event table as ``load_events`` gives it, or a frame with the columns event_id, session and, where an event is
        not one of all securities, asset.
    panel : PanelDataset
        Securities and sessions.
    before, after : int
        Sessions that are needed before and after day 0.
    on_bad_event : {"raise", "exclude"}
        What to do with events that cannot be placed.

    Raises
    ------
    EventTableError
        Columns are missing, or events cannot be placed and ``on_bad_event`` is ``"raise"``; all are listed.
    WindowError
        No event is left.
    """
    rows = _as_days(events, panel)
    days = panel.sessions.get_indexer(pd.DatetimeIndex(rows["session"]))
    places = np.full(len(rows), -1)
    if "asset" in rows:
        places = panel.assets.index.get_indexer(pd.Index(rows["asset"].astype(str)))
    kinds = _kinds(rows, days, places, len(panel.sessions), before, after)
    bad = kinds != ""
    table = rows.assign(day=days, row=places)[~bad].reset_index(drop=True)
    twice = table.duplicated(["event_id", "row"])
    if twice.any():
        first = table[twice].iloc[0]
        raise EventTableError(
            f"{twice.sum()} events are given twice, first {first['event_id']!r}"
            f"{' of ' + repr(first['asset']) if 'asset' in table else ''}. Give each an event_id of its own."
        )
    excluded = _excluded(rows[bad], kinds[bad], days[bad], panel, before, after)
    if len(excluded) and (on_bad_event == "raise" or table.empty):
        _refuse(excluded, empty=table.empty)
    table["event"] = pd.factorize(table["event_id"])[0]
    return Pairs(table, excluded)


def check_columns(events: pd.DataFrame) -> None:
    """Refuse a frame that is neither announcements nor events with their session."""
    if "session" not in events and all(name in events for name in PLACED):
        return
    named = "event_id" in events or events.index.name == "event_id"
    lacking = ["event_id"] * (not named) + ["session"] * ("session" not in events)
    if lacking:
        raise EventTableError(
            f"the events lack {' and '.join(lacking)}; they have {', '.join(map(str, events.columns))}. Give a frame "
            "with event_id, session and, where events are not those of all securities, asset; or pass them through "
            "mr.load_events."
        )


def _as_days(events: pd.DataFrame, panel: PanelDataset) -> pd.DataFrame:
    """Events with their session."""
    check_columns(events)
    rows = events
    if "session" not in rows and all(name in rows for name in PLACED):
        rows = event_days(rows, panel)
    if "event_id" not in rows and rows.index.name == "event_id":
        rows = rows.reset_index()
    check_not_empty(rows)
    session = _labels(rows["session"])
    return rows.assign(event_id=rows["event_id"].astype(str), session=session).reset_index(drop=True)


def _labels(cells: pd.Series) -> pd.Series:
    """Session labels: dates without a time zone."""
    try:
        stamps = pd.to_datetime(cells)
        return stamps.astype("datetime64[ns]")
    except (ValueError, TypeError) as error:
        raise EventTableError(
            f"the column session holds what is no date without a time zone ({error}). Write ISO dates, or give "
            "announcements with their time through mr.load_events."
        ) from None


def _kinds(
    rows: pd.DataFrame, days: np.ndarray, places: np.ndarray, sessions: int, before: int, after: int
) -> np.ndarray:
    """What is wrong with each event, as a word; empty where it can be measured."""
    asked = "asset" in rows
    outside = rows["session"].isna().to_numpy()
    conditions = [asked & (places < 0), outside, days < 0, days < before, days + after >= sessions]
    return np.select(conditions, ["asset", "outside", "closed", "early", "late"], default="")


def _excluded(
    rows: pd.DataFrame, kinds: np.ndarray, days: np.ndarray, panel: PanelDataset, before: int, after: int
) -> pd.DataFrame:
    """Events that cannot be measured, with the reason in words."""
    sessions = panel.sessions
    span = f"{sessions[0]:%Y-%m-%d} to {sessions[-1]:%Y-%m-%d}"
    near: dict[str, str] = {}
    reasons = []
    for row, kind, day in zip(rows.to_dict("records"), kinds, days, strict=True):
        asset, session = str(row.get("asset", "")), row["session"]
        if kind == "asset" and asset not in near:
            near[asset] = did_you_mean(asset, map(str, panel.assets.index)).strip() if len(near) < _HINTS else ""
        after_it = sessions[sessions > session] if kind == "closed" else []
        following = f"; the next one is {after_it[0]:%Y-%m-%d}" if len(after_it) else ""
        if kind == "asset":
            reason = f"the panel has no security {asset!r}. {near[asset]}".strip()
        elif kind == "outside":
            reason = f"its session is not in the panel, which holds {span}."
        elif kind == "closed":
            reason = f"{session:%Y-%m-%d} is no session of the panel{following}."
        elif kind == "early":
            reason = f"needs {before} sessions before {session:%Y-%m-%d}; the panel has {day}."
        else:
            reason = f"needs {after} sessions after {session:%Y-%m-%d}; the panel has {len(sessions) - 1 - day}."
        reasons.append(reason)
    table = rows.assign(asset=rows.get("asset", ""), reason=reasons)
    return table[["event_id", "asset", "session", "reason"]].reset_index(drop=True)


def _refuse(excluded: pd.DataFrame, *, empty: bool) -> None:
    """List the events that cannot be placed."""
    lines = [
        f"event {row['event_id']!r}{' of ' + repr(row['asset']) if row['asset'] else ''}: {row['reason']}"
        for row in excluded.head(20).to_dict("records")
    ]
    more = [f"... and {len(excluded) - 20} more."] if len(excluded) > 20 else []
    advice = [] if empty else ["Mend them, or leave them out with on_bad_event='exclude'."]
    head = [f"{len(excluded)} events cannot be placed{', so that none is left' if empty else ''}:"]
    raise (WindowError if empty else EventTableError)("\n".join([*head, *lines, *more, *advice]))
