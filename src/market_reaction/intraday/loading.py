"""The door through which bars shorter than a day come in: the user's files, or Yahoo within its limits."""

from __future__ import annotations

import csv
import hashlib
import io
import warnings
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Literal, NamedTuple, get_args

import pandas as pd

from market_reaction import events as event_tables
from market_reaction import paths
from market_reaction.errors import DataUnavailableError, MarketReactionError
from market_reaction.instruments import Instrument, find_instruments
from market_reaction.intraday.bars import BarData, BarLabel, BarSeries
from market_reaction.intraday.build import build_bars
from market_reaction.intraday.clock_check import BarClockWarning, check_clock, clock_message
from market_reaction.intraday.reader import read_bar_file
from market_reaction.prices import Vintage
from market_reaction.progress import progress as progress_bar
from market_reaction.snapshot_store import SnapshotStore
from market_reaction.sources.files import LIST, FilesSource
from market_reaction.sources.yahoo import YahooSource
from market_reaction.sources.yahoo_intraday import INTRADAY

BarSource = Literal["auto", "yahoo", "files"]
MARKETS = ("E-mini S&P 500", "USD/CNH", "CSI 300", "Gold")
_AFTER = pd.Timedelta(hours=4)  # bars wanted after the announcement
_BEFORE = pd.Timedelta(hours=4)
HOW_TO_SUPPLY = (
    "Supply bars as files: source='files' and folder= a folder with one CSV or Parquet file for each market (named "
    "after it, such as usdcnh.csv, or listed in files.csv with the columns file, instrument, zone) or a single file. "
    "Columns: a time (or date and time), close, and if there are any open, high, low, volume. State the clock of the "
    "file with zone='UTC', '+03:00' or 'Asia/Shanghai' where its times name no zone."
)


class _Ask(NamedTuple):
    """How files are to be read."""

    zone: str | None
    bar_label: BarLabel
    bar_minutes: int | None
    time_column: str | None


def load_bars(
    markets: str | Instrument | Sequence[str | Instrument] | None = None,
    announcement: str | datetime | None = None,
    *,
    source: BarSource = "auto",
    folder: str | Path | None = None,
    zone: str | None = None,
    bar_label: BarLabel = "start",
    bar_minutes: int | None = None,
    time_column: str | None = None,
    interval: str | None = None,
    progress: bool = True,
    yahoo: YahooSource | None = None,
) -> BarData:
    """Load bars shorter than a day.

    Parameters
    ----------
    markets : str, Instrument or sequence of them, optional
        Names, symbols or ``"yahoo:TICKER"``; a short list when left out.
    announcement : str or datetime, optional
        Time stamp with a zone or id of the catalogue: Yahoo is asked for the days up to it. Files are read whole.
    source : {"auto", "yahoo", "files"}
        ``"auto"`` is Yahoo: no bars shorter than a day come with the package.
    folder : str or Path, optional
        For ``source="files"``: a folder with one file for each market, or one file.
    zone : str, optional
        True clock of the files, such as ``"+03:00"`` or ``"Asia/Shanghai"``. It goes before an offset that the times
        themselves state, for platforms write the server's clock and call it UTC. A column ``zone`` of ``files.csv``
        says the same for one file.
    bar_label : {"start", "end"}
        Whether a row's time is the begin of its bar (Yahoo, MetaTrader, most platforms) or its end (Wind, many Chinese
        exports).
    bar_minutes : int, optional
        Length of the bars, where it cannot be told from the distances between the rows.
    time_column : str, optional
        Column with the times, where a file has several.
    interval : str, optional
        For Yahoo: ``"1m"``, ``"2m"``, ``"5m"``, ``"15m"``, ``"30m"``, ``"1h"``; the finest that reaches back to the
        announcement when left out.
    progress : bool
        Show a bar when several downloads take more than a second.
    yahoo : YahooSource, optional
        Yahoo source to use, for a session of one's own.

    Returns
    -------
    BarData
        With ``unavailable`` naming every market that could not be had, and why. Perhaps without any market.

    Raises
    ------
    MarketReactionError
        ``source="files"`` without a folder, or a folder with another source.
    UnknownInstrumentError
        A market that is not known.
    DataUnavailableError
        There is no such folder.

    Warns
    -----
    BarClockWarning
        The volume of a file, or the sessions of its exchange, contradict its clock; the message names the argument.

    Notes
    -----
    Yahoo keeps bars of 1 minute for 30 days, of 2 to 30 minutes for 60 days and of an hour for 730 days. They are not
    stored: what is to be repeated later must be kept as files.
    """
    if source not in get_args(BarSource):
        raise MarketReactionError(f"source={source!r} is not known; choose one of {', '.join(get_args(BarSource))}.")
    if (source == "files") != (folder is not None):
        raise MarketReactionError(
            f"source={source!r} and folder={None if folder is None else str(folder)!r} do not go together: "
            "a folder is needed for source='files' and read for no other."
        )
    asked = find_instruments(MARKETS if markets is None else markets)
    if folder is not None:
        return _from_files(asked, Path(folder).expanduser(), _Ask(zone, bar_label, bar_minutes, time_column))
    if announcement is None:
        raise MarketReactionError("load_bars from Yahoo needs the announcement around which bars are wanted; give it.")
    at = event_tables.announcement(announcement).iloc[0]
    return _from_yahoo(asked, at, interval, progress, yahoo or YahooSource(SnapshotStore(paths.snapshots_dir())))


# ---- files ----------------------------------------------------------------------------------------------------------


def _from_files(asked: Sequence[Instrument], folder: Path, ask: _Ask) -> BarData:
    series, unavailable = dict[str, BarSeries](), list[tuple[str, str]]()
    _ = folder.is_file() or FilesSource(folder)  # refuses a folder that does not exist
    listed = _listed(folder)
    for instrument in asked:
        try:
            path = _path(instrument, folder, asked)
            row = listed.get(path.name, {})
            label: BarLabel = "end" if row.get("bar_label") == "end" else ask.bar_label
            own = ask._replace(zone=ask.zone or row.get("zone") or None, bar_label=label)
            series[instrument.name] = read_series(instrument, path, own)
        except DataUnavailableError as error:
            unavailable.append((instrument.name, str(error)))
    return BarData(series, pd.DataFrame(unavailable, columns=["market", "reason"], dtype=str))


def _path(instrument: Instrument, folder: Path, asked: Sequence[Instrument]) -> Path:
    """File of an instrument in a folder; a file given as the folder is that of the only market."""
    if not folder.is_file():
        return FilesSource(folder).path_of(instrument)
    if len(asked) > 1:
        raise DataUnavailableError(
            f"folder={str(folder)!r} is one file, and {len(asked)} markets are asked for. Ask for one market, or name "
            f"a folder with a file for each.",
            symbol=instrument.name,
            cause="not offered",
        )
    return folder


def _listed(folder: Path) -> dict[str, dict[str, str]]:
    """Columns zone and bar_label of ``files.csv`` by file name."""
    path = folder / LIST
    if not path.is_file():
        return {}
    rows = csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig")))
    read = [{(key or "").strip().casefold(): (value or "").strip() for key, value in row.items()} for row in rows]
    return {Path(row.get("file", "")).name: row for row in read}


def read_series(instrument: Instrument, path: Path, ask: _Ask) -> BarSeries:
    """Bars of one file with its clock checked; a clock that looks wrong is warned of and noted."""
    stamps, prices, volume = read_bar_file(path, zone=ask.zone, time_column=ask.time_column)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    detail = f"clock {stamps.clock}, times are the {ask.bar_label} of a bar"
    notes = []
    if stamps.overridden:
        notes.append(
            f"{path.name} states the clock {stamps.stated}, which is set aside: its times are read as {stamps.clock}."
        )
    known = stamps.utc.dropna()
    series = build_bars(
        instrument, stamps.utc, prices, source="files", clock=stamps.clock,
        vintage=Vintage("files", path.name, None, known.min(), known.max(), len(prices), digest, detail),
        bar_label=ask.bar_label, bar_minutes=ask.bar_minutes, volume=volume, notes=tuple(notes),
    )  # fmt: skip
    starts = pd.DatetimeIndex(series.bars["start_utc"])
    counts = series.bars["volume"].to_numpy(dtype=float) if volume else None
    check = check_clock(instrument, starts, counts, series.bar_minutes)
    if not check.wrong:
        return series
    text = clock_message(path.name, instrument.name, stamps.clock, check, starts[len(starts) // 2])
    warnings.warn(text, BarClockWarning, stacklevel=4)
    return BarSeries(
        instrument, "files", series.bars, series.clock, volume, series.vintage, series.excluded, (*notes, text)
    )


# ---- Yahoo ----------------------------------------------------------------------------------------------------------


def yahoo_reach(now: pd.Timestamp) -> pd.DataFrame:
    """How far back Yahoo has bars, by interval: bar_minutes, days_back, earliest_utc of an announcement.

    Parameters
    ----------
    now : pandas.Timestamp
        The present instant (UTC).
    """
    rows = [
        (interval, offered.minutes, offered.days_back, now - pd.Timedelta(days=offered.days_back) + _BEFORE)
        for interval, offered in INTRADAY.items()
        if interval != "60m"
    ]
    return pd.DataFrame(rows, columns=["interval", "bar_minutes", "days_back", "earliest_utc"]).set_index("interval")


def _finest(instant: pd.Timestamp, now: pd.Timestamp) -> str | None:
    """Shortest interval that Yahoo still has around an instant."""
    reach = yahoo_reach(now).sort_values("bar_minutes", kind="stable")
    held = reach[reach["earliest_utc"] <= instant]
    return None if held.empty else str(held.index[0])


def _limits(now: pd.Timestamp) -> str:
    reach = yahoo_reach(now)["earliest_utc"]
    return (
        f"Yahoo has 1-minute bars for announcements from {reach['1m']:%Y-%m-%d} on (30 days back), 2- to 30-minute "
        f"bars from {reach['5m']:%Y-%m-%d} (60 days) and hour bars from {reach['1h']:%Y-%m-%d} (730 days)."
    )


def _from_yahoo(
    asked: Sequence[Instrument], event: pd.Series, interval: str | None, progress: bool, yahoo: YahooSource
) -> BarData:
    now = yahoo.present
    instant = event["announced_utc"]
    chosen = interval or _finest(instant, now)
    if interval is not None and interval not in INTRADAY:
        raise MarketReactionError(f"interval={interval!r} is not known; choose one of {', '.join(INTRADAY)}.")
    notes = (_limits(now), HOW_TO_SUPPLY)
    if chosen is None or now - pd.Timedelta(days=INTRADAY[chosen].days_back) > instant - _BEFORE:
        which = "no bars of Yahoo reach" if chosen is None else f"{chosen} bars of Yahoo do not reach"
        return _nothing(asked, f"{which} back to {instant:%Y-%m-%d %H:%M} UTC", notes)
    if not yahoo.reachable():
        return _nothing(asked, "Yahoo cannot be reached", notes)
    series, unavailable, said = {}, [], list(notes)
    for instrument in progress_bar(asked, "Yahoo bars") if progress else iter(asked):
        try:
            series[instrument.name] = _fetch(instrument, instant, now, chosen, yahoo, said)
        except DataUnavailableError as error:
            unavailable.append((instrument.name, str(error)))
    return BarData(series, pd.DataFrame(unavailable, columns=["market", "reason"], dtype=str), tuple(said))


def _nothing(asked: Sequence[Instrument], why: str, notes: tuple[str, ...]) -> BarData:
    rows = [(instrument.name, why) for instrument in asked]
    return BarData({}, pd.DataFrame(rows, columns=["market", "reason"], dtype=str), notes)


def _spans(end: pd.Timestamp, earliest: pd.Timestamp, days: int) -> Iterator[tuple[pd.Timestamp, pd.Timestamp]]:
    """Spans of at most ``days`` days that end at ``end``, latest first."""
    while end > earliest:
        start = max(earliest, end - pd.Timedelta(days=days))
        yield start, end
        end = start


def _fetch(
    instrument: Instrument, instant: pd.Timestamp, now: pd.Timestamp, interval: str, yahoo: YahooSource, said: list[str]
) -> BarSeries:
    """Bars up to a few hours after the announcement, and as far back as Yahoo has them: the days to compare with."""
    minutes, back, at_once = INTRADAY[interval]
    earliest = (now - pd.Timedelta(days=back) + pd.Timedelta(minutes=5)).ceil("min")
    parts: list[pd.DataFrame] = []
    for start, end in _spans(min(instant + _AFTER, now), earliest, min(at_once, back)):
        try:
            parts.append(yahoo.fetch_intraday(instrument, start, end, interval))
        except DataUnavailableError as error:
            if not parts:
                raise
            said.append(f"{instrument.name}: no earlier days than {end:%Y-%m-%d} to compare with. {error}")
            break
    rows = pd.concat(parts[::-1])
    digest = hashlib.sha256(pd.util.hash_pandas_object(rows).to_numpy().tobytes()).hexdigest()
    vintage = Vintage(
        "yahoo", instrument.yahoo, now, rows.index[0], rows.index[-1], len(rows), digest, f"{interval} bars, not stored"
    )
    volume = "volume" if "volume" in rows and rows["volume"].sum() > 0 else ""
    return build_bars(
        instrument, pd.DatetimeIndex(rows.index), rows, source="yahoo", clock="UTC", vintage=vintage,
        bar_minutes=minutes, volume=volume,
    )  # fmt: skip
