"""The close-to-close return of the reaction session in two parts: overnight gap and session move."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from market_reaction.battery.options import CHOSEN
from market_reaction.inference.placebo import placebo_rank
from market_reaction.inference.power import placebo_critical_value, placebo_mde
from market_reaction.inference.scales import ewma_volatility
from market_reaction.normal_models import rolling_abnormal
from market_reaction.prices import PriceSeries
from market_reaction.reaction_result import MarketReaction, Measured, ReactionResult
from market_reaction.timing.gap_result import GapPart, OvernightGaps, Part, PartTest, Place, Relation
from market_reaction.timing.hours import Segment as Span
from market_reaction.timing.hours import share_passed
from market_reaction.timing.opens import Opens, opens_of, parts_of
from market_reaction.windows import EWMA_START, Window

PARTS: tuple[Part, Part] = ("gap", "session")


def overnight_gaps(result: ReactionResult) -> OvernightGaps:
    """Split the return of each reaction session at its open, and say how unusual each part was.

    Parameters
    ----------
    result : ReactionResult
        As ``react`` gives it; its sessions, estimation window and placebo pools are used.

    Returns
    -------
    OvernightGaps
        Two parts for each possible session of every market whose open has a known clock; the others are in ``excluded``
        with the reason.

    Notes
    -----
    gap = log(open_0 / close_-1) and session move = log(close_0 / open_0); they add up to the log return of day 0. Each
    part has a placebo p of its own: T = |part - mean| / sigma, the mean that of the part over the estimation
    window, sigma^2 its own EWMA(0.97) variance known the session before, against the same T on the pool days of the
    headline test. So a part is compared with the same hours of the day. Where the announcement fell inside the session,
    the gap came before it and cannot be a reaction; where it fell into the gap, the session move came after it.

    Examples
    --------
    >>> import market_reaction as mr
    >>> london = mr.react("2025-06-10-jt", markets=["CSI 300"], source="bundled")
    >>> mr.overnight_gaps(london).to_frame()["move"].round(4).tolist()
    [0.0013, 0.0062]
    """
    parts: list[GapPart] = []
    left_out: list[tuple[str, Any, str]] = []
    notes = []
    for row in result.reactions:
        opens = opens_of(row.series)
        if opens.reason:
            left_out.append((row.market, pd.NaT, opens.reason))
            continue
        if opens.note:
            notes.append(f"{row.market}: {opens.note}.")
        for found in (row.headline, *(other for other in row.candidates if other is not row.headline)):
            position = int(row.series.sessions.searchsorted(found.session))
            if not opens.usable[position]:
                left_out.append((row.market, found.session, _why(opens, found)))
                continue
            parts += _split(result, row, found, opens, position)
    excluded = pd.DataFrame(left_out, columns=["market", "session", "reason"])
    return OvernightGaps(
        event=result.event,
        parts=tuple(parts),
        excluded=excluded,
        notes=tuple(notes),
        parameters=result.parameters,
        vintage=result.prices.vintage,
    )


def _why(opens: Opens, found: Measured) -> str:
    same = opens.excluded.loc[opens.excluded["session"].eq(found.session), "reason"]
    return same.iloc[0] if len(same) else "its row holds no open on this session"


def _split(result: ReactionResult, row: MarketReaction, found: Measured, opens: Opens, position: int) -> list[GapPart]:
    """Both parts of one possible session of a market."""
    series = row.series
    pool = series.sessions.get_indexer(found.placebo.pool_sessions)
    closed, shut = series.close_ns[position - 1], series.close_ns[position]
    opened = int(opens.earliest_ns[position]), int(opens.latest_ns[position])
    place = where_news_fell(result.event, closed, opened, shut)
    stamps = [pd.Timestamp(int(instant), tz="UTC") for instant in (closed, opened[1], shut)]
    pieces = []
    for at, (name, moves) in enumerate(zip(PARTS, parts_of(series, opens), strict=True)):
        span = stamps[at], stamps[at + 1]
        test = part_placebo(moves, position, pool, result.study.windows.estimation)
        if result.options.selected_because_it_moved:
            test = test.void(CHOSEN)
        piece = GapPart(
            market=row.market,
            session=found.session,
            headline=found is row.headline,
            ambiguous=row.ambiguous,
            part=name,
            unit=series.instrument.change_unit,
            move=float(moves[position]),
            change=found.change,
            span=span,
            news=relation(name, place),
            share_before=_share_before(result.event, series, name, place, span),
            test=test,
        )
        pieces.append(piece)
    return pieces


def part_placebo(moves: np.ndarray, position: int, pool: np.ndarray, estimation: Window) -> PartTest:
    """Rank of one part on day 0 among the same part on the pool days.

    Parameters
    ----------
    moves : numpy.ndarray
        The part by session, shape (T,); NaN where there is no open.
    position : int
        Day 0.
    pool : numpy.ndarray
        Rows of the pool days, shape (S,).
    estimation : tuple of int
        Offsets of the window whose mean is the normal part.
    """
    sigma = ewma_volatility(moves, start=EWMA_START)
    sigma = np.where(sigma > 0, sigma, np.nan)
    rows = np.append(position, pool)
    abnormal = rolling_abnormal("constant_mean", moves, None, rows, estimation)
    scaled = abnormal / sigma[rows]
    compared = scaled[1:][np.isfinite(scaled[1:])]
    rank = placebo_rank(scaled[0], compared)
    enough = bool(np.isfinite(rank.p_value))
    return PartTest(
        abnormal=float(abnormal[0]),
        usual=float(sigma[position]),
        statistic=float(scaled[0]),
        rank=rank,
        mde=placebo_mde(compared, float(sigma[position])) if enough else float("nan"),
        critical=placebo_critical_value(compared) if enough else float("inf"),
    )


def where_news_fell(event: pd.Series, closed: int, opened: tuple[int, int], shut: int) -> Place:
    """Part of a session's return the announcement fell into, if it fell into this return.

    Parameters
    ----------
    event : pandas.Series
        Row of an event table.
    closed, shut : int
        Close before and close of the session, nanoseconds UTC.
    opened : tuple of int
        Bounds of the open.

    Returns
    -------
    {"gap", "session", "either"}
        ``"either"`` where its bounds or those of the open leave it open.
    """
    if event["precision"] == "date":
        return "either"
    first, last = max(event["utc_earliest"].value, closed), min(event["utc_latest"].value, shut)
    if last <= opened[0]:
        return "gap"
    return "session" if first >= opened[1] else "either"


def relation(part: Part, place: Place) -> Relation:
    """How a part lies to the news: ``"holds it"``, ``"before it"``, ``"after it"`` or ``"may hold it"``."""
    if place == "either":
        return "may hold it"
    if part == place:
        return "holds it"
    return "before it" if part == "gap" else "after it"


def _share_before(event: pd.Series, series: PriceSeries, part: str, place: str, span: Span) -> float:
    """Share of a part's time that had passed when the news came: trading hours of a session, clock hours of a gap."""
    if place == "either":
        return float("nan")
    if place != part:
        return 1.0 if part == "gap" else 0.0
    start, end = span
    instant = event["utc_latest"] if event["precision"] == "day" else event["announced_utc"]
    instant = min(max(instant, start), end)
    return share_passed(series, start, end, instant) if part == "session" else float((instant - start) / (end - start))
