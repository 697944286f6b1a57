"""Event studies: every event in every market, with normal returns, abnormal returns and their forecast error."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Literal

import numpy as np
import pandas as pd

from market_reaction.design import Design
from market_reaction.errors import (
    AmbiguousSessionWarning,
    DataQualityWarning,
    EstimationError,
    OverlappingEventsWarning,
    WindowError,
)
from market_reaction.event_filters import check_events
from market_reaction.instruments import ReturnKind
from market_reaction.normal_models import NormalModel
from market_reaction.pair_study import PairStudy, study_pair
from market_reaction.prices import PriceData, PriceSeries
from market_reaction.regressors import check_choices, find_regressors
from market_reaction.sessions import reaction_sessions
from market_reaction.study_result import EventStudyResult
from market_reaction.windows import EventWindows


def event_study(
    prices: PriceData,
    events: pd.DataFrame,
    *,
    markets: Sequence[str] | None = None,
    windows: EventWindows | None = None,
    normal_model: NormalModel = "constant_mean",
    returns: ReturnKind | None = None,
    benchmark: str | None = None,
    factors: Sequence[str] = (),
    donors: Sequence[str] = (),
    skip: pd.DataFrame | None = None,
    dimson: tuple[int, int] = (1, 0),
    on_bad_event: Literal["raise", "exclude"] = "raise",
) -> EventStudyResult:
    """Measure the reaction to every event in every loaded market.

    Parameters
    ----------
    prices : PriceData
        Loaded series; each keeps its own sessions.
    events : pandas.DataFrame
        As ``load_events`` gives it.
    markets : sequence of str, optional
        Loaded markets to study; all but the factors and donors when left out. Those, and a benchmark, need to be
        loaded, not studied.
    windows : EventWindows, optional
        Estimation window (-130, -11) and event windows (0, 1) and (0, 5) when left out.
    normal_model : str
        Counterfactual: a name of ``market_reaction.normal_models.NORMAL_MODELS``, which says a sentence on each. Those
        with a benchmark, factors or donors suppose that the event did not move these: if it did, the result is the
        effect relative to them.
    returns : {"log", "simple"}, optional
        Each instrument's own kind when left out (log for prices). Yields and VIX are always differences.
    benchmark : str, optional
        Market to use as benchmark for all; each instrument's default when left out. It must be loaded. The GARCH models
        take one only if it is named here.
    factors : sequence of str
        Loaded markets that ``normal_model="factors"`` regresses on.
    donors : sequence of str
        Loaded markets that ``normal_model="synthetic_control"`` mixes; they must be open in the same hours as the
        market studied.
    skip : pandas.DataFrame, optional
        Event table, such as ``mr.load_events()``: sessions of an estimation window that lie in the event window of one
        of these are left out of it. ``PairStudy.n_skipped`` counts them.
    dimson : tuple of int
        Sessions of the benchmark before and after each session that ``normal_model="dimson"`` takes.
    on_bad_event : {"raise", "exclude"}
        Whether events that cannot be measured stop the study (all are listed) or are moved to ``excluded``.

    Returns
    -------
    EventStudyResult

    Raises
    ------
    EventTableError
        No event table as ``load_events`` gives it, or one without a row.
    WindowError
        Events whose windows reach beyond the data or lose too many sessions to ``skip``; all are listed at once.
        Factors or donors that do not belong to the model, or donors open in other hours.
    EstimationError
        Events on whose estimation window the model cannot be fitted: a constant series, collinear factors, a GARCH that
        does not converge. It is a ``WindowError`` too.
    UnknownInstrumentError
        A benchmark, factor or donor that is not loaded.

    Warns
    -----
    AmbiguousSessionWarning
        The bounds of an event straddle a close, so that another session than the one used is possible.
    DataQualityWarning
        A row inside an event window breaks a quality rule.
    OverlappingEventsWarning
        Two events share sessions of one market.

    Notes
    -----
    AR_t = R_t - E[R_t]; CAR(t1, t2) is the sum of AR over the window; Var(CAR) = s^2 [m + x_W'(X'X)^-1 x_W] with L - k
    degrees of freedom, exact for the models whose ``NORMAL_MODELS`` entry says so and approximate for the others.

    References
    ----------
    Brown and Warner (1985), Journal of Financial Economics 14:3; MacKinlay (1997), Journal of Economic Literature
    35:13.
    """
    check_events(events)
    windows = windows or EventWindows()
    check_choices(normal_model, factors, donors)
    if returns not in (None, "log", "simple"):
        raise WindowError(
            f"returns={returns!r} is not known; choose 'log' or 'simple', or leave it out for each market's own kind."
        )
    inputs = {prices[name].name for name in (*factors, *donors)}
    studied = [series for series in prices if series.name not in inputs]
    if markets is not None:
        studied = [prices[name] for name in markets]
    sessions = reaction_sessions(events, PriceData({series.name: series for series in studied}))
    pairs: dict[tuple[str, str], PairStudy] = {}
    excluded: list[dict[str, object]] = []
    bad: list[WindowError] = []
    regressors = {
        series.name: find_regressors(prices, series, normal_model, benchmark, factors, donors) for series in studied
    }
    design = Design(
        normal_model=normal_model,
        returns=returns,
        regressors={market: tuple(item.name for item in items) for market, items in regressors.items()},
        units={series.name: series.instrument.change_unit for series in studied},
        skip=skip,
        dimson=dimson,
    )
    for series in studied:
        counterfactual = design.counterfactual(series, prices, windows)
        for event_id in events.index:
            session = sessions.at[(event_id, series.name), "session"]
            position = int(series.sessions.get_indexer(pd.DatetimeIndex([session]))[0])
            position = len(series.sessions) if position < 0 else position
            try:
                pair = study_pair(event_id, series, position, windows, counterfactual)
            except WindowError as error:
                bad.append(error)
                excluded.append(_left_out(event_id, series.name, session, str(error)))
                continue
            pairs[event_id, series.name] = pair
            excluded += _nan_returns(event_id, series, pair, windows)
            _warn_quality(event_id, series, position, windows)
        _warn_overlap(series.name, pairs, windows)
    _warn_ambiguous(sessions)
    if bad and (on_bad_event == "raise" or not pairs):
        advice = [] if on_bad_event == "exclude" else ["Or leave such events out with on_bad_event='exclude'."]
        kind = EstimationError if all(isinstance(error, EstimationError) for error in bad) else WindowError
        raise kind("\n".join([*dict.fromkeys(map(str, bad)), *advice]))
    return EventStudyResult(
        pairs=pairs,
        events=events,
        sessions=sessions,
        windows=windows,
        design=design,
        excluded=pd.DataFrame(excluded, columns=["event_id", "market", "session", "reason"]),
        prices=prices,
    )


def _left_out(event_id: object, market: str, session: object, reason: str) -> dict[str, object]:
    return {"event_id": event_id, "market": market, "session": session, "reason": reason}


def _nan_returns(event_id: str, series: PriceSeries, pair: PairStudy, windows: EventWindows) -> list[dict[str, object]]:
    """Sessions of the windows that have no return although the series has rows for them."""
    if series.instrument.is_difference:
        return []
    start = pair.position + windows.estimation[0]
    stop = min(pair.position + windows.span_offsets[1], len(series.sessions) - 1) + 1
    levels = series.closes
    bad = start + np.flatnonzero(np.isnan(series.returns("log")[start:stop]))
    return [
        _left_out(
            event_id,
            series.name,
            series.sessions[at],
            f"no return: the level went from {levels[at - 1]:g} to {levels[at]:g}, and a return needs both above zero",
        )
        for at in bad.tolist()
    ]


def findings_inside(series: PriceSeries, position: int, windows: EventWindows) -> pd.DataFrame:
    """Quality findings from the session before day 0 to the end of the largest event window."""
    first, last = windows.span_offsets
    sessions = series.sessions
    start, stop = max(position + first - 1, 0), min(position + last, len(sessions) - 1)
    return series.quality.between(sessions[start], sessions[stop], information=False)


def _warn_quality(event_id: str, series: PriceSeries, position: int, windows: EventWindows) -> None:
    inside = findings_inside(series, position, windows)
    for found in inside.itertuples() if len(inside) else ():
        warnings.warn(
            f"event {event_id!r} uses {series.name!r} on {found.session:%Y-%m-%d}: {found.rule} ({found.value}, bound "
            f"{found.bound}). {found.what_to_do}",
            DataQualityWarning,
            stacklevel=3,
        )


def _warn_ambiguous(sessions: pd.DataFrame) -> None:
    said = []
    for row in sessions[sessions["ambiguous"]].reset_index().to_dict("records"):
        days = [f"{day:%Y-%m-%d}" for day in row["candidates"]]
        possible = " and ".join(days if len(days) > 1 else [*days, "the session after the data end"])
        said.append(
            f"the bounds of event {row['event_id']!r} straddle a close of {row['market']!r}: {possible} are possible. "
            f"Using {row['session']:%Y-%m-%d}; react() measures each of them."
        )
    _warn_once(said, AmbiguousSessionWarning)


def _warn_once(said: list[str], kind: type[Warning]) -> None:
    """One warning for several cases of a kind: the first, and how many more there are."""
    if said:
        more = f" ({len(said) - 1} more such cases.)" if len(said) > 1 else ""
        warnings.warn(f"{said[0]}{more}", kind, stacklevel=4)


def _warn_overlap(market: str, pairs: Mapping[tuple[str, str], PairStudy], windows: EventWindows) -> None:
    low, high = windows.span_offsets
    said = []
    placed = sorted((pair.position, event_id) for (event_id, name), pair in pairs.items() if name == market)
    for (before, first), (after, second) in pairwise(placed):
        if after + low <= before + high:
            said.append(
                f"events {first!r} and {second!r} share sessions of {market!r}: their day 0 lie "
                f"{after - before} sessions "
                f"apart and the windows reach from {low} to {high}. "
                "Means over events count them as one cluster; their single CARs share those sessions. Shorten the "
                "windows to tell them apart."
            )
    _warn_once(said, OverlappingEventsWarning)
