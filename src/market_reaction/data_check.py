"""What is loaded, held against calendars: coverage by year, quality findings, and the days futures roll."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from market_reaction import calendars, wording
from market_reaction.errors import UnknownInstrumentError, WindowError
from market_reaction.exports import Exportable, Provenance
from market_reaction.instruments import find_instrument
from market_reaction.prices import PriceData, PriceSeries
from market_reaction.quality_futures import LAST_TRADES, roll_sessions
from market_reaction.quality_rules import robust_sd

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from market_reaction.data_check_tables import Section
    from market_reaction.theme import Theme

WEEKDAYS = "weekdays"
_COVERAGE = ("market", "year", "against", "expected", "held", "absent", "share")
_ROLLS = ("market", "last_trade", "session", "move", "unit", "usual_days")


@dataclass(frozen=True, slots=True, repr=False)
class DataCheck(Exportable):
    """Whether the series at hand are fit for use.

    Attributes
    ----------
    prices : PriceData
        What was checked.
    start, end : pandas.Timestamp
        First and last day of the check.
    coverage : pandas.DataFrame
        One row a market and year: ``against`` (code of the calendar, or ``"weekdays"`` where there is none, whose
        holidays count as absent), ``expected`` sessions, ``held`` and ``absent`` ones, ``share`` held.
    findings : pandas.DataFrame
        Quality findings, as ``PriceData.quality`` gives them.
    roll_days : pandas.DataFrame
        One row a roll of a future: ``last_trade`` of the front month, ``session`` whose return spans two contracts,
        its ``move``, decimal or in ``unit``, and in ``usual_days`` (robust standard deviations). Without a series the
        move is NaN.
    """

    prices: PriceData
    start: pd.Timestamp
    end: pd.Timestamp
    coverage: pd.DataFrame
    findings: pd.DataFrame
    roll_days: pd.DataFrame

    @property
    def excluded(self) -> pd.DataFrame:
        """Rows of the sources that are no session: columns market, session, reason."""
        return self.prices.excluded

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader should know about the loading."""
        return self.prices.notes

    def __repr__(self) -> str:
        """Say what was found."""
        return f"<DataCheck: {self.answer()}>"

    def answer(self, width: int | None = None) -> str:
        """What can be used, until when, and what to look at, in three sentences.

        Parameters
        ----------
        width : int, optional
            Line length; one line when left out.
        """
        asked = len(self.prices) + len(self.prices.unavailable)
        sentences = [
            f"{len(self.prices)} of {asked} markets can be had; {len(self.prices.unavailable)} cannot."
            if len(self.prices.unavailable)
            else f"All {asked} markets can be had."
            if asked > 1
            else "The market can be had."
        ]
        if len(self.prices):
            sentences += [self._span(), self._to_look_at()]
        text = " ".join(sentences)
        return wording.filled(text, width)

    def _span(self) -> str:
        ends = self.prices.vintage["last"]
        if len(ends) == 1:
            return f"{ends.index[0]} ends on {ends.iloc[0]:%Y-%m-%d}."
        return (
            f"The first series to end is {ends.idxmin()}, on {ends.min():%Y-%m-%d}; the last is {ends.idxmax()}, "
            f"on {ends.max():%Y-%m-%d}."
        )

    def _to_look_at(self) -> str:
        found, rolls = len(self.findings), int(self.roll_days["move"].notna().sum())
        text = (
            f"The quality rules name {found} rows or series to look at in {self.findings['market'].nunique()} markets"
            if found
            else "The quality rules name nothing"
        )
        left_out = f"{len(self.excluded)} rows were left out"
        if not rolls:
            return f"{text}; {left_out}."
        spans = "1 return spans" if rolls == 1 else f"{rolls} returns span"
        return f"{text}, {left_out}, and {spans} a roll of a future."

    def rolls_in_words(self, width: int | None = None) -> str:
        """What the roll days mean, in a sentence.

        Parameters
        ----------
        width : int, optional
            Line length; one line when left out.
        """
        rolls, held = self.roll_days, self.roll_days[self.roll_days["move"].notna()]
        if rolls.empty:
            text = "No future was asked for, so no return spans two contracts."
        elif held.empty:
            names = wording.listed(list(dict.fromkeys(rolls["market"])))
            text = f"No future could be had ({names}); the days below are those on which the front month rolls."
        else:
            largest = held.iloc[int(held["usual_days"].abs().argmax())]
            text = (
                f"{len(held)} returns span two contracts; the largest for its time is {largest['market']} on "
                f"{largest['session']:%Y-%m-%d}, {wording.move(largest['move'], largest['unit'])}."
            )
        return wording.filled(text, width)

    def to_frame(self) -> pd.DataFrame:
        """Coverage, one row a market and year."""
        return self.coverage.copy()

    def section(self, name: str) -> Section:
        """One table, for a notebook.

        Parameters
        ----------
        name : {"coverage", "vintage", "unavailable", "findings", "rolls", "excluded"}
            Which one; of long tables the latest rows are shown, and ``frame`` has all.

        Raises
        ------
        WindowError
            There is no such table.
        """
        from market_reaction.data_check_tables import SECTIONS, section

        if name not in SECTIONS:
            raise WindowError(f"section={name!r} is not known; choose one of {', '.join(SECTIONS)}.")
        return section(self, name)

    def plot(self, *, theme: Theme = "auto") -> go.Figure:
        """Draw how many sessions of each year each series holds.

        Parameters
        ----------
        theme : {"auto", "light", "dark"}
            Ink for a light page, for a dark one, or for both.
        """
        from market_reaction.coverage_chart import coverage_chart

        return coverage_chart(self, theme=theme)

    def tables(self) -> dict[str, pd.DataFrame]:
        """Tables by name: coverage, findings, roll days, what cannot be had, rows left out."""
        return {
            "Coverage": self.coverage,
            "Findings": self.findings,
            "Roll days": self.roll_days,
            "Not available": self.prices.unavailable,
            "Left out": self.excluded,
        }

    def printed(self) -> dict[str, pd.DataFrame]:
        """Coverage by market as it stands in a paper."""
        from market_reaction.data_check_tables import coverage_lines

        return {f"Sessions held, {wording.day(self.start)} to {wording.day(self.end)}": coverage_lines(self)}

    def provenance(self) -> Provenance:
        """Days checked, and the vintage of every series."""
        span = {"start": f"{self.start:%Y-%m-%d}", "end": f"{self.end:%Y-%m-%d}"}
        return Provenance({"markets": list(self.prices.series), **span}, self.prices.vintage)

    def _repr_html_(self) -> str:
        from market_reaction.data_check_tables import check_html

        return check_html(self)


def check_data(
    prices: PriceData, start: str | pd.Timestamp | None = None, end: str | pd.Timestamp | None = None
) -> DataCheck:
    """Hold series against calendars, and list what to look at before a study.

    Parameters
    ----------
    prices : PriceData
        As ``load_prices`` gives it.
    start, end : str or pandas.Timestamp, optional
        First and last day looked at, tz-naive; those of the series when left out.

    Returns
    -------
    DataCheck

    Raises
    ------
    WindowError
        ``end`` lies before ``start``.

    Examples
    --------
    >>> import market_reaction as mr
    >>> prices = mr.load_prices(["CSI 300"], "2024-01-01", "2024-12-31", source="bundled")
    >>> check = mr.check_data(prices, "2024-01-01", "2024-12-31")
    >>> check.to_frame()[["market", "year", "against", "expected", "held"]]
        market  year against  expected  held
    0  CSI 300  2024    XSHG       242   242
    """
    ends = prices.vintage[["first", "last"]]
    if start is None and ends.empty:
        raise WindowError("no series is loaded and no start is given. Give start and end, or load a series.")
    first = ends["first"].min() if start is None else pd.Timestamp(start)
    last = ends["last"].max() if end is None else pd.Timestamp(end)
    if last < first:
        raise WindowError(f"end={last:%Y-%m-%d} lies before start={first:%Y-%m-%d}. Exchange them, or choose others.")
    parts = [_coverage(series, first, last) for series in prices]
    held = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=_COVERAGE)
    findings = prices.quality()  # on whole series, so also on sessions before the first day
    findings = findings[findings["session"].le(last).to_numpy()].reset_index(drop=True)
    return DataCheck(prices, first, last, held, findings, _roll_days(prices, first, last))


def expected_sessions(series: PriceSeries, first: pd.Timestamp, last: pd.Timestamp) -> pd.DatetimeIndex:
    """Days between two on which a series should have a row: sessions of its calendar, or else weekdays.

    A future has none on holidays of New York, where the day's trade is in the row of the next session.
    """
    code = series.instrument.calendar
    if not code:
        return pd.bdate_range(first, last)
    sessions = calendars.hours(code).sessions
    sessions = sessions[(sessions >= first) & (sessions <= last)]
    if series.instrument.asset_class == "future":
        sessions = sessions[calendars.hours("XNYS").is_session(sessions)]
    return sessions


def _coverage(series: PriceSeries, first: pd.Timestamp, last: pd.Timestamp) -> pd.DataFrame:
    """Coverage of one series by year."""
    expected = expected_sessions(series, first, last)
    held = np.asarray(expected.isin(series.sessions))
    counts = pd.DataFrame({"expected": 1, "held": held.astype(int)}, index=expected.year).groupby(level=0).sum()
    counts = counts.rename_axis("year").reset_index()
    counts = counts.assign(
        market=series.name,
        against=series.instrument.calendar or WEEKDAYS,
        absent=counts["expected"] - counts["held"],
        share=counts["held"] / counts["expected"],
    )
    return counts[list(_COVERAGE)]


def _roll_days(prices: PriceData, first: pd.Timestamp, last: pd.Timestamp) -> pd.DataFrame:
    """Rolls of every future asked for, also of those that could not be had."""
    rows: list[tuple[object, ...]] = []
    for series in prices:
        rows += _rolls_of(series, first, last)
    for name in _futures(prices.unavailable["market"].tolist()):
        trades = LAST_TRADES[name](first, last)
        trades = trades[(trades >= first) & (trades <= last)]
        sessions = calendars.hours("XNYS").sessions
        after = sessions[sessions.searchsorted(trades, side="right")]
        rows += [(name, trade, day, np.nan, "return", np.nan) for trade, day in zip(trades, after, strict=True)]
    frame = pd.DataFrame(rows, columns=_ROLLS)
    return frame.sort_values(["session", "market"], ignore_index=True)


def _rolls_of(series: PriceSeries, first: pd.Timestamp, last: pd.Timestamp) -> list[tuple[object, ...]]:
    days = roll_sessions(series)
    days = days[(days >= first) & (days <= last)]
    if days.empty:
        return []
    at = series.sessions.get_indexer(days)
    trades = LAST_TRADES[series.instrument.name](first - pd.Timedelta(days=120), last)
    before = trades[trades.searchsorted(days) - 1]
    moves, usual = series.returns()[at], robust_sd(series)[at]
    unit = series.instrument.change_unit
    return [
        (series.name, trade, day, move, unit, move / scale)
        for trade, day, move, scale in zip(before, days, moves, usual, strict=True)
    ]


def _futures(names: Sequence[str]) -> list[str]:
    """Names of futures whose rolls are known, among those that could not be had."""
    found = []
    for name in names:
        try:
            instrument = find_instrument(name)
        except UnknownInstrumentError:
            continue
        if instrument.asset_class == "future" and instrument.name in LAST_TRADES:
            found.append(instrument.name)
    return found
