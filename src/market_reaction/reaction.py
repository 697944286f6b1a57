"""One call from a time stamp to the full result: what every market did, and whether that was unusual."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date as Date
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd

from market_reaction import events as event_tables
from market_reaction import reaction_notes as notes
from market_reaction.battery import BatteryOptions, TestChoice, chosen_tests
from market_reaction.battery.options import CHOSEN
from market_reaction.errors import (
    AnnouncementTimeError,
    DataUnavailableError,
    MarketReactionWarning,
    UnknownInstrumentError,
    WindowError,
)
from market_reaction.inference.placebo import MINIMUM_POOL
from market_reaction.inference.selection import record_chance, record_chance_any
from market_reaction.instruments import DEFAULT_MARKETS, Instrument, ReturnKind, find_instruments
from market_reaction.loading import SourceName, load_prices
from market_reaction.normal_models import NORMAL_MODELS, NormalModel
from market_reaction.other_news import news_inside, own_id
from market_reaction.pair_study import PairStudy, study_pair
from market_reaction.placebo import HISTORY, MarketMoves, placebo_at
from market_reaction.placebo_result import JointPlacebo, MarketPlacebo, PlaceboResult
from market_reaction.prices import PriceData, PriceSeries
from market_reaction.reaction_result import MarketReaction, Measured, ReactionResult, WindowReaction
from market_reaction.records import DaysAsLarge, RankChance, Record, record_of
from market_reaction.regressors import check_choices, find_regressors
from market_reaction.sessions import SessionClock, locate
from market_reaction.study import event_study
from market_reaction.study_result import EventStudyResult
from market_reaction.windows import EventWindows


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
    tests: TestChoice = "headline",
    signs: Mapping[str, float] | None = None,
    margin: float | Mapping[str, float] | None = None,
    primary: str | None = None,
    selected_because_it_moved: bool = False,
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
    tests : {"headline", "all"} or sequence of str
        Tests shown with the result: the placebo alone, all of ``market_reaction.battery.TESTS``, or some by name. Those
        that answer ``signs``, ``margin`` or ``primary`` are shown in any case.
    signs : mapping of str to float, optional
        Direction expected of each market, +1 or -1, fixed before looking: adds the joint test of the signed mean.
    margin : float or mapping of str to float, optional
        Largest move that counts as no reaction, in the unit of the market, fixed before looking.
    primary : str, optional
        The market the question is about: its p stands, the others are adjusted for having been looked at.
    selected_because_it_moved : bool
        Whether the date was chosen because the market moved. Every p is then void; the number of days in the last
        year that moved at least as much stands in its place.
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
    named = chosen_tests(tests)
    table = announcement_table(announcement, date)
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
    names = {instrument.name for instrument in asked}  # a file may state another bar close than the catalogue
    loaded = [series for series in prices if series.instrument.name in names]
    without = _without_inputs(prices, loaded, normal_model, benchmark, factors, donors)
    prices = replace(prices, unavailable=pd.concat([prices.unavailable, without], ignore_index=True))
    studied = [series.name for series in loaded if series.name not in set(without["market"])]
    if not studied:
        raise DataUnavailableError(_nothing_to_show(prices), symbol=str(event.name), cause="too short")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MarketReactionWarning)  # the notes of each row say the same
        study = event_study(
            prices, table, markets=studied, windows=chosen, normal_model=normal_model, returns=returns,
            benchmark=benchmark, factors=factors, donors=donors, skip=skip, on_bad_event="exclude",
        )  # fmt: skip
    lost = study.excluded[~study.excluded["market"].isin([market for _, market in study.pairs])]
    prices = replace(prices, unavailable=pd.concat([prices.unavailable, lost[["market", "reason"]]], ignore_index=True))
    options = BatteryOptions.checked(
        study.design.units, history=history, exclude=exclude, signs=signs, margin=margin, primary=primary,
        selected_because_it_moved=selected_because_it_moved,
    )  # fmt: skip
    rows, placebo = _measure_all(event, prices, study, options)
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
        "tests": tests if isinstance(tests, str) else list(tests),
        "signs": dict(options.signs),
        "margin": dict(options.margins),
        "primary": options.primary,
        "selected_because_it_moved": selected_because_it_moved,
    }
    said = notes.on_announcement(event) + notes.on_options(options) + prices.notes
    plain = tests == "headline" and not options.tests
    battery = None if plain else _battery(study, [*named, *options.tests], options, placebo)
    return ReactionResult(event, rows, study, placebo, prices, parameters, options, battery, said)


def _battery(
    study: EventStudyResult, tests: Sequence[str], options: BatteryOptions, placebo: PlaceboResult
) -> pd.DataFrame:
    from market_reaction.battery.frame import study_tests  # loads what every test needs

    return study_tests(study, tests, options, placebo)


def announcement_table(announcement: str | datetime | None, day: str | Date | None) -> pd.DataFrame:
    """Event table of one announcement, or of a bare date.

    Raises
    ------
    AnnouncementTimeError
        No zone, no clock time, or both or none of the two.
    """
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
    options: BatteryOptions,
) -> tuple[tuple[MarketReaction, ...], PlaceboResult]:
    """Measure every market on its headline session, and again on the other candidates of ambiguous rows."""
    key = str(event.name)
    day_zero = {market: pair.position for (_, market), pair in study.pairs.items()}
    moves = {market: MarketMoves.of(prices[market], study, prices, options.exclude) for market in day_zero}
    tests, joint = placebo_at(event, moves, day_zero, study, options.history, signs=options.signs)
    lengths = _joint_lengths(prices, joint)
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
                found, alternative = placebo_at(event, moves, candidates, study, options.history, signs=options.signs)
                test = found[series.name]
                alternatives += [alternative] if alternative is not None else []
            measured[position] = _measure(series, pair, test, study.windows, lengths, options)
        inside = {news.id: news for position in measured for news in news_inside(series, position, event, announced)}
        news = tuple(sorted(inside.values(), key=lambda item: item.utc))
        row_notes = notes.on_row(event, series, where, study, measured[where.position], options)
        rows.append(MarketReaction(series, where, measured[where.position], tuple(measured.values()), news, row_notes))
    for choice in _moved_together(event, {row.market: row for row in rows}):
        alternative = placebo_at(event, moves, choice, study, options.history, signs=options.signs)[1]
        alternatives += [alternative] if alternative is not None else []
    named = {(key, row.market): row.headline.placebo for row in rows}
    over_markets = {} if joint is None else {key: joint.cautious(alternatives)}
    if options.selected_because_it_moved:
        over_markets = {key: found.void(CHOSEN) for key, found in over_markets.items()}
    placebo = PlaceboResult(named, over_markets, options.history, study, prices)
    return tuple(rows), placebo


def _moved_together(event: pd.Series, rows: Mapping[str, MarketReaction]) -> list[dict[str, int]]:
    """Day 0 by market at the instants within the bounds that move two ambiguous markets or more from the headline."""
    unsure = {market: row for market, row in rows.items() if row.ambiguous}
    if len(unsure) < 2:
        return []
    clocks = {market: SessionClock.of(row.series) for market, row in unsure.items()}
    closes = [
        side[list(row.where.candidates[:-1])]
        for market, row in unsure.items()
        for side in (clocks[market].close_earliest_ns, clocks[market].close_ns)
    ]
    bounds = np.array([event["utc_earliest"].value, event["utc_latest"].value])
    instants = np.unique(np.clip(np.concatenate(closes), *bounds))
    instants = np.union1d(instants, bounds)
    found = [
        np.column_stack([find(clock)(instants) for clock in clocks.values()])
        for find in (lambda clock: clock.first_closing_after, lambda clock: clock.last_closing_after)
    ]
    headline = np.array([row.where.position for row in unsure.values()])
    measured = [{row.series.sessions.get_loc(other.session) for other in row.candidates} for row in unsure.values()]
    choices = np.unique(np.concatenate(found), axis=0)
    return [
        {market: row.where.position for market, row in rows.items()} | dict(zip(unsure, choice.tolist(), strict=True))
        for choice in choices[(choices != headline).sum(axis=1) > 1]
        if all(at in known for at, known in zip(choice.tolist(), measured, strict=True))
    ]


def _joint_lengths(prices: PriceData, joint: JointPlacebo | None) -> tuple[np.ndarray, np.ndarray] | None:
    """Lengths of the records of gains and of falls at the joint pool days, each (S, N); None with one market."""
    if joint is None:
        return None
    found = [prices[market].record_lengths for market in joint.markets]
    columns = joint.positions.T
    gains, falls = (
        np.column_stack([both[side][at] for both, at in zip(found, columns, strict=True)]) for side in (0, 1)
    )
    return gains, falls


def _rank_chance(
    series: PriceSeries, record: Record | None, test: MarketPlacebo, lengths: tuple[np.ndarray, np.ndarray] | None
) -> RankChance | None:
    """How often the pool days earn a rank at least as long: in this market and direction, and in any market shown."""
    if record is None or record.direction == "none" or len(test.pool_sessions) < MINIMUM_POOL:
        return None
    own = series.record_lengths[0 if record.direction == "gain" else 1]
    at = series.sessions.get_indexer(test.pool_sessions)
    if record.since is None or at.min() < record.sessions:
        return None  # some pool days have too few sessions before them to earn it
    anywhere = record_chance_any(*lengths, record.sessions) if lengths is not None else float("nan")
    return RankChance(record_chance(own[at], record.sessions), anywhere)


def _measure(
    series: PriceSeries,
    pair: PairStudy,
    test: MarketPlacebo,
    windows: EventWindows,
    lengths: tuple[np.ndarray, np.ndarray] | None,
    options: BatteryOptions,
) -> Measured:
    at = pair.position
    changes = series.returns("simple")
    z, z_mad, z_ewma = pair.z_values()
    record = record_of(changes, series.sessions, at)
    as_large = DaysAsLarge.of(changes, at)
    if options.selected_because_it_moved:
        test = test.void(f"{CHOSEN}; {as_large.text}")
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
        record=record,
        rank_chance=_rank_chance(series, record, test, lengths),
        as_large=as_large,
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
