"""Find the nearest earlier announcements whose windows had ended, and measure them and the announcement alike."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from datetime import date as Date
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd

from market_reaction import events as event_tables
from market_reaction import reaction_notes, wording
from market_reaction.errors import AnnouncementTimeError, EventTableError, MarketReactionWarning, WindowError
from market_reaction.event_filters import DOCUMENTED, NO_IMPLEMENTATION, announced
from market_reaction.instruments import DEFAULT_MARKETS, Instrument, ReturnKind
from market_reaction.loading import SourceName, load_prices
from market_reaction.normal_models import NormalModel
from market_reaction.past_events.nearness import OPPOSITE, attributes, nearness, opposite
from market_reaction.past_events.result import Analogues
from market_reaction.prices import PriceData
from market_reaction.sessions import SessionClock, locate
from market_reaction.study import event_study
from market_reaction.study_parts import part_of
from market_reaction.study_result import EventStudyResult
from market_reaction.windows import EventWindows, Window

HORIZON = (0, 20)


def analogues(
    announcement: str | datetime | None = None,
    *,
    date: str | Date | None = None,
    like: Mapping[str, str] | None = None,
    by: Sequence[str] = ("direction", "instrument", "side"),
    n: int | None = 10,
    events: pd.DataFrame | None = None,
    markets: Sequence[str | Instrument] | None = None,
    horizon: Window = HORIZON,
    estimation: Window = (-130, -11),
    normal_model: NormalModel = "constant_mean",
    returns: ReturnKind | None = None,
    source: SourceName = "auto",
    folder: str | Path | None = None,
    as_of: str | None = None,
    prices: PriceData | None = None,
) -> Analogues:
    """What markets did after the earlier announcements most like this one, with this one beside them.

    Parameters
    ----------
    announcement : str or datetime
        A time stamp with a zone, or an id of the catalogue.
    date : str or date, optional
        Instead of ``announcement``: a bare date whose clock is unknown.
    like : mapping of str to str, optional
        What kind of announcement it is, by column: ``{"direction": "escalation", "instrument": "tariff"}``. Needed for
        a time stamp, which has no attributes; for an id it replaces those of the catalogue.
    by : sequence of str
        Columns that make announcements alike. With ``"direction"`` among them (or in ``like``) an escalation is never
        near to a de-escalation, whatever else they share; leave it out to have both.
    n : int or None
        How many of the nearest to take; None takes all that share an attribute.
    events : pandas.DataFrame, optional
        Where to look. Left out: the rows of the shipped catalogue whose day is documented, without those that mark a
        date known before.
    markets : sequence of str or Instrument, optional
        The default list when left out.
    horizon : tuple of int
        Window of sessions from day 0.
    estimation, normal_model, returns
        As in ``event_study``.
    source, folder, as_of
        As in ``load_prices``.
    prices : PriceData, optional
        Series loaded before, in place of ``markets``, ``source``, ``folder`` and ``as_of``.

    Returns
    -------
    Analogues

    Raises
    ------
    EventTableError
        No attribute to be alike by, a column or value that the table lacks, no earlier announcement that shares one,
        or ``n`` below 1.
    WindowError
        No such announcement has a complete window before this one in any market.

    Notes
    -----
    Nearness is the number of attributes shared (a value such as "tariff + export control" shares "tariff"), then the
    grade of evidence, then recency. Where ``direction`` is an attribute, announcements of the opposite direction are in
    ``excluded``: news of a truce is not like news of a tariff because both are of tariffs. Mixed ones stay.

    Only announcements before this one count, and only in markets where their whole window ended before the reaction
    session of this one, so that nothing is known with hindsight. Events whose windows overlap in a market are one
    there, with the mean of their paths.

    Examples
    --------
    >>> import market_reaction as mr
    >>> london = mr.analogues("2025-06-10-jt", markets=["CSI 300"], n=5, source="bundled")
    >>> london.nearest["score"].tolist()
    [3, 3, 2, 2, 2]
    """
    if n is not None and n < 1:
        raise EventTableError(f"n={n} takes no announcement; give 1 or more, or None for all that share an attribute.")
    today = _today(announcement, date)
    pool, left_out = _pool(events, today)
    wanted = attributes(today.iloc[0], by, like, pool)
    against = opposite(pool, wanted)
    reason = f"of the opposite direction, {OPPOSITE[wanted['direction']]}" if against.any() else ""
    left_out += [(str(name), "", reason) for name in pool.index[against]]
    pool = pool[~against]
    near = nearness(pool, wanted, announced(pool))
    unlike = near.index[near["score"].eq(0)]
    left_out += [(name, "", "shares no attribute with the announcement") for name in unlike]
    near = near.drop(unlike)
    if near.empty:
        sought = ", ".join(f"{name} {value!r}" for name, value in wanted.items())
        raise EventTableError(f"no earlier announcement shares {sought}; loosen by=, or give another like=.")
    windows = EventWindows(estimation=estimation, event=(horizon,))
    table = pd.concat([pool.loc[near.index], today])
    if prices is None:
        asked = DEFAULT_MARKETS if markets is None else markets
        prices = load_prices(asked, events=table, windows=windows, history=1, source=source, folder=folder, as_of=as_of)
    study = _measured(prices, table, windows, normal_model, returns)
    positions = _positions_of(prices, today.iloc[0])
    past, reasons = _complete_before(study, near.index, positions)
    left_out += reasons
    usable = [name for name in near.index if name in {key[0] for key in past}]
    if not usable:
        raise WindowError(
            f"none of {len(near)} announcements like {today.index[0]!r} has a window {horizon} that is complete before "
            f"it in {', '.join(positions) or 'any market'}. Shorten horizon=, or load longer series."
        )
    chosen = usable if n is None else usable[:n]
    left_out += [(name, "", f"not among the {n} nearest") for name in usable[len(chosen) :]]
    keys = [key for key in past if key[0] in set(chosen)]
    own = [key for key in study.pairs if key[0] == today.index[0]]
    return Analogues(
        event=today.iloc[0],
        attributes=wanted,
        nearest=_nearest(near.loc[chosen], study, keys),
        past=part_of(study, keys, pd.Index(chosen, name="event_id")),
        today=part_of(study, own, today.index),
        horizon=(int(horizon[0]), int(horizon[1])),
        excluded=pd.DataFrame(left_out, columns=["event_id", "market", "reason"]),
        notes=_notes(study, today.iloc[0], positions, usable, near, chosen),
        parameters={
            "announcement": today.index[0], "like": dict(wanted), "n": n, "horizon": list(horizon),
            "estimation": list(estimation), "normal_model": normal_model, "returns": returns, "source": source,
            "as_of": as_of,
        },
    )  # fmt: skip


def _today(announcement: str | datetime | None, day: str | Date | None) -> pd.DataFrame:
    if (announcement is None) == (day is None):
        raise AnnouncementTimeError(
            "give either an announcement, such as '2025-06-10-jt', or date='2025-06-11' when its clock is unknown; "
            f"got {'both' if day is not None else 'neither'}."
        )
    return event_tables.dated(day) if day is not None else event_tables.announcement(announcement)  # type: ignore[arg-type]


def _pool(events: pd.DataFrame | None, today: pd.DataFrame) -> tuple[pd.DataFrame, list[tuple[str, str, str]]]:
    """Announcements before this one, and why the others are left out."""
    if events is None:
        selection = event_tables.filter_events(evidence=DOCUMENTED, surprise=NO_IMPLEMENTATION)
        rows = selection.events
        left = [(str(name), "", str(reason)) for name, reason in selection.excluded["reason"].items()]
    else:
        rows, left = event_tables.load_events(events), []
    same = today.iloc[0].get("catalogue_id")
    before = (rows["utc_latest"].fillna(announced(rows)) < _start(today)) & ~rows.index.isin([today.index[0], same])
    left += [(str(name), "", "not before the announcement") for name in rows.index[~before]]
    if not before.any():
        raise EventTableError(
            f"the event table has no announcement before {today.index[0]!r} ({_start(today):%Y-%m-%d %H:%M} UTC); give "
            "events= that go further back."
        )
    return rows[before], left


def _start(today: pd.DataFrame) -> pd.Timestamp:
    """First instant at which the announcement may have come."""
    earliest: pd.Timestamp = today["utc_earliest"].fillna(announced(today)).iloc[0]
    return earliest


def _measured(
    prices: PriceData, table: pd.DataFrame, windows: EventWindows, model: NormalModel, returns: ReturnKind | None
) -> EventStudyResult:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MarketReactionWarning)  # the notes say the same
        return event_study(prices, table, windows=windows, normal_model=model, returns=returns, on_bad_event="exclude")


def _positions_of(prices: PriceData, event: pd.Series) -> dict[str, int]:
    """Row of the first possible reaction session of the announcement in each market."""
    return {series.name: locate(SessionClock.of(series), event).candidates[0] for series in prices}


def _complete_before(
    study: EventStudyResult, names: pd.Index, positions: Mapping[str, int]
) -> tuple[list[tuple[str, str]], list[tuple[str, str, str]]]:
    """Pairs of past event and market whose window had ended, and why the others are left out."""
    window = study.windows.event[0]
    said = {
        (event_id, market): str(reason)
        for event_id, market, reason in zip(
            study.excluded["event_id"], study.excluded["market"], study.excluded["reason"], strict=True
        )
    }
    keep, left = [], []
    for name in names:
        for market, today in positions.items():
            pair = study.pairs.get((name, market))
            if pair is None:
                left.append((str(name), market, said.get((name, market), "not measured")))
            elif pair.position + window[1] >= today:
                short = pair.position + window[1] - today + 1
                left.append((str(name), market, f"its window ends {short} session(s) too late, not before this one's"))
            elif not np.isfinite(pair.car(window)[0]):
                left.append((str(name), market, said.get((name, market), "its window is incomplete")))
            else:
                keep.append((str(name), market))
    return keep, left


def _nearest(near: pd.DataFrame, study: EventStudyResult, keys: Sequence[tuple[str, str]]) -> pd.DataFrame:
    """The events chosen, with title, and the markets they could be measured in."""
    columns = [name for name in ("title", "direction", "instrument", "side") if name in study.events]
    frame = near.join(study.events.loc[near.index, columns])
    markets = {name: [market for event_id, market in keys if event_id == name] for name in near.index}
    return frame.assign(n_markets=[len(markets[name]) for name in near.index])


def _notes(
    study: EventStudyResult,
    event: pd.Series,
    positions: Mapping[str, int],
    usable: Sequence[str],
    near: pd.DataFrame,
    chosen: Sequence[str],
) -> tuple[str, ...]:
    said = list(reaction_notes.on_announcement(event))
    last = near["score"].get(chosen[-1])
    tied = [name for name in usable[len(chosen) :] if near.at[name, "score"] == last]
    if tied:
        said.append(
            f"{len(tied)} more share as many attributes ({last}); evidence, then recency decided. n=None takes all."
        )
    for market, row in positions.items():
        sessions = study.prices[market].sessions
        if row >= len(sessions):
            said.append(f"{market}: the series ends {sessions[-1]:%Y-%m-%d}, before this one; past paths only.")
    said += [f"{row.market} is missing: {row.reason}" for row in study.prices.unavailable.itertuples()]
    up = [(market, wording.direction_note(study.prices[market].instrument)) for market in positions]
    said += [f"{market}: {text}." for market, text in up if text]
    said.append(
        "The past announcements were chosen by their kind, not by what markets did; the table they come from has gaps."
    )
    return tuple(said)
