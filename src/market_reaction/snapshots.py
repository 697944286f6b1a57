"""What a snapshot of a downloaded series is, what the note beside it says, and which questions it answers.

A snapshot is a Parquet file and a small JSON beside it, the note: what was asked for, when, and the checksum of the
Parquet file. ``snapshot_store`` writes, finds and reads them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from pathlib import Path

import numpy as np
import pandas as pd

from market_reaction.errors import SnapshotError

CloseOf = Callable[[pd.DatetimeIndex], pd.DatetimeIndex]

# Two retrievals of the same values within this time are one snapshot, and a source is not asked again within it.
FRESH = pd.Timedelta(minutes=10)
# A source may publish a row this long after the close; until then a missing row may still come.
LATE = pd.Timedelta(hours=6)

_DAY = pd.Timedelta(days=1)


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


def note_of(snapshot: Snapshot) -> str:
    """Text of the JSON beside a stored series; ``read_note`` reads it.

    Parameters
    ----------
    snapshot : Snapshot
        What it says; the path is not part of it.

    Returns
    -------
    str
    """
    stated = asdict(snapshot)
    del stated["path"]
    for key in ("start", "end"):
        stated[key] = f"{stated[key]:%Y-%m-%d}"
    for key in ("first", "last", "retrieved_utc"):
        stated[key] = stated[key].isoformat()
    return json.dumps(stated, indent=1, ensure_ascii=True)


def read_note(path: Path) -> Snapshot:
    """What the JSON beside a stored series says.

    Parameters
    ----------
    path : pathlib.Path
        The JSON file.

    Returns
    -------
    Snapshot

    Raises
    ------
    FileNotFoundError
        The file is not there.
    SnapshotError
        It is there and cannot be read.
    """
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


def as_of_instant(as_of: str | date | datetime | pd.Timestamp) -> pd.Timestamp:
    """UTC instant up to which snapshots count.

    Parameters
    ----------
    as_of : str, datetime.date, datetime.datetime or pandas.Timestamp
        An instant; a date without a time means the end of that UTC day, a time without a zone is taken to be UTC.

    Returns
    -------
    pandas.Timestamp

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
