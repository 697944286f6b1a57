"""What can be picked: events of the catalogue, and markets by group with those a source has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from market_reaction import paths, times, wording
from market_reaction.events import search_events
from market_reaction.instruments import DEFAULT_MARKETS, Instrument, catalogue, find_instruments
from market_reaction.loading import SourceName

GROUPS = {
    "Indexes": ("index",),
    "Futures": ("future",),
    "Currencies": ("fx",),
    "Yields and volatility": ("yield", "volatility"),
    "Spot commodities": ("commodity",),
    "Shares": ("equity",),
    "Funds": ("etf",),
}
_TITLE_CHARS = 90


def event_options(text: str = "") -> list[tuple[str, str]]:
    """Events of the catalogue whose text or date holds every word, newest first.

    Parameters
    ----------
    text : str
        Words; a date or the start of one, such as ``2025-06``, is looked for in the day of the event.

    Returns
    -------
    list of tuple
        Label and event id.
    """
    words = text.split()
    days = [word for word in words if word[:2] in ("19", "20") and set(word) <= set("0123456789-")]
    found = search_events(" ".join(word for word in words if word not in days))
    found = found.sort_values("announced_utc", ascending=False, kind="stable")
    labels = [(_event_label(row), str(event_id)) for event_id, row in found.iterrows()]
    return [
        (label, event_id) for label, event_id in labels if all(f"{label} {event_id}".find(day) >= 0 for day in days)
    ]


def _event_label(event: pd.Series) -> str:
    """Minute in UTC, or the local day where only that is known, and the title."""
    if event["precision"] == "day":
        when = f"{event['utc_earliest'].tz_convert(times.zone(event['local_tz'])):%Y-%m-%d}"
    else:
        when = f"{event['announced_utc']:%Y-%m-%d %H:%M} UTC"
    return f"{when} · {wording.clean(event['title'])[:_TITLE_CHARS]}"


@dataclass(frozen=True, slots=True)
class MarketChoice:
    """One market to tick.

    Attributes
    ----------
    instrument : Instrument
        The market.
    available : bool
        Whether the source has a series of it, as far as can be told without asking for one.
    ticked : bool
        Whether it is ticked at first.
    listed : bool
        Whether its name alone finds it again.
    """

    instrument: Instrument
    available: bool
    ticked: bool
    listed: bool


def market_choices(
    markets: Sequence[str | Instrument] | None = None, *, source: SourceName = "auto", folder: str | None = None
) -> dict[str, list[MarketChoice]]:
    """Markets by group: the catalogue and those asked for.

    Parameters
    ----------
    markets : sequence of str or Instrument, optional
        Markets to tick, whether there is a series or not; when left out, those of the default list that have one.
    source, folder
        As for ``react``.

    Returns
    -------
    dict
        Choices by name of the group; a group without any is left out.

    Raises
    ------
    UnknownInstrumentError
        A market that is not known.
    MarketReactionError
        A folder that cannot be read.
    """
    have = _available(source, folder)
    asked = find_instruments(DEFAULT_MARKETS if markets is None else markets)
    listed = catalogue()
    known = listed | {row.name: row for row in asked}
    groups: dict[str, list[MarketChoice]] = {}
    for group, classes in GROUPS.items():
        rows = [row for row in known.values() if row.asset_class in classes]
        choices = [
            MarketChoice(
                instrument=row,
                available=row.name in have or row.name not in listed,
                ticked=row in asked and (markets is not None or row.name in have),
                listed=listed.get(row.name) == row,
            )
            for row in rows
        ]
        choices.sort(key=lambda choice: (not choice.ticked, not choice.available))
        if choices:
            groups[group] = choices
    return groups


def _available(source: SourceName, folder: str | None) -> set[str]:
    """Names of the catalogue the source has a series of; nothing is downloaded."""
    from market_reaction.snapshot_store import SnapshotStore
    from market_reaction.sources.files import FilesSource
    from market_reaction.sources.yahoo import YahooSource

    if folder is not None:
        return set(FilesSource(folder).matched)
    rows = catalogue().values()
    bundled = {row.name for row in rows if row.bundled and source != "yahoo"}
    if source == "bundled":
        return bundled
    store = SnapshotStore(paths.snapshots_dir())
    if YahooSource(store).reachable():
        return bundled | {row.name for row in rows if row.yahoo}
    stored = {snapshot.symbol for snapshot in store.list() if snapshot.source == "yahoo"}
    return bundled | {row.name for row in rows if row.yahoo in stored}
