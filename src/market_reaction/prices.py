"""Price series with their clocks: one instrument from one source, and several of them together.

Each series keeps its own sessions: nothing is filled forward, joined or spliced. Rows that are no session of the series
(closed days, bars whose close has not passed, empty rows) are left out and named in ``excluded``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from market_reaction import calendars
from market_reaction.clocks import BarClose, close_instants
from market_reaction.errors import DataUnavailableError, MarketReactionError, UnknownInstrumentError, did_you_mean
from market_reaction.instruments import Instrument, ReturnKind, find_instrument

if TYPE_CHECKING:
    from market_reaction.quality import QualityReport

_DECIMALS = 10  # of a difference of levels: 4.02 - 3.95 and 4.09 - 4.02 are 0.07 on paper
PRICE_COLUMNS = ("open", "high", "low", "close", "volume")
PriceBasis = Literal["close", "adjusted close", "settlement", "fixing", "yield"]


@dataclass(frozen=True, slots=True)
class Vintage:
    """Where a series came from and when.

    Attributes
    ----------
    source, symbol : str
        Source name (``"yahoo"``, ``"bundled"``, ``"files"``) and the symbol or file asked for there.
    retrieved_utc : pandas.Timestamp or None
        When it was downloaded or, for bundled series, published by the package it was taken from; None for user files.
    first, last : pandas.Timestamp
        First and last session.
    rows : int
        Number of sessions.
    sha256 : str
        Checksum of the stored file.
    detail : str
        Publisher, package and version, or library version.
    """

    source: str
    symbol: str
    retrieved_utc: pd.Timestamp | None
    first: pd.Timestamp
    last: pd.Timestamp
    rows: int
    sha256: str
    detail: str = ""

    def __str__(self) -> str:
        """One phrase for tables: source, symbol, day of retrieval, checksum start."""
        when = f", retrieved {self.retrieved_utc:%Y-%m-%d}" if self.retrieved_utc is not None else ""
        return f"{self.source} {self.symbol}{when}, sha256 {self.sha256[:8]}"


@dataclass(frozen=True, repr=False)
class PriceSeries:
    """Daily bars of one instrument from one source, with the instant of every close.

    Attributes
    ----------
    instrument : Instrument
        What is priced.
    name : str
        Name shown; differs from the instrument's when the source has another quote of it (``"USD/CNY (ECB)"``).
    source : str
        ``"yahoo"``, ``"bundled"``, ``"files"`` or ``"frame"``.
    bars : pandas.DataFrame
        Rows by session (tz-naive midnight), columns among open, high, low, close, volume; close is always there.
    close_earliest_utc, close_utc : pandas.DatetimeIndex
        Bounds of the instant each close was set; equal where it is known to the minute.
    price_basis : str
        ``"close"``, ``"adjusted close"``, ``"settlement"``, ``"fixing"`` or ``"yield"``.
    vintage : Vintage
        Provenance.
    excluded : pandas.DataFrame
        Columns session and reason: rows of the source that are no session here.
    """

    instrument: Instrument
    name: str
    source: str
    bars: pd.DataFrame
    close_earliest_utc: pd.DatetimeIndex
    close_utc: pd.DatetimeIndex
    price_basis: str
    vintage: Vintage
    excluded: pd.DataFrame

    def __repr__(self) -> str:
        """Name, source, span and number of sessions."""
        span = f"{self.sessions[0]:%Y-%m-%d} to {self.sessions[-1]:%Y-%m-%d}"
        return f"<PriceSeries {self.name}: {self.source}, {len(self.sessions)} sessions, {span}>"

    @property
    def sessions(self) -> pd.DatetimeIndex:
        """Session labels of the series, tz-naive midnights in order."""
        return self.bars.index  # type: ignore[return-value]

    @cached_property
    def closes(self) -> np.ndarray:
        """Closing levels, float64, one a session."""
        return self.bars["close"].to_numpy(dtype=float)

    @cached_property
    def close_ns(self) -> np.ndarray:
        """Latest instant of each close in nanoseconds since 1970 UTC."""
        return self.close_utc.as_unit("ns").asi8

    @cached_property
    def close_earliest_ns(self) -> np.ndarray:
        """Earliest instant of each close in nanoseconds since 1970 UTC."""
        return self.close_earliest_utc.as_unit("ns").asi8

    @cached_property
    def _returns(self) -> dict[str, np.ndarray]:
        return {}

    def returns(self, kind: ReturnKind | None = None) -> np.ndarray:
        """Session returns: decimal log or simple returns, or differences in the unit of the level.

        Parameters
        ----------
        kind : {"log", "simple", "difference"}, optional
            The instrument's own kind when left out. Differences stay differences whatever is asked.

        Returns
        -------
        numpy.ndarray
            One value a session, the first NaN. A log or simple return with a level at or below zero at either end is
            NaN.
        """
        chosen = self.instrument.kind_of_moves(kind)
        if chosen not in self._returns:
            self._returns[chosen] = moves_between(self.closes, chosen)
        return self._returns[chosen]

    @cached_property
    def record_lengths(self) -> tuple[np.ndarray, np.ndarray]:
        """Length in sessions of the record each gain and each fall sets, in simple returns or differences."""
        from market_reaction.inference.selection import record_lengths

        changes = self.returns("simple")
        return record_lengths(changes, 1), record_lengths(changes, -1)

    @cached_property
    def quality(self) -> QualityReport:
        """Quality findings on this series alone; computed once."""
        from market_reaction.quality import check_series

        return check_series(self)


def differences(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Differences of levels without what binary numbers add to them, so that equal moves are equal numbers.

    Parameters
    ----------
    before, after : numpy.ndarray
        Levels, of one shape.

    Examples
    --------
    >>> levels = np.array([3.95, 4.02, 4.09])
    >>> len(np.unique(np.diff(levels))), len(np.unique(differences(levels[:-1], levels[1:])))
    (2, 1)
    """
    return np.round(after - before, _DECIMALS)


def moves_between(levels: np.ndarray, kind: str) -> np.ndarray:
    """Moves from each level to the next, of the kind named; the first is NaN.

    Parameters
    ----------
    levels : numpy.ndarray
        Levels by session, shape (T,).
    kind : {"log", "simple", "difference"}
        Decimal log or simple returns, which need both levels above zero, or differences in the unit of the level.
    """
    moves = np.full(len(levels), np.nan)
    if kind == "difference":
        moves[1:] = differences(levels[:-1], levels[1:])
        return moves
    positive = np.where(levels > 0, levels, np.nan)
    ratios = positive[1:] / positive[:-1]  # equal moves are equal numbers, and tie in ranks
    moves[1:] = np.log(ratios) if kind == "log" else ratios - 1.0
    return moves


def build_series(
    instrument: Instrument,
    bars: pd.DataFrame,
    *,
    source: str,
    price_basis: str,
    vintage: Vintage,
    bar_close: tuple[BarClose, ...] | None = None,
    now: pd.Timestamp | None = None,
) -> PriceSeries:
    """Make a series of a source's rows: sort out what is a session and give each close its instant.

    Parameters
    ----------
    instrument : Instrument
        What is priced; its calendar tells closed days.
    bars : pandas.DataFrame
        Rows by tz-naive date with at least a ``close`` column; duplicates and order as the source gives them.
    source : str
        Name of the source; picks the bar-close rules.
    price_basis : str
        What the close is.
    vintage : Vintage
        Provenance of the rows.
    bar_close : tuple of BarClose, optional
        Rules that replace those of ``data/bar_closes.csv``.
    now : pandas.Timestamp, optional
        The present instant (UTC): bars whose close lies after it are left out. No cut when left out.

    Returns
    -------
    PriceSeries

    Raises
    ------
    DataUnavailableError
        No usable row is left.
    """
    rows = bars.copy()
    rows.index = pd.DatetimeIndex(rows.index).as_unit("ns")
    rows = rows.sort_index(kind="stable")
    out: list[pd.DataFrame] = []

    def dates() -> pd.DatetimeIndex:
        return pd.DatetimeIndex(rows.index)

    def leave_out(bad: np.ndarray, reason: str) -> None:
        nonlocal rows
        if bad.any():
            out.append(pd.DataFrame({"session": rows.index[bad], "reason": reason}))
            rows = rows[~bad]

    leave_out(~np.isfinite(rows["close"].to_numpy(dtype=float)), "no close in the source's row")
    leave_out(rows.index.duplicated(keep="last"), "date given twice; the last row is kept")
    if instrument.calendar:
        closed = ~calendars.hours(instrument.calendar).is_session(dates())
        leave_out(closed, f"closed day of {instrument.calendar}")
    else:
        leave_out(np.asarray(dates().day_of_week >= 5), "weekend row")
    rules = instrument.bar_closes(source) if bar_close is None else bar_close
    earliest, latest = close_instants(dates(), rules)
    if now is not None:
        open_yet = np.asarray(latest > now)
        earliest, latest = earliest[~open_yet], latest[~open_yet]
        leave_out(open_yet, "its close had not passed when it was retrieved")
    excluded = pd.concat(out, ignore_index=True) if out else pd.DataFrame({"session": [], "reason": []})
    if rows.empty:
        raise DataUnavailableError(
            f"{source} gave {len(bars)} rows for {instrument.name!r} ({vintage.symbol}), none of them a session "
            f"with a close.",
            symbol=vintage.symbol,
            cause="no rows",
        )
    rows = rows[[column for column in PRICE_COLUMNS if column in rows.columns]].astype(float)
    rows.index.name = "session"
    return PriceSeries(
        instrument=instrument,
        name=instrument.name_from(source),
        source=source,
        bars=rows,
        close_earliest_utc=earliest,
        close_utc=latest,
        price_basis=price_basis,
        vintage=vintage,
        excluded=excluded,
    )


@dataclass(frozen=True, repr=False)
class PriceData:
    """Series of several markets, and what could not be had.

    Attributes
    ----------
    series : mapping of str to PriceSeries
        By the name shown, in the order asked for.
    unavailable : pandas.DataFrame
        Columns market, reason: what was asked for and could not be had, and how to get it.
    notes : tuple of str
        What a reader should know about the loading: no network, a source skipped, unmatched files.
    """

    series: Mapping[str, PriceSeries]
    unavailable: pd.DataFrame = field(default_factory=lambda: pd.DataFrame({"market": [], "reason": []}, dtype=str))
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        """List the series, and what is missing."""
        missing = f"; not available: {', '.join(self.unavailable['market'])}" if len(self.unavailable) else ""
        return f"<PriceData: {', '.join(map(repr, self))}{missing}>"

    def __iter__(self) -> Iterator[PriceSeries]:
        """Go through the series in the order asked for."""
        return iter(self.series.values())

    def __len__(self) -> int:
        """Count the series."""
        return len(self.series)

    def __getitem__(self, name: str) -> PriceSeries:
        """Series by the name shown, the instrument's name or a symbol.

        Raises
        ------
        UnknownInstrumentError
            No loaded series has that name; the message gives the reason if it was asked for and could not be had.
        """
        if name in self.series:
            return self.series[name]
        for item in self:
            known = (item.name, item.instrument.name, item.instrument.yahoo, item.instrument.bundled)
            if name.casefold() in (text.casefold() for text in known):
                return item
        for market, reason in zip(self.unavailable["market"], self.unavailable["reason"], strict=True):
            if name.casefold() == str(market).casefold():
                raise UnknownInstrumentError(f"{name!r} was asked for and could not be had: {reason}")
        raise UnknownInstrumentError(
            f"{name!r} is not among the loaded markets: {', '.join(self.series)}. "
            f"{did_you_mean(name, self.series)}Load it with load_prices."
        )

    @property
    def vintage(self) -> pd.DataFrame:
        """Provenance, one row a series: source, symbol, retrieved_utc, first, last, rows, sha256, detail."""
        fields = ("source", "symbol", "retrieved_utc", "first", "last", "rows", "sha256", "detail")
        rows = [{"market": s.name} | {f: getattr(s.vintage, f) for f in fields} for s in self]
        return pd.DataFrame(rows, columns=["market", *fields]).set_index("market")

    @property
    def excluded(self) -> pd.DataFrame:
        """Rows of the sources that are no session: columns market, session, reason."""
        parts = [s.excluded.assign(market=s.name) for s in self if len(s.excluded)]
        if not parts:
            return pd.DataFrame({"market": [], "session": [], "reason": []})
        return pd.concat(parts, ignore_index=True)[["market", "session", "reason"]]

    def quality(self) -> pd.DataFrame:
        """Quality findings on every series and between siblings.

        Returns
        -------
        pandas.DataFrame
            Columns market, session, rule, value, bound, what_to_do; one row a finding.
        """
        from market_reaction.quality import check_prices

        return check_prices(self)

    @classmethod
    def from_frame(
        cls, closes: pd.DataFrame, instruments: Mapping[str, Instrument] | None = None, *, bar_close: str = ""
    ) -> PriceData:
        """Make price data of a frame of closes, one column a market; NaN cells are no session of that market.

        Parameters
        ----------
        closes : pandas.DataFrame
            Levels by tz-naive date, columns named like instruments of the catalogue or keys of ``instruments``.
        instruments : mapping of str to Instrument, optional
            Instruments for columns that are not in the catalogue.
        bar_close : str, optional
            Close of every bar, such as ``"15:00 Asia/Shanghai"``; the instrument's own when left out.
        """
        import hashlib

        from market_reaction.clocks import parse_bar_close

        if getattr(closes.index, "tz", None) is not None:
            raise MarketReactionError(
                f"the index of the frame has the time zone {closes.index.tz}; give session labels, "  # type: ignore[attr-defined]
                "tz-naive dates, such as closes.tz_localize(None)."
            )
        rules = (parse_bar_close(bar_close),) if bar_close else None
        series = {}
        for column in closes.columns:
            instrument = (instruments or {}).get(column) or find_instrument(column)
            rows = closes[column].dropna().to_frame("close")
            if rows.empty:
                raise DataUnavailableError(
                    f"column {column!r} holds no close; drop it, or fill it in.", symbol=str(column), cause="no rows"
                )
            digest = hashlib.sha256(rows.to_csv().encode()).hexdigest()
            vintage = Vintage("frame", str(column), None, rows.index[0], rows.index[-1], len(rows), digest)
            built = build_series(
                instrument, rows, source="frame", price_basis="close", vintage=vintage, bar_close=rules
            )
            if built.name in series:
                raise UnknownInstrumentError(
                    f"column {column!r} is {built.name!r}, which another column holds already; keep one of them."
                )
            series[built.name] = built
        return cls(series)
