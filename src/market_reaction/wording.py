"""Numbers and sentences as people read them: signs, units, times, and the answer in words."""

from __future__ import annotations

import math
import re
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeVar

import pandas as pd

if TYPE_CHECKING:
    from market_reaction.inference.placebo import PlaceboRank
    from market_reaction.instruments import Instrument
    from market_reaction.judged import JudgedMarket, JudgedSession
    from market_reaction.placebo_result import PlaceboResult
    from market_reaction.prices import Vintage
    from market_reaction.reaction_result import MarketReaction, ReactionResult
    from market_reaction.records import RankChance, Record

Row = TypeVar("Row", bound="JudgedMarket")

UNUSUAL = 0.05  # placebo p up to which a move is called unusual
NOT_AVAILABLE = "n/a"
MINUS = "−"
_P_AND_FIGURE = re.compile(r"\bp (?:[<≤] )?(?=[<≤\d])")
_FINE_FX = 20.0  # exchange rates below this are quoted to four decimals


def clean(text: object) -> str:
    """Text without control characters, so that no title can move a cursor or break a line."""
    return "".join(mark if mark.isprintable() else " " for mark in str(text))


def on_lines(text: str, width: int) -> list[str]:
    """Clean text in lines of at most ``width`` characters, broken at blanks only and never between p and its figure."""
    tied = _P_AND_FIGURE.sub(lambda found: found[0].replace(" ", "\u00a0"), clean(text))
    return [line.replace("\u00a0", " ") for line in textwrap.wrap(tied, width, break_on_hyphens=False)]


def filled(text: str, width: int | None) -> str:
    """Text on lines of at most ``width`` characters; as it is when there is no width."""
    return text if width is None else "\n".join(on_lines(text, width))


def signed(value: float, digits: int = 2) -> str:
    """Number with its sign and a true minus; zero has none."""
    if not math.isfinite(value):
        return NOT_AVAILABLE
    text = f"{value:+.{digits}f}"
    return text.replace("-", MINUS) if float(text) else text[1:]


def per_cent(value: float, digits: int = 2) -> str:
    """Decimal as a signed per cent: 0.0075 is ``+0.75%``."""
    return NOT_AVAILABLE if not math.isfinite(value) else f"{signed(100 * value, digits)}%"


def basis_points(value: float) -> str:
    """Percentage points as signed basis points, with a decimal only where there is one."""
    if not math.isfinite(value):
        return NOT_AVAILABLE
    points = 100 * value
    return f"{signed(points, 0 if abs(points - round(points)) < 0.05 else 1)} bp"


def move(value: float, unit: str) -> str:
    """Move in the form of its unit: ``+0.75%``, ``−6 bp`` for yields, ``+0.31`` for points.

    Parameters
    ----------
    value : float
        Decimal return, percentage points or points.
    unit : {"return", "percentage points", "points"}
        As ``Instrument.change_unit`` gives it.
    """
    if unit == "return":
        return per_cent(value)
    return basis_points(value) if unit == "percentage points" else signed(value)


def size(value: float, unit: str) -> str:
    """Size of a move, without sign: the spread of an ordinary day, a standard error, a smallest effect."""
    if math.isinf(value):
        return "no effect"
    return move(abs(value), unit).removeprefix("+")


def amount(value: float, unit: str) -> str:
    """Move with its unit always named: ``move`` and the word "points" where that has none."""
    return move(value, unit) + (" points" if unit == "points" and math.isfinite(value) else "")


def unit_step(unit: str) -> tuple[float, str]:
    """Move that responses are stated for, as a number and in words: 1%, 10 bp or 1 point."""
    return {"return": (0.01, "1%"), "percentage points": (0.1, "10 bp")}.get(unit, (1.0, "1 point"))


def level(value: float, instrument: Instrument) -> str:
    """Price level: yields in per cent, exchange rates near 7 to four decimals, everything else to two."""
    if not math.isfinite(value):
        return NOT_AVAILABLE
    if instrument.asset_class == "yield":
        return f"{value:.2f}%".replace("-", MINUS)
    digits = 4 if instrument.asset_class == "fx" and abs(value) < _FINE_FX else 2
    return f"{value:,.{digits}f}".replace("-", MINUS)


def p_value(value: float) -> str:
    """Probability to two decimals, to three below 0.1, and no smaller than 0.001; 0.0504 is not shown as 0.050."""
    if not math.isfinite(value):
        return NOT_AVAILABLE
    if UNUSUAL < value < UNUSUAL + 0.0005:
        return f"{max(value, UNUSUAL + 0.0001):.4f}"  # "p of at most 0.05" must be seen not to hold
    return "<0.001" if value < 0.0005 else f"{value:.{3 if value < 0.0995 else 2}f}"


def p_and_floor(value: float, floor: float) -> str:
    """Probability with the smallest that could have come out in brackets: ``0.060 (0.002)``."""
    return f"{p_value(value)} ({p_value(floor)})" if math.isfinite(value) else NOT_AVAILABLE


def placebo_p(rank: PlaceboRank) -> str:
    """Placebo p with its floor in brackets."""
    return p_and_floor(rank.p_value, rank.floor)


def day(value: pd.Timestamp | None) -> str:
    """ISO date of a session."""
    return NOT_AVAILABLE if value is None or pd.isna(value) else f"{value:%Y-%m-%d}"


def sessions_of(window: tuple[int, int]) -> str:
    """Sessions of an event window: ``in the reaction session``, ``over sessions [0,5]``."""
    first, last = window
    return "in the reaction session" if first == last == 0 else f"over sessions [{first},{last}]"


def vintage(found: Vintage) -> str:
    """Source of a series and when it was retrieved, or its end where that is not known: ``files, to 2026-07-31``."""
    known = found.retrieved_utc
    return f"{found.source}, " + (f"to {day(found.last)}" if known is None else f"as of {day(known)}")


def instant(value: pd.Timestamp | None) -> str:
    """Date and time in UTC."""
    return NOT_AVAILABLE if value is None or pd.isna(value) else f"{value:%Y-%m-%d %H:%M} UTC"


def duration(minutes: float) -> str:
    """Minutes in words: ``2 h 40 min``, ``3 d 2 h`` from two days on."""
    whole = round(minutes)
    hours, rest = whole // 60, whole % 60
    if hours >= 48:
        return f"{hours // 24} d {hours % 24} h"
    return f"{hours} h {rest:02d} min" if hours else f"{rest} min"


def first_trade(row: MarketReaction) -> str:
    """From the news to the first moment it could be traded on, with the phase of the market."""
    phase, minutes = row.where.phase, row.where.minutes_to_first_trade
    if phase is None or minutes is None:
        return NOT_AVAILABLE
    return "at once (in session)" if minutes == 0 else f"{duration(minutes)} ({phase})"


def direction_note(instrument: Instrument) -> str:
    """What "up" means, where the table of instruments says it."""
    return instrument.quote_note if instrument.quote_note.startswith("up ") else ""


def moved(value: float, unit: str) -> str:
    """Move as a verb and its size: ``rose 0.75%``, ``fell 6 bp``."""
    if not math.isfinite(value):
        return "has no return"
    text = size(value, unit)
    if unit == "points":
        text += " points"
    return "did not move" if value == 0 else f"{'rose' if value > 0 else 'fell'} {text}"


def rank(record: Record | None, chance: RankChance | None = None) -> str:
    """Record in few words with the rate at which chance earns it.

    ``largest gain since 2025-05-14 (5.2% of days, 41% in any market)``: the share of pool days that earn such a rank in
    this market and direction, and the share on which some market shown does, up or down.
    """
    if record is None:
        return NOT_AVAILABLE
    if record.direction == "none":
        return "unchanged"
    if record.sessions <= 1:
        return "none"
    since = f"since {day(record.since)}" if record.since is not None else f"of all {record.sessions:,} at hand"
    if chance is None:
        return f"largest {record.direction} {since} (1 in {record.sessions:,})"
    anywhere = f", {share(chance.any_market)} in any market" if math.isfinite(chance.any_market) else ""
    return f"largest {record.direction} {since} ({share(chance.own)} of days{anywhere})"


def share(value: float) -> str:
    """Share as a per cent, with a decimal below ten."""
    return NOT_AVAILABLE if not math.isfinite(value) else f"{100 * value:.{0 if value >= 0.0995 else 1}f}%"


def listed(names: Sequence[str]) -> str:
    """Join with commas and a last "and"."""
    return " and ".join(names) if len(names) < 3 else f"{', '.join(names[:-1])} and {names[-1]}"


def by_chance(count: int) -> str:
    """How many of so many tests chance alone makes unusual: ``about 13``, with a decimal below one."""
    expected = UNUSUAL * count
    return f"about {expected:.{0 if expected >= 1 else 1}f}"


def unusual_against_chance(count: int, tested: int, what: str) -> str:
    """How many of the things tested are unusual, and how many chance alone makes so, without a stop."""
    verb = "is" if count == 1 else "are"
    found = f"{count} of {tested:,} {what}{'s' * (tested != 1)} {verb} unusual (placebo p of at most {UNUSUAL})"
    return f"{found}; {by_chance(tested)} would be by chance alone"


def is_unusual(found: JudgedSession) -> bool:
    """Whether the placebo p is at most 0.05."""
    return bool(found.placebo.scaled.p_value <= UNUSUAL)


def tested(rows: Sequence[Row]) -> list[Row]:
    """Markets with a placebo p."""
    return [row for row in rows if math.isfinite(row.headline.placebo.scaled.p_value)]


def joint_rank(placebo: PlaceboResult, event_id: object) -> PlaceboRank | None:
    """Joint test of an event over the markets by the largest move; None when there is none."""
    joint = placebo.joint.get(str(event_id))
    return joint["maximum"] if joint is not None and math.isfinite(joint["maximum"].p_value) else None


def answer(result: ReactionResult) -> str:
    """What the first market did, which markets were unusual, and what limits the finding.

    Parameters
    ----------
    result : ReactionResult
        As ``react`` gives it.

    Returns
    -------
    str
        One or two sentences; one more for each reservation that holds (ambiguous session).
    """
    first = leading(result)
    joint = joint_rank(result.placebo, result.event.name)
    sentences = [f"{clock_unknown(result.event)}{verdict(first, result.reactions, joint)}"]
    if first.ambiguous:
        sentences.append(_other_sessions(first))
    sentences += [_unusual_elsewhere(row) for row in result.reactions if row is not first and _turns(row)]
    if tested(result.reactions) and any(row.other_news for row in result.reactions):
        sentences.append("Other news shares these returns: p is of the joint reaction to all listed news.")
    return clean(" ".join(sentences))


def clock_unknown(event: pd.Series) -> str:
    """Start of a sentence on an announcement of which only the session is known; empty for others."""
    return "Clock unknown: " if event["precision"] == "date" else ""


def verdict(first: JudgedMarket, rows: Sequence[JudgedMarket], joint: PlaceboRank | None) -> str:
    """What one market did, which of all were unusual, and what the joint test says of them together: one sentence."""
    return f"{_first_market(first)}{_verdict(first, rows)}{_all_markets(rows, joint)}."


def _first_market(row: JudgedMarket) -> str:
    found, unit = row.headline, row.series.instrument.change_unit
    note = direction_note(row.series.instrument)
    note = f"; {note}" if note and found.change else ""
    rank = found.placebo.scaled
    test = f"placebo p {p_value(rank.p_value)}" if math.isfinite(rank.p_value) else f"no placebo p: {rank.note}"
    return f"{row.market} {moved(found.change, unit)} in its session of {day(found.session)} ({test}{note})"


def leading(result: ReactionResult) -> MarketReaction:
    """The market the answer begins with: the one declared as primary, else the first."""
    return next((row for row in result.reactions if row.market == result.options.primary), result.reactions[0])


def _all_markets(rows: Sequence[JudgedMarket], joint: PlaceboRank | None) -> str:
    """What the joint test says of all markets together; empty where there is none."""
    count = len(tested(rows))
    if joint is None:
        return ""
    if joint.p_value > UNUSUAL and any(is_unusual(row.headline) for row in rows):
        return f" taken alone; the {count} markets together are not (joint p {p_value(joint.p_value)})"
    return f" (joint p over {count} markets {p_value(joint.p_value)})"


def _verdict(first: JudgedMarket, rows: Sequence[JudgedMarket]) -> str:
    """Second half of the first sentence: which markets were unusual."""
    others = [row for row in rows if row is not first]
    unusual = [f"{row.market} ({move_and_p(row)})" for row in others if is_unusual(row.headline)]
    if is_unusual(first.headline):
        also = f", as were {listed(unusual)}" if len(unusual) > 1 else f", as was {unusual[0]}" if unusual else ""
        return f", which was unusual{also}"
    with_p = tested(rows)
    own = ", which is not distinguishable from an ordinary day" if any(row is first for row in with_p) else ""
    if unusual:
        return f"{own}; {listed(unusual)} {'were' if len(unusual) > 1 else 'was'} unusual"
    if len(with_p) > 1:
        return f"; none of the {len(with_p)} markets tested is distinguishable from an ordinary day"
    return own


def move_and_p(row: JudgedMarket) -> str:
    """Change of a market with its placebo p: ``+0.75%, p 0.36``."""
    found = row.headline
    return f"{move(found.change, row.series.instrument.change_unit)}, p {p_value(found.placebo.scaled.p_value)}"


def _turns(row: MarketReaction) -> bool:
    """Whether another possible session of an ambiguous market is unusual while its headline is not."""
    return not is_unusual(row.headline) and any(is_unusual(found) for found in row.candidates)


def _unusual_elsewhere(row: MarketReaction) -> str:
    unit = row.series.instrument.change_unit
    found = [
        f"on {day(found.session)} it {moved(found.change, unit)} (p {p_value(found.placebo.scaled.p_value)})"
        for found in row.candidates
        if is_unusual(found)
    ]
    return f"The session of {row.market} is ambiguous: {listed(found)}, which would be unusual."


def _other_sessions(row: MarketReaction) -> str:
    unit = row.series.instrument.change_unit
    others = [
        f"on {day(found.session)} it {moved(found.change, unit)} (p {p_value(found.placebo.scaled.p_value)})"
        for found in row.candidates
        if found is not row.headline
    ]
    where = f": {listed(others)}" if others else ""
    return f"The session of {row.market} is ambiguous, and another one is possible{where}."
