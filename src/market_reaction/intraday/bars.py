"""Frozen bars shorter than a day: each with the instants at which it begins and ends, in UTC."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import numpy as np
import pandas as pd

from market_reaction.errors import UnknownInstrumentError, did_you_mean
from market_reaction.instruments import Instrument
from market_reaction.intraday.moves import NS_PER_MINUTE
from market_reaction.intraday.quality import check_bars
from market_reaction.intraday.stamps import aware_stamps
from market_reaction.prices import Vintage

BarLabel = Literal["start", "end"]


@dataclass(frozen=True, repr=False)
class BarSeries:
    """Bars of one market.

    Attributes
    ----------
    instrument : Instrument
        What is priced.
    source : str
        ``"files"``, ``"yahoo"`` or ``"frame"``.
    bars : pandas.DataFrame
        Rows by ``end_utc``, the instant at which a bar is complete; column ``start_utc`` and those there are of open,
        high, low, close, volume.
    clock : str
        The zone or offset by which the times of the source were read.
    volume : str
        What the volume counts: ``"volume"``, ``"ticks"`` or empty where there is none.
    vintage : Vintage
        Provenance.
    excluded : pandas.DataFrame
        Columns time and reason: rows of the source that are no bar here.
    notes : tuple of str
        What a reader should know: a clock set aside, a clock that looks wrong.
    """

    instrument: Instrument
    source: str
    bars: pd.DataFrame
    clock: str
    volume: str
    vintage: Vintage
    excluded: pd.DataFrame
    notes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Name of the market."""
        return self.instrument.name

    @cached_property
    def end_ns(self) -> np.ndarray:
        """End of each bar in nanoseconds since 1970 UTC, shape (T,)."""
        return pd.DatetimeIndex(self.bars.index).as_unit("ns").asi8

    @cached_property
    def start_ns(self) -> np.ndarray:
        """Begin of each bar in nanoseconds since 1970 UTC, shape (T,)."""
        return pd.DatetimeIndex(self.bars["start_utc"]).as_unit("ns").asi8

    @cached_property
    def closes(self) -> np.ndarray:
        """Last price of each bar, shape (T,)."""
        return self.bars["close"].to_numpy(dtype=float)

    @cached_property
    def lengths(self) -> np.ndarray:
        """Minutes of each bar, shape (T,)."""
        return np.rint((self.end_ns - self.start_ns) / NS_PER_MINUTE).astype(np.int64)

    @property
    def bar_minutes(self) -> int:
        """Most common length of a bar in minutes."""
        lengths, counts = np.unique(self.lengths, return_counts=True)
        return int(lengths[np.argmax(counts)])

    def minutes_at(self, instant_ns: int) -> int:
        """Length in minutes of the bars around an instant: of the last that began at or before it."""
        at = int(np.searchsorted(self.start_ns, instant_ns, side="right")) - 1
        return int(self.lengths[max(at, 0)])

    def length_text(self) -> str:
        """Length of the bars in words: ``"5-minute"``, ``"hour"`` or ``"5- to 30-minute"``."""
        lengths, counts = np.unique(self.lengths, return_counts=True)
        common = lengths[counts >= 0.01 * len(self.lengths)]
        if len(common) == 1:
            return "hour" if common[0] == 60 else f"{common[0]}-minute"
        return f"{common[0]}- to {common[-1]}-minute"

    @cached_property
    def findings(self) -> pd.DataFrame:
        """Quality findings: columns time, rule, value, bound, what_to_do."""
        return check_bars(self.bars)

    def __repr__(self) -> str:
        """Name, source, span and length of the bars."""
        first, last = self.bars["start_utc"].iloc[0], self.bars.index[-1]
        return (
            f"<BarSeries {self.name}: {self.source}, {len(self.bars)} {self.length_text()} bars, "
            f"{first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M} UTC>"
        )


@dataclass(frozen=True, repr=False)
class BarData:
    """Bars of several markets, and what could not be had.

    Attributes
    ----------
    series : mapping of str to BarSeries
        By market, in the order asked for.
    unavailable : pandas.DataFrame
        Columns market, reason.
    notes : tuple of str
        What a reader should know about the loading, such as how far back a source has bars.
    """

    series: Mapping[str, BarSeries]
    unavailable: pd.DataFrame = field(default_factory=lambda: pd.DataFrame({"market": [], "reason": []}, dtype=str))
    notes: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[BarSeries]:
        """Go through the series."""
        return iter(self.series.values())

    def __len__(self) -> int:
        """Count the markets."""
        return len(self.series)

    def __getitem__(self, market: str) -> BarSeries:
        """Bars of one market by its name."""
        if market in self.series:
            return self.series[market]
        raise UnknownInstrumentError(
            f"there are no bars for {market!r}. {did_you_mean(market, self.series)}"
            f"Loaded are {', '.join(self.series) or 'none'}."
        )

    def __repr__(self) -> str:
        """One line a market."""
        lines = [repr(series) for series in self] or ["no bars"]
        return "<BarData>\n" + "\n".join(lines)

    @property
    def vintage(self) -> pd.DataFrame:
        """Provenance, one row a market, as ``PriceData.vintage`` has it; first and last are instants (UTC)."""
        fields = ("source", "symbol", "retrieved_utc", "first", "last", "rows", "sha256", "detail")
        rows = [{"market": s.name} | {f: getattr(s.vintage, f) for f in fields} for s in self]
        return pd.DataFrame(rows, columns=["market", *fields]).set_index("market")

    @property
    def excluded(self) -> pd.DataFrame:
        """Rows of the sources that are no bar: columns market, time, reason."""
        return _with_market({s.name: s.excluded for s in self}, ["market", "time", "reason"])

    def quality(self) -> pd.DataFrame:
        """Findings on all bars: columns market, time, rule, value, bound, what_to_do."""
        columns = ["market", "time", "rule", "value", "bound", "what_to_do"]
        return _with_market({s.name: s.findings for s in self}, columns)

    def summary(self) -> pd.DataFrame:
        """One row a market: source, bars, minutes of a bar, first and last instant, clock, volume, findings."""
        rows = [
            {
                "market": s.name,
                "source": s.source,
                "bars": len(s.bars),
                "bar_minutes": s.bar_minutes,
                "first_utc": s.bars["start_utc"].iloc[0],
                "last_utc": s.bars.index[-1],
                "clock": s.clock,
                "volume": s.volume,
                "findings": len(s.findings),
            }
            for s in self
        ]
        columns = ["source", "bars", "bar_minutes", "first_utc", "last_utc", "clock", "volume", "findings"]
        return pd.DataFrame(rows, columns=["market", *columns]).set_index("market")

    def _repr_html_(self) -> str:
        from market_reaction.intraday.html import bars_html

        return bars_html(self)

    @classmethod
    def from_frame(
        cls, frames: Mapping[str, pd.DataFrame], instruments: Mapping[str, Instrument], *, bar_label: BarLabel = "start"
    ) -> BarData:
        """Make bars of frames.

        Parameters
        ----------
        frames : mapping of str to pandas.DataFrame
            By market: rows by tz-aware instant, a column close and perhaps open, high, low, volume.
        instruments : mapping of str to Instrument
            What each market is.
        bar_label : {"start", "end"}
            Whether a row's instant is the begin or the end of its bar.
        """
        from market_reaction.intraday.build import build_bars

        series = {}
        for market, frame in frames.items():
            stamps = aware_stamps(pd.DatetimeIndex(frame.index), None, market)
            label = Vintage("frame", market, None, stamps.utc[0], stamps.utc[-1], len(frame), "")
            series[market] = build_bars(
                instruments[market], stamps.utc, frame.reset_index(drop=True), source="frame", clock=stamps.clock,
                vintage=label, bar_label=bar_label, volume="volume" if "volume" in frame else "",
            )  # fmt: skip
        return cls(series)


def _with_market(frames: Mapping[str, pd.DataFrame], columns: list[str]) -> pd.DataFrame:
    parts = [frame.assign(market=name) for name, frame in frames.items() if len(frame)]
    return pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns)
