"""Placebo tests as sentences and as HTML: rounding and escaping happen here, no statistic is computed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING

import pandas as pd

from market_reaction import study_words, tables, wording
from market_reaction.battery.options import CHOSEN
from market_reaction.exports.plain import with_rows
from market_reaction.tables import cell, html_table

if TYPE_CHECKING:
    from market_reaction.judged import PlaceboPair
    from market_reaction.placebo_result import PlaceboResult

NAMED = 3  # reactions, markets or reasons that a sentence names; more are counted
SHOWN = 12  # rows of the table; the rest is folded away
LEGEND = (
    "Usual days: abnormal return over the volatility known the evening before (EWMA 0.97). Placebo p: share of earlier "
    "days, at the same local clock time, that moved at least as much for their time, the event counted in; the floor "
    "is the smallest p attainable. It says whether the day is unlike those days, not that the announcement made it so. "
    "Smallest detectable: the effect found with 80% power."
)


def placebo_answer(result: PlaceboResult) -> str:
    """Which moves were unusual, what all markets say together, the smallest p there can be, and what has no p.

    Parameters
    ----------
    result : PlaceboResult
        As ``placebo_test`` gives it.
    """
    pairs = result.pairs()
    if not pairs:
        sentences = ["Nothing was tested."]
    elif len(result.events) == 1:
        sentences = _one_event(result, pairs)
    else:
        sentences = _several_events(result, pairs)
    return wording.clean(" ".join([*sentences, *_floor(pairs), *_ambiguous(result, pairs), *_left_out(result)]))


def _one_event(result: PlaceboResult, pairs: Sequence[PlaceboPair]) -> list[str]:
    """What each market did; the market asked for first leads."""
    (event_id,), first = result.events, pairs[0]
    joint = wording.joint_rank(result, event_id)
    event = result.study.events.loc[[event_id]].iloc[0]
    sentences = [f"{wording.clock_unknown(event)}{wording.verdict(first, pairs, joint)}"]
    ordinary = [row for row in wording.tested(pairs[1:]) if not wording.is_unusual(row)]
    if ordinary:
        named = wording.listed([f"{row.market} ({wording.move_and_p(row)})" for row in ordinary])
        sentences.append(f"Not unusual: {named}.")
    void = result.joint.get(event_id)
    if joint is None and void is not None and wording.tested(pairs):
        sentences.append(f"No joint p: {void['maximum'].note}.")
    return sentences


def _several_events(result: PlaceboResult, pairs: Sequence[PlaceboPair]) -> list[str]:
    """How many reactions are unusual against how many chance makes so, event by event too, and the foremost."""
    tested = wording.tested(pairs)
    if not tested:
        return [f"None of {len(pairs)} reactions has a placebo p."]
    unusual = [row for row in tested if wording.is_unusual(row)]
    markets = list(dict.fromkeys(row.market for row in tested))
    where = f"{len(markets)} markets" if len(markets) > 1 else markets[0]
    events = len({row.event_id for row in tested})
    count = wording.unusual_against_chance(len(unusual), len(tested), "reaction")
    sentences = [f"{events} event{'s' * (events != 1)} in {where}: {count}."]
    sentences += _dependence(tested, len(markets)) + _jointly(result)
    first = sorted(tested, key=lambda row: (row.placebo.scaled.p_value, -row.placebo.scaled.statistic))
    several = len(markets) > 1
    named = [f"{f'{row.market} after ' * several}{row.event_id} ({wording.move_and_p(row)})" for row in first]
    if not unusual:
        return [*sentences, f"The smallest p is that of {named[0]}."]
    head = "The most unusual" if len(unusual) > NAMED else "Unusual"
    return [*sentences, f"{head}: {wording.listed(named[: min(NAMED, len(unusual))])}."]


def _dependence(tested: Sequence[PlaceboPair], markets: int) -> list[str]:
    """Why the count may stray far from what chance gives; empty where nothing ties the reactions together."""
    days = Counter((row.market, row.session) for row in tested)
    shared = sum(count for count in days.values() if count > 1)
    ties = ["markets move together"] if markets > 1 else []
    ties += [f"{shared} of them share their session with another event"] if shared else []
    if not ties:
        return []
    return [
        f"That number holds however they depend, but as {wording.listed(ties)}, the count can stray further from it "
        "than that of independent tests."
    ]


def _jointly(result: PlaceboResult) -> list[str]:
    """How many events are unusual by the joint test, in which each counts once."""
    ranks = [rank for event_id in result.events if (rank := wording.joint_rank(result, event_id)) is not None]
    if not ranks:
        return []
    unusual = sum(rank.p_value <= wording.UNUSUAL for rank in ranks)
    verb = "is" if unusual == 1 else "are"
    return [
        f"Counted once each, by the joint p over their markets, {unusual} of {len(ranks)} events {verb} unusual; "
        f"{wording.by_chance(len(ranks))} would be."
    ]


def _floor(pairs: Sequence[PlaceboPair]) -> list[str]:
    """The smallest p there can be, with the size of the pool behind it, and which reactions have it."""
    ranks = [row.placebo.scaled for row in wording.tested(pairs)]
    if not ranks:
        return []
    sizes = sorted({rank.n_placebo for rank in ranks})
    floors = [wording.p_value(min(rank.floor for rank in ranks)), wording.p_value(max(rank.floor for rank in ranks))]
    days = f"{sizes[0]} earlier days" if len(sizes) == 1 else f"{sizes[0]} to {sizes[-1]} earlier days"
    least = floors[0] if floors[0] == floors[1] else f"{floors[0]} to {floors[1]}"
    at_floor = sum(rank.p_value == rank.floor for rank in ranks)
    have = f", which {at_floor} of {len(ranks)} reach{'es' * (at_floor == 1)}" if at_floor and len(ranks) > 1 else ""
    have = ", which it is" if at_floor and len(ranks) == 1 else have
    return [f"With {days} no p can be below {least}{have}."]


def _ambiguous(result: PlaceboResult, pairs: Sequence[PlaceboPair]) -> list[str]:
    """Which sessions are not certain: only one of them is tested."""
    unsure = [row for row in pairs if row.ambiguous]
    if not unsure:
        return []
    if len(result.events) > 1 or len(unsure) > NAMED:
        what = "reactions" if len(result.events) > 1 else "markets"
        return [f"{len(unsure)} of {len(pairs)} {what} may belong to another session too; mr.react tests that as well."]
    named, one = wording.listed([row.market for row in unsure]), len(unsure) == 1
    which = f"session of {named} is" if one else f"sessions of {named} are"
    return [f"The {which} ambiguous; mr.react tests the other{'s' * (not one)} as well."]


def _left_out(result: PlaceboResult) -> list[str]:
    """What has no p, with the reason, markets and events of one reason together."""
    reasons: dict[str, Counter[str]] = {}
    for row in result.excluded.to_dict("records"):
        reasons.setdefault(_reason(row["event_id"], row["reason"]), Counter())[row["market"] or "all markets"] += 1
    told, pairs = [], result.pairs()
    if len(result.events) == 1 and not wording.tested(pairs[:1]):  # the first sentence has that of the first market
        others = reasons.pop(_reason(pairs[0].event_id, pairs[0].placebo.scaled.note)) - Counter([pairs[0].market])
        told += [f"The same holds for {_counted(others)}."] if others else []
    shown = [f"{_counted(markets)}: {reason}" for reason, markets in list(reasons.items())[:NAMED]]
    more = f"; excluded has {len(reasons) - NAMED} more reasons" if len(reasons) > NAMED else ""
    return [*told, *([f"No p for {'; '.join(shown)}{more}."] if shown else [])]


def _counted(markets: Mapping[str, int]) -> str:
    """First markets with how many events each, and how many markets more."""
    names = [f"{market} ({count} events)" if count > 1 else market for market, count in markets.items()]
    return wording.listed(names if len(names) <= NAMED + 1 else [*names[:NAMED], f"{len(names) - NAMED} more"])


def _reason(event_id: object, text: str) -> str:
    """First sentence of a reason, without its stop and without what is of one event or market alone."""
    if text.startswith(CHOSEN):
        return CHOSEN
    return wording.clean(text).split(". ")[0].rstrip(".").replace(f"event {event_id!r}", "the event")


def pair_lines(pairs: Sequence[PlaceboPair]) -> pd.DataFrame:
    """One row an event and market as it is read."""
    rows = [
        {
            "Event": row.event_id,
            "Market": row.market,
            "Session": wording.day(row.session) + (" (ambiguous)" if row.ambiguous else ""),
            "Change": wording.move(row.change, row.series.instrument.change_unit),
            "Usual days": wording.signed(row.placebo.statistic),
            tables.PLACEBO: wording.placebo_p(row.placebo.scaled),
            "Compared days": str(row.placebo.scaled.n_placebo),
            "Smallest detectable": wording.size(row.placebo.mde, row.series.instrument.change_unit),
            "Note": row.placebo.scaled.note,
        }
        for row in pairs
    ]
    lines = pd.DataFrame(rows, columns=list(rows[0]) if rows else ["Event", "Market", "Note"], dtype=object)
    return lines if lines["Note"].ne("").any() else lines.drop(columns="Note")


def joint_lines(result: PlaceboResult) -> pd.DataFrame:
    """Joint tests as they are read, one row an event and statistic."""
    rows = [
        {
            "Event": event_id,
            "Over": f"{len(joint.markets)} markets",
            "Statistic": wording.signed(rank.statistic).removeprefix("+"),
            "Joint test": name.replace("_", " "),
            tables.PLACEBO: wording.placebo_p(rank),
            "Compared days": str(rank.n_placebo),
            "Note": rank.note or joint.note,
        }
        for event_id, joint in result.joint.items()
        for name, rank in joint.ranks.items()
    ]
    lines = pd.DataFrame(rows, dtype=object)
    return lines if not rows or lines["Note"].ne("").any() else lines.drop(columns="Note")


def printed_placebo(result: PlaceboResult) -> dict[str, pd.DataFrame]:
    """Tables of a paper: reactions and joint tests, by caption.

    Parameters
    ----------
    result : PlaceboResult
        As ``placebo_test`` gives it.
    """
    named = {"Placebo tests": pair_lines(result.pairs()), "All markets together": joint_lines(result)}
    return {name: _of(result, lines) for name, lines in with_rows(named).items()}


def _of(result: PlaceboResult, lines: pd.DataFrame) -> pd.DataFrame:
    """Lines without the event where there is one only."""
    return lines.drop(columns="Event") if len(result.events) < 2 and len(lines) else lines


def placebo_html(result: PlaceboResult) -> str:
    """HTML of placebo tests for notebooks: the answer, every reaction, the joint tests, what has no p, the sources.

    Parameters
    ----------
    result : PlaceboResult
        As ``placebo_test`` gives it.
    """
    pairs = list(result.pairs())
    if len(result.events) > 1:
        pairs.sort(key=lambda row: not wording.is_unusual(row))
    title = study_words.study_title(result.study)
    parts = [
        f"<h3>{escape(title)}</h3>",
        f'<p class="mr-answer">{cell(result.answer())}</p>',
        _table(_of(result, pair_lines(pairs)), [wording.is_unusual(row) for row in pairs]),
        f'<p class="mr-quiet">{escape(LEGEND)}</p>',
        tables.section("All markets together", _table(_of(result, joint_lines(result)))),
        tables.left_out_of_markets(result.excluded),
        tables.sources(result.vintage),
    ]
    return tables.wrapped(parts)


def _table(lines: pd.DataFrame, unusual: Sequence[bool] = ()) -> str:
    """HTML of lines, the first of them open."""
    if not len(lines):
        return ""
    rows = [[cell(text) for text in row] for row in lines.itertuples(index=False, name=None)]
    heads = list(lines.columns)
    classes = ["mr-unusual" if mark else "" for mark in unusual]
    more = html_table(heads, rows[SHOWN:], classes[SHOWN:]) if len(rows) > SHOWN else ""
    return html_table(heads, rows[:SHOWN], classes[:SHOWN]) + tables.folded(f"{len(rows) - SHOWN} more", more)
