"""One study of many events, taken apart by class."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import pandas as pd

from market_reaction import reaction_notes, wording
from market_reaction.errors import MarketReactionWarning
from market_reaction.event_classes.groups import class_labels, class_names, columns_of, studies_of
from market_reaction.event_classes.result import ClassStudies
from market_reaction.event_filters import check_events
from market_reaction.instruments import ReturnKind
from market_reaction.normal_models import NormalModel
from market_reaction.placebo import HISTORY, placebo_test
from market_reaction.placebo_result import PlaceboResult
from market_reaction.prices import PriceData
from market_reaction.study import event_study
from market_reaction.study_result import EventStudyResult
from market_reaction.windows import EventWindows, check_history

CHOSEN_DATES = (
    "The dates were chosen because something was announced, not because a market moved; announcements that the event "
    "table lacks are in no class."
)


def by_class(
    prices: PriceData,
    events: pd.DataFrame,
    *,
    by: str | Sequence[str] = "direction",
    classes: Sequence[str] | None = None,
    least: int = 1,
    windows: EventWindows | Sequence[tuple[int, int]] | None = None,
    markets: Sequence[str] | None = None,
    normal_model: NormalModel = "constant_mean",
    returns: ReturnKind | None = None,
    benchmark: str | None = None,
    skip: pd.DataFrame | None = None,
    history: int | None = HISTORY,
) -> ClassStudies:
    """Measure every event once and compare the classes: escalation with de-escalation, one wave with another.

    Parameters
    ----------
    prices : PriceData
        Loaded series; each keeps its own sessions.
    events : pandas.DataFrame
        As ``load_events`` or ``filter_events(...).events`` gives it.
    by : str or sequence of str
        Column of the event table, such as ``"direction"``, ``"side"`` or ``"instrument"``; ``"wave"`` is made from the
        date (2018-19, 2020-24, 2025-26). Several columns make classes such as ``"escalation, 2018-19"``.
    classes : sequence of str, optional
        Classes to show, in this order; all when left out. Other events are still measured, because their windows may
        overlap.
    least : int
        Classes of fewer events are not shown, where ``classes`` names none.
    windows : EventWindows or sequence of pairs, optional
        (0, 1) and (0, 5) after an estimation window of (-130, -11) when left out.
    markets : sequence of str, optional
        Loaded markets to study; all when left out.
    normal_model, returns, benchmark, skip
        As in ``event_study``.
    history : int or None
        Size of the placebo pool of each event; None leaves the placebo tests out.

    Returns
    -------
    ClassStudies

    Raises
    ------
    EventTableError
        A column the table lacks, a class that no event has, or no class of enough events.
    WindowError
        No event can be measured in any market; or windows that overlap.

    Notes
    -----
    Events whose windows overlap in a market are one cluster there and count as one value, their mean. A cluster that
    holds two classes tells them apart no more and is left out of both; ``merged`` names it. Inference is over clusters.

    Examples
    --------
    >>> import market_reaction as mr
    >>> events = mr.filter_events(evidence="documented_exact", until="2025-08-31").events
    >>> prices = mr.load_prices(["VIX"], events=events, source="bundled")
    >>> found = mr.by_class(prices, events, windows=[(0, 1)], history=None)
    >>> found.summary()[["estimate", "n_events", "n_clusters"]].round(2)
                          estimate  n_events  n_clusters
    class         market...
    """
    names = columns_of(by)
    if history is not None:
        check_history(history)
    if windows is None:
        windows = EventWindows()
    elif not isinstance(windows, EventWindows):
        windows = EventWindows(event=tuple(windows))
    check_events(events)
    class_names(events, names, classes, least)  # refuses what cannot be grouped before anything is measured
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MarketReactionWarning)  # the notes say the same
        study = event_study(
            prices, events, markets=markets, windows=windows, normal_model=normal_model, returns=returns,
            benchmark=benchmark, skip=skip, on_bad_event="exclude",
        )  # fmt: skip
    placebo = None if history is None else placebo_test(study, prices, history=history)
    return grouped(study, placebo, names, classes, least)


def grouped(
    study: EventStudyResult,
    placebo: PlaceboResult | None,
    by: tuple[str, ...],
    classes: Sequence[str] | None,
    least: int = 1,
) -> ClassStudies:
    """Take a study apart by class."""
    names = class_names(study.events, by, classes, least)
    labels = class_labels(study.events, by)
    shown = labels.where(labels.isin(names), "")
    return ClassStudies(
        by=by,
        labels=labels,
        studies=studies_of(study, labels, names),
        study=study,
        placebo=placebo,
        excluded=_excluded(study, shown, by),
        notes=(*_notes(study), *reaction_notes.on_study(study), CHOSEN_DATES),
    )


def _excluded(study: EventStudyResult, shown: pd.Series, by: tuple[str, ...]) -> pd.DataFrame:
    """What the study left out, and the events of no class that is shown."""
    without = shown.index[shown.eq("")]
    reason = f"its {' and '.join(by)} is not stated, or in no class shown"
    rows = pd.DataFrame({"event_id": without, "market": "", "session": pd.NaT, "reason": reason})
    rows["session"] = pd.to_datetime(rows["session"])
    parts = [part for part in (study.excluded, rows) if len(part)]
    return pd.concat(parts, ignore_index=True) if parts else study.excluded.copy()


def _notes(study: EventStudyResult) -> list[str]:
    """Ambiguous sessions, markets with fewer events, markets that could not be had, and what "up" means."""
    said = []
    measured = study.sessions.loc[study.sessions.index.isin(list(study.pairs))]
    unsure = int(measured["ambiguous"].sum())
    if unsure:
        said.append(
            f"{unsure} of {len(measured)} reactions may belong to another session, because the bounds of the "
            "announcement hold a close; the headline session is taken."
        )
    markets = list(dict.fromkeys(market for _, market in study.pairs))
    for market in markets:
        count = sum(name == market for _, name in study.pairs)
        if count < len(study.events):
            last = study.prices[market].sessions[-1]
            said.append(f"{market}: {count} of {len(study.events)} events; the series ends {last:%Y-%m-%d}.")
    said += [f"{row.market} is missing: {row.reason}" for row in study.prices.unavailable.itertuples()]
    up = [(market, wording.direction_note(study.prices[market].instrument)) for market in markets]
    return [*said, *(f"{market}: {text}." for market, text in up if text)]
