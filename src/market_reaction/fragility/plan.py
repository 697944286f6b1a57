"""Which combinations of a grid exist in one market, and why the others do not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from market_reaction.design import regressor_moves
from market_reaction.errors import UnknownInstrumentError, WindowError
from market_reaction.fragility.estimates import MarketArrays
from market_reaction.fragility.grid import Grid, level_text
from market_reaction.inference.scales import ewma_volatility
from market_reaction.normal_models import NORMAL_MODELS
from market_reaction.prices import PriceData, PriceSeries
from market_reaction.regressors import find_regressors
from market_reaction.sessions import Reaction
from market_reaction.windows import EWMA_START

FIXED = ("zero_mean", "market_adjusted")  # no coefficient comes from the estimation window


@dataclass(frozen=True, slots=True)
class MarketInputs:
    """What the choices mean in one market.

    Attributes
    ----------
    series : PriceSeries
        The market.
    where : Reaction
        Where the announcement falls in its sessions.
    arrays : MarketArrays
        Moves, regressors, volatility and sessions to leave out.
    absent : mapping of (choice, level) to str
        Levels that do not exist here, and why.
    offsets : mapping of str to int
        Sessions from the headline session to the one each level of ``"session"`` takes.
    regressors : tuple of PriceSeries
        Benchmark and factors that any of its counterfactuals takes.
    """

    series: PriceSeries
    where: Reaction
    arrays: MarketArrays
    absent: Mapping[tuple[str, str], str]
    offsets: Mapping[str, int]
    regressors: tuple[PriceSeries, ...]


def market_inputs(
    series: PriceSeries,
    prices: PriceData,
    where: Reaction,
    grid: Grid,
    skipped: np.ndarray,
    benchmark: str | None,
    factors: Sequence[str],
) -> MarketInputs:
    """Find out what the levels of a grid mean in one market.

    Parameters
    ----------
    skipped : numpy.ndarray
        Sessions that the level ``"out"`` takes from estimation windows, shape (T,) of bool.
    benchmark, factors
        As in ``event_study``.
    """
    absent: dict[tuple[str, str], str] = {}
    regressors: dict[str, list[PriceSeries]] = {}
    for model in grid.counterfactual:
        try:
            if NORMAL_MODELS[model].regressors == "factors" and not factors:
                raise WindowError("no factors are named; name loaded markets with factors=.")
            regressors[model] = find_regressors(prices, series, model, benchmark, factors)
        except (UnknownInstrumentError, WindowError) as error:
            absent["counterfactual", model] = str(error)
    named = {model: tuple(item.name for item in items) for model, items in regressors.items()}
    if "market" in named and named.get("factors") == named["market"]:
        absent["counterfactual", "factors"] = "the only factor is the benchmark: the same as 'market'"
    kinds = _kinds(series, grid)
    absent |= {
        ("returns", kind): "its moves are differences, the same for log and simple" for kind in grid.returns[1:]
        if series.instrument.is_difference
    }  # fmt: skip
    offsets, lost = _offsets(where, grid)
    sigma = {kind: ewma_volatility(series.returns(kind), start=EWMA_START) for kind in kinds}  # type: ignore[arg-type]
    arrays = MarketArrays(
        moves={kind: series.returns(kind) for kind in kinds},  # type: ignore[arg-type]
        columns={
            (model, kind): regressor_moves(series, items, asked)  # type: ignore[arg-type]
            for model, items in regressors.items()
            for kind, asked in zip(kinds, grid.returns, strict=False)  # a benchmark of a yield may be a price
        },
        sigma={kind: np.where(values > 0, values, np.nan) for kind, values in sigma.items()},
        skipped=skipped,
    )
    taken = {item.name: item for items in regressors.values() for item in items}
    return MarketInputs(series, where, arrays, absent | lost, offsets, tuple(taken.values()))


def _kinds(series: PriceSeries, grid: Grid) -> tuple[str, ...]:
    return ("difference",) if series.instrument.is_difference else grid.returns


def _offsets(where: Reaction, grid: Grid) -> tuple[dict[str, int], dict[tuple[str, str], str]]:
    """Sessions from the headline to each level of ``"session"``, and the levels that do not exist."""
    shift = {"headline": 0, "earlier": -1, "later": 1, "next open": 1}
    lost: dict[tuple[str, str], str] = {}
    offsets: dict[str, int] = {}
    for level in grid.session:
        by, reason = shift[level], ""
        if level in ("earlier", "later") and where.position + by not in where.candidates:
            certain = len(where.candidates) == 1
            reason = "its reaction session is certain" if certain else f"no possible session {level} than the headline"
        elif level == "next open" and where.phase not in ("in session", "lunch"):
            reason = (
                "it has no opening hours" if where.phase is None
                else f"the announcement came {where.phase}: the headline session is the first to open after it"
            )  # fmt: skip
        elif by in offsets.values():
            reason = f"the same session as {next(name for name, value in offsets.items() if value == by)!r}"
        if reason:
            lost["session", level] = reason
        else:
            offsets[level] = by
    return offsets, lost


class Plan:
    """Combinations of one market: ``table`` with the choices, day 0 in ``day``, and the reason where one cannot be."""

    __slots__ = ("reasons", "responsible", "table")

    def __init__(self, table: pd.DataFrame) -> None:
        self.table = table
        self.reasons = np.full(len(table), "", dtype=object)
        self.responsible = np.full(len(table), "", dtype=object)

    @property
    def open(self) -> np.ndarray:
        """Combinations without a reason against them, shape (K,) of bool."""
        found: np.ndarray = self.reasons == ""
        return found

    def leave_out(self, mask: np.ndarray, choice: str, reason: str | np.ndarray) -> None:
        """Note a reason against those of a mask that have none yet, and the choice it comes from."""
        at = np.flatnonzero(mask & self.open)
        self.reasons[at] = reason if isinstance(reason, str) else reason[at]
        self.responsible[at] = choice

    def excluded(self, market: str) -> pd.DataFrame:
        """What was left out: market, choice, level, n_specifications, reason; one row a level and reason."""
        lost = self.table[~self.open]
        levels = [
            level_text(choice, row[choice]) if choice else ""
            for choice, row in zip(self.responsible[~self.open], lost.to_dict("records"), strict=True)
        ]
        rows = pd.DataFrame(
            {
                "market": market,
                "choice": self.responsible[~self.open],
                "level": levels,
                "reason": self.reasons[~self.open],
            }
        )
        keys = ["market", "choice", "level", "reason"]
        counts = rows.groupby(keys, sort=False).size().reset_index(name="n_specifications")
        return counts[["market", "choice", "level", "n_specifications", "reason"]]


def market_plan(inputs: MarketInputs, grid: Grid) -> Plan:
    """Combinations of a grid in one market, those that cannot be measured marked with the reason."""
    plan = Plan(grid.table())
    table = plan.table
    if inputs.series.instrument.is_difference:
        table["returns"] = table["returns"].replace({grid.returns[0]: "difference"})
    for (choice, level), reason in inputs.absent.items():
        plan.leave_out(table[choice].eq(level).to_numpy(), choice, reason)
    offsets = table["session"].map(inputs.offsets).fillna(0).to_numpy(dtype=int)
    table["day"] = inputs.where.position + offsets
    _windows_that_exist(plan, inputs)
    _estimation_before_the_news(plan, inputs)
    _contamination(plan, inputs)
    return plan


def _windows_that_exist(plan: Plan, inputs: MarketInputs) -> None:
    """Windows that overlap, or reach beyond the series at either end."""
    table, sessions = plan.table, inputs.series.sessions
    day, gap, length = (table[name].to_numpy(dtype=int) for name in ("day", "gap", "length"))
    first, last = (np.array([window[at] for window in table["window"]]) for at in (0, 1))
    plan.leave_out(gap < -np.minimum(first, 0), "gap", "the estimation window would end inside the event window")
    ends = f"the series ends {sessions[-1]:%Y-%m-%d}, before"
    plan.leave_out(day >= len(sessions), "session", f"{ends} day 0")
    plan.leave_out(day + last >= len(sessions), "window", f"{ends} the event window does")
    starts = f"the series starts {sessions[0]:%Y-%m-%d}, after the estimation window would"
    plan.leave_out(day - gap - length < 1, "length", starts)


def _estimation_before_the_news(plan: Plan, inputs: MarketInputs) -> None:
    """Estimation windows that reach a session which may hold the announcement itself, where day 0 is a later one."""
    earliest = min(inputs.where.position, *inputs.where.candidates)
    end = plan.table["day"].to_numpy(dtype=int) - plan.table["gap"].to_numpy(dtype=int) - 1
    plan.leave_out(end >= earliest, "gap", "the estimation window would hold a session that may have seen the news")


def _contamination(plan: Plan, inputs: MarketInputs) -> None:
    """Sessions left out of the estimation window: none at all, or more than half of it."""
    table = plan.table
    out = table["contaminated"].eq("out").to_numpy() & plan.open
    before = np.concatenate([[0], np.cumsum(inputs.arrays.skipped)])
    end = np.clip(table["day"].to_numpy(dtype=int) - table["gap"].to_numpy(dtype=int), 0, len(before) - 1)
    length = table["length"].to_numpy(dtype=int)
    count = before[end] - before[np.maximum(end - length, 0)]
    plan.leave_out(
        out & (count == 0), "contaminated", "no session of the estimation window holds one: the same as kept"
    )
    reason = "it takes away more than half of the estimation window"
    plan.leave_out(out & ((length - count) * 2 < length), "contaminated", reason)


def leave_out_doubles(plan: Plan) -> None:
    """Keep one of those that differ in nothing they use: coefficients that are given, scaled by current volatility."""
    table = plan.table
    idle = table["counterfactual"].isin(FIXED).to_numpy() & table["scaling"].eq("ewma").to_numpy() & plan.open
    again = table[idle].duplicated(["counterfactual", "window", "returns", "session"]).to_numpy()
    mask = np.zeros(len(table), dtype=bool)
    mask[np.flatnonzero(idle)[again]] = True
    plan.leave_out(mask, "scaling", "uses nothing of the estimation window: the same as another one that is kept")
