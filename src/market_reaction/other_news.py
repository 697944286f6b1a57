"""What else was announced inside a close-to-close return."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import numpy as np
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
    precision : str
        ``"minute"``, ``"hour"`` or ``"day"``.
    importance : str
        ``"high"`` or ``"medium"``.
    """

    id: str
    title: str
    utc: pd.Timestamp
    side: str
    precision: str
    importance: str


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
    opened, closed = series.close_earliest_ns[position - 1], series.close_ns[position]
    known = _known()
    inside = np.flatnonzero((known.latest_ns > opened) & (known.earliest_ns <= closed))
    return tuple(
        OtherNews(
            known.ids[at],
            known.titles[at],
            known.announced[at],
            _side(known, at, event),
            known.precision[at],
            known.importance[at],
        )
        for at in inside.tolist()
        if known.ids[at] != own_id
    )


def own_id(event: pd.Series) -> str | None:
    """Catalogue row that is the announcement itself: named by the user, or the one whose bounds hold the time typed."""
    named = event.get("catalogue_id")
    if isinstance(named, str):
        return named
    if event.name in events.all_news().index:
        return str(event.name)
    return events.suggest_event(event["announced_utc"]) if event["precision"] == "minute" else None


@cache
def notable_news() -> pd.DataFrame:
    """What a clean placebo pool leaves out: the catalogue, other news, and releases of high importance.

    Returns
    -------
    pandas.DataFrame
        The core columns of a table of events, as ``react(exclude=...)`` takes it.
    """
    releases = events.catalogue("macro_releases")
    parts = (events.catalogue("us_china"), events.catalogue("other_news"), releases[releases["importance"].eq("high")])
    return pd.concat([part[[*events.CORE_COLUMNS]] for part in parts])


def same_releases(news: Sequence[OtherNews]) -> tuple[tuple[str, ...], pd.DataFrame]:
    """Every release of the kinds found among some news: those of high importance, where there are any.

    Parameters
    ----------
    news : sequence of OtherNews
        As ``news_inside`` gives it for one return.

    Returns
    -------
    tuple of (tuple of str, pandas.DataFrame)
        The kinds, such as ``("us_cpi",)``, and their rows of the release table; both empty when there is no release.
    """
    releases = events.catalogue("macro_releases")
    here = releases.loc[[item.id for item in news if item.id in releases.index]]
    high = here[here["importance"].eq("high")]
    kinds = tuple(dict.fromkeys((high if len(high) else here)["kind"]))
    return kinds, releases[releases["kind"].isin(kinds)]


class _Known(NamedTuple):
    """The shipped tables as arrays in order of time."""

    ids: list[str]
    titles: list[str]
    precision: list[str]
    importance: list[str]
    announced: pd.DatetimeIndex
    earliest_ns: np.ndarray
    latest_ns: np.ndarray


@cache
def _known() -> _Known:
    rows = events.all_news().sort_values("announced_utc", kind="stable")
    return _Known(
        ids=[str(name) for name in rows.index],
        titles=rows["title"].tolist(),
        precision=rows["precision"].tolist(),
        importance=rows["importance"].fillna("high").tolist(),  # the other tables list what moves markets
        announced=pd.DatetimeIndex(rows["announced_utc"]),
        earliest_ns=rows["utc_earliest"].astype("int64").to_numpy(),
        latest_ns=rows["utc_latest"].astype("int64").to_numpy(),
    )


def _side(known: _Known, at: int, event: pd.Series) -> str:
    """Order of two announcements, as far as their bounds tell."""
    if pd.isna(event["utc_earliest"]):
        return "overlaps"
    if known.latest_ns[at] < event["utc_earliest"].value:
        return "before"
    return "after" if known.earliest_ns[at] > event["utc_latest"].value else "overlaps"
