"""Downloaded series kept on disk, written once: which values a result used, and the same values next year.

The files of a symbol are in ``root/source/symbol/``. The note of a snapshot is written last and marks it as complete.
Nothing is ever appended or changed: adjusted and rolled histories are restated, so a wider range is a new snapshot.

The name of a file holds the checksum of its content, so two processes that fetch the same thing at once write the same
file, and the first note wins.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime
from pathlib import Path

import pandas as pd

from market_reaction.errors import SnapshotError
from market_reaction.snapshot_files import checksum, folder_name, from_parquet, place, sweep, to_parquet
from market_reaction.snapshots import FRESH, CloseOf, Snapshot, as_of_instant, covers, note_of, read_note


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
        content = to_parquet(bars)
        digest = checksum(content)
        retrieved_utc = retrieved_utc.tz_convert("UTC")
        mark = checksum(f"{interval} {price_basis} {digest}".encode())[:16]
        stem = f"{retrieved_utc.floor(FRESH):%Y%m%dT%H%MZ}_{start:%Y%m%d}_{end:%Y%m%d}_{mark}"
        folder = self._folder(source, symbol)
        snapshot = Snapshot(
            source, symbol, interval, price_basis, start, end, retrieved_utc, first=closed[0], last=closed[-1],
            rows=len(bars), sha256=digest, detail=detail, meta=dict(meta or {}), path=folder / f"{stem}.parquet",
        )  # fmt: skip
        try:
            folder.mkdir(parents=True, exist_ok=True)
            sweep(folder, pd.Timestamp.now("UTC"))
            changed = snapshot.path.exists() and checksum(snapshot.path.read_bytes()) != digest
            place(content, snapshot.path, replace=changed)
            place(note_of(snapshot).encode(), snapshot.sidecar)
        except OSError as error:
            raise SnapshotError(
                f"the snapshot of {symbol!r} from {source} cannot be written to {folder}: {error}. "
                "Free the folder, or set MARKET_REACTION_SNAPSHOTS to one that can be written to."
            ) from error
        return read_note(snapshot.sidecar)

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
        digest = checksum(content)
        if digest != snapshot.sha256:
            raise SnapshotError(
                f"the snapshot {path} was changed or is not whole: its sha256 is {digest}, "
                f"and {snapshot.sidecar.name} says {snapshot.sha256}. {next_step}"
            )
        return from_parquet(content)

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
                yield read_note(path)


def _reaching_furthest(known: Sequence[Snapshot], start: pd.Timestamp, end: pd.Timestamp) -> Snapshot | None:
    """Snapshot with most of the span: first how far it goes, then how early it starts, then how new it is."""
    return max(
        known,
        key=lambda item: (min(item.last, end), -max(item.start, start).value, item.retrieved_utc),
        default=None,
    )
