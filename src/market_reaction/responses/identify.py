"""What moves what over several events: one market's response to another's news, and its path after shocks."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from market_reaction import wording
from market_reaction.errors import WindowError
from market_reaction.inference import projections
from market_reaction.inference.identification import rigobon_sack
from market_reaction.inference.projection_fits import Errors
from market_reaction.prices import PriceSeries
from market_reaction.responses.pairs import all_news, event_pairs, market_of, other_pairs, two_markets
from market_reaction.responses.results import EventProjections, NewsResponse
from market_reaction.responses.shocks import event_shocks
from market_reaction.sessions import SessionClock, sessions_holding
from market_reaction.study_result import EventStudyResult


def response_to_news(
    study: EventStudyResult, market: str, to: str, *, level: float = 0.95, exclude: pd.DataFrame | None = None
) -> NewsResponse:
    """Response of one market to a unit move of another that news caused, from event days against other days.

    News that moves ``market`` otherwise than through ``to`` counts as response as well.

    Parameters
    ----------
    study : EventStudyResult
        Study of several events; both markets are studied. Ten events with sessions of their own are needed.
    market : str
        The market that responds, by name or symbol.
    to : str
        The market whose move stands for the news, such as ``"USD/CNY"``.
    level : float
        Coverage of the confidence set.
    exclude : pandas.DataFrame, optional
        Other news, such as ``mr.load_events()``, whose sessions may not be among the other days.

    Returns
    -------
    NewsResponse
        With fewer than 10 events, NaN and the reason in ``notes``.

    Raises
    ------
    UnknownInstrumentError
        A market that is not studied.
    WindowError
        The same market twice, a market that the normal return of the other is made of, no event measured in both, or a
        level outside (0, 1).

    Notes
    -----
    (Cov_E - Cov_0) / (Var_E - Var_0) of the abnormal moves, the event days E being each market's own reaction session,
    and the other days 0 one pseudo-announcement a weekday at the events' clock times in turn, mapped through the clocks
    of both markets, from the first estimation window to the last event. Sessions that may hold an event of the study
    are no other days. A session of either market counts once: of events that share one, the earliest.

    It is a causal response only if the news in ``to`` is all that is larger on event days. News that moves ``market``
    by another way as well (an equity market that fears tariffs whatever the currency does) is counted as response. And
    the other shocks are taken to be as large on other days: between events years apart, those hold whatever happened.

    References
    ----------
    Rigobon and Sack (2004), Journal of Monetary Economics 51:1553; the set is in ``inference.identification``.

    Examples
    --------
    >>> import market_reaction as mr
    >>> events = mr.load_events()
    >>> chosen = events["precision"].eq("minute") & events["surprise"].eq("surprise")
    >>> events = events[chosen & (events["announced_utc"] < "2025-09-01")]
    >>> prices = mr.load_prices(["CSI 300", "US 10y"], events=events, source="bundled")
    >>> study = mr.event_study(prices, events, windows=mr.EventWindows(event=(0, 0)))
    >>> print(mr.response_to_news(study, "US 10y", "CSI 300").answer())
    What US 10y does when news moves CSI 300 is not pinned down (first-stage F 1.1 is below 10: read the set, not the
    estimate). Point estimate: US 10y moves +2 bp when news raises CSI 300 by 1% (95% set −1.1 bp or less, or +0.2 bp or
    more; p 0.031; 11 event sessions against 1,412 others).
    """
    names = two_markets(study, ("market", market), ("to", to))
    pairs = event_pairs(study, names)
    kept = pairs[pairs["reason"].eq("")]
    if kept.empty:
        raise WindowError(
            f"no event of the study is measured in both {names[0]!r} and {names[1]!r}: "
            f"{'; '.join(dict.fromkeys(pairs['reason']))}. Load series that reach the events."
        )
    others = other_pairs(study, names, study.events.loc[kept.index], exclude)
    y_event, x_event, y_other, x_other = (
        frame[column].to_numpy(dtype=float) for frame in (kept, others) for column in ("move", "to_move")
    )
    fit = rigobon_sack(y_event, x_event, y_other, x_other, level)
    days = pd.concat({"event": kept.drop(columns="reason").reset_index(), "other": others}, names=["regime", None])
    return NewsResponse(
        market=names[0],
        to=names[1],
        unit=study.design.units[names[0]],
        to_unit=study.design.units[names[1]],
        fit=fit,
        days=days.reset_index("regime").reset_index(drop=True),
        excluded=pairs.loc[pairs["reason"].ne(""), ["reason"]],
        notes=_notes(study, names, kept.index, re.sub(r"\bx\b", lambda _: names[1], fit.note)),
        vintage=study.vintage.loc[list(names)],
        n_ambiguous=len(_unsure(study, names, kept.index)),
    )


def event_projections(
    study: EventStudyResult,
    market: str,
    *,
    shock: str | pd.Series = "direction",
    horizons: int = 10,
    errors: Errors = "hac",
    level: float = 0.95,
    exclude: pd.DataFrame | None = None,
    draws: int = 999,
    seed: int = 0,
) -> EventProjections:
    """Path of a market after the shocks of several events, by local projections.

    Parameters
    ----------
    study : EventStudyResult
        Study of several events.
    market : str
        Market whose path is wanted, by name or symbol.
    shock : str or pandas.Series
        ``"direction"``: +1 for an event whose column ``direction`` says escalation, -1 for de-escalation, 0 for mixed.
        A market studied: its abnormal move on its own reaction session of each event. Or numbers by event_id; an
        event without one is left out.
    horizons : int
        Longest horizon, in sessions after the reaction session.
    errors : {"hac", "lag_augmented"}
        As in ``inference.projections.local_projections``.
    level : float
        Coverage of the bands.
    exclude : pandas.DataFrame, optional
        Other news on whose sessions no random date may fall; those of the study's events are left out anyway.
    draws, seed : int
        Number of random choices of dates, and their seed.

    Returns
    -------
    EventProjections
        With fewer than 10 sessions of events, no standard errors nor bands around the path, and the reason in
        ``notes``; the comparison with random dates stays.

    Raises
    ------
    UnknownInstrumentError
        A market that is not studied.
    WindowError
        No event with a shock other than zero, a table without directions, numbers for events that are not studied, or
        an option outside its bounds.

    Notes
    -----
    y_{t+h} - y_{t-1} = a_h + b_h s_t + u, with y the log price (the level itself for yields and VIX) and s_t zero but
    on the reaction sessions, over the sessions from the first estimation window to the last horizon of the last event.
    Events on one session count once, with the mean of their shocks: an escalation beside a de-escalation is 0. A
    session whose events have no shock known is left out of the regressions. With a market as shock, of events that
    share a session of either market the earliest counts.

    References
    ----------
    Jorda (2005), American Economic Review 95:161; Montiel Olea and Plagborg-Moller (2021), Econometrica 89:1789.

    Examples
    --------
    >>> import market_reaction as mr
    >>> events = mr.load_events()
    >>> chosen = events["precision"].eq("minute") & events["surprise"].eq("surprise")
    >>> events = events[chosen & (events["announced_utc"] < "2025-09-01")]
    >>> prices = mr.load_prices(["CSI 300", "VIX"], events=events, source="bundled")
    >>> study = mr.event_study(prices, events, windows=mr.EventWindows(event=(0, 0)))
    >>> path = mr.event_projections(study, "CSI 300", horizons=2)
    >>> path.to_frame()[["coefficient", "permutation_p"]].round(4)
             coefficient  permutation_p
    horizon...
    0            -0.0118          0.008
    1            -0.0115          0.051
    2            -0.0112          0.100
    """
    name = market_of(study, "market", market)
    series = study.prices[name]
    shocks = event_shocks(study, name, shock)
    placed = shocks.events.dropna(subset="row").astype({"row": int})
    by_row = placed.groupby("row")["shock"].mean()
    values = np.zeros(len(series.sessions))
    values[by_row.index] = by_row
    start = max(int(by_row.index[0]) + study.windows.estimation[0], 0)
    span = slice(start, int(by_row.index[-1]) + max(horizons, 0) + 1)
    levels = _levels(series)[span]
    free = ~sessions_holding(SessionClock.of(series), all_news(study, exclude))
    fit = projections.local_projections(
        levels, values[span], horizons, errors=errors, level=level, allowed=free[span], draws=draws, seed=seed
    )
    without = projections.leave_one_event_out(levels, values[span], horizons, errors=errors)
    on_row = placed.reset_index().groupby("row")["event_id"].agg(", ".join)
    paths = pd.DataFrame(without.paths, index=on_row[without.rows + start], columns=fit.horizons)
    influence = (paths - without.coefficients).abs().max(axis=1)
    order = influence.to_numpy().argsort(kind="stable")[::-1]
    return EventProjections(
        market=name,
        unit=study.design.units[name],
        shock=shocks.words,
        step=shocks.step,
        fit=fit,
        events=shocks.events.drop(columns="row"),
        paths_without=paths.iloc[order].rename_axis(index="event_id", columns="horizon"),
        notes=_notes(study, shocks.markets, placed.index, shocks.note, fit.note),
        vintage=study.vintage.loc[[name]],
    )


def _levels(series: PriceSeries) -> np.ndarray:
    """Log price, or the level itself where moves are differences."""
    if series.instrument.is_difference:
        return series.closes
    return np.log(np.where(series.closes > 0, series.closes, np.nan))


def _notes(study: EventStudyResult, markets: tuple[str, ...], events: pd.Index, *notes: str) -> tuple[str, ...]:
    """Notes with what "up" means in each market, and how many events have an uncertain session."""
    unsure = _unsure(study, markets, events)
    text = f"{len(unsure)} event(s) may belong to another session; the headline one is taken." if unsure else ""
    directions = [(market, wording.direction_note(study.prices[market].instrument)) for market in markets]
    return tuple(note for note in (*(f"{market}: {up}." for market, up in directions if up), *notes, text) if note)


def _unsure(study: EventStudyResult, markets: tuple[str, ...], events: pd.Index) -> set[str]:
    """Events with an uncertain session in one of the markets."""
    rows = study.sessions.loc[study.sessions["ambiguous"]].index
    return {event_id for event_id, market in rows if market in markets and event_id in events}
