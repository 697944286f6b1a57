"""Whether one market leads another, beyond the order in which their closes are struck."""

from __future__ import annotations

from datetime import date as Date

import numpy as np
import pandas as pd

from market_reaction import times, wording
from market_reaction.errors import UnknownInstrumentError, WindowError
from market_reaction.inference.lead_lag import (
    MINIMUM_PAIRS,
    Estimate,
    cross_correlations,
    dimson_betas,
    synchronised_correlation,
)
from market_reaction.inference.power import check_share
from market_reaction.instruments import find_instrument
from market_reaction.prices import PriceData, PriceSeries
from market_reaction.timing import shared
from market_reaction.timing.lead_lag_result import LeadLag
from market_reaction.timing.pairing import CommonMoves, KnownBefore, common_moves, known_before_open, overlaps


def lead_lag(
    prices: PriceData,
    leader: str,
    follower: str,
    *,
    start: str | Date | None = None,
    end: str | Date | None = None,
    max_lag: int = 3,
    level: float = 0.95,
) -> LeadLag:
    """Measure how the returns of two markets are related at leads and lags, and how much of that is their clocks.

    Parameters
    ----------
    prices : PriceData
        Holding both markets.
    leader, follower : str
        Names or symbols. Which is which is a question, not an assumption: negative lags show the reverse.
    start, end : str or date, optional
        First and last date; everything the two have in common when left out.
    max_lag : int
        Largest lead and lag, in sessions.
    level : float
        Of the intervals.

    Returns
    -------
    LeadLag
        With the reason in place of figures where one of the markets could not be had, or where they have too few dates
        in common.

    Raises
    ------
    UnknownInstrumentError
        A market that was never asked for.
    WindowError
        Twice the same market, or ``max_lag`` or ``level`` out of range.

    Notes
    -----
    Returns run between consecutive dates on which both markets have a close, so that those of each tile the calendar.
    At lag 1 the leader's return is a date older. With a US close at 20:00 UTC and a Chinese one at 07:00 UTC, that
    return ends 11 hours before the Chinese one does: all of New York's day falls between two closes in Shanghai. So a
    correlation at lag 1 is what simultaneous trading looks like on these clocks, and no sign of a slow market. The
    share of hours in common at each lag tells which lags the clocks explain; a lag without any is a lead or lag proper.
    Where the follower has an open, its gap and session move beside the leader's last move known at the open say more:
    a market that takes the news in at its open shows it in the gap and not after.

    References
    ----------
    Dimson (1979), Journal of Financial Economics 7:197. Burns, Engle and Mezrich (1998), Journal of Derivatives 5:7.
    Becker, Finnerty and Gupta (1990), Journal of Finance 45:1297, for gap and session move.

    Examples
    --------
    >>> import market_reaction as mr
    >>> prices = mr.load_prices(["S&P 500", "CSI 300"], "2006-01-01", "2022-12-31", source="bundled")
    >>> found = mr.lead_lag(prices, "S&P 500", "CSI 300")
    >>> found.correlations.loc[[0, 1], "correlation"].round(2).tolist()
    [0.12, 0.15]
    """
    check_share("level", level)
    if not isinstance(max_lag, int) or not 1 <= max_lag <= 20:
        raise WindowError(f"max_lag={max_lag!r} is no number of sessions from 1 to 20.")
    parameters: dict[str, object] = {"leader": leader, "follower": follower, "start": start, "end": end}
    parameters |= {"max_lag": max_lag, "level": level}
    names, reason = _names(prices, leader, follower)
    if reason:
        return LeadLag.without_figures(names, reason, parameters, prices.vintage)
    first, second = (prices[name] for name in names)
    bounds = [None if day is None else times.parse_date(day, name) for name, day in (("start", start), ("end", end))]
    pairs = common_moves(first, second, *bounds)
    vintage = prices.vintage.loc[list(names)]
    if len(pairs.sessions) < MINIMUM_PAIRS + 2 * max_lag:
        reason = (
            f"{names[0]} ({_span(first)}) and {names[1]} ({_span(second)}) have {len(pairs.sessions)} returns in "
            f"common; at least {MINIMUM_PAIRS + 2 * max_lag} are needed"
        )
        return LeadLag.without_figures(names, reason, parameters, vintage)
    return _measured(first, second, pairs, max_lag, level, parameters, vintage)


def _names(prices: PriceData, leader: str, follower: str) -> tuple[tuple[str, str], str]:
    """Names shown of both markets, and why one of them is missing."""
    names, reasons = [], []
    for market in (leader, follower):
        try:
            names.append(prices[market].name)
        except UnknownInstrumentError:
            name = find_instrument(market).name
            lost = prices.unavailable[prices.unavailable["market"].eq(name)]
            if lost.empty:
                raise
            names.append(name)
            reasons.append(f"{name} is not available: {lost['reason'].iloc[0]}")
    if names[0] == names[1]:
        raise WindowError(f"leader and follower are both {names[0]!r}; name two markets.")
    return (names[0], names[1]), " ".join(reasons)


def _span(series: PriceSeries) -> str:
    return f"{series.sessions[0]:%Y-%m-%d} to {series.sessions[-1]:%Y-%m-%d}"


def _measured(
    leader: PriceSeries,
    follower: PriceSeries,
    pairs: CommonMoves,
    max_lag: int,
    level: float,
    parameters: dict[str, object],
    vintage: pd.DataFrame,
) -> LeadLag:
    found = cross_correlations(pairs.leader, pairs.follower, max_lag, level=level)
    clock, trading = overlaps(pairs, leader, found.lags)
    together = synchronised_correlation(pairs.leader, pairs.follower, level=level)
    correlations = _frame(found, "correlation")
    correlations["hours_in_common"] = clock
    correlations["leader_trading_hours"] = trading
    correlations["from_the_clock"] = clock * correlations["correlation"].loc[-1:1].sum()
    correlations["beyond_the_clock"] = clock < shared.LOWEST_OVERLAP
    beyond = correlations["beyond_the_clock"].to_numpy()
    correlations["holm_p"] = np.nan
    correlations.loc[beyond, "holm_p"] = Estimate(*(getattr(found, name)[beyond] for name in Estimate.__slots__)).holm
    known = known_before_open(leader, follower, pairs)
    each, total = dimson_betas(pairs.leader, pairs.follower, level=level)
    betas = pd.concat([_frame(each, "beta"), _frame(total, "beta")])
    betas.index = pd.Index(["date before", "same date", "date after", "sum"], name="leader's return")
    return LeadLag(
        leader=leader.name,
        follower=follower.name,
        units=(leader.instrument.change_unit, follower.instrument.change_unit),
        correlations=correlations,
        betas=betas,
        synchronised=_frame(together, "correlation").set_axis(["synchronised"]).rename_axis("returns"),
        parts=_parts(known, level),
        moves=pd.DataFrame({"leader": pairs.leader, "follower": pairs.follower}, index=pairs.sessions),
        closes_apart=float(np.median(pairs.leader_close_ns - pairs.follower_close_ns) / 3.6e12),
        stale=known.stale,
        reason="",
        notes=(*_notes(leader, follower, pairs), *([f"{follower.name}: {known.note}."] if known.note else [])),
        parameters=parameters,
        vintage=vintage,
    )


def _frame(found: Estimate, name: str) -> pd.DataFrame:
    """Estimates as a frame by lag."""
    return pd.DataFrame(
        {
            name: found.estimates,
            "std_error": found.std_errors,
            "conf_low": found.conf_low,
            "conf_high": found.conf_high,
            "p_value": found.p_values,
            "nobs": found.nobs,
        },
        index=pd.Index(found.lags, name="lag"),
    )


def _parts(known: KnownBefore, level: float) -> pd.DataFrame:
    """Correlation of the follower's gap and session move with the leader's last move known at the open."""
    rows: list[dict[str, object]] = []
    for part in ("gap", "session"):
        if known.reason or len(known.leader) < MINIMUM_PAIRS:
            reason = known.reason or f"{len(known.leader)} sessions; at least {MINIMUM_PAIRS} are needed"
            rows.append(dict.fromkeys(_ESTIMATED, np.nan) | {"nobs": len(known.leader), "note": reason})
            continue
        found = cross_correlations(known.leader, getattr(known, part), 0, level=level)
        values = _frame(found, "correlation").iloc[0]
        rows.append({str(name): value for name, value in values.items()} | {"note": ""})
    frame = pd.DataFrame(rows, index=pd.Index(["gap", "session"], name="part"))
    return frame.astype({"nobs": int})


_ESTIMATED = ("correlation", "std_error", "conf_low", "conf_high", "p_value", "nobs")


def _notes(leader: PriceSeries, follower: PriceSeries, pairs: CommonMoves) -> tuple[str, ...]:
    first, last = pairs.sessions[0], pairs.sessions[-1]
    notes = [
        f"{len(pairs.sessions):,} returns between dates on which both markets have a close, {first:%Y-%m-%d} to "
        f"{last:%Y-%m-%d}; on {pairs.dropped:,} dates between only one had a close, so that a return there spans more "
        "than a session."
    ]
    for series in (leader, follower):
        if up := wording.direction_note(series.instrument):
            notes.append(f"{series.name}: {up}.")
        if (series.close_ns > series.close_earliest_ns).any():
            notes.append(f"The close of {series.name} is not known to the minute; its latest instant is taken.")
    return tuple(notes)
