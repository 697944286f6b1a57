"""What a sentence claims of one market, as a small structure that can be judged."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date as Date
from typing import Literal, get_args

import pandas as pd

from market_reaction.errors import MarketReactionError, did_you_mean

Kind = Literal[
    "rose", "fell", "surged", "plunged", "stable",
    "exactly", "almost", "about", "more than", "at least", "less than", "at most", "level", "above", "below",
    "best since", "worst since", "highest since", "lowest since",
]  # fmt: skip
Direction = Literal["up", "down", ""]
Measure = Literal["close", "high", "low", "intraday"]
FigureUnit = Literal["%", "bp", "percentage points", "points", "level"]

SIZES: tuple[Kind, ...] = ("surged", "plunged")
LEVELS: tuple[Kind, ...] = ("level", "above", "below")
FIGURES: tuple[Kind, ...] = ("exactly", "almost", "about", "more than", "at least", "less than", "at most", *LEVELS)
RECORDS: tuple[Kind, ...] = ("best since", "worst since", "highest since", "lowest since")
DAY_ZERO = (0, 0)

_FIGURE = re.compile(r"[+\-−]?(?P<number>\d[\d,]*(?:\.(?P<decimals>\d+))?)\s*(?P<unit>%|bp|percentage points|points)?")


class ClaimError(MarketReactionError, ValueError):
    """A claim that cannot be judged as it is written; the message names the field and what it may hold."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure as a sentence gives it.

    Attributes
    ----------
    value : float
        Size, without sign, in ``unit``.
    decimals : int
        Digits after the point, which say how finely the sentence speaks.
    unit : {"%", "bp", "percentage points", "points", "level"}
        ``"level"`` for a bare number, which is a price.
    """

    value: float
    decimals: int
    unit: FigureUnit

    @classmethod
    def of(cls, text: str) -> Figure:
        """Read ``"1%"``, ``"10 bp"``, ``"29.2 points"`` or ``"3,894.63"``.

        Raises
        ------
        ClaimError
            The text is no such figure.
        """
        found = _FIGURE.fullmatch(text.strip())
        if not found:
            raise ClaimError(f"figure={text!r} cannot be read; write '1%', '10 bp', '29.2 points' or '3,894.63'.")
        unit: FigureUnit = found["unit"] or "level"  # type: ignore[assignment]
        return cls(float(found["number"].replace(",", "")), len(found["decimals"] or ""), unit)

    @property
    def scale(self) -> float:
        """Factor from ``unit`` to the unit of the moves: 0.01 for per cent and for basis points."""
        return 0.01 if self.unit in ("%", "bp") else 1.0

    @property
    def step(self) -> float:
        """One unit of the last digit given."""
        return float(10.0**-self.decimals)


@dataclass(frozen=True, slots=True)
class Claim:
    """One thing said of one market.

    Attributes
    ----------
    market : str
        Name of the market as a sentence or the catalogue has it: ``"CSI 300"``, ``"offshore yuan"``. Direction and kind
        are those of what is named: an offshore yuan that rose is a USD/CNH that fell.
    kind : str
        ``"rose"``, ``"fell"``, ``"stable"``; ``"surged"``, ``"plunged"`` (words of size without a figure); with a
        ``figure`` ``"exactly"``, ``"almost"``, ``"about"``, ``"more than"``, ``"at least"``, ``"less than"``,
        ``"at most"``; with a price ``"level"``, ``"above"``, ``"below"``, of the quote; with a ``period``
        ``"best since"``, ``"worst since"`` (moves) and ``"highest since"``, ``"lowest since"`` (closes).
    figure : str
        As the sentence gives it: ``"1%"``, ``"0.75%"``, ``"10 bp"``, ``"29 points"``; a bare number for a price. The
        digits given say how finely it is meant.
    direction : {"up", "down", ""}
        Of a figure; empty where the sentence does not say.
    period : str
        How far back a record goes: ``"weeks"``, ``"3 weeks"``, ``"almost 1 month"``, ``"since 2025-05-14"``,
        ``"since 2025-05"``, ``"since 2024"``, ``"since last 05-14"`` or ``"since last 05"`` (the last of them before
        day 0), ``"this year"`` or ``"ever"``.
    window : tuple of int
        Sessions from day 0, inclusive; (0, 0) is the day itself.
    measure : {"close", "high", "low", "intraday"}
        Where the move ends: at the close, at the day's high or low, or at some moment of the day.
    date, event : str, optional
        Day 0: a date, or a time with zone or id of the catalogue. Those given to ``check_claims`` when left out.
    on : str
        Weekday or day of the year that the sentence names, such as ``"Wednesday"`` or ``"11 June"``.
    text, sentence : str
        Words that make the claim, and the sentence they are from.

    Raises
    ------
    ClaimError
        A field holds what it may not.

    Examples
    --------
    >>> Claim("CSI 300", "almost", figure="1%", direction="up").words
    'up almost 1%'
    """

    market: str
    kind: Kind
    figure: str = ""
    direction: Direction = ""
    period: str = ""
    window: tuple[int, int] = DAY_ZERO
    measure: Measure = "close"
    date: str | Date | None = None
    event: str | None = None
    on: str = ""
    text: str = ""
    sentence: str = ""

    def __post_init__(self) -> None:
        """Refuse a claim that cannot be judged, naming the field."""
        if not isinstance(self.figure, str):
            raise ClaimError(_figure_as_text(self.figure))
        for name, value, allowed in (
            ("kind", self.kind, get_args(Kind)),
            ("direction", self.direction, get_args(Direction)),
            ("measure", self.measure, get_args(Measure)),
        ):
            if value not in allowed:
                listed = ", ".join(map(repr, allowed))
                raise ClaimError(f"{name}={value!r} is not known. {did_you_mean(str(value), allowed)}Choose {listed}.")
        if self.kind in FIGURES:
            unit = Figure.of(self.figure).unit
            if (unit == "level") != (self.kind in LEVELS):
                raise ClaimError(
                    f"figure={self.figure!r} does not go with kind={self.kind!r}: a move has a unit, such as '1%' or "
                    "'10 bp'; a level is a bare number, such as '3,894.63'."
                )
        if self.kind in RECORDS:
            Period.of(self.period, pd.Timestamp(2024, 12, 31))
        if self.date is not None and self.event is not None:
            raise ClaimError(f"date={self.date!r} and event={self.event!r} both set day 0; give one of them.")
        if not (0 <= self.window[0] <= self.window[1]):
            raise ClaimError(f"window={self.window} is no window from day 0; give (0, 0), (0, 4) or the like.")

    @property
    def said(self) -> str:
        """The sentence, or what stands for it in a claim put together by hand."""
        return self.sentence or f"{self.market}: {self.words}"

    @property
    def quoted(self) -> str:
        """The words of the sentence that make the claim, else the claim in few words."""
        return self.text or self.words

    @property
    def words(self) -> str:
        """The claim in few words."""
        where = {"close": "", "high": " at its high", "low": " at its low", "intraday": " during the day"}[self.measure]
        if self.kind in RECORDS:
            noun = {"best since": "best day", "worst since": "worst day"}.get(self.kind, f"{self.kind[:-6]} close")
            bare = self.period.startswith("since") or self.period in ("ever", "this year")
            tail = self.period if bare else f"in {self.period}"
            return f"{noun} {tail}"
        if self.kind in LEVELS:
            return f"{'at' if self.kind == 'level' else self.kind} {self.figure}{where}"
        how = "" if self.kind == "exactly" else f"{self.kind} "
        base = " ".join(part for part in (self.direction, f"{how}{self.figure}") if part) if self.figure else self.kind
        over = "" if self.window == DAY_ZERO else f" over sessions [{self.window[0]},{self.window[1]}]"
        return f"{base}{where}{over}"


def _figure_as_text(figure: object) -> str:
    """Sentence that says how a figure given as a number is written."""
    is_number = isinstance(figure, int | float) and not isinstance(figure, bool)
    like = f"{100 * abs(figure):.10g}%" if is_number and 0 < abs(figure) < 1 else "1%"  # type: ignore[arg-type]
    return (
        f"figure={figure!r} is no text. Write {like!r}: a figure is given as the sentence has it, with its unit, for "
        "its digits say how finely it is meant."
    )


_WORDS = {"day": 1, "session": 1, "week": 5, "month": 21, "quarter": 63, "year": 250}
_MORE, _NEAR = ("more than", "over", "at least"), ("almost", "nearly")
_PERIOD = re.compile(
    r"(?:(?P<how>almost|nearly|more than|over|at least|about)\s+)?(?:(?P<count>\d+)\s+)?"
    r"(?P<word>day|session|week|month|quarter|year)(?P<several>s?)"
)
_SINCE = re.compile(
    r"since (?:(?P<year>\d{4})(?:-(?P<month>\d{2})(?:-(?P<day>\d{2}))?)?|last (?P<last>\d{2}(?:-\d{2})?))"
)


@dataclass(frozen=True, slots=True)
class Period:
    """How far back a record must reach.

    Attributes
    ----------
    sessions : int or None
        Sessions before day 0 that may hold nothing as large; None where ``after`` says it.
    after : pandas.Timestamp or None
        Sessions later than this may hold nothing as large; None where ``sessions`` says it, both for ``"ever"``.
    rule : str
        The rule in words.
    """

    sessions: int | None
    after: pd.Timestamp | None
    rule: str

    @classmethod
    def of(cls, text: str, session: pd.Timestamp) -> Period:
        """Read a period that ends at a session.

        Raises
        ------
        ClaimError
            The text is no period.

        Notes
        -----
        A week is 5 sessions, a month 21, a quarter 63, a year 250. A plural without a number is two of them: "in
        weeks" needs 10 sessions. "Almost" a period is three quarters of it, "more than" a period one session more.
        "Since May 2025" needs nothing as large after the end of that month; "this year" nothing in it.
        """
        if text == "ever":
            return cls(None, None, "no session before it")
        if text == "this year" or _SINCE.fullmatch(text):
            end = _end_of_start(text, session)
            return cls(None, end, f"no session after {end:%Y-%m-%d}")
        found = _PERIOD.fullmatch(text)
        if not found:
            raise ClaimError(
                f"period={text!r} cannot be read; write 'weeks', '3 weeks', 'almost 1 month', 'since 2025-05-14', "
                "'since 2025-05', 'since 2024', 'this year' or 'ever'."
            )
        count = int(found["count"] or (2 if found["several"] else 1))
        sessions = count * _WORDS[found["word"]]
        if found["how"] in _NEAR:
            sessions = -(-3 * sessions // 4)
        elif found["how"] in ("more than", "over"):
            sessions += 1
        return cls(sessions, None, f"none of the {sessions} sessions before it")


def _end_of_start(text: str, session: pd.Timestamp) -> pd.Timestamp:
    """Last day of what a record is counted from: the day, month or year named, or the year before."""
    if text == "this year":
        return pd.Timestamp(session.year - 1, 12, 31)
    found = _SINCE.fullmatch(text)
    assert found is not None
    if not found["last"]:
        return _last_day(text, found["year"], found["month"], found["day"])
    month, _, day = found["last"].partition("-")
    years = (str(session.year - back) for back in range(5))  # 29 February may be four years back
    for year in years:
        try:
            end = _last_day(text, year, month, day)
        except ClaimError:
            continue
        if end < session:
            return end
    raise ClaimError(f"period={text!r} names a date that does not exist.")


def _last_day(text: str, year: str, month: str | None, day: str | None) -> pd.Timestamp:
    try:
        first = pd.Timestamp(int(year), int(month or 12), int(day or 1))
    except ValueError:
        raise ClaimError(f"period={text!r} names a date that does not exist.") from None
    return first if day else first + pd.offsets.MonthEnd(0)
