"""Placebo-in-time over several markets at once: positions of pseudo-announcements in, pools and joint ranks out.

Every market has a panel of its own, because it has sessions of its own; a pseudo-announcement is a row of positions,
one in each market. The ranks are those of ``inference.placebo``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from market_reaction.engine.kernels import abnormal_returns, as_windows
from market_reaction.engine.panel import Panel
from market_reaction.errors import WindowError
from market_reaction.inference.placebo import PlaceboRank, joint_statistics, placebo_rank

Window = tuple[int, int]


@dataclass(frozen=True, slots=True, eq=False)
class JointRanks:
    """Joint placebo of one statistic over N markets.

    Attributes
    ----------
    event : numpy.ndarray
        Signed statistic of each market at the event over the spread of its own pool, shape (N,).
    pool : numpy.ndarray
        The same at the pseudo-announcements that count, latest first, shape (S, N).
    rows : numpy.ndarray
        Which of the pseudo-announcements given these are, shape (S,).
    ranks : mapping of str to PlaceboRank
        ``"maximum"``, ``"quadratic"`` and, with signs, ``"signed_mean"``.
    """

    event: np.ndarray
    pool: np.ndarray
    rows: np.ndarray
    ranks: Mapping[str, PlaceboRank]


def scaled_cars(
    panels: Sequence[Panel],
    positions: np.ndarray,
    scales: Sequence[np.ndarray],
    *,
    windows: Sequence[Window] = ((0, 0),),
    model: str = "constant_mean",
    estimation: Window = (-130, -11),
    kernel: str = "auto",
) -> np.ndarray:
    """CAR over current volatility, sigma_t sqrt(m), at many pseudo-announcements in several markets.

    Parameters
    ----------
    panels : sequence of Panel
        One a market, of one security each, N of them.
    positions : numpy.ndarray
        Session to treat as day 0 in each market, shape (S, N); beyond the panel it gives NaN.
    scales : sequence of numpy.ndarray
        Volatility of each market known before each of its sessions, shape (T,) each.
    windows, model, estimation, kernel
        As in ``abnormal_returns``.

    Returns
    -------
    numpy.ndarray
        Shape (S, N, w); NaN where a market has no abnormal return or no volatility.
    """
    positions, windows = _checked_positions(panels, positions, scales), as_windows(windows)
    lengths = np.sqrt([last - first + 1 for first, last in windows])
    result = np.empty((*positions.shape, len(windows)))
    for market, (panel, scale) in enumerate(zip(panels, scales, strict=True)):
        days, inverse = np.unique(positions[:, market], return_inverse=True)
        found = abnormal_returns(
            panel, np.zeros(len(days), dtype=np.intp), days, model=model, estimation=estimation, windows=windows,
            kernel=kernel, paths=False, outside="nan",
        )  # fmt: skip
        inside = (days >= 0) & (days < panel.n_sessions)
        sigma = np.where(inside, scale[np.where(inside, days, 0)], np.nan)
        sigma = np.where(sigma > 0, sigma, np.nan)
        result[:, market] = (found.car / (sigma[:, None] * lengths))[inverse]
    return result


def own_spread(statistics: np.ndarray, positions: np.ndarray, count: int) -> np.ndarray:
    """Standard deviation of each market's own pool: its latest ``count`` distinct sessions with a statistic.

    Parameters
    ----------
    statistics, positions : numpy.ndarray
        Shape (S, N).

    Returns
    -------
    numpy.ndarray
        Shape (N,); NaN where a market has fewer than two.
    """
    result = np.full(statistics.shape[1], np.nan)
    for market in range(len(result)):
        _, first = np.unique(positions[:, market], return_index=True)
        values = statistics[np.sort(first), market]
        values = values[np.isfinite(values)][:count]
        result[market] = values.std(ddof=1) if len(values) > 1 else np.nan
    return result


def joint_ranks(
    event: np.ndarray,
    statistics: np.ndarray,
    positions: np.ndarray,
    scale: np.ndarray,
    *,
    count: int = 500,
    signs: np.ndarray | None = None,
) -> JointRanks:
    """Joint ranks over several markets; only pseudo-announcements complete in all count, each set of sessions once.

    Parameters
    ----------
    event : numpy.ndarray
        Signed statistic of each market at the event, shape (N,).
    statistics, positions : numpy.ndarray
        The same at the pseudo-announcements, latest first, and their session in each market, shape (S, N).
    scale : numpy.ndarray
        Spread of each market's own pool, shape (N,). Where one is zero or NaN there is no p, and the note says why.
    count : int
        Pseudo-announcements to use at most.
    signs : numpy.ndarray, optional
        Direction expected of each market, as ``joint_statistics`` takes it.
    """
    flat = ~(scale > 0)
    if flat.any():
        event, statistics = np.full(len(scale), np.nan), statistics[:0]
        positions, scale = positions[:0], np.where(flat, 1.0, scale)
    complete = np.flatnonzero(np.isfinite(statistics).all(axis=1))
    marked = np.column_stack([positions[complete], complete])
    kept = _first_of_each(marked)[:count]
    pool = statistics[kept]
    found = joint_statistics(event, pool, scale, signs)
    ranks = {name: placebo_rank(value, values) for name, (value, values) in found.items()}
    if flat.any():
        reason = f"in {flat.sum()} of {len(flat)} markets the statistic does not vary over the pseudo-announcements"
        ranks = {name: rank.void(reason) for name, rank in ranks.items()}
    return JointRanks(event / scale, pool / scale, kept, ranks)


def joint_placebo(
    panels: Sequence[Panel],
    day_zero: np.ndarray,
    positions: np.ndarray,
    scales: Sequence[np.ndarray],
    *,
    windows: Sequence[Window] = ((0, 0),),
    model: str = "constant_mean",
    estimation: Window = (-130, -11),
    count: int = 500,
    signs: np.ndarray | None = None,
) -> dict[Window, JointRanks]:
    """Joint placebo test of one event for several event windows.

    Parameters
    ----------
    panels, positions, scales, windows, model, estimation
        As in ``scaled_cars``.
    day_zero : numpy.ndarray
        Session of the event in each market, shape (N,).
    count, signs
        As in ``joint_ranks``.

    Returns
    -------
    dict of tuple of int to JointRanks
        By window. For (0, 0) the statistic is that of ``market_reaction.placebo_test``.

    Notes
    -----
    T = CAR / (sigma sqrt(m)), sigma the volatility known before day 0, so that calm and volatile days compare. Windows
    of neighbouring pseudo-announcements overlap where m > 1: p is then a little too small (size about 6 to 7.5% at 5%
    for m = 6).
    """
    windows = as_windows(windows)
    both = np.vstack([np.asarray(day_zero)[None], positions])
    found = scaled_cars(panels, both, scales, windows=windows, model=model, estimation=estimation)
    event, pool = found[0], found[1:]
    return {
        (int(window[0]), int(window[1])): joint_ranks(
            event[:, at], pool[:, :, at], positions, own_spread(pool[:, :, at], positions, count), count=count,
            signs=signs,
        )
        for at, window in enumerate(windows)
    }  # fmt: skip


def _first_of_each(marked: np.ndarray) -> np.ndarray:
    """Last column of the first row of each distinct set of sessions, in the order of the rows."""
    if len(marked) == 0:
        return np.empty(0, dtype=np.intp)
    sessions = marked[:, :-1]
    order = np.lexsort(sessions.T)
    new = np.ones(len(order), dtype=bool)
    new[1:] = (sessions[order[1:]] != sessions[order[:-1]]).any(axis=1)
    starts = np.flatnonzero(new)
    first = np.minimum.reduceat(order, starts)
    return marked[np.sort(first), -1]


def _checked_positions(panels: Sequence[Panel], positions: np.ndarray, scales: Sequence[np.ndarray]) -> np.ndarray:
    """Positions as integers, one column a panel, with a scale for every session."""
    found = np.asarray(positions)
    if found.ndim != 2 or found.shape[1] != len(panels) or found.dtype.kind not in "iu":
        raise WindowError(
            f"positions has shape {found.shape} and type {found.dtype}; give integers of shape (pseudo-announcements, "
            f"{len(panels)}), one column a panel."
        )
    if len(scales) != len(panels):
        raise WindowError(f"scales holds {len(scales)} arrays for {len(panels)} panels; give one for each.")
    for number, (panel, scale) in enumerate(zip(panels, scales, strict=True)):
        if panel.n_assets != 1 or scale.shape != (panel.n_sessions,):
            raise WindowError(
                f"market {number} has {panel.n_assets} securities, {panel.n_sessions} sessions and a scale of shape "
                f"{scale.shape}; give panels of one security and a volatility for each session."
            )
    return found
