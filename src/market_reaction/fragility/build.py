"""One call from a time stamp to the whole specification curve."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date as Date
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.special import ndtr

from market_reaction.errors import WindowError
from market_reaction.event_filters import check_events
from market_reaction.fragility.curves import LEVEL, normal_scores
from market_reaction.fragility.estimates import Estimates, estimate
from market_reaction.fragility.grid import CHOICES, Grid
from market_reaction.fragility.inputs import Skip, series_to_study, what_to_skip
from market_reaction.fragility.notes import curve_notes
from market_reaction.fragility.plan import MarketInputs, Plan, leave_out_doubles, market_inputs, market_plan
from market_reaction.fragility.pool import PoolDays, joint_curves, market_placebo, pseudo_positions
from market_reaction.fragility.result import MarketCurve, SpecificationCurve
from market_reaction.inference.placebo import PlaceboRank
from market_reaction.instruments import Instrument
from market_reaction.loading import SourceName
from market_reaction.placebo import HISTORY
from market_reaction.prices import PriceData, PriceSeries
from market_reaction.progress import progress
from market_reaction.reaction import announcement_table
from market_reaction.sessions import SessionClock, locate
from market_reaction.windows import check_history


def specification_curve(
    announcement: str | datetime | None = None,
    *,
    date: str | Date | None = None,
    markets: Sequence[str | Instrument] | None = None,
    grid: Grid | Mapping[str, object] | None = None,
    benchmark: str | None = None,
    factors: Sequence[str] = (),
    skip: pd.DataFrame | tuple[str, str] | None = None,
    prices: PriceData | None = None,
    source: SourceName = "auto",
    folder: str | Path | None = None,
    as_of: str | None = None,
    refresh: bool = False,
    history: int = HISTORY,
    exclude: pd.DataFrame | None = None,
) -> SpecificationCurve:
    """Measure one announcement under every defensible specification, and the same grid on placebo days.

    Parameters
    ----------
    announcement : str or datetime
        A time stamp with a zone, or an id of the catalogue.
    date : str or date, optional
        Instead of ``announcement``: a bare date whose clock is unknown.
    markets : sequence of str or Instrument, optional
        The default list when left out; with ``prices``, loaded markets, all but the benchmark and factors.
    grid : Grid or mapping, optional
        Choices and their levels, fixed before looking: ``{"length": (60, 120), "window": [(0, 0)]}`` replaces those
        choices of the default ``Grid()``.
    benchmark : str, optional
        Benchmark of every market; each instrument's default when left out.
    factors : sequence of str
        Markets that the counterfactual ``"factors"`` takes; naming some adds it to the default grid.
    skip : pandas.DataFrame or pair of dates, optional
        What the level ``"out"`` leaves out of estimation windows: sessions whose return may hold one of these events,
        or those between two dates such as ``("2025-04-01", "2025-04-30")``. The shipped catalogue when left out.
    prices : PriceData, optional
        Series loaded before, in place of ``source``, ``folder``, ``as_of`` and ``refresh``.
    source, folder, as_of, refresh
        As in ``load_prices``.
    history : int
        Distinct placebo days each market aims at. Below 100 there is no p.
    exclude : pandas.DataFrame, optional
        Events whose sessions are left out of the placebo pool.

    Returns
    -------
    SpecificationCurve

    Raises
    ------
    WindowError
        A grid without a specification, a choice or level that is not known, or no market in which one can be measured.
    DataUnavailableError
        None of the markets could be had.
    UnknownInstrumentError, AnnouncementTimeError, EventTableError
        As in ``react``.

    Notes
    -----
    The three statistics of a curve are its median estimate, the share of specifications that are significant (p at most
    0.05) with the dominant sign, and the mean of the normal scores z of their p (Stouffer's z over the root of their
    number). Specifications share one event and are no independent evidence: the p of each statistic is its rank among
    the same statistic on 500 pseudo-announcements at the same local clock time, each mapped through the clocks of every
    market, p = (1 + #{|T_s| >= |T_0|}) / (S + 1).

    **What the null distribution needs.** "This day is drawn like the pool days" can hold only for moves in units of the
    volatility of their time: on a calm placebo day fewer specifications are significant than on a volatile one,
    whatever the event. Each placebo day s is therefore brought to the event: every estimate is multiplied by
    sigma_0 / sigma_s, sigma the EWMA(0.97) volatility known the close before, and judged by the standard errors that
    its specification has at the event. With one specification on day 0 all of this is the headline placebo of
    ``react``. The ``plain`` p beside it takes the grid on each placebo day as it is, with that day's own standard
    errors, as the paper does.

    Placebo days count only if every specification of the market can be measured on them. Windows of neighbouring
    placebo days overlap where the event window has several sessions; p is then a little too small (see
    ``docs/methods.md``). The band of the chart holds 90% of the sorted placebo curves at each place of the order alone.

    A specification is in the curve once: levels that change nothing (a scale by current volatility around a given mean
    uses no estimation window; no other event in a window to leave out) are in ``excluded`` with the reason. For models
    with a benchmark the EWMA scale is the volatility of the whole move, which makes that level cautious.

    References
    ----------
    Simonsohn, Simmons and Nelson (2020), Nature Human Behaviour 4:1208.

    Examples
    --------
    >>> import market_reaction as mr
    >>> curve = mr.specification_curve("2025-06-10-jt", markets=["CSI 300"], source="bundled", history=120)
    >>> curve.summary()[["n_specifications", "median", "significant_share"]].round(4)
             n_specifications  median  significant_share
    market
    CSI 300               366  0.0069                0.0
    """
    check_history(history)
    chosen = Grid.of(grid, factors)
    table = announcement_table(announcement, date)
    event = table.iloc[0]
    skipped_by = what_to_skip(skip)
    if exclude is not None:
        check_events(exclude)
    prices, studied = series_to_study(
        prices, markets, table, chosen, benchmark, factors, history, source, folder, as_of, refresh
    )
    planned = [_planned(series, prices, event, chosen, skipped_by, benchmark, factors) for series in studied]
    curves, joint = _measure(event, [one for one in planned if one.plan.open.any()], chosen, exclude, history)
    excluded = _excluded(planned, prices, chosen)
    if not curves:
        reasons = " ".join(f"{name}: {_main_reason(excluded, name)}." for name in excluded["market"].unique())
        raise WindowError(
            f"no specification of this grid can be measured in any market. {reasons} Widen the grid, load longer "
            "series or choose other markets."
        )
    parameters = {
        "announcement": event.name, "grid": chosen.to_dict(), "benchmark": benchmark, "factors": list(factors),
        "left_out_of_estimation": skipped_by.text, "source": source, "history": history, "as_of": as_of,
        "excluded_events": 0 if exclude is None else len(exclude),
    }  # fmt: skip
    measured = [curve.market for curve in curves]
    missing = {
        one.inputs.series.name: _main_reason(excluded, one.inputs.series.name) for one in planned
        if one.inputs.series.name not in measured
    }  # fmt: skip
    regressors = {one.inputs.series.name: one.inputs.regressors for one in planned}
    notes = curve_notes(event, prices, curves, chosen, skipped_by.text, missing, regressors)
    return SpecificationCurve(event, chosen, curves, joint, prices, excluded, notes, parameters)


def _main_reason(excluded: pd.DataFrame, market: str) -> str:
    """Reason that costs a market most of its specifications, and how many others there are."""
    rows = excluded[excluded["market"].eq(market)].sort_values("n_specifications", ascending=False, kind="stable")
    others = f" (and {len(rows) - 1} more reason{'s' * (len(rows) > 2)})" if len(rows) > 1 else ""
    return f"{str(rows['reason'].iloc[0]).rstrip('.')}{others}"


class _Planned(NamedTuple):
    """One market: what the choices mean there, and which combinations exist."""

    inputs: MarketInputs
    plan: Plan


def _planned(
    series: PriceSeries,
    prices: PriceData,
    event: pd.Series,
    grid: Grid,
    skip: Skip,
    benchmark: str | None,
    factors: Sequence[str],
) -> _Planned:
    where = locate(SessionClock.of(series), event)
    if event["precision"] == "date":  # the news may have come after the close of that date
        where = where._replace(candidates=(where.position, where.position + 1))
    inputs = market_inputs(series, prices, where, grid, skip.sessions(series), benchmark, factors)
    return _Planned(inputs, market_plan(inputs, grid))


def _excluded(planned: Sequence[_Planned], prices: PriceData, grid: Grid) -> pd.DataFrame:
    """Combinations left out of every market, and markets that could not be had."""
    lost = prices.unavailable.assign(choice="", level="", n_specifications=grid.size)
    parts = [one.plan.excluded(one.inputs.series.name) for one in planned]
    columns = ["market", "choice", "level", "n_specifications", "reason"]
    return pd.concat([part for part in (*parts, lost[columns]) if len(part)] or [lost[columns]], ignore_index=True)


def _measure(
    event: pd.Series, planned: Sequence[_Planned], grid: Grid, exclude: pd.DataFrame | None, history: int
) -> tuple[tuple[MarketCurve, ...], dict[str, Mapping[str, PlaceboRank]]]:
    """Every specification at the event and on the placebo days in every market, and the joint ranks."""
    if not planned:
        return (), {}
    places = pseudo_positions(event, {one.inputs.series.name: one.inputs for one in planned}, grid, exclude, history)
    curves, statistics = [], []
    for inputs, plan in progress(planned, "Specifications on placebo days"):
        days = PoolDays.of(*places[inputs.series.name], history)
        chosen = np.flatnonzero(plan.open)
        both = np.append(inputs.where.position, days.first)
        found = estimate(inputs.arrays, plan.table.iloc[chosen], both, inputs.offsets)
        _leave_out_failed(plan, chosen, found)
        leave_out_doubles(plan)
        if not plan.open.any():
            continue
        found = found.of(plan.open[chosen])
        table, at_event = plan.table[plan.open].reset_index(drop=True), found.at(slice(0, 1))
        placebo, by_day = market_placebo(inputs, table, at_event, found.at(slice(1, None)), days)
        curves.append(MarketCurve(inputs.series, inputs.where, _specifications(inputs, table, at_event), placebo))
        statistics.append(by_day)
    tested = [number for number, curve in enumerate(curves) if np.isfinite(curve.placebo.scaled["median"].p_value)]
    if len(tested) < 2:
        return tuple(curves), {}
    columns = np.column_stack([places[curves[number].market][0] for number in tested])
    joint = joint_curves([curves[n].placebo for n in tested], [statistics[n] for n in tested], columns, history)
    return tuple(curves), joint


def _leave_out_failed(plan: Plan, chosen: np.ndarray, found: Estimates) -> None:
    """Leave out the specifications that come to nothing at the event, the first row of the estimates."""
    failed = np.zeros((3, len(plan.table)), dtype=bool)
    failed[0, chosen] = ~np.isfinite(found.car[0])
    failed[1, chosen] = ~np.isfinite(found.std_error[0])
    failed[2, chosen] = ~np.isfinite(found.sigma[0])
    missing = "no abnormal return: a close of it, its benchmark or a factor is missing, or those are collinear"
    plan.leave_out(failed[0], "counterfactual", missing)
    plan.leave_out(failed[1], "scaling", "no spread: too few moves before day 0, or they are all the same")
    plan.leave_out(failed[2], "session", "no current volatility, which the placebo needs: fewer than 60 moves before")


def _specifications(inputs: MarketInputs, table: pd.DataFrame, found: Estimates) -> pd.DataFrame:
    """Specifications of one market with their estimates, sorted by estimate."""
    estimates, errors, df = (part[0] for part in found[:3])
    statistic = estimates / errors
    score = normal_scores(statistic, df)
    p = 2 * ndtr(-np.abs(score))
    rows = table[list(CHOICES)].assign(
        session_date=inputs.series.sessions[table["day"].to_numpy(dtype=int)], estimate=estimates, std_error=errors,
        statistic=statistic, df=df, p_value=p, z=score, significant=p <= LEVEL,
    )  # fmt: skip
    return rows.sort_values("estimate", kind="stable", ignore_index=True)
