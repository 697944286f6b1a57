"""Claims in words: figures, thresholds, records, and the answer: what is true and whether it matters."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pandas as pd

from market_reaction import wording
from market_reaction.claims.claim import DAY_ZERO

if TYPE_CHECKING:
    from market_reaction.claims.claim import Figure
    from market_reaction.claims.result import ClaimsResult
    from market_reaction.claims.rules import Range
    from market_reaction.reaction_result import MarketReaction

TRUTHS = ("true", "false", "not decidable")
NEAR = " (a close call)"
_AS = {"best since": "large", "worst since": "large", "highest since": "high", "lowest since": "low"}
_NOUNS = {
    "best since": "gain", "worst since": "fall", "highest since": "close", "lowest since": "close",
}  # fmt: skip


def figure(value: float, unit: str) -> str:
    """Move or level with its unit."""
    if not math.isfinite(value):
        return wording.NOT_AVAILABLE
    return f"{value:,.6g}" if unit == "level" else wording.amount(value, unit)


def _number(value: float, unit: str, digits: int) -> str:
    """Bound with as many digits as it needs, and with its unit."""
    if unit == "return":
        return wording.per_cent(value, digits)
    if unit == "percentage points":
        return f"{wording.signed(100 * value, digits)} bp"
    return f"{value:,.{digits}f}" if unit == "level" else f"{wording.signed(value, digits)} points"


def allowed(found: Range, unit: str, stated: Figure) -> str:
    """Range in words: ``from +0.75% to below +1.00%``."""
    digits = stated.decimals + 2 if unit != "level" else stated.decimals + 1
    low, high = (_number(bound, unit, digits) for bound in (found.low, found.high))
    if math.isinf(found.high):
        return f"{'more than' if found.low_open else 'at least'} {low}"
    if math.isinf(found.low):
        return f"{'less than' if found.high_open else 'at most'} {high}"
    return f"{'above' if found.low_open else 'from'} {low} to {'below ' if found.high_open else ''}{high}"


def gap(value: float, unit: str) -> str:
    """Distance to a bound, to two significant digits."""
    scale, name = {
        "return": (100.0, "percentage points"), "percentage points": (100.0, "bp"), "points": (1.0, "points"),
    }.get(unit, (1.0, ""))  # fmt: skip
    return f"{scale * value:.2g} {name}".strip()


def record(kind: str, since: pd.Timestamp | None, back: int, known: int, first: pd.Timestamp | None) -> str:
    """Rank in words: ``best since 2025-05-14, 19 sessions``."""
    rank = kind.removesuffix(" since")
    if since is None:
        return f"{rank} of the {known:,} sessions at hand, since {wording.day(first)}"
    noun = _NOUNS[kind]
    if back == 1:
        return f"no record, for the session before, {wording.day(since)}, had a {noun} at least as {_AS[kind]}"
    return f"{rank} since {wording.day(since)}, {back:,} sessions"


def answer(result: ClaimsResult) -> str:
    """Say what is true and what is not, then whether the moves were more than ordinary days.

    Parameters
    ----------
    result : ClaimsResult
        As ``check_claims`` gives it.
    """
    parts = [_counts(result), *_exceptions(result), *_close_calls(result), *_matters(result)]
    return wording.clean(" ".join(parts))


def label(truth: str, close_call: bool) -> str:
    """Verdict with the mark of a close call."""
    return f"{truth} (close call)" if close_call else truth


def counted(truths: list[str], lost: int = 0) -> str:
    """How many claims are true, false and not decidable, and how many parts of the text were not checked."""
    if lost:
        known = [f"{truths.count(truth)} {truth}" for truth in TRUTHS if truth in truths]
        return ", ".join([*(known or ["No claim read"]), f"{lost} part{'s' if lost > 1 else ''} not checked"])
    if len(truths) == 1:
        return f"The claim is {truths[0]}"
    if len(set(truths)) == 1:
        return f"{'Both' if len(truths) == 2 else f'All {len(truths)}'} claims are {truths[0]}"
    counts = [(truths.count(truth), truth) for truth in TRUTHS if truth in truths]
    each = [f"{count} {'is' if count == 1 else 'are'} {truth}" for count, truth in counts]
    return f"Of {len(truths)} claims, {wording.listed(each)}"


def _counts(result: ClaimsResult) -> str:
    truths = [str(verdict.truth) for verdict in result]
    lost = [f"'{item.part}'" for item in result.not_understood]
    if not truths and not lost:
        return "No claim was read from the text."
    why = result.verdicts[0].finding.reason if len(truths) == 1 else ""
    if lost:
        return f"{counted(truths, len(lost))}: {wording.listed(lost)}. {why}".strip()
    return f"{counted(truths)}{f': {why}' if why else '.'}"


def _exceptions(result: ClaimsResult) -> list[str]:
    """What is false, and what cannot be decided, where there are several claims."""
    if len({verdict.truth for verdict in result}) < 2:
        return []
    said = []
    for truth in TRUTHS[1:]:
        which = [f"'{verdict.claim.quoted}' ({verdict.claim.market})" for verdict in result if verdict.truth == truth]
        said += [f"{truth.capitalize()}: {wording.listed(which)}."] if which else []
    return said


def _close_calls(result: ClaimsResult) -> list[str]:
    """Close calls by name, where there are several claims; the reason of a single one says it."""
    close = [f"'{verdict.claim.quoted}' ({verdict.claim.market})" for verdict in result if verdict.finding.close_call]
    return [f"Close call{'s' if len(close) > 1 else ''}: {wording.listed(close)}."] if close and len(result) > 1 else []


def tested(result: ClaimsResult) -> list[MarketReaction]:
    """Markets with a placebo p on the day that was meant."""
    meant = {id(verdict.row) for verdict in result if not verdict.finding.other_day}
    return [row for row in result.rows if id(row) in meant and math.isfinite(row.headline.placebo.scaled.p_value)]


def _joint(result: ClaimsResult) -> str:
    """Joint p over the markets of one day; empty where there is none, or several days."""
    only = result.reactions[0] if len(result.reactions) == 1 else None
    rank = None if only is None else wording.joint_rank(only.placebo, only.event.name)
    return "" if rank is None else f" (joint p over {len(result.rows)} markets {wording.p_value(rank.p_value)})"


def _matters(result: ClaimsResult) -> list[str]:
    """Whether the moves behind the claims differ from those of ordinary days."""
    found = tested(result)
    if not found:
        return []
    asks = f"Does it matter?{_of_day_zero(result)}"
    unusual = [row for row in found if wording.is_unusual(row.headline)]
    if unusual:
        named = wording.listed([f"{row.market} {_move_and_p(row)}" for row in unusual])
        others = len(found) - len(unusual)
        rest = f"; the {'other market is' if others == 1 else f'{others} other markets are'} not" if others else ""
        return [
            f"{asks} {named} moved unusually for {'its' if len(unusual) == 1 else 'their'} time{rest}{_joint(result)}."
        ]
    if len(found) > 1:
        each = ", ".join(f"{row.market} {_move_and_p(row)}" for row in found)
        return [f"{asks} None of these moves is distinguishable from an ordinary day{_joint(result)}: {each}."]
    row = found[0]
    rank = wording.rank(row.headline.record, row.headline.rank_chance)
    known = f"; {rank}" if rank not in ("none", "unchanged", wording.NOT_AVAILABLE) else ""
    return [
        f"{asks} {row.market} {_move_and_p(row)}{known}: not distinguishable from an ordinary day."
    ]  # fmt: skip


def _of_day_zero(result: ClaimsResult) -> str:
    """Say that the figures are those of day 0, where a claim is about more sessions."""
    windows = {verdict.claim.window for verdict in result if verdict.row is not None} - {DAY_ZERO}
    if not windows:
        return ""
    named = wording.listed([f"[{first},{last}]" for first, last in sorted(windows)])
    return f" Day 0 alone, not the claim's window {named}:"


def _move_and_p(row: MarketReaction) -> str:
    found = row.headline
    p = wording.p_value(found.placebo.scaled.p_value)
    return f"{wording.amount(found.change, row.series.instrument.change_unit)} (placebo p {p})"
