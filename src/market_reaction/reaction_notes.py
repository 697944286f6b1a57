"""What a reader of a result must know, in sentences: clocks, closed days, gaps, missing returns, rows in doubt."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from market_reaction import events as event_tables
from market_reaction import wording
from market_reaction.normal_models import NORMAL_MODELS
from market_reaction.pair_study import PairStudy
from market_reaction.prices import PriceSeries
from market_reaction.sessions import Reaction
from market_reaction.study import findings_inside
from market_reaction.study_result import EventStudyResult

if TYPE_CHECKING:
    from market_reaction.battery import BatteryOptions
    from market_reaction.reaction_result import Measured


def on_announcement(event: pd.Series) -> tuple[str, ...]:
    """What limits the clock of the announcement, and the catalogue row it may be."""
    if event["precision"] == "date":
        return (
            "clock unknown: day 0 is each market's session of that date, or its next; news may have come after "
            "a close.",
        )
    if event["precision"] == "day":
        return ("only the day of this announcement is known; the headline takes its end, and rows may be ambiguous.",)
    if not isinstance(event.get("catalogue_id"), str):
        near = event_tables.suggest_event(event["announced_utc"])
        if near:
            title = str(event_tables.all_news().at[near, "title"])
            return (f"this time lies inside the bounds of {near} ({title}); use that id for its documented bounds.",)
    return ()


def on_options(options: BatteryOptions) -> tuple[str, ...]:
    """What was fixed before looking, or voids every p."""
    said = []
    if options.selected_because_it_moved:
        said.append(
            "the date was chosen because the market moved, so every p is void: a day picked for its move is unusual by "
            "construction. Counted instead: the sessions of the last year that moved at least as much."
        )
    if options.primary:
        said.append(
            f"{options.primary} was declared as the primary market: its p stands; the p of the others is to be "
            "adjusted (romano_wolf)."
        )
    return tuple(said)


def on_row(
    event: pd.Series,
    series: PriceSeries,
    where: Reaction,
    study: EventStudyResult,
    measured: Measured,
    options: BatteryOptions,
) -> tuple[str, ...]:
    """What a reader of this row must know: clock, closed days, gaps, missing returns, incomplete windows, bad rows."""
    session = measured.session
    before = series.sessions[where.position - 1]
    notes = [
        *([f"in place of p: {measured.as_large.text}."] if options.selected_because_it_moved else []),
        *_notes_on_clock(event, series, where, session),
        *_notes_on_windows(series, measured),
    ]
    notes += _notes_on_model(series, study.pairs[str(event.name), series.name], study)
    gap = (session - before).days
    if gap > 4:
        notes.append(f"the return spans {gap} calendar days since {before:%Y-%m-%d}; the news of all of them is in it.")
    lost = study.excluded[study.excluded["market"] == series.name]
    if len(lost):
        first = lost.iloc[0]
        notes.append(
            f"{len(lost)} session(s) of the windows have no return, first {first['session']:%Y-%m-%d}: "
            f"{first['reason']}."
        )
    for found in findings_inside(series, where.position, study.windows).itertuples():
        notes.append(f"{found.session:%Y-%m-%d}: {found.rule} ({found.value}, bound {found.bound}). {found.what_to_do}")
    return tuple(notes)


def on_study(study: EventStudyResult) -> tuple[str, ...]:
    """What a reader of a study must know of its normal returns: relative, approximate, sessions left out."""
    said = []
    inputs = dict.fromkeys(name for names in study.design.regressors.values() for name in names)
    if inputs:
        said.append(
            f"Relative effect: moves beyond what {_listed(tuple(inputs))} would explain; if the news moved that as "
            "well, they are no measure of the whole reaction."
        )
    if not NORMAL_MODELS[study.design.normal_model].exact:
        said.append(
            f"Approximate: {study.design.normal_model} has no exact forecast error; take p from placebo_test, not "
            "from t."
        )
    skipped = [pair.n_skipped for pair in study.pairs.values()]
    if study.design.skip is not None:
        said.append(
            f"Other events take {min(skipped)} to {max(skipped)} of the {study.windows.length} sessions from the "
            "estimation windows."
        )
    return tuple(said)


def _listed(names: tuple[str, ...]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}" if names[1:] else names[0]


def _notes_on_clock(event: pd.Series, series: PriceSeries, where: Reaction, session: pd.Timestamp) -> list[str]:
    notes = []
    if event["precision"] == "date" and session != event["session_date"]:
        notes.append(
            f"{event['session_date']:%Y-%m-%d} is no session of this market; the next, {session:%Y-%m-%d}, is day 0."
        )
    if where.phase == "closed day":
        notes.append(f"the market was closed when the news came; its next session is {session:%Y-%m-%d}.")
    if _struck_before_first_trade(event, series, where):
        struck = series.close_utc[where.position]
        notes.append(
            f"the close of {session:%Y-%m-%d} was struck at {struck:%H:%M} UTC, "
            f"{wording.duration(_minutes(event, struck))} after the news and before the next trading hours, so day 0 "
            "can hold little of it; see the CAR of later days."
        )
    if len(where.candidates) > 1:
        notes.append(_why_ambiguous(event, series, where))
    if where.without_row:
        days = ", ".join(f"{day:%Y-%m-%d}" for day in where.without_row[:3])
        notes.append(
            f"{len(where.without_row)} calendar session(s) between the news and day 0 have no row in the series "
            f"({days}): "
            "closed in fact, or missing data."
        )
    return notes


def _notes_on_model(series: PriceSeries, pair: PairStudy, study: EventStudyResult) -> list[str]:
    """Relative effects, sessions without a normal return, approximate errors, sessions the estimation left out."""
    notes = []
    names = study.design.regressors[series.name]
    if names:
        inputs = _listed(names)
        explain, have = ("explain", "have") if names[1:] else ("explains", "has")
        notes.append(
            f"relative effect: z, p and CAR are of the move beyond what {inputs} {explain} "
            f"({study.design.normal_model}); "
            "if the news moved that as well, they are no measure of the whole reaction."
        )
        blank = pair.taus[np.isfinite(pair.actual) & ~np.isfinite(pair.abnormal)]
        if len(blank):
            first_blank = series.sessions[pair.position + int(blank[0])]
            notes.append(
                f"{inputs} {have} no close at one end of {len(blank)} session(s) of the windows, first "
                f"{first_blank:%Y-%m-%d}, "
                "so there is no abnormal return; use 'constant_mean' or markets that trade on the same days."
            )
    if not pair.fit.exact:
        more = f" ({pair.fit.note})" if pair.fit.note else ""
        notes.append(
            f"approximate: {study.design.normal_model} has no exact forecast error, so z and the errors of the CAR are "
            f"rough{more}; the placebo p does not rest on them."
        )
    if pair.n_skipped:
        notes.append(
            f"{pair.n_skipped} of {study.windows.length} sessions of the estimation window are left out because other "
            "events fall into them."
        )
    return notes


def _notes_on_windows(series: PriceSeries, measured: Measured) -> list[str]:
    waiting = [window for window in measured.windows if not window.complete]
    if not waiting:
        return []
    dates = ", ".join(
        f"[{w.start},{w.end}], complete on {w.complete_on:%Y-%m-%d}"
        if w.complete_on is not None
        else f"[{w.start},{w.end}], complete on a day beyond the published calendar {series.instrument.calendar}"
        for w in waiting
    )
    return [f"the series ends {series.sessions[-1]:%Y-%m-%d}; windows that need later sessions: {dates}."]


def _minutes(event: pd.Series, instant: pd.Timestamp) -> float:
    """Minutes from the news to an instant."""
    return float((instant - event["announced_utc"]).total_seconds() / 60)


def _struck_before_first_trade(event: pd.Series, series: PriceSeries, where: Reaction) -> bool:
    """Whether day 0 closes before the market can trade on the news, as where a close is struck after trading hours."""
    wait = where.minutes_to_first_trade
    return wait is not None and _minutes(event, series.close_utc[where.position]) < wait


def _why_ambiguous(event: pd.Series, series: PriceSeries, where: Reaction) -> str:
    first, last = where.candidates[0], where.candidates[-1]
    labels = [f"{series.sessions[at]:%Y-%m-%d}" for at in where.candidates if at < len(series.sessions)]
    if last >= len(series.sessions):
        labels.append("the session after the data end")
    low, high = series.close_earliest_utc[first], series.close_utc[first]
    close = f"{high:%H:%M} UTC" if low == high else f"{low:%H:%M}-{high:%H:%M} UTC (not known to the minute)"
    return (
        f"ambiguous: the announcement's bounds {event['utc_earliest']:%Y-%m-%d %H:%M} to "
        f"{event['utc_latest']:%Y-%m-%d %H:%M} UTC "
        f"straddle the close of {labels[0]} at {close}, so {' and '.join(labels)} are possible; the headline is "
        f"{series.sessions[where.position]:%Y-%m-%d}."
    )
