"""Moves of two markets paired through their clocks: on the sessions of the events, and on other days."""

from __future__ import annotations

import numpy as np
import pandas as pd

from market_reaction.battery.options import one_market
from market_reaction.errors import WindowError
from market_reaction.event_filters import announced
from market_reaction.events import CORE_COLUMNS
from market_reaction.placebo import MarketMoves, at_clock_of, sessions_at
from market_reaction.study_result import EventStudyResult

Pair = tuple[str, str]


def market_of(study: EventStudyResult, argument: str, name: str) -> str:
    """Name shown of one of the markets studied, given by name or symbol.

    Raises
    ------
    UnknownInstrumentError
        It is not loaded, or loaded and not studied.
    """
    return one_market(argument, study.prices[name].name, study.design.units)


def two_markets(study: EventStudyResult, first: tuple[str, str], second: tuple[str, str]) -> Pair:
    """Names shown of two markets, each given as argument and name.

    Raises
    ------
    UnknownInstrumentError
        One of them is not studied.
    WindowError
        They are the same, or the normal return of one is made of the other.
    """
    names = market_of(study, *first), market_of(study, *second)
    if names[0] == names[1]:
        raise WindowError(f"{first[0]} and {second[0]} both name {names[0]!r}; name two markets.")
    for one, other in (names, names[::-1]):
        if other in study.design.regressors.get(one, ()):
            raise WindowError(
                f"the normal return of {one!r} is made of {other!r} (normal_model={study.design.normal_model!r}), "
                "which takes their common move away. Run event_study with normal_model='constant_mean'."
            )
    return names


def event_pairs(study: EventStudyResult, markets: Pair) -> pd.DataFrame:
    """Abnormal moves of two markets on their own reaction sessions, one row an event.

    Returns
    -------
    pandas.DataFrame
        Indexed by event_id in order of the sessions: session, move (of the first market), to_session, to_move (of the
        second), reason; ``reason`` says why an event is left out and is empty where it counts. A session of either
        market counts once, for the earliest of its events.
    """
    when = announced(study.events)
    rows = []
    for event_id in when.sort_values(kind="stable").index:
        pairs = [study.pairs.get((event_id, market)) for market in markets]
        missing = [market for market, pair in zip(markets, pairs, strict=True) if pair is None]
        found: dict[str, object] = {"event_id": event_id, "reason": ""}
        if missing:
            found["reason"] = f"not measured in {' and '.join(missing)}"
        for market, pair, prefix in zip(markets, pairs, ("", "to_"), strict=True):
            if pair is not None:
                found[f"{prefix}row"] = pair.position
                found[f"{prefix}session"] = study.prices[market].sessions[pair.position]
                found[f"{prefix}move"] = pair.day_zero
                if not np.isfinite(pair.day_zero):
                    found["reason"] = f"{market} has no move on its session"
        rows.append(found)
    columns = ["event_id", "row", "session", "move", "to_row", "to_session", "to_move", "reason"]
    frame = pd.DataFrame(rows, columns=columns).set_index("event_id").sort_values(["row", "to_row"], kind="stable")
    candidates = frame.index[frame["reason"].eq("")]
    kept = candidates[once_each(frame.loc[candidates, ["row", "to_row"]].to_numpy(dtype=int))]
    for event_id in candidates.difference(kept):
        place = frame.loc[event_id]
        same = frame.loc[kept, "row"].eq(place["row"]) | frame.loc[kept, "to_row"].eq(place["to_row"])
        frame.loc[event_id, "reason"] = f"shares a session with {kept[same][0]}" if same.any() else "out of order"
    return frame.drop(columns=["row", "to_row"])


def other_pairs(
    study: EventStudyResult, markets: Pair, events: pd.DataFrame, exclude: pd.DataFrame | None
) -> pd.DataFrame:
    """Abnormal moves of two markets at pseudo-announcements over the span of a study.

    Parameters
    ----------
    events : pandas.DataFrame
        Rows of the event table whose clock times the pseudo-announcements take.
    exclude : pandas.DataFrame, optional
        Other news; sessions that hold it, or any event of the study, are left out.

    Returns
    -------
    pandas.DataFrame
        session, move, to_session, to_move; a session of either market counts once.

    Notes
    -----
    One pseudo-announcement a weekday, at the events' local clock times in turn, earliest clock first. So the two
    markets are paired in the same way, and in the same proportions, as on the days of the events: an announcement
    between two closes pairs different dates.
    """
    moves = [MarketMoves.of(study.prices[name], study, study.prices, all_news(study, exclude)) for name in markets]
    days = weekdays(study, markets)
    rows = np.zeros((len(days), 2), dtype=int)
    order = sorted((event for _, event in events.iterrows()), key=lambda event: int(at_clock_of(event, days[:1])[0]))
    for turn, event in enumerate(order):
        stamps = at_clock_of(event, days[turn :: len(order)])
        rows[turn :: len(order)] = np.column_stack([sessions_at(market.clock, event, stamps) for market in moves])
    usable = [np.append(market.usable, False)[rows[:, at]] for at, market in enumerate(moves)]
    rows = rows[np.logical_and(*usable)]
    rows = rows[once_each(rows)]
    frame = {}
    for at, (market, prefix) in enumerate(zip(moves, ("", "to_"), strict=True)):
        frame[f"{prefix}session"] = market.clock.sessions[rows[:, at]]
        frame[f"{prefix}move"] = market.abnormal(study, rows[:, at])
    return pd.DataFrame(frame).dropna(ignore_index=True)


def once_each(rows: np.ndarray) -> np.ndarray:
    """Which rows (n, 2), in order, lie after every row kept before in both columns."""
    kept = np.zeros(len(rows), dtype=bool)
    last = np.full(2, -1)
    for at, row in enumerate(rows):
        if (row > last).all():
            kept[at], last = True, row
    return kept


def all_news(study: EventStudyResult, exclude: pd.DataFrame | None) -> pd.DataFrame:
    """Events of a study and those named besides, as far as clocks need them."""
    tables = [study.events] if exclude is None else [study.events, exclude]
    return pd.concat([table[[*CORE_COLUMNS]] for table in tables])


def weekdays(study: EventStudyResult, markets: Pair) -> pd.DatetimeIndex:
    """Weekdays from the first session of an estimation window to the last day 0 of two markets."""
    places = [
        (study.prices[name].sessions, pair.position) for (_, name), pair in study.pairs.items() if name in markets
    ]
    first = min(sessions[max(at + study.windows.estimation[0], 0)] for sessions, at in places)
    return pd.bdate_range(first, max(sessions[at] for sessions, at in places))
