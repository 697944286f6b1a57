"""What ``compare_counterfactuals`` found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import pandas as pd

from market_reaction import wording
from market_reaction.exports import Exportable, Provenance
from market_reaction.normal_models import NormalModel
from market_reaction.placebo_result import JointPlacebo, PlaceboResult
from market_reaction.prices import PriceData
from market_reaction.study_result import EventStudyResult
from market_reaction.windows import Window

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from market_reaction.counterfactuals.basket import BasketReaction

LEADING: NormalModel = "market"


@dataclass(frozen=True, slots=True, repr=False)
class CounterfactualComparison(Exportable):
    """Reactions of several shares under several counterfactuals.

    Attributes
    ----------
    event : pandas.Series
        The announcement.
    rows : pandas.DataFrame
        One row a share, possible session and model; see ``to_frame``.
    studies : mapping of str to EventStudyResult
        Study by model, on the headline sessions.
    placebos : mapping of str to PlaceboResult
        Placebo tests by model.
    joint : JointPlacebo or None
        Joint test over the shares under the market model; the largest p over the possible sessions. None with fewer
        than two shares that have a test.
    benchmarks : pandas.DataFrame
        Indexed by benchmark: session, change and placebo_p of its own move, for the shares measured against it.
    excluded : pandas.DataFrame
        Columns share, model, reason; model ``"all"`` where there is no series.
    notes : tuple of str
        What to bear in mind.
    prices : PriceData
        Series used.
    parameters : mapping
        What was asked for.
    exclude : pandas.DataFrame or None
        Events left out of the placebo pools.
    """

    event: pd.Series
    rows: pd.DataFrame
    studies: Mapping[str, EventStudyResult]
    placebos: Mapping[str, PlaceboResult]
    joint: JointPlacebo | None
    benchmarks: pd.DataFrame
    excluded: pd.DataFrame
    notes: tuple[str, ...]
    prices: PriceData
    parameters: Mapping[str, object]
    exclude: pd.DataFrame | None = None

    @property
    def shares(self) -> list[str]:
        """Shares measured under one model at least."""
        return list(dict.fromkeys(self.rows["share"]))

    @property
    def models(self) -> list[str]:
        """Models that measured one share at least."""
        return list(self.studies)

    def headline(self, model: str = LEADING) -> pd.DataFrame:
        """Rows of one model on the headline sessions, indexed by share."""
        chosen = self.rows["headline"].astype(bool) & self.rows["model"].eq(model)
        return self.rows[chosen].set_index("share")

    def to_frame(self) -> pd.DataFrame:
        """One row a share, possible session and model, unrounded.

        Returns
        -------
        pandas.DataFrame
            Columns share, model, session, headline (whether the session leads), inputs (benchmark, factors or donors),
            change (simple return of day 0), abnormal (of the share's own return kind), usual_day, placebo_p,
            placebo_p_floor, n_placebo, mde, critical (usual
            days to exceed for a p of 0.05), for each event window change[0,1] (simple return from the close before
            it to its last), car[0,1] and car_std_error[0,1], and note (why there is no p).
        """
        return self.rows.copy()

    def summary(self) -> pd.DataFrame:
        """One row a share, on the headline session: abnormal return and placebo p of day 0 under every model.

        Returns
        -------
        pandas.DataFrame
            Indexed by share; columns session, change, then pairs such as abnormal_market and placebo_p_market.
        """
        first = (
            self.rows[self.rows["headline"].astype(bool)].groupby("share", sort=False)[["session", "change"]].first()
        )
        for model in self.models:
            found = self.headline(model)[["abnormal", "placebo_p"]].add_suffix(f"_{model}")
            first = first.join(found)
        return first

    def weights(self) -> pd.DataFrame:
        """Weights of the synthetic controls.

        Returns
        -------
        pandas.DataFrame
            One row a donor with its change on day 0, one column a share; empty without donors.
        """
        study = self.studies.get("synthetic_control")
        if study is None:
            return pd.DataFrame()
        found = {share: pd.Series(pair.fit.params, index=pair.fit.names) for (_, share), pair in study.pairs.items()}
        return pd.DataFrame(found).rename_axis("donor")

    def basket(
        self, markets: Sequence[str] | None = None, *, window: Window | None = None, history: int | None = None
    ) -> BasketReaction:
        """One effect for several of the shares, each against its own synthetic control.

        Parameters
        ----------
        markets : sequence of str, optional
            Shares of the basket; all when left out. Those that could not be had are in its ``excluded``.
        window : tuple of int, optional
            Inclusive session offsets inside the windows; day 0 when left out.
        history : int, optional
            Earlier days to rank it among; as many as for the shares when left out.
        """
        from market_reaction.counterfactuals.basket import basket_reaction

        return basket_reaction(self, markets, window or (0, 0), history)

    def tables(self) -> dict[str, pd.DataFrame]:
        """Rows, summary, benchmarks, weights and what was left out, by name."""
        frames = {"Shares by model": self.to_frame(), "Summary": self.summary(), "Benchmarks": self.benchmarks}
        found = {name: frame.assign(unit="return") for name, frame in frames.items()}
        if len(self.weights()):
            found["Weights of donors"] = self.weights()
        return found | {"Left out": self.excluded}

    def printed(self) -> dict[str, pd.DataFrame]:
        """Counterfactuals of day 0, windows and benchmarks as they are read."""
        from market_reaction.counterfactuals.tables import printed_comparison

        return printed_comparison(self)

    def provenance(self) -> Provenance:
        """Parameters, and source and checksum of every series."""
        return Provenance(self.parameters, self.prices.vintage)

    def answer(self, width: int | None = None) -> str:
        """Say which shares moved beyond their market and whether that was unusual, alone and together."""
        from market_reaction.counterfactuals.tables import answer

        return wording.filled(answer(self), width)

    def plot(
        self,
        *,
        kind: Literal["models", "car"] = "models",
        share: str | None = None,
        model: str = LEADING,
        theme: Literal["auto", "light", "dark"] = "auto",
    ) -> go.Figure:
        """Chart of the result.

        Parameters
        ----------
        kind : {"models", "car"}
            Abnormal return of every share under every model beside what ordinary days do, or CAR paths.
        share : str, optional
            Share of the CAR path; all when left out.
        model : str
            Model of the CAR paths.
        theme : {"auto", "light", "dark"}
            ``"auto"`` is readable on a light and on a dark page.
        """
        from market_reaction.counterfactuals.chart import comparison_chart

        return comparison_chart(self, kind=kind, share=share, model=model, theme=theme)

    def __repr__(self) -> str:
        """Say the answer."""
        return f"<CounterfactualComparison: {self.answer()}>"

    def _repr_html_(self) -> str:
        from market_reaction.counterfactuals.tables import comparison_html

        return comparison_html(self)
