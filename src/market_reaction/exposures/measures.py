"""Exposure of each share: the user's own numbers, or an estimate that ends before the estimation window begins."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

import numpy as np
import pandas as pd

from market_reaction import events as event_tables
from market_reaction.design import benchmark_moves
from market_reaction.engine import Panel, abnormal_returns
from market_reaction.errors import (
    EventTableError,
    MarketReactionWarning,
    UnknownInstrumentError,
    WindowError,
    did_you_mean,
)
from market_reaction.instruments import find_instrument
from market_reaction.other_news import own_id
from market_reaction.pair_study import PairStudy
from market_reaction.prices import PriceData, PriceSeries
from market_reaction.study import event_study
from market_reaction.study_result import EventStudyResult
from market_reaction.windows import EventWindows

EstimatedName = Literal["beta", "sensitivity", "earlier_reactions"]
ESTIMATED = get_args(EstimatedName)
ExposureLike = EstimatedName | Mapping[str, float] | pd.Series
SESSIONS = 250  # of the window a slope is estimated on
NO_CLASS = (
    "the class of this announcement is not known, for it is no row of the US-China catalogue; name earlier "
    "announcements with earlier=, or take another exposure"
)
_NO_ROWS = pd.DataFrame(columns=["event_id", "market", "session", "reason"])


@dataclass(frozen=True, slots=True)
class Exposure:
    """Exposure of several shares.

    Attributes
    ----------
    by_share : pandas.Series
        Exposure by share; NaN where there is none.
    label : str
        What it is, in words.
    unit : {"return", "number"}
        ``"return"`` for decimal returns, ``"number"`` for anything else.
    source : str
        Where it comes from: given, or how it was estimated.
    details : pandas.DataFrame
        Indexed by share: n (sessions or announcements used), first and last session used; empty for numbers given.
    reasons : mapping of str to str
        Why a share has none.
    used_events : pandas.DataFrame or None
        Earlier announcements it was made of, which may then not serve as placebo days.
    sensitivity_to : mapping of str to PriceSeries
        For a slope: the market it is a slope on, by share.
    excluded : pandas.DataFrame
        Columns event_id, market, session, reason: earlier announcements that do not count for a share.
    """

    by_share: pd.Series
    label: str
    unit: Literal["return", "number"]
    source: str
    details: pd.DataFrame = field(default_factory=pd.DataFrame)
    reasons: Mapping[str, str] = field(default_factory=dict)
    used_events: pd.DataFrame | None = None
    sensitivity_to: Mapping[str, PriceSeries] = field(default_factory=dict)
    excluded: pd.DataFrame = field(default_factory=_NO_ROWS.copy)


def check_exposure(exposure: object) -> None:
    """Refuse what is neither numbers by share nor the name of an estimate.

    Raises
    ------
    WindowError
        It is neither; or a number is not finite.
    """
    if isinstance(exposure, str):
        if exposure not in ESTIMATED:
            raise WindowError(
                f"exposure={exposure!r} is not known; choose one of {', '.join(ESTIMATED)}, or give numbers by share, "
                "such as {'Apple': 0.19}."
            )
        return
    if not isinstance(exposure, Mapping | pd.Series):
        raise WindowError(
            f"exposure={exposure!r} names no share; give a mapping such as {{'Apple': 0.19}}, or one of "
            f"{', '.join(ESTIMATED)}."
        )
    for share, value in exposure.items():
        if not isinstance(value, int | float | np.number) or not math.isfinite(float(value)):
            raise WindowError(f"exposure[{share!r}]={value!r} is no finite number; leave the share out, or mend it.")


def given_exposure(exposure: Mapping[str, float] | pd.Series, shares: Sequence[str], label: str) -> Exposure:
    """Numbers of the user, by the names of the shares.

    Raises
    ------
    UnknownInstrumentError
        A key is none of the shares.
    WindowError
        A share is named twice.
    """
    known = {share.casefold(): share for share in shares}
    found: dict[str, float] = {}
    for key, value in exposure.items():
        name = str(key) if str(key).casefold() in known else find_instrument(str(key)).name
        if name.casefold() not in known:
            raise UnknownInstrumentError(
                f"exposure names {key!r}, which is not among shares={list(shares)}. Add it to shares=, or leave it out."
            )
        share = known[name.casefold()]
        if share in found:
            raise WindowError(f"exposure names {share} twice, the second time as {key!r}; leave one of them out.")
        found[share] = float(value)
    values = pd.Series(found, dtype=float).reindex(list(shares))
    reasons = {share: "no exposure was given for it" for share in values.index[values.isna()]}
    return Exposure(values, label or "numbers given", "number", "numbers given, the same on every day", reasons=reasons)


def slope_exposure(
    study: EventStudyResult, benchmarks: Mapping[str, PriceSeries], to: PriceSeries | None, sessions: int
) -> Exposure:
    """Slope of each share on its benchmark, or on another market with the benchmark held fixed.

    Parameters
    ----------
    study : EventStudyResult
        Study of the event: its day 0 and estimation window end the window of the slope.
    benchmarks : mapping of str to PriceSeries
        Benchmark of each share.
    to : PriceSeries, optional
        The other market.
    sessions : int
        Sessions of the window, which ends where the estimation window begins.
    """
    rows, reasons, values = {}, {}, {}
    for (_, share), pair in study.pairs.items():
        series = study.prices[share]
        if to is not None and to.name in (share, benchmarks[share].name):
            is_own = "the share itself" if to.name == share else "its own benchmark"
            reasons[share] = f"no slope on {to.name} with the benchmark held fixed: {to.name} is {is_own}"
            values[share] = float("nan")
            continue
        at = np.array([pair.position])
        value = float(rolling_slopes(series, benchmarks[share], to, at, study.windows.estimation[0], sessions)[0])
        last = pair.position + study.windows.estimation[0] - 1
        first = last - sessions + 1
        values[share] = value
        if not math.isfinite(value):
            reasons[share] = (
                f"no slope: the {sessions} sessions before its estimation window would begin {1 - first} sessions "
                "before its first return"
                if first < 1
                else "no slope: fewer than half the sessions before its estimation window have both returns"
            )
        else:
            rows[share] = {"n": sessions, "first": series.sessions[first], "last": series.sessions[last]}
    markets = {item.name for item in benchmarks.values()}
    own = markets.pop() if len(markets) == 1 else "its own market"
    label = f"slope on {own}" if to is None else f"slope on {to.name}, {own} held fixed"
    return Exposure(
        pd.Series(values, dtype=float),
        label,
        "number",
        f"{label}, over the {sessions} sessions before each estimation window, anew for every placebo day",
        pd.DataFrame.from_dict(rows, orient="index"),
        reasons,
        sensitivity_to={share: to or benchmarks[share] for share in values},
    )


def rolling_slopes(
    series: PriceSeries,
    benchmark: PriceSeries,
    to: PriceSeries | None,
    positions: np.ndarray,
    start: int,
    sessions: int,
) -> np.ndarray:
    """Slope over the sessions that end before offset ``start`` of each position, shape (S,); NaN where none is."""
    on = [benchmark] if to is None or to.name == benchmark.name else [to, benchmark]
    columns = [benchmark_moves(series, market, None) for market in on]
    ready = np.flatnonzero((positions + start - sessions >= 1) & (positions < len(series.sessions)))
    found = abnormal_returns(
        Panel(series.returns(None)[None], np.column_stack(columns)), np.zeros(len(ready), dtype=int), positions[ready],
        model="factors", estimation=(start - sessions, start - 1), windows=[(0, 0)], paths=False,
    )  # fmt: skip
    slopes = np.full(len(positions), np.nan)
    slopes[ready] = found.coefficients[:, 1]
    return slopes


def earlier_events(event: pd.Series, earlier: pd.DataFrame | Sequence[str] | None) -> pd.DataFrame | None:
    """Announcements before the event to learn the exposure from: those given, else of its class in the catalogue.

    None where none were given and the class of the event is not known.

    Raises
    ------
    EventTableError
        An id that is not in the catalogue.
    """
    table = event_tables.catalogue("us_china")
    if earlier is None:
        known = own_id(event)
        if known not in table.index:
            return None
        alike = table["direction"].eq(str(table.at[known, "direction"]))
        alike &= table["instrument"].eq(str(table.at[known, "instrument"]))
        earlier = table[alike & table["precision"].isin(["minute", "hour"])]
    elif not isinstance(earlier, pd.DataFrame):
        unknown = [name for name in earlier if name not in table.index]
        if unknown:
            near = did_you_mean(str(unknown[0]), table.index)
            raise EventTableError(f"earlier names {unknown[0]!r}, which is no id of the catalogue. {near}")
        earlier = table.loc[list(earlier)]
    ends = earlier["utc_latest"].fillna(earlier["session_date"].dt.tz_localize("UTC"))
    until = event["utc_earliest"] if event["precision"] != "date" else event["session_date"].tz_localize("UTC")
    return earlier[ends < until]


def reaction_exposure(
    study: EventStudyResult, prices: PriceData, earlier: pd.DataFrame, benchmark: str | None, what: str
) -> Exposure:
    """Mean abnormal return of each share on earlier announcements that lie before its estimation window.

    Parameters
    ----------
    study : EventStudyResult
        Study of the event.
    prices : PriceData
        Series that reach back to the earlier announcements.
    earlier : pandas.DataFrame
        Their table.
    benchmark : str, optional
        As in the study.
    what : str
        What the announcements are, for the label.
    """
    shares = list(dict.fromkeys(share for _, share in study.pairs))
    begins = {share: pair.position + study.windows.estimation[0] for (_, share), pair in study.pairs.items()}
    last = max(prices[share].sessions[at] for share, at in begins.items())
    starts = earlier["utc_earliest"].dt.tz_localize(None).fillna(earlier["session_date"])
    past, left_out = _earlier_study(study, prices, earlier[starts <= last], shares, benchmark)
    text = f"not before the estimation windows, which begin {last:%Y-%m-%d} at the latest"
    after = pd.DataFrame(
        [(key, "every share", pd.NaT, text) for key in earlier.index[starts > last]], columns=_NO_ROWS.columns
    )
    excluded = [after] if past is None else [after, past.excluded]
    values, rows, reasons, used = {}, {}, {}, set()
    for share, begin in begins.items():
        known, late = _before(past, share, begin)
        text = f"not before the estimation window of this share, which begins {prices[share].sessions[begin]:%Y-%m-%d}"
        excluded.append(_excluded_rows(prices[share], late, text))
        by_session = {pair.position: pair.day_zero for pair in known.values()}  # a session counts once
        used |= set(known)
        values[share] = float(np.mean(list(by_session.values()))) if by_session else float("nan")
        if by_session:
            days = prices[share].sessions[sorted(by_session)]
            rows[share] = {"n": len(by_session), "first": days[0], "last": days[-1]}
        else:
            reasons[share] = "no earlier announcement before its estimation window has an abnormal return"
    tables = [table for table in [left_out, *excluded] if len(table)]
    label = f"mean abnormal return on earlier {what}"
    return Exposure(
        pd.Series(values, dtype=float),
        label,
        "return",
        f"{label}, those before the estimation window; their sessions are no placebo days",
        pd.DataFrame.from_dict(rows, orient="index"),
        reasons,
        used_events=earlier.loc[[key for key in earlier.index if key in used]],
        excluded=pd.concat(tables, ignore_index=True) if tables else _NO_ROWS.copy(),
    )


def _earlier_study(
    study: EventStudyResult, prices: PriceData, earlier: pd.DataFrame, shares: list[str], benchmark: str | None
) -> tuple[EventStudyResult | None, pd.DataFrame]:
    """Study of the earlier announcements on day 0, or None with what was left out and why."""
    if earlier.empty:
        return None, _NO_ROWS.copy()
    windows = EventWindows(estimation=study.windows.estimation, event=((0, 0),))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", MarketReactionWarning)
            past = event_study(
                prices, earlier, markets=shares, windows=windows, normal_model=study.design.normal_model,
                benchmark=benchmark, on_bad_event="exclude",
            )  # fmt: skip
    except WindowError as error:  # not one of them can be measured
        rows = [(str(key), "", pd.NaT, str(error).splitlines()[0]) for key in earlier.index]
        return None, pd.DataFrame(rows, columns=_NO_ROWS.columns)
    return past, _NO_ROWS.copy()


def _before(past: EventStudyResult | None, share: str, begin: int) -> tuple[dict[str, PairStudy], dict[str, PairStudy]]:
    """Earlier announcements with an abnormal return of a share before a row, and those that are not before it."""
    pairs = {} if past is None else {key: pair for (key, name), pair in past.pairs.items() if name == share}
    late = {key: pair for key, pair in pairs.items() if pair.position >= begin}
    known = {key: pair for key, pair in pairs.items() if key not in late and math.isfinite(pair.day_zero)}
    return known, late


def _excluded_rows(series: PriceSeries, pairs: Mapping[str, PairStudy], reason: str) -> pd.DataFrame:
    rows = [(key, series.name, series.sessions[pair.position], reason) for key, pair in pairs.items()]
    return pd.DataFrame(rows, columns=_NO_ROWS.columns)
