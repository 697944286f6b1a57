"""Downloaded series kept on disk, written once: which values a result used, and the same values next year.

A snapshot is a Parquet file and a small JSON beside it, in ``root/source/symbol/``. The JSON is written last and marks
the snapshot as complete; it holds what was asked for, when, and the checksum of the Parquet file. Nothing is ever
appended or changed: adjusted and rolled histories are restated, so a wider range is a new snapshot.

The name of a file holds the checksum of its content, so two processes that fetch the same thing at once write the same
file, and the first JSON wins. Every file appears whole or not at all.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pandas as pd

from market_reaction.errors import SnapshotError

CloseOf = Callable[[pd.DatetimeIndex], pd.DatetimeIndex]

# Two retrievals of the same values within this time are one snapshot, and a source is not asked again within it.
FRESH = pd.Timedelta(minutes=10)
# A source may publish a row this long after the close; until then a missing row may still come.
LATE = pd.Timedelta(hours=6)
# Files that no snapshot was made of are removed after this time.
LEFTOVER = pd.Timedelta(hours=1)

_DAY = pd.Timedelta(days=1)
_RESERVED = {"CON", "PRN", "AUX", "NUL", *(f"{port}{n}" for port in ("COM", "LPT") for n in range(10))}
_LONGEST_NAME = 80


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What the JSON beside a stored series says.

    Attributes
    ----------
    source, symbol, interval : str
        What was asked, and where.
    price_basis : str
        What the close is; series of another basis are other snapshots.
    start, end : pandas.Timestamp
        First and last session label asked for.
    retrieved_utc : pandas.Timestamp
        When it was asked.
    first, last : pandas.Timestamp
        First and last row with a close.
    rows : int
        Number of rows.
    sha256 : str
        Checksum of the Parquet file.
    detail : str
        Library and version that fetched it.
    meta : mapping of str to str
        What the source says about the series, such as currency and time zone.
    path : pathlib.Path
        The Parquet file.
    """

    source: str
    symbol: str
    interval: str
    price_basis: str
    start: pd.Timestamp
    end: pd.Timestamp
    retrieved_utc: pd.Timestamp
    first: pd.Timestamp
    last: pd.Timestamp
    rows: int
    sha256: str
    detail: str
    meta: Mapping[str, str] = field(default_factory=dict)
    path: Path = Path()

    @property
    def sidecar(self) -> Path:
        """The JSON file."""
        return self.path.with_suffix(".json")


def as_of_instant(as_of: str | date | datetime | pd.Timestamp) -> pd.Timestamp:
    """UTC instant up to which snapshots count; a date without a time means the end of that UTC day.

    Examples
    --------
    >>> as_of_instant("2025-06-11")
    Timestamp('2025-06-11 23:59:59.999999999+0000', tz='UTC')
    >>> as_of_instant("2025-06-11 08:00 UTC")
    Timestamp('2025-06-11 08:00:00+0000', tz='UTC')
    """
    stamp = pd.Timestamp(as_of).as_unit("ns")
    if stamp.tzinfo is not None:
        return stamp.tz_convert("UTC")
    if stamp == stamp.normalize():
        stamp += pd.Timedelta(days=1) - pd.Timedelta(1, "ns")
    return stamp.tz_localize("UTC")


def folder_name(text: str) -> str:
    """Name of one folder for any source or symbol, on every file system.

    Examples
    --------
    >>> [folder_name(text) for text in ("ES=F", "^GSPC", "000300.SS", "../../x", "CON.DE")]
    ['ES=F', '^GSPC', '000300.SS', '%2E%2E%2F%2E%2E%2Fx', 'CON%2EDE%']
    """
    name = quote(text, safe="=^")
    reserved = text.split(".")[0].strip().upper() in _RESERVED
    if reserved or text.strip(".") != text:
        name = name.replace(".", "%2E") + "%" * reserved
    if len(name) > _LONGEST_NAME:
        name = f"{name[: _LONGEST_NAME - 17]}~{hashlib.sha256(text.encode()).hexdigest()[:16]}"
    return name


def covers(
    snapshot: Snapshot,
    start: pd.Timestamp,
    end: pd.Timestamp,
    *,
    at: pd.Timestamp,
    close_of: CloseOf,
    begins: pd.Timestamp | None = None,
) -> bool:
    """Whether a snapshot holds everything its source can have of ``start`` to ``end`` at an instant.

    Parameters
    ----------
    snapshot : Snapshot
        The candidate.
    start, end : pandas.Timestamp
        Session labels, inclusive.
    at : pandas.Timestamp
        The instant to judge at (UTC): the present, or ``as_of``.
    close_of : callable
        Gives the UTC instant of the close for each session label; NaT for a label that is known to be no session.
    begins : pandas.Timestamp, optional
        First row the source has, where a request that reached further back has shown it.

    Returns
    -------
    bool
        True if the request reached back to ``start`` (or to ``begins``), and the last row reaches ``end`` or nothing
        newer can be had: no weekday up to ``end`` is missing whose close has passed; or what is missing was asked for
        and not given, and no weekday has closed since, nor had the missing one closed only shortly before.
    """
    if snapshot.start > start and (begins is None or snapshot.start > max(start, begins)):
        return False
    if snapshot.last >= end:
        return True
    missing = pd.bdate_range(snapshot.last + _DAY, end)
    closes = close_of(missing)
    passed = np.asarray(closes <= at)
    if not passed.any():
        return True
    if (missing[passed] > snapshot.end).any():
        return False
    retrieved = snapshot.retrieved_utc
    may_come_late = at - retrieved >= FRESH and bool((closes[passed] > retrieved - LATE).any())
    return not may_come_late and not _weekday_closed(retrieved, at, close_of)


def _weekday_closed(after: pd.Timestamp, until: pd.Timestamp, close_of: CloseOf) -> bool:
    """Whether a weekday's close lies after one instant and not after another."""
    first = after.tz_localize(None).normalize() - 2 * _DAY
    labels = pd.bdate_range(first, min(until.tz_localize(None).normalize() + _DAY, first + 30 * _DAY))
    closes = close_of(labels)
    return bool(np.asarray((closes > after) & (closes <= until)).any())


class SnapshotStore:
    """Write-once store of downloaded series under one folder; safe with several processes at once.

    Parameters
    ----------
    root : pathlib.Path
        Folder of the store; made when the first snapshot is written.
    """

    def __init__(self, root: Path) -> None:
        self.root = Path(root)

    def write(
        self,
        source: str,
        symbol: str,
        bars: pd.DataFrame,
        *,
        start: pd.Timestamp,
        end: pd.Timestamp,
        retrieved_utc: pd.Timestamp,
        detail: str,
        interval: str = "1d",
        price_basis: str = "close",
        meta: Mapping[str, str] | None = None,
    ) -> Snapshot:
        """Keep a series.

        Parameters
        ----------
        source, symbol : str
            Where it is from, and what was asked there.
        bars : pandas.DataFrame
            Rows by date, in order and without duplicates, with a ``close`` column.
        start, end : pandas.Timestamp
            What was asked for, inclusive.
        retrieved_utc : pandas.Timestamp
            When it was asked.
        detail : str
            Library and version.
        interval, price_basis : str
            Length of a bar; what the close is.
        meta : mapping of str to str, optional
            What the source says about the series.

        Returns
        -------
        Snapshot
            The stored one: that of another process when it stored the same values first.

        Raises
        ------
        SnapshotError
            The rows are empty or out of order, or the folder cannot be written to.
        """
        closed = bars.index[bars["close"].notna()]
        if closed.empty or not (bars.index.is_monotonic_increasing and bars.index.is_unique):
            raise SnapshotError(
                f"{len(bars)} rows of {symbol!r} from {source} cannot be kept as a snapshot: a series needs at least "
                "one close and dates that rise. Sort the rows, drop duplicates, and write again."
            )
        content = _to_parquet(bars)
        digest = hashlib.sha256(content).hexdigest()
        retrieved_utc = retrieved_utc.tz_convert("UTC")
        mark = hashlib.sha256(f"{interval} {price_basis} {digest}".encode()).hexdigest()[:16]
        stem = f"{retrieved_utc.floor(FRESH):%Y%m%dT%H%MZ}_{start:%Y%m%d}_{end:%Y%m%d}_{mark}"
        stated = {
            "source": source,
            "symbol": symbol,
            "interval": interval,
            "price_basis": price_basis,
            "start": f"{start:%Y-%m-%d}",
            "end": f"{end:%Y-%m-%d}",
            "retrieved_utc": retrieved_utc.isoformat(),
            "first": closed[0].isoformat(),
            "last": closed[-1].isoformat(),
            "rows": len(bars),
            "sha256": digest,
            "detail": detail,
            "meta": dict(meta or {}),
        }
        folder = self._folder(source, symbol)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self.sweep(folder, pd.Timestamp.now("UTC"))
            path = folder / f"{stem}.parquet"
            _place(content, path, replace=path.exists() and _sha256(path) != digest)
            _place(json.dumps(stated, indent=1, ensure_ascii=True).encode(), path.with_suffix(".json"))
        except OSError as error:
            raise SnapshotError(
                f"the snapshot of {symbol!r} from {source} cannot be written to {folder}: {error}. "
                "Free the folder, or set MARKET_REACTION_SNAPSHOTS to one that can be written to."
            ) from error
        return _read_sidecar(path.with_suffix(".json"))

    def find(
        self,
        source: str,
        symbol: str,
        start: pd.Timestamp,
        end: pd.Timestamp,
        *,
        now: pd.Timestamp,
        close_of: CloseOf,
        as_of: str | date | datetime | pd.Timestamp | None = None,
        interval: str = "1d",
        price_basis: str = "close",
        covering: bool = True,
    ) -> Snapshot | None:
        """Newest snapshot that covers the sessions asked for.

        Parameters
        ----------
        source, symbol, interval, price_basis : str
            As given to ``write``.
        start, end : pandas.Timestamp
            Session labels, inclusive.
        now : pandas.Timestamp
            The present instant (UTC).
        close_of : callable
            Gives the UTC instant of the close for each session label.
        as_of : str, datetime.date, datetime.datetime or pandas.Timestamp, optional
            Leave out snapshots retrieved after this UTC instant or day, and judge what is covered at that instant.
        covering : bool
            False gives, where none covers everything, the newest one that reaches furthest.

        Returns
        -------
        Snapshot or None

        Raises
        ------
        SnapshotError
            A JSON file in the folder of the symbol cannot be read.
        """
        at = now if as_of is None else min(as_of_instant(as_of), now)
        key = (source, symbol, interval, price_basis)
        known = [
            item
            for item in self._in_folder(self._folder(source, symbol))
            if (item.source, item.symbol, item.interval, item.price_basis) == key and item.retrieved_utc <= at
        ]
        known.sort(key=lambda item: (item.retrieved_utc, item.path.name), reverse=True)
        begins = min((item.first for item in known if item.start <= start), default=None)
        for item in known:
            if covers(item, start, end, at=at, close_of=close_of, begins=begins):
                return item
        return None if covering else _reaching_furthest(known, start, end)

    def list(self) -> Sequence[Snapshot]:
        """Every snapshot of the store, by source, symbol and time of retrieval."""
        folders = sorted(folder for folder in self.root.glob("*/*") if folder.is_dir())
        found = [item for folder in folders for item in self._in_folder(folder)]
        return sorted(found, key=lambda item: (item.source, item.symbol, item.retrieved_utc, item.path.name))

    def read(self, snapshot: Snapshot) -> pd.DataFrame:
        """Rows of a snapshot, after its checksum was found right.

        Raises
        ------
        SnapshotError
            The file is missing, was changed, or cannot be read.
        """
        path = snapshot.path
        next_step = f"Delete it and {snapshot.sidecar.name}, or load again with refresh=True."
        try:
            content = path.read_bytes()
        except OSError as error:
            raise SnapshotError(f"the snapshot {path} cannot be read: {error}. {next_step}") from error
        digest = hashlib.sha256(content).hexdigest()
        if digest != snapshot.sha256:
            raise SnapshotError(
                f"the snapshot {path} was changed or is not whole: its sha256 is {digest}, "
                f"and {snapshot.sidecar.name} says {snapshot.sha256}. {next_step}"
            )
        # One file in memory: threads gain nothing, and one still running when Python ends aborts the process.
        bars = pd.read_parquet(io.BytesIO(content), use_threads=False, pre_buffer=False)
        bars.index = pd.DatetimeIndex(bars.index).as_unit("ns")
        return bars

    def sweep(self, folder: Path, now: pd.Timestamp) -> None:
        """Remove what interrupted writes left in a symbol's folder more than an hour ago.

        Parameters
        ----------
        folder : pathlib.Path
            Folder of one symbol.
        now : pandas.Timestamp
            The present instant (UTC), compared with the times of the files.
        """
        oldest = (now - LEFTOVER).timestamp()
        for path in list(folder.iterdir()):
            alone = path.suffix == ".parquet" and not path.with_suffix(".json").exists()
            with suppress(OSError):  # another process may sweep as well, or have the file open
                if (alone or path.suffix == ".tmp") and path.stat().st_mtime < oldest:
                    path.unlink()

    def _folder(self, source: str, symbol: str) -> Path:
        """Folder of a symbol, which lies inside the store whatever the symbol is."""
        for word, text in (("source", source), ("symbol", symbol)):
            if not text.strip():
                raise SnapshotError(f"a snapshot needs a {word}, and {text!r} is empty; state one.")
        folder = self.root / folder_name(source) / folder_name(symbol)
        if self.root.resolve() not in folder.resolve().parents:
            raise SnapshotError(
                f"the folder of {symbol!r} from {source} is {folder.resolve()}, "
                f"outside the store {self.root.resolve()}. Remove the link that leads there."
            )
        return folder

    def _in_folder(self, folder: Path) -> Iterator[Snapshot]:
        for path in sorted(folder.glob("*.json")):
            with suppress(FileNotFoundError):  # deleted in the meantime
                yield _read_sidecar(path)


def _reaching_furthest(known: Sequence[Snapshot], start: pd.Timestamp, end: pd.Timestamp) -> Snapshot | None:
    """Snapshot with most of the span: first how far it goes, then how early it starts, then how new it is."""
    return max(
        known,
        key=lambda item: (min(item.last, end), -max(item.start, start).value, item.retrieved_utc),
        default=None,
    )


def _to_parquet(bars: pd.DataFrame) -> bytes:
    buffer = io.BytesIO()
    bars.to_parquet(buffer, engine="pyarrow", compression="zstd")
    return buffer.getvalue()


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _place(content: bytes, target: Path, *, replace: bool = False) -> None:
    """Put content at ``target``, whole or not at all; a file that is there already stays unless ``replace``."""
    if target.exists() and not replace:
        return
    temporary = target.with_name(f".{os.getpid()}-{secrets.token_hex(8)}.tmp")
    try:
        with temporary.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if replace:
            temporary.replace(target)
        else:
            _link(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)


def _link(temporary: Path, target: Path) -> None:
    """Give the file its name unless the name is taken."""
    try:
        os.link(temporary, target)
    except FileExistsError:
        return
    except OSError:  # a file system without hard links
        if not target.exists():
            temporary.replace(target)


def _read_sidecar(path: Path) -> Snapshot:
    try:
        stated = json.loads(path.read_text(encoding="utf-8"))
        for key in ("start", "end", "first", "last"):
            stated[key] = pd.Timestamp(stated[key]).as_unit("ns")
        stated["retrieved_utc"] = pd.Timestamp(stated["retrieved_utc"]).tz_convert("UTC")
        return Snapshot(**stated, path=path.with_suffix(".parquet"))
    except FileNotFoundError:
        raise
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise SnapshotError(
            f"the snapshot note {path} cannot be read: {error}. "
            f"Delete it and {path.with_suffix('.parquet').name}; the series is then loaded anew."
        ) from error
