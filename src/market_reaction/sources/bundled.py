"""The real daily history that ships with the package: no network, every file checked against the manifest."""

from __future__ import annotations

import csv
import hashlib
import io
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from market_reaction import paths
from market_reaction.errors import DataUnavailableError, SnapshotError
from market_reaction.instruments import Instrument
from market_reaction.prices import PriceSeries, Vintage, build_series

REBUILD = "python tools/build_bundled_data.py FOLDER"


class ManifestRow(NamedTuple):
    """What ``manifest.csv`` says of one file; all text, as it stands there."""

    file: str
    instrument: str
    publisher: str
    origin: str
    licence: str
    terms_note: str
    sha256: str
    first: str
    last: str
    rows: str
    price_basis: str
    retrieved: str


class BundledSource:
    """Daily series from ``data/bundled``.

    Parameters
    ----------
    folder : Path, optional
        Folder with the files and their ``manifest.csv``; the shipped one when left out.

    Attributes
    ----------
    name : str
        ``"bundled"``.
    folder : Path
        Folder that is read.

    Examples
    --------
    >>> from market_reaction.instruments import find_instrument
    >>> start, end = pd.Timestamp("2025-06-10"), pd.Timestamp("2025-06-11")
    >>> series = BundledSource().fetch(find_instrument("USD/CNY"), start, end)
    >>> series.name, series.price_basis
    ('USD/CNY (ECB)', 'fixing')
    """

    name = "bundled"

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = paths.data_dir() / "bundled" if folder is None else Path(folder)

    def fetch(self, instrument: Instrument, start: pd.Timestamp, end: pd.Timestamp) -> PriceSeries:
        """Whole bundled history of the instrument; the same object each time while the file stays as it is.

        Parameters
        ----------
        instrument : Instrument
            What is asked for; its ``bundled`` symbol names the file.
        start, end : pandas.Timestamp
            Session labels wanted; they are named in messages only.

        Returns
        -------
        PriceSeries

        Raises
        ------
        DataUnavailableError
            Nothing is bundled for the instrument (``cause="not offered"``).
        SnapshotError
            The file is missing, or its checksum is not the manifest's.
        """
        manifest = self.folder / "manifest.csv"
        if not instrument.bundled:
            raise _not_offered(instrument, start, end, f"{instrument.name!r} has no bundled series")
        row = _manifest(manifest, _stamp(manifest)).get(instrument.bundled)
        if row is None:
            raise _not_offered(
                instrument,
                start,
                end,
                f"{instrument.name!r} names the bundled series {instrument.bundled!r}, which is not in {manifest}",
            )
        path = self.folder / row.file
        return _series(instrument, path, _stamp(path), row)


def _not_offered(instrument: Instrument, start: pd.Timestamp, end: pd.Timestamp, what: str) -> DataUnavailableError:
    online = f"connect to the network for Yahoo's {instrument.yahoo}, or " if instrument.yahoo else ""
    return DataUnavailableError(
        f"{what}, so {start:%Y-%m-%d} to {end:%Y-%m-%d} cannot be had from it. To get it, {online}"
        "put a CSV or Parquet file of it into a folder and use source='files', folder=...",
        symbol=instrument.bundled or instrument.name,
        cause="not offered",
    )


def _stamp(path: Path) -> int:
    """Modification time in nanoseconds; part of each cache key, so that a changed file is read and checked again."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        raise SnapshotError(f"{path} is missing. {_mend(path)}") from None


def _mend(path: Path) -> str:
    return (
        f"Restore it (git checkout data/bundled/{path.name}, or install the package again), "
        f"or rebuild the folder: {REBUILD}."
    )


@cache
def _manifest(path: Path, stamp: int) -> dict[str, ManifestRow]:
    """Rows of the manifest by file stem."""
    table = csv.DictReader(path.read_text(encoding="utf-8").splitlines())
    lacking = [field for field in ManifestRow._fields if field not in (table.fieldnames or ())]
    if lacking:
        raise SnapshotError(f"{path} lacks the columns {', '.join(lacking)}. {_mend(path)}")
    rows = [ManifestRow(*(line[field] for field in ManifestRow._fields)) for line in table]
    return {Path(row.file).stem: row for row in rows}


@cache
def _series(instrument: Instrument, path: Path, stamp: int, row: ManifestRow) -> PriceSeries:
    """Series of one file, after its checksum was compared."""
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    if digest != row.sha256:
        raise SnapshotError(
            f"{path} has sha256 {digest[:12]} and the manifest says {row.sha256[:12]}: it is not the file that was "
            f"published. {_mend(path)}"
        )
    bars = pd.read_csv(io.BytesIO(content), index_col="date", parse_dates=["date"])
    vintage = Vintage(
        source=BundledSource.name,
        symbol=path.stem,
        retrieved_utc=pd.Timestamp(row.retrieved, tz="UTC"),
        first=bars.index[0],
        last=bars.index[-1],
        rows=len(bars),
        sha256=digest,
        detail=f"{row.publisher}; {row.origin}",
    )
    built = build_series(instrument, bars, source=BundledSource.name, price_basis=row.price_basis, vintage=vintage)
    days = built.sessions
    return replace(built, vintage=replace(vintage, first=days[0], last=days[-1], rows=len(days)))
