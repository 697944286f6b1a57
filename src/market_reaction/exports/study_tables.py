"""An event study as tables, parameters and charts for the exports."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import pandas as pd

from market_reaction.exports import Provenance
from market_reaction.exports.plain import rounded

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from market_reaction.study_result import EventStudyResult
    from market_reaction.windows import Window

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
    return {name: frame for name, frame in whole.items() if len(frame) or name == "Summary"}


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
        "returns": design.returns,
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


def study_figures(result: EventStudyResult, theme: Literal["auto", "light", "dark"]) -> dict[str, go.Figure]:
    """Path of each market with its bands: of the only event, or the mean over events."""
    from market_reaction.car_chart import car_paths

    bands, count = result.bands(), len(result.studied_events)
    several = {} if count == 1 else {"events": result.plot(theme=theme)}
    own = {}
    for market, rows in bands.groupby("market", sort=False):
        text = f"{str(rows['event_id'].iloc[0]).capitalize()}. " if count > 1 else ""
        vintage = result.prices[str(market)].vintage
        own[f"car {market}"] = car_paths(rows, market=str(market), source=f"{text}{vintage}", theme=theme)
    return own | several
