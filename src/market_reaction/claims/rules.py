"""Rules in numbers: which moves make "almost 1%" true. Pure functions, in the sense of what the sentence names."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from market_reaction.claims.claim import Direction, Figure, Kind

ALMOST, ABOUT = 0.05, 0.10  # shares of the figure
CLOSE_FIGURE, CLOSE_DAY = 0.02, 0.10  # a close call: shares of the figure, and of a usual day
_SLACK = 1e-12  # decimals that a computed ratio may be off


@dataclass(frozen=True, slots=True)
class Range:
    """Moves that make a claim true.

    Attributes
    ----------
    low, high : float
        Bounds in the unit of the moves; infinite where there is none.
    low_open, high_open : bool
        Whether a move equal to the bound is outside.
    """

    low: float
    high: float
    low_open: bool = False
    high_open: bool = False

    def holds(self, move: float) -> bool:
        """Whether a move lies in the range."""
        above = move > self.low + _SLACK if self.low_open else move >= self.low - _SLACK
        below = move < self.high - _SLACK if self.high_open else move <= self.high + _SLACK
        return above and below

    def gap(self, move: float) -> float:
        """Distance from a move to the nearest bound: how far inside it is, or how far outside."""
        return min(abs(move - bound) for bound in (self.low, self.high) if math.isfinite(bound))

    def mirrored(self) -> Range:
        """The same range for moves the other way."""
        return Range(-self.high, -self.low, self.high_open, self.low_open)


def figure_range(kind: Kind, figure: Figure, direction: Direction) -> Range:
    """Moves that agree with a figure.

    Parameters
    ----------
    kind : str
        ``"exactly"``, ``"almost"``, ``"about"``, ``"more than"``, ``"at least"``, ``"less than"``, ``"at most"``,
        ``"level"``, ``"above"`` or ``"below"``.
    figure : Figure
        The figure x with the digits given.
    direction : {"up", "down", ""}
        ``"down"`` mirrors the range; without a direction the size of the move is to be compared.

    Returns
    -------
    Range
        In decimals for per cent, in percentage points for basis points, else in the unit of the figure.

    Notes
    -----
    With s one unit of the last digit given: a plain figure holds moves that round to it, x - s/2 <= move <= x + s/2.
    "Almost x" holds moves below x that fall short of it by at most s/4 or 5% of x, whichever is larger: with whole per
    cents, that is nearer to x than to the half below it, so 0.75% is almost 1% and 0.74% is not. "About x" holds moves
    that round to x or are within 10% of it. "More than" and "less than" are strict, "at least" and "at most" are not.
    """
    x, step = figure.value, figure.step
    short, around = max(step / 4, ALMOST * x), max(step / 2, ABOUT * x)
    ranges = {
        "exactly": Range(x - step / 2, x + step / 2),
        "level": Range(x - step / 2, x + step / 2),
        "above": Range(x, math.inf, low_open=True),
        "below": Range(-math.inf, x, high_open=True),
        "almost": Range(x - short, x, high_open=True),
        "about": Range(x - around, x + around),
        "more than": Range(x, math.inf, low_open=True),
        "at least": Range(x, math.inf),
        "less than": Range(0.0, x, low_open=bool(direction), high_open=True),
        "at most": Range(0.0, x, low_open=bool(direction)),
    }
    found, scale = ranges[kind], figure.scale
    scaled = Range(found.low * scale, found.high * scale, found.low_open, found.high_open)
    return scaled.mirrored() if direction == "down" else scaled


def is_close_call(kind: Kind, gap: float, figure: float, usual_day: float) -> bool:
    """Whether a verdict lies so near to its bound that another reader might draw it the other way.

    Parameters
    ----------
    kind : str
        Kind of the claim.
    gap, figure, usual_day : float
        Distance to the bound, size of the figure and of a usual day, in one unit.

    Notes
    -----
    A figure: nearer than 2% of it. A level above or below which a close lies, or a word of size, whose bound is the
    usual day: nearer than a tenth of a usual day. Plain figures and plain levels round, and are never called close.
    """
    if kind in ("above", "below", "surged", "plunged"):
        return gap < CLOSE_DAY * usual_day
    return kind in _CLOSE_FIGURES and gap < CLOSE_FIGURE * figure


def stated_rules(kinds: Iterable[Kind]) -> list[str]:
    """Rules of the kinds given, each once, and that of close calls where one of them can be close."""
    each = list(dict.fromkeys(kinds))
    close = [CLOSE_RULE] if any(is_close_call(kind, 0.0, 1.0, 1.0) for kind in each) else []
    return [*dict.fromkeys(RULES[kind] for kind in each), *close]


_CLOSE_FIGURES = ("almost", "about", "more than", "at least", "less than", "at most")
CLOSE_RULE = (
    "close call: nearer to its bound than 2% of the figure; for above, below and words of size, nearer than a tenth "
    "of a usual day; plain figures and levels round, and are never called close"
)
_SIZE = (
    "by at least one usual day (EWMA volatility known the session before; over a window times the root of its "
    "sessions); by less is not decidable, the other way is false; with a figure, the figure is judged"
)
RULES = {
    "exactly": "a plain figure holds moves that round to it",
    "level": "a level holds closes that round to it",
    "almost": "almost x: below x, and short of it by at most a quarter of its last digit or 5% of x",
    "about": "about x: moves that round to x or are within 10% of it",
    "more than": "more than x: above x, unrounded",
    "at least": "at least x: x or more, unrounded",
    "less than": "less than x: below x in the direction named, unrounded",
    "at most": "at most x: x or less in the direction named, unrounded",
    "rose": "rose: the close lies above the one before",
    "fell": "fell: the close lies below the one before",
    "surged": f"surged, jumped, rallied and other words of size without a figure: up {_SIZE}",
    "plunged": f"plunged, crashed, slumped and other words of size without a figure: down {_SIZE}",
    "above": "above a level: the close of the quote lies above it, unrounded (a yuan weaker than 7.30: USD/CNY above)",
    "below": "below a level: the close of the quote lies below it, unrounded",
    "stable": (
        "stable: two one-sided 5% tests must exclude a reaction of the margin fixed beforehand; a move beyond the "
        "margin is false"
    ),
    "best since": "best day: a gain, and none as large in the period; a week is 5 sessions, a month 21, a year 250",
    "worst since": "worst day: a fall, and none as large in the period; a week is 5 sessions, a month 21, a year 250",
    "highest since": "highest close: no close as high in the period",
    "lowest since": "lowest close: no close as low in the period",
}
