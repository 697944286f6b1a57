"""Claims as frames and as JSON: unrounded decimals."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from market_reaction.claims.result import ClaimsResult
    from market_reaction.claims.verdicts import Verdict
    from market_reaction.reaction_result import MarketReaction


COLUMNS = (
    "sentence", "words", "named", "market", "stands_in", "kind", "claimed", "verdict", "close_call", "figure", "unit",
    "threshold_low", "threshold_high", "rule", "reason", "record_since", "record_sessions", "margin", "smallest_margin",
    "equivalence_p", "session", "ambiguous", "change", "source", "vintage", "placebo_p", "placebo_p_floor", "mde",
    "rank_chance", "rank_chance_any",
)  # fmt: skip


def claims_frame(result: ClaimsResult) -> pd.DataFrame:
    """One row a claim, unrounded.

    Parameters
    ----------
    result : ClaimsResult
        As ``check_claims`` gives it.
    """
    rows = [_frame_row(verdict) for verdict in result]
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    return frame.set_axis(pd.RangeIndex(1, len(rows) + 1, name="claim"))


def _frame_row(verdict: Verdict) -> dict[str, Any]:
    claim, found, row = verdict.claim, verdict.finding, verdict.row
    test, limits = found.equivalence, found.threshold
    return {
        "sentence": claim.said,
        "words": claim.quoted,
        "named": claim.market,
        "market": verdict.market,
        "stands_in": verdict.stands_in,
        "kind": claim.kind,
        "claimed": claim.words,
        "verdict": verdict.truth,
        "close_call": found.close_call,
        "figure": found.figure,
        "unit": found.unit,
        "threshold_low": math.nan if limits is None else limits.low,
        "threshold_high": math.nan if limits is None else limits.high,
        "rule": found.rule,
        "reason": found.reason,
        "record_since": found.record_since,
        "record_sessions": found.record_sessions,
        "margin": math.nan if test is None else test.margin,
        "smallest_margin": math.nan if test is None else test.smallest_margin,
        "equivalence_p": math.nan if test is None else test.p_value,
        **_measured(row),
    }


def _measured(row: MarketReaction | None) -> dict[str, Any]:
    """Session, source and inference of the market behind a claim."""
    if row is None:
        return {
            "session": pd.NaT, "ambiguous": False, "change": math.nan, "source": "", "vintage": "",
            "placebo_p": math.nan, "placebo_p_floor": math.nan, "mde": math.nan, "rank_chance": math.nan,
            "rank_chance_any": math.nan,
        }  # fmt: skip
    found, chance = row.headline, row.headline.rank_chance
    return {
        "session": found.session,
        "ambiguous": row.ambiguous,
        "change": found.change,
        "source": row.series.source,
        "vintage": str(row.series.vintage),
        "placebo_p": found.placebo.scaled.p_value,
        "placebo_p_floor": found.placebo.scaled.floor,
        "mde": found.placebo.mde,
        "rank_chance": math.nan if chance is None else chance.own,
        "rank_chance_any": math.nan if chance is None else chance.any_market,
    }


def result_tables(result: ClaimsResult) -> dict[str, pd.DataFrame]:
    """Tables of the result by name, the main one first."""
    lost = [(item.sentence, item.part, item.reason) for item in result.not_understood]
    found = {
        "Claims": result.to_frame(),
        "Not checked": pd.DataFrame(lost, columns=["sentence", "part", "reason"], dtype=str),
        "Not available": result.excluded,
    }
    for reaction in result.reactions:
        name = "Reactions" if len(result.reactions) == 1 else f"Reactions {reaction.event.name}"
        found[name] = reaction.to_frame()
    return found


def claims_dict(result: ClaimsResult) -> dict[str, Any]:
    """Plain dictionaries and lists: decimals in the unit named, ISO dates, None for what there is not.

    Parameters
    ----------
    result : ClaimsResult
        As ``check_claims`` gives it.
    """
    from market_reaction.exports import json_form
    from market_reaction.exports.plain import as_json

    frame = result.to_frame()
    dates = {name: frame[name].map(json_form.day) for name in ("session", "record_since") if len(result)}
    rows = frame.astype(object).assign(**dates).to_dict("records")
    claims = [{name: as_json(value) for name, value in row.items()} for row in rows]
    return {
        "schema_version": 1,
        "sentences": list(result.sentences),
        "answer": result.answer(),
        "claims": claims,
        "not_understood": [{"part": item.part, "reason": item.reason} for item in result.not_understood],
        "not_available": result.excluded.to_dict("records"),
        "notes": result.all_notes(),
        **result.provenance().to_dict(),
    }
