"""What ``order_of_closes`` found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from market_reaction import wording
from market_reaction.exports import Exportable, Provenance
from market_reaction.inference.placebo import PlaceboRank

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from market_reaction.theme import Theme

_COLUMNS = [
    "market", "session", "headline", "ambiguous", "phase", "first_trade_utc", "minutes_to_first_trade",
    "previous_close_utc", "close_earliest_utc", "close_utc", "minutes_to_close", "change", "unit", "placebo_p",
    "placebo_p_floor", "closes_before", "closes_before_first_trade",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class StruckClose:
    """The close of one possible session of one market.

    Attributes
    ----------
    market : str
        Name shown.
    session : pandas.Timestamp
        Possible day 0.
    headline, ambiguous : bool
        Whether it is the market's headline session; whether another one is possible.
    unit, quote_note : str
        Unit of the change, and what "up" means.
    phase : str or None
        Phase of the market when the news came; None without trading hours or without a clock.
    first_trade_utc : pandas.Timestamp
        First moment the market could be traded on the news; NaT where that is not known.
    minutes_to_first_trade, minutes_to_close : float
        Minutes from the announcement; NaN where its clock is not known.
    previous_close_utc, close_earliest_utc, close_utc : pandas.Timestamp
        Close before, and bounds of the close.
    change : float
        Simple return of the session, or difference.
    rank : PlaceboRank
        Headline placebo of the session.
    closes_before : tuple of str
        Markets whose close on the news was certainly struck before this one, in order.
    closes_before_first_trade : tuple of str
        Those struck before this market could first be traded on the news.
    """

    market: str
    session: pd.Timestamp
    headline: bool
    ambiguous: bool
    unit: str
    quote_note: str
    phase: str | None
    first_trade_utc: pd.Timestamp
    minutes_to_first_trade: float
    previous_close_utc: pd.Timestamp
    close_earliest_utc: pd.Timestamp
    close_utc: pd.Timestamp
    minutes_to_close: float
    change: float
    rank: PlaceboRank
    closes_before: tuple[str, ...] = ()
    closes_before_first_trade: tuple[str, ...] = ()

    def after(self, before: tuple[str, ...], first_trade: tuple[str, ...]) -> StruckClose:
        """The same with the closes before it."""
        return replace(self, closes_before=before, closes_before_first_trade=first_trade)


@dataclass(frozen=True, slots=True, repr=False)
class CloseOrder(Exportable):
    """Markets in the order their closes were struck after an announcement.

    Attributes
    ----------
    event : pandas.Series
        The announcement.
    closes : tuple of StruckClose
        Every possible session, in order of its close.
    excluded : pandas.DataFrame
        Columns market, reason: markets that could not be had.
    notes : tuple of str
        Ambiguous sessions and uncertain closes.
    parameters : mapping
        What ``react`` was asked for.
    vintage : pandas.DataFrame
        Provenance of the series.
    """

    event: pd.Series
    closes: tuple[StruckClose, ...]
    excluded: pd.DataFrame
    notes: tuple[str, ...]
    parameters: Mapping[str, Any]
    vintage: pd.DataFrame

    @property
    def headlines(self) -> tuple[StruckClose, ...]:
        """Headline session of each market, in order of its close."""
        return tuple(item for item in self.closes if item.headline)

    def to_frame(self) -> pd.DataFrame:
        """One row a market and possible session, in order of the close; unrounded.

        Returns
        -------
        pandas.DataFrame
            Indexed by (market, session): headline, ambiguous, phase, first_trade_utc, minutes_to_first_trade,
            previous_close_utc, close_earliest_utc, close_utc, minutes_to_close, change (decimal return, percentage
            points or points, as ``unit`` says), placebo_p, placebo_p_floor, closes_before, closes_before_first_trade
            (tuples of markets).
        """
        rows = [
            {"placebo_p": item.rank.p_value, "placebo_p_floor": item.rank.floor}
            | {name: getattr(item, name) for name in _COLUMNS if not name.startswith("placebo_p")}
            for item in self.closes
        ]
        return pd.DataFrame(rows, columns=_COLUMNS).set_index(["market", "session"])

    def answer(self, width: int | None = None) -> str:
        """Say who could trade first, whose close held the news first, and what daily closes cannot say."""
        from market_reaction.timing.first_text import order_answer

        return wording.filled(order_answer(self), width)

    def plot(self, *, kind: Literal["order"] = "order", theme: Theme = "auto") -> go.Figure:
        """First tradable moment and close of each market, in hours from the announcement.

        Parameters
        ----------
        kind : {"order"}
            The only chart.
        theme : {"auto", "light", "dark"}
            ``"auto"`` is readable on a light and on a dark page.
        """
        from market_reaction.timing.first_chart import order_chart

        if kind != "order":
            raise ValueError(f"kind={kind!r} is not known; choose one of order.")
        return order_chart(self, theme=theme)

    def tables(self) -> dict[str, pd.DataFrame]:
        """The order, and what could not be had."""
        frame = self.to_frame()
        for column in ("closes_before", "closes_before_first_trade"):
            frame[column] = [", ".join(names) for names in frame[column]]
        return {"order of closes": frame, "not available": self.excluded}

    def printed(self) -> dict[str, pd.DataFrame]:
        """The order as it stands in a paper, rounded."""
        from market_reaction.timing.first_text import printed_order

        return printed_order(self)

    def provenance(self) -> Provenance:
        """Parameters, vintage and package version."""
        return Provenance({"announcement": self.event.name, **self.parameters}, self.vintage)

    def __repr__(self) -> str:
        """Say the answer."""
        return f"<CloseOrder: {self.answer()}>"

    def _repr_html_(self) -> str:
        from market_reaction.timing.first_text import order_html

        return order_html(self)
