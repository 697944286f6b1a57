"""What ``overnight_gaps`` found."""

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

Part = Literal["gap", "session"]
Place = Literal["gap", "session", "either"]
Relation = Literal["holds it", "before it", "after it", "may hold it"]


@dataclass(frozen=True, slots=True)
class PartTest:
    """Placebo test of one part of a return.

    Attributes
    ----------
    abnormal : float
        The part less its mean over the estimation window, in the unit of the market's moves.
    usual : float
        EWMA volatility of the part known the session before.
    statistic : float
        Abnormal part over ``usual``.
    rank : PlaceboRank
        Its rank among the same part on the pool days.
    mde : float
        Smallest effect on this part that the test detects with 80% power.
    critical : float
        Absolute statistic to exceed for a p of at most 0.05.
    """

    abnormal: float
    usual: float
    statistic: float
    rank: PlaceboRank
    mde: float
    critical: float

    def void(self, reason: str) -> PartTest:
        """The same without its p, and the reason."""
        return replace(self, rank=self.rank.void(reason))


@dataclass(frozen=True, slots=True)
class GapPart:
    """One part of the return of one possible session of one market.

    Attributes
    ----------
    market : str
        Name shown.
    session : pandas.Timestamp
        Day 0 this part belongs to.
    headline, ambiguous : bool
        Whether this is the market's headline session; whether another one is possible.
    part : {"gap", "session"}
        From the close before to the open, or from the open to the close.
    unit : str
        Unit of the moves.
    move : float
        Log return of the part (difference for differences); the two parts add up.
    change : float
        Simple return of the whole, close to close.
    span : tuple of pandas.Timestamp
        Start and end, UTC.
    news : {"holds it", "before it", "after it", "may hold it"}
        How the part lies to the announcement.
    share_before : float
        Share of the part's time that lies before the announcement, or before the end of its day where only that is
        known; NaN where neither is.
    test : PartTest
        How unusual the part was.
    """

    market: str
    session: pd.Timestamp
    headline: bool
    ambiguous: bool
    part: Part
    unit: str
    move: float
    change: float
    span: tuple[pd.Timestamp, pd.Timestamp]
    news: Relation
    share_before: float
    test: PartTest


@dataclass(frozen=True, slots=True, repr=False)
class OvernightGaps(Exportable):
    """Reaction sessions split at their opens.

    Attributes
    ----------
    event : pandas.Series
        The announcement.
    parts : tuple of GapPart
        Gap and session move of every possible session, the headline session of each market first.
    excluded : pandas.DataFrame
        Columns market, session, reason: markets and sessions without a split.
    notes : tuple of str
        What the opens of single markets are.
    parameters : mapping
        What ``react`` was asked for.
    vintage : pandas.DataFrame
        Provenance of the series.
    """

    event: pd.Series
    parts: tuple[GapPart, ...]
    excluded: pd.DataFrame
    notes: tuple[str, ...]
    parameters: Mapping[str, Any]
    vintage: pd.DataFrame

    def to_frame(self) -> pd.DataFrame:
        """One row a market, possible session and part; unrounded decimals.

        Returns
        -------
        pandas.DataFrame
            Indexed by (market, session, part): headline, ambiguous, unit, move (log return; the parts of a session add
            up), abnormal, usual, statistic, placebo_p, placebo_p_floor, n_placebo, mde, from_utc, to_utc, news,
            share_before (of its time, before the announcement), note.
        """
        rows = [
            {
                "market": piece.market,
                "session": piece.session,
                "part": piece.part,
                "headline": piece.headline,
                "ambiguous": piece.ambiguous,
                "unit": piece.unit,
                "move": piece.move,
                "abnormal": piece.test.abnormal,
                "usual": piece.test.usual,
                "statistic": piece.test.statistic,
                "placebo_p": piece.test.rank.p_value,
                "placebo_p_floor": piece.test.rank.floor,
                "n_placebo": piece.test.rank.n_placebo,
                "mde": piece.test.mde,
                "from_utc": piece.span[0],
                "to_utc": piece.span[1],
                "news": piece.news,
                "share_before": piece.share_before,
                "note": piece.test.rank.note,
            }
            for piece in self.parts
        ]
        return pd.DataFrame(rows, columns=_COLUMNS).set_index(["market", "session", "part"])

    def summary(self) -> pd.DataFrame:
        """One row a market, headline session: gap, session_move, their placebo p, and where the news fell."""
        chosen = self.to_frame().query("headline").droplevel("session")
        order = chosen.index.get_level_values("market").unique()
        columns = {
            f"{name}_{part}": chosen.xs(part, level="part")[name].reindex(order)
            for name in ("move", "placebo_p", "news")
            for part in ("gap", "session")
            if len(chosen)
        }
        return pd.DataFrame(columns, index=order)

    def answer(self, width: int | None = None) -> str:
        """Say how the first market's move splits, whether each part was unusual, and which came before the news."""
        from market_reaction.timing.gap_text import gap_answer

        return wording.filled(gap_answer(self), width)

    def plot(self, *, kind: Literal["parts"] = "parts", theme: Theme = "auto") -> go.Figure:
        """Bars of both parts of every market; parts that came before the news are hatched.

        Parameters
        ----------
        kind : {"parts"}
            The only chart.
        theme : {"auto", "light", "dark"}
            ``"auto"`` is readable on a light and on a dark page.
        """
        from market_reaction.timing.gap_chart import gap_chart

        if kind != "parts":
            raise ValueError(f"kind={kind!r} is not known; choose one of parts.")
        return gap_chart(self, theme=theme)

    def tables(self) -> dict[str, pd.DataFrame]:
        """Parts, one row a market with both, and what is left out."""
        return {"gap and session": self.to_frame(), "by market": self.summary(), "left out": self.excluded}

    def printed(self) -> dict[str, pd.DataFrame]:
        """The parts as they stand in a paper, rounded; what is left out where there is none."""
        from market_reaction.timing.gap_text import printed_gaps

        return printed_gaps(self)

    def provenance(self) -> Provenance:
        """Parameters, vintage and package version."""
        return Provenance({"announcement": self.event.name, **self.parameters}, self.vintage)

    def __repr__(self) -> str:
        """Say the answer."""
        return f"<OvernightGaps: {self.answer()}>"

    def _repr_html_(self) -> str:
        from market_reaction.timing.gap_text import gap_html

        return gap_html(self)


_COLUMNS = [
    "market", "session", "part", "headline", "ambiguous", "unit", "move", "abnormal", "usual", "statistic", "placebo_p",
    "placebo_p_floor", "n_placebo", "mde", "from_utc", "to_utc", "news", "share_before", "note",
]  # fmt: skip
