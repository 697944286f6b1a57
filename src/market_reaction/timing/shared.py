"""Small pieces of text that the tables of this package share."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pandas as pd

from market_reaction import wording

if TYPE_CHECKING:
    from market_reaction.timing.gap_result import GapPart


LOWEST_OVERLAP = 0.02  # share of the follower's hours below which a lag counts as without hours in common


def span(start: pd.Timestamp, end: pd.Timestamp) -> str:
    """Two instants in UTC, the day of the second only where it is another."""
    second = f"{end:%H:%M}" if start.date() == end.date() else f"{end:%Y-%m-%d %H:%M}"
    return f"{start:%Y-%m-%d %H:%M} – {second}"


def share_note(piece: GapPart, whole_day: bool) -> str:
    """Share of a part's hours before the news, where the news fell into it, or the most it can be."""
    if piece.news != "holds it" or not math.isfinite(piece.share_before):
        return ""
    return f", {'at most ' if whole_day else ''}{wording.share(piece.share_before)} of its time came before"


def source_line(vintage: pd.DataFrame) -> str:
    """Sources of the series in a few words, for the subtitle of a chart."""
    names = ", ".join(dict.fromkeys(vintage["source"]))
    return f"Source: {names}; series end {wording.day(vintage['last'].min())} or later."
