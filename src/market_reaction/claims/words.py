"""Figures, thresholds and records of claims in words."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pandas as pd

from market_reaction import wording

if TYPE_CHECKING:
    from market_reaction.claims.claim import Figure
    from market_reaction.claims.rules import Range

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
