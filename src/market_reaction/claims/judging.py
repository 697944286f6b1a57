"""Verdict on one claim for one session: direction, figure, record, standing still."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
import pandas as pd

from market_reaction import wording
from market_reaction.claims import words
from market_reaction.claims.claim import FIGURES, LEVELS, RECORDS, SIZES, Claim, Figure, Period
from market_reaction.claims.moves import FigureMove, NotMeasured, measured_move, window_moves
from market_reaction.claims.rules import Range, figure_range, is_close_call
from market_reaction.inference.arrays import comparable
from market_reaction.inference.equivalence import NoReaction, no_reaction

if TYPE_CHECKING:
    from market_reaction.prices import PriceSeries
    from market_reaction.reaction_result import Measured

Truth = Literal["true", "false", "not decidable"]
LEVEL = 0.95  # of each one-sided equivalence test


class Case(NamedTuple):
    """One claim on one possible session of one market.

    Attributes
    ----------
    claim : Claim
        What is claimed.
    sign : int
        -1 where the quote falls when what the sentence names rises.
    series : PriceSeries
        The market.
    found : Measured
        Its reaction on the session.
    df : float
        Degrees of freedom of the reaction's standard error.
    margin : float or None
        Largest move that counts as none, fixed beforehand.
    """

    claim: Claim
    sign: int
    series: PriceSeries
    found: Measured
    df: float
    margin: float | None

    @property
    def at(self) -> int:
        """Row of day 0."""
        return int(self.series.sessions.searchsorted(self.found.session))

    @property
    def usual_day(self) -> float:
        """EWMA volatility known the session before, times the root of the sessions of the claim's window."""
        first, last = self.claim.window
        return self.found.usual_day * math.sqrt(last - first + 1)


@dataclass(frozen=True, slots=True)
class Finding:
    """Verdict on one claim for one session.

    Attributes
    ----------
    truth : {"true", "false", "not decidable"}
        The verdict.
    reason : str
        Why, with figure and threshold.
    figure : float
        Move or level measured, in the sense of what the sentence names; NaN where there is none.
    unit : str
        ``"return"``, ``"percentage points"``, ``"points"`` or ``"level"``.
    threshold : Range or None
        Values that make the claim true; None where none is stated or could be had.
    rule : str
        The same in words.
    record_since : pandas.Timestamp or None
        Last session at least as large (or as high, as low) before day 0, for records.
    record_sessions : int
        Sessions from that one to day 0; 0 where there is none.
    equivalence : NoReaction or None
        Equivalence test, for ``"stable"``.
    other_day : bool
        Whether the session is not the day that was meant.
    close_call : bool
        Whether the move lies so near to its bound that the verdict is called close (``rules.is_close_call``).
    """

    truth: Truth
    reason: str
    figure: float = math.nan
    unit: str = "return"
    threshold: Range | None = None
    rule: str = ""
    record_since: pd.Timestamp | None = None
    record_sessions: int = 0
    equivalence: NoReaction | None = None
    other_day: bool = False
    close_call: bool = False


def finding(case: Case, wrong_day: str = "") -> Finding:
    """Judge a claim on one session.

    Parameters
    ----------
    case : Case
        Claim, market, session.
    wrong_day : str
        Why the session is not the day meant; the claim is then not decidable, and the figure is given all the same.
    """
    claim = case.claim
    measured = measured_move(claim, case.series, case.at, case.sign)
    if isinstance(measured, NotMeasured):
        return Finding("not decidable", _sentence(measured.reason), unit=case.series.instrument.change_unit)
    if wrong_day:
        reason = f"{wrong_day} There: {measured.text}."
        return Finding("not decidable", reason, measured.value, measured.unit, other_day=True)
    if claim.kind == "stable":
        return _stable(case, measured)
    if claim.kind in RECORDS:
        return _record(case, measured)
    if claim.kind in ("above", "below"):
        return _side(case, measured)
    if claim.kind in FIGURES:
        return _figure(claim, measured)
    if claim.kind in SIZES:
        return _size(case, measured)
    up = claim.kind == "rose"
    wanted = Range(0.0, math.inf, low_open=True) if up else Range(-math.inf, 0.0, high_open=True)
    truth: Truth = "true" if wanted.holds(measured.value) else "false"
    rule = "above 0" if up else "below 0"
    return Finding(truth, f"{measured.text}.", measured.value, measured.unit, wanted, rule)


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:]


def _figure(claim: Claim, measured: FigureMove) -> Finding:
    """Judge a figure against the range its wording allows."""
    stated = Figure.of(claim.figure)
    either_way = claim.kind in LEVELS or not claim.direction
    allowed = figure_range(claim.kind, stated, "" if either_way else claim.direction)
    value = abs(measured.value) if either_way else measured.value
    holds, gap = allowed.holds(value), allowed.gap(value)
    text = words.allowed(allowed, measured.unit, stated)
    close = is_close_call(claim.kind, gap, stated.value * stated.scale, math.nan)
    far = f"{'inside' if holds else 'outside'} by {words.gap(gap, measured.unit)}{words.NEAR if close else ''}"
    reason = f"{measured.text}; '{claim.quoted}' holds {text}: {far}."
    if claim.kind == "level":
        reason = f"{measured.text}, which {'rounds' if holds else 'does not round'} to {claim.figure}."
    truth: Truth = "true" if holds else "false"
    return Finding(truth, reason, measured.value, measured.unit, allowed, text, close_call=close)


def _side(case: Case, measured: FigureMove) -> Finding:
    """Judge a level that the close is said to lie above or below."""
    claim, before = case.claim, case.found.previous_close
    allowed = figure_range(claim.kind, Figure.of(claim.figure), "")
    holds, gap = allowed.holds(measured.value), allowed.gap(measured.value)
    usual = case.found.usual_day * (1.0 if case.series.instrument.is_difference else abs(before))
    close = is_close_call(claim.kind, gap, math.nan, usual)
    rule = f"{claim.kind} {claim.figure}"
    prior = wording.level(before, case.series.instrument)
    was = f"the close before was {prior}"
    if holds:
        was = f"the close before, {prior}, was {'too' if allowed.holds(before) else 'not'}"
    near = words.NEAR if close else ""
    reason = f"{measured.text}, which is {'' if holds else 'not '}{rule}{near}; {was}."
    truth: Truth = "true" if holds else "false"
    return Finding(truth, reason, measured.value, "level", allowed, rule, close_call=close)


def _size(case: Case, measured: FigureMove) -> Finding:
    """Judge a word of size without a figure: it needs the direction, and the move of a usual day."""
    claim, usual, unit = case.claim, case.usual_day, measured.unit
    up = claim.kind == "surged"
    moved = measured.value if up else -measured.value
    if not moved > 0:
        reason = f"{measured.text}: no {'rise' if up else 'fall'}."
        return Finding("false", reason, measured.value, unit, rule="above 0" if up else "below 0")
    if not usual > 0:
        reason = (
            f"{measured.text}; a usual day is not known, so the size that '{claim.quoted}' speaks of has no verdict."
        )
        return Finding("not decidable", reason, measured.value, unit)
    limits = Range(usual, math.inf)
    holds, close = limits.holds(moved), is_close_call(claim.kind, limits.gap(moved), math.nan, usual)
    day = f"a usual day{'' if case.usual_day == case.found.usual_day else ' times the root of the sessions'}"
    rule = f"{'up' if up else 'down'} by at least {day}, {wording.size(usual, unit)}"
    gives = "" if holds else f"; '{claim.quoted}' gives no figure, and counts as true from one usual day on"
    near = words.NEAR if close else ""
    reason = (
        f"{measured.text}, {'at least' if holds else 'less than'} {day} of {wording.size(usual, unit)}{near}{gives}."
    )
    truth: Truth = "true" if holds else "not decidable"
    threshold = limits if up else limits.mirrored()
    return Finding(truth, reason, measured.value, unit, threshold, rule, close_call=close)


def _record(case: Case, measured: FigureMove) -> Finding:
    """Judge a rank among the sessions before: of moves, or of closes."""
    claim, sessions, at = case.claim, case.series.sessions, case.at
    of_closes = claim.kind in ("highest since", "lowest since")
    upward = claim.kind in ("best since", "highest since")
    values = case.sign * (case.series.closes if of_closes else window_moves(case.series, claim.window))
    facing = comparable(values if upward else -values)
    if not of_closes and not facing[at] > 0:
        return Finding("false", f"{measured.text}: no {'gain' if upward else 'fall'}.", measured.value, measured.unit)
    period = Period.of(claim.period, sessions[at])
    known = np.flatnonzero(np.isfinite(facing[: at - (claim.window[1] - claim.window[0])]))
    as_large = known[facing[known] >= facing[at]]
    since, back = (sessions[as_large[-1]], at - int(as_large[-1])) if len(as_large) else (None, 0)
    start = _start(period, sessions, at)
    inside = known[known >= start]
    best = float(facing[inside].max(initial=-np.inf))
    short = start < (known[0] if len(known) else at) or claim.period == "ever"
    truth: Truth = "false" if best >= facing[at] else "not decidable" if short else "true"
    rank = words.record(claim.kind, since, back, len(known), sessions[known[0]] if len(known) else None)
    rule = f"{period.rule} {'as high' if claim.kind == 'highest since' else 'as low' if of_closes else 'as large'}"
    missing = " What came before the series is not known." if truth == "not decidable" else ""
    reason = f"{measured.text}: {rank}; '{claim.quoted}' needs {rule}.{missing}"
    limit = None
    if not of_closes and math.isfinite(best):
        limit = Range(max(best, 0.0), math.inf, low_open=True)
    threshold = limit if limit is None or upward else limit.mirrored()
    return Finding(truth, reason, measured.value, measured.unit, threshold, rule, since, back)


def _start(period: Period, sessions: pd.DatetimeIndex, at: int) -> int:
    """First row that may hold nothing as large; below 0 where it lies before the series."""
    if period.sessions is not None:
        return at - period.sessions
    if period.after is None:
        return 0
    return -1 if period.after < sessions[0] else int(sessions.searchsorted(period.after, side="right"))


def _stable(case: Case, measured: FigureMove) -> Finding:
    """Judge "stable" by an equivalence test; the observed move against the margin is said beside it.

    That the observed move is small is a fact of the close. That nothing happened is a statement on the reaction, which
    the day's own noise may hide: only the test can show it.
    """
    claim, unit, margin = case.claim, measured.unit, case.margin
    if claim.measure != "close":
        return Finding("not decidable", f"{measured.text}; 'stable' is judged on closes.", measured.value, unit)
    window = next(item for item in case.found.windows if (item.start, item.end) == claim.window)
    test = no_reaction(window.car, window.std_error, case.df, margin, LEVEL)
    least = wording.size(test.smallest_margin, unit)
    if margin is None:
        reason = (
            f"{measured.text}. No margin was fixed beforehand for {case.series.name}, so there is no verdict; the "
            f"smallest margin that this day can exclude at 5%, its own noise included, is {least}."
        )
        return Finding("not decidable", reason, measured.value, unit, rule="no margin given", equivalence=test)
    bound = wording.size(margin, unit)
    allowed, rule = Range(-margin, margin), f"within {bound} either way"
    p = f"equivalence p {wording.p_value(test.p_value)}; smallest margin excluded {least}"
    truth: Truth
    if not allowed.holds(measured.value):
        truth, said = "false", f"beyond the margin of {bound}"
    elif test.verdict == "no reaction larger than the margin":
        truth, said = "true", f"observed within the margin of {bound}, and a larger reaction is excluded"
    else:
        truth = "not decidable"
        said = f"observed within the margin of {bound}, but a larger reaction hidden by the day's noise is not excluded"
    return Finding(truth, f"{measured.text}: {said} ({p}).", measured.value, unit, allowed, rule, equivalence=test)
