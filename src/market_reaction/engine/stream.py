"""A panel that is larger than memory: blocks of securities from Parquet, one after the other.

A block is a Parquet file in which every security has one row for every session, sorted by security and then session.
The returns of a block are therefore its column of returns, cut into rows of equal length: nothing is pivoted, and the
other columns are not read at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from market_reaction.engine.kernels import abnormal_returns, choose_kernel
from market_reaction.engine.panel import Panel
from market_reaction.engine.results import AbnormalReturns
from market_reaction.errors import WindowError

RETURN = "return"
AT_ONCE = 64  # securities computed at once; their cumulative sums stay near the processor, and memory stays bounded


def read_returns(path: str | Path, sessions: int, *, column: str = RETURN) -> np.ndarray:
    """Read the returns of one block.

    Parameters
    ----------
    path : str or Path
        Parquet file of one block.
    sessions : int
        Sessions T of the panel.
    column : str
        Name of the column of returns, float64.

    Returns
    -------
    numpy.ndarray
        Shape (A, T), float64; NaN where a security did not trade.

    Raises
    ------
    WindowError
        The rows are no whole number of securities, or the file has no such column.
    """
    from pyarrow import parquet

    with parquet.ParquetFile(path, memory_map=True) as file:
        rows = file.metadata.num_rows
        if column not in file.schema_arrow.names:
            names = ", ".join(file.schema_arrow.names)
            raise WindowError(f"{path} has no column {column!r}; it has {names}. Write the block again.")
        if rows % sessions:
            raise WindowError(
                f"{path} has {rows} rows, which is no multiple of {sessions} sessions: a block holds every session of "
                "every security. Write it again."
            )
        values = np.empty(rows)
        at = 0
        for group in range(file.num_row_groups):
            for chunk in file.read_row_group(group, columns=[column], use_threads=False).column(0).chunks:
                values[at : at + len(chunk)] = chunk.to_numpy(zero_copy_only=False)
                at += len(chunk)
    return values.reshape(-1, sessions)


def stream_panels(
    paths: Sequence[str | Path],
    sessions: int,
    *,
    factors: np.ndarray | None = None,
    skip: np.ndarray | None = None,
    at_once: int = AT_ONCE,
) -> Iterator[tuple[int, Panel]]:
    """Go through a panel in files, some securities at a time.

    Parameters
    ----------
    paths : sequence of str or Path
        Blocks in order.
    sessions : int
        Sessions T of the panel.
    factors : array_like, optional
        Returns that all securities share, shape (T,) or (T, k).
    skip : array_like of bool, optional
        Sessions that may not enter an estimation window, shape (T,).
    at_once : int
        Securities of each panel.

    Yields
    ------
    tuple of int and Panel
        Place of the panel's first security in the whole, and the panel. Only one block is in memory.
    """
    first = 0
    for path in paths:
        returns = read_returns(path, sessions)
        for row in range(0, len(returns), at_once):
            yield first + row, Panel(returns[row : row + at_once], factors, skip)
        first += len(returns)


def stream_abnormal_returns(
    paths: Sequence[str | Path],
    sessions: int,
    assets: np.ndarray,
    days: np.ndarray,
    *,
    factors: np.ndarray | None = None,
    skip: np.ndarray | None = None,
    at_once: int = AT_ONCE,
    kernel: str = "auto",
    **options: Any,
) -> Iterator[tuple[np.ndarray, AbnormalReturns]]:
    """Abnormal returns of many events on a panel in files, with bounded memory.

    Parameters
    ----------
    paths, sessions, factors, skip, at_once
        As in ``stream_panels``.
    assets, days : array_like of int
        Security in the whole panel and session of day 0 of each event, shape (n,).
    kernel : {"auto", "gather", "sums"}
        As in ``abnormal_returns``; ``"auto"`` is settled once, so that all events are computed alike.
    **options
        Other arguments of ``abnormal_returns``: model, estimation, windows, lags, leads, paths, threads.

    Yields
    ------
    tuple of numpy.ndarray and AbnormalReturns
        Which events, as places in ``assets``, and what was found for them.

    Raises
    ------
    WindowError
        An event names a security that the files do not have.
    """
    rows, columns = np.asarray(assets), np.asarray(days)
    order = np.argsort(rows, kind="stable")
    placed = rows[order]
    done = 0
    for first, panel in stream_panels(paths, sessions, factors=factors, skip=skip, at_once=at_once):
        inside = order[slice(*np.searchsorted(placed, [first, first + panel.n_assets]))]
        done += len(inside)
        if not len(inside):
            continue
        if kernel == "auto":
            kernel = _settled(panel, len(inside), options)
        yield inside, abnormal_returns(panel, rows[inside] - first, columns[inside], kernel=kernel, **options)
    if done < len(rows):
        raise WindowError(f"{len(rows) - done} events name securities that the files do not have; check their numbers.")


def _settled(panel: Panel, events: int, options: dict[str, Any]) -> str:
    """Kernel for all, from the first securities that have events."""
    known = {name: options[name] for name in ("model", "estimation", "lags", "leads") if name in options}
    return choose_kernel(panel, events, **known)
