"""What ``react`` found: the reaction of every market, on every session that is possible."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from market_reaction import wording
from market_reaction.exports import Provenance, Reportable
from market_reaction.other_news import OtherNews
from market_reaction.placebo_result import MarketPlacebo, PlaceboResult
from market_reaction.prices import PriceData, PriceSeries
from market_reaction.records import DaysAsLarge, RankChance, Record
from market_reaction.sessions import Reaction
from market_reaction.study_result import EventStudyResult

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from market_reaction.battery import BatteryOptions, TestChoice


@dataclass(frozen=True, slots=True)
class WindowReaction:
    """CAR over one event window.

    Attributes
    ----------
    start, end : int
        Inclusive session offsets.
    car, std_error : float
        In the unit of the market's moves; NaN when incomplete.
    complete : bool
        Whether the series reaches the end of the window.
    complete_on : pandas.Timestamp or None
        Session that completes the window; None when it is complete, or beyond the end of the published calendar.
    """

    start: int
    end: int
    car: float
    std_error: float
    complete: bool
    complete_on: pd.Timestamp | None


@dataclass(frozen=True, slots=True)
class Measured:
    """The reaction on one possible session of one market.

    Attributes
    ----------
    session : pandas.Timestamp
        Day 0.
    previous_close, close : float
        Levels.
    change : float
        Simple return, or difference for yields (percentage points) and VIX (points).
    abnormal : float
        Abnormal return of day 0, of the market's own return kind.
    z, z_mad, z_ewma : float
        Abnormal return over the forecast standard deviation, the robust spread and the EWMA volatility.
    usual_day : float
        EWMA volatility known the session before, in the unit of the moves.
    placebo : MarketPlacebo
        Placebo test of day 0.
    windows : tuple of WindowReaction
        CARs.
    record : Record or None
        Rank in words.
    rank_chance : RankChance or None
        How often chance earns that rank; None where there is none.
    as_large : DaysAsLarge
        How many of the last 250 sessions moved at least as much.
    """

    session: pd.Timestamp
    previous_close: float
    close: float
    change: float
    abnormal: float
    z: float
    z_mad: float
    z_ewma: float
    usual_day: float
    placebo: MarketPlacebo
    windows: tuple[WindowReaction, ...]
    record: Record | None
    rank_chance: RankChance | None
    as_large: DaysAsLarge


@dataclass(frozen=True, slots=True)
class MarketReaction:
    """The reaction of one market.

    Attributes
    ----------
    series : PriceSeries
        The prices used.
    where : Reaction
        Position, candidates and phase.
    headline : Measured
        The headline session.
    candidates : tuple of Measured
        Every possible session, in order; one when the session is certain.
    other_news : tuple of OtherNews
        Other news inside the return of the headline or of another possible session.
    notes : tuple of str
        What a reader must know about this row.
    """

    series: PriceSeries
    where: Reaction
    headline: Measured
    candidates: tuple[Measured, ...]
    other_news: tuple[OtherNews, ...]
    notes: tuple[str, ...]

    @property
    def market(self) -> str:
        """Name shown."""
        return self.series.name

    @property
    def ambiguous(self) -> bool:
        """Whether more than one session is possible."""
        return len(self.where.candidates) > 1


@dataclass(frozen=True, slots=True, repr=False)
class ReactionResult(Reportable):
    """What ``react`` found.

    Attributes
    ----------
    event : pandas.Series
        The announcement.
    reactions : tuple of MarketReaction
        In the order asked for.
    study : EventStudyResult
        The event study on the headline sessions.
    placebo : PlaceboResult
        Placebo tests on the headline sessions.
    prices : PriceData
        Series used, and what could not be had.
    parameters : mapping
        What was asked for.
    options : BatteryOptions
        What was fixed before looking, for the battery of tests.
    battery : pandas.DataFrame or None
        Rows of ``tests()`` that are shown with the result; None where only the headline was asked for.
    notes : tuple of str
        Notes on the announcement and the loading.
    """

    event: pd.Series
    reactions: tuple[MarketReaction, ...]
    study: EventStudyResult
    placebo: PlaceboResult
    prices: PriceData
    parameters: Mapping[str, Any]
    options: BatteryOptions
    battery: pd.DataFrame | None = None
    notes: tuple[str, ...] = field(default=())

    def __repr__(self) -> str:
        """Say the answer, and which markets could not be had."""
        missing = ", ".join(self.prices.unavailable["market"])
        return f"<ReactionResult: {self.answer()}{f' Not available: {missing}.' if missing else ''}>"

    def __getitem__(self, market: str) -> MarketReaction:
        """Reaction of one market by name or symbol."""
        name = self.prices[market].name
        return next(row for row in self.reactions if row.market == name)

    @property
    def event_id(self) -> str | None:
        """Catalogue id of the announcement, or None for a time stamp typed in."""
        known = self.event.get("catalogue_id")
        return known if isinstance(known, str) else None

    def to_frame(self) -> pd.DataFrame:
        """One row a market, unrounded decimals: session, levels, change, z, placebo p, CARs, rank.

        Returns
        -------
        pandas.DataFrame
            Indexed by market. CAR columns are named ``car[0,1]`` by their window.
        """
        from market_reaction import tables

        return tables.reaction_frame(self)

    def summary(self) -> pd.DataFrame:
        """Abnormal return of day 0 by market with its t test, and the placebo p with its minimum detectable effect.

        p and interval are NaN where the date was chosen because the market moved.
        """
        shown = self.to_frame()[["z_ewma", "placebo_p", "placebo_p_floor", "mde"]]
        frame = self.study.summary((0, 0)).drop(columns="mde").join(shown)
        if self.options.selected_because_it_moved:
            frame[["p_value", "conf_low", "conf_high"]] = float("nan")
        return frame

    def tests(self, tests: TestChoice = "all") -> pd.DataFrame:
        """Every test that belongs to this case: its p, its domain, or the reason why it does not apply.

        Parameters
        ----------
        tests : {"headline", "all"} or sequence of str
            Names as in ``market_reaction.battery.TESTS``.

        Returns
        -------
        pandas.DataFrame
            As ``EventStudyResult.tests`` gives it, with what ``react`` was told beforehand: signs, margin, primary
            market, whether the date was chosen because the market moved.
        """
        from market_reaction.battery.frame import study_tests

        return study_tests(self.study, tests, self.options, self.placebo)

    def to_dict(self) -> dict[str, Any]:
        """The JSON form: decimals, ISO dates, None where not available."""
        from market_reaction.exports import json_form

        return json_form.reaction_dict(self)

    def to_json(self) -> str:
        """The JSON form as text."""
        import json

        return json.dumps(self.to_dict(), indent=2, ensure_ascii=False, allow_nan=False)

    def answer(self, width: int | None = None) -> str:
        """Say in a sentence or two what moved and whether it was unusual, on lines of ``width`` characters if given."""
        from market_reaction import tables

        return wording.filled(tables.answer(self), width)

    def plot(
        self,
        *,
        kind: Literal["reactions", "car", "placebo", "clock"] = "reactions",
        market: str | None = None,
        theme: Literal["auto", "light", "dark"] = "auto",
    ) -> go.Figure:
        """Chart of the result.

        Parameters
        ----------
        kind : {"reactions", "car", "placebo", "clock"}
            Reaction bars across markets, CAR path, placebo distribution, or the clock strip.
        market : str, optional
            Market of the CAR path or placebo chart; the first when left out.
        theme : {"auto", "light", "dark"}
            ``"auto"`` is readable on a light and on a dark page.
        """
        from market_reaction import plots

        return plots.reaction_figure(self, kind=kind, market=market, theme=theme)

    def tables(self) -> dict[str, pd.DataFrame]:
        """Tables of the result by name, the main one first; unrounded decimals."""
        from market_reaction.exports import reaction_tables

        return reaction_tables.reaction_tables(self)

    def provenance(self) -> Provenance:
        """What was asked for, the series used with their vintage, and the package version."""
        from market_reaction.exports import reaction_tables

        return reaction_tables.reaction_provenance(self)

    def printed(self) -> dict[str, pd.DataFrame]:
        """Tables as they are read: the reaction of every market, and its clock, z values and windows."""
        from market_reaction.exports import reaction_tables

        return reaction_tables.printed_reaction(self)

    def figures(self, *, theme: Literal["auto", "light", "dark"] = "auto") -> dict[str, go.Figure]:
        """Every chart by name: bars, clock strip, CAR path and placebo of each market."""
        from market_reaction.exports import reaction_tables

        return reaction_tables.reaction_figures(self, theme)

    def _repr_html_(self) -> str:
        from market_reaction import tables

        return tables.reaction_html(self)
