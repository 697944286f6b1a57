"""Placebo-in-time over pseudo-announcements, each mapped through the clocks of every market.

A pseudo-announcement is an instant, never "the same row": one per weekday at the event's clock time in its own zone,
going back from the last one whose session in every market shown lies at least 11 sessions before that market's day 0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from market_reaction import times
from market_reaction.calendars import FIRST
from market_reaction.design import Counterfactual
from market_reaction.engine.placebo import joint_ranks
from market_reaction.inference.placebo import MINIMUM_POOL, latest_distinct, placebo_rank
from market_reaction.inference.power import placebo_critical_value, placebo_mde
from market_reaction.placebo_result import JointPlacebo, MarketPlacebo, PlaceboResult
from market_reaction.prices import PriceData, PriceSeries
from market_reaction.progress import progress
from market_reaction.sessions import SessionClock, sessions_holding
from market_reaction.study_result import EventStudyResult
from market_reaction.windows import Window, check_history

HISTORY = 500


def pseudo_announcements(event: pd.Series, count: int) -> np.ndarray:
    """Weekdays before the event's own local day at its local clock time, latest first.

    Parameters
    ----------
    event : pandas.Series
        Row of an event table; ``local_tz`` gives the clock. With precision ``"date"`` the result holds dates, not
        instants.
    count : int
        How many weekdays to go back.

    Returns
    -------
    numpy.ndarray
        Nanoseconds since 1970, UTC for instants, shape (count,).
    """
    last = event["session_date"] if event["precision"] == "date" else _local_clock(event).normalize()
    return at_clock_of(event, pd.bdate_range(end=last - pd.Timedelta(days=1), periods=count))[::-1]


def at_clock_of(event: pd.Series, days: pd.DatetimeIndex) -> np.ndarray:
    """Local clock time of an event on other days, in nanoseconds UTC; with precision ``"date"`` the days themselves."""
    if event["precision"] == "date":
        return days.as_unit("ns").asi8
    local = _local_clock(event)
    zoned = (days + (local - local.normalize())).tz_localize(
        times.zone(event["local_tz"]), ambiguous=np.zeros(len(days), bool), nonexistent="shift_forward"
    )
    return zoned.tz_convert("UTC").as_unit("ns").asi8


def _local_clock(event: pd.Series) -> pd.Timestamp:
    """Instant of an event in its own zone, without the zone."""
    instant = event["utc_latest"] if event["precision"] == "day" else event["announced_utc"]
    return instant.tz_convert(times.zone(event["local_tz"])).tz_localize(None)


def sessions_at(clock: SessionClock, event: pd.Series, stamps: np.ndarray) -> np.ndarray:
    """Session of each pseudo-announcement of an event, as ``at_clock_of`` gives them, in one market."""
    return clock.of_dates(stamps) if event["precision"] == "date" else clock.first_closing_after(stamps)


def _usable_from(mapped: Sequence[np.ndarray], day_zero: Sequence[int], gap: int) -> int:
    """First pseudo-announcement whose session in every market lies at least ``gap`` sessions before day 0."""
    early = np.all([at <= zero - gap for at, zero in zip(mapped, day_zero, strict=True)], axis=0)
    return int(np.argmax(early)) if early.any() else len(early)


def pool_gap(window: Window, estimation: Window) -> int:
    """Sessions from day 0 back to the latest placebo day, so that no window of one reaches that of the event.

    Parameters
    ----------
    window, estimation : tuple of int
        Inclusive session offsets.

    Examples
    --------
    >>> pool_gap((0, 5), (-130, -11)), pool_gap((0, 20), (-130, -11))
    (11, 21)
    """
    return max(-estimation[1], window[1] - min(window[0], 0) + 1)


def clear_windows(usable: np.ndarray, rows: np.ndarray, window: Window) -> np.ndarray:
    """Whether all sessions at hand in the window around each row may be in a pool, shape of ``rows``."""
    at = rows[:, None] + np.arange(window[0], window[1] + 1)
    inside = (at >= 0) & (at < len(usable))
    return np.asarray((usable[np.where(inside, at, 0)] | ~inside).all(axis=1))


@dataclass(frozen=True, slots=True)
class MarketMoves:
    """Moves and volatility of one market, and which of its sessions a pool may hold; computed once for all events."""

    clock: SessionClock
    moves: np.ndarray
    counterfactual: Counterfactual
    sigma: np.ndarray
    usable: np.ndarray
    everywhere: np.ndarray | None = None  # abnormal return of every session, and NaN for one beyond the last

    @classmethod
    def of(
        cls, series: PriceSeries, study: EventStudyResult, prices: PriceData, exclude: pd.DataFrame | None
    ) -> MarketMoves:
        """Take what the placebo test of a study needs from one of its series."""
        counterfactual = study.design.counterfactual(series, prices, study.windows)
        clock = SessionClock.of(series)
        sigma = np.where(counterfactual.volatility > 0, counterfactual.volatility, np.nan)
        return cls(clock, counterfactual.moves, counterfactual, sigma, ~sessions_holding(clock, exclude))

    def abnormal(self, study: EventStudyResult, rows: np.ndarray) -> np.ndarray:
        """Abnormal return of some sessions, each by the study's model fitted on its own estimation window."""
        if self.everywhere is not None:
            return self.everywhere[rows]
        return self.counterfactual.abnormal(rows, study.windows.estimation)

    def fitted_everywhere(self, study: EventStudyResult) -> MarketMoves:
        """The same with the abnormal return of every session at hand: the pools of many events share their days."""
        return replace(self, everywhere=self.abnormal(study, np.arange(len(self.moves) + 1)))


def pseudo_sessions(
    event: pd.Series, markets: Mapping[str, MarketMoves], day_zero: Mapping[str, int], estimation: Window, history: int
) -> list[np.ndarray]:
    """Sessions of the usable pseudo-announcements in every market, latest first.

    They go back until every market has its pool, or no estimation window before.
    """
    longest = len(
        pd.bdate_range(FIRST, event["utc_earliest"].date() if event["precision"] != "date" else event["session_date"])
    )
    count = min(history + history // 4 + 60 - estimation[1], longest)
    while True:
        pseudo = pseudo_announcements(event, count)
        mapped = [sessions_at(market.clock, event, pseudo) for market in markets.values()]
        start = _usable_from(mapped, [day_zero[name] for name in markets], -estimation[1])
        usable = [at[start:] for at in mapped]
        if count == longest or all(
            mapped[i][-1] + estimation[0] < 1
            or np.count_nonzero(np.isfinite(market.sigma[np.unique(usable[i])]) & market.usable[np.unique(usable[i])])
            >= history + 20
            for i, market in enumerate(markets.values())
        ):
            return usable
        count = min(2 * count, longest)


def placebo_at(
    event: pd.Series,
    markets: Mapping[str, MarketMoves],
    day_zero: Mapping[str, int],
    study: EventStudyResult,
    history: int,
    *,
    signs: Mapping[str, float] | None = None,
    minimum: int = MINIMUM_POOL,
) -> tuple[dict[str, MarketPlacebo], JointPlacebo | None]:
    """Placebo tests with day 0 of each market given: each market's own, and the joint ones.

    ``signs`` are the directions expected of the markets, fixed before looking; ``minimum`` is the pool size below which
    there is no p.
    """
    names = list(markets)
    mapped = pseudo_sessions(event, markets, day_zero, study.windows.estimation, history)
    own: dict[str, MarketPlacebo] = {}
    statistics = []
    for name, at in zip(names, mapped, strict=True):
        market = markets[name]
        distinct = latest_distinct(at, len(at))
        abnormal = market.abnormal(study, distinct)
        scaled = abnormal / market.sigma[distinct]
        known = np.isfinite(scaled)
        keep = np.flatnonzero(known & market.usable[distinct])[:history]
        reach = keep[-1] if len(keep) else -1
        own[name] = _market_placebo(
            market,
            distinct[keep],
            abnormal[keep],
            day_zero[name],
            study,
            int((known & ~market.usable[distinct])[: reach + 1].sum()),
            minimum,
        )
        by_position = np.full(len(market.moves) + 1, np.nan)
        by_position[distinct] = np.where(market.usable[distinct], scaled, np.nan)
        statistics.append(by_position[at])
    joint = _joint(own, np.column_stack(statistics), np.column_stack(mapped), history, signs or {})
    return own, joint


def _market_placebo(
    market: MarketMoves,
    rows: np.ndarray,
    abnormal: np.ndarray,
    day_zero: int,
    study: EventStudyResult,
    n_left_out: int,
    minimum: int,
) -> MarketPlacebo:
    at_event = market.abnormal(study, np.array([day_zero]))[0]
    sigma = market.sigma[day_zero]
    pool = abnormal / market.sigma[rows]
    return MarketPlacebo(
        scaled=placebo_rank(at_event / sigma, pool, minimum),
        plain=placebo_rank(at_event, abnormal, minimum),
        pool=pool,
        pool_sessions=market.clock.sessions[rows],
        statistic=float(at_event / sigma),
        mde=placebo_mde(pool, float(sigma), minimum=minimum),
        critical=placebo_critical_value(pool) if len(pool) >= minimum else float("inf"),
        n_left_out=n_left_out,
    )


def _joint(
    own: Mapping[str, MarketPlacebo],
    statistics: np.ndarray,
    positions: np.ndarray,
    history: int,
    signs: Mapping[str, float],
) -> JointPlacebo | None:
    """Joint ranks over the markets that have a test of their own; each distinct set of sessions counts once."""
    tested = [i for i, found in enumerate(own.values()) if np.isfinite(found.scaled.p_value)]
    if len(tested) < 2:
        return None
    markets = tuple(list(own)[i] for i in tested)
    rows = positions[:, tested]
    event = np.array([own[name].statistic for name in markets])
    scale = np.array([own[name].pool.std(ddof=1) for name in markets])
    expected = np.array([signs.get(name, 0.0) for name in markets])
    found = joint_ranks(event, statistics[:, tested], rows, scale, count=history, signs=expected)
    return JointPlacebo(markets, found.event, found.pool, rows[found.rows], found.ranks)


def placebo_test(
    result: EventStudyResult,
    prices: PriceData,
    *,
    history: int = HISTORY,
    exclude: pd.DataFrame | None = None,
    signs: Mapping[str, float] | None = None,
) -> PlaceboResult:
    """Compare every event with pseudo-announcements at the same local clock time.

    Parameters
    ----------
    result : EventStudyResult
        The study; its model, windows and return kind are used for every pseudo-announcement.
    prices : PriceData
        The same series.
    history : int
        Distinct sessions each market's pool aims at. Below 100 there is no p.
    exclude : pandas.DataFrame, optional
        Event table whose sessions are left out of the pool, such as ``mr.load_events()``: the null is then
        "a day without such news".
    signs : mapping of str to float, optional
        Direction expected of each market, +1 or -1, fixed before looking: adds the joint test of the signed mean.

    Returns
    -------
    PlaceboResult

    Notes
    -----
    T = |AR| / sigma, with AR from the pseudo-event's own estimation window and sigma^2 = EWMA(0.97) of squared moves
    known the session before; p = (1 + #{T_s >= T_0}) / (S + 1). Scaling gives the right size in calm and in volatile
    times; the plain |AR| version beside it does not. The joint statistics divide each market by its own pool's standard
    deviation.
    """
    check_history(history)
    studied = dict.fromkeys(market for _, market in result.pairs)
    markets = {market: MarketMoves.of(prices[market], result, prices, exclude) for market in studied}
    if len(result.events) > 1 and result.design.normal_model != "synthetic_control":  # whose weights take their time
        markets = {name: market.fitted_everywhere(result) for name, market in markets.items()}
    own: dict[tuple[str, str], MarketPlacebo] = {}
    joint: dict[str, JointPlacebo] = {}
    for event_id, event in progress(result.events.iterrows(), "Placebo days", total=len(result.events)):
        name = str(event_id)
        placed = {market: pair.position for (key, market), pair in result.pairs.items() if key == name}
        if not placed:
            continue
        shown = {market: markets[market] for market in placed}
        found, over_markets = placebo_at(event, shown, placed, result, history, signs=signs)
        own |= {(name, market): test for market, test in found.items()}
        if over_markets is not None:
            joint[name] = over_markets
    return PlaceboResult(own, joint, history, result, prices)
