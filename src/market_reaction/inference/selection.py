"""Choosing a day by its move: how often chance earns a rank in words, how rare the move is, drift before a day."""

from __future__ import annotations

import numpy as np

from market_reaction.errors import WindowError
from market_reaction.inference.arrays import comparable


def record_lengths(moves: np.ndarray, direction: int) -> np.ndarray:
    """Number of sessions back to the last move at least as large in one direction, for every row.

    Parameters
    ----------
    moves : numpy.ndarray
        Moves by session, shape (T,), oldest first.
    direction : {1, -1}
        Gains or falls.

    Returns
    -------
    numpy.ndarray
        Shape (T,). 1 where the session before was at least as large; the number of sessions with a move so far, this
        one included, where none was; 0 where the move is zero or in the other direction; NaN where there is no move.
        A move that is as large as the one before it is no record.

    Raises
    ------
    WindowError
        ``direction`` is neither 1 nor -1.

    Notes
    -----
    The row's move is the largest of as many sessions as its length. One pass with a stack of the rows that no later
    row has beaten.
    """
    if direction not in (1, -1):
        raise WindowError(f"direction={direction} is not known; give 1 for gains or -1 for falls.")
    signed = (direction * comparable(moves)).tolist()
    lengths = np.cumsum(np.isfinite(moves)).astype(float)
    unbeaten: list[int] = []
    for row, move in enumerate(signed):
        if not move > 0:
            continue
        while unbeaten and signed[unbeaten[-1]] < move:
            unbeaten.pop()
        if unbeaten:
            lengths[row] = row - unbeaten[-1]
        unbeaten.append(row)
    lengths[direction * moves <= 0] = 0.0
    lengths[~np.isfinite(moves)] = np.nan
    return lengths


def record_chance(lengths_pool: np.ndarray, length: float) -> float:
    """Share of pool days that would earn a record of at least ``length`` sessions in one direction.

    Parameters
    ----------
    lengths_pool : numpy.ndarray
        ``record_lengths`` at the pool days, shape (S,); NaN days do not count. Each should have at least ``length``
        sessions before it, else a record may be cut short by the start of the series.
    length : float
        Length of the record at the event.

    Returns
    -------
    float
        NaN without pool days.
    """
    known = lengths_pool[np.isfinite(lengths_pool)]
    return float(np.mean(known >= length)) if len(known) else float("nan")


def record_chance_any(up_lengths: np.ndarray, down_lengths: np.ndarray, length: float) -> float:
    """Share of pool days on which at least one market would earn a record, up or down.

    Parameters
    ----------
    up_lengths, down_lengths : numpy.ndarray
        ``record_lengths`` of gains and of falls at the joint pool days, shape (S, N); markets without a move on a day
        are NaN and do not count, and neither do days without any.
    length : float
        Length of the record at the event.

    Returns
    -------
    float
        NaN without pool days.

    Raises
    ------
    WindowError
        The two have different shapes.
    """
    if up_lengths.shape != down_lengths.shape or up_lengths.ndim != 2:
        raise WindowError(
            f"up_lengths has shape {up_lengths.shape} and down_lengths {down_lengths.shape}; give both as (S, N), one "
            "row a pool day and one column a market."
        )
    longest = np.fmax(up_lengths, down_lengths)
    known = np.isfinite(longest).any(axis=1)
    return float(np.mean((longest[known] >= length).any(axis=1))) if known.any() else float("nan")


def days_at_least_as_large(moves: np.ndarray, position: int, window: int = 250) -> tuple[int, int]:
    """How many of the sessions before a row had a move at least as large, in either direction.

    Parameters
    ----------
    moves : numpy.ndarray
        Moves by session, shape (T,), oldest first.
    position : int
        Row of day 0.
    window : int
        Number of sessions before day 0 to look at; 250 is about a year.

    Returns
    -------
    tuple of int
        Number of sessions at least as large in absolute value, and number of sessions with a move among them. Day 0
        itself is not counted.

    Raises
    ------
    WindowError
        ``position`` is no row of ``moves``, the row has no move, or ``window`` is below 1.
    """
    if not 0 <= position < len(moves) or not np.isfinite(moves[position]):
        raise WindowError(f"position={position} has no move among the {len(moves)} rows; give the row of day 0.")
    if window < 1:
        raise WindowError(f"window={window} holds no session; give the number of sessions before day 0, such as 250.")
    sizes = np.abs(comparable(moves[max(position - window, 0) : position + 1]))
    before = sizes[:-1]
    return int(np.count_nonzero(before >= sizes[-1])), int(np.isfinite(before).sum())


def scaled_drifts(abnormal: np.ndarray, sigma: np.ndarray, rows: np.ndarray, length: int = 5) -> np.ndarray:
    """Drift over the sessions before each row, in units of the volatility known before they began.

    Parameters
    ----------
    abnormal : numpy.ndarray
        Abnormal returns by session, shape (T,), oldest first.
    sigma : numpy.ndarray
        Volatility known at the close before each session, shape (T,), as ``ewma_volatility`` gives it.
    rows : numpy.ndarray
        Rows to treat as day 0, shape (S,).
    length : int
        Number of sessions before day 0 to sum; day 0 is not among them.

    Returns
    -------
    numpy.ndarray
        sum_{k=1..length} abnormal[r-k] / (sigma[r-length] sqrt(length)) for each row r, shape (S,); NaN where a
        session has no abnormal return, the volatility is unknown or zero, or the sessions start before the first row.

    Raises
    ------
    WindowError
        ``abnormal`` and ``sigma`` differ in length, a row lies beyond them, or ``length`` is below 1.

    Notes
    -----
    Ranked among the drifts before pool days this tests for a leak or for earlier news (approximate: drifts before
    neighbouring days overlap, so the pool holds fewer independent values than days). Simulated at 5% under GARCH-t with
    EWMA(0.97), length 5: 5.2% with 500 pool days, 6.3% with 120 (s.e. 0.4).
    """
    if abnormal.shape != sigma.shape or abnormal.ndim != 1:
        raise WindowError(
            f"abnormal has shape {abnormal.shape} and sigma {sigma.shape}; give both by session, shape (T,)."
        )
    if length < 1:
        raise WindowError(f"length={length} holds no session; give the number of sessions before day 0, such as 5.")
    if len(rows) and rows.max() > len(abnormal):
        raise WindowError(f"row {rows.max()} lies beyond the {len(abnormal)} sessions; give rows of abnormal.")
    first = rows - length
    inside = first >= 0
    at = np.where(inside, first, 0)[:, None] + np.arange(length)
    scale = sigma[at[:, 0]]
    known = inside & (scale > 0)
    return np.where(known, abnormal[at].sum(axis=1) / (np.where(known, scale, np.nan) * np.sqrt(length)), np.nan)
