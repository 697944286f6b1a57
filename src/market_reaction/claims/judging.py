"""Verdict on one claim for one session: direction, figure, record, standing still."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
import pandas as pd

from market_reaction import wording
from market_reaction.claims import words
from market_reaction.claims.claim import FIGURES, RECORDS, Claim, Figure, Period
from market_reaction.claims.moves import FigureMove, NotMeasured, measured_move, window_moves
from market_reaction.claims.rules import Range, figure_range
from market_reaction.inference.equivalence import NoReaction, no_reaction

if TYPE_CHECKING:
    from market_reaction.prices import PriceSeries
    from market_reaction.reaction_result import Measured

Truth = Literal["true", "false", "not decidable"]
LEVEL = 0.95  # of each one-sided equivalence test
CLOSE_CALL = 0.02  # share of the figure within which a verdict is called close


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
    if claim.kind in FIGURES:
        return _figure(claim, measured)
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
    either_way = claim.kind == "level" or not claim.direction
    allowed = figure_range(claim.kind, stated, "" if either_way else claim.direction)
    value = abs(measured.value) if either_way else measured.value
    holds, gap = allowed.holds(value), allowed.gap(value)
    text = words.allowed(allowed, measured.unit, stated)
    near = " (a close call)" if gap < CLOSE_CALL * stated.value * stated.scale and claim.kind != "exactly" else ""
    far = f"{'inside' if holds else 'outside'} by {words.gap(gap, measured.unit)}{near}"
    reason = f"{measured.text}; '{claim.quoted}' holds {text}: {far}."
    if claim.kind == "level":
        reason = f"{measured.text}, which {'rounds' if holds else 'does not round'} to {claim.figure}."
    return Finding("true" if holds else "false", reason, measured.value, measured.unit, allowed, text)


def _record(case: Case, measured: FigureMove) -> Finding:
    """Judge a rank among the sessions before: of moves, or of closes."""
    claim, sessions, at = case.claim, case.series.sessions, case.at
    of_closes = claim.kind in ("highest since", "lowest since")
    upward = claim.kind in ("best since", "highest since")
    values = case.sign * (case.series.closes if of_closes else window_moves(case.series, claim.window))
    facing = values if upward else -values
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
            f"{measured.text}. No margin was fixed beforehand, so there is no verdict; the smallest margin that this "
            f"day can exclude at 5%, its own noise included, is {least}."
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
