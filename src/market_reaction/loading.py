"""Which source serves each market: the only door through which a study gets prices."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple, get_args

import pandas as pd

from market_reaction import paths, times
from market_reaction.errors import DataUnavailableError, MarketReactionError
from market_reaction.instruments import DEFAULT_MARKETS, Instrument, find_instrument, find_instruments
from market_reaction.prices import PriceData, PriceSeries, Vintage
from market_reaction.quality_siblings import FAMILIES, row_offset
from market_reaction.sessions import SessionClock, locate
from market_reaction.snapshot_store import SnapshotStore
from market_reaction.sources.bundled import BundledSource
from market_reaction.sources.files import FilesSource
from market_reaction.sources.yahoo import YahooSource, utc_now
from market_reaction.windows import EventWindows

SourceName = Literal["auto", "yahoo", "bundled", "files"]


_HOW_TO_GET = "Rerun with a network, or with source='files' and a folder that holds it."


class Reach(NamedTuple):
    """How much of what is asked for a series holds; compared in this order.

    Attributes
    ----------
    measurable : int
        Events whose estimation window and day 0 it holds.
    complete : int
        Events whose largest window it holds as well.
    last : pandas.Timestamp
        Last session.
    """

    measurable: int
    complete: int
    last: pd.Timestamp


def reach_of(series: PriceSeries, events: pd.DataFrame, windows: EventWindows) -> Reach:
    """Count the events a series can serve."""
    clock = SessionClock.of(series)
    measurable = complete = 0
    for _, event in events.iterrows():
        position = locate(clock, event).position
        if position + windows.estimation[0] >= 1 and position < len(series.sessions):
            measurable += 1
            complete += position + windows.span_offsets[1] < len(series.sessions)
    return Reach(measurable, complete, series.sessions[-1])


def load_prices(
    markets: Sequence[str | Instrument] | None = None,
    start: str | pd.Timestamp | None = None,
    end: str | pd.Timestamp | None = None,
    *,
    source: SourceName = "auto",
    folder: str | Path | None = None,
    events: pd.DataFrame | None = None,
    windows: EventWindows | None = None,
    history: int = 500,
    as_of: str | None = None,
    refresh: bool = False,
    progress: bool = True,
    yahoo: YahooSource | None = None,
) -> PriceData:
    """Load daily series, each market from one source.

    Parameters
    ----------
    markets : sequence of str or Instrument, optional
        Names, symbols or ``"yahoo:TICKER"``; the default list when left out.
    start, end : str or Timestamp, optional
        Inclusive dates that a series must cover, give or take ten days. Series come whole: their rows are not cut to
        these dates. May be left out when ``events`` are given.
    source : {"auto", "yahoo", "bundled", "files"}
        ``"auto"`` takes, for each market on its own, the first of stored snapshot, Yahoo and bundled data that holds
        the estimation window, day 0 and the largest window; failing that, the one reaching furthest of those with the
        estimation window and day 0. Series are never spliced.
    folder : str or Path, optional
        Folder of CSV or Parquet files; needed for ``source="files"``.
    events, windows : DataFrame and EventWindows, optional
        What the series must hold.
    history : int
        Pseudo-announcements the placebo test will want; sets how far back to ask.
    as_of : str, optional
        Date ``YYYY-MM-DD``: use snapshots retrieved at or before it and ask nobody.
    refresh : bool
        Ask Yahoo again although a stored snapshot would do.
    progress : bool
        Show a bar while several symbols are downloaded.
    yahoo : YahooSource, optional
        Yahoo source to use, for a session or snapshot folder of one's own.

    Returns
    -------
    PriceData
        With ``unavailable`` naming every market that could not be had, and why.

    Raises
    ------
    UnknownInstrumentError
        A market that is not known.
    EventTableError
        ``events`` is no event table as ``load_events`` gives it, or has no row.
    MarketReactionError
        ``source="files"`` without a folder, or no dates and no events.
    """
    check_source(source, folder)
    instruments = find_instruments(DEFAULT_MARKETS if markets is None else markets)
    if as_of is not None:
        times.parse_date(as_of, "as_of")
    windows = windows or EventWindows()
    first, last = _dates(start, end, events, windows, history)
    request = _Request(first, last, events, windows, as_of, refresh, progress)
    if folder is not None:
        return _from_files(instruments, request, folder)
    return _from_catalogue(instruments, request, source, yahoo or YahooSource(SnapshotStore(paths.snapshots_dir())))


def check_source(source: str, folder: str | Path | None) -> None:
    """Refuse a source that is not known, and a folder that does not go with it.

    Raises
    ------
    MarketReactionError
        The message says which sources there are, or that ``source="files"`` and a folder belong together.
    """
    if source not in get_args(SourceName):
        raise MarketReactionError(f"source={source!r} is not known; choose one of {', '.join(get_args(SourceName))}.")
    if (source == "files") != (folder is not None):
        raise MarketReactionError(
            f"source={source!r} and folder={None if folder is None else str(folder)!r} do not go together: "
            "a folder is needed for source='files' and read for no other."
        )


def _dates(
    start: str | pd.Timestamp | None,
    end: str | pd.Timestamp | None,
    events: pd.DataFrame | None,
    windows: EventWindows,
    history: int,
) -> tuple[pd.Timestamp, pd.Timestamp]:
    if events is None and (start is None or end is None):
        raise MarketReactionError("load_prices needs start and end, or events=; give one of them.")
    spanned = windows.span(events, history) if events is not None else (None, None)
    first = spanned[0] if start is None else times.parse_date(start, "start")
    last = spanned[1] if end is None else times.parse_date(end, "end")
    assert first is not None and last is not None
    if first > last:
        raise MarketReactionError(f"start={first:%Y-%m-%d} lies after end={last:%Y-%m-%d}; swap them.")
    return first, last


class _Request(NamedTuple):
    """What the series must hold, and how to ask for it."""

    start: pd.Timestamp
    end: pd.Timestamp
    events: pd.DataFrame | None
    windows: EventWindows
    as_of: str | None
    refresh: bool
    progress: bool

    def reach(self, series: PriceSeries) -> Reach:
        """How much of the request a series holds."""
        if self.events is not None:
            return reach_of(series, self.events, self.windows)
        overlaps = series.sessions[0] <= self.end and series.sessions[-1] >= self.start
        near = pd.Timedelta(days=10)  # room for holidays at both ends
        whole = series.sessions[0] <= self.start + near and series.sessions[-1] >= self.end - near
        return Reach(int(overlaps), int(whole), series.sessions[-1])

    @property
    def wanted(self) -> tuple[int, int]:
        """Counts of a series that holds everything asked for."""
        count = 1 if self.events is None else len(self.events)
        return count, count


def _from_files(instruments: list[Instrument], request: _Request, folder: str | Path) -> PriceData:
    files = FilesSource(folder)
    offers: dict[str, list[PriceSeries]] = {}
    reasons: dict[str, list[str]] = {}
    for instrument in instruments:
        try:
            offers[instrument.name] = [files.fetch(instrument, request.start, request.end)]
        except DataUnavailableError as error:
            reasons[instrument.name] = [str(error)]
    notes = [f"files not read: {'; '.join(files.unmatched)}"] if files.unmatched else []
    return _choose(instruments, request, offers, reasons, notes)


def _from_catalogue(
    instruments: list[Instrument], request: _Request, source: SourceName, yahoo: YahooSource
) -> PriceData:
    """Stored snapshots first, then Yahoo for what they do not serve, then bundled data."""
    offers: dict[str, list[PriceSeries]] = {instrument.name: [] for instrument in instruments}
    reasons: dict[str, list[str]] = {instrument.name: [] for instrument in instruments}
    notes: list[str] = []
    if source != "bundled":
        _offer_yahoo(instruments, request, yahoo, offers, reasons, notes)
    if source != "yahoo":
        bundled = BundledSource()
        for instrument in instruments:
            try:
                offers[instrument.name].append(bundled.fetch(instrument, request.start, request.end))
            except DataUnavailableError:
                reasons[instrument.name].append("no bundled series")
    return _choose(instruments, request, offers, reasons, notes, _HOW_TO_GET)


def _offer_yahoo(
    instruments: list[Instrument],
    request: _Request,
    yahoo: YahooSource,
    offers: dict[str, list[PriceSeries]],
    reasons: dict[str, list[str]],
    notes: list[str],
) -> None:
    """Add what Yahoo has, from snapshots where they serve, else over the network."""
    to_ask = []
    for instrument in instruments:
        if not instrument.yahoo:
            reasons[instrument.name].append("Yahoo does not offer it")
            continue
        stored = None if request.refresh else yahoo.stored(instrument, request.start, request.end, as_of=request.as_of)
        if stored is None:
            to_ask.append(instrument)
        else:
            offers[instrument.name].append(stored)
    fetched, failed = _ask_yahoo(to_ask, request, yahoo, notes)
    for series in fetched:
        offers[series.instrument.name].append(series)
    for instrument in to_ask:
        if instrument.name not in failed:
            continue
        reasons[instrument.name].append(failed[instrument.name])
        older = yahoo.stored(instrument, request.start, request.end, as_of=request.as_of, covering=False)
        if older is not None:
            offers[instrument.name].append(older)
    for name, offered in offers.items():
        for series in list(offered):
            misdated = _misdated(series)
            if misdated:
                offered.remove(series)
                reasons[name].append(misdated)
                notes.append(f"{name}: {misdated}")


def _ask_yahoo(
    to_ask: list[Instrument], request: _Request, yahoo: YahooSource, notes: list[str]
) -> tuple[list[PriceSeries], dict[str, str]]:
    """Download what can be downloaded; the reason by instrument name for the rest."""
    if not to_ask:
        return [], {}
    if request.as_of is not None:
        why = f"no stored snapshot retrieved by {request.as_of} covers it; leave out as_of to ask Yahoo"
        return [], {instrument.name: why for instrument in to_ask}
    if not yahoo.reachable():
        notes.append(
            "no network: Yahoo cannot be reached, so stored snapshots and bundled data are used where they exist."
        )
        return [], {instrument.name: f"Yahoo ({instrument.yahoo}) cannot be reached" for instrument in to_ask}
    fetched, errors = yahoo.fetch_many(to_ask, request.start, request.end, progress=request.progress)
    by_symbol = {instrument.yahoo: instrument.name for instrument in to_ask}
    return fetched, {by_symbol[error.symbol]: str(error) for error in errors}


_judged: dict[Vintage, str] = {}  # verdicts on the dates of series already seen by this process


def _misdated(series: PriceSeries) -> str:
    """Why a series of Yahoo is not used, its dates being off by a row against a bundled sibling; else empty."""
    if series.vintage not in _judged:
        _judged[series.vintage] = _row_offset_of(series)
    return _judged[series.vintage]


def _row_offset_of(series: PriceSeries) -> str:
    """Why a series of Yahoo is not used, its dates being off by a row against a bundled sibling; else empty."""
    own = series.instrument.name
    relatives = sorted({name for family in FAMILIES if own in family for name in family} - {own})
    bundled = BundledSource()
    for instrument in [series.instrument, *map(find_instrument, relatives)]:
        try:
            sibling = bundled.fetch(instrument, series.sessions[0], series.sessions[-1])
        except DataUnavailableError:
            continue
        offset = row_offset(series, sibling)
        if offset.misdated:
            return f"{series.source} {series.vintage.symbol} is not used, for its dates are off by a row: {offset}"
    return ""


def _choose(
    instruments: list[Instrument],
    request: _Request,
    offers: dict[str, list[PriceSeries]],
    reasons: dict[str, list[str]],
    notes: list[str],
    how_to_get: str = "",
) -> PriceData:
    """Take for each market the first offer that holds everything, else the one reaching furthest; name the rest."""
    series: dict[str, PriceSeries] = {}
    unavailable = []
    for instrument in instruments:
        offered = offers.get(instrument.name, [])
        reaches = [request.reach(item) for item in offered]
        full = [item for item, reach in zip(offered, reaches, strict=True) if reach[:2] == request.wanted]
        if full or any(reach.measurable for reach in reaches):
            chosen = full[0] if full else offered[reaches.index(max(reaches))]
            series[chosen.name] = chosen
            continue
        short = [
            f"{item.source} data run from {item.sessions[0]:%Y-%m-%d} to {item.sessions[-1]:%Y-%m-%d} and do "
            f"not hold the estimation window and day 0 ({-request.windows.estimation[0] + 1} sessions before day 0)"
            for item in offered
        ]
        ahead = _in_the_future(request.events)
        why = "; ".join([*ahead, *short, *reasons.get(instrument.name, [])])
        advice = "Run it again when the session has closed." if ahead else _advice(request, offered, how_to_get)
        unavailable.append((instrument.name, f"{why.rstrip('.')}. {advice}".strip()))
    return PriceData(series, pd.DataFrame(unavailable, columns=["market", "reason"], dtype=str), tuple(notes))


def _in_the_future(events: pd.DataFrame | None) -> list[str]:
    """That all events are still to come, as the first of the reasons; empty where one is not."""
    if events is None:
        return []
    now = utc_now()
    times_of = events["announced_utc"].fillna(events["session_date"].dt.tz_localize("UTC"))
    if not (times_of > now).all():
        return []
    bare = events["precision"].iloc[int(times_of.argmin())] == "date"
    first = f"{times_of.min():%Y-%m-%d}" if bare else f"{times_of.min():%Y-%m-%d %H:%M} UTC"
    what = first if len(events) == 1 else f"all {len(events)} announcements, from {first} on,"
    return [f"{what} {'lies' if len(events) == 1 else 'lie'} in the future (now it is {now:%Y-%m-%d %H:%M} UTC)"]


def _advice(request: _Request, offered: Sequence[PriceSeries], how_to_get: str) -> str:
    """What would bring a market: a shorter window where day 0 is at hand, and Yahoo unless that was its answer."""
    if request.events is None or not how_to_get:
        return how_to_get
    positions = [
        (locate(SessionClock.of(item), event).position, len(item.sessions))
        for item in offered
        for _, event in request.events.iterrows()
    ]
    if not any(0 < position < count for position, count in positions):
        return how_to_get
    network = "" if any(item.source == "yahoo" for item in offered) else "with a network, or "
    return (
        f"Shorten the estimation window, or rerun {network}with source='files' and a folder that reaches further back."
    )
