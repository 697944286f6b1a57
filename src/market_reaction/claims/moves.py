"""The move a claim is about, in the sense of what the sentence names: to the close, high or low, or over a window."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from market_reaction import wording
from market_reaction.claims.claim import DAY_ZERO, FIGURES, LEVELS, Claim, Figure
from market_reaction.prices import PriceSeries, differences


class FigureMove(NamedTuple):
    """A move or level that was measured.

    Attributes
    ----------
    value : float
        In the sense of what the sentence names: positive where that rose.
    unit : str
        ``"return"``, ``"percentage points"``, ``"points"`` or ``"level"``.
    text : str
        The same in words, of the quote.
    """

    value: float
    unit: str
    text: str


class NotMeasured(NamedTuple):
    """Why there is no such move."""

    reason: str


def window_moves(series: PriceSeries, window: tuple[int, int] = DAY_ZERO) -> np.ndarray:
    """Change over a window by its day 0: simple return, or difference for yields and volatility.

    Parameters
    ----------
    series : PriceSeries
        Closes by session.
    window : tuple of int
        Sessions from day 0, inclusive.

    Returns
    -------
    numpy.ndarray
        Shape (T,); NaN where the window reaches beyond the series.
    """
    if window == DAY_ZERO:
        return series.returns("simple")
    closes, (first, last) = series.closes, window
    changes = np.full(len(closes), np.nan)
    rows = np.arange(max(1 - first, 0), len(closes) - last)
    before, after = closes[rows + first - 1], closes[rows + last]
    changes[rows] = differences(before, after) if series.instrument.is_difference else _ratio(before, after)
    return changes


def _ratio(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Simple return, NaN where a level is not above zero."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where((before > 0) & (after > 0), after / before - 1.0, np.nan)


def measured_move(claim: Claim, series: PriceSeries, at: int, sign: int) -> FigureMove | NotMeasured:
    """Measure the move that a claim is about.

    Parameters
    ----------
    claim : Claim
        Kind, figure, window and where the move ends.
    series : PriceSeries
        The market.
    at : int
        Row of day 0.
    sign : int
        -1 where the quote falls when what the sentence names rises.
    """
    if claim.measure == "intraday":
        return NotMeasured(
            f"'{claim.quoted}' speaks of a moment within the day, which daily closes cannot decide."
            f"{_day_range(series, at)} Minute bars could."
        )
    first, last = at + claim.window[0] - 1, at + claim.window[1]
    if last >= len(series.sessions):
        return NotMeasured(f"the window [{claim.window[0]},{claim.window[1]}] reaches beyond the series.")
    before, after = float(series.closes[first]), _end(claim, series, last, sign)
    where = "" if claim.measure == "close" else f" at the day's {_column(claim, sign)}"
    if not math.isfinite(after):
        return NotMeasured(f"{series.name} has no day's high and low in this source, and closes cannot decide it.")
    if claim.kind in LEVELS:
        return FigureMove(after, "level", f"{series.name} was at {wording.level(after, series.instrument)}{where}")
    unit = Figure.of(claim.figure).unit if claim.kind in FIGURES else ""
    change = _change(unit, series, before, after)
    if isinstance(change, NotMeasured):
        return change
    value, in_unit = change
    if not math.isfinite(value):
        return NotMeasured(f"{series.name} has no return on this session.")
    return FigureMove(sign * value, in_unit, _text(claim, series, value, in_unit, sign))


def _end(claim: Claim, series: PriceSeries, last: int, sign: int) -> float:
    """Level at which the move ends; what is named is highest where the quote of the other sign is lowest."""
    if claim.measure == "close":
        return float(series.closes[last])
    column = _column(claim, sign)
    return float(series.bars[column].iloc[last]) if column in series.bars else math.nan


def _column(claim: Claim, sign: int) -> str:
    """Column of the bars with the high or low of what is named."""
    return claim.measure if sign > 0 else {"high": "low", "low": "high"}[claim.measure]


def _change(unit: str, series: PriceSeries, before: float, after: float) -> tuple[float, str] | NotMeasured:
    """Change in the unit of the claim, or of the market where the claim has no figure."""
    own = series.instrument.change_unit
    ratio = after / before - 1.0 if before > 0 and after > 0 else math.nan
    if unit == "%" and own == "percentage points":
        return NotMeasured("a per cent change of a yield may mean several things; state it in basis points.")
    if unit in ("bp", "percentage points") and own != "percentage points":
        return NotMeasured(f"{unit} are a unit of yields; {series.name} moves in per cent or points.")
    if unit == "points" and own == "percentage points":
        return NotMeasured("points are no unit of a yield; state it in basis points.")
    if unit == "%" or (not unit and own == "return"):
        return ratio, "return"
    change = float(differences(np.array(before), np.array(after)))
    return change, "points" if unit == "points" else own


def _text(claim: Claim, series: PriceSeries, value: float, unit: str, sign: int) -> str:
    where = "" if claim.measure == "close" else f" at the day's {_column(claim, sign)}"
    over = "" if claim.window == DAY_ZERO else f" over sessions [{claim.window[0]},{claim.window[1]}]"
    said = f"{series.name} {wording.moved(value, unit)}{where}{over}"
    if sign > 0 or value == 0:
        return said
    note = wording.direction_note(series.instrument) or f"up = {claim.market} down"
    return f"{said} ({note}), which is {wording.amount(-value, unit)} for the {claim.market}"


def _day_range(series: PriceSeries, at: int) -> str:
    """Day's low and high against the close before, where the source has them."""
    if series.instrument.is_difference or not {"high", "low"} <= set(series.bars.columns):
        return ""
    before = series.closes[at - 1]
    low, high = (float(series.bars[column].iloc[at]) / before - 1.0 for column in ("low", "high"))
    if not (math.isfinite(low) and math.isfinite(high)):
        return ""
    return f" That day's low was {wording.per_cent(low)} and its high {wording.per_cent(high)} from the close before."
