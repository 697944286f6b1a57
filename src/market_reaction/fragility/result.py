"""What ``specification_curve`` found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import pandas as pd

from market_reaction import wording
from market_reaction.errors import UnknownInstrumentError, did_you_mean
from market_reaction.exports import Exportable, Provenance
from market_reaction.fragility.grid import Grid
from market_reaction.fragility.pool import CurvePlacebo
from market_reaction.inference.placebo import PlaceboRank
from market_reaction.prices import PriceData, PriceSeries
from market_reaction.sessions import Reaction

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from market_reaction.data_check_tables import Section

CurveChart = Literal["curve", "placebo"]


@dataclass(frozen=True, slots=True, eq=False)
class MarketCurve:
    """One market under every specification.

    Attributes
    ----------
    series : PriceSeries
        The market.
    where : Reaction
        Where the announcement falls in its sessions.
    specifications : pandas.DataFrame
        One row each, sorted by estimate: the choices, ``session_date`` (day 0), estimate, std_error, statistic, df,
        p_value, z (normal score), significant.
    placebo : CurvePlacebo
        The same grid on the placebo days.
    """

    series: PriceSeries
    where: Reaction
    specifications: pd.DataFrame
    placebo: CurvePlacebo

    @property
    def market(self) -> str:
        """Name of the market."""
        return self.series.name

    @property
    def unit(self) -> str:
        """Unit of its moves."""
        return self.series.instrument.change_unit


@dataclass(frozen=True, slots=True, repr=False)
class SpecificationCurve(Exportable):
    """One announcement under every specification of a grid; built only by ``specification_curve``.

    Attributes
    ----------
    event : pandas.Series
        The announcement; its name is its id.
    grid : Grid
        The choices.
    curves : tuple of MarketCurve
        One a market, in the order asked for.
    joint : mapping of str to mapping of str to PlaceboRank
        Joint ranks over the markets by statistic (``"median"``, ``"share"``, ``"mean_z"``) and kind (``"maximum"``,
        ``"quadratic"``); empty for one market.
    prices : PriceData
        The series.
    excluded : pandas.DataFrame
        Columns market, choice, level, n_specifications, reason: combinations that cannot exist or be measured.
    notes : tuple of str
        What to bear in mind.
    parameters : mapping of str to object
        What was asked for.
    """

    event: pd.Series
    grid: Grid
    curves: tuple[MarketCurve, ...]
    joint: Mapping[str, Mapping[str, PlaceboRank]]
    prices: PriceData
    excluded: pd.DataFrame
    notes: tuple[str, ...]
    parameters: Mapping[str, object]

    @property
    def markets(self) -> tuple[str, ...]:
        """Markets with a curve."""
        return tuple(curve.market for curve in self.curves)

    def __getitem__(self, market: str) -> MarketCurve:
        """Curve of one market, by its name or symbol."""
        for curve in self.curves:
            instrument = curve.series.instrument
            if market.casefold() in (
                text.casefold() for text in (curve.market, instrument.name, instrument.yahoo, instrument.bundled)
            ):
                return curve
        raise UnknownInstrumentError(
            f"{market!r} has no curve. {did_you_mean(market, self.markets)}Those with one: {', '.join(self.markets)}."
        )

    def answer(self, width: int | None = None) -> str:
        """Say whether the answer depends on the choices, which matters most, and what chance makes of it."""
        from market_reaction.fragility.words import curve_answer

        return wording.filled(curve_answer(self), width)

    def to_frame(self) -> pd.DataFrame:
        """One row a market and specification, unrounded decimals, each market sorted by estimate.

        Returns
        -------
        pandas.DataFrame
            Columns market, unit, rank, counterfactual, length, gap, window, scaling, returns, session, contaminated,
            session_date, estimate, std_error, statistic, df, p_value, z, significant.
        """
        from market_reaction.fragility.frames import specification_frame

        return specification_frame(self)

    def summary(self) -> pd.DataFrame:
        """Each market's curve in one row.

        Returns
        -------
        pandas.DataFrame
            Indexed by market: unit, n_specifications, median, lowest, q25, q75, highest (moves), same_sign_share,
            significant_share (with the dominant sign), significant_rise_share, significant_fall_share, mean_z; for each
            of the three statistics placebo_p_median, placebo_p_share, placebo_p_mean_z and the same without scaling by
            volatility (plain_p_...); placebo_p_floor, n_placebo, mde, main_choice and main_share (of the variance of
            the estimates), note.
        """
        from market_reaction.fragility.frames import summary_frame

        return summary_frame(self)

    def choices(self) -> pd.DataFrame:
        """How much each choice matters.

        Returns
        -------
        pandas.DataFrame
            Indexed by (market, choice): n_levels, estimate_share and statistic_share, the share of the variance of the
            estimates and of the t or z values that lies between the levels of the choice; they need not add up to one.
        """
        from market_reaction.fragility.frames import choice_frame

        return choice_frame(self)

    def levels(self) -> pd.DataFrame:
        """The curve by level of each choice.

        Returns
        -------
        pandas.DataFrame
            Indexed by (market, choice, level): unit, n_specifications, median, lowest, highest, median_statistic,
            same_sign_share (with the sign of the median of all), significant_rise_share, significant_fall_share.
        """
        from market_reaction.fragility.frames import level_frame

        return level_frame(self)

    def joint_summary(self) -> pd.DataFrame:
        """Joint placebo over the markets: indexed by (statistic, kind): placebo_p, placebo_p_floor, n_placebo, note."""
        from market_reaction.fragility.frames import joint_frame

        return joint_frame(self)

    def left_out(self) -> Section:
        """``excluded`` as a notebook shows it, with the whole of each reason."""
        from market_reaction.data_check_tables import Section
        from market_reaction.fragility.words import left_out_table

        return Section(self.excluded, left_out_table(self) or '<p class="mr-quiet">nothing</p>')

    def placebo_days(self) -> pd.DataFrame:
        """Statistics of the curve on every placebo day, brought to the volatility of the event.

        Returns
        -------
        pandas.DataFrame
            Columns market, unit, session, median, share, mean_z.
        """
        from market_reaction.fragility.frames import placebo_frame

        return placebo_frame(self)

    def plot(
        self,
        *,
        kind: CurveChart = "curve",
        market: str | None = None,
        theme: Literal["auto", "light", "dark"] = "auto",
    ) -> go.Figure:
        """Chart of one market.

        Parameters
        ----------
        kind : {"curve", "placebo"}
            Sorted estimates over the matrix of choices, or the median among those of the placebo days.
        market : str, optional
            The first when left out.
        theme : {"auto", "light", "dark"}
            ``"auto"`` is readable on a light and on a dark page.
        """
        from market_reaction.fragility.charts import curve_chart, placebo_chart

        if kind not in get_args(CurveChart):
            raise ValueError(f"kind={kind!r} is not known; choose one of {', '.join(get_args(CurveChart))}.")
        curve = self.curves[0] if market is None else self[market]
        draw = curve_chart if kind == "curve" else placebo_chart
        return draw(self, curve, theme)

    def figures(self, *, theme: Literal["auto", "light", "dark"] = "auto") -> dict[str, go.Figure]:
        """Curve of every market, and the placebo of the first."""
        found = {f"curve {name}": self.plot(market=name, theme=theme) for name in self.markets}
        return found | {"placebo": self.plot(kind="placebo", theme=theme)}

    def tables(self) -> dict[str, pd.DataFrame]:
        """Tables by name: the summary, the choices, their levels, the grid, every specification, what was left out."""
        return {
            "Specification curve": self.summary(),
            "Choices": self.choices(),
            "Levels": self.levels(),
            "Joint placebo": self.joint_summary(),
            "Grid": self.grid.to_frame(),
            "Specifications": self.to_frame(),
            "Placebo days": self.placebo_days(),
            "Left out": self.excluded,
        }

    def printed(self) -> dict[str, pd.DataFrame]:
        """Summary and choices as they are read."""
        from market_reaction.fragility.words import choice_lines, curve_lines

        return {"Specification curve": curve_lines(self), "What the choices change": choice_lines(self)}

    def provenance(self) -> Provenance:
        """What was asked for, and where the series come from."""
        return Provenance(self.parameters, self.prices.vintage)

    def __repr__(self) -> str:
        """Count what was found."""
        count = sum(len(curve.specifications) for curve in self.curves)
        return (
            f"<SpecificationCurve of {wording.clean(self.event.name)}: {count:,} specifications in "
            f"{len(self.curves)} market(s); see summary(), choices(), to_frame()>"
        )

    def _repr_html_(self) -> str:
        from market_reaction.fragility.words import curve_html

        return curve_html(self)
