"""Records in words: "largest one-day gain since 2025-05-14", with the rate at which chance earns them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from market_reaction.inference.arrays import comparable
from market_reaction.inference.selection import days_at_least_as_large

YEAR = 250  # sessions among which a day chosen for its move is counted


@dataclass(frozen=True, slots=True)
class Record:
    """How far back one must go for a move at least as large in the same direction.

    Attributes
    ----------
    direction : str
        ``"gain"``, ``"fall"`` or ``"none"`` for no change.
    since : pandas.Timestamp or None
        Session of the last move at least as large; None when the series holds none.
    sessions : int
        Sessions from that one to day 0; when there is none, the number of sessions with a move up to day 0.
    chance : float
        Share of days that earn this rank by chance in this market and direction, 1 / sessions.
    text : str
        The record in words.
    """

    direction: str
    since: pd.Timestamp | None
    sessions: int
    chance: float
    text: str


@dataclass(frozen=True, slots=True)
class RankChance:
    """How often chance earns a rank in words.

    Attributes
    ----------
    own : float
        Share of the market's pool days that would earn a rank at least as long, in the same direction.
    any_market : float
        Share of the joint pool days on which at least one market shown would earn one, in either direction; NaN with
        one market.
    """

    own: float
    any_market: float


class DaysAsLarge(NamedTuple):
    """How many sessions of the last year moved at least as much as day 0, up or down.

    Attributes
    ----------
    days : int
        Sessions at least as large.
    sessions : int
        Sessions with a move among the last 250; 0 where day 0 has no move.
    """

    days: int
    sessions: int

    @classmethod
    def of(cls, moves: np.ndarray, position: int) -> DaysAsLarge:
        """Count over the simple returns or differences before a row."""
        if not np.isfinite(moves[position]):
            return cls(0, 0)
        return cls(*days_at_least_as_large(moves, position, YEAR))

    @property
    def text(self) -> str:
        """The count in words."""
        if not self.sessions:
            return "day 0 has no move to compare"
        return f"{self.days} of the last {self.sessions} sessions moved at least this much"


def record_of(moves: np.ndarray, sessions: pd.DatetimeIndex, position: int) -> Record | None:
    """Rank of the move at ``position`` among the moves before it in the same direction.

    Parameters
    ----------
    moves : numpy.ndarray
        Moves by session (simple returns or differences), shape (T,).
    sessions : pandas.DatetimeIndex
        Labels of the sessions.
    position : int
        Row of day 0.

    Returns
    -------
    Record or None
        None when day 0 has no move.
    """
    move = moves[position]
    if not np.isfinite(move):
        return None
    if move == 0:
        return Record("none", None, 0, 1.0, "unchanged")
    sign, word = (1.0, "gain") if move > 0 else (-1.0, "fall")
    upto = sign * comparable(moves[: position + 1])
    as_large = np.flatnonzero(upto[:-1] >= upto[-1])
    if not len(as_large):
        count = int(np.isfinite(moves[: position + 1]).sum())
        first = sessions[np.flatnonzero(np.isfinite(moves))[0]]
        text = f"largest one-day {word} of the {count} sessions at hand, since {first:%Y-%m-%d}"
        return Record(word, None, count, 1.0 / count, f"{text} (1 day in {count} by chance)")
    back = position - int(as_large[-1])
    since = sessions[as_large[-1]]
    if back == 1:
        return Record(
            word, since, 1, 1.0, f"no record: the session before, {since:%Y-%m-%d}, had a {word} at least as large"
        )
    text = f"largest one-day {word} since {since:%Y-%m-%d}, {back} sessions earlier (1 day in {back} by chance)"
    return Record(word, since, back, 1.0 / back, text)
