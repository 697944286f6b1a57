"""Panels written to disk: from a user's data, from the bundled shares, or generated."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Literal, get_args

import numpy as np
import pandas as pd

from market_reaction.engine.stream import AT_ONCE
from market_reaction.errors import ScaleError
from market_reaction.instruments import find_instrument
from market_reaction.prices import PriceData, moves_between
from market_reaction.scale import layout
from market_reaction.scale.dataset import TABLES, PanelDataset, open_panel
from market_reaction.scale.readers import Row, Values, on_open_days, read_rows

RETURNS = ("log", "simple")
BLOCK_BYTES = 32_000_000  # returns of a block, as float64
_FIRST_DAY, _DAYS = np.datetime64("1800-01-01", "D"), 150_000  # sessions a panel may have: until 2210


def write_panel(
    source: object,
    folder: str | Path | None = None,
    *,
    values: Values = "close",
    returns: Literal["log", "simple"] = "log",
    market: str | None = None,
    factors: pd.DataFrame | PriceData | None = None,
    block: int | None = None,
    adjusted: bool = True,
    overwrite: bool = False,
    label: str = "",
) -> PanelDataset:
    """Write the returns of many securities as a panel that ``run`` can read.

    Parameters
    ----------
    source : object
        A long frame (columns asset, session, close; other usual names such as ticker and date are known); a wide frame
        with sessions as its index and a column for each security; ``PriceData``; a folder with one price file for each
        security, as ``load_prices(source="files")`` reads them; one CSV or Parquet file that is a long table; or an
        iterable of long frames, each with whole securities, or of pairs (name, series), for more than memory holds.
    folder : str or Path, optional
        Folder to write to; one that goes with this process when left out.
    values : {"close", "return"}
        What the source holds; returns are decimals.
    returns : {"log", "simple"}
        Kind of return to make of closes, or that the source holds.
    market : str, optional
        Instrument with the closing clock and the calendar of all securities, such as ``"S&P 500"``: it gives every
        announcement its session. That of the first series where the source is ``PriceData``.
    factors : DataFrame or PriceData, optional
        Returns by session that all share, a column each (decimals of the same kind); or series to take them from.
    block : int, optional
        Securities of a file; as many as make 32 MB of returns when left out.
    adjusted : bool
        Take the adjusted close of a price file that has one.
    overwrite : bool
        Replace a panel that is there.
    label : str
        What the data is, in a few words; kept in ``panel.json``.

    Returns
    -------
    PanelDataset

    Raises
    ------
    ScaleError
        A column is missing, a security or a session is given twice, no security has two sessions, or the folder holds a
        panel already.

    Notes
    -----
    The sessions of the panel are all days on which a security has a value: one panel is for securities of one market.
    Rows on days on which the calendar of ``market`` is closed are left out, or one wrong date would be a session of
    all. Securities that were delisted belong in a panel, or its results are those of survivors.
    A return is from the security's own last close, however long ago; a session without a close has none.
    """
    for name, given, choices in (("values", values, get_args(Values)), ("returns", returns, RETURNS)):
        if given not in choices:
            raise ScaleError(f"{name}={given!r} is not known; choose {' or '.join(map(repr, choices))}.")
    if isinstance(source, PriceData) and values == "return":
        raise ScaleError("price data holds closes; leave out values.")
    if isinstance(source, PriceData) and market is None and len(source):
        market = next(iter(source)).instrument.name
    clock = find_instrument(market) if market else None
    about = {"returns": returns, "market": clock.name if clock else "", "source": label, "generated": False}
    rows = on_open_days(read_rows(source, values, clock, adjusted), clock)
    return write_rows(rows, folder, about, values=values, factors=factors, block=block, overwrite=overwrite)


def write_rows(
    rows: Iterator[Row],
    folder: str | Path | None,
    about: dict[str, Any],
    *,
    values: Values,
    factors: pd.DataFrame | PriceData | None,
    block: int | None,
    overwrite: bool,
) -> PanelDataset:
    """Write securities that come one at a time; the first pass keeps them in a draft file and collects the sessions."""
    if block is not None and block < 1:
        raise ScaleError(f"block={block}: a file holds at least 1 security. Leave it out for files of 32 MB.")
    place = layout.folder_or_temporary(folder)
    _check_room(place, overwrite)
    with layout.locked(place), tempfile.TemporaryFile(dir=place) as spool:
        index, days, excluded = _spooled(rows, spool, values, about["returns"])
        tables = {layout.SESSIONS_FILE: pd.DataFrame({"session": days})}
        if factors is not None:
            tables[layout.FACTORS_FILE] = _factor_table(factors, days, about["returns"])
        _make_room(place)  # what may be refused was read by now
        size = block if block is not None else max(1, BLOCK_BYTES // (8 * len(days)))
        blocks, assets = [], []
        for number, first in enumerate(range(0, len(index), size)):
            part = index[first : first + size]
            panel = _panel_of(part, spool, days)
            name = layout.block_name(number)
            _write_block(place / name, [name for name, _, _ in part], days, panel)
            known = {"number": number, "file": name, "first": first, "securities": len(part)}
            blocks.append(known | {"sha256": layout.digest(place / name)})
            assets.append(_described(part, number, panel, days))
    tables[layout.ASSETS_FILE] = pd.concat(assets)
    tables[layout.EXCLUDED_FILE] = pd.DataFrame(excluded, columns=["asset", "n_rows", "reason"])
    for name, table in tables.items():
        _write_frame(place / name, table)
    sums = {name: layout.digest(place / name) for name in tables}
    content = {"format": layout.FORMAT, "about": about, "tables": sums, "blocks": blocks}
    layout.write_json(place / layout.PANEL_FILE, content)
    return open_panel(place)


def _check_room(place: Path, overwrite: bool) -> None:
    """Refuse to write over a panel, or over files of the same names, unless that is wanted."""
    if overwrite:
        return
    if (place / layout.PANEL_FILE).exists():
        raise ScaleError(
            f"{str(place)!r} holds a panel already. Open it with scale.open_panel, give another folder, or replace "
            "it with overwrite=True."
        )
    taken = [name for name in (*TABLES, layout.BLOCKS) if (place / name).exists()]
    if taken:
        raise ScaleError(
            f"{str(place)!r} holds {', '.join(taken)} and no panel. Give another folder; or, where a panel was cut "
            "short there, replace it with overwrite=True."
        )


def _make_room(place: Path) -> None:
    """Take an old panel away, its ``panel.json`` first."""
    (place / layout.PANEL_FILE).unlink(missing_ok=True)
    for old in (*(place / layout.BLOCKS).glob("block-*.parquet"), *(place / name for name in TABLES)):
        old.unlink(missing_ok=True)
    layout.sweep(place / layout.BLOCKS)
    (place / layout.BLOCKS).mkdir(exist_ok=True)


Entry = tuple[str, int, int]  # name, place in the draft file, number of sessions


def _spooled(
    rows: Iterator[Row], spool: IO[bytes], values: Values, kind: str
) -> tuple[list[Entry], np.ndarray, list[dict[str, Any]]]:
    """Write days and returns of every security; give their places, all sessions, and what is left out."""
    seen = np.zeros(_DAYS, dtype=bool)
    index: list[Entry] = []
    excluded: list[dict[str, Any]] = []
    names: set[str] = set()
    for row in rows:
        if row.name in names and row.name:
            raise ScaleError(f"security {row.name!r} is given twice. Give all its rows at once, and each name once.")
        names.add(row.name)
        excluded += [{"asset": row.name, "n_rows": count, "reason": why} for why, count in row.left_out.items()]
        if len(row.days) < 2:
            if not row.left_out:
                excluded.append({"asset": row.name, "n_rows": 0, "reason": f"{len(row.days)} sessions; 2 are needed"})
            continue
        moves, lost, why = _moves(row, values, kind)
        if lost:
            excluded.append({"asset": row.name, "n_rows": lost, "reason": why})
        numbers = (row.days.astype("datetime64[D]") - _FIRST_DAY).astype(np.int64)
        if numbers[0] < 0 or numbers[-1] >= _DAYS:
            raise ScaleError(
                f"sessions of {row.name!r} reach from {row.days[0]} to {row.days[-1]}; a panel holds the years 1800 to "
                "2209. Mend the dates, or leave out rows that are none."
            )
        seen[numbers] = True
        index.append((row.name, spool.tell(), len(numbers)))
        spool.write(numbers.tobytes())
        spool.write(np.ascontiguousarray(moves, dtype=float).tobytes())
    if not index:
        reasons = "; ".join(f"{row['asset']}: {row['reason']}" for row in excluded[:3])
        raise ScaleError(f"no security has two sessions with a value ({reasons or 'the source is empty'}).")
    return index, _FIRST_DAY + np.flatnonzero(seen), excluded


def _moves(row: Row, values: Values, kind: str) -> tuple[np.ndarray, int, str]:
    """Returns of a security, how many are none, and why."""
    if values == "close":
        moves = moves_between(row.numbers, kind)
        return moves, int(np.isnan(moves[1:]).sum()), "no return: a level at or below zero"
    if kind == "log":
        return row.numbers, 0, ""
    lost = row.numbers < -1  # some sources write codes such as -66 for returns they do not have
    return np.where(lost, np.nan, row.numbers), int(lost.sum()), "no return: a simple return below -100%"


def _panel_of(part: list[Entry], spool: IO[bytes], days: np.ndarray) -> np.ndarray:
    """Returns of some securities on all sessions, shape (A, T)."""
    panel = np.full((len(part), len(days)), np.nan)
    sessions = (days - _FIRST_DAY).astype(np.int64)
    for row, (_, at, count) in enumerate(part):
        spool.seek(at)
        own = np.frombuffer(spool.read(8 * count), dtype=np.int64)
        panel[row, np.searchsorted(sessions, own)] = np.frombuffer(spool.read(8 * count))
    return panel


def _write_block(path: Path, names: list[str], days: np.ndarray, panel: np.ndarray) -> None:
    """Write the returns of a block in long form, sorted by security and session."""
    import pyarrow as pa

    codes = np.repeat(np.arange(len(names), dtype=np.int32), len(days))
    columns = {
        "asset": pa.DictionaryArray.from_arrays(pa.array(codes), pa.array(names)),
        "session": pa.array(np.tile(days, len(names))),
        "return": pa.array(panel.ravel()),
    }
    layout.write_table(
        path, pa.table(columns), row_group_size=AT_ONCE * len(days), use_dictionary=["asset"],
        compression={"asset": "zstd", "session": "zstd", "return": "none"},
        column_encoding={"session": "DELTA_BINARY_PACKED"},
    )  # fmt: skip


def _described(part: list[Entry], number: int, panel: np.ndarray, days: np.ndarray) -> pd.DataFrame:
    """Name, block, span and number of returns of each security."""
    known = np.isfinite(panel)
    has = known.any(axis=1)
    first, last = known.argmax(axis=1), len(days) - 1 - known[:, ::-1].argmax(axis=1)
    nat = np.datetime64("NaT", "D")
    return pd.DataFrame(
        {
            "asset": [name for name, _, _ in part],
            "block": number,
            "first": np.where(has, days[first], nat).astype("datetime64[s]"),
            "last": np.where(has, days[last], nat).astype("datetime64[s]"),
            "n_returns": known.sum(axis=1),
        }
    )


def _factor_table(factors: pd.DataFrame | PriceData, days: np.ndarray, kind: str) -> pd.DataFrame:
    """Returns of the factors on the sessions of the panel; NaN where a factor has none."""
    if isinstance(factors, PriceData):
        moves = {s.name: pd.Series(s.returns(kind), index=s.sessions) for s in factors}  # type: ignore[arg-type]
        factors = pd.DataFrame(moves)
    sessions = pd.DatetimeIndex(days).as_unit("ns")
    table = factors.set_axis(pd.DatetimeIndex(factors.index).as_unit("ns"), axis=0).reindex(sessions).astype(float)
    empty = [str(name) for name in table if table[name].isna().all()]
    if empty:
        raise ScaleError(f"factors {', '.join(empty)} have no return on any session of the panel; give others.")
    return table.set_axis([str(name) for name in table], axis=1).rename_axis("session").reset_index()


def _write_frame(path: Path, frame: pd.DataFrame) -> None:
    import pyarrow as pa

    layout.write_table(path, pa.Table.from_pandas(frame, preserve_index=False))
