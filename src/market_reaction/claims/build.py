"""From the pieces that patterns found in a clause to claims of one market."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from market_reaction.claims import patterns as table
from market_reaction.claims.claim import RECORDS, Claim, ClaimError, Direction, Kind, Measure
from market_reaction.claims.markets import find_market

_UP_RANKS, _DOWN_RANKS = ("best", "strongest"), ("worst", "weakest")
_UP_LEVELS = ("highest", "strongest", "high")
_ABOVE, _BELOW = ("above", "higher than", "topped", "surpassed", "exceeded"), ("below", "lower than")
_UNITS = {"%": "%", "b": "bp", "pe": "percentage points", "po": "points", "pt": "points"}


@dataclass(slots=True)
class Pieces:
    """What the patterns found in one clause.

    Attributes
    ----------
    verbs, stable : list of str
        Words of direction, and of standing still.
    direction : {"up", "down", ""}
        What the verbs and the signs of figures say.
    figures, levels : list of re.Match
        Figures of moves and of prices.
    sides : list of re.Match
        Prices that the close is said to lie above or below.
    records : list of tuple
        Meaning (move, level, record) and match.
    measure, measure_words : str
        Where the move ends, and the words that say so.
    problem : str
        Why the clause cannot be read; empty where it can.
    """

    verbs: list[str] = field(default_factory=list)
    stable: list[str] = field(default_factory=list)
    direction: Direction = ""
    figures: list[re.Match[str]] = field(default_factory=list)
    levels: list[re.Match[str]] = field(default_factory=list)
    sides: list[re.Match[str]] = field(default_factory=list)
    records: list[tuple[str, re.Match[str]]] = field(default_factory=list)
    measure: str = "close"
    measure_words: str = ""
    problem: str = ""

    @property
    def any(self) -> bool:
        """Whether anything that can be judged was found."""
        return bool(self.verbs or self.figures or self.levels or self.sides or self.records or self.stable)


@dataclass(frozen=True, slots=True)
class Setting:
    """What holds for every claim of a clause.

    Attributes
    ----------
    market, sentence : str
        Words for the market, and the sentence.
    direction : {"up", "down", ""}
        Of the clause, or of the one before where it has none.
    on : str
        Weekday or day the sentence names.
    date : str or None
        Full date the sentence names.
    """

    market: str
    sentence: str
    direction: Direction
    on: str
    date: str | None


def build(pieces: Pieces, setting: Setting) -> tuple[list[Claim], list[tuple[str, str]]]:
    """Claims of one market, and what of the clause could not become one: words and reason.

    Parameters
    ----------
    pieces : Pieces
        What the patterns found.
    setting : Setting
        Market, sentence, direction, day.
    """
    claims, lost = [], []
    for item in _wanted(pieces, setting):
        if item.kind is None:
            lost.append((item.text, item.reason))
            continue
        measure = _measure(pieces.measure, item.direction or setting.direction)
        if item.kind in RECORDS and measure != "close":
            measure = "intraday"  # records are of closes
        try:
            claims.append(
                Claim(
                    setting.market, item.kind, figure=item.figure, direction=item.direction, period=item.period,
                    measure=measure, date=setting.date, on=setting.on, text=item.text,
                    sentence=setting.sentence,
                )
            )  # fmt: skip
        except ClaimError as error:
            lost.append((item.text, str(error)))
    return claims, lost


class _Wanted(NamedTuple):
    """Fields of one claim; a kind of None, with the reason, for words that cannot be one."""

    text: str
    kind: Kind | None
    figure: str = ""
    direction: Direction = ""
    period: str = ""
    reason: str = ""


def _wanted(pieces: Pieces, setting: Setting) -> Iterator[_Wanted]:
    """Every claim of the clause, in the order of the patterns."""
    named = find_market(setting.market)
    is_yield = named.instrument.asset_class == "yield"
    levels = [found for found in pieces.figures if is_yield and _is_level(found)]
    if pieces.verbs:
        words = " ".join([*pieces.verbs, pieces.measure_words]).strip()
        strong = len(levels) == len(pieces.figures) and any(verb.casefold() in table.STRONG for verb in pieces.verbs)
        kinds: tuple[Kind, Kind] = ("surged", "plunged") if strong else ("rose", "fell")
        yield _Wanted(words, kinds[0] if pieces.direction == "up" else kinds[1])
    for word in pieces.stable:
        yield _Wanted(word, "stable")
    for found in pieces.sides:
        yield _side(_words(found), found["side"].casefold(), found["number"], named.sign, pieces.direction)
    for found in pieces.figures:
        if found in levels:
            yield _side(_words(found), found["how"].casefold(), found["number"], named.sign, pieces.direction)
            continue
        yield _Wanted(_words(found), _how(found), figure=_figure(found), direction=setting.direction)
    yield from _levels(pieces, is_yield)
    for meaning, found in pieces.records:
        yield _record(meaning, found, setting.direction)


def _is_level(found: re.Match[str]) -> bool:
    """Whether a figure of a yield is its level: ``above 4.5%``."""
    return (found["how"] or "").casefold() in ("above", "below") and found["unit"].strip() == "%"


def _side(text: str, word: str, number: str, sign: int, direction: Direction) -> _Wanted:
    """A price that the close lies above or below, of the quote.

    "Past 7.30" follows the verb, and so does "below 7.30" for a currency quoted per dollar, which the press says of a
    weak one as well as of a low quote.
    """
    way: Direction = {"weaker than": "down", "stronger than": "up"}.get(word, direction)  # type: ignore[assignment]
    if sign > 0 and word in (*_ABOVE, *_BELOW):
        return _Wanted(text, "above" if word in _ABOVE else "below", figure=number)
    if not way:
        return _Wanted(
            text, None, reason="it does not say on which side of the level; write weaker or stronger than it"
        )
    return _Wanted(text, "above" if (way == "up") == (sign > 0) else "below", figure=number)


def _levels(pieces: Pieces, is_yield: bool) -> Iterator[_Wanted]:
    """Prices; a per cent after "to" is one for yields only."""
    for found in pieces.levels:
        if found["yield"] and not is_yield:
            yield _Wanted(
                _words(found), None, reason="a per cent after 'to' or 'at' is a level, which only yields have"
            )
        else:
            yield _Wanted(_words(found), "level", figure=found["yield"] or found["number"])


def _words(found: re.Match[str]) -> str:
    return found[0].strip()


def _how(found: re.Match[str]) -> Kind:
    return table.HOW[found["how"].casefold()] if found["how"] else "exactly"  # type: ignore[return-value]


def _figure(found: re.Match[str]) -> str:
    unit = found["unit"].strip().casefold()
    name = next(name for start, name in _UNITS.items() if unit.startswith(start))
    return f"{found['number'].rstrip(',')}{'' if name == '%' else ' '}{name}"


def _measure(meaning: str, direction: Direction | str) -> Measure:
    """Where the move ends; "as much as" is the high of a rise and the low of a fall."""
    if meaning == "extreme":
        return {"up": "high", "down": "low"}.get(direction, "intraday")  # type: ignore[return-value]
    return meaning  # type: ignore[return-value]


def _record(meaning: str, found: re.Match[str], direction: Direction) -> _Wanted:
    """Kind and period of a record."""
    text, rank = _words(found), found["rank"].casefold()
    if meaning == "record":
        return _Wanted(text, "highest since" if rank == "high" else "lowest since", period="ever")
    period = _period(found)
    if meaning == "level":
        return _Wanted(text, "highest since" if rank in _UP_LEVELS else "lowest since", period=period)
    noun = (found["noun"] or "").casefold()
    way = "up" if noun in table.UP else "down" if noun in table.DOWN else ""
    way = way or ("up" if rank in _UP_RANKS else "down" if rank in _DOWN_RANKS else direction)
    if not way:
        return _Wanted(text, None, reason="it does not say whether up or down")
    return _Wanted(text, "best since" if way == "up" else "worst since", period=period)


def _period(found: re.Match[str]) -> str:
    """Period of a record in the form ``Claim`` takes."""
    said = {name: text or "" for name, text in found.groupdict().items()}
    if said.get("ever"):
        return "ever"
    if said.get("this"):
        return "this year"
    if said.get("since"):
        return f"since {_date(found)}"
    count = said["count"].strip().casefold()
    number = {"several": "3", "many": "3", "multi": "2"}.get(count, table.NUMBER_WORDS.get(count, count))
    word = said["word"].casefold() + ("s" if said.get("several") or number not in ("", "1") else "")
    return " ".join(part for part in (said.get("how", "").strip().casefold(), number, word) if part)


def _date(found: re.Match[str]) -> str:
    """Date after "since", as year, year and month, or day; without a year its last one before day 0."""
    if found["iso"] or found["year3"]:
        return str(found["iso"] or found["year3"])
    month, day = month_number(found["month"] or found["month2"]), found["day"] or found["day2"]
    year = found["year"] or found["year2"]
    tail = f"{month:02d}" + (f"-{int(day):02d}" if day else "")
    return f"{year}-{tail}" if year else f"last {tail}"


def month_number(text: str) -> int:
    """Number of a month by the first three letters of its name."""
    return next(at for at, name in enumerate(table.MONTHS, start=1) if name.casefold().startswith(text[:3].casefold()))
