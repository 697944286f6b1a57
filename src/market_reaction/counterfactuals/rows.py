"""Rows of a comparison: every share on every possible session under one model; benchmarks; notes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from market_reaction.counterfactuals.result import LEADING
from market_reaction.counterfactuals.studies import study_shares
from market_reaction.other_news import news_inside, own_id
from market_reaction.pair_study import PairStudy, study_pair
from market_reaction.placebo import MarketMoves, placebo_at, placebo_test
from market_reaction.placebo_result import JointPlacebo, MarketPlacebo, PlaceboResult
from market_reaction.prices import PriceData, PriceSeries
from market_reaction.reaction_notes import on_announcement
from market_reaction.sessions import SessionClock, locate
from market_reaction.study_result import EventStudyResult
from market_reaction.windows import EventWindows, Window


@dataclass(frozen=True, slots=True)
class Pool:
    """Size of the placebo pools, and what is left out of estimation windows and pools."""

    history: int
    skip: pd.DataFrame | None
    exclude: pd.DataFrame | None


def columns_of(windows: EventWindows) -> list[str]:
    """Columns of the rows of a comparison."""
    names = ["share", "model", "session", "headline", "inputs", "change", "abnormal", "usual_day", "placebo_p"]
    names += ["placebo_p_floor", "n_placebo", "mde", "critical"]
    each = [(f"change[{a},{b}]", f"car[{a},{b}]", f"car_std_error[{a},{b}]") for a, b in windows.event]
    return [*names, *(name for group in each for name in group), "note"]


def rows_of(
    event: pd.Series, study: EventStudyResult, placebo: PlaceboResult, pool: Pool
) -> tuple[list[dict[str, object]], list[JointPlacebo]]:
    """Rows of every share on every possible session, and the joint tests on the sessions that do not lead."""
    key = str(event.name)
    day_zero = {share: pair.position for (_, share), pair in study.pairs.items()}
    rows = [
        _row(study.prices[share], pair, study, placebo.markets[key, share], headline=True)
        for (_, share), pair in study.pairs.items()
    ]
    joints: list[JointPlacebo] = []
    choices = _other_choices(event, study)
    if not choices:
        return rows, joints
    moves = {share: MarketMoves.of(study.prices[share], study, study.prices, pool.exclude) for share in day_zero}
    done = set(day_zero.items())
    for choice in choices:
        tests, joint = placebo_at(event, moves, choice, study, pool.history)
        joints += [] if joint is None else [joint]
        for share, at in choice.items():
            if (share, at) in done:
                continue
            done.add((share, at))
            series = study.prices[share]
            other = study_pair(key, series, at, study.windows, moves[share].counterfactual)
            rows.append(_row(series, other, study, tests[share], headline=False))
    return rows, joints


def _other_choices(event: pd.Series, study: EventStudyResult) -> list[dict[str, int]]:
    """Day 0 of every share at the instants within the bounds that put one of them in another session."""
    clocks = {share: SessionClock.of(study.prices[share]) for _, share in study.pairs}
    places = {share: locate(clock, event) for share, clock in clocks.items()}
    closes = {clocks[share].close_ns[at] for share, where in places.items() for at in where.candidates[:-1]}
    if not closes:
        return []
    bounds = {event["utc_earliest"].value, event["utc_latest"].value}
    inside = [at for at in sorted(closes | bounds) if min(bounds) <= at <= max(bounds)]
    headline = {share: pair.position for (_, share), pair in study.pairs.items()}
    found = []
    for instant in inside:
        choice = {share: int(clock.first_closing_after(np.array([instant]))[0]) for share, clock in clocks.items()}
        within = all(
            at < len(clocks[share].sessions) and at + study.windows.estimation[0] >= 1 for share, at in choice.items()
        )
        if within and choice != headline and choice not in found:
            found.append(choice)
    return found


def _row(
    series: PriceSeries, pair: PairStudy, study: EventStudyResult, test: MarketPlacebo, *, headline: bool
) -> dict[str, object]:
    rank = test.scaled
    row: dict[str, object] = {
        "share": series.name, "model": study.design.normal_model, "session": series.sessions[pair.position],
        "headline": headline, "inputs": ", ".join(study.design.regressors[series.name]),
        "change": _change(series, pair.position, (0, 0)), "abnormal": pair.day_zero, "usual_day": pair.ewma_std,
        "placebo_p": rank.p_value, "placebo_p_floor": rank.floor, "n_placebo": rank.n_placebo, "mde": test.mde,
        "critical": test.critical, "note": rank.note,
    }  # fmt: skip
    for window in study.windows.event:
        name = f"[{window[0]},{window[1]}]"
        row[f"change{name}"] = _change(series, pair.position, window)
        row[f"car{name}"], row[f"car_std_error{name}"] = pair.car(window)
    return row


def _change(series: PriceSeries, position: int, window: Window) -> float:
    """Simple return from the close before a window to its last; NaN where one is beyond the data."""
    before, last = position + window[0] - 1, position + window[1]
    if before < 0 or last >= len(series.closes):
        return float("nan")
    return float(series.closes[last] / series.closes[before] - 1)


def benchmark_moves_of(
    table: pd.DataFrame,
    prices: PriceData,
    studies: Mapping[str, EventStudyResult],
    windows: EventWindows,
    pool: Pool,
) -> pd.DataFrame:
    """What the benchmarks did themselves: a benchmark that the news moved makes the effect a relative one."""
    columns = ["session", "change", "placebo_p", "placebo_p_floor", "shares"]
    empty = pd.DataFrame(columns=columns, index=pd.Index([], name="benchmark"))
    if LEADING not in studies:
        return empty
    users: dict[str, list[str]] = {}
    for share, names in studies[LEADING].design.regressors.items():
        users.setdefault(names[0], []).append(share)
    study, _ = study_shares(prices, table, list(users), windows, "constant_mean", skip=pool.skip)
    if study is None:
        return empty
    test = placebo_test(study, prices, history=pool.history, exclude=pool.exclude)
    rows = {}
    for (key, name), pair in study.pairs.items():
        rank, series = test.markets[key, name].scaled, prices[name]
        change = _change(series, pair.position, (0, 0))
        shares = ", ".join(users[name])
        rows[name] = (series.sessions[pair.position], change, rank.p_value, rank.floor, shares)
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis("benchmark")


def notes_of(
    event: pd.Series,
    missing: Mapping[str, str],
    studies: Mapping[str, EventStudyResult],
    prices: PriceData,
    asked: Sequence[str],
) -> tuple[str, ...]:
    """What limits the clock, the sessions, the factors and the donors."""
    said = list(on_announcement(event))
    unused = [name for name in missing if name not in asked]
    if unused:
        said.append(f"Not at hand: {', '.join(unused)}; the models go without.")
    first = next(iter(studies.values()), None)
    if first is None:
        return (*said, *prices.notes)
    unsure = first.sessions[first.sessions["ambiguous"]]
    if len(unsure):
        found = ", ".join(unsure.index.get_level_values("market"))
        said.append(f"The bounds of the announcement straddle a close: another session is possible for {found}.")
    stale = _closed_before(event, studies, prices)
    if stale:
        said.append(
            f"Closed before the news on day 0: {', '.join(stale)}. What these did after it is in no counterfactual."
        )
    shared = _other_news(event, first)
    if shared:
        said.append(
            f"Other news inside the same close-to-close returns: {'; '.join(shared[:4])}"
            f"{f'; and {len(shared) - 4} more' if len(shared) > 4 else ''}. Every p is of the joint reaction."
        )
    return (*said, *prices.notes)


def _closed_before(event: pd.Series, studies: Mapping[str, EventStudyResult], prices: PriceData) -> list[str]:
    """Benchmarks and factors whose close of day 0 lies before the news; none where its clock is not known."""
    if event["precision"] == "date":
        return []
    found: dict[str, None] = {}
    for study in studies.values():
        for (_, share), pair in study.pairs.items():
            day = prices[share].sessions[pair.position]
            for series in (prices[name] for name in study.design.regressors[share]):
                at = series.sessions.get_indexer(pd.DatetimeIndex([day]))[0]
                if at >= 0 and series.close_utc[at] <= event["utc_earliest"]:
                    found[series.name] = None
    return list(found)


def _other_news(event: pd.Series, study: EventStudyResult) -> list[str]:
    """Titles of other news whose effect is in a return, important ones first, each once."""
    known, found = own_id(event), {}
    for (_, share), pair in study.pairs.items():
        for news in news_inside(study.prices[share], pair.position, event, known):
            found[news.id] = news
    ranks = {"high": 0, "medium": 1}
    ordered = sorted(found.values(), key=lambda news: (ranks.get(news.importance, 2), news.utc))
    return [news.title for news in ordered]
