"""One call from a time stamp to the full result: what every market did, and whether that was unusual."""

from __future__ import annotations

import textwrap
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date as Date
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from market_reaction import events as event_tables
from market_reaction import reaction_notes as notes
from market_reaction.errors import (
    AnnouncementTimeError,
    DataUnavailableError,
    MarketReactionWarning,
    UnknownInstrumentError,
    WindowError,
)
from market_reaction.instruments import DEFAULT_MARKETS, Instrument, ReturnKind, find_instruments
from market_reaction.loading import SourceName, load_prices
from market_reaction.normal_models import NORMAL_MODELS, NormalModel
from market_reaction.other_news import OtherNews, news_inside, own_id
from market_reaction.pair_study import PairStudy, study_pair
from market_reaction.placebo import HISTORY, MarketMoves, MarketPlacebo, PlaceboResult, placebo_at
from market_reaction.prices import PriceData, PriceSeries
from market_reaction.records import Record, record_of
from market_reaction.regressors import check_choices, find_regressors
from market_reaction.sessions import Reaction, SessionClock, locate
from market_reaction.study import EventStudyResult, event_study
from market_reaction.windows import EventWindows

if TYPE_CHECKING:
    import plotly.graph_objects as go


@dataclass(frozen=True, slots=True)
class WindowReaction:
    """CAR over one event window.

    Attributes
    ----------
    start, end : int
        Inclusive session offsets.
    car, std_error : float
        In the unit of the market's moves; NaN when incomplete.
    complete : bool
        Whether the series reaches the end of the window.
    complete_on : pandas.Timestamp or None
        Session that completes the window; None when it is complete, or beyond the end of the published calendar.
    """

    start: int
    end: int
    car: float
    std_error: float
    complete: bool
    complete_on: pd.Timestamp | None


@dataclass(frozen=True, slots=True)
class Measured:
    """The reaction on one possible session of one market.

    Attributes
    ----------
    session : pandas.Timestamp
        Day 0.
    previous_close, close : float
        Levels.
    change : float
        Simple return, or difference for yields (percentage points) and VIX (points).
    abnormal : float
        Abnormal return of day 0, of the market's own return kind.
    z, z_mad, z_ewma : float
        Abnormal return over the forecast standard deviation, the robust spread and the EWMA volatility.
    usual_day : float
        EWMA volatility known the session before, in the unit of the moves.
    placebo : MarketPlacebo
        Placebo test of day 0.
    windows : tuple of WindowReaction
        CARs.
    record : Record or None
        Rank in words.
    """

    session: pd.Timestamp
    previous_close: float
    close: float
    change: float
    abnormal: float
    z: float
    z_mad: float
    z_ewma: float
    usual_day: float
    placebo: MarketPlacebo
    windows: tuple[WindowReaction, ...]
    record: Record | None


@dataclass(frozen=True, slots=True)
class MarketReaction:
    """The reaction of one market.

    Attributes
    ----------
    series : PriceSeries
        The prices used.
    where : Reaction
        Position, candidates and phase.
    headline : Measured
        The headline session.
    candidates : tuple of Measured
        Every possible session, in order; one when the session is certain.
    other_news : tuple of OtherNews
        Other news inside the return of the headline or of another possible session.
    notes : tuple of str
        What a reader must know about this row.
    """

    series: PriceSeries
    where: Reaction
    headline: Measured
    candidates: tuple[Measured, ...]
    other_news: tuple[OtherNews, ...]
    notes: tuple[str, ...]

    @property
    def market(self) -> str:
        """Name shown."""
        return self.series.name

    @property
    def ambiguous(self) -> bool:
        """Whether more than one session is possible."""
        return len(self.where.candidates) > 1


@dataclass(frozen=True, slots=True, repr=False)
class ReactionResult:
    """What ``react`` found.

    Attributes
    ----------
    event : pandas.Series
        The announcement.
    reactions : tuple of MarketReaction
        In the order asked for.
    study : EventStudyResult
        The event study on the headline sessions.
    placebo : PlaceboResult
        Placebo tests on the headline sessions.
    prices : PriceData
        Series used, and what could not be had.
    parameters : mapping
        What was asked for.
    notes : tuple of str
        Notes on the announcement and the loading.
    """

    event: pd.Series
    reactions: tuple[MarketReaction, ...]
    study: EventStudyResult
    placebo: PlaceboResult
    prices: PriceData
    parameters: Mapping[str, Any]
    notes: tuple[str, ...] = field(default=())

    def __repr__(self) -> str:
        """Say the answer, and which markets could not be had."""
        missing = ", ".join(self.prices.unavailable["market"])
        return f"<ReactionResult: {self.answer()}{f' Not available: {missing}.' if missing else ''}>"

    def __getitem__(self, market: str) -> MarketReaction:
        """Reaction of one market by name or symbol."""
        name = self.prices[market].name
        return next(row for row in self.reactions if row.market == name)

    @property
    def event_id(self) -> str | None:
        """Catalogue id of the announcement, or None for a time stamp typed in."""
        known = self.event.get("catalogue_id")
        return known if isinstance(known, str) else None

    def to_frame(self) -> pd.DataFrame:
        """One row a market, unrounded decimals: session, levels, change, z, placebo p, CARs, rank.

        Returns
        -------
        pandas.DataFrame
            Indexed by market. CAR columns are named ``car[0,1]`` by their window.
        """
        from market_reaction import tables

        return tables.reaction_frame(self)

    def to_dict(self) -> dict[str, Any]:
        """The JSON form: decimals, ISO dates, None where not available."""
        from market_reaction import export

        return export.reaction_dict(self)

    def to_json(self) -> str:
        """The JSON form as text."""
        import json

        return json.dumps(self.to_dict(), indent=2, ensure_ascii=False, allow_nan=False)

    def answer(self, width: int | None = None) -> str:
        """Say in a sentence or two what moved and whether it was unusual, on lines of ``width`` characters if given."""
        from market_reaction import tables

        text = tables.answer(self)
        return text if width is None else textwrap.fill(text, width)

    def plot(
        self,
        *,
        kind: Literal["reactions", "car", "placebo", "clock"] = "reactions",
        market: str | None = None,
        theme: Literal["auto", "light", "dark"] = "auto",
    ) -> go.Figure:
        """Chart of the result.

        Parameters
        ----------
        kind : {"reactions", "car", "placebo", "clock"}
            Reaction bars across markets, CAR path, placebo distribution, or the clock strip.
        market : str, optional
            Market of the CAR path or placebo chart; the first when left out.
        theme : {"auto", "light", "dark"}
            ``"auto"`` is readable on a light and on a dark page.
        """
        from market_reaction import plots

        return plots.reaction_figure(self, kind=kind, market=market, theme=theme)

    def report(self, path: str | Path) -> Path:
        """Write a self-contained HTML report with every chart and say where it is."""
        from market_reaction import report

        return report.write_report(self, path)

    def _repr_html_(self) -> str:
        from market_reaction import tables

        return tables.reaction_html(self)


def react(
    announcement: str | datetime | None = None,
    *,
    date: str | Date | None = None,
    markets: Sequence[str | Instrument] | None = None,
    windows: EventWindows | Sequence[tuple[int, int]] | None = None,
    normal_model: NormalModel = "constant_mean",
    returns: ReturnKind | None = None,
    benchmark: str | None = None,
    factors: Sequence[str] = (),
    donors: Sequence[str] = (),
    skip: pd.DataFrame | None = None,
    source: SourceName = "auto",
    folder: str | Path | None = None,
    as_of: str | None = None,
    refresh: bool = False,
    history: int = HISTORY,
    exclude: pd.DataFrame | None = None,
    signs: Mapping[str, float] | None = None,
    progress: bool = True,
) -> ReactionResult:
    """Measure how markets reacted to one announcement, and how unusual that was.

    Parameters
    ----------
    announcement : str or datetime
        A time stamp with a zone, such as ``"2025-06-10 22:50 UTC"``, or an id of the catalogue such as
        ``"2025-06-10-jt"``.
    date : str or date, optional
        Instead of ``announcement``: a bare date whose clock is unknown. Day 0 is each market's session of that date, or
        its next.
    markets : sequence of str or Instrument, optional
        Names, symbols or ``"yahoo:TICKER"``; the default list when left out.
    windows : EventWindows or sequence of pairs, optional
        Event windows in sessions; (0, 1) and (0, 5) after an estimation window of (-130, -11) when left out.
    normal_model : str
        Counterfactual: a name of ``market_reaction.normal_models.NORMAL_MODELS``.
    returns : {"log", "simple"}, optional
        Each instrument's own kind when left out.
    benchmark : str, optional
        Market to use as benchmark; loaded if it is not among ``markets``.
    factors, donors : sequence of str
        Markets that ``normal_model="factors"`` or ``"synthetic_control"`` takes; loaded as well, and not shown unless
        they are among ``markets``.
    skip : pandas.DataFrame, optional
        Events whose sessions are left out of the estimation windows, such as ``mr.load_events()``.
    source : {"auto", "yahoo", "bundled", "files"}
        Where prices come from.
    folder : str or Path, optional
        Folder of CSV or Parquet files for ``source="files"``.
    as_of : str, optional
        Use snapshots retrieved at or before this date, to repeat an old run.
    refresh : bool
        Ask Yahoo again although a stored snapshot would do.
    history : int
        Size of the placebo pool.
    exclude : pandas.DataFrame, optional
        Events whose sessions are left out of the placebo pool.
    signs : mapping of str to float, optional
        Direction expected of each market, +1 or -1, fixed before looking: adds the joint test of the signed mean.
    progress : bool
        Show a bar while several symbols are downloaded.

    Returns
    -------
    ReactionResult

    Raises
    ------
    AnnouncementTimeError
        No zone, no clock time, or both or none of ``announcement`` and ``date``.
    UnknownInstrumentError
        A market that is not known.
    DataUnavailableError
        None of the markets could be had around the announcement.

    Examples
    --------
    >>> import market_reaction as mr
    >>> london = mr.react("2025-06-10-jt", markets=["CSI 300"], source="bundled")
    >>> row = london["CSI 300"]
    >>> f"{row.headline.session:%Y-%m-%d} {row.headline.change:+.2%}"
    '2025-06-11 +0.75%'
    """
    table = _announcement(announcement, date)
    chosen = (
        windows
        if isinstance(windows, EventWindows)
        else EventWindows(event=tuple(windows))
        if windows
        else EventWindows()
    )
    asked = find_instruments(DEFAULT_MARKETS if markets is None else markets)
    prices = load_prices(
        [*asked, *_inputs(asked, normal_model, benchmark, factors, donors)],
        events=table, windows=chosen, history=history, source=source, folder=folder, as_of=as_of, refresh=refresh,
        progress=progress,
    )  # fmt: skip
    event = table.iloc[0]
    loaded = [series for series in prices if series.instrument in asked]
    without = _without_inputs(prices, loaded, normal_model, benchmark, factors, donors)
    prices = replace(prices, unavailable=pd.concat([prices.unavailable, without], ignore_index=True))
    studied = [series.name for series in loaded if series.name not in set(without["market"])]
    if not studied:
        raise DataUnavailableError(_nothing_to_show(prices), symbol=str(event.name), cause="too short")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MarketReactionWarning)  # the notes of each row say the same
        study = event_study(
            prices, table, markets=studied, windows=chosen, normal_model=normal_model, returns=returns,
            benchmark=benchmark, factors=factors, donors=donors, skip=skip,
        )  # fmt: skip
    rows, placebo = _measure_all(event, prices, study, history, exclude, signs)
    parameters = {
        "windows": [list(window) for window in chosen.event],
        "estimation": list(chosen.estimation),
        "normal_model": normal_model,
        "returns": returns,
        "benchmark": benchmark,
        "factors": list(factors),
        "donors": list(donors),
        "skipped_events": 0 if skip is None else len(skip),
        "source": source,
        "history": history,
        "as_of": as_of,
        "excluded_events": 0 if exclude is None else len(exclude),
    }
    return ReactionResult(event, rows, study, placebo, prices, parameters, notes.on_announcement(event) + prices.notes)


def _announcement(announcement: str | datetime | None, day: str | Date | None) -> pd.DataFrame:
    if (announcement is None) == (day is None):
        raise AnnouncementTimeError(
            "give either an announcement, such as '2025-06-10 22:50 UTC' or '2025-06-10-jt', or date='2025-06-11' when "
            f"its clock time is unknown; got {'both' if day is not None else 'neither'}."
        )
    return event_tables.dated(day) if day is not None else event_tables.announcement(announcement)  # type: ignore[arg-type]


def _inputs(
    asked: Sequence[Instrument], normal_model: str, benchmark: str | None, factors: Sequence[str], donors: Sequence[str]
) -> list[str]:
    """Markets to load for the normal return: factors, donors, the benchmark named, else each market's default."""
    check_choices(normal_model, factors, donors)
    if NORMAL_MODELS[normal_model].regressors == "benchmark" and not benchmark:
        return [instrument.benchmark for instrument in asked if instrument.benchmark]
    return [*([benchmark] if benchmark else []), *factors, *donors]


def _without_inputs(
    prices: PriceData,
    loaded: Sequence[PriceSeries],
    normal_model: str,
    benchmark: str | None,
    factors: Sequence[str],
    donors: Sequence[str],
) -> pd.DataFrame:
    """Markets that the normal-return model cannot measure: columns market, reason."""
    lost = []
    for series in loaded:
        try:
            find_regressors(prices, series, normal_model, benchmark, factors, donors)
        except (UnknownInstrumentError, WindowError) as error:
            lost.append((series.name, str(error)))
    return pd.DataFrame(lost, columns=["market", "reason"], dtype=str)


def _nothing_to_show(prices: PriceData) -> str:
    reasons = "; ".join(f"{row.market}: {row.reason}" for row in prices.unavailable.itertuples())
    return f"no market could be had around this announcement. {reasons}"


def _measure_all(
    event: pd.Series,
    prices: PriceData,
    study: EventStudyResult,
    history: int,
    exclude: pd.DataFrame | None,
    signs: Mapping[str, float] | None,
) -> tuple[tuple[MarketReaction, ...], PlaceboResult]:
    """Measure every market on its headline session, and again on the other candidates of ambiguous rows."""
    key = str(event.name)
    day_zero = {market: pair.position for (_, market), pair in study.pairs.items()}
    moves = {market: MarketMoves.of(prices[market], study, prices, exclude) for market in day_zero}
    tests, joint = placebo_at(event, moves, day_zero, study, history, signs=signs)
    announced = own_id(event)
    rows, alternatives = [], []
    for series in (prices[market] for market in day_zero):
        where = locate(SessionClock.of(series), event)
        measured: dict[int, Measured] = {}
        for position in sorted({*where.candidates, where.position}):
            if position >= len(series.sessions) or position + study.windows.estimation[0] < 1:
                continue  # beyond the data; the notes name every possible session
            if position == where.position:
                pair, test = study.pairs[key, series.name], tests[series.name]
            else:
                pair = study_pair(key, series, position, study.windows, moves[series.name].counterfactual)
                candidates = day_zero | {series.name: position}
                found, alternative = placebo_at(event, moves, candidates, study, history, signs=signs)
                test = found[series.name]
                alternatives += [alternative] if alternative is not None else []
            measured[position] = _measure(series, pair, test, study.windows)
        inside = {news.id: news for position in measured for news in news_inside(series, position, event, announced)}
        news = tuple(sorted(inside.values(), key=lambda item: item.utc))
        row_notes = notes.on_row(event, series, where, study, measured[where.position])
        rows.append(MarketReaction(series, where, measured[where.position], tuple(measured.values()), news, row_notes))
    named = {(key, market): test for market, test in tests.items()}
    over_markets = {} if joint is None else {key: joint.cautious(alternatives)}
    return tuple(rows), PlaceboResult(named, over_markets, history)


def _measure(series: PriceSeries, pair: PairStudy, test: MarketPlacebo, windows: EventWindows) -> Measured:
    at = pair.position
    changes = series.returns("simple")
    z, z_mad, z_ewma = pair.z_values()
    return Measured(
        session=series.sessions[at],
        previous_close=float(series.closes[at - 1]),
        close=float(series.closes[at]),
        change=float(changes[at]),
        abnormal=pair.day_zero,
        z=z,
        z_mad=z_mad,
        z_ewma=z_ewma,
        usual_day=pair.ewma_std,
        placebo=test,
        windows=tuple(_window(series, pair, window) for window in windows.event),
        record=record_of(changes, series.sessions, at),
    )


def _window(series: PriceSeries, pair: PairStudy, window: tuple[int, int]) -> WindowReaction:
    car, error = pair.car(window)
    missing = pair.position + window[1] - (len(series.sessions) - 1)
    complete_on = _session_beyond(series, missing) if missing > 0 else None
    return WindowReaction(*window, car, error, missing <= 0, complete_on)


def _session_beyond(series: PriceSeries, count: int) -> pd.Timestamp | None:
    """Session ``count`` sessions after the last row, by the calendar or, where there is none, by weekdays."""
    hours = SessionClock.of(series).hours
    last = series.sessions[-1]
    return hours.session_after(last, count) if hours else last + pd.offsets.BDay(count)
