"""What sentences and charts read of a market with a placebo, whichever result it comes from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import pandas as pd

if TYPE_CHECKING:
    from market_reaction.placebo_result import MarketPlacebo
    from market_reaction.prices import PriceSeries


class JudgedSession(Protocol):
    """A session with its placebo."""

    @property
    def session(self) -> pd.Timestamp:
        """Day 0."""

    @property
    def change(self) -> float:
        """Simple return, or difference for yields and VIX."""

    @property
    def placebo(self) -> MarketPlacebo:
        """Its placebo test."""


class JudgedMarket(Protocol):
    """A market with the session that was tested: ``MarketReaction`` and ``PlaceboPair`` are such."""

    @property
    def market(self) -> str:
        """Name shown."""

    @property
    def series(self) -> PriceSeries:
        """Prices."""

    @property
    def ambiguous(self) -> bool:
        """Whether more than one session is possible."""

    @property
    def headline(self) -> JudgedSession:
        """The session that leads."""


@dataclass(frozen=True, slots=True)
class PlaceboPair:
    """One event in one market with its placebo test.

    Attributes
    ----------
    event_id : str
        The event.
    series : PriceSeries
        The market.
    session : pandas.Timestamp
        Day 0.
    change : float
        Simple return of day 0, or difference for yields (percentage points) and VIX (points).
    ambiguous : bool
        Whether another session is possible, which is not tested here.
    placebo : MarketPlacebo
        The test.
    """

    event_id: str
    series: PriceSeries
    session: pd.Timestamp
    change: float
    ambiguous: bool
    placebo: MarketPlacebo

    @property
    def market(self) -> str:
        """Name shown."""
        return self.series.name

    @property
    def headline(self) -> PlaceboPair:
        """The pair itself: its only session."""
        return self
