"""A user's own folder of price files: Bloomberg, Wind, Investing.com, Yahoo, Stooq exports, or Parquet.

A file belongs to an instrument by its row in ``files.csv`` (columns file, instrument, bar_close, note), else by its
name: ``csi300.csv``, ``CSI 300 Historical Data.csv``, ``000300.SS.csv`` and ``000300.SH.csv`` all are the CSI 300.
"""

from __future__ import annotations

import csv
import dataclasses
import difflib
import hashlib
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from types import MappingProxyType

import pandas as pd

from market_reaction.clocks import BarClose, parse_bar_close
from market_reaction.errors import (
    DataUnavailableError,
    InstrumentTableError,
    UnknownInstrumentError,
    did_you_mean,
)
from market_reaction.instruments import Instrument, catalogue, find_instrument
from market_reaction.prices import PriceBasis, PriceSeries, Vintage, build_series
from market_reaction.sources.formats import SUFFIXES, read_bars

LIST = "files.csv"
_KEPT: dict[tuple[object, ...], PriceSeries] = {}  # by path, mtime, size, instrument and row of files.csv


@dataclass(frozen=True, slots=True)
class _Entry:
    """One file that may be an instrument's: from a row of ``files.csv``, or found by its name."""

    path: Path
    bar_close: str = ""
    note: str = ""
    shown: str = ""  # name to show when the row names another quote, such as "USD/CNY (ECB)"


class FilesSource:
    """Daily series from a folder of files.

    Parameters
    ----------
    folder : str or pathlib.Path
        Folder with CSV, text or Parquet files and, if wanted, ``files.csv``. Sub-folders are not searched, but a row
        of ``files.csv`` may name a file in one.

    Attributes
    ----------
    name : str
        ``"files"``.
    folder : pathlib.Path
        The folder.
    matched : mapping of str to pathlib.Path
        File by instrument name.
    unmatched : tuple of str
        Files that belong to no instrument and rows of ``files.csv`` that lead nowhere, as ``"file: reason"``.

    Raises
    ------
    DataUnavailableError
        There is no such folder.
    InstrumentTableError
        ``files.csv`` lacks a column, or states a bar close that cannot be read.

    Notes
    -----
    ``bar_close`` of ``files.csv`` holds for all dates. Where the latest rule the package has for the instrument names
    the same clock, the package's dated rules and short days hold. Without ``bar_close`` the package's rules hold.
    """

    name: str = "files"

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder).expanduser()
        if not self.folder.is_dir():
            near = did_you_mean(self.folder.name, (p.name for p in _folders_beside(self.folder)))
            raise DataUnavailableError(
                f"the folder {str(self.folder)!r} does not exist. {near}"
                "Name a folder that holds one price file for each instrument.",
                symbol=str(self.folder),
                cause="not offered",
            )
        self._entries: dict[str, list[_Entry]] = {}
        self._unknown: dict[str, _Entry] = {}  # rows of files.csv for instruments outside the catalogue
        unmatched = self._read_list()
        unmatched += self._match_names({entry.path for rows in self._entries.values() for entry in rows})
        self.unmatched: tuple[str, ...] = tuple(sorted(unmatched))

    @property
    def matched(self) -> Mapping[str, Path]:
        """File by instrument name, where one file only belongs to the instrument."""
        return MappingProxyType({name: rows[0].path for name, rows in self._entries.items() if len(rows) == 1})

    def fetch(self, instrument: Instrument, start: pd.Timestamp, end: pd.Timestamp) -> PriceSeries:
        """Whole series of the instrument's file; the same object again until the file changes.

        Parameters
        ----------
        instrument : Instrument
            What is wanted.
        start, end : pandas.Timestamp
            Inclusive session labels that are needed; the whole file is returned whatever they are.

        Raises
        ------
        DataUnavailableError
            No file of the folder is the instrument's (``cause="not offered"``), two are, or the file cannot be read
            in one way only (``cause="malformed answer"``).
        """
        entry = self._entry(instrument)
        stat = entry.path.stat()
        key = (entry, stat.st_mtime_ns, stat.st_size, instrument)
        if key not in _KEPT:
            for old in [k for k in _KEPT if k[0] == entry and k[3] == instrument]:
                del _KEPT[old]
            _KEPT[key] = _build(instrument, entry, pd.Timestamp(stat.st_mtime_ns, unit="ns", tz="UTC"))
        return _KEPT[key]

    def path_of(self, instrument: Instrument) -> Path:
        """File of an instrument; raises as ``fetch`` does where no file or more than one is."""
        return self._entry(instrument).path

    def _entry(self, instrument: Instrument) -> _Entry:
        found = self._entries.get(instrument.name) or self._outside_catalogue(instrument)
        if len(found) == 1:
            return found[0]
        if found:
            problem = (
                f"{len(found)} files of {str(self.folder)!r} are {instrument.name!r}: "
                f"{' and '.join(sorted(entry.path.name for entry in found))}. "
                f"Say which one holds in {LIST} (file, instrument, bar_close, note), one row for the instrument."
            )
        else:
            stems = {_stem(path.name): path.name for path in _price_files(self.folder)}
            near = difflib.get_close_matches(_fold(instrument.name), stems, n=3, cutoff=0.4)
            names = ", ".join(stems[stem] for stem in near) or "none"
            problem = (
                f"the folder {str(self.folder)!r} has no file for {instrument.name!r}; the nearest names are: {names}. "
                f"Name the file after the instrument ({_fold(instrument.name)}.csv) or give it a row in {LIST} "
                "(file, instrument, bar_close, note)."
            )
        raise DataUnavailableError(problem, symbol=instrument.name, cause="not offered")

    def _outside_catalogue(self, instrument: Instrument) -> list[_Entry]:
        """Files of an instrument that a user made, by its row in ``files.csv`` or its name."""
        listed = self._unknown.get(instrument.name.casefold())
        if listed:
            return [listed]
        keys = _keys(instrument)
        taken = {entry.path for rows in self._entries.values() for entry in rows}
        return [_Entry(p) for p in _price_files(self.folder) if _stem(p.name) in keys and p not in taken]

    def _read_list(self) -> list[str]:
        """Take the rows of ``files.csv``; give those that lead nowhere."""
        unmatched = []
        for number, row in _rows_of(self.folder / LIST):
            file, wanted, where = row["file"], row["instrument"], f"{LIST} line {number}"
            path = self.folder / file
            if not file or not path.resolve().is_relative_to(self.folder.resolve()):
                unmatched.append(f"{file or where}: {where} names no file inside the folder")
                continue
            if not path.is_file():
                unmatched.append(f"{file}: {where} names it, but the folder does not have it")
                continue
            if row["bar_close"]:
                parse_bar_close(row["bar_close"], f"{where}: bar_close")
            entry = _Entry(path, row["bar_close"], row["note"])
            try:
                instrument = find_instrument(wanted)
            except UnknownInstrumentError:
                self._unknown[wanted.casefold()] = entry
                near = did_you_mean(wanted, catalogue())
                unmatched.append(
                    f"{file}: {where} has the instrument {wanted!r}, which is not in the catalogue. {near}".strip()
                )
                continue
            if wanted.casefold() == instrument.bundled_name.casefold():
                entry = dataclasses.replace(entry, shown=instrument.bundled_name)
            self._entries.setdefault(instrument.name, []).append(entry)
        return unmatched

    def _match_names(self, listed: set[Path]) -> list[str]:
        """Match the files that ``files.csv`` leaves out by their names; give those that fit nothing."""
        by_key = _catalogue_keys()
        settled = set(self._entries)
        unlisted = {entry.path for entry in self._unknown.values()}
        unmatched = []
        for path in _price_files(self.folder):
            if path in listed or path in unlisted:
                continue
            fits = by_key.get(_stem(path.name), ())
            if len(fits) != 1:
                unmatched.append(f"{path.name}: {_why_unmatched(path.name, fits)}")
            elif fits[0] in settled:
                held = self._entries[fits[0]][0].path.name
                unmatched.append(f"{path.name}: {LIST} gives {fits[0]!r} the file {held}")
            else:
                self._entries.setdefault(fits[0], []).append(_Entry(path))
        for name, rows in self._entries.items():
            if len(rows) > 1:
                both = " and ".join(sorted(entry.path.name for entry in rows))
                unmatched += [f"{e.path.name}: {both} are both {name!r}; settle it in {LIST}" for e in rows]
        return unmatched


def _folders_beside(folder: Path) -> list[Path]:
    return [path for path in folder.parent.iterdir() if path.is_dir()] if folder.parent.is_dir() else []


def _price_files(folder: Path) -> list[Path]:
    """Files of a folder that may hold prices, in order of name."""
    names = (path for path in folder.iterdir() if path.name.lower().endswith(SUFFIXES) and path.is_file())
    return sorted(path for path in names if path.name.lower() != LIST and not path.name.startswith((".", "~$")))


def _fold(text: str) -> str:
    """Name without case, blanks and punctuation: ``"CSI 300"`` and ``"csi300"`` are one."""
    return re.sub(r"[\W_]+", "", text.casefold())


def _stem(file: str) -> str:
    """Folded file name without its ending, a browser's ``(1)`` and Investing.com's ``Historical Data``."""
    name = next(
        file[: -len(ending)] for ending in sorted(SUFFIXES, key=len, reverse=True) if file.lower().endswith(ending)
    )
    return _fold(re.sub(r"[\s_-]*(historical[\s_-]*data)?\s*(\(\d+\))?\s*$", "", name, flags=re.IGNORECASE))


def _keys(instrument: Instrument) -> set[str]:
    """Folded names of an instrument: its own, its symbols, and Wind's ``.SH`` for Yahoo's ``.SS``."""
    own_quote = "" if instrument.bundled_name else instrument.bundled
    yahoo = instrument.yahoo
    wind = yahoo.removesuffix(".SS") + ".SH" if yahoo.endswith(".SS") else ""
    return {_fold(text) for text in (instrument.name, yahoo, wind, own_quote)} - {""}


def _catalogue_keys() -> dict[str, tuple[str, ...]]:
    """Instruments by folded name; a name goes before another instrument's symbol."""
    rows = catalogue().values()
    names = {_fold(row.name): (row.name,) for row in rows}
    symbols: dict[str, tuple[str, ...]] = {}
    for row in rows:
        for key in _keys(row):
            symbols[key] = (*symbols.get(key, ()), row.name)
    return symbols | names


def _why_unmatched(file: str, fits: tuple[str, ...]) -> str:
    if fits:
        return f"may be {' or '.join(map(repr, fits))}; say which in {LIST}"
    for row in catalogue().values():
        if row.bundled_name and _stem(file) in (_fold(row.bundled_name), _fold(row.bundled), _fold(row.name) + "ecb"):
            return (
                f"{row.bundled_name!r} is another quote than {row.name!r} with another clock; to use it, give it a "
                f"row with its bar_close in {LIST}"
            )
    by_fold = {_fold(name): name for name in catalogue()}
    near = difflib.get_close_matches(_stem(file), by_fold, n=1, cutoff=0.6)
    hint = f" Is it {by_fold[near[0]]!r}?" if near else ""
    return f"no instrument has this name.{hint} A row in {LIST} (file, instrument, bar_close, note) would say"


def _rows_of(path: Path) -> list[tuple[int, dict[str, str]]]:
    """Rows of ``files.csv`` with their line numbers; none when there is no such file."""
    if not path.is_file():
        return []
    raw = path.read_bytes()
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("gb18030", errors="replace")
    reader = csv.DictReader(io.StringIO(text))
    columns = [(name or "").strip().casefold() for name in reader.fieldnames or ()]
    missing = [column for column in ("file", "instrument") if column not in columns]
    if missing:
        raise InstrumentTableError(
            f"{path} lacks the columns {missing}; its columns are file, instrument, bar_close, note, "
            "of which the first two are required."
        )
    reader.fieldnames = columns
    rows = []
    for row in reader:
        cells = {key: (row.get(key) or "").strip() for key in ("file", "instrument", "bar_close", "note")}
        if any(cells.values()):
            rows.append((reader.line_num, cells))
    return rows


def _build(instrument: Instrument, entry: _Entry, modified: pd.Timestamp) -> PriceSeries:
    """Read the file and make the series, with its clock, its basis and its checksum."""
    basis = _basis(instrument, entry.note)
    bars = read_bars(entry.path, adjusted=basis == "adjusted close")
    days = bars.index
    digest = hashlib.sha256(entry.path.read_bytes()).hexdigest()
    vintage = Vintage("files", entry.path.name, None, days.min(), days.max(), len(bars), digest, entry.note)
    # A file written during a session holds an unfinished bar. An older time than that is no time of writing.
    written_after = days.max() <= modified.tz_localize(None).normalize() + pd.Timedelta(days=1)
    rules = _bar_close(instrument, entry.bar_close)
    series = build_series(
        dataclasses.replace(instrument, bar_close=entry.bar_close) if rules else instrument,
        bars,
        source="files",
        price_basis=basis,
        vintage=vintage,
        bar_close=rules,
        now=modified if written_after else None,
    )
    sessions = series.sessions
    vintage = dataclasses.replace(vintage, first=sessions[0], last=sessions[-1], rows=len(sessions))
    return dataclasses.replace(series, name=entry.shown or series.name, vintage=vintage)


def _basis(instrument: Instrument, note: str) -> PriceBasis:
    """What the close is, from the instrument's class and the words of the note."""
    if instrument.asset_class == "yield":
        return "yield"
    if re.search(r"(?<!not )(?<!un)\badjusted\b", note, re.IGNORECASE):
        return "adjusted close"
    if re.search(r"\bfixing\b", note, re.IGNORECASE):
        return "fixing"
    return "settlement" if re.search(r"\bsettlement\b", note, re.IGNORECASE) else "close"


def _bar_close(instrument: Instrument, stated: str) -> tuple[BarClose, ...] | None:
    """Rules for a stated close; None where the catalogue's own hold, which may be dated."""
    if not stated:
        return None
    rule = parse_bar_close(stated)
    try:
        known = instrument.bar_closes("files")
    except InstrumentTableError:
        return (rule,)
    latest = max(known, key=lambda own: own.valid_from or date.min)
    if latest.same_clock(rule):
        return None
    return (dataclasses.replace(rule, early_close=latest.early_close if latest.zone == rule.zone else ""),)
