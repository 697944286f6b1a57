"""A claim and the measured reaction of its market give a verdict: true, false or not decidable, with the reason."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pandas as pd

from market_reaction import wording
from market_reaction.claims import words
from market_reaction.claims.claim import Claim
from market_reaction.claims.judging import Case, Finding, Truth, finding
from market_reaction.claims.patterns import WEEKDAYS

if TYPE_CHECKING:
    from market_reaction.claims.markets import Named
    from market_reaction.reaction_result import MarketReaction, ReactionResult


@dataclass(frozen=True, slots=True)
class Verdict:
    """Verdict on one claim.

    Attributes
    ----------
    claim : Claim
        What was claimed.
    finding : Finding
        Verdict, figure, threshold and reason.
    instrument : str
        Name of the market that the claim names.
    row : MarketReaction or None
        Measured reaction of the market, or of the one standing in for it; None where there is no series.
    stands_in : bool
        Whether another market was judged in place of the one named.
    sign : int
        -1 where the quote falls when what the sentence names rises.
    """

    claim: Claim
    finding: Finding
    instrument: str
    row: MarketReaction | None = None
    stands_in: bool = False
    sign: int = 1

    @property
    def truth(self) -> Truth:
        """True, false or not decidable, as a word."""
        return self.finding.truth

    @property
    def label(self) -> str:
        """The verdict as it is shown, with the mark of a close call."""
        return words.label(self.truth, self.finding.close_call)

    @property
    def market(self) -> str:
        """Name of the series judged, or of the market asked for where there is none."""
        return self.row.market if self.row is not None else self.instrument


def judge(
    claim: Claim,
    named: Named,
    reaction: ReactionResult,
    row: MarketReaction,
    margin: float | None = None,
    day: pd.Timestamp | None = None,
) -> Verdict:
    """Judge a claim on the measured reaction of its market.

    Parameters
    ----------
    claim : Claim
        What is claimed.
    named : Named
        Instrument and sign of the quote.
    reaction : ReactionResult
        All markets measured at the same announcement.
    row : MarketReaction
        The one of the claim, or its stand-in.
    margin : float, optional
        Largest move that counts as none, fixed beforehand, in the unit of the market.
    day : pandas.Timestamp, optional
        Date that day 0 was given as, which must be a session of the market.

    Returns
    -------
    Verdict
        Where several sessions are possible, theirs if they agree, else not decidable with every figure.
    """
    df = float(reaction.study.pairs[str(reaction.event.name), row.market].fit.df_resid)
    findings = [
        finding(Case(claim, named.sign, row.series, found, df, margin), _wrong_day(claim, row, found.session, day))
        for found in row.candidates
    ]
    head = findings[row.candidates.index(row.headline)]
    if row.ambiguous:
        head = _over_candidates(head, findings, row)
    stands_in = row.series.instrument.name != named.instrument.name
    if stands_in:
        head = replace(head, reason=f"{row.market} stands in for {named.instrument.name}. {head.reason}")
    return Verdict(claim, head, named.instrument.name, row, stands_in, named.sign)


def unavailable(claim: Claim, instrument: str, reason: str) -> Verdict:
    """Verdict on a claim whose market has no series: not decidable, with the reason."""
    return Verdict(claim, Finding("not decidable", f"{instrument} is not available: {reason}"), instrument)


def _over_candidates(head: Finding, findings: list[Finding], row: MarketReaction) -> Finding:
    """Verdict where several sessions are possible."""
    each = "; ".join(
        f"{wording.day(found.session)} {words.figure(one.figure, one.unit)} {one.truth}"
        for found, one in zip(row.candidates, findings, strict=True)
    )
    missing = len(row.where.candidates) - len(row.candidates)
    if {one.truth for one in findings} == {head.truth} and not missing:
        return replace(head, reason=f"{head.reason} The session is ambiguous; every possible one agrees ({each}).")
    beyond = f"; {missing} more lie beyond the data" if missing else ""
    reason = f"The session is ambiguous, and the possible ones do not agree: {each}{beyond}."
    return replace(head, truth="not decidable", reason=reason, close_call=False)


def _wrong_day(claim: Claim, row: MarketReaction, session: pd.Timestamp, day: pd.Timestamp | None) -> str:
    """Why the session is not the day that the question or the sentence names; empty where it is."""
    if day is not None and session != day:
        return f"{row.market} has no session on {wording.day(day)}; the next is {wording.day(session)}."
    actual = WEEKDAYS[session.day_of_week] if claim.on in WEEKDAYS else f"{session.day} {session:%B}"
    if not claim.on or actual == claim.on:
        return ""
    return f"The sentence speaks of {claim.on}; the session is {wording.day(session)}, {actual}."
