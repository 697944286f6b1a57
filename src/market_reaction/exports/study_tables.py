"""An event study as tables, parameters and charts for the exports."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from market_reaction.exports import Provenance
from market_reaction.exports.plain import rounded, with_rows

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from market_reaction.event_classes.result import ClassStudies
    from market_reaction.study_result import EventStudyResult
    from market_reaction.theme import Theme
    from market_reaction.windows import Window

_SET = "event_set"  # column that puts every event into one class
PER_MAP = 42  # events of a map
_PRINTED = ["market", "estimate", "conf_low", "conf_high", "p_value", "mde", "n_events", "n_excluded"]


def window_name(window: Window) -> str:
    """A window as it is written: ``[0,1]``."""
    return "[{},{}]".format(*window)


def study_tables(result: EventStudyResult) -> dict[str, pd.DataFrame]:
    """Tables of a study: summary and CARs of every event window, paths, bands, fits, events, what was left out."""
    windows = result.windows.event
    summaries = [summary_of(result, window).assign(window=window_name(window)) for window in windows]
    cars = [_with_unit(result, result.car(window)).assign(window=window_name(window)) for window in windows]
    whole = {
        "Summary": _lead(pd.concat(summaries), "window"),
        "CAR by event": _lead(pd.concat(cars), "window"),
        "Paths": result.to_frame(),
        "Bands": result.bands(),
        "Fits": result.fits(),
        "Sessions": result.sessions,
        "Events": result.events,
        "Left out": result.excluded,
        "Not available": result.prices.unavailable,
    }
    return with_rows(whole)


def summary_of(result: EventStudyResult, window: Window) -> pd.DataFrame:
    """Summary of one window with the unit of each market."""
    return _with_unit(result, result.summary(window))


def _with_unit(result: EventStudyResult, frame: pd.DataFrame) -> pd.DataFrame:
    markets = frame.index.get_level_values("market")
    return frame.assign(unit=[result.design.units[market] for market in markets])


def _lead(frame: pd.DataFrame, column: str) -> pd.DataFrame:
    return frame[[column, *frame.columns.drop(column)]]


def study_provenance(result: EventStudyResult) -> Provenance:
    """What the study was told, and every series it was made of."""
    design = result.design
    regressors = {market: list(names) for market, names in design.regressors.items() if names}
    asked = {
        "events": list(map(str, result.events.index)),
        "markets": list(design.units),
        "windows": [list(window) for window in result.windows.event],
        "estimation": list(result.windows.estimation),
        "normal_model": design.normal_model,
        "returns": design.returns or "of each market",
        "regressors": regressors,
        "skipped_events": 0 if design.skip is None else len(design.skip),
    }
    return Provenance(asked, result.vintage)


def printed_study(result: EventStudyResult) -> dict[str, pd.DataFrame]:
    """The summary of every event window as it is read."""
    kind = "CAR" if len(result.events) == 1 else "Mean CAR over events"
    tables = {}
    for window in result.windows.event:
        frame = rounded(summary_of(result, window))
        words = frame[_PRINTED].rename(columns=lambda name: name.replace("_", " "))
        tables[f"{kind}, sessions {window_name(window)}"] = words
    return tables


def study_figures(result: EventStudyResult, theme: Theme) -> dict[str, go.Figure]:
    """Path of each market with its bands, and maps of every event where there are several."""
    own = {f"car {market}": figure for market, figure in mean_paths(result, theme).items()}
    return own | (heat_maps(every_event(result), theme) if len(result.studied_events) > 1 else {})


def mean_paths(result: EventStudyResult, theme: Theme) -> dict[str, go.Figure]:
    """Path with its bands by market: of the only event, or the mean over events; none where no band is to be had."""
    from market_reaction.car_chart import car_paths

    several = len(result.studied_events) > 1
    drawn = {}
    for market, rows in result.bands().groupby("market", sort=False):
        text = f"{str(rows['event_id'].iloc[0]).capitalize()}. " if several else ""
        vintage = result.prices[str(market)].vintage
        drawn[str(market)] = car_paths(rows, market=str(market), source=f"{text}{vintage}", theme=theme)
    return drawn


def every_event(result: EventStudyResult) -> ClassStudies:
    """The study as one class of events, each with its placebo test."""
    from market_reaction.event_classes.build import grouped
    from market_reaction.placebo import placebo_test

    study = replace(result, events=result.events.assign(**{_SET: "all events"}))
    return grouped(study, placebo_test(study, study.prices), (_SET,), None)


def heat_maps(classes: ClassStudies, theme: Theme) -> dict[str, go.Figure]:
    """Maps of every event in every market, as many events each as a page has room for."""
    from market_reaction.event_classes.heat import heat_map
    from market_reaction.event_filters import announced

    order = announced(classes.study.events).sort_values(kind="stable").index
    parts = np.array_split(np.arange(len(order)), -(-len(order) // PER_MAP))
    drawn = {}
    for number, part in enumerate(parts, start=1):
        labels = classes.labels.where(classes.labels.index.isin(order[part]), "")
        drawn[f"events {number}"] = heat_map(replace(classes, labels=labels), classes.markets, theme=theme)
    return drawn
