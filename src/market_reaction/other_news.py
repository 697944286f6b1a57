"""What else was announced inside a close-to-close return."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from market_reaction import events
from market_reaction.prices import PriceSeries


@dataclass(frozen=True, slots=True)
class OtherNews:
    """One other piece of news inside a return.

    Attributes
    ----------
    id, title : str
        Row of the shipped tables.
    utc : pandas.Timestamp
        When it became public; for day precision the end of its day.
    side : str
        ``"before"`` or ``"after"`` the announcement, or ``"overlaps"`` where the bounds of the two straddle each other.
    importance : str
        ``"high"``, ``"medium"`` or empty.
    """

    id: str
    title: str
    utc: pd.Timestamp
    side: str
    importance: str = ""


def news_inside(series: PriceSeries, position: int, event: pd.Series, own_id: str | None) -> tuple[OtherNews, ...]:
    """News whose bounds touch the time from the close before day 0 to the close of day 0.

    Parameters
    ----------
    series : PriceSeries
        The market.
    position : int
        Row of day 0.
    event : pandas.Series
        The announcement, as a row of an event table.
    own_id : str or None
        Catalogue id of the announcement itself, which is left out.

    Returns
    -------
    tuple of OtherNews
        In order of time.
    """
    if position < 1 or position >= len(series.sessions):
        return ()
    opened, closed = series.close_earliest_utc[position - 1], series.close_utc[position]
    rows = events.all_news()
    inside = (rows["utc_latest"] > opened) & (rows["utc_earliest"] <= closed)
    if own_id is not None:
        inside &= rows.index != own_id
    found = rows[inside].sort_values("announced_utc", kind="stable")
    return tuple(
        OtherNews(str(row.Index), row.title, row.announced_utc, _side(row, event), _text(getattr(row, "importance", "")))
        for row in found.itertuples()
    )


def _side(row: object, event: pd.Series) -> str:
    if pd.isna(event["utc_earliest"]):
        return "overlaps"
    if row.utc_latest < event["utc_earliest"]:  # type: ignore[attr-defined]
        return "before"
    return "after" if row.utc_earliest > event["utc_latest"] else "overlaps"  # type: ignore[attr-defined]


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
