"""What moved in the minutes around an announcement, measured on bars shorter than a day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd

from market_reaction import events as event_tables
from market_reaction.errors import UnknownInstrumentError, WindowError
from market_reaction.instruments import Instrument
from market_reaction.intraday import moves as numbers
from market_reaction.intraday.around import news_around, news_in, path_of, spread_of, volume_in
from market_reaction.intraday.bars import BarData, BarSeries
from market_reaction.intraday.loading import load_bars
from market_reaction.intraday.measured import Window, WindowMove
from market_reaction.intraday.placebo import SameClock, window_placebo
from market_reaction.intraday.results import IntradayResult, MarketIntraday
from market_reaction.intraday.windows import (
    HOUR,
    NARROW,
    STALE,
    WIDE,
    check_windows,
    fit_to_bounds,
    locate_window,
    refusal,
    straddling,
)
from market_reaction.other_news import own_id
from market_reaction.placebo import HISTORY
from market_reaction.progress import progress

WINDOWS: tuple[Window, ...] = (NARROW, WIDE, HOUR)
PATH: Window = (-60, 120)
MINIMUM_ESTIMATION = 20  # bars a market model is fitted on, at least
_THIN = 0.8  # share of the minutes around the announcement that have bars, below which the bars are called thin


def react_intraday(
    announcement: str | datetime,
    bars: BarData | Sequence[str | Instrument] | str | None = None,
    *,
    windows: Sequence[Window] = WINDOWS,
    path: Window = PATH,
    stale: float = STALE,
    history: int = HISTORY,
    benchmark: str | None = None,
    exclude: pd.DataFrame | None = None,
) -> IntradayResult:
    """Measure moves over windows of minutes around an announcement, next to the same minutes of earlier days.

    Parameters
    ----------
    announcement : str or datetime
        Time stamp with a zone, or id of the catalogue. Windows of minutes need a time that is documented to the minute:
        where the bounds are wider than a window, the window is refused and a wider one is measured.
    bars : BarData, sequence of str or Instrument, or str, optional
        As ``load_bars`` gives them; or markets, for which Yahoo is asked.
    windows : sequence of tuple of float
        Minutes before (negative) and after the announcement. (-10, 20) and (-15, 45) are the narrow and the wide
        window of Gurkaynak, Sack and Swanson.
    path : tuple of float
        Minutes the cumulated path is drawn over.
    stale : float
        Oldest age in minutes of a price that stands for the price at an end of a window. Nothing is carried further.
    history : int
        Earlier days to compare with, at most.
    benchmark : str, optional
        Market of ``bars`` for a market model in bar returns, fitted on the bars before the windows: adds the move
        beyond it.
    exclude : pandas.DataFrame, optional
        Events whose windows are left out of the earlier days, such as ``mr.load_events()``.

    Returns
    -------
    IntradayResult
        Without any market where there are no bars; it then says why.

    Raises
    ------
    AnnouncementTimeError
        No zone, no clock time, or no such id.
    WindowError
        A window that does not hold the announcement, or too few bars before it for the market model.

    Notes
    -----
    Price before: close of the last bar complete at or before the begin of the window. Price after: close of the last
    bar complete at its end, which must have ended after the announcement. Change: simple return; difference of levels
    for yields and volatility indexes. Where bars are longer than ``stale`` and no close lies there, the nearest closes
    outside the window are taken and stated. The placebo p ranks the move among the same minutes of earlier weekdays,
    for intraday volatility is U-shaped.

    References
    ----------
    Gurkaynak, Sack and Swanson (2005), International Journal of Central Banking 1:55; Nakamura and Steinsson (2018),
    Quarterly Journal of Economics 133:1283.

    Examples
    --------
    >>> import market_reaction as mr
    >>> nothing = mr.react_intraday("2025-06-11-us", mr.BarData({}))
    >>> nothing.answer()[:31]
    'No bars shorter than a day are '
    """
    event = event_tables.announcement(announcement).iloc[0]
    asked = check_windows(windows, stale)
    if not (path[0] < 0 < path[1]):
        raise WindowError(f"path={path} must begin before the announcement and end after it.")
    if history < 1:
        raise WindowError(f"history={history} is no number of days; give 1 or more.")
    data = bars if isinstance(bars, BarData) else load_bars(bars, announcement)
    parameters = {
        "announcement": str(event.name),
        "windows": [list(window) for window in asked],
        "path": list(path),
        "stale": stale,
        "history": history,
        "benchmark": benchmark,
        "excluded_events": 0 if exclude is None else len(exclude),
    }
    why = refusal(event)
    if not why and not len(data):
        why = "No bars shorter than a day are at hand around the announcement."
    if benchmark is not None and len(data) and benchmark not in data.series:
        raise UnknownInstrumentError(f"benchmark={benchmark!r} has no bars; loaded are {', '.join(data.series)}.")
    news = news_around(event, own_id(event))
    if why:
        return IntradayResult(event, (), data, news, parameters, data.notes, why)
    task = _Task(event, asked, path, float(stale), history, benchmark, exclude, news, data)
    rows = tuple(task.measure(series) for series in progress(list(data), "intraday", len(data)))
    none = "" if any(row.headline for row in rows) else "No window could be measured."
    return IntradayResult(event, rows, data, news, parameters, data.notes, none)


class _Task:
    """One announcement with what was asked about it; measures one market after the other."""

    def __init__(
        self, event: pd.Series, windows: tuple[Window, ...], path: Window, stale: float, history: int,
        benchmark: str | None, exclude: pd.DataFrame | None, news: pd.DataFrame, data: BarData,
    ) -> None:  # fmt: skip
        self.event, self.windows, self.path, self.stale = event, windows, path, stale
        self.history, self.benchmark, self.exclude, self.news, self.data = history, benchmark, exclude, news, data
        self.at = int(event["announced_utc"].value)
        self.bounds = int(event["utc_earliest"].value), int(event["utc_latest"].value)

    def measure(self, series: BarSeries) -> MarketIntraday:
        """Everything about one market."""
        clock = SameClock.of(self.event, series, self.exclude, self.history)
        asked = fit_to_bounds(self.event, self.windows)
        located = [locate_window(series, self.at, self.bounds, window, self.stale) for window in asked]
        found = tuple(self._complete(series, clock, move) for move in located)
        first = next((move for move in found if move.measured), None)
        held = straddling(series, self.bounds)
        return MarketIntraday(
            series=series,
            moves=found,
            path=path_of(series, self.at, first, self.path, clock, self.stale),
            straddling=held,
            spread=spread_of(series, self.at, self.bounds, clock, self.stale),
            notes=tuple([*self._notes(series), *_held_note(series, held)]),
        )

    def _complete(self, series: BarSeries, clock: SameClock, move: WindowMove) -> WindowMove:
        """Add the placebo, the volume, the other news and the move beyond the benchmark."""
        if not move.measured:
            return move
        volume = volume_in(series, self.at, (0.0, move.used[1]), clock)
        more: dict[str, Any] = {
            "placebo": window_placebo(series, clock, move.used, move.change, stale=self.stale),
            "news": news_in(self.news, move.used),
            **volume,
        }
        if self.benchmark is not None and series.name != self.benchmark:
            more["abnormal"], more["beta"] = self._beyond(series, move)
        return replace(move, **more)

    def _beyond(self, series: BarSeries, move: WindowMove) -> tuple[float, float]:
        """Move beyond the market model over the bars of a window, and beta."""
        assert self.benchmark is not None
        other = self.data[self.benchmark]
        own = pd.Series(self._bar_moves(series), index=series.end_ns)
        joined = own.to_frame("own").join(pd.Series(self._bar_moves(other), index=other.end_ns, name="market")).dropna()
        ends = joined.index.to_numpy()
        before = ends <= self.at + int(min(window[0] for window in self.windows) * numbers.NS_PER_MINUTE)
        if before.sum() < MINIMUM_ESTIMATION:
            raise WindowError(
                f"the market model of {series.name!r} on {self.benchmark!r} has {int(before.sum())} common bars before "
                f"the windows, and needs {MINIMUM_ESTIMATION}. Load earlier bars, or leave benchmark out."
            )
        own_moves, market = joined["own"].to_numpy(), joined["market"].to_numpy()
        abnormal, beta = numbers.abnormal_moves(own_moves, market, before)
        assert move.before_utc is not None
        inside = (ends > move.before_utc.value) & (ends <= move.after_utc.value)
        return float(abnormal[inside].sum()), beta

    def _bar_moves(self, series: BarSeries) -> np.ndarray:
        return numbers.bar_moves(
            series.start_ns, series.end_ns, series.closes, stale=self.stale, difference=series.instrument.is_difference
        )

    def _notes(self, series: BarSeries) -> list[str]:
        notes = list(series.notes)
        low, high = (self.at + int(minute * numbers.NS_PER_MINUTE) for minute in self.path)
        inside = (series.end_ns > low) & (series.end_ns <= high)
        covered = float(series.lengths[inside].sum()) / (self.path[1] - self.path[0])
        if covered < _THIN:
            notes.append(
                f"thin bars: {covered:.0%} of the minutes from {self.path[0]:+g} to {self.path[1]:+g} have a bar"
            )
        findings = series.findings
        if len(findings):
            counts = findings["rule"].value_counts()
            notes.append("findings on the bars: " + ", ".join(f"{rule} ({count})" for rule, count in counts.items()))
            near = findings["time"].between(pd.Timestamp(low, tz="UTC"), pd.Timestamp(high, tz="UTC"))
            notes += [
                f"near the announcement: {row.rule} at {row.time:%Y-%m-%d %H:%M} UTC, {row.value}"
                for row in findings[near].head(3).itertuples()
            ]
        return notes


def _held_note(series: BarSeries, held: pd.DataFrame) -> list[str]:
    """Name the bars that hold the announcement: their closes are neither before nor cleanly after it."""
    if held.empty:
        return []
    first, last, count = held["start_utc"].iloc[0], held["end_utc"].iloc[-1], len(held)
    bars = f"{count} {series.length_text()} bar{'s' if count > 1 else ''}"
    return [f"{bars} from {first:%H:%M} to {last:%H:%M} UTC straddle{'' if count > 1 else 's'} the announcement"]
