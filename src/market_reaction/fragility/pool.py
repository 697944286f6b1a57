"""The whole grid on the placebo days of one market, and what chance makes of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from market_reaction.design import Counterfactual
from market_reaction.engine.placebo import joint_ranks, own_spread
from market_reaction.fragility.curves import STATISTICS, curve_statistics, normal_scores, sorted_band
from market_reaction.fragility.estimates import Estimates, estimate
from market_reaction.fragility.grid import Grid
from market_reaction.fragility.plan import MarketInputs
from market_reaction.inference.placebo import PlaceboRank, latest_distinct, placebo_rank
from market_reaction.inference.power import placebo_mde
from market_reaction.placebo import MarketMoves, clear_windows, pool_gap, pseudo_sessions
from market_reaction.sessions import SessionClock, sessions_holding
from market_reaction.windows import Window


@dataclass(frozen=True, slots=True, eq=False)
class CurvePlacebo:
    """Placebo of one market's curve.

    Attributes
    ----------
    event : mapping of str to float
        ``"median"``, ``"share"`` and ``"mean_z"`` at the event, signed.
    scaled, plain : mapping of str to PlaceboRank
        Ranks of each among the placebo days: brought to the volatility of the event (the headline), and as they are.
    pool : mapping of str to numpy.ndarray
        The scaled statistics on the placebo days, signed, latest first, shape (S,).
    sessions : pandas.DatetimeIndex
        Headline session of each placebo day.
    band : numpy.ndarray
        Lower and upper 5% of the sorted scaled placebo curves at each place of the order, shape (K, 2); empty below two
        days.
    mde : float
        Shift of every estimate that the placebo of the median finds with 80% power.
    n_incomplete, n_left_out : int
        Placebo days without one of the specifications, and those an excluded event fell into.
    """

    event: Mapping[str, float]
    scaled: Mapping[str, PlaceboRank]
    plain: Mapping[str, PlaceboRank]
    pool: Mapping[str, np.ndarray]
    sessions: pd.DatetimeIndex
    band: np.ndarray
    mde: float
    n_incomplete: int
    n_left_out: int


def whole_span(grid: Grid, offsets: Sequence[int]) -> Window:
    """First and last offset from the headline session that any specification touches."""
    low, high = grid.span
    return low + min(0, *offsets), high + max(0, *offsets)


def pseudo_positions(
    event: pd.Series, markets: Mapping[str, MarketInputs], grid: Grid, exclude: pd.DataFrame | None, history: int
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Headline session of every usable pseudo-announcement in each market, and which sessions a pool may hold."""
    moves: dict[str, MarketMoves] = {}
    offsets = [by for inputs in markets.values() for by in inputs.offsets.values()]
    span = whole_span(grid, [0, *offsets])
    for name, inputs in markets.items():
        clock = SessionClock.of(inputs.series)
        kind = next(iter(inputs.arrays.moves))
        held = ~sessions_holding(clock, exclude)
        rows = np.arange(len(held))
        moves[name] = MarketMoves(
            clock, inputs.arrays.moves[kind], Counterfactual("constant_mean", inputs.arrays.moves[kind]),
            inputs.arrays.sigma[kind], clear_windows(held, rows, span),
        )  # fmt: skip
    gap = pool_gap(span, (0, -min(grid.gap) - 1))
    longest = max(grid.gap) + max(grid.length) - min(0, *offsets, 0)
    day_zero = {name: inputs.where.position for name, inputs in markets.items()}
    mapped = pseudo_sessions(event, moves, day_zero, (-longest, -gap), 2 * history)  # some lack a specification
    return {name: (at, moves[name].usable) for name, at in zip(markets, mapped, strict=True)}


def brought_to(event: Estimates, pool: Estimates) -> np.ndarray:
    """Estimates on placebo days times the volatility of the event over that of the day, shape (n, K)."""
    scaled: np.ndarray = pool.car * (event.sigma / pool.sigma)
    return scaled


@dataclass(frozen=True, slots=True, eq=False)
class PoolDays:
    """Sessions of one market that pseudo-announcements come to.

    Attributes
    ----------
    at : numpy.ndarray
        Headline session of each usable pseudo-announcement, latest first, shape (S,).
    sessions, left_out : numpy.ndarray
        Distinct sessions that a pool may hold, latest first, and those an excluded event fell into.
    count : int
        Rows of the series.
    history : int
        Distinct sessions the pool aims at.
    """

    at: np.ndarray
    sessions: np.ndarray
    left_out: np.ndarray
    count: int
    history: int

    @classmethod
    def of(cls, at: np.ndarray, usable: np.ndarray, history: int) -> PoolDays:
        """Sort out which sessions count; ``usable`` has shape (T,)."""
        distinct = latest_distinct(at, len(at))
        distinct = distinct[distinct < len(usable)]
        return cls(at, distinct[usable[distinct]], distinct[~usable[distinct]], len(usable), history)

    @property
    def first(self) -> np.ndarray:
        """Sessions to try first: what is wanted, and some to spare for incomplete ones."""
        return self.sessions[: max(60, int(1.1 * self.history))]


def market_placebo(
    inputs: MarketInputs, table: pd.DataFrame, event: Estimates, first: Estimates, days: PoolDays
) -> tuple[CurvePlacebo, dict[str, np.ndarray]]:
    """Run the grid on the placebo days of one market.

    Parameters
    ----------
    table : pandas.DataFrame
        Specifications of the market, K rows.
    event, first : Estimates
        Their estimates at the event, one row, and on ``days.first``.
    days : PoolDays
        Sessions of the pseudo-announcements.

    Returns
    -------
    CurvePlacebo
    dict of str to numpy.ndarray
        Scaled statistics at every pseudo-announcement, for the joint ranks, shape (S,); NaN where one is incomplete.
    """
    kept, incomplete, pool = _complete(inputs, table, event, first, days)
    history = days.history
    scaled = brought_to(event, pool)
    statistics = curve_statistics(scaled, normal_scores(scaled / event.std_error, event.df)) if len(scaled) else _none()
    own = curve_statistics(event.car, normal_scores(event.car / event.std_error, event.df))
    found = {name: float(values[0]) for name, values in own.items()}
    whole = np.isfinite(pool.car / pool.std_error).all(axis=1)
    plain = _plain(pool.at(whole)) if whole.any() else _none()
    placebo = CurvePlacebo(
        event=found,
        scaled={name: placebo_rank(found[name], values[:history]) for name, values in statistics.items()},
        plain={name: placebo_rank(found[name], values[:history]) for name, values in plain.items()},
        pool={name: values[:history] for name, values in statistics.items()},
        sessions=inputs.series.sessions[kept[:history]],
        band=sorted_band(scaled[:history]) if len(scaled) > 1 else np.empty((0, 2)),
        mde=placebo_mde(statistics["median"][:history], 1.0),
        n_incomplete=incomplete,
        n_left_out=int((days.left_out > kept[:history][-1]).sum()) if len(kept) else len(days.left_out),
    )
    by_session = {name: np.full(days.count + 1, np.nan) for name in STATISTICS}
    for name, values in statistics.items():
        by_session[name][kept] = values
    return placebo, {name: values[np.minimum(days.at, days.count)] for name, values in by_session.items()}


def _complete(
    inputs: MarketInputs, table: pd.DataFrame, event: Estimates, first: Estimates, days: PoolDays
) -> tuple[np.ndarray, int, Estimates]:
    """Latest sessions that have every specification, how many were passed over for lack of one, and the estimates."""
    blocks, parts, found = [days.first], [], first
    kept: list[np.ndarray] = []
    incomplete = count = done = 0
    while True:
        complete = np.isfinite(brought_to(event, found)).all(axis=1)
        parts.append(found.at(complete))
        kept.append(blocks[-1][complete])
        wanted = np.flatnonzero(complete)[: days.history - count]
        count += len(wanted)
        incomplete += int((~complete[: wanted[-1] + 1 if count == days.history else None]).sum())
        done += len(blocks[-1])
        if count == days.history or done == len(days.sessions):
            break
        blocks.append(days.sessions[done : done + max(60, int(1.1 * (days.history - count)))])
        found = estimate(inputs.arrays, table, blocks[-1], inputs.offsets)
    together = Estimates(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))
    return np.concatenate(kept), incomplete, together


def _plain(pool: Estimates) -> dict[str, np.ndarray]:
    return curve_statistics(pool.car, normal_scores(pool.car / pool.std_error, pool.df))


def _none() -> dict[str, np.ndarray]:
    return {name: np.empty(0) for name in STATISTICS}


def joint_curves(
    event: Sequence[CurvePlacebo], statistics: Sequence[Mapping[str, np.ndarray]], positions: np.ndarray, history: int
) -> dict[str, Mapping[str, PlaceboRank]]:
    """Joint ranks over markets of each statistic, the markets kept together on every placebo day.

    Parameters
    ----------
    event : sequence of CurvePlacebo
        One a market, N of them, at least two.
    statistics : sequence of mapping
        Scaled statistics of each market at the pseudo-announcements, as ``market_placebo`` gives them.
    positions : numpy.ndarray
        Headline session of each pseudo-announcement in each market, shape (S, N).
    """
    result: dict[str, Mapping[str, PlaceboRank]] = {}
    for name in STATISTICS:
        pool = np.column_stack([values[name] for values in statistics])
        own = np.array([placebo.event[name] for placebo in event])
        result[name] = joint_ranks(own, pool, positions, own_spread(pool, positions, history), count=history).ranks
    return result
