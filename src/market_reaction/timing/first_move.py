"""In which order the closes were struck after an announcement, and when each market could first trade on it."""

from __future__ import annotations

from typing import Any

import pandas as pd

from market_reaction.reaction_result import MarketReaction, Measured, ReactionResult
from market_reaction.timing.first_result import CloseOrder, StruckClose


def order_of_closes(result: ReactionResult) -> CloseOrder:
    """Order the markets by the first close that can hold the announcement.

    Parameters
    ----------
    result : ReactionResult
        As ``react`` gives it.

    Returns
    -------
    CloseOrder
        One row for each possible session of each market, in the order the closes were struck, with the first moment the
        market could be traded on the news and the closes that were struck before that and before its own.

    Notes
    -----
    Daily closes cannot say who moved first among markets that traded in the same hours: an E-mini that fell at once and
    one that fell an hour before its settlement leave the same close. What they say is whose close held the news first,
    and what those closes showed before another market opened. Two closes are in order only where the bounds of one end
    before those of the other begin.

    Examples
    --------
    >>> import market_reaction as mr
    >>> london = mr.react("2025-06-10-jt", markets=["VIX", "CSI 300"], source="bundled")
    >>> mr.order_of_closes(london).to_frame()["closes_before"].tolist()
    [(), ('CSI 300',)]
    """
    rows = [
        (row, found)
        for row in result.reactions
        for found in (row.headline, *(other for other in row.candidates if other is not row.headline))
    ]
    struck = [_struck(result.event, row, found) for row, found in rows]
    struck = [_with_earlier(item, struck) for item in struck]
    struck.sort(key=lambda item: (item.close_utc, item.close_earliest_utc))
    return CloseOrder(
        event=result.event,
        closes=tuple(struck),
        excluded=result.prices.unavailable.copy(),
        notes=_notes(struck),
        parameters=result.parameters,
        vintage=result.prices.vintage,
    )


def _struck(event: pd.Series, row: MarketReaction, found: Measured) -> StruckClose:
    """One possible session of a market with its clocks."""
    series = row.series
    at = int(series.sessions.searchsorted(found.session))
    known = event["precision"] in ("minute", "hour")
    instant: pd.Timestamp = event["announced_utc"]
    wait = row.where.minutes_to_first_trade if known else None
    traded: Any = pd.NaT if wait is None else instant + pd.Timedelta(minutes=wait)
    if wait is not None and traded >= series.close_utc[at]:  # its close came between the news and its next open
        wait, traded = None, pd.NaT
    return StruckClose(
        market=row.market,
        session=found.session,
        headline=found is row.headline,
        ambiguous=row.ambiguous,
        unit=series.instrument.change_unit,
        quote_note=series.instrument.quote_note,
        phase=row.where.phase if wait is not None else None,
        first_trade_utc=traded,
        minutes_to_first_trade=float("nan") if wait is None else float(wait),
        previous_close_utc=series.close_utc[at - 1],
        close_earliest_utc=series.close_earliest_utc[at],
        close_utc=series.close_utc[at],
        minutes_to_close=(series.close_utc[at] - instant).total_seconds() / 60 if known else float("nan"),
        change=found.change,
        rank=found.placebo.scaled,
    )


def _with_earlier(item: StruckClose, everything: list[StruckClose]) -> StruckClose:
    """The same with the markets whose headline close was struck before this one, and before its first trade."""
    others = sorted(
        (other for other in everything if other.headline and other.market != item.market),
        key=lambda other: other.close_utc,
    )
    before = tuple(other.market for other in others if other.close_utc < item.close_earliest_utc)
    opened = item.first_trade_utc
    seen = tuple(other.market for other in others if pd.notna(opened) and other.close_utc <= opened)
    return item.after(before, seen)


def _notes(struck: list[StruckClose]) -> tuple[str, ...]:
    """What a reader must know about the order."""
    unsure = dict.fromkeys(item.market for item in struck if item.ambiguous)
    wide = dict.fromkeys(item.market for item in struck if item.close_earliest_utc < item.close_utc)
    notes = [
        f"{market}: two sessions are possible, because the announcement or its close is not known to the minute; both "
        "are listed."
        for market in unsure
    ]
    if wide:
        notes.append(
            f"The close of {', '.join(wide)} is not known to the minute; it counts as later than another only where "
            "its earliest instant is."
        )
    return tuple(notes)
