"""What a reader of a specification curve must know, in sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from market_reaction import reaction_notes, wording
from market_reaction.fragility.grid import Grid
from market_reaction.fragility.result import MarketCurve
from market_reaction.normal_models import NORMAL_MODELS
from market_reaction.prices import PriceData, PriceSeries
from market_reaction.sessions import SessionClock, locate

_APART = pd.Timedelta(minutes=30)  # closes that lie further apart do not end the same day


def curve_notes(
    event: pd.Series,
    prices: PriceData,
    curves: Sequence[MarketCurve],
    grid: Grid,
    skipped: str,
    missing: Mapping[str, str],
    regressors: Mapping[str, Sequence[PriceSeries]],
) -> tuple[str, ...]:
    """What a reader must know: clocks, ambiguous sessions, placebo days left out, what the choices mean."""
    said = [*reaction_notes.on_announcement(event), *prices.notes]
    said += [f"{row.market} is missing: {row.reason}" for row in prices.unavailable.itertuples()]
    said += [f"{market} has no curve: {reason}." for market, reason in missing.items()]
    for curve in curves:
        days = [
            f"{curve.series.sessions[at]:%Y-%m-%d}" for at in curve.where.candidates if at < len(curve.series.sessions)
        ]
        if len(curve.where.candidates) > 1:
            tried = curve.specifications["session_date"].drop_duplicates().sort_values()
            why = (
                "the clock is unknown"
                if event["precision"] == "date"
                else "the bounds of the announcement hold a close"
            )
            said.append(
                f"{curve.market}: {why}; possible are {wording.listed(days)}, "
                f"and the grid takes {wording.listed([f'{day:%Y-%m-%d}' for day in tried])}."
            )
        placebo = curve.placebo
        if placebo.n_incomplete:
            said.append(f"{curve.market}: {placebo.n_incomplete} placebo day(s) lack a specification and do not count.")
        if placebo.n_left_out:
            said.append(f"{curve.market}: {placebo.n_left_out} placebo day(s) hold an excluded event.")
        said += other_clocks(event, curve, regressors[curve.market])
        if note := wording.direction_note(curve.series.instrument):
            said.append(f"{curve.market}: {note}.")
    if any(NORMAL_MODELS[model].regressors != "none" for model in grid.counterfactual) and any(
        curve.specifications["counterfactual"].map(lambda model: NORMAL_MODELS[model].regressors != "none").any()
        for curve in curves
    ):
        said.append(
            "Specifications with a benchmark or factors measure the move beyond these: if the news moved them too, "
            "they answer another question."
        )
    if "out" in grid.contaminated:
        said.append(f"Sessions with other events, which the level 'left out' takes from estimation windows: {skipped}.")
    return tuple(said)


def other_clocks(event: pd.Series, curve: MarketCurve, regressors: Sequence[PriceSeries]) -> list[str]:
    """Benchmarks and factors whose move of the same date does not hold the news, or ends at another time."""
    series, at = curve.series, curve.where.position
    said = []
    for item in regressors:
        reacts = locate(SessionClock.of(item), event).position
        same = item.sessions.get_indexer(series.sessions[at : at + 1])[0] if at < len(series.sessions) else -1
        if same < 0 or reacts >= len(item.sessions):
            continue
        first, second = series.sessions[at], item.sessions[reacts]
        if first != second:
            said.append(
                f"{curve.market}: its day 0 is {first:%Y-%m-%d}, that of {item.name} {second:%Y-%m-%d}. Specifications "
                f"with {item.name} set moves of one date against each other, which do not hold the same news."
            )
        elif abs(series.close_utc[at] - item.close_utc[same]) > _APART:
            said.append(
                f"{curve.market} and {item.name} close at different times: moves of one date overlap in part only, "
                "which the counterfactual 'dimson' allows for and the others do not."
            )
    return said
