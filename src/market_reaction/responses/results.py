"""What ``response_to_news`` and ``event_projections`` found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import pandas as pd

from market_reaction import wording
from market_reaction.exports import Exportable, Provenance
from market_reaction.inference.identification import RigobonSack
from market_reaction.inference.projections import LocalProjections

if TYPE_CHECKING:
    import plotly.graph_objects as go


@dataclass(frozen=True, slots=True, repr=False)
class NewsResponse(Exportable):
    """Response of one market to the news in another, identified by the larger variance of that news on event days.

    News that moves the market otherwise than through the other counts as response as well.

    Attributes
    ----------
    market, to : str
        The market that responds and the one that bears the news.
    unit, to_unit : str
        Units of their moves: ``"return"``, ``"points"`` or ``"percentage points"``.
    fit : RigobonSack
        Estimate in ``unit`` per ``to_unit``, confidence set, first stage, and least squares over the event days.
    days : pandas.DataFrame
        The moves it is made of: regime (``"event"`` or ``"other"``), event_id, session, move, to_session, to_move.
    excluded : pandas.DataFrame
        Indexed by event_id: reason, for the events left out.
    notes : tuple of str
        What to bear in mind.
    vintage : pandas.DataFrame
        Provenance of the two series.
    n_ambiguous : int
        Events of the estimate that may belong to another session of either market.
    """

    market: str
    to: str
    unit: str
    to_unit: str
    fit: RigobonSack
    days: pd.DataFrame
    excluded: pd.DataFrame
    notes: tuple[str, ...]
    vintage: pd.DataFrame
    n_ambiguous: int = 0

    def summary(self) -> pd.DataFrame:
        """Both estimates, one row each, unrounded.

        Returns
        -------
        pandas.DataFrame
            Indexed by estimator (``"rigobon_sack"``, ``"event_day_ols"``): market, to, unit, to_unit, estimate (unit
            per to_unit), std_error (NaN for Rigobon-Sack), conf_low, conf_high (ends of the set, which is no interval
            where ``bounded`` is False), bounded, p_value, n_event, n_other, first_stage_f, variance_ratio.
        """
        from market_reaction.responses.tables import summary_frame

        return summary_frame(self)

    def answer(self, width: int | None = None) -> str:
        """Say which way and how far the market moves, and how far to trust it, on lines of ``width`` characters."""
        from market_reaction.responses.tables import response_answer

        return wording.filled(response_answer(self), width)

    def tables(self) -> dict[str, pd.DataFrame]:
        """Tables of the result by name, the main one first; unrounded decimals."""
        from market_reaction.exports import response_tables

        return response_tables.response_tables(self)

    def provenance(self) -> Provenance:
        """What was asked for, the series used with their vintage, and the package version."""
        from market_reaction.exports import response_tables

        return response_tables.response_provenance(self)

    def printed(self) -> dict[str, pd.DataFrame]:
        """Both estimates as they are read, for the step that the answer names."""
        from market_reaction.responses.tables import response_lines

        return {"Response": response_lines(self)}

    def __repr__(self) -> str:
        """Say the answer."""
        return f"<NewsResponse: {self.answer()}>"

    def _repr_html_(self) -> str:
        from market_reaction.responses.tables import response_html

        return response_html(self)


@dataclass(frozen=True, slots=True, repr=False)
class EventProjections(Exportable):
    """Path of a market after shocks on the sessions of events.

    Attributes
    ----------
    market, unit : str
        The market and the unit of its moves.
    shock : str
        The shock that charts and tables show, in words: ``"an escalation"``, ``"a rise of VIX by 1 point"``.
    step : float
        Its size in the unit of the regression, which ``fit`` and ``to_frame`` are per unit of.
    fit : LocalProjections
        Coefficients, bands and p-values by horizon.
    events : pandas.DataFrame
        Indexed by event_id: session, shock, reason (why it is left out; empty where it counts).
    paths_without : pandas.DataFrame
        Coefficients by horizon without each session of events, indexed by the event_ids on it, most influential first.
    notes : tuple of str
        What to bear in mind.
    vintage : pandas.DataFrame
        Provenance of the series.
    """

    market: str
    unit: str
    shock: str
    step: float
    fit: LocalProjections
    events: pd.DataFrame
    paths_without: pd.DataFrame
    notes: tuple[str, ...]
    vintage: pd.DataFrame

    @property
    def n_events(self) -> int:
        """Sessions with a shock at the shortest horizon; events on one session count once."""
        return int(self.fit.n_events[0])

    def to_frame(self) -> pd.DataFrame:
        """Responses to a shock of 1 by horizon, unrounded.

        Returns
        -------
        pandas.DataFrame
            Indexed by horizon, sessions after the reaction session: coefficient, std_error, conf_low, conf_high,
            simultaneous_low, simultaneous_high, p_value, permutation_low, permutation_high (what shocks on random dates
            stay within), permutation_p, without_one_low, without_one_high (range over the events left out in turn),
            n_events, nobs.
        """
        fit = self.fit
        return pd.DataFrame(
            {
                "coefficient": fit.coefficients,
                "std_error": fit.std_errors,
                "conf_low": fit.conf_low,
                "conf_high": fit.conf_high,
                "simultaneous_low": fit.simultaneous_low,
                "simultaneous_high": fit.simultaneous_high,
                "p_value": fit.p_values,
                "permutation_low": fit.permutation_low,
                "permutation_high": fit.permutation_high,
                "permutation_p": fit.permutation_p_values,
                "without_one_low": self.paths_without.min().to_numpy(),
                "without_one_high": self.paths_without.max().to_numpy(),
                "n_events": fit.n_events,
                "nobs": fit.nobs,
            },
            index=pd.Index(fit.horizons, name="horizon"),
        )

    def answer(self, width: int | None = None) -> str:
        """Say where the path ends and whether random dates do as much, on lines of ``width`` characters if given."""
        from market_reaction.responses.tables import projections_answer

        return wording.filled(projections_answer(self), width)

    def plot(self, *, theme: Literal["auto", "light", "dark"] = "auto") -> go.Figure:
        """Response by horizon with both bands, and the range of shocks on random dates."""
        from market_reaction.responses.chart import projection_chart

        return projection_chart(self, theme=theme)

    def tables(self) -> dict[str, pd.DataFrame]:
        """Tables of the result by name, the main one first; unrounded decimals."""
        from market_reaction.exports import response_tables

        return response_tables.projection_tables(self)

    def provenance(self) -> Provenance:
        """What was asked for, the series used with their vintage, and the package version."""
        from market_reaction.exports import response_tables

        return response_tables.projection_provenance(self)

    def printed(self) -> dict[str, pd.DataFrame]:
        """The path as it is read, for the shock that the answer names."""
        from market_reaction.responses.tables import path_lines

        return {"Path": path_lines(self)}

    def __repr__(self) -> str:
        """Say the answer."""
        return f"<EventProjections: {self.answer()}>"

    def _repr_html_(self) -> str:
        from market_reaction.responses.tables import projections_html

        return projections_html(self)
