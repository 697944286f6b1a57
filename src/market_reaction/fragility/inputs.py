"""What a specification curve is made of: the series to study, and the sessions to leave out of estimation windows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from market_reaction import events as event_tables
from market_reaction import times
from market_reaction.errors import DataUnavailableError, WindowError
from market_reaction.event_filters import check_events
from market_reaction.fragility.grid import Grid
from market_reaction.instruments import DEFAULT_MARKETS, Instrument, find_instruments
from market_reaction.loading import SourceName, load_prices
from market_reaction.normal_models import NORMAL_MODELS
from market_reaction.prices import PriceData, PriceSeries
from market_reaction.sessions import SessionClock, sessions_holding
from market_reaction.windows import EventWindows


class Skip(NamedTuple):
    """What the level ``"out"`` leaves out: events, or the sessions between two dates."""

    events: pd.DataFrame | None
    dates: tuple[pd.Timestamp, pd.Timestamp] | None
    text: str

    def sessions(self, series: PriceSeries) -> np.ndarray:
        """Sessions of a market to leave out, shape (T,) of bool."""
        if self.dates is None:
            return sessions_holding(SessionClock.of(series), self.events)
        return np.asarray((series.sessions >= self.dates[0]) & (series.sessions <= self.dates[1]))


def what_to_skip(given: pd.DataFrame | tuple[str, str] | None) -> Skip:
    """What ``skip=`` names, the catalogue when it is left out."""
    if given is None:
        events = event_tables.load_events()
        return Skip(events, None, f"{len(events)} announcements of the catalogue")
    if isinstance(given, pd.DataFrame):
        check_events(given)
        return Skip(given, None, f"{len(given)} announcements")
    if isinstance(given, str) or len(given) != 2:
        raise WindowError(f"skip={given!r} is neither an event table nor a pair of dates ('2025-04-01', '2025-04-30').")
    first, last = (times.parse_date(day, "skip") for day in given)
    if first > last:
        raise WindowError(f"skip={tuple(given)} starts after it ends; swap the dates.")
    return Skip(None, (first, last), f"sessions from {first:%Y-%m-%d} to {last:%Y-%m-%d}")


def series_to_study(
    prices: PriceData | None,
    markets: Sequence[str | Instrument] | None,
    table: pd.DataFrame,
    grid: Grid,
    benchmark: str | None,
    factors: Sequence[str],
    history: int,
    source: SourceName,
    folder: str | Path | None,
    as_of: str | None,
    refresh: bool,
) -> tuple[PriceData, list[PriceSeries]]:
    """Series at hand, and those to study."""
    inputs = [*([benchmark] if benchmark else []), *factors]
    if prices is not None:
        taken = {prices[name].name for name in inputs}
        if markets is None:
            return prices, [series for series in prices if series.name not in taken]
        names = [market.name if isinstance(market, Instrument) else market for market in markets]
        return prices, list({prices[name].name: prices[name] for name in names}.values())
    asked = find_instruments(DEFAULT_MARKETS if markets is None else markets)
    relative = any(NORMAL_MODELS[model].regressors == "benchmark" for model in grid.counterfactual)
    if relative and not benchmark:
        inputs += [instrument.benchmark for instrument in asked if instrument.benchmark]
    low = min(grid.gap)
    least = EventWindows(estimation=(-low - min(grid.length), -low - 1), event=(_first_window(grid),))
    most = replace(least, estimation=(-max(grid.gap) - max(grid.length), -low - 1))
    loaded = load_prices(
        [*asked, *inputs], most.span(table, history)[0], events=table, windows=least, history=history, source=source,
        folder=folder, as_of=as_of, refresh=refresh,
    )  # fmt: skip
    own = {instrument.name for instrument in asked}  # a file may state another bar close than the catalogue
    studied = [series for series in loaded if series.instrument.name in own]
    if not studied:
        reasons = "; ".join(f"{row.market}: {row.reason}" for row in loaded.unavailable.itertuples())
        raise DataUnavailableError(
            f"no market could be had around this announcement. {reasons}", symbol=str(table.index[0]), cause="too short"
        )
    return loaded, studied


def _first_window(grid: Grid) -> tuple[int, int]:
    """Widest window whose start the shortest gap leaves room for."""
    room = [window for window in grid.window if window[0] >= -min(grid.gap)]
    return max(room, key=lambda window: window[1], default=(0, 0))
